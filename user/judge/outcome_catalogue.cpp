// SPDX-License-Identifier: Apache-2.0
// outcome_catalogue.cpp: how a connection can end; see catalogue.hpp. Names are a contract (docs/design.md, "What may
// change"): scripts match on them.
#include <array>
#include <cerrno>

#include "judge/catalogue.hpp"
#include "judge/catalogue_rows.hpp"

namespace tcpwitness {
namespace {

constexpr std::array<OutcomeEntry, outcome_count> outcome_rows{{
    {Outcome::unknown,
     "unknown",
     {},
     "what was seen does not show how it ended",
     "nothing that would be enough, or events were lost while it lived",
     "nothing: it claims nothing"},
    {Outcome::completed,
     "completed",
     {},
     "both sides closed and both FINs were acknowledged",
     "the socket's last state and its control block: everything sent was acknowledged; wire alone: both FINs and the "
     "acknowledgement of each",
     "a middlebox that closes both sides by itself: each side then sees a FIN that the other never sent; without "
     "packets a RST, instead of the peer's FIN, for an orphan in FIN_WAIT2"},
    {Outcome::refused,
     "refused",
     {ECONNREFUSED},
     "the SYN was answered by a RST, or by an ICMP message that refuses it",
     "SYN_SENT to CLOSE with ECONNREFUSED, or the RST or ICMP message that answers the SYN",
     "a firewall or load balancer that answers in the server's name, with the server's own TTL: nobody there was "
     "asked"},
    {Outcome::connect_timeout,
     "connect-timeout",
     {ETIMEDOUT},
     "no answer to any SYN was seen, and connect() gave up",
     "SYN_SENT to CLOSE with ETIMEDOUT; wire alone: SYNs and nothing back for as long as Linux tries",
     "an answer that was lost on its way back, or left for another host: the server may well have answered"},
    {Outcome::connect_unsent,
     "connect-unsent",
     {},
     "connect() gave up because its SYN never left this machine",
     "SYN_SENT to CLOSE with an error, and for each SYN that the kernel counts its own report that it was dropped on "
     "its way out (kfree_skb, or a retransmission refused by netfilter or the qdisc); or inside connect(), with no "
     "segment made although a local port was chosen",
     "a firewall that sends a copy of the SYN elsewhere (nft dup) and drops the SYN itself: the drop is all that the "
     "kernel reports"},
    {Outcome::connect_ignored,
     "connect-ignored",
     {ETIMEDOUT},
     "the answer came, but the kernel never took it, and connect() gave up",
     "SYN_SENT to CLOSE with ETIMEDOUT, and a SYN-ACK that acknowledges our SYN: seen at the interface, or dropped "
     "behind it by the kernel's own report; or a RST that was dropped so",
     "a forged SYN-ACK that happens to acknowledge our SYN"},
    {Outcome::reset_by_peer,
     "reset-by-peer",
     {ECONNRESET, EPIPE},
     "a RST from the peer's address ended it",
     "tcp_receive_reset and the RST on the wire; one of them where the other is not captured",
     "a firewall, NAT or injector on the way that sends the RST with the peer's TTL and the right number"},
    {Outcome::reset_by_local,
     "reset-by-local",
     {},
     "this machine ended it with a RST: its TCP, or its firewall in the peer's name",
     "tcp_send_reset, or the RST at egress with the socket that sent it; a RST that came in on the loopback "
     "interface, "
     "all else from the peer on another",
     "an address of the peer that is reached over loopback as well (a second path into this machine): its RST looks "
     "like the firewall's"},
    {Outcome::reset_by_outsider,
     "reset-by-outsider",
     {ECONNRESET, EPIPE},
     "a RST that neither side's TCP sent ended it",
     "the RST came with another TTL (hop limit) than all else from the peer, and behind it the peer went on with new "
     "sequence numbers and its own TTL; looked for during 3 s behind such a RST",
     "a peer behind several hosts (anycast, a load balancer that moves a connection): one resets, another goes on"},
    {Outcome::keepalive_timeout,
     "keepalive-timeout",
     {ETIMEDOUT},
     "keep-alive probes were not answered and the kernel gave up",
     "ETIMEDOUT with nothing outstanding, tcp_send_reset with reason KEEPALIVE_TIMEOUT",
     "a path that loses everything for as long as the probes last, beside a peer that lives; a firewall that drops "
     "empty segments only"},
    {Outcome::retransmit_timeout,
     "retransmit-timeout",
     {ETIMEDOUT},
     "data, a FIN or the SYN-ACK of a Fast Open was sent again and again without an acknowledgement",
     "ETIMEDOUT with unacknowledged sequence numbers, or before the SYN-ACK was acknowledged",
     "a path that loses everything, or only the acknowledgements, beside a peer that lives"},
    {Outcome::user_timeout,
     "user-timeout",
     {ETIMEDOUT},
     "TCP_USER_TIMEOUT was over before an acknowledgement came",
     "ETIMEDOUT with unacknowledged sequence numbers on a socket that has the option",
     "the same as retransmit-timeout; and an option set so short that an ordinary delay is longer"},
    {Outcome::aborted,
     "aborted",
     {},
     "the process died with unread data",
     "the exiting process at the last transition, and unread data in the control block",
     "a process that another one ends for a reason of its own (out of memory, a supervisor): the outcome names who "
     "died, not why"},
    {Outcome::no_local_port,
     "no-local-port",
     {EADDRNOTAVAIL},
     "connect() found no local port, so no SYN was made (EADDRNOTAVAIL)",
     "SYN_SENT to CLOSE inside connect(), with no local port, no segment made and no sequence number chosen since",
     "a kernel without memory for the port's entry: connect() then fails in the same place"},
    {Outcome::unreachable,
     "unreachable",
     {},
     "an ICMP message or a route says that the destination cannot be reached, and connect() failed; or such a "
     "message "
     "ended a half-open request, or a firewall of this machine refused one by it",
     "SYN_SENT to CLOSE with EHOSTUNREACH, ENETUNREACH, EACCES or ENOPROTOOPT; or such an ICMP message on the "
     "socket's "
     "error queue, and the process gave up; or one that quotes the request's SYN-ACK; wire alone: one that quotes the "
     "newest SYN",
     "a forged ICMP message that quotes the SYN; a router that is wrong about a way that exists"},
    {Outcome::connect_cancelled,
     "connect-cancelled",
     {},
     "the process gave the connect() up, or died, before an answer reached TCP",
     "SYN_SENT to CLOSE by close(), by an exiting process or by another process (ss -K), without an error of the "
     "path",
     "a connect() that had timed out for its process (SO_SNDTIMEO, a timer of its own): the path may be the cause"},
    {Outcome::fin_wait2_timeout,
     "fin-wait2-timeout",
     {},
     "this side closed, the peer never did, and the kernel forgot the connection",
     "FIN_WAIT2 left for a mini-socket, no FIN from the peer on the wire until tcp_fin_timeout (or TCP_LINGER2) was "
     "over; or a segment of the peer that then found no socket",
     "a FIN of the peer that came in by an interface that is not watched"},
    {Outcome::syn_dropped,
     "syn-dropped",
     {},
     "this machine dropped each SYN of the peer before its listener took one",
     "every SYN that came in for the listener was dropped by the kernel's own report (kfree_skb: a firewall rule, "
     "reverse-path filtering, a missing signature), and no SYN-ACK left",
     "a firewall that drops the SYN and answers it with an ICMPv6 message, which no tracepoint shows: the peer was "
     "refused at once"},
    {Outcome::open,
     "open",
     {},
     "still alive when the run ended",
     "no end was seen",
     "a connection whose end came after the run, or that the peer has long forgotten: silence is no life"},
}};
static_assert(rows_match(outcome_rows, &OutcomeEntry::outcome), "a row for each Outcome, in the order of the enum");

}  // namespace

std::span<const OutcomeEntry> outcome_catalogue() { return outcome_rows; }
const OutcomeEntry& entry_of(Outcome outcome) { return entry_at(outcome_rows, outcome); }
std::string_view name(Outcome outcome) { return entry_of(outcome).name; }

}  // namespace tcpwitness
