// SPDX-License-Identifier: Apache-2.0
#include "probe/netlink.hpp"

#include <netlink/errno.h>
#include <netlink/msg.h>

namespace tcpwitness {

std::expected<NetlinkSocket, std::string> open_netlink(int protocol) {
  constexpr std::size_t longest_message = 32768;  // the kernel's messages to a dump are at most so long
  NetlinkSocket socket(nl_socket_alloc());
  if (!socket) return std::unexpected("out of memory");
  if (const int error = nl_connect(socket.get(), protocol); error != 0) return std::unexpected(nl_geterror(error));
  nl_socket_disable_auto_ack(socket.get());
  nl_socket_disable_msg_peek(socket.get());
  nl_socket_set_msg_buf_size(socket.get(), longest_message);
  return socket;
}

int ask_netlink(nl_sock* socket, int type, int flags, std::span<const std::byte> fixed, nl_recvmsg_msg_cb_t note,
                void* context) {
  bool over = false;
  const auto end = [](nl_msg* /*message*/, void* is_over) {
    *static_cast<bool*>(is_over) = true;
    return static_cast<int>(NL_STOP);
  };
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, note, context);
  nl_socket_modify_cb(socket, NL_CB_FINISH, NL_CB_CUSTOM, end, &over);
  nl_socket_modify_cb(socket, NL_CB_ACK, NL_CB_CUSTOM, end, &over);
  int error = nl_send_simple(socket, type, flags, const_cast<std::byte*>(fixed.data()), fixed.size());
  while (error >= 0 && !over) error = nl_recvmsgs_default(socket);
  return error < 0 ? error : 0;
}

}  // namespace tcpwitness
