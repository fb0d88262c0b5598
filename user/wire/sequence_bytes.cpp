// SPDX-License-Identifier: Apache-2.0
// sequence_bytes.cpp: ranges of sequence numbers, seen and not seen.
#include "wire/sequence_bytes.hpp"

#include <algorithm>

#include "wire/seen_segment.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint64_t first_turn = std::uint64_t{1} << 32;  // room below for what comes late

}  // namespace

void SequenceBytes::sent(std::uint32_t seq, std::uint32_t len, std::uint8_t flags) {
  if ((flags & tcp_flag::rst) != 0) {
    refused(len);
    return;
  }
  const bool syn = (flags & tcp_flag::syn) != 0;
  const std::uint32_t start = seq + (syn ? 1U : 0U);
  const std::uint32_t consumed = len + ((flags & tcp_flag::fin) != 0 ? 1U : 0U);
  payload_ += len;
  if (!known_) {
    known_ = true;
    from_syn_ = syn;
    low_ = first_turn | start;
    high_ = low_;
  }
  if (start != static_cast<std::uint32_t>(high_)) {
    slow_sent(start, len, consumed);
    return;
  }
  range_ += len;
  high_ += consumed;
}

void SequenceBytes::slow_sent(std::uint32_t start, std::uint32_t len, std::uint32_t consumed) {
  const std::uint32_t ahead = start - static_cast<std::uint32_t>(high_);
  if (only_probed(ahead)) {
    ++low_;
    ++high_;
    range_ += len;
    high_ += consumed;
    return;
  }
  if (ahead < largest_window) {
    open(high_, high_ + ahead);
    range_ += len;
    high_ += ahead + consumed;
    return;
  }
  const std::uint32_t behind = 0U - ahead;
  if (behind >= largest_window) {
    jump(start, len, consumed);
    return;
  }
  const std::uint64_t from = high_ - behind;
  if (consumed != len && consumed <= behind) {
    // A FIN that was acknowledged before it came: its number had seemed to be a byte that is missing.
    const std::uint64_t no_byte = fill(from + len, from + consumed);
    missing_ -= no_byte;
    range_ -= no_byte;
  }
  if (len == 0 && consumed <= behind) return;  // an old acknowledgement, a keep-alive
  if (!from_syn_ && from < low_ && len != 0) extend_down(from);
  const std::uint32_t known = std::min(len, behind);
  const std::uint64_t filled = fill(from, from + known);
  missing_ -= filled;
  retransmitted_ += known - filled;
  range_ += len - known;
  high_ = std::max(high_, from + consumed);
}

// Nonsense, a sequence begun anew, or a gap in the capture: counted for itself, and the range goes on from there where
// it has payload. That it is a gap is shown by the peer, which acknowledges it.
void SequenceBytes::jump(std::uint32_t start, std::uint32_t len, std::uint32_t consumed) {
  range_ += len;
  if (len == 0) return;
  jumped_ = true;
  jumped_from_ = static_cast<std::uint32_t>(high_);
  low_ = first_turn | start;
  high_ = low_ + consumed;
  from_syn_ = true;
  holes_.reset();
  const std::uint32_t distance = far_ack_ - start;
  if (far_acked_ && (distance < largest_window || 0U - distance < largest_window)) slow_acknowledged(start + 1);
}

void SequenceBytes::restart(std::uint32_t start) {
  known_ = true;
  from_syn_ = true;
  low_ = first_turn | start;
  high_ = low_;
  holes_.reset();
}

// Where the first segment that was captured is an empty one, and the stream goes on one number behind it: that was a
// keep-alive, which sends no byte.
bool SequenceBytes::only_probed(std::uint32_t ahead) const {
  return ahead == 1 && !from_syn_ && low_ == high_ && range_ == 0;
}

void SequenceBytes::slow_acknowledged(std::uint32_t ack) {
  if (!known_) {
    known_ = true;
    low_ = first_turn | ack;
    high_ = low_;
    return;
  }
  const std::uint32_t ahead = ack - static_cast<std::uint32_t>(high_);
  if (jumped_ && (ahead < largest_window || 0U - ahead < static_cast<std::uint32_t>(high_ - low_))) {
    const std::uint32_t gap = static_cast<std::uint32_t>(low_) - jumped_from_;
    jumped_ = false;
    range_ += gap;
    missing_ += gap;
  }
  if (ahead >= largest_window) {
    const bool far = 0U - ahead >= largest_window;
    far_acked_ = far_acked_ || far;
    if (far) far_ack_ = ack;
    return;
  }
  if (only_probed(ahead)) {
    ++low_;
    ++high_;
    return;
  }
  if (ahead == 0) return;
  open(high_, high_ + ahead);
  high_ += ahead;
}

// Where the beginning was not seen, an older segment can come behind a newer one.
void SequenceBytes::extend_down(std::uint64_t start) {
  range_ += low_ - start;
  missing_ += low_ - start;
  if (!holes_) holes_ = std::make_unique<Holes>();
  if (holes_->count < holes_limit) {
    holes_->hole[holes_->count++] = {start, low_};
  } else {
    forgot_hole_ = true;
  }
  low_ = start;
}

bool SequenceBytes::hole_has(std::uint32_t number) const {
  const auto end = holes_->hole.begin() + static_cast<std::ptrdiff_t>(holes_->count);
  return std::any_of(holes_->hole.begin(), end, [&](const Holes::Hole& hole) {
    return number - static_cast<std::uint32_t>(hole.from) < hole.to - hole.from;
  });
}

bool SequenceBytes::has_all(std::uint32_t seq, std::uint32_t len) const {
  const std::uint32_t behind = static_cast<std::uint32_t>(high_) - seq;
  if (!known_ || forgot_hole_ || len == 0 || len > behind || behind > high_ - low_) return false;
  if (!holes_) return true;
  const std::uint64_t from = high_ - behind;
  const auto end = holes_->hole.begin() + static_cast<std::ptrdiff_t>(holes_->count);
  return std::none_of(holes_->hole.begin(), end,
                      [&](const Holes::Hole& hole) { return hole.from < from + len && from < hole.to; });
}

void SequenceBytes::open(std::uint64_t from, std::uint64_t to) {
  range_ += to - from;
  missing_ += to - from;
  if (!holes_) holes_ = std::make_unique<Holes>();
  Holes& holes = *holes_;
  if (holes.count == holes_limit) {
    // The oldest is the least likely to be filled yet.
    std::move(holes.hole.begin() + 1, holes.hole.end(), holes.hole.begin());
    --holes.count;
    forgot_hole_ = true;
  }
  holes.hole[holes.count++] = {from, to};
}

std::uint64_t SequenceBytes::fill(std::uint64_t from, std::uint64_t to) {
  if (!holes_) return 0;
  Holes& holes = *holes_;
  std::uint64_t filled = 0;
  for (std::size_t i = 0; i < holes.count;) {
    Holes::Hole& hole = holes.hole[i];
    const std::uint64_t first = std::max(hole.from, from);
    const std::uint64_t last = std::min(hole.to, to);
    if (first >= last) {
      ++i;
      continue;
    }
    filled += last - first;
    const Holes::Hole above{last, hole.to};
    const bool has_above = above.from < above.to;
    if (hole.from < first) {
      hole.to = first;
      ++i;
      // Split: the upper part is kept where there is room, else its bytes stay missing.
      forgot_hole_ = forgot_hole_ || (has_above && holes.count == holes_limit);
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
