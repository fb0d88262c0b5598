// SPDX-License-Identifier: Apache-2.0
// reset_origin.cpp: who sent the RST: the local process, the local kernel, something else here, or the peer.
//
// A RST at egress that no socket sent, for a connection whose socket is alive and whose kernel
// reported no reset, came from neither TCP: a firewall.
#include <initializer_list>
#include <optional>
#include <utility>

#include "facts/derived.hpp"
#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {

namespace {

// Of what ended otherwise no RST was the end.
bool may_be_reset(Outcome outcome) {
  switch (outcome) {
    case Outcome::completed:
    case Outcome::connect_timeout:
    case Outcome::connect_unsent:
    case Outcome::connect_ignored:
    case Outcome::connect_cancelled:
    case Outcome::no_local_port:
    case Outcome::unreachable:
    case Outcome::fin_wait2_timeout:
    case Outcome::syn_dropped:
      return false;
    default:
      return true;
  }
}

using ResetHow = arguments::Reset::How;

// With those of the marks that there are as its evidence.
Finding reset_finding(std::optional<ResetOrigin> origin, std::initializer_list<Mark> evidence) {
  Finding finding;
  finding.rule = Rule::reset_origin;
  finding.reset = origin;
  for (const Mark& mark : evidence) {
    if (mark) finding.evidence.push_back(mark.id);
  }
  return finding;
}

// The other end refuses by a rule what came for it from here.
Finding firewall_between(const Connection& c, const Connection& peer, const DropSeen& refused) {
  Finding finding =
      reset_finding(ResetOrigin::firewall, {peer.anomalies->rst_out.mark, c.anomalies->rst_in.mark, refused.first});
  finding.confidence = Confidence::certain;
  finding.peer = peer_end(peer);
  finding.arguments =
      arguments::Reset{.how = ResetHow::firewall_between, .process = c.owner.named(), .other = peer.owner.named()};
  return finding;
}

// A rule of this machine drops what the connection sent, and answers it.
Finding own_firewall(const Connection& c, const RuleContext& context, bool refusal, const DropSeen& refused) {
  const Anomalies& t = *c.anomalies;
  Finding finding = reset_finding(ResetOrigin::firewall, {t.rst_in.mark, t.reset_received.mark, refused.first});
  // What a rule in OUTPUT drops and refuses by a RST never reached the peer.
  const bool unsent = refusal && syns_never_left(c, context);
  // The address is this machine's own, and TCP never had the SYN.
  const bool arrived = refusal && is_on_arrival(c, &refused);
  finding.confidence = unsent || arrived ? Confidence::certain : Confidence::likely;
  finding.arguments = arguments::Reset{.how = arrived  ? ResetHow::firewall_on_arrival
                                              : unsent ? ResetHow::firewall_on_every_syn
                                                       : ResetHow::firewall_probably};
  return finding;
}

// The other end's RST left when the one that came in here had come: that was another one's.
bool left_later(const Connection& peer, const Mark& came_in) {
  return peer.anomalies && came_in && peer.anomalies->rst_out.mark.ts_ns > came_in.ts_ns;
}

std::optional<Finding> came_from_peer(const Connection& c, const RuleContext& context, bool refusal) {
  const Anomalies& t = *c.anomalies;
  if (!t.rst_in.mark && !t.reset_received.mark) return std::nullopt;
  Finding finding = reset_finding(ResetOrigin::peer, {t.rst_in.mark, t.reset_received.mark});
  if (context.peer != nullptr && peer_sent_reset(*context.peer, context) && !left_later(*context.peer, t.rst_in.mark)) {
    finding.confidence = Confidence::certain;
    finding.peer = peer_end(*context.peer);
    finding.arguments = reset_by_peer(*context.peer, context);
    return finding;
  }
  if (t.answered_here.mark && !t.answered_here.has_socket) {
    finding.evidence.push_back(t.answered_here.mark.id);
    finding.confidence = Confidence::certain;
    finding.reset = ResetOrigin::kernel;
    finding.arguments = arguments::Reset{.how = ResetHow::nobody_here,
                                         .refused = refusal,
                                         .reason = reset_reason_text(context.names, t.answered_here.reason),
                                         .remote = c.flow.remote};
    return finding;
  }
  if (const DropSeen* refused = refused_by_own_firewall(c, context)) return own_firewall(c, context, refusal, *refused);
  // What is on the way can send in the peer's name. Two things that agree are no proof of the sender.
  finding.confidence = Confidence::likely;
  ResetHow how = ResetHow::came_in;
  if (!t.rst_in.mark) how = context.has_wire ? ResetHow::taken_unseen : ResetHow::taken;
  if (ttl_differs(c)) {
    // Not more than a suspicion while the peer is silent: a firewall or a load balancer in its place resets so too.
    finding.confidence = c.from_peer.ttl_twice && context.has_kernel ? Confidence::likely : Confidence::inconclusive;
    how = ResetHow::other_ttl;
  }
  finding.arguments =
      arguments::Reset{.how = how, .remote = c.flow.remote, .ttl = t.rst_in.ttl, .usual_ttl = c.from_peer.ttl};
  return finding;
}

Finding firewall_by_loopback(const Connection& c, const RuleContext& context) {
  const Anomalies& t = *c.anomalies;
  // That a firewall is behind it is sure where the kernel reports what the firewall did, at that moment, to a segment.
  const DropSeen* refused = refused_by_own_firewall(c, context);
  Finding finding = reset_finding(ResetOrigin::firewall, {t.rst_in.mark, t.reset_received.mark});
  finding.confidence = refused != nullptr ? Confidence::certain : Confidence::likely;
  if (refused != nullptr) finding.evidence.push_back(nearest(*refused, t.rst_in.mark));
  finding.arguments = arguments::Reset{.how = ResetHow::firewall_by_loopback};
  return finding;
}

// A socket that breaks off sends a RST with ACK and its newest number: nothing from there on has left before. One that
// refuses payload has the number that this payload acknowledges, and comes within a round trip.
bool may_answer_payload(const Connection& c) {
  constexpr std::int64_t moment_ns = 40'000'000;
  const Anomalies& t = *c.anomalies;
  if ((t.rst_in.flags & tcp_flag::ack) != 0) return false;
  if (!t.reset_received.mark) return true;  // when payload last left is not known
  const std::int64_t sent_ns = std::int64_t{t.reset_received.sent_ms} * 1'000'000;
  return sent_ns <= std::int64_t{c.cb.srtt_us} * 4'000 + moment_ns;
}

Finding came_from_outsider(const Connection& c, const RuleContext& context) {
  const Anomalies& t = *c.anomalies;
  Finding finding = reset_finding(ResetOrigin::outsider, {t.rst_in.mark, t.reset_received.mark, t.outsider.goes_on});
  // What comes at once may have been on its way already, over a slower path than the RST: if that is an answer.
  const bool behind = t.outsider.paused || !may_answer_payload(c);
  const bool proved = c.from_peer.ttl_twice && context.has_kernel && behind;
  finding.confidence = proved ? Confidence::certain : Confidence::likely;
  finding.arguments = arguments::Reset{.how = ResetHow::outsider,
                                       .remote = c.flow.remote,
                                       .ttl = t.rst_in.ttl,
                                       .usual_ttl = c.from_peer.ttl,
                                       .later_ns = t.outsider.goes_on.ts_ns - t.rst_in.mark.ts_ns};
  return finding;
}

// A RST left that no socket sent. Rests on the kernel not having reported one: never more than likely, unless it
// reports what the firewall did with the segment that the RST answers.
Finding firewall_here(const Connection& c, const RuleContext& context) {
  const Anomalies& t = *c.anomalies;
  const DropSeen* refused = refused_by_input(c, context);
  Finding finding = reset_finding(ResetOrigin::firewall, {t.reset_sent.mark, t.rst_out.mark});
  finding.confidence = refused != nullptr ? Confidence::certain : Confidence::likely;
  if (refused != nullptr) finding.evidence.push_back(nearest(*refused, t.rst_out.mark));
  finding.arguments =
      arguments::Reset{.how = refused != nullptr ? ResetHow::firewall_here_dropped : ResetHow::firewall_here};
  return finding;
}

// This side's TCP: for its process, or by itself.
Finding sent_here(const Connection& c, const RuleContext& context, Outcome outcome) {
  const Anomalies& t = *c.anomalies;
  const ResetReason reason = reset_reason(context.names, t.reset_sent.reason);
  const bool process = !t.reset_sent.answers_segment && reason != ResetReason::keepalive_timeout && c.teardown &&
                       reason != ResetReason::abort_on_memory && actor_owned(c.teardown->end_actor);
  const bool by_process = process || (reason != ResetReason::keepalive_timeout && destroyed_by_other(c));
  // Of a capture "this side" may be something on the way from it.
  std::optional<ResetOrigin> origin;
  if (context.conversation == nullptr) origin = by_process ? ResetOrigin::process : ResetOrigin::kernel;
  Finding finding = reset_finding(origin, {t.reset_sent.mark, t.rst_out.mark});
  finding.confidence = t.reset_sent.mark ? Confidence::certain : Confidence::likely;
  arguments::Reset sent{.how = ResetHow::this_tcp, .process = closer_of(c).named()};
  if (t.reset_sent.mark) sent.reason = reset_reason_text(context.names, t.reset_sent.reason);
  if (reason == ResetReason::keepalive_timeout) {
    sent.how = ResetHow::keepalive_gave_up;
  } else if (reason == ResetReason::abort_on_memory) {
    sent.how = ResetHow::no_room_for_orphan;
  } else if (closed_with_listener(c, context)) {
    sent.how = ResetHow::listener_closed;
    sent.of_closer = only_closer_known(c);
    if (!sent.of_closer) sent.process = c.owner.named();
    sent.by_another = listener_ended_by_another(c);
  } else if (destroyed_by_other(c)) {
    sent.how = ResetHow::destroyed;
  } else if (process) {
    sent.how = outcome == Outcome::aborted ? ResetHow::process_died : ResetHow::process_closed;
  } else if (context.conversation != nullptr) {
    sent.how = ResetHow::this_side;
  }
  finding.arguments = std::move(sent);
  return finding;
}

}  // namespace

std::optional<Finding> judge_reset_origin(const Connection& c, const RuleContext& context, Outcome outcome) {
  if (!may_be_reset(outcome)) return std::nullopt;
  const Anomalies& t = *c.anomalies;
  const DropSeen* between = context.peer != nullptr ? refused_by_input(*context.peer, context) : nullptr;
  if (between != nullptr && (t.rst_in.mark || t.reset_received.mark))
    return firewall_between(c, *context.peer, *between);
  const bool refusal = outcome == Outcome::refused;
  const bool by_this_tcp = c.role == Role::passive && t.reset_sent.mark;
  const bool refused_here = refusal && (by_this_tcp || refused_by_input(c, context) != nullptr);
  if (outcome == Outcome::reset_by_peer || (refusal && !refused_here)) return came_from_peer(c, context, refusal);
  if (outcome == Outcome::reset_by_local && reset_made_here(c)) return firewall_by_loopback(c, context);
  if (outcome == Outcome::reset_by_outsider) return came_from_outsider(c, context);
  if (!t.reset_sent.mark && !t.rst_out.mark) return std::nullopt;
  const bool firewall = !t.reset_sent.mark && t.rst_out.socket_type == SocketKind::none;
  if (firewall) return context.has_kernel ? std::optional(firewall_here(c, context)) : std::nullopt;
  if (outcome == Outcome::open || keepalive_unsent(c, context)) return std::nullopt;
  return sent_here(c, context, outcome);
}

}  // namespace tcpwitness
