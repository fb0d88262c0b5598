// SPDX-License-Identifier: Apache-2.0
// anomalies.hpp: what an ordinary connection does not have: resets, errors, drops, retransmissions, probes.
//
// Allocated when the first of them is seen.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "facts/delays.hpp"
#include "facts/drops.hpp"
#include "facts/evidence.hpp"
#include "facts/listener_queues.hpp"
#include "facts/owner.hpp"
#include "facts/probes.hpp"
#include "facts/resets.hpp"
#include "facts/retransmissions.hpp"
#include "tcpwitness/event.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

// Findings of a connection that is still open.
struct FindingsWhileOpen {
  std::bitset<rule_count> judged;  // rules, at the last look
  std::vector<Finding> reported;   // as they were then

  [[nodiscard]] bool has_reported(Rule rule) const {
    return std::ranges::find(reported, rule, &Finding::rule) != reported.end();
  }
};

struct Anomalies {
  FindingsWhileOpen while_open;
  LossCounters loss{};  // newest, beside Connection::wire
  ResetSeen rst_in;
  Mark rst_made;  // a RST to this side left no socket of this machine, before it came in over loopback
  ResetSeen rst_out;
  ResetReport reset_sent;
  ResetReport reset_received;
  Retransmissions retransmissions;
  KeepaliveFacts keepalive;
  ZeroWindowFacts local_window;  // of this side
  ZeroWindowFacts peer_window;   // of the peer
  Mark error;                    // inet_sk_error_report with an errno
  IcmpMessage icmp;              // the newest ICMP message on its error queue
  Mark icmp_mark;
  IcmpMessage icmp_in;  // the newest one that came in; what TCP made of it others show
  Mark icmp_in_mark;
  IcmpMessage icmp_sent;  // the newest one that this machine sent about a segment of it that came in
  Mark icmp_sent_mark;
  Mark too_big;               // the newest one by which a segment is larger than the path's MTU
  ResetReport answered_here;  // this machine's TCP sent a RST to it, as the other end of its own connection, by skb_seq
  Mark attempt_refused;       // wire alone: the ICMP message that answered the newest SYN; the client may ask again
  Mark request_dropped;       // the ICMP message that ended the half-open request; the peer may ask again
  std::unique_ptr<PortsFound> ports;  // who has the local ports, where connect() found none
  EventId ports_id = 0;
  TimeNs ports_ns = 0;  // when they were counted
  Drops drops;
  std::unique_ptr<Drops> dropped_here;  // SYNs that this machine dropped where they arrived: its other end is here too
  QueueFacts queues;
  Owner listener;  // who listened, where another process may have the connection since
  ReactionFacts reaction;
  AcceptFacts accept;
  OutsiderFacts outsider;
  Evidence stalls;                               // events whose totals had more of LossCounters::stalls
  Evidence late_in;                              // segments of the peer that came out of order
  Mark syn_ack_copy;                             // the newest one, where it came again
  Evidence refused_resets;                       // RSTs that TCP refuses by their numbers
  std::optional<std::uint32_t> received_before;  // seq of the newest segment that brought nothing new
};

}  // namespace tcpwitness
