// SPDX-License-Identifier: Apache-2.0
// life.cpp: everything that is reported of a connection when it is over, put together.
//
// Here a gap takes certainty away from all findings of the connection that it overlaps; so does forwarded.cpp.
#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <span>

#include "judge/judge.hpp"
#include "judge/rules.hpp"
#include "tcpwitness/ending.hpp"

namespace tcpwitness {
namespace {

std::vector<Finding> findings_of(const Connection& c, const RuleContext& context, Outcome outcome) {
  std::vector<Finding> findings;
  const auto rules = c.anomalies ? std::span<const ConnectionRule>(connection_rules) : rules_without_anomalies;
  for (const ConnectionRule& each : rules) {
    if (!has_facts(c, each.needs)) continue;
    std::optional<Finding> finding = each.judge(c, context, outcome);
    if (!finding) continue;
    name_other_end(*finding, c, context);
    if (c.incomplete) {
      finding->confidence = Confidence::inconclusive;
      for (Finding& cause : finding->because) cause.confidence = Confidence::inconclusive;
    }
    findings.push_back(std::move(*finding));
  }
  return findings;
}

}  // namespace

std::uint32_t retransmitted_segments(const Connection& c) {
  const std::uint32_t by_events = c.anomalies ? c.anomalies->retransmissions.kernel : 0;
  if (c.seen_by.kernel) return std::max(c.has_cb() ? c.cb.total_retrans : 0, by_events);
  return c.anomalies ? c.anomalies->loss.retrans_segs_out : 0;
}

bool wire_complete(const Connection& c) {
  // The socket has received more segments than the wire showed: some had headers that nobody could follow.
  const bool missed = c.has_cb() && c.cb.segs_in > c.wire.segs_in;
  const bool whole =
      c.totals.final && !c.totals.restarted && !c.totals.has_fragments && !c.opening.preexisting && !missed;
  if (!whole || !counted_to_the_end(c)) return false;
  if (!c.opening.established) return true;
  return c.syn && c.opening.answered && c.wire.segs_in != 0 && c.wire.segs_out != 0;
}

namespace {

// What a capture holds of the connection, counted to the last frame.
void add_conversation(Life& life, const Connection& c, const ConversationTotals& totals) {
  life.conversation = totals;
  life.tx_bytes = totals.out.sequence_bytes;
  life.rx_bytes = totals.in.sequence_bytes;
  life.retransmits = totals.out.sent_again();
  life.retransmits_in = totals.in.sent_again();
  life.out_of_order_in = totals.in.late();
  life.out_of_order_out = totals.out.late();
  const bool whole = c.syn && c.opening.answered && c.ended();
  const bool gaps = totals.out.missing_bytes != 0 || totals.in.missing_bytes != 0;
  life.wire = WireTotals{totals.out.payload_bytes, totals.in.payload_bytes, totals.out.frames, totals.in.frames,
                         whole && !gaps};
  if (!c.inferred) return;
  const bool payload = totals.out.sequence_bytes != 0 || totals.in.sequence_bytes != 0;
  life.zeek_state = c.inferred->zeek.word(totals.out.frames != 0, totals.in.frames != 0, payload);
}

// When it was over. The end is the last transition: of the mini-socket too, but its waiting in TIME_WAIT is no part of
// the duration.
TimeNs end_of(const Connection& c, const RuleContext& context, Outcome outcome) {
  // The newest SYN, or what refused it, whenever the run ends.
  const bool refused = outcome == Outcome::refused || outcome == Outcome::unreachable;
  if (outcome == Outcome::syn_dropped || (refused && !c.ended())) return c.last_ts_ns;
  if (outcome == Outcome::fin_wait2_timeout && c.teardown->mini_fin_wait2)
    return c.teardown->end.ts_ns + c.teardown->fin_timeout_ns;
  // A mini-socket in FIN_WAIT2 is open still, although the socket has ended.
  const bool open = !c.ended() || outcome == Outcome::open;
  if (open && context.finished && context.conversation == nullptr) return std::max(context.now, c.last_ts_ns);
  return c.ended() ? std::max({c.teardown->end.ts_ns, c.teardown->time_wait.ts_ns, c.start_ts_ns}) : c.last_ts_ns;
}

// The errno that its process gets.
std::optional<int> error_of(const Connection& c, Outcome outcome) {
  if (outcome == Outcome::no_local_port) return EADDRNOTAVAIL;
  // What is set on a socket that its process has closed (SOCK_DEAD) reaches nobody.
  const bool orphan = c.ended() && c.has_cb() && is_orphaned(c.cb);
  if (c.error != 0 && !orphan) return c.error;
  // What SO_ERROR returned (sk_err_soft) before the process gave up.
  const bool by_message =
      outcome == Outcome::unreachable || outcome == Outcome::refused || outcome == Outcome::connect_unsent;
  const bool asked = c.role != Role::passive && c.seen_by.kernel;
  const IcmpMessage* icmp = by_message && asked ? icmp_behind(c) : nullptr;
  if (icmp == nullptr) return std::nullopt;
  return icmp->error;
}

void count(Life& life, const Connection& c) {
  life.tx_bytes = newest_sent_payload(c);
  life.rx_bytes = newest_received_payload(c);
  life.retransmits = retransmitted_segments(c);
  if (c.has_cb() && c.cb.srtt_us != 0) life.srtt_us = c.cb.srtt_us;
  if (!c.seen_by.wire) return;
  const LossCounters loss = c.anomalies ? c.anomalies->loss : LossCounters{};
  life.retransmits_in = loss.retrans_segs_in;
  life.duplicates_in = loss.duplicate_segs_in;
  life.out_of_order_in = loss.reordered_segs_in;
  life.out_of_order_out = loss.reordered_segs_out;
  life.wire = WireTotals{c.wire.bytes_out, c.wire.bytes_in, c.wire.segs_out, c.wire.segs_in, wire_complete(c)};
}

}  // namespace

std::vector<Finding> judge_findings(const Connection& c, const RuleContext& context) {
  const Outcome outcome = judge_outcome(c, context);
  return c.forwarded() ? forwarded_findings(c, context, outcome) : findings_of(c, context, outcome);
}

Life judge_life(const Connection& c, const RuleContext& context) {
  Life life;
  life.conn = c.id;
  life.start_ts_ns = c.start_ts_ns;
  life.outcome = judge_outcome(c, context);
  life.ts_ns = end_of(c, context, life.outcome);
  life.duration_ns = life.ts_ns - life.start_ts_ns;
  life.flow = c.flow;
  life.nat = c.on_the_wire();
  life.role = c.role;
  life.process = c.owner.process();
  life.netns = c.netns;
  life.error = error_of(c, life.outcome);
  life.closed_by = judge_closed_by(c, context, life.outcome);
  if (!c.forwarded() && life.outcome == Outcome::refused && refused_by_own_firewall(c, context) != nullptr)
    life.closed_by = ClosedBy::local;
  life.preexisting = c.opening.preexisting;
  life.has_kernel = c.seen_by.kernel;
  life.has_wire = c.seen_by.wire;
  life.incomplete = c.incomplete;
  if (c.handshake_ns >= 0) life.handshake_ns = c.handshake_ns;
  count(life, c);
  if (context.conversation != nullptr) add_conversation(life, c, *context.conversation);
  if (c.inferred)
    life.peer_states.assign(c.inferred->peer_states.begin(), c.inferred->peer_states.begin() + c.inferred->peer_count);
  life.states = StateList(std::span(c.states).first(c.state_count));
  life.phases = judge_phases(c, context, life.ts_ns);
  if (context.measures != nullptr) life.comparison = compare(c, context);
  if (context.peer != nullptr) life.peer = peer_end(*context.peer);
  if (c.forwarded()) {
    life.forwarded = forwarded_hops(c, context);
    life.findings = forwarded_findings(c, context, life.outcome);
    if (context.explain) life.ending = std::make_shared<const Ending>(judge_forwarded_ending(c, life.outcome));
    return life;
  }
  life.findings = findings_of(c, context, life.outcome);
  if (context.explain) life.ending = std::make_shared<const Ending>(judge_ending(c, context, life));
  return life;
}

}  // namespace tcpwitness
