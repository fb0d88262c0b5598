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

// SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6 (linux/errqueue.h)
inline constexpr std::uint8_t origin_icmp = 2, origin_icmp6 = 3;

}  // namespace tcpwitness::kernel
