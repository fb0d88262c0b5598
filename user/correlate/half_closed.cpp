// SPDX-License-Identifier: Apache-2.0
// half_closed.cpp: what no event shows by itself, and is looked for while the run goes on: which process still has a
// descriptor of a socket in CLOSE_WAIT, which sockets still wait in FIN_WAIT2.
//
// The Correlator asks, the run looks, the answer comes as events: so a recording has it too.
#include "correlate/half_closed.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "facts/derived.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// Who has the descriptor of a socket in CLOSE_WAIT is asked so long before that is a finding.
constexpr std::int64_t ask_ahead_ns = 1'000'000'000;

}  // namespace

void HalfClosed::close_wait_over(Slot slot) {
  Connection& c = table_.at(slot);
  if (losses_.since_begun(c)) c.incomplete = true;
  if (auto finding = rules_.close_wait_stuck(c, in_.context(slot))) {
    report_while_open(c, std::move(*finding));
  } else if (c.teardown && c.teardown->descriptor &&
             c.state == State::close_wait) {  // it goes on sending: looked at again
    c.ensure_teardown().descriptor_requested = false;
    table_.wait(slot, Wait::close_wait, now_);
  }
}

// The end reports it again, where it is known better then.
void HalfClosed::report_while_open(Connection& c, Finding finding) {
  if (!settings_.finding_reports) return;
  c.ensure_anomalies().while_open.reported.push_back(finding);
  emitter_.finding(c, now_, std::move(finding));
}

bool HalfClosed::wants_descriptors() {
  const Slot first = table_.first(Wait::close_wait);
  if (first == no_slot || table_.at(first).ensure_teardown().descriptor_requested) return false;
  if (now_ + ask_ahead_ns < table_.waiting_since(first) + settings_.close_wait_stuck_ns) return false;
  // The answer comes for all of them; those whose time is later are looked at again.
  for (Slot slot = first; slot != no_slot; slot = table_.behind(slot)) {
    if (now_ + 2 * ask_ahead_ns < table_.waiting_since(slot) + settings_.close_wait_stuck_ns) break;
    table_.at(slot).ensure_teardown().descriptor_requested = true;
    table_.at(slot).ensure_teardown().descriptor = {};
  }
  return true;
}

TimeNs HalfClosed::descriptors_due() const {
  const Slot first = table_.first(Wait::close_wait);
  const bool asks = first != no_slot && !(table_.at(first).teardown && table_.at(first).teardown->descriptor_requested);
  return asks ? table_.waiting_since(first) + settings_.close_wait_stuck_ns - ask_ahead_ns : no_time;
}

void HalfClosed::note_still_fin_wait2(const Event& e, const SocketFound& f) {
  if (f.cb.state != State::fin_wait2) return;
  const Slot slot = table_.find_cookie(f.header.cookie);
  if (slot == no_slot || table_.at(slot).reported || !table_.at(slot).teardown) return;
  Connection& c = table_.at(slot);
  if (c.state != State::fin_wait2) return;
  c.teardown->fin_wait2_seen = {e.id, e.ts_ns};
  if (!was_read(f.cb) || c.ended()) return;
  c.cb = f.cb;
  if (is_orphaned(f.cb) && c.teardown->close_both(e.ts_ns, f.cb.bytes_received)) c.teardown->fin_wait2_found = true;
}

void HalfClosed::note_left_fin_wait2(const Event& looked) {
  std::vector<Slot> left;
  for (Slot slot = table_.first(Wait::fin_wait2); slot != no_slot; slot = table_.behind(slot)) {
    const Connection& c = table_.at(slot);
    if (!waits_unseen(c) || c.teardown->end.ts_ns >= looked.ts_ns) continue;
    const TimeNs until = orphan_until(c);
    const bool still = c.teardown->fin_wait2_seen.ts_ns >= looked.ts_ns;
    // Later its own timer can have ended it.
    if (!still && until != 0 && now_ < until) left.push_back(slot);
  }
  for (const Slot slot : left) {
    Connection& c = table_.at(slot);
    c.teardown->fin_wait2_left = {looked.id, looked.ts_ns};
    life_reports_.conclude(slot);
  }
}

// Whether the peer's FIN has come to a mini-socket of which no packet is seen: asked at growing intervals, and each
// second before its time is over.
void HalfClosed::ask_for_fin_wait2(const Connection& c) {
  constexpr std::int64_t second_ns = 1'000'000'000;
  const std::int64_t waited = now_ - c.teardown->end.ts_ns;
  const TimeNs until = orphan_until(c);
  const bool ends_soon = until != 0 && until - now_ <= orphan_look_ns;
  ask_for_list(ends_soon ? second_ns : std::max(waited / 2, second_ns));
}

// One list answers for all of them: not again within `interval`.
void HalfClosed::ask_for_list(std::int64_t interval) {
  if (now_ - fin_wait2_asked_ns_ < interval) return;
  fin_wait2_asked_ns_ = now_;
  fin_wait2_look_ = true;
}

// Once a second, while the peer has not closed.
void HalfClosed::watch_fin_wait2(Slot slot) {
  Connection& c = table_.at(slot);
  Teardown& teardown = c.ensure_teardown();
  if (teardown.mini_fin_wait2 && orphan_forgotten(c, now_)) {
    c.expired = true;
    life_reports_.conclude(slot);
    return;
  }
  if (waits_unseen(c)) ask_for_fin_wait2(c);
  constexpr std::int64_t ahead_ns = 1'000'000'000;
  const std::int64_t lasted = teardown.fin_wait2 ? now_ - teardown.fin_wait2_quiet_ns : 0;
  if (!teardown.not_closing_reported && !teardown.fin_wait2_requested &&
      lasted + ahead_ns >= settings_.close_wait_stuck_ns) {
    teardown.fin_wait2_requested = true;
    const bool waited_by_then = fin_wait2_asked_ns_ > teardown.fin_wait2_quiet_ns;
    ask_for_list(waited_by_then ? ahead_ns / 2 : 0);
  } else if (!teardown.not_closing_reported && lasted >= settings_.close_wait_stuck_ns) {
    if (losses_.since_begun(c)) c.incomplete = true;
    if (auto finding = rules_.peer_not_closing(c, in_.context(slot))) {
      teardown.not_closing_reported = true;
      report_while_open(c, std::move(*finding));
    } else {  // data still comes: looked at again after as long
      teardown.fin_wait2_quiet_ns = now_;
      teardown.fin_wait2_bytes = c.cb.bytes_received;
      teardown.fin_wait2_requested = false;
    }
  }
  table_.wait(slot, Wait::fin_wait2, now_);
}

}  // namespace tcpwitness
