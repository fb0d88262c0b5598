// SPDX-License-Identifier: Apache-2.0
// reasons.hpp: why the kernel sends a RST or drops a segment, as far as it matters here.
//
// Reasons are matched by name, never by number: the running kernel's BTF gives the names, with or without their prefix.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tcpwitness/report.hpp"

namespace tcpwitness {

// The kernel's reset reasons that rules ask for, by name: numbers change between releases.
enum class ResetReason : std::uint8_t {
  unknown,  // the kernel does not say
  other,
  no_socket,
  keepalive_timeout,
  abort_on_data,
  abort_on_close,
  abort_on_linger,
  tcp_state,
  timewait_socket,
  invalid_syn,
};
[[nodiscard]] ResetReason reset_reason(const Names& names, std::uint32_t number);
[[nodiscard]] std::string reset_reason_text(const Names& names, std::uint32_t number);  // without SK_RST_REASON_
[[nodiscard]] std::string_view reset_meaning(ResetReason reason, bool sent);

// Why the kernel drops segments, as far as rules ask for it; by name too.
enum class DropKind : std::uint8_t {
  other,
  firewall,
  filter,     // BPF at a cgroup, tc or XDP, LSM, IPsec policy
  queue,      // the qdisc, or the backlog of a CPU
  neighbour,  // the next hop's link address is not known
  routing,
  bad_checksum,
  out_of_window,
  old_timestamp,
  never_sent,   // acknowledges, or echoes, what was never sent
  old_data,     // already received: a keep-alive, an old ACK
  old_payload,  // payload, all of it already received: the peer repeated itself
  no_socket,
  accept_queue,   // the listener's accept queue is full
  memory,         // no room in the socket, or in TCP as a whole
  refused_syn,    // a SYN for a connection that exists
  refused_rst,    // a RST whose number does not fit
  refused_ack,    // acknowledges what was never sent, or far too old
  no_flags,       // a segment that this state of the socket does not take
  closed,         // the socket is shut down or closed
  not_signed,     // not signed as the socket demands (RFC 2385, RFC 5925)
  few_hops_left,  // its hop limit is below what the socket demands (IP_MINTTL, RFC 5082)
  too_big,        // larger than the path's or the device's MTU
  damaged,        // headers that contradict themselves
};
[[nodiscard]] DropKind drop_kind(const Names& names, std::uint32_t number);
[[nodiscard]] std::string_view drop_meaning(DropKind kind);
[[nodiscard]] bool is_fault(DropKind kind);  // a healthy connection meets none of these

}  // namespace tcpwitness
