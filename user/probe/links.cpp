// SPDX-License-Identifier: Apache-2.0
#include "probe/links.hpp"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include "probe/netlink.hpp"

namespace tcpwitness {
namespace {

constexpr int receive_bytes = 4 << 20;  // a notice takes 2 to 4 KiB of it
constexpr int dump_patience_ms = 5000;
constexpr int notices_dropped = NLE_NOMEM;  // ENOBUFS, in libnl's numbers
constexpr int dumps_at_most = 10;           // one that a change interrupted is begun again

// As `ip -d link` names it; "" for a card.
std::string_view kind_of(nlmsghdr* message) {
  const nlattr* info = nlmsg_find_attr(message, sizeof(ifinfomsg), IFLA_LINKINFO);
  const nlattr* kind =
      info != nullptr ? nla_find(static_cast<nlattr*>(nla_data(info)), nla_len(info), IFLA_INFO_KIND) : nullptr;
  if (kind == nullptr) return {};
  const std::string_view text(static_cast<const char*>(nla_data(kind)), static_cast<std::size_t>(nla_len(kind)));
  return text.substr(0, text.find('\0'));
}

}  // namespace

struct Links::Socket {
  NetlinkSocket socket;
  bool over = false;         // the dump that runs
  bool interrupted = false;  // it may lack an entry: something changed meanwhile (NLM_F_DUMP_INTR)
};

Links::Links(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
Links::~Links() = default;

Result<std::unique_ptr<Links>> Links::open() {
  constexpr const char* what = "ask for the network interfaces (rtnetlink)";
  auto opened = open_netlink(NETLINK_ROUTE);
  if (!opened) return failure(what, opened.error());
  nl_sock* const socket = opened->get();
  const int fd = nl_socket_get_fd(socket);
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof receive_bytes) != 0)
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  int error = nl_socket_set_nonblocking(socket);
  if (error == 0) error = nl_socket_add_membership(socket, RTNLGRP_LINK);
  if (error != 0) return failure(what, nl_geterror(error));
  nl_socket_disable_seq_check(socket);  // notices have no number
  std::unique_ptr<Links> links(new Links(std::make_unique<Socket>(std::move(*opened))));
  const auto set = [](nl_msg* /*message*/, void* flag) {
    *static_cast<bool*>(flag) = true;
    return static_cast<int>(NL_OK);
  };
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, links.get());
  nl_socket_modify_cb(socket, NL_CB_FINISH, NL_CB_CUSTOM, set, &links->socket_->over);
  nl_socket_modify_cb(socket, NL_CB_DUMP_INTR, NL_CB_CUSTOM, set, &links->socket_->interrupted);
  std::vector<LinkChange> ignored;
  if (auto ok = links->dump(ignored); !ok) return std::unexpected(ok.error());
  return links;
}

int Links::fd() const { return nl_socket_get_fd(socket_->socket.get()); }

// Notices and the answers to a dump look alike and are taken in the order in which they come.
int Links::on_message(nl_msg* of, void* context) {
  auto& self = *static_cast<Links*>(context);
  nlmsghdr* const message = nlmsg_hdr(of);
  if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK) return NL_OK;
  if (nlmsg_valid_hdr(message, sizeof(ifinfomsg)) == 0) return NL_OK;
  const auto* link = static_cast<const ifinfomsg*>(nlmsg_data(message));
  if (link->ifi_family != AF_UNSPEC) return NL_OK;  // a bridge reports that a port came or went: the device stays
  const auto index = static_cast<std::uint32_t>(link->ifi_index);
  if (message->nlmsg_type == RTM_DELLINK) {
    self.remove(index);
    return NL_OK;
  }
  Interface found{.name = {}, .index = index};
  found.up = (link->ifi_flags & IFF_UP) != 0;
  found.loopback = (link->ifi_flags & IFF_LOOPBACK) != 0;
  found.hardware_type = link->ifi_type;
  found.layer = link_layer(link->ifi_type);
  const nlattr* name = nlmsg_find_attr(message, sizeof(ifinfomsg), IFLA_IFNAME);
  if (name != nullptr) found.name = nla_get_string(name);
  const nlattr* address = nlmsg_find_attr(message, sizeof(ifinfomsg), IFLA_ADDRESS);
  if (address != nullptr && nla_len(address) == static_cast<int>(found.address.size()))
    std::memcpy(found.address.data(), nla_data(address), found.address.size());
  found.ifb = kind_of(message) == "ifb";
  // Wireless drivers send messages of the name alone.
  if (const auto known = self.all_.find(index); known != self.all_.end()) {
    if (address == nullptr) found.address = known->second.address;
    if (nlmsg_find_attr(message, sizeof(ifinfomsg), IFLA_LINKINFO) == nullptr) found.ifb = known->second.ifb;
  }
  if (!found.name.empty()) self.learn(found);
  return NL_OK;
}

void Links::learn(const Interface& interface) {
  seen_[interface.index] = true;
  const auto known = all_.find(interface.index);
  if (known == all_.end()) {
    all_.emplace(interface.index, interface);
    addresses_changed_ = true;
    changes_->push_back({.what = LinkChange::What::appeared, .now = interface, .before = {}});
    return;
  }
  const Interface before = std::exchange(known->second, interface);
  addresses_changed_ = addresses_changed_ || before.address != interface.address;
  if (before.name != interface.name || before.up != interface.up || before.layer != interface.layer)
    changes_->push_back({.what = LinkChange::What::changed, .now = interface, .before = before});
}

void Links::remove(std::uint32_t index) {
  const auto known = all_.find(index);
  if (known == all_.end()) return;
  changes_->push_back({.what = LinkChange::What::gone, .now = known->second, .before = {}});
  all_.erase(known);
  addresses_changed_ = true;
}

Result<void> Links::dump(std::vector<LinkChange>& changes) {
  changes_ = &changes;
  const auto failed = [](const char* why) { return failure("read the network interfaces (rtnetlink)", why); };
  for (int attempt = 0; attempt < dumps_at_most; ++attempt) {
    seen_.clear();
    const std::unique_ptr<nl_msg, void (*)(nl_msg*)> request(nlmsg_alloc_simple(RTM_GETLINK, NLM_F_DUMP), nlmsg_free);
    ifinfomsg link{};
    link.ifi_family = AF_UNSPEC;
    if (!request || nlmsg_append(request.get(), &link, sizeof link, NLMSG_ALIGNTO) != 0 ||
        nla_put_u32(request.get(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) != 0)
      return failed("out of memory");
    socket_->over = socket_->interrupted = false;
    if (const int error = nl_send_auto(socket_->socket.get(), request.get()); error < 0)
      return failed(nl_geterror(error));
    bool again = false;  // from the beginning: something changed meanwhile, or a notice was dropped
    while (!socket_->over) {
      pollfd ready{.fd = fd(), .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, dump_patience_ms) == 0) return failed(std::strerror(ETIMEDOUT));
      const int error = nl_recvmsgs_default(socket_->socket.get());
      if (error == -notices_dropped) again = true;
      if (error < 0 && error != -NLE_AGAIN && error != -NLE_INTR && error != -notices_dropped)
        return failed(nl_geterror(error));
    }
    if (again || socket_->interrupted) continue;
    std::vector<std::uint32_t> gone;
    for (const auto& [index, interface] : all_) {
      if (!seen_.contains(index)) gone.push_back(index);
    }
    for (const std::uint32_t index : gone) remove(index);
    return {};
  }
  return failed(std::strerror(EAGAIN));
}

std::vector<LinkChange> Links::changes() {
  std::vector<LinkChange> changes;
  changes_ = &changes;
  for (pollfd ready{.fd = fd(), .events = POLLIN, .revents = 0}; ::poll(&ready, 1, 0) > 0;) {
    const int error = nl_recvmsgs_default(socket_->socket.get());
    if (error >= 0 || error == -NLE_INTR) continue;
    if (error != -notices_dropped) break;
    [[maybe_unused]] const auto done = dump(changes);  // failing that, the next notice is waited for
  }
  return changes;
}

}  // namespace tcpwitness
