// SPDX-License-Identifier: Apache-2.0
// rule_catalogue.cpp: what can be found of a connection; see catalogue.hpp. Names are a contract (docs/design.md, "What
// may change"): scripts match on them.
#include <array>

#include "judge/catalogue.hpp"
#include "judge/catalogue_rows.hpp"

namespace tcpwitness {
namespace {

constexpr std::array<RuleEntry, rule_count> rule_rows{{
    {Rule::keepalive, "keepalive", Rank::condition,
     "keep-alive probes: sent, answered, unanswered n of N, the timers, and when the peer is given up",
     "write_seq == snd_nxt at the probe: nothing was waiting to be sent", "the probe: no new data at snd_una - 1",
     "the kernel's view came with a probe",
     "the wire alone: the receiver's last window was open; with --forwarded: two or more in a row left and were not "
     "answered",
     "the wire alone, and nothing of the receiver was seen: a probe into a window that it closed looks the same",
     "An unanswered run ends in ETIMEDOUT at the time given. Look at the path and the peer; for earlier detection "
     "lower tcp_keepalive_time or set TCP_KEEPIDLE.",
     "a proxy or load balancer on the way that answers the probes itself: the peer can be gone. The wire alone: an "
     "empty segment of another stack that repeats an old number for a reason of its own; a keep-alive "
     "of another stack whose byte repeats a last segment of one byte is called a retransmission"},
    {Rule::zero_window, "zero-window", Rank::condition,
     "a receive window was closed for 10 ms or more: its process reads more slowly than payload comes, or not at all",
     "who owns the socket that is full; unsent bytes at the sender", "segments that advertise window 0",
     "the segment that closed it was seen, or the kernel's view came with a probe into it",
     "only probes into it were seen, without the kernel's view", "",
     "Look at what the named process does (strace, a profile), not at the network: most often it is slow or stuck.",
     "a process that reads without a pause and is slower than the sender, or has a small receive buffer (SO_RCVBUF); "
     "memory pressure, which shrinks windows; a middlebox or a tarpit that writes windows of its own"},
    {Rule::retransmission, "retransmission", Rank::symptom,
     "segments were sent again, by this side or by the peer: how many of how many; of ours the kernel's cause beside "
     "what the wire shows of each; and whether it was in vain",
     "tcp_retransmit_skb, tcp_retransmit_synack: the cause; the peer's D-SACK (it got ours twice), TCP_OLD_DATA, "
     "TCP_OLD_SEQUENCE or TCP_OFOMERGE of payload (the peer's was)",
     "the same sequence numbers again, later than a round trip behind what overtook them", "the kernel reported it",
     "packets alone, or kernel and packets differ; that ours was in vain", "",
     "Fast retransmissions and tail-loss probes are loss on the path; timeouts (RTO) are loss of whole flights or a "
     "peer that is gone; a SYN sent again waits 1 s, 2 s, 4 s. Spurious ones are delay or lost ACKs, not loss.",
     "packets that the network delivers twice, more than 100 ms apart, or with neither an IPv4 identification nor "
     "TCP timestamps; a capture that has each packet twice, likewise; the wire alone: reordering looks like a copy"},
    {Rule::time_wait, "time-wait", Rank::normal,
     "who waits in TIME_WAIT, until when, and which address pair that blocks",
     "FIN_WAIT2 to CLOSE on the side that closed first", "the peer's FIN and its acknowledgement", "both were seen",
     "the peer's FIN was not seen", "",
     "Normal. Under many short connections let the other side close first, or reuse connections.",
     "tcp_tw_reuse and tcp_max_tw_buckets: the port can be free again, or the wait over, earlier"},
    {Rule::close_wait_stuck, "close-wait-stuck", Rank::condition,
     "the peer has closed, the process here has not, for longer than --stuck-after",
     "ESTABLISHED to CLOSE_WAIT; a moment before the finding, which process still has which descriptor open",
     "the peer's FIN", "the open descriptor was shown, or the state was left in the end",
     "it lasts, and nothing shows the descriptor: its close may be missing", "",
     "Often a leak in the named process: a descriptor that nobody closes.",
     "a process that has shut down nothing on purpose: a half-closed stream (ssh, proxies) that will send later"},
    {Rule::reset_origin, "reset-origin", Rank::symptom,
     "who sent the RST: local process, local TCP, a firewall here, or the peer",
     "tcp_send_reset with its reason, tcp_receive_reset, the process that acted",
     "the RST, and the socket it left from",
     "the kernel's report that this side sent it, or the other end is followed too (both initial sequence numbers "
     "agree) "
     "and shows that it did",
     "it came in: what is on the way can send in the peer's name; that no socket here sent it rests on a report that "
     "did not come",
     "", "A process that closes with unread data sends RST; a firewall's reject looks like a refusal to the peer.",
     "something on the way that sends with the peer's TTL and the right number; a peer behind a load balancer whose "
     "TTLs differ"},
    {Rule::half_open, "half-open", Rank::condition, "the peer no longer knew the connection",
     "what was sent was never acknowledged", "silence, then a RST that only repeats our acknowledgement number", "",
     "after unanswered probes or retransmissions", "probes were sent, but the silence was not seen",
     "The peer was restarted, or a NAT or firewall between forgot the connection: shorten keep-alive below its "
     "timeout.",
     "a firewall that answers late segments with a RST in the peer's name, although the peer knows the connection"},
    {Rule::stray_segment, "stray-segment", Rank::symptom, "a segment that no socket matched, and the RST it got",
     "tcp_send_reset without a socket", "the segment and the RST",
     "the kernel's reason is NO_SOCKET, or no socket was "
     "found and the RST was seen",
     "the kernel sent a RST for it", "it only fits nothing that we know",
     "Often the rest of a connection from before a restart, or a scan. A SYN-ACK that acknowledges a SYN to another "
     "address: the way back passes NAT or a load balancer by.",
     "a spoofed sender; an answer that belongs to another namespace or to a connection that was NATed here"},
    {Rule::rx_dropped, "rx-dropped", Rank::cause, "segments arrived and were dropped before TCP took them",
     "kfree_skb with a reason: firewall, queue, memory", "the segment on the interface",
     "the kernel's report, with packets", "the kernel's report alone", "",
     "NETFILTER_DROP: nft list ruleset. SOCKET_RCVBUFF, PROTO_MEM: tcp_rmem, tcp_mem, or a process that does not "
     "read.",
     "a rule that drops copies on purpose (a limit, a test); a segment of another namespace with the same addresses, "
     "where the kernel shows no namespace"},
    {Rule::tx_not_sent, "tx-not-sent", Rank::cause, "TCP sent segments that never left this machine",
     "kfree_skb on the way out, with a reason: firewall, queue, memory; or tcp_retransmit_skb says twice and more that "
     "the copy before still waits here (EBUSY)",
     "", "the kernel's report", "it names no reason, or the segment only waits", "",
     "NETFILTER_DROP: the OUTPUT chains. QDISC_DROP: tc -s qdisc; the queue is too short for the rate.",
     "a qdisc that drops on purpose to slow the sender (fq_codel, RED): then it is congestion control at work"},
    {Rule::bad_checksum, "bad-checksum", Rank::cause, "segments arrived with a wrong checksum",
     "kfree_skb with a checksum reason", "the segment on the interface", "the kernel's report, with packets",
     "the kernel's report alone", "",
     "A bad cable, card or driver on the way; with offloads, a device between that rewrites wrongly.",
     "a sender, often a virtual one, whose card fills the checksum in wrongly: nothing was damaged on the way"},
    {Rule::out_of_window, "out-of-window", Rank::cause,
     "TCP refused segments whose numbers cannot be this connection's: outside the receive window, or an "
     "acknowledgement of "
     "what was never sent",
     "kfree_skb with TCP_INVALID_SEQUENCE, TCP_ACK_UNSENT_DATA and their kin; for a RST the socket's rcv_nxt at its "
     "arrival",
     "the segment on the interface", "the kernel's report, with packets", "the kernel's report alone", "",
     "An old duplicate, a middlebox that shifts sequence numbers, or somebody who guesses.",
     "a spoofed segment: it harms nothing, the peer did not send it; before Linux 6.6 a repeated segment has the "
     "same reason"},
    {Rule::old_timestamp, "old-timestamp", Rank::cause,
     "TCP refused segments whose timestamp is older than the connection's (PAWS)", "kfree_skb with TCP_RFC7323_PAWS",
     "the segment on the interface", "the kernel's report, with packets", "the kernel's report alone", "",
     "Duplicates from long ago, or several hosts behind one address with timestamps of their own.",
     "several hosts behind one address; a peer that was restored from a snapshot, so that its clock jumped back; "
     "before Linux 6.14 an ACK that came behind later data has the same reason"},
    {Rule::accept_queue_full, "accept-queue-full", Rank::cause,
     "handshakes got no answer or were not finished because the accept queue was full",
     "the listener's queue at the SYN's arrival (more wait than its limit), or kfree_skb with TCP_LISTEN_OVERFLOW",
     "the SYN, and that it came again", "the kernel dropped the last ACK for it, or the peer sent its SYN again",
     "the queue was full at the SYN, and no SYN-ACK was seen", "",
     "The named process does not call accept() fast enough: look at what it does. A longer backlog (listen(), "
     "net.core.somaxconn) only helps against bursts.",
     "a client that sends its SYN again for another reason while the queue is full for a moment only"},
    {Rule::syn_backlog_full, "syn-backlog-full", Rank::cause,
     "SYNs got no answer because the SYN queue was full and SYN cookies are off",
     "the listener's half-open requests at the SYN's arrival, its limit, and both sysctls",
     "the SYN, and that it came again", "more than the limit were half-open and the peer sent its SYN again",
     "as many as the limit (which of the two refuses differs between releases), less than a quarter of "
     "tcp_max_syn_backlog "
     "was left (a peer that is known from before is let in), or the SYN did not come again",
     "", "A SYN flood, or handshakes that do not finish. Switch net.ipv4.tcp_syncookies on; raise the backlog.",
     "SYNs that something else dropped behind the interface (a firewall) while the queue happened to be full"},
    {Rule::syncookie, "syncookie", Rank::symptom,
     "the handshake was answered by a SYN cookie: nothing of the request was kept",
     "LISTEN to SYN_RECV without a request socket before it", "a SYN-ACK that no socket sent, an ACK on the listener",
     "the SYN queue was full at the SYN, or net.ipv4.tcp_syncookies is 2",
     "only the SYN-ACK without a socket was seen, and an ACK that found only the listener", "",
     "The SYN queue was full: a SYN flood, or a backlog that is too short. Options that a cookie cannot carry are "
     "lost.",
     "a SYNPROXY or another SYN-ACK from this machine without a socket, on a port that also has a listener"},
    {Rule::slow_handshake, "slow-handshake", Rank::symptom, "a leg of the handshake took 1 s or more",
     "SYN_SENT or SYN to ESTABLISHED", "the SYN, the SYN-ACK", "both ends of the slow leg were seen",
     "the whole handshake was slow, its legs were not seen; with --forwarded: on which side of this machine it was "
     "slow",
     "",
     "1 s, 3 s, 7 s: SYNs or SYN-ACKs were lost and sent again. On the passive side the first leg is this machine's: "
     "a full queue.",
     "a SYN, SYN-ACK or ACK that was lost between this machine and the peer: the leg is slow, the peer's host is "
     "not"},
    {Rule::slow_accept, "slow-accept", Rank::symptom,
     "an accepted connection, or its data, waited 1 s or more for the process",
     "events that show the socket without a process; the process's first read and how long its data had waited", "",
     "an event showed it still unaccepted so long after the handshake",
     "only the first read is known: an upper bound of when accept() was called", "",
     "The listening process is busy or stuck: look at what it does (strace, a profile).",
     "a process that accepts late on purpose (it has enough to do), or that accepts and reads nothing until it needs "
     "it"},
    {Rule::late, "late", Rank::symptom, "the kernel processed a segment 100 ms or more after it arrived",
     "the transition that the segment causes", "the segment", "",
     "both were seen (a copy of the segment may have been the one that TCP received)", "",
     "Soft interrupts are starved, or the process held the socket: look at ksoftirqd, steal time, /proc/softirqs.",
     "a copy of the segment that came later and was the one that TCP received"},
    {Rule::bytes_disagree, "bytes-disagree", Rank::symptom,
     "the kernel counts other payload than the interface carried",
     "bytes_acked and bytes_received of a connection that both sides closed",
     "payload by sequence number, from SYN to both FINs", "", "both counts are whole", "",
     "Part of the traffic goes by an interface that is not watched (-i), or something rewrites the stream.",
     "payload that another interface carried, or that a program moved between sockets inside the kernel (sockmap, "
     "splice by BPF)"},
    {Rule::port_exhaustion, "port-exhaustion", Rank::cause,
     "connect() found no free local port for its destination: the range, and who has its ports",
     "SYN_SENT to CLOSE inside connect() without a segment made; then all sockets are looked at once: those to the "
     "same "
     "destination, TIME_WAIT included, and listeners",
     "", "the ports that were counted are as many as the range has",
     "they were not counted, or some were free when counted", "",
     "Many in TIME_WAIT: reuse connections, or let the server close first. Many open: the named process leaks or "
     "needs "
     "more destinations. Widen net.ipv4.ip_local_port_range; give the destination more addresses; "
     "IP_BIND_ADDRESS_NO_PORT where the process binds an address.",
     "ports that are freed between the failure and the look; bound sockets that are not connected, which are not "
     "counted"},
    {Rule::peer_not_closing, "peer-not-closing", Rank::condition,
     "this side has closed, the peer acknowledged it and has not closed itself for longer than --stuck-after",
     "FIN_WAIT1 to FIN_WAIT2; a look shows the socket still in FIN_WAIT2", "no FIN from the peer",
     "the process here has closed, so nothing but the peer's FIN can come, and the socket was seen waiting; or the "
     "FIN "
     "came in the end",
     "only the sending side was closed: the peer may still have an answer to send; or nothing shows the socket", "",
     "Often a leak in the peer's process: a descriptor that nobody closes (CLOSE_WAIT there). tcp_fin_timeout frees "
     "this "
     "side.",
     "a peer that works on its answer for long before it sends the first byte of it; a peer that has closed and "
     "whose "
     "FIN is lost again and again"},
    {Rule::write_after_peer_closed, "write-after-peer-closed", Rank::condition,
     "data was sent into a connection that the other side had closed, and a RST answered it: the data is lost",
     "ESTABLISHED to CLOSE_WAIT, what was sent since and never acknowledged, tcp_receive_reset",
     "the RST, which does not acknowledge it either", "packets show the RST", "no packet shows the RST", "",
     "The side that reuses idle connections must give them up before the other one does: a shorter idle timeout than "
     "the server's keep-alive timeout, or a retry of what is safe to repeat.",
     "a peer that had only shut its sending side down and died before it took anything more"},
    {Rule::path_mtu_black_hole, "path-mtu-black-hole", Rank::cause,
     "full-size segments go unanswered while small ones pass, and no ICMP message came back",
     "tcp_retransmit_skb three times or more for a full-size segment that snd_una stands at; nothing smaller is out "
     "unanswered; and the peer's SACK for smaller ones behind it, its segments taken meanwhile, or, where no "
     "full-size "
     "segment was ever acknowledged, that smaller ones were just before",
     "that the peer sends nothing again meanwhile; with --forwarded: a segment that was sent again three times or "
     "more, left each time and was not acknowledged, where nothing as large was acknowledged before",
     "", "always: a path that fails at that very moment, or loss, can look the same",
     "the connection had been idle before its first full-size segments: the path can have failed meanwhile; or a "
     "full-size one may have passed before, by the average size",
     "Lower the MTU or clamp the MSS on the way (tunnel, VPN), let ICMP \"fragmentation needed\" through, or set "
     "net.ipv4.tcp_mtu_probing to 1.",
     "a peer or a path that dies just as the first full-size segment is sent; a firewall that drops by content, "
     "which "
     "the first large request has"},
    {Rule::path_dead, "path-dead", Rank::cause,
     "what is sent goes unanswered, and nothing comes: the path or the peer is gone",
     "tcp_retransmit_skb three times or more for the first data behind a pause of 0.5 s or more, and no segment of "
     "the peer since before it, not even one that TCP refused; without such a pause five times or more, or until the "
     "kernel gave up",
     "", "",
     "always: that the path is dead, the peer's host is, or a NAT or firewall forgot the connection looks the "
     "same from here",
     "these were also the first full-size segments of the connection: the path's MTU can be the cause",
     "Keep the connection alive within the timeouts of NATs and firewalls on the way (TCP_KEEPIDLE), or bound the "
     "wait (TCP_USER_TIMEOUT).",
     "a peer that is only slow: an outage that ends before the kernel gives up"},
    {Rule::delayed_ack_stall, "delayed-ack-stall", Rank::condition,
     "small writes waited for a delayed ACK: Nagle's algorithm beside the peer's delayed ACKs",
     "the kernel's own rule (tcp_nagle_check()) held the write back when send() returned, TCP_NODELAY not set",
     "it left when a bare ACK came, 20 ms or more later than the fastest round trip", "",
     "always: that the ACK was delayed on purpose is concluded from its time", "",
     "Set TCP_NODELAY, or write the whole message at once (writev, MSG_MORE).",
     "a path whose round-trip time jumps by 20 ms and more"},
    {Rule::forward_dropped, "forward-dropped", Rank::cause,
     "with --forwarded: segments came in to be forwarded and never left this machine",
     "kfree_skb with its reason, for a segment of the connection",
     "a SYN, FIN or RST that came in on one hop and did not leave on the other; or the counters of both hops at one "
     "segment that passed",
     "the kernel reported each of the drops",
     "it reported fewer of them: what leaves by XDP_REDIRECT, by a card's own forwarding or inside an "
     "IPsec packet is not seen leaving",
     "",
     "The reason names it: a rule of the firewall (chain forward), conntrack's INVALID state, no neighbour, no "
     "route, a "
     "packet larger than the next hop's MTU.",
     "without the kernel's report: forwarding that passes by the hooks; with it: a rule that drops a segment which "
     "the "
     "host answers itself (reject, SYNPROXY)"},
    {Rule::asymmetric_route, "asymmetric-route", Rank::cause,
     "with --forwarded: only one direction of the connection passes through this machine", "",
     "three segments or more of one side, behind its SYN, and none of the other side on any hop", "",
     "always: the other direction may pass by the hooks", "",
     "A stateful firewall here sees half of each connection and drops it as INVALID: route both directions the same "
     "way, "
     "or do not track such connections.",
     "answers that leave by XDP_REDIRECT or a card's own forwarding, or over an interface that --interface leaves "
     "out"},
    {Rule::syn_flood, "syn-flood", Rank::cause,
     "within a second at least 100 connections were begun that were not completed in the next",
     "the SYN-ACKs and SYN cookies that answered",
     "SYNs that found a listener; with --forwarded SYNs that passed through, and the SYN-ACKs that came back", "",
     "always: ACKs that are lost on their way look the same", "",
     "Keep net.ipv4.tcp_syncookies at 1. nstat -az TcpExtListenDrops TcpExtTCPReqQFullDoCookies says what it costs.",
     "a crowd of clients far away, whose ACKs are still to come; a path that loses the SYN-ACKs"},
}};
static_assert(rows_match(rule_rows, &RuleEntry::rule), "a row for each Rule, in the order of the enum");

}  // namespace

std::span<const RuleEntry> rule_catalogue() { return rule_rows; }
const RuleEntry& entry_of(Rule rule) { return entry_at(rule_rows, rule); }
std::string_view name(Rule rule) { return entry_of(rule).name; }
bool is_problem(Rule rule) { return entry_of(rule).rank != Rank::normal; }

}  // namespace tcpwitness
