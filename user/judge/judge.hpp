// SPDX-License-Identifier: Apache-2.0
// judge.hpp: what is judged of a connection, and what several rules (rules.hpp) ask.
//
// A rule reads facts and never events; it finds nothing where its facts are missing, and what it finds
// is never more certain because something was not seen. `incomplete` (a gap overlaps the
// connection's life) makes every finding inconclusive: judge_findings(), and judge_forwarded() of what passes through.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "facts/connection.hpp"
#include "facts/crowd.hpp"
#include "facts/derived.hpp"
#include "facts/measures.hpp"
#include "facts/payload.hpp"
#include "facts/reasons.hpp"
#include "facts/rules.hpp"
#include "facts/stray.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

namespace endings {
struct Message;
}

// comparison.cpp
[[nodiscard]] Comparison compare(const Connection& c, const RuleContext& context);

// phases.cpp
[[nodiscard]] Phases judge_phases(const Connection& c, const RuleContext& context, TimeNs end_ns);

// outcome.cpp
[[nodiscard]] Outcome judge_outcome(const Connection& c, const RuleContext& context);
[[nodiscard]] ClosedBy judge_closed_by(const Connection& c, const RuleContext& context, Outcome outcome);
// Of a capture: it holds one direction only, as where the other one takes another way.
[[nodiscard]] bool captured_one_way(const RuleContext& context);
// This side sent a RST: reported by the kernel, or sent by the socket itself on the wire.
[[nodiscard]] bool reset_sent(const Connection& c);
// Ended by its process while in TCP_REPAIR: the kernel sends nothing then.
[[nodiscard]] bool ended_in_repair(const Connection& c);
// sock_destroy (`ss -K`) by a process that is not the owner.
[[nodiscard]] bool destroyed_by_other(const Connection& c);

// icmp.cpp: what an ICMP message did to the connection
// The message that the end of the connection rests on: TCP put it on the error queue, or its error is the socket's.
[[nodiscard]] const IcmpMessage* icmp_behind(const Connection& c);
// Wire alone: the newest error of the path that came for an attempt which nothing else has answered.
[[nodiscard]] const IcmpMessage* path_error_of_attempt(const Connection& c);
[[nodiscard]] endings::Message message_of(const Connection& c, const IcmpMessage& icmp);

// unsent.cpp: what became of a connect() that timed out or found no way
// SYNs that the kernel says did not leave; 0 without a report of such a drop.
[[nodiscard]] std::uint32_t unsent_syns(const Connection& c, const RuleContext& context);
[[nodiscard]] bool syns_never_left(const Connection& c, const RuleContext& context);
// The kernel's own message that an IPv6 neighbour does not answer; nullptr: none.
[[nodiscard]] const Mark* no_neighbour(const Connection& c, const RuleContext& context);
// Who listened; where that is not known (several have the listener), the process of the connection.
[[nodiscard]] arguments::NamedProcess listener_of(const Connection& c);
// The process of the connection, if no other one is known to have listened.
[[nodiscard]] arguments::NamedProcess acceptor(const Connection& c);
// A segment was dropped in this direction, for a reason of this kind.
[[nodiscard]] const DropSeen* dropped_for(const Connection& c, const RuleContext& context, bool out, DropKind kind);
// Its own SYNs, dropped where they arrived: over loopback.
[[nodiscard]] std::span<const DropSeen> dropped_on_arrival(const Connection& c);
[[nodiscard]] bool is_on_arrival(const Connection& c, const DropSeen* drop);
// Of the drops of this kind the one that stands nearest to what answered it.
[[nodiscard]] EventId nearest(const DropSeen& dropped, const Mark& answer);
// A rule in INPUT dropped a segment of the peer and sent the RST that it got: no socket did.
[[nodiscard]] const DropSeen* refused_by_input(const Connection& c, const RuleContext& context);
// The ICMP message by which a firewall of this machine refused what a listener was asked, or its answer; nullptr: none.
[[nodiscard]] const IcmpMessage* refused_by_message(const Connection& c, const RuleContext& context);
// The RST that came in is a local firewall's answer to what it dropped on its way out: both within a moment.
[[nodiscard]] const DropSeen* refused_by_own_firewall(const Connection& c, const RuleContext& context);
[[nodiscard]] bool syn_ack_ignored(const Connection& c);
// A RST came for a connect(), and something before TCP dropped it.
[[nodiscard]] bool reset_ignored(const Connection& c, const RuleContext& context);

// forwarded.cpp: a connection that passes through this machine
[[nodiscard]] std::vector<Finding> forwarded_findings(const Connection& c, const RuleContext& context, Outcome outcome);
[[nodiscard]] Forwarded forwarded_hops(const Connection& c, const RuleContext& context);
// Segments of that side (0: the client, 1: the server) that came in and never left.
[[nodiscard]] std::uint64_t lost_from(const Connection& c, const RuleContext& context, unsigned side);
// forwarded_path.cpp
[[nodiscard]] std::optional<Finding> judge_forwarded_slow_handshake(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_forwarded_keepalive(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_forwarded_path_mtu(const Connection& c, const RuleContext& context);
[[nodiscard]] Ending judge_forwarded_ending(const Connection& c, Outcome outcome);
// The RST that ended it left here and came in nowhere.
[[nodiscard]] bool reset_by_this_machine(const Connection& c);
// Its other side passes by an interface that is not traced, and this machine's firewall has dropped the newest
// segments: it may have answered them there by a RST.
[[nodiscard]] bool end_may_be_unseen(const Connection& c, const RuleContext& context);

// peer.cpp: what the other end of the connection did, where this run follows it too
[[nodiscard]] PeerEnd peer_end(const Connection& peer);
// The peer's end shows that its process or kernel sent the RST.
[[nodiscard]] bool peer_sent_reset(const Connection& peer, const RuleContext& context);
[[nodiscard]] arguments::Reset reset_by_peer(const Connection& peer, const RuleContext& context);
// Where a finding blames the peer: who that is, and the other end's own finding that explains it.
void name_other_end(Finding& finding, const Connection& c, const RuleContext& context);

// outsider.cpp: neither kernel sent the RST
[[nodiscard]] bool reset_by_outsider(const Connection& c);

// life.cpp
// The counters are final, they began with the handshake, and they were kept in both directions.
[[nodiscard]] bool wire_complete(const Connection& c);

// unsent.cpp: keep-alive gave the peer up, and neither a probe nor the RST left by any interface.
[[nodiscard]] bool keepalive_unsent(const Connection& c, const RuleContext& context);
// outcome.cpp: the listener was closed before accept() had taken the connection.
[[nodiscard]] bool closed_with_listener(const Connection& c, const RuleContext& context);
// And the process that ended the listener is not its own.
[[nodiscard]] bool listener_ended_by_another(const Connection& c);

// ending.cpp: what explanation() makes the closing sentence of.
[[nodiscard]] Ending judge_ending(const Connection& c, const RuleContext& context, const Life& life);

// unanswered.cpp: TCP has refused a segment of the peer, before it looked at its acknowledgement: it came, and can have
// been the answer.
[[nodiscard]] bool refused_since(const Connection& c, const RuleContext& context, TimeNs since);
// listener.cpp: a handshake's last ACKs that were dropped for a full accept queue
struct AcksDropped {
  const DropSeen* drops = nullptr;
  const Evidence* met = nullptr;  // the ACKs at the interface, where the drop alone does not show why
  std::uint32_t count = 0;
};
[[nodiscard]] AcksDropped acks_dropped(const Connection& c, const RuleContext& context);
// life.cpp: segments that this side sent again, by the kernel's own count (nstat's TcpRetransSegs).
[[nodiscard]] std::uint32_t retransmitted_segments(const Connection& c);
// What is found of a connection by now.
[[nodiscard]] std::vector<Finding> judge_findings(const Connection& c, const RuleContext& context);
// Everything above put together.
[[nodiscard]] Life judge_life(const Connection& c, const RuleContext& context);

// strays.cpp: of no connection. lost: events may be missing that would show another thing.
[[nodiscard]] Finding judge_stray(const Stray& stray, const Names& names, bool lost);
[[nodiscard]] Finding judge_dropped_syn(const DroppedSyn& syn, const Names& names, bool lost);
[[nodiscard]] Finding judge_more_dropped_syns(const MoreDroppedSyns& more, const Names& names, bool lost);
[[nodiscard]] std::optional<Finding> judge_attempts(const Attempts& attempts, const Names& names, bool lost);
[[nodiscard]] Finding judge_more_strays(const Crowd& more, bool lost);
[[nodiscard]] Finding judge_more_refused(const Crowd& more, bool lost);

// parts.cpp: what several rules put into a finding
void cite(Finding& finding, const Evidence& evidence);  // adds what is listed, and how many more there are
[[nodiscard]] arguments::DropReason drop_reason(const Names& names, const DropSeen& seen);
[[nodiscard]] arguments::DropReasons drop_reasons(const Names& names, const ByReason& by_reason);
// Whose queue a connection waited in is not known where several listen on one port (SO_REUSEPORT), or several processes
// hold the listener; who closed that is.
[[nodiscard]] inline bool only_closer_known(const Connection& c) {
  return c.owner.pid == 0 && c.teardown && c.teardown->closer.pid != 0;
}
[[nodiscard]] const Owner& closer_of(const Connection& c);  // the process that closed this side; else the owner

}  // namespace tcpwitness
