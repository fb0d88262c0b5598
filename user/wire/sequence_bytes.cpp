// SPDX-License-Identifier: Apache-2.0
// sequence_bytes.cpp: ranges of sequence numbers, seen and not seen.
#include "wire/sequence_bytes.hpp"

#include <algorithm>

#include "tcpwitness/tcp.hpp"

namespace tcpwitness {
namespace {

// No window is larger (RFC 7323, section 2.3): a number further away belongs to no sane sequence.
constexpr std::uint32_t largest_window = 1U << 30;

}  // namespace

void SequenceBytes::sent(std::uint32_t seq, std::uint32_t len, std::uint8_t flags) {
  const bool syn = (flags & tcp_flag::syn) != 0;
  const std::uint32_t start = seq + (syn ? 1U : 0U);
  const std::uint32_t end = seq + seq_length(len, flags);
  payload_ += len;
  if (!known_) {
    known_ = true;
    from_syn_ = syn;
    low_ = start;
    high_ = start;
  }
  if (start != high_) {
    slow_sent(start, len, end);
    return;
  }
  range_ += len;
  high_ = end;
}

void SequenceBytes::slow_sent(std::uint32_t start, std::uint32_t len, std::uint32_t end) {
  const std::uint32_t ahead = start - high_;
  if (ahead < largest_window) {
    open(high_, start);
    range_ += len;
    high_ = end;
    return;
  }
  const std::uint32_t behind = high_ - start;
  if (behind >= largest_window) {
    // Nonsense, or a sequence begun anew: counted for itself, and the range goes on from there where it has payload.
    range_ += len;
    if (len == 0) return;
    high_ = end;
    low_ = start;
    from_syn_ = true;
    holes_.reset();
    return;
  }
  if (len == 0 && !seq_before(high_, end)) return;  // an old acknowledgement, a keep-alive
  if (!from_syn_ && range_ < largest_window && seq_before(start, low_) && len != 0) extend_down(start);
  const std::uint32_t known = std::min(len, behind);
  const std::uint32_t filled = fill(start, start + known);
  missing_ -= filled;
  retransmitted_ += known - filled;
  range_ += len - known;
  if (seq_before(high_, end)) high_ = end;
}

void SequenceBytes::slow_acknowledged(std::uint32_t ack) {
  if (!known_) {
    known_ = true;
    low_ = ack;
    high_ = ack;
    return;
  }
  if (ack - high_ >= largest_window) return;
  open(high_, ack);
  high_ = ack;
}

// Where the beginning was not seen, an older segment can come behind a newer one.
void SequenceBytes::extend_down(std::uint32_t start) {
  const std::uint32_t below = low_ - start;
  const std::uint32_t high = high_;
  range_ += below;
  missing_ += below;
  low_ = start;
  if (!holes_) holes_ = std::make_unique<Holes>();
  if (holes_->count < holes_limit) holes_->hole[holes_->count++] = {start, start + below};
  high_ = high;
}

void SequenceBytes::open(std::uint32_t from, std::uint32_t to) {
  range_ += to - from;
  missing_ += to - from;
  if (!holes_) holes_ = std::make_unique<Holes>();
  Holes& holes = *holes_;
  if (holes.count == holes_limit) {
    // The oldest is the least likely to be filled yet.
    std::move(holes.hole.begin() + 1, holes.hole.end(), holes.hole.begin());
    --holes.count;
  }
  holes.hole[holes.count++] = {from, to};
}

std::uint32_t SequenceBytes::fill(std::uint32_t from, std::uint32_t to) {
  if (!holes_) return 0;
  Holes& holes = *holes_;
  std::uint32_t filled = 0;
  for (std::size_t i = 0; i < holes.count;) {
    Holes::Hole& hole = holes.hole[i];
    const std::uint32_t first = seq_before(hole.from, from) ? from : hole.from;
    const std::uint32_t last = seq_before(to, hole.to) ? to : hole.to;
    if (!seq_before(first, last)) {
      ++i;
      continue;
    }
    filled += last - first;
    const Holes::Hole above{last, hole.to};
    const bool has_above = seq_before(above.from, above.to);
    if (seq_before(hole.from, first)) {
      hole.to = first;
      ++i;
      // Split: the upper part is kept where there is room, else its bytes stay missing.
      if (has_above && holes.count < holes_limit) {
        std::move_backward(holes.hole.begin() + static_cast<std::ptrdiff_t>(i),
                           holes.hole.begin() + static_cast<std::ptrdiff_t>(holes.count),
                           holes.hole.begin() + static_cast<std::ptrdiff_t>(holes.count) + 1);
        holes.hole[i++] = above;
        ++holes.count;
      }
    } else if (has_above) {
      hole = above;
      ++i;
    } else {
      std::move(holes.hole.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                holes.hole.begin() + static_cast<std::ptrdiff_t>(holes.count),
                holes.hole.begin() + static_cast<std::ptrdiff_t>(i));
      --holes.count;
    }
  }
  if (holes.count == 0) holes_.reset();
  return filled;
}

}  // namespace tcpwitness
