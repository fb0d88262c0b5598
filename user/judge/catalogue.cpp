// SPDX-License-Identifier: Apache-2.0
#include "judge/catalogue.hpp"

#include <array>

namespace tcpwitness {

std::span<const OutcomeEntry> outcome_catalogue() {
  static constexpr std::array<OutcomeEntry, 11> entries{{
      {Outcome::unknown, "what was heard does not say how it ended",
       "nothing that would be enough, or events were lost while it lived"},
      {Outcome::completed, "both sides closed and both FINs were acknowledged",
       "the socket's last state and its control block: everything sent was acknowledged; wire alone: both FINs and the "
       "acknowledgement of each"},
      {Outcome::refused, "connect() was answered by a RST",
       "SYN_SENT to CLOSE with ECONNREFUSED, or the RST that answers the SYN"},
      {Outcome::connect_timeout, "no answer came to any SYN",
       "SYN_SENT to CLOSE with ETIMEDOUT; wire alone: SYNs and nothing back for as long as Linux tries"},
      {Outcome::reset_by_peer, "a RST from the peer's address ended it",
       "tcp_receive_reset and the RST on the wire; one of them where the other is not heard"},
      {Outcome::reset_by_local, "this machine's TCP ended it with a RST",
       "tcp_send_reset, or the RST at egress with the socket that sent it"},
      {Outcome::keepalive_timeout, "keep-alive probes were not answered and the kernel gave the peer up",
       "ETIMEDOUT with nothing outstanding, tcp_send_reset with reason KEEPALIVE_TIMEOUT"},
      {Outcome::retransmit_timeout, "data or a FIN was sent again and again without an acknowledgement",
       "ETIMEDOUT with unacknowledged sequence numbers"},
      {Outcome::user_timeout, "TCP_USER_TIMEOUT was over before an acknowledgement came",
       "ETIMEDOUT with unacknowledged sequence numbers on a socket that has the option"},
      {Outcome::aborted, "the process died or gave up: with unread data, or before the connection was made",
       "the exiting process at the last transition, and unread data in the control block"},
      {Outcome::open, "still alive when the run ended", "no end was seen"},
  }};
  return entries;
}

std::span<const RuleEntry> rule_catalogue() {
  static constexpr std::array<RuleEntry, rule_count> entries{{
      {Rule::keepalive,
       "keep-alive probes: sent, answered, unanswered n of N, the timers, and when the peer is given up",
       "write_seq == snd_nxt at the probe: nothing was waiting to be sent", "the probe: no new data at snd_una - 1",
       "the kernel's view came with a probe", "the wire alone: the receiver's last window was open", "",
       "An unanswered run ends in ETIMEDOUT at the time given. Look at the path and the peer; for earlier detection "
       "lower tcp_keepalive_time or set TCP_KEEPIDLE."},
      {Rule::zero_window, "a receiver closed its window: its process does not read",
       "who owns the socket that does not read; unsent bytes at the sender", "segments that advertise window 0",
       "the kernel's view came with a probe into the closed window", "the wire alone", "",
       "The named process is slow or stuck: look at what it does (strace, a profile), not at the network."},
      {Rule::retransmission, "segments were sent again: the kernel's cause beside what the wire saw of each",
       "tcp_retransmit_skb, tcp_retransmit_synack: the cause", "the same sequence numbers again",
       "the kernel told of it", "the wire alone, or the two witnesses do not tell the same", "",
       "Fast retransmissions and tail-loss probes are loss on the path; timeouts (RTO) are loss of whole flights or a "
       "peer that is gone; a SYN sent again waits 1 s, 2 s, 4 s."},
      {Rule::time_wait, "who waits in TIME_WAIT, until when, and which address pair that blocks",
       "FIN_WAIT2 to CLOSE on the side that closed first", "the peer's FIN and its acknowledgement", "both were seen",
       "the peer's FIN was not seen", "",
       "Normal. Under many short connections let the other side close first, or reuse connections."},
      {Rule::close_wait_stuck, "the peer has closed, the process here has not, for longer than --stuck-after",
       "ESTABLISHED to CLOSE_WAIT, and nothing since", "the peer's FIN", "the transition was seen", "", "",
       "A leak in the named process: a descriptor that nobody closes."},
      {Rule::reset_origin, "who sent the RST: local process, local TCP, a firewall here, or the peer",
       "tcp_send_reset with its reason, tcp_receive_reset, the process that acted",
       "the RST, and the socket it left from", "both witnesses, or the kernel's report that it sent it",
       "one witness only; a firewall's RST rests on the kernel's silence", "",
       "A process that closes with unread data sends RST; a firewall's reject looks like a refusal to the peer."},
      {Rule::half_open, "the peer no longer knew the connection", "what was sent was never acknowledged",
       "silence, then a RST that only repeats our acknowledgement number", "",
       "after unanswered probes or retransmissions", "probes were sent, but the silence was not seen",
       "The peer was restarted, or a NAT or firewall between forgot the connection: shorten keep-alive below its "
       "timeout."},
      {Rule::stray_segment, "a segment that no socket wanted, and the RST it got", "tcp_send_reset without a socket",
       "the segment and the RST",
       "the kernel's reason is NO_SOCKET, or no socket was "
       "found and the RST was seen",
       "the kernel sent a RST for it", "it only fits nothing that we know",
       "Often the rest of a connection from before a restart, or a scan."},
      {Rule::rx_dropped, "segments arrived and were dropped before TCP took them",
       "kfree_skb with a reason: firewall, queue, memory", "the segment on the interface",
       "the kernel's word, the wire heard", "the kernel's word alone", "",
       "NETFILTER_DROP: nft list ruleset. SOCKET_RCVBUFF, PROTO_MEM: tcp_rmem, tcp_mem, or a process that does not "
       "read."},
      {Rule::tx_not_sent, "TCP sent segments that never left this machine",
       "kfree_skb on the way out, with a reason: firewall, queue, memory", "", "the kernel's word", "", "",
       "NETFILTER_DROP: the OUTPUT chains. QDISC_DROP: tc -s qdisc; the queue is too short for the rate."},
      {Rule::bad_checksum, "segments arrived damaged", "kfree_skb with a checksum reason",
       "the segment on the interface", "the kernel's word, the wire heard", "the kernel's word alone", "",
       "A bad cable, card or driver on the way; with offloads, a device between that rewrites wrongly."},
      {Rule::out_of_window, "TCP refused segments whose sequence numbers lie outside the receive window",
       "kfree_skb with TCP_INVALID_SEQUENCE and its kin", "the segment on the interface",
       "the kernel's word, the wire heard", "the kernel's word alone", "",
       "An old duplicate, a middlebox that shifts sequence numbers, or somebody who guesses."},
      {Rule::old_timestamp, "TCP refused segments whose timestamp is older than the connection's (PAWS)",
       "kfree_skb with TCP_RFC7323_PAWS", "the segment on the interface", "the kernel's word, the wire heard",
       "the kernel's word alone", "",
       "Duplicates from long ago, or several hosts behind one address with timestamps of their own."},
  }};
  return entries;
}

}  // namespace tcpwitness
