// SPDX-License-Identifier: Apache-2.0
#include "probe/listen_queues.hpp"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <span>

#include "probe/netlink.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint32_t listen_state = 1U << 10U;  // TCP_LISTEN

int note(nl_msg* message, void* data) {
  nlmsghdr* const header = nlmsg_hdr(message);
  if (nlmsg_valid_hdr(header, sizeof(inet_diag_msg)) == 0) return NL_OK;
  auto& found = *static_cast<std::unordered_map<std::uint64_t, ListenQueue>*>(data);
  const auto* socket = static_cast<const inet_diag_msg*>(nlmsg_data(header));
  const std::uint64_t cookie = std::uint64_t{socket->id.idiag_cookie[1]} << 32U | socket->id.idiag_cookie[0];
  found[cookie] = {.waiting = socket->idiag_rqueue, .limit = socket->idiag_wqueue};
  return NL_OK;
}

}  // namespace

Result<std::unordered_map<std::uint64_t, ListenQueue>> listen_queues() {
  constexpr const char* what_fails = "ask for the accept queues of listeners";
  std::unordered_map<std::uint64_t, ListenQueue> found;
  const auto socket = open_netlink(NETLINK_SOCK_DIAG);
  if (!socket) return failure(what_fails, socket.error());
  for (const int family : {AF_INET, AF_INET6}) {
    inet_diag_req_v2 what{};
    what.sdiag_family = static_cast<__u8>(family);
    what.sdiag_protocol = IPPROTO_TCP;
    what.idiag_states = listen_state;
    const int error =
        ask_netlink(socket->get(), SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, std::as_bytes(std::span(&what, 1)), note, &found);
    if (error != 0) return failure(what_fails, nl_geterror(error));
  }
  return found;
}

}  // namespace tcpwitness
