// SPDX-License-Identifier: Apache-2.0
// open_socket.hpp: what is wrong with a socket, from the kernel's current state (`ls`).
//
// A single look has no history: a rule uses what the state itself shows, and times that the kernel counts.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tcpwitness/address.hpp"
#include "tcpwitness/event.hpp"
#include "tcpwitness/finding.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness {

struct SocketHolder {
  std::uint32_t pid = 0;
  std::string comm;
  std::int32_t fd = -1;
};

struct OpenSocket {
  std::uint64_t cookie = 0;
  std::uint32_t netns = 0;
  Flow flow;
  TcpState state{};
  bool has_queues = false;       // the two that follow are known
  std::uint32_t recv_queue = 0;  // bytes that the process has not read; listener: connections that wait for accept()
  std::uint32_t send_queue = 0;  // bytes that the peer has not acknowledged; listener: how many may wait
  bool has_control_block = false;
  ControlBlock cb{};
  std::vector<SocketHolder> holders;  // by pid; none: no process has it open, or that is not known
};
// Of several holders a row and a finding name the first: that becomes one that was asked for. False: none of them was.
[[nodiscard]] bool put_first(std::vector<SocketHolder>& holders, const std::function<bool(const SocketHolder&)>& asked);

// From the control block: bytes, without the sequence numbers of SYN and FIN.
[[nodiscard]] std::uint32_t unread_bytes(const ControlBlock& cb);
[[nodiscard]] std::uint32_t unacknowledged_bytes(const ControlBlock& cb);

[[nodiscard]] std::vector<Finding> judge_open_socket(const OpenSocket& socket, std::int64_t stuck_ns);

}  // namespace tcpwitness
