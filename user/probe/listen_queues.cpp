// SPDX-License-Identifier: Apache-2.0
#include "probe/listen_queues.hpp"

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace tcpwitness {
namespace {

constexpr std::uint32_t listen_state = 1U << 10U;  // TCP_LISTEN

struct Close {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};

int note(const nlmsghdr* message, void* data) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(inet_diag_msg)) return MNL_CB_OK;
  auto& found = *static_cast<std::unordered_map<std::uint64_t, ListenQueue>*>(data);
  const auto* socket = static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(message));
  const std::uint64_t cookie = std::uint64_t{socket->id.idiag_cookie[1]} << 32U | socket->id.idiag_cookie[0];
  found[cookie] = {.waiting = socket->idiag_rqueue, .limit = socket->idiag_wqueue};
  return MNL_CB_OK;
}

}  // namespace

Result<std::unordered_map<std::uint64_t, ListenQueue>> listen_queues() {
  std::unordered_map<std::uint64_t, ListenQueue> found;
  const std::unique_ptr<mnl_socket, Close> socket(mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC));
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return failure("ask for the accept queues of listeners", std::strerror(errno));
  alignas(nlmsghdr) std::array<char, 32768> buffer;
  for (const int family : {AF_INET, AF_INET6}) {
    nlmsghdr* const ask = mnl_nlmsg_put_header(buffer.data());
    ask->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    ask->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    auto* const what = static_cast<inet_diag_req_v2*>(mnl_nlmsg_put_extra_header(ask, sizeof(inet_diag_req_v2)));
    what->sdiag_family = static_cast<__u8>(family);
    what->sdiag_protocol = IPPROTO_TCP;
    what->idiag_states = listen_state;
    ssize_t got = mnl_socket_sendto(socket.get(), ask, ask->nlmsg_len);
    for (int more = 1; got >= 0 && more > 0;) {
      got = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
      if (got >= 0) more = mnl_cb_run(buffer.data(), static_cast<std::size_t>(got), 0, 0, note, &found);
      if (more < 0) got = -1;
    }
    if (got < 0) return failure("ask for the accept queues of listeners", std::strerror(errno));
  }
  return found;
}

}  // namespace tcpwitness
