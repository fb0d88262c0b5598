// SPDX-License-Identifier: Apache-2.0
// attempts.cpp: what is counted while a second lasts, and when it is over.
#include "correlate/attempts.hpp"

#include <utility>

namespace tcpwitness {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

}  // namespace

void AttemptsBySecond::begun(EventId id, TimeNs ts, const Flow& flow) {
  if (!newest_) {
    newest_ = std::make_unique<Attempts>();
    newest_->forwarded = forwarded_;
  }
  newest_->crowd.add(id, ts, flow);
}

void AttemptsBySecond::answered(bool by_cookie) {
  if (newest_) ++(by_cookie ? newest_->cookies : newest_->answered);
}

// Soon behind the SYN; but a neighbour is given up after seconds, which can be too late for this.
void AttemptsBySecond::answer_dropped(std::uint32_t reason) {
  Attempts* attempts = newest_ ? newest_.get() : before_.get();
  if (attempts == nullptr) return;
  add_reason(attempts->dropped, reason);
}

// Those that began first complete first, as far as is known.
void AttemptsBySecond::count(std::uint64_t Attempts::* what) {
  if (before_ && before_->completed + before_->refused < before_->crowd.size())
    ++(*before_.*what);
  else if (newest_)
    ++(*newest_.*what);
}

std::optional<Attempts> AttemptsBySecond::due(TimeNs now, bool finished) {
  if (newest_ && !before_ && now - newest_->crowd.since() >= second_ns) before_ = std::move(newest_);
  if (before_ && (now - before_->crowd.since() >= 2 * second_ns || finished)) return *std::exchange(before_, nullptr);
  if (newest_ && finished) return *std::exchange(newest_, nullptr);
  return std::nullopt;
}

std::optional<Crowd> RestOfEachSecond::due(TimeNs now, bool finished) {
  if (!crowd_ || (now - crowd_->since() < second_ns && !finished)) return std::nullopt;
  return *std::exchange(crowd_, nullptr);
}

}  // namespace tcpwitness
