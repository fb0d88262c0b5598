// SPDX-License-Identifier: Apache-2.0
// meanings.cpp: what the kernel's reasons mean: to send a RST, to drop a segment.
#include "tcpwitness/arguments.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

std::string_view meaning(ResetReason reason) {
  switch (reason) {
    case ResetReason::no_socket:
      return "no socket for this segment";
    case ResetReason::keepalive_timeout:
      return "the keep-alive probes were not answered";
    case ResetReason::abort_on_data:
      return "data came for a socket that nobody reads any more, or TCP_LINGER2 forbids it to wait in FIN_WAIT2";
    case ResetReason::abort_on_close:
      return "the process closed with unread data";
    case ResetReason::abort_on_linger:
      return "the socket was not to linger";
    case ResetReason::abort_on_memory:
      return "no room for a closed socket that still had something to send: too many of them, or TCP memory is short";
    case ResetReason::tcp_state:
      return "the socket was disconnected (linger 0, a closed listener, or ss -K)";
    case ResetReason::timewait_socket:
      return "data came for a connection in TIME_WAIT or FIN_WAIT2";
    case ResetReason::invalid_syn:
      return "the half-open request was given up";
    case ResetReason::unknown:
      return "the kernel does not say why";
    case ResetReason::other:
      break;
  }
  return "the kernel's own reason";
}

std::string_view meaning(const ResetEntry& entry) {
  using Wire = ResetEntry::Wire;
  if (entry.in_fin_wait2) return "data came for a socket that waited for the peer's FIN in FIN_WAIT2";
  if (entry.sent) return meaning(entry.kind);
  switch (entry.wire) {
    case Wire::not_asked:
      return "the kernel received a reset";
    case Wire::shows_it:
      return "";
    case Wire::not_watched:
      return "packets are not watched";
    case Wire::shows_data_after_close:
      return "no RST came: data arrived for a socket that its process had closed";
    case Wire::shows_none:
      break;
  }
  return "no RST was seen between these addresses";
}

std::string_view meaning(DropKind kind) {
  switch (kind) {
    case DropKind::firewall:
      return "dropped by netfilter, the kernel's firewall";
    case DropKind::filter:
      return "dropped by a filter program or policy";
    case DropKind::queue:
      return "dropped by the interface's queue";  // full, or the interface is down: QDISC_DROP is both
    case DropKind::neighbour:
      return "the next hop did not answer for its address (ARP, neighbour discovery)";
    case DropKind::routing:
      return "no route, or the routing rules or an IPsec policy refuse the addresses";
    case DropKind::bad_checksum:
      return "the checksum is wrong";
    case DropKind::out_of_window:
      return "outside the receive window";
    case DropKind::old_timestamp:
      return "the timestamp is older than the connection's";
    case DropKind::never_sent:
      return "it acknowledges what was never sent";
    case DropKind::old_data:
    case DropKind::old_payload:
    case DropKind::old_sequence:
      return "everything in it had been received before";
    case DropKind::no_socket:
      return "no socket for this segment";
    case DropKind::accept_queue:
      return "the listener's accept queue is full";
    case DropKind::memory:
      return "no memory was left";
    case DropKind::refused_syn:
      return "a SYN for a connection that exists";
    case DropKind::refused_rst:
      return "a RST ends here, taken or refused";
    case DropKind::refused_ack:
      return "it acknowledges what was not sent, or what is long acknowledged";
    case DropKind::no_flags:
      return "the socket takes no such segment in its state";
    case DropKind::closed:
      return "the socket is closed";
    case DropKind::not_signed:
      return "its signature (RFC 2385, RFC 5925) is missing, not expected or wrong";
    case DropKind::few_hops_left:
      return "its hop limit is below IP_MINTTL of the socket";
    case DropKind::too_big:
      return "larger than the MTU";
    case DropKind::damaged:
      return "its headers contradict each other";
    case DropKind::other:
      break;
  }
  return "";
}

}  // namespace tcpwitness
