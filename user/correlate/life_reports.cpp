// SPDX-License-Identifier: Apache-2.0
// life_reports.cpp: a connection is judged, and its life is reported.
//
// Of those that go on, the look at all sockets that came just before is judged. It is no end: the counters go on.
#include "correlate/life_reports.hpp"

#include <algorithm>
#include <utility>

#include "correlate/flow_to_delete.hpp"
#include "facts/derived.hpp"

namespace tcpwitness {

// How it ended.
Outcome LifeReports::report(Slot slot, RuleContext known) {
  const Connection& c = table_.at(slot);
  const bool clocked = settings_.every_segment && !settings_.capture && c.seen_by.wire && !c.opening.preexisting;
  const PayloadTimes payload = clocked ? contexts_.measures(slot).clock.times() : PayloadTimes{};
  if (clocked) known.payload = &payload;
  ++summary_.connections;
  if (!settings_.timeline && !settings_.finding_reports) {
    return emitter_.life_at_once([&] { return rules_.life(c, known); }).outcome;
  }
  const bool ordinary = in_.summarizes_ordinary && !c.anomalies;
  if (ordinary) known.explain = false;
  Report made = Emitter::life([&] { return rules_.life(c, known); });
  Life& life = std::get<Life>(made);
  const Outcome outcome = life.outcome;
  if (ordinary) {
    const auto problem = [](const Finding& finding) { return is_problem(finding.rule); };
    if (!is_problem(outcome) && std::ranges::none_of(life.findings, problem)) {
      emitter_.report(std::move(made), c.id);
      return outcome;
    }
    known.explain = true;  // not ordinary, after all
    life = rules_.life(c, known);
  }
  if (settings_.finding_reports) {
    for (const Finding& finding : life.findings) {
      if (open_findings_.reported(c, finding)) continue;
      emitter_.finding(c, life.ts_ns, finding);
    }
  }
  emitter_.report(std::move(made), c.id);
  return outcome;
}

// Where only the wire is seen, nothing else shows that a repeated FIN, or what a RST answers, is a connection's that is
// over.
bool LifeReports::knows_late_segments(const Connection& c) const {
  return !settings_.has_kernel && !settings_.capture && c.forwarded() == nullptr && c.ended();
}

// The verdict rests on a report that the kernel makes in the same call as what was seen. A CPU that is taken away in
// between (an emulated one, a busy host) makes it later than any settling time, but it comes.
bool LifeReports::awaits_report(const Connection& c) const {
  constexpr std::int64_t at_most_ns = 2'000'000'000;
  if (!contexts_.kernel_judges(c) || !c.ended() || now_ - c.teardown->end.ts_ns >= at_most_ns) return false;
  if (losses_.may_concern(c)) return false;
  if (reset_report_due(c)) return true;
  if (!c.anomalies || (!c.anomalies->rst_in.mark && !c.anomalies->reset_received.mark)) return false;
  const Connection* peer = contexts_.other_end(c);
  return peer != nullptr && !peer->reported && reset_end_due(*peer);
}

// The end of a socket takes its flow away, and both FINs do. Where a mini-socket ends otherwise, or a request, nothing
// does.
bool LifeReports::left_its_flow(const Connection& c) {
  if (c.forwarded() || !c.seen_by.wire) return false;
  if (c.state == TcpState::new_syn_recv) return c.ended() || c.expired;
  return c.ended() && c.teardown->mini_fin_wait2 && c.reported_as != Outcome::completed;
}

void LifeReports::delete_flow_of(const Connection& c) {
  constexpr std::size_t at_most = 4096;
  if (flows_to_delete_.size() < at_most)
    flows_to_delete_.push_back(flow_to_delete(c, c.flow, segments_of(c.wire), true));
}

void LifeReports::settled(Slot slot) {
  if (awaits_report(table_.at(slot))) {
    table_.wait(slot, Wait::late_report, now_);
  } else {
    conclude(slot);
  }
}

void LifeReports::conclude(Slot slot, const ConversationEnd* end) {
  Connection& c = table_.at(slot);
  const bool unanswered = settings_.every_interface && asked_in_vain(c);
  if (contexts_.kernel_judges(c) && only_syn_seen(c) && !listener_did_not_take(c) && !unanswered) {
    timeline_.discard(c.id);
    table_.release(slot);
    return;
  }
  c.incomplete = losses_.may_concern(c);
  const bool in_time_wait = c.state == TcpState::time_wait || (c.teardown && c.teardown->mini_fin_wait2);
  const bool knows_late = knows_late_segments(c);
  const bool one_of_too_many = selection_.wants(c) && only_half_open(c, settings_.has_kernel) && !half_open_.take(now_);
  if (one_of_too_many) {
    ++summary_.unlisted;
    if (c.forwarded() && refused_by_server(c)) crowds_.note_refused(c.teardown->end.id, now_, c.flow.reversed());
  }
  const RuleContext known = in_.context(slot, end);
  std::optional<Outcome> outcome;
  if (selection_.wants(c) && !one_of_too_many) outcome = report(slot, known);
  emitter_.decide(c, true);
  if (settings_.has_kernel) c.reported_as = outcome ? *outcome : rules_.outcome(c, known);
  c.reported = true;
  if (c.forwarded() && c.ended()) forwarded_.delete_flows_of(c);
  if (known.has_kernel && known.has_wire && left_its_flow(c)) delete_flow_of(c);
  // The other end's findings may name what happened here.
  if (known.peer == nullptr || known.peer->reported) {
    c.teardown.reset();
    c.anomalies.reset();
  }
  c.recent.reset();
  if (!c.forwarded()) c.inferred.reset();  // its hops are looked up by it
  const bool shows_more = in_time_wait && settings_.timeline && !in_.summarizes_ordinary;
  // Its life is reported; what may still come is shown alone then, if no filter of processes leaves it out. Of many the
  // newest are forgotten at once: those that are known already have the less time left, and make room.
  const bool room = table_.waiting(Wait::time_wait) < time_wait_limit;
  table_.wait(slot, (shows_more || knows_late) && room ? Wait::time_wait : Wait::tombstone, now_);
}

std::optional<Life> LifeReports::so_far_of(ConnectionId conn, TimeNs now) {
  for (Slot slot = 0; slot < table_.slots(); ++slot) {
    Connection& c = table_.at(slot);
    if (c.id != conn || !c.live || c.reported || c.ended() || !selection_.wants(c)) continue;
    c.incomplete = losses_.may_concern(c);
    RuleContext known = contexts_.of(slot, {now, true});
    known.explain = true;
    Life life = rules_.life(c, known);
    c.totals.final = c.totals.at_destruction;
    return life;
  }
  return std::nullopt;
}

void LifeReports::so_far(TimeNs now, const std::function<void(Life)>& take) {
  for (Slot slot = 0; slot < table_.slots(); ++slot) {
    Connection& c = table_.at(slot);
    if (!c.live || c.reported || c.ended() || c.forwarded() || only_half_open(c, settings_.has_kernel) ||
        !selection_.wants(c))
      continue;
    c.incomplete = losses_.may_concern(c);
    RuleContext known = contexts_.of(slot, {now, true});
    known.explain = false;
    take(rules_.life(c, known));
    c.totals.final = c.totals.at_destruction;
  }
}

}  // namespace tcpwitness
