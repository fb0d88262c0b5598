// SPDX-License-Identifier: Apache-2.0
// peer.cpp: what the other end of a connection did, where the same run follows both of them: over loopback, or between
// two namespaces.
//
// That it is the other end is settled before (Contexts::other_end): the address pair turned round, and the
// initial sequence numbers. So what its own socket shows of its end is no guess: where a finding of this end blames the
// peer, it is named, and one of its own findings is the cause.
#include <algorithm>
#include <array>
#include <utility>

#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

Outcome outcome_of(const Connection& peer, const RuleContext& context) {
  if (peer.reported) return peer.reported_as;
  RuleContext its = context;
  its.peer = nullptr;
  return judge_outcome(peer, its);
}

// What is found of the other end itself.
std::optional<Finding> own_finding(const Connection& peer, const RuleContext& context, Rule rule) {
  const auto* entry = std::ranges::find(connection_rules, rule, &ConnectionRule::rule);
  if (entry == connection_rules.end() || !has_facts(peer, entry->needs)) return std::nullopt;
  return entry->judge(peer, context, outcome_of(peer, context));
}

// Blames the peer, and which of the other end's findings can be why, the likeliest first.
struct Blame {
  Rule rule{};
  std::array<Rule, 6> because{};
  std::uint8_t count = 0;
};
constexpr Blame blames(Rule rule, std::initializer_list<Rule> because = {}) {
  Blame blame{rule, {}, 0};
  for (const Rule one : because) blame.because[blame.count++] = one;
  return blame;
}
constexpr std::array all_blames = {
    blames(Rule::slow_handshake,
           {Rule::accept_queue_full, Rule::syn_backlog_full, Rule::rx_dropped, Rule::tx_not_sent}),
    blames(Rule::retransmission,
           {Rule::accept_queue_full, Rule::syn_backlog_full, Rule::rx_dropped, Rule::bad_checksum, Rule::tx_not_sent}),
    blames(Rule::zero_window, {Rule::slow_accept}),
    blames(Rule::keepalive, {Rule::rx_dropped, Rule::tx_not_sent}),
    blames(Rule::path_dead, {Rule::rx_dropped, Rule::tx_not_sent}),
    blames(Rule::path_mtu_black_hole, {Rule::rx_dropped}),
    blames(Rule::peer_not_closing, {Rule::close_wait_stuck}),
    blames(Rule::half_open),
    blames(Rule::write_after_peer_closed),
    blames(Rule::delayed_ack_stall),
    blames(Rule::out_of_window),
    blames(Rule::old_timestamp),
};

// When a finding's facts were seen; to 0: not known.
struct Span {
  TimeNs from = 0;
  TimeNs to = 0;
};

Span span_of(const Evidence& evidence) {
  return evidence.total != 0 ? Span{evidence.first_ns, evidence.last_ns} : Span{};
}

Span both(const Span& a, const Span& b) {
  if (a.to == 0 || b.to == 0) return a.to == 0 ? b : a;
  return {std::min(a.from, b.from), std::max(a.to, b.to)};
}

Span span_of_drops(const Connection& c, bool out) {
  Span span;
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    if (seen.out == out) span = both(span, {seen.first.ts_ns, seen.last.ts_ns});
  }
  return span;
}

Span span_of(const Connection& c, Rule rule) {
  if (rule == Rule::slow_handshake) {
    const TimeNs begun = c.syn ? std::min(c.syn.ts_ns, c.start_ts_ns) : c.start_ts_ns;
    return {begun, c.handshake_ns >= 0 ? handshake_begun(c) + c.handshake_ns : c.last_ts_ns};
  }
  if (!c.anomalies) return {};
  const Anomalies& t = *c.anomalies;
  switch (rule) {
    case Rule::retransmission:
      return both(span_of(t.retransmissions.evidence), span_of(t.retransmissions.in));
    case Rule::zero_window:
      return both(span_of(t.peer_window.evidence), span_of(t.local_window.evidence));
    case Rule::keepalive:
      return span_of(t.keepalive.evidence);
    case Rule::path_dead:
    case Rule::path_mtu_black_hole: {
      const Unanswered& run =
          t.retransmissions.current.tries != 0 ? t.retransmissions.current : t.retransmissions.worst;
      return {run.sent_ns, c.last_ts_ns};
    }
    case Rule::rx_dropped:
    case Rule::bad_checksum:
      return span_of_drops(c, false);
    case Rule::tx_not_sent:
      return span_of_drops(c, true);
    case Rule::accept_queue_full:
      return both(span_of(t.queues.accept_full), span_of(t.queues.ack_full));
    case Rule::syn_backlog_full:
      return span_of(t.queues.syn_full);
    case Rule::slow_accept: {
      const TimeNs until = std::max(t.accept.unaccepted.ts_ns, t.accept.first_call.ts_ns);
      return {t.accept.since_ns != 0 ? t.accept.since_ns : until, until};
    }
    default:
      return {};
  }
}

// A cause comes first, and its effect shows within a retransmission timeout, or it lasts.
bool can_be_why(const Span& cause, const Span& effect) {
  constexpr std::int64_t timeout_ns = 3'000'000'000;
  if (cause.to == 0 || effect.to == 0) return true;
  return cause.from <= effect.to && effect.from <= cause.to + timeout_ns;
}

}  // namespace

PeerEnd peer_end(const Connection& peer) {
  Process process = peer.owner.process();
  return {peer.id, process.pid, std::move(process.comm)};
}

void name_other_end(Finding& finding, const Connection& c, const RuleContext& context) {
  if (context.peer == nullptr) return;
  const Connection& peer = *context.peer;
  const auto* blame = std::ranges::find(all_blames, finding.rule, &Blame::rule);
  if (blame == all_blames.end()) return;
  finding.peer = peer_end(peer);
  if (peer.incomplete) return;
  RuleContext its = context;
  its.peer = nullptr;
  for (std::uint8_t i = 0; i < blame->count; ++i) {
    const auto why = own_finding(peer, its, blame->because[i]);
    if (!why || why->confidence == Confidence::inconclusive) continue;
    if (!can_be_why(span_of(peer, blame->because[i]), span_of(c, finding.rule))) continue;
    finding.evidence.insert(finding.evidence.end(), why->evidence.begin(), why->evidence.end());
    finding.more_evidence += why->more_evidence;
    finding.because.push_back(*why);
    return;
  }
}

bool peer_sent_reset(const Connection& peer, const RuleContext& context) {
  const Outcome outcome = outcome_of(peer, context);
  return outcome == Outcome::reset_by_local || outcome == Outcome::aborted || outcome == Outcome::keepalive_timeout;
}

arguments::Reset reset_by_peer(const Connection& peer, const RuleContext& context) {
  const Outcome outcome = outcome_of(peer, context);
  arguments::Reset found{.how = arguments::Reset::How::other_end, .other = peer.owner.named(), .other_conn = peer.id};
  found.other_gave_up = outcome == Outcome::keepalive_timeout;
  const bool request = peer.teardown && peer.teardown->end_from == TcpState::new_syn_recv;
  const bool answers = peer.anomalies && peer.anomalies->reset_sent.mark && peer.anomalies->reset_sent.answers_segment;
  found.other_gave_request_up = answers && request;
  found.other_answered = answers && !request;
  found.other_died = outcome == Outcome::aborted;
  if (peer.has_cb() && unread_data(peer.cb)) {
    const std::uint32_t fin = fin_received(peer.cb) ? 1 : 0;
    found.unread_bytes = peer.cb.rcv_nxt - fin - peer.cb.copied_seq;
  }
  return found;
}

}  // namespace tcpwitness
