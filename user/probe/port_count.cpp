// SPDX-License-Identifier: Apache-2.0
#include "probe/port_count.hpp"

#include <algorithm>
#include <cstring>

namespace tcpwitness {
namespace {

constexpr std::uint8_t tcp_time_wait = 6, tcp_close = 7, tcp_listen = 10;

}  // namespace

PortCount::PortCount(const PortsQuestion& question) : question_(question) {}

void PortCount::port(std::span<const std::byte> record) {
  tw_port_seen seen{};
  std::memcpy(&seen, record.data(), sizeof(seen));
  if (!wanted(seen.local_port) || seen.state == tcp_close) return;
  auto& set = seen.state == tcp_listen ? listening_ : seen.state == tcp_time_wait ? time_wait_ : open_;
  set.set(seen.local_port);
}

void PortCount::owner(std::span<const std::byte> record) {
  tw_owner owner{};
  std::memcpy(&owner, record.data(), sizeof(owner));
  const std::uint16_t port = owner.tuple.local_port;
  if (!wanted(port) || !open_.test(port)) return;
  std::vector<std::uint16_t>& ports = ports_by_process_[owner.actor.tgid];
  ports.push_back(port);
  tw_port_holder& holder = names_[owner.actor.tgid];
  holder.tgid = owner.actor.tgid;
  std::memcpy(holder.comm, owner.actor.comm, sizeof(holder.comm));
}

tw_ports PortCount::result(std::uint64_t now_ns) const {
  tw_ports found{};
  found.header.ts_ns = now_ns;
  found.header.netns = question_.netns;
  found.header.cpu = TW_NO_CPU;
  found.header.kind = TW_KIND_PORTS;
  found.header.version = TW_ABI_VERSION;
  std::memcpy(found.tuple.remote_addr, question_.remote.address.bytes.data(), sizeof(found.tuple.remote_addr));
  found.tuple.remote_port = question_.remote.port;
  found.first_port = question_.first;
  found.last_port = question_.last;
  // A port counts once, by what holds it hardest.
  found.open = static_cast<std::uint32_t>(open_.count());
  found.time_wait = static_cast<std::uint32_t>((time_wait_ & ~open_).count());
  found.listening = static_cast<std::uint32_t>((listening_ & ~open_ & ~time_wait_).count());
  std::vector<tw_port_holder> holders;
  std::bitset<65536> known;
  for (const auto& [tgid, ports] : ports_by_process_) {
    std::bitset<65536> own;
    for (const std::uint16_t port : ports) own.set(port);  // the same socket under two descriptors
    tw_port_holder holder = names_.at(tgid);
    holder.ports = static_cast<std::uint32_t>(own.count());
    holders.push_back(holder);
  }
  std::ranges::sort(holders, [](const auto& a, const auto& b) { return a.ports > b.ports; });
  if (holders.size() > TW_MAX_PORT_HOLDERS) holders.resize(TW_MAX_PORT_HOLDERS);
  for (std::size_t i = 0; i < holders.size(); ++i) {
    found.holders[i] = holders[i];
    for (const std::uint16_t port : ports_by_process_.at(holders[i].tgid)) known.set(port);
  }
  found.used_holders = static_cast<std::uint32_t>(holders.size());
  found.others = static_cast<std::uint32_t>((open_ & ~known).count());
  return found;
}

}  // namespace tcpwitness
