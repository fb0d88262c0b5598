// SPDX-License-Identifier: Apache-2.0
// reset_origin.cpp: who sent the RST: the local process, the local kernel, something else here, or the peer.
//
// A RST at egress that no socket sent, for a connection whose socket is alive and whose kernel
// reported no reset, came from neither TCP: a firewall.
#include <utility>

#include "facts/derived.hpp"
#include "judge/judge.hpp"

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

}  // namespace

std::optional<Finding> judge_reset_origin(const Connection& c, const RuleContext& context, Outcome outcome) {
  if (!may_be_reset(outcome)) return std::nullopt;
  const Anomalies& t = *c.anomalies;
  if (!context.has_kernel && outcome == Outcome::completed) return std::nullopt;  // the RST changed nothing
  Finding finding;
  finding.rule = Rule::reset_origin;
  const auto cite = [&](const Mark& mark) {
    if (mark) finding.evidence.push_back(mark.id);
  };
  using How = arguments::Reset::How;
  const ResetReason reason = reset_reason(context.names, t.reset_sent.reason);
  const DropSeen* between = context.peer != nullptr ? refused_by_input(*context.peer, context) : nullptr;
  if (between != nullptr && (t.rst_in.mark || t.reset_received.mark)) {
    cite(context.peer->anomalies->rst_out.mark);
    cite(t.rst_in.mark);
    finding.evidence.push_back(between->first.id);
    finding.confidence = Confidence::certain;
    finding.reset = ResetOrigin::firewall;
    finding.peer = peer_end(*context.peer);
    finding.arguments = arguments::Reset{
        .how = How::firewall_between, .process = c.owner.named(), .other = context.peer->owner.named()};
    return finding;
  }
  const bool refused_here = outcome == Outcome::refused && refused_by_input(c, context) != nullptr;
  if (outcome == Outcome::reset_by_peer || (outcome == Outcome::refused && !refused_here)) {
    if (!t.rst_in.mark && !t.reset_received.mark) return std::nullopt;
    cite(t.rst_in.mark);
    cite(t.reset_received.mark);
    finding.reset = ResetOrigin::peer;
    if (context.peer != nullptr && peer_sent_reset(*context.peer, context)) {
      finding.confidence = Confidence::certain;
      finding.peer = peer_end(*context.peer);
      finding.arguments = reset_by_peer(*context.peer, context);
      return finding;
    }
    if (t.answered_here.mark && !t.answered_here.has_socket) {
      cite(t.answered_here.mark);
      finding.confidence = Confidence::certain;
      finding.reset = ResetOrigin::kernel;
      finding.arguments = arguments::Reset{.how = How::nobody_here,
                                           .refused = outcome == Outcome::refused,
                                           .reason = reset_reason_text(context.names, t.answered_here.reason),
                                           .remote = c.flow.remote};
      return finding;
    }
    // What is on the way can send in the peer's name. Two things that agree are no proof of the sender.
    finding.confidence = Confidence::likely;
    How how = How::came_in;
    if (!t.rst_in.mark) how = context.has_wire ? How::taken_unseen : How::taken;
    // What a rule in OUTPUT drops and refuses by a RST never reached the peer.
    if (const DropSeen* refused = refused_by_own_firewall(c, context); refused != nullptr) {
      const bool unsent = outcome == Outcome::refused && syns_never_left(c, context);
      // The address is this machine's own, and TCP never had the SYN.
      const bool arrived = outcome == Outcome::refused && is_on_arrival(c, refused);
      finding.confidence = unsent || arrived ? Confidence::certain : Confidence::likely;
      finding.reset = ResetOrigin::firewall;
      finding.evidence.push_back(refused->first.id);
      how = arrived ? How::firewall_on_arrival : unsent ? How::firewall_on_every_syn : How::firewall_probably;
      finding.arguments = arguments::Reset{.how = how};
      return finding;
    }
    if (foreign_hops(c)) {
      // Not more than a suspicion while the peer is silent: a firewall or a load balancer in its place resets so too.
      finding.confidence = c.from_peer.ttl_twice && context.has_kernel ? Confidence::likely : Confidence::inconclusive;
      how = How::other_ttl;
    }
    finding.arguments =
        arguments::Reset{.how = how, .remote = c.flow.remote, .ttl = t.rst_in.ttl, .usual_ttl = c.from_peer.ttl};
    return finding;
  }
  if (outcome == Outcome::reset_by_local && reset_made_here(c)) {
    cite(t.rst_in.mark);
    cite(t.reset_received.mark);
    // That a firewall is behind it is sure where the kernel reports what the firewall did to the segment before.
    const DropSeen* refused = dropped_for(c, context, true, DropKind::firewall);
    finding.confidence = refused != nullptr ? Confidence::certain : Confidence::likely;
    finding.reset = ResetOrigin::firewall;
    if (refused != nullptr) finding.evidence.push_back(refused->first.id);
    finding.arguments = arguments::Reset{.how = How::firewall_by_loopback};
    return finding;
  }
  if (outcome == Outcome::reset_by_outsider) {
    cite(t.rst_in.mark);
    cite(t.reset_received.mark);
    cite(t.outsider.goes_on);
    finding.reset = ResetOrigin::outsider;
    finding.confidence = c.from_peer.ttl_twice && context.has_kernel ? Confidence::certain : Confidence::likely;
    finding.arguments = arguments::Reset{.how = How::outsider,
                                         .remote = c.flow.remote,
                                         .ttl = t.rst_in.ttl,
                                         .usual_ttl = c.from_peer.ttl,
                                         .later_ns = t.outsider.goes_on.ts_ns - t.rst_in.mark.ts_ns};
    return finding;
  }
  if (!t.reset_sent.mark && !t.rst_out.mark) return std::nullopt;
  cite(t.reset_sent.mark);
  cite(t.rst_out.mark);
  const bool firewall = !t.reset_sent.mark && t.rst_out.mark && t.rst_out.socket_type == SocketKind::none;
  if (outcome == Outcome::open && !firewall) return std::nullopt;
  if (firewall) {
    // Rests on the kernel not having said anything: never more than likely.
    if (!context.has_kernel) return std::nullopt;
    finding.confidence = Confidence::likely;
    finding.reset = ResetOrigin::firewall;
    // Unless the kernel says what the firewall did with the segment that the RST answers.
    const DropSeen* refused = refused_by_input(c, context);
    if (refused != nullptr) {
      finding.confidence = Confidence::certain;
      finding.evidence.push_back(refused->first.id);
    }
    finding.arguments = arguments::Reset{.how = refused != nullptr ? How::firewall_here_dropped : How::firewall_here};
    return finding;
  }
  finding.confidence = t.reset_sent.mark ? Confidence::certain : Confidence::likely;
  const bool process = !t.reset_sent.answers_segment && reason != ResetReason::keepalive_timeout && c.teardown &&
                       actor_owned(c.teardown->end_actor);
  const bool by_process = process || (reason != ResetReason::keepalive_timeout && destroyed_by_other(c));
  // Of a capture "this side" may be something on the way from it.
  if (context.conversation == nullptr) finding.reset = by_process ? ResetOrigin::process : ResetOrigin::kernel;
  arguments::Reset found{.how = How::this_tcp, .process = closer_of(c).named()};
  if (t.reset_sent.mark) found.reason = reset_reason_text(context.names, t.reset_sent.reason);
  if (reason == ResetReason::keepalive_timeout) {
    found.how = How::keepalive_gave_up;
  } else if (destroyed_by_other(c)) {
    found.how = How::destroyed;
  } else if (process) {
    found.how = outcome == Outcome::aborted ? How::process_died : How::process_closed;
  } else if (context.conversation != nullptr) {
    found.how = How::this_side;
  }
  finding.arguments = std::move(found);
  return finding;
}

}  // namespace tcpwitness
