// SPDX-License-Identifier: Apache-2.0
#include "probe/links.hpp"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace tcpwitness {
namespace {

constexpr int receive_bytes = 4 << 20;  // a notice takes 2 to 4 KiB of it
constexpr int dump_patience_ms = 5000;
constexpr int dumps_at_most = 10;  // one that a change interrupted is begun again

}  // namespace

struct Links::Socket {
  mnl_socket* socket = nullptr;
  std::array<char, 32768> buffer{};  // the kernel's messages to a dump are at most so long

  Socket() = default;
  ~Socket() {
    if (socket != nullptr) mnl_socket_close(socket);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // -1 with errno.
  [[nodiscard]] ssize_t receive() { return mnl_socket_recvfrom(socket, buffer.data(), buffer.size()); }
};

Links::Links(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
Links::~Links() = default;

Result<std::unique_ptr<Links>> Links::open() {
  const auto failed = [] { return failure("ask for the network interfaces (rtnetlink)", std::strerror(errno)); };
  auto socket = std::make_unique<Socket>();
  socket->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket->socket == nullptr) return failed();
  const int fd = mnl_socket_get_fd(socket->socket);
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof receive_bytes) != 0)
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  if (mnl_socket_bind(socket->socket, RTMGRP_LINK, MNL_SOCKET_AUTOPID) != 0) return failed();
  std::unique_ptr<Links> links(new Links(std::move(socket)));
  std::vector<LinkChange> ignored;
  if (auto ok = links->dump(ignored); !ok) return std::unexpected(ok.error());
  return links;
}

int Links::fd() const { return mnl_socket_get_fd(socket_->socket); }

// Notices and the answers to a dump look alike and are taken in the order in which they come.
int Links::on_message(const nlmsghdr* message, void* context) {
  auto& self = *static_cast<Links*>(context);
  if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK) return MNL_CB_OK;
  const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  if (link->ifi_family != AF_UNSPEC) return MNL_CB_OK;  // a bridge says that a port came or went: the device stays
  const auto index = static_cast<std::uint32_t>(link->ifi_index);
  if (message->nlmsg_type == RTM_DELLINK) {
    self.forget(index);
    return MNL_CB_OK;
  }
  Interface found{.name = {}, .index = index};
  found.up = (link->ifi_flags & IFF_UP) != 0;
  found.loopback = (link->ifi_flags & IFF_LOOPBACK) != 0;
  found.hardware_type = link->ifi_type;
  found.layer = link_layer(link->ifi_type);
  const auto take_name = [](const nlattr* attribute, void* name) {
    if (mnl_attr_get_type(attribute) == IFLA_IFNAME) *static_cast<std::string*>(name) = mnl_attr_get_str(attribute);
    return MNL_CB_OK;
  };
  (void)mnl_attr_parse(message, sizeof(ifinfomsg), take_name, &found.name);
  if (!found.name.empty()) self.learn(found);
  return MNL_CB_OK;
}

void Links::learn(const Interface& interface) {
  seen_[interface.index] = true;
  const auto known = all_.find(interface.index);
  if (known == all_.end()) {
    all_.emplace(interface.index, interface);
    changes_->push_back({.what = LinkChange::What::appeared, .now = interface, .before = {}});
    return;
  }
  const Interface before = std::exchange(known->second, interface);
  if (before.name != interface.name || before.up != interface.up || before.layer != interface.layer)
    changes_->push_back({.what = LinkChange::What::changed, .now = interface, .before = before});
}

void Links::forget(std::uint32_t index) {
  const auto known = all_.find(index);
  if (known == all_.end()) return;
  changes_->push_back({.what = LinkChange::What::gone, .now = known->second, .before = {}});
  all_.erase(known);
}

Result<void> Links::dump(std::vector<LinkChange>& changes) {
  changes_ = &changes;
  const auto failed = [](int error) {
    return failure("read the network interfaces (rtnetlink)", std::strerror(error));
  };
  for (int attempt = 0; attempt < dumps_at_most; ++attempt) {
    seen_.clear();
    std::array<char, 256> request{};
    nlmsghdr* header = mnl_nlmsg_put_header(request.data());
    header->nlmsg_type = RTM_GETLINK;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = static_cast<std::uint32_t>(attempt) + 1;
    auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(header, sizeof(ifinfomsg)));
    link->ifi_family = AF_UNSPEC;
    mnl_attr_put_u32(header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    if (mnl_socket_sendto(socket_->socket, header, header->nlmsg_len) < 0) return failed(errno);
    int state = MNL_CB_OK;
    bool again = false;  // from the beginning: something changed meanwhile, or a notice was dropped
    while (state > MNL_CB_STOP) {
      pollfd ready{.fd = fd(), .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, dump_patience_ms) == 0) return failed(ETIMEDOUT);
      const ssize_t got = socket_->receive();
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got < 0 && errno == ENOBUFS) {
        again = true;
        continue;
      }
      if (got < 0) return failed(errno);
      state = mnl_cb_run(socket_->buffer.data(), static_cast<std::size_t>(got), 0, 0, on_message, this);
      if (state < 0 && errno == EINTR) {  // NLM_F_DUMP_INTR; what is left of this dump is read all the same
        again = true;
        state = MNL_CB_OK;
      }
    }
    if (state < 0) return failed(errno);
    if (again) continue;
    std::vector<std::uint32_t> gone;
    for (const auto& [index, interface] : all_) {
      if (!seen_.contains(index)) gone.push_back(index);
    }
    for (const std::uint32_t index : gone) forget(index);
    return {};
  }
  return failed(EAGAIN);
}

std::vector<LinkChange> Links::changes() {
  std::vector<LinkChange> changes;
  changes_ = &changes;
  for (;;) {
    const ssize_t got = socket_->receive();
    if (got > 0) {
      (void)mnl_cb_run(socket_->buffer.data(), static_cast<std::size_t>(got), 0, 0, on_message, this);
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ENOBUFS) {
      [[maybe_unused]] const auto done = dump(changes);  // failing that, the next notice is waited for
      continue;
    }
    return changes;
  }
}

}  // namespace tcpwitness
