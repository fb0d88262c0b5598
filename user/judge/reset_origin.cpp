// SPDX-License-Identifier: Apache-2.0
// reset_origin.cpp: who sent the RST: the local process, the local kernel, something else here, or the peer.
//
// A RST at egress that no socket sent, for a connection whose socket is alive and whose kernel
// reported no reset, came from neither TCP: a firewall.
#include <fmt/format.h>

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
  const ResetReason reason = reset_reason(context.names, t.reset_sent.reason);
  const std::string said =
      context.texts && t.reset_sent.mark ? reset_reason_text(context.names, t.reset_sent.reason) : "";
  const std::string why = said.empty() ? "" : fmt::format(" (the kernel says {})", said);

  const DropSeen* between = context.peer != nullptr ? refused_by_input(*context.peer, context) : nullptr;
  if (between != nullptr && (t.rst_in.mark || t.reset_received.mark)) {
    cite(context.peer->anomalies->rst_out.mark);
    cite(t.rst_in.mark);
    finding.evidence.push_back(between->first.id);
    finding.confidence = Confidence::certain;
    finding.reset = ResetOrigin::firewall;
    finding.peer = peer_end(*context.peer);
    if (context.texts) {
      finding.text = fmt::format("a local firewall sent the RST, not {}: it dropped what {} had sent",
                                 process_words(context.peer->owner), process_words(c.owner));
    }
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
      if (context.texts) finding.text = peer_reset_words(*context.peer, context);
      return finding;
    }
    if (t.answered_here.mark && !t.answered_here.has_socket) {
      cite(t.answered_here.mark);
      finding.confidence = Confidence::certain;
      finding.reset = ResetOrigin::kernel;
      const std::string its_reason = context.texts ? reset_reason_text(context.names, t.answered_here.reason) : "";
      if (context.texts) {
        finding.text = fmt::format("this machine's own TCP sent the RST: {} {}{}",
                                   outcome == Outcome::refused ? "nothing listens on" : "no socket is left at",
                                   to_string(c.flow.remote),
                                   its_reason.empty() ? "" : fmt::format(" (the kernel says {})", its_reason));
      }
      return finding;
    }
    // What is on the way can send in the peer's name. Two things that agree are no proof of the sender.
    finding.confidence = Confidence::likely;
    if (context.texts) {
      finding.text = t.rst_in.mark ? "the RST came from the peer, or from something on the way in its name"
                                   : "the kernel took a reset from the peer; the wire did not show it";
      if (!context.has_wire && !t.rst_in.mark) finding.text = "the kernel took a reset from the peer";
    }
    // What a rule in OUTPUT drops and refuses by a RST never reached the peer.
    if (const DropSeen* refused = refused_by_own_firewall(c, context); refused != nullptr) {
      const bool unsent = outcome == Outcome::refused && syns_never_left(c, context);
      // The address is this machine's own, and TCP never had the SYN.
      const bool arrived = outcome == Outcome::refused && is_on_arrival(c, refused);
      finding.confidence = unsent || arrived ? Confidence::certain : Confidence::likely;
      finding.reset = ResetOrigin::firewall;
      finding.evidence.push_back(refused->first.id);
      if (context.texts) {
        finding.text = arrived ? "a local firewall sent the RST in the peer's place: it dropped the SYN that arrived"
                       : unsent
                           ? "a local firewall sent the RST in the peer's place: it dropped every SYN on its way out"
                           : "a local firewall dropped what this side sent, and probably sent the RST in the peer's "
                             "place";
      }
      return finding;
    }
    if (foreign_hops(c)) {
      // Not more than a suspicion while the peer is silent: a firewall or a load balancer in its place resets so too.
      finding.confidence = c.ttl_in_twice && context.has_kernel ? Confidence::likely : Confidence::inconclusive;
      if (context.texts) {
        finding.text =
            fmt::format("the RST came with TTL {}, all else from {} with {}: perhaps something on the way sent it",
                        t.rst_in.ttl, to_string(c.flow.remote), c.ttl_in);
      }
    }
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
    if (context.texts) {
      finding.text =
          "a firewall of this machine sent the RST in the peer's place: it came in on the loopback interface, "
          "all else from the peer on another";
    }
    return finding;
  }
  if (outcome == Outcome::reset_by_outsider) {
    cite(t.rst_in.mark);
    cite(t.reset_received.mark);
    cite(t.outsider.goes_on);
    finding.reset = ResetOrigin::outsider;
    finding.confidence = c.ttl_in_twice && context.has_kernel ? Confidence::certain : Confidence::likely;
    if (context.texts) {
      finding.text = fmt::format(
          "an outsider sent the RST, not the peer's TCP: it came with TTL {}, all else from {} with {}, and {} later "
          "that "
          "went on sending",
          t.rst_in.ttl, to_string(c.flow.remote), c.ttl_in, seconds(t.outsider.goes_on.ts_ns - t.rst_in.mark.ts_ns));
    }
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
    if (context.texts) finding.text = "no socket of this machine sent the RST: a local firewall did";
    // Unless the kernel says what the firewall did with the segment that the RST answers.
    const DropSeen* refused = dropped_for(c, context, false, DropKind::firewall);
    if (refused != nullptr) {
      finding.confidence = Confidence::certain;
      finding.evidence.push_back(refused->first.id);
      if (context.texts) finding.text += ", which dropped what the peer had sent";
    }
    return finding;
  }
  finding.confidence = t.reset_sent.mark ? Confidence::certain : Confidence::likely;
  const bool process = !t.reset_sent.answers_segment && reason != ResetReason::keepalive_timeout && c.teardown &&
                       actor_owned(c.teardown->end_actor);
  const bool by_process = process || (reason != ResetReason::keepalive_timeout && destroyed_by_other(c));
  // Of a capture "this side" may be something on the way from it.
  if (context.conversation == nullptr) finding.reset = by_process ? ResetOrigin::process : ResetOrigin::kernel;
  if (!context.texts) return finding;
  if (reason == ResetReason::keepalive_timeout) {
    finding.text = fmt::format("this machine's TCP sent the RST: keep-alive gave up{}", why);
  } else if (destroyed_by_other(c)) {
    finding.text =
        fmt::format("another process destroyed the socket (as ss -K does), so this machine sent a RST{}", why);
  } else if (process && outcome == Outcome::aborted) {
    finding.text =
        fmt::format("{} died with unread data, so its kernel sent a RST{}", process_words(closer_of(c)), why);
  } else if (process) {
    finding.text = fmt::format("{} closed in a way that sends a RST{}", process_words(closer_of(c)), why);
  } else if (context.conversation != nullptr) {
    finding.text = "the RST came from this side (or something on the way from it)";
  } else {
    finding.text = fmt::format("this machine's TCP sent the RST{}", why);
  }
  return finding;
}

}  // namespace tcpwitness
