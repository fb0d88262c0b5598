// SPDX-License-Identifier: Apache-2.0
// netlink.hpp: a netlink socket (libnl), and a question to the kernel with all of its answer.
#pragma once

#include <netlink/handlers.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "tcpwitness/result.hpp"

namespace tcpwitness {

struct CloseNetlink {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};
using NetlinkSocket = std::unique_ptr<nl_sock, CloseNetlink>;

// The error has libnl's words.
[[nodiscard]] std::expected<NetlinkSocket, std::string> open_netlink(int protocol);

// Calls `note` with each message of the answer, until it is over. A libnl error, or 0. With NLM_F_DUMP or NLM_F_ACK:
// otherwise there is no end to be seen.
[[nodiscard]] int ask_netlink(nl_sock* socket, int type, int flags, std::span<const std::byte> fixed,
                              nl_recvmsg_msg_cb_t note, void* context);

}  // namespace tcpwitness
