// SPDX-License-Identifier: Apache-2.0
// kernel.hpp: numbers of the kernel that no header for user space has.
#pragma once

#include <cstdint>

namespace tcpwitness::kernel {

// enum tcp_ca_state (linux/tcp.h)
inline constexpr std::uint8_t ca_open = 0, ca_disorder = 1, ca_cwr = 2, ca_recovery = 3, ca_loss = 4;

// inet_connection_sock.icsk_pending (net/inet_connection_sock.h)
inline constexpr std::uint8_t timer_none = 0, timer_retransmit = 1, timer_zero_window_probe = 3, timer_loss_probe = 5,
                              timer_reorder = 6;

// sock.sk_shutdown (net/sock.h)
inline constexpr std::uint8_t receive_shutdown = 1, send_shutdown = 2, shutdown_mask = 3;

// SO_EE_ORIGIN_* (linux/errqueue.h)
inline constexpr std::uint8_t origin_icmp = 2, origin_icmp6 = 3;

// Types and codes of ICMP (RFC 792; linux/icmp.h) and ICMPv6 (RFC 4443; linux/icmpv6.h)
namespace icmp {
inline constexpr std::uint8_t unreachable = 3, time_exceeded = 11, parameter_problem = 12;
inline constexpr std::uint8_t net_unreachable = 0, host_unreachable = 1,
                              fragmentation_needed = 4;  // codes of unreachable
}  // namespace icmp
namespace icmpv6 {
inline constexpr std::uint8_t unreachable = 1, packet_too_big = 2, time_exceeded = 3, parameter_problem = 4;
inline constexpr std::uint8_t prohibited = 1, address_unreachable = 3, port_unreachable = 4, policy_fail = 5,
                              reject_route = 6;  // codes of unreachable
}  // namespace icmpv6

// TCP_RTO_MIN, TCP_TIMEWAIT_LEN (net/tcp.h)
inline constexpr std::int64_t rto_min_ns = 200'000'000;
inline constexpr std::int64_t time_wait_ns = 60'000'000'000;

}  // namespace tcpwitness::kernel
