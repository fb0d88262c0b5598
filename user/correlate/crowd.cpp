// SPDX-License-Identifier: Apache-2.0
// crowd.cpp: what is too much to report one by one.
#include <algorithm>
#include <utility>

#include "correlate/correlator_impl.hpp"

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
  if (before_ && (now - before_->crowd.since() >= 2 * second_ns || finished)) return *std::exchange(before_, nullptr);
  if (newest_ && !before_ && now - newest_->crowd.since() >= second_ns) before_ = std::move(newest_);
  std::unique_ptr<Attempts>& last = before_ ? before_ : newest_;
  if (last && finished) return *std::exchange(last, nullptr);
  return std::nullopt;
}

void Correlator::Impl::note_attempt(const Event& e, const Flow& flow) {
  if (settings_.has_kernel && !selection_.any()) attempts_.begun(e.id, e.ts_ns, flow);
}

void Correlator::Impl::report_attempts(TimeNs now) {
  for (AttemptsBySecond* const by_second : {&attempts_, &passing_attempts_}) {
    while (const auto attempts = by_second->due(now, finished_)) {
      const bool lost = losses_.reach(attempts->crowd.since());
      if (auto finding = rules_.attempts(*attempts, names_, lost))
        emitter_.finding(attempts->crowd.first(), now, std::move(*finding));
    }
  }
}

void Correlator::Impl::add_up(std::unique_ptr<Crowd>& crowd, EventId id, TimeNs ts, const Flow& flow) {
  if (!crowd) crowd = std::make_unique<Crowd>();
  crowd->add(id, ts, flow);
}

// Those of a second that were not reported one by one.
void Correlator::Impl::report_crowd(std::unique_ptr<Crowd>& crowd, TimeNs now,
                                    Finding (Rules::*judge)(const Crowd&, bool) const) {
  if (!crowd || (now - crowd->since() < second_ns && !finished_)) return;
  const Crowd more = *std::exchange(crowd, nullptr);
  emitter_.finding(more.first(), now, (rules_.*judge)(more, losses_.reach(more.since())));
}

void Correlator::Impl::report_crowds(TimeNs now) {
  report_attempts(now);
  report_crowd(more_strays_, now, &Rules::more_strays);
  report_more_turned_away(now);
  report_crowd(more_refused_, now, &Rules::more_refused);
}

// A connection of which only its beginning is known; forwarded: one that never came about.
bool Correlator::Impl::only_half_open(const Connection& c) const {
  if (c.passage()) return never_open(c);
  const bool begun = c.state == TcpState::unknown || c.state == TcpState::new_syn_recv;
  return settings_.has_kernel && c.role == Role::passive && !c.established && begun;
}

}  // namespace tcpwitness
