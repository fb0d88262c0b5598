// SPDX-License-Identifier: Apache-2.0
// listeners.cpp: look-up of listening sockets; few and long-lived, so plain maps.
#include "correlate/listeners.hpp"

#include <algorithm>

namespace tcpwitness {
namespace {

constexpr std::size_t closed_limit = 256;

}  // namespace

bool serves(const Address& listening, const Address& local) { return listening.is_unspecified() || listening == local; }

void Listeners::opened(std::uint64_t cookie, const Endpoint& local, const Owner& owner, TimeNs since) {
  if (cookie == 0) return;
  closed(cookie, since);
  by_cookie_[cookie] = Listener{.cookie = cookie, .local = local, .owner = owner, .opener = owner, .opened_ns = since};
  by_port_[local.port].push_back(cookie);
}

void Listeners::closed(std::uint64_t cookie, TimeNs then) {
  const auto found = by_cookie_.find(cookie);
  if (found == by_cookie_.end()) return;
  if (closed_.size() >= closed_limit) closed_.pop_front();
  closed_.push_back(found->second);
  closed_.back().closed_ns = then;
  const auto port = by_port_.find(found->second.local.port);
  if (port != by_port_.end()) {
    std::erase(port->second, cookie);
    if (port->second.empty()) by_port_.erase(port);
  }
  by_cookie_.erase(found);
}

bool Listeners::owned(std::uint64_t cookie, const Owner& owner, TimeNs then) {
  constexpr std::int64_t look_lasts_ns = 1'000'000'000;
  const auto found = by_cookie_.find(cookie);
  if (found == by_cookie_.end()) return false;
  Listener& listener = found->second;
  const bool anew = listener.looked_ns == 0 || then - listener.looked_ns > look_lasts_ns;
  if (anew) {
    listener.looked_ns = then;
    listener.ambiguous = false;
  }
  const bool has_opener = listener.opener.pid != 0;
  if (has_opener && owner.pid == listener.opener.pid) {
    listener.owner = listener.opener;
    listener.ambiguous = false;
  } else if (anew) {
    listener.owner = owner;
  } else if (has_opener && listener.owner.pid == listener.opener.pid) {
    // It has the socket, too.
  } else if (listener.owner.pid != owner.pid) {
    // Two processes hold it: either may accept.
    listener.ambiguous = true;
    listener.owner = Owner{};
  }
  return true;
}

bool Listeners::any_left_behind(const std::function<bool(std::uint32_t pid)>& is_gone) {
  bool any = false;
  for (auto& [cookie, listener] : by_cookie_) {
    const std::uint32_t pid = listener.owner.pid;
    if (pid == 0 || listener.asked == pid || !is_gone(pid)) continue;
    listener.asked = pid;
    any = true;
  }
  return any;
}

const Listener* Listeners::find(std::uint64_t cookie) const {
  const auto found = by_cookie_.find(cookie);
  return found == by_cookie_.end() ? nullptr : &found->second;
}

const Listener* Listeners::find(const Endpoint& local, TimeNs then) const {
  const Listener* exact = nullptr;
  const Listener* wildcard = nullptr;
  bool several = false;
  const auto consider = [&](const Listener& listener) {
    if (!serves(listener.local.address, local.address) || !listener.is_open_at(then)) return;
    const Listener*& place = listener.local.address.is_unspecified() ? wildcard : exact;
    // SO_REUSEPORT: several sockets of one address; the child's is unknown unless one process owns them all.
    several = several || (place != nullptr && place->owner.pid != listener.owner.pid);
    place = &listener;
  };
  if (const auto port = by_port_.find(local.port); port != by_port_.end()) {
    for (const std::uint64_t cookie : port->second) consider(by_cookie_.at(cookie));
  }
  for (auto closed = closed_.rbegin(); closed != closed_.rend() && closed->closed_ns > then; ++closed) {
    if (closed->local.port == local.port) consider(*closed);
  }
  if (several) return nullptr;
  return exact != nullptr ? exact : wildcard;
}

bool Listeners::has(const Endpoint& local) const {
  const auto port = by_port_.find(local.port);
  return port != by_port_.end() && std::ranges::any_of(port->second, [&](std::uint64_t cookie) {
           return serves(by_cookie_.at(cookie).local.address, local.address);
         });
}

}  // namespace tcpwitness
