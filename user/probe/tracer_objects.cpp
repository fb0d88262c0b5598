// SPDX-License-Identifier: Apache-2.0
// tracer_objects.cpp: a tracer's programs and maps, loaded and verified; nothing is attached yet.
#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>
#include <future>
#include <system_error>
#include <type_traits>

#include "probe/kernel_hooks.hpp"
#include "probe/tracer_impl.hpp"

namespace tcpwitness {
namespace {

// The networks that the programs of all objects look up.
Result<void> set_hosts(const bpf_map* map, const std::vector<Prefix>& hosts) {
  for (const Prefix& host : hosts) {
    tw_host key{.prefix_bits = host.bits, .addr = {}};
    std::ranges::copy(host.address.bytes, std::begin(key.addr));
    const __u8 present = 1;
    if (bpf_map_update_elem(bpf_map__fd(map), &key, &present, BPF_ANY) != 0)
      return failure("set the host filter", std::strerror(errno));
  }
  return {};
}

}  // namespace

void Tracer::Impl::configure() {
  config = {};
  config.netns = features.netns_inode;
  config.tick_us = features.tick_us;
  config.wake_bytes = static_cast<std::uint32_t>(settings.ring_bytes / 4);
  config.packets_all = settings.packets_all ? 1 : 0;
  // The wire alone has no other word of a transition than its cause.
  config.no_timeline = settings.kernel && !settings.timeline ? 1 : 0;
  config.snaplen = settings.snaplen;
  config.forwarded = settings.forwarded ? 1 : 0;
  if (settings.kernel && settings.digests && features.map_walk && !disabled.has("digests"))
    config.digests = static_cast<__u8>(settings.wire == WireMode::none ? TW_DIGESTS_OF_KERNEL : TW_DIGESTS);
  config.has_reset_reason = has_argument("tcp_send_reset", 2, disabled) ? 1 : 0;
  config.has_retransmit_err = has_argument("tcp_retransmit_skb", 2, disabled) ? 1 : 0;
  config.has_drop_sk = has_argument("kfree_skb", 3, disabled) ? 1 : 0;
  config.some_ports = settings.ports.empty() ? 0 : 1;
  for (const PortRange& range : settings.ports) {
    for (std::uint32_t port = range.first; port <= range.last; ++port)
      config.ports[port >> 3U] |= static_cast<__u8>(1U << (port & 7U));
  }
  config.some_hosts = settings.hosts.empty() ? 0 : 1;
}

Result<void> Tracer::Impl::make_maps() {
  constexpr std::uint32_t unused = 64;
  const bool digests = config.digests != TW_DIGESTS_NONE;
  SwitchedOff off;
  auto loaded = load_skeleton<shared_bpf>("shared", off, [&](shared_bpf& one) {
    const auto size = [](bpf_map* map, std::size_t entries) {
      bpf_map__set_max_entries(map, static_cast<std::uint32_t>(entries));
    };
    size(one.maps.events, settings.listing ? static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) : settings.ring_bytes);
    size(one.maps.flows, settings.listing ? unused : settings.flows);
    size(one.maps.owners, settings.listing || !settings.kernel ? unused : settings.flows);
    if (!digests) size(one.maps.digests, unused);
    if (settings.listing || !settings.kernel) size(one.maps.disconnections, unused);
    size(one.maps.hosts, std::max<std::size_t>(1, settings.hosts.size()));
  });
  if (!loaded) return std::unexpected(loaded.error());
  shared = std::move(*loaded);
  return set_hosts(shared->maps.hosts, settings.hosts);
}

template <typename Maps>
void Tracer::Impl::share_maps(Maps& maps) const {
  const auto share = [](bpf_map* mine, const bpf_map* theirs) { bpf_map__reuse_fd(mine, bpf_map__fd(theirs)); };
  share(maps.events, shared->maps.events);
  share(maps.cpu_states, shared->maps.cpu_states);
  share(maps.flows, shared->maps.flows);
  share(maps.disconnections, shared->maps.disconnections);
  share(maps.translations, shared->maps.translations);
  share(maps.digests, shared->maps.digests);
  share(maps.owners, shared->maps.owners);
  share(maps.hosts, shared->maps.hosts);
}

template <typename Skeleton>
Result<SkeletonPtr<Skeleton>> Tracer::Impl::load_object(const std::string& object, SwitchedOff& off) {
  return load_skeleton<Skeleton>(
      object, off,
      [&](Skeleton& one) {
        one.rodata->config = config;
        share_maps(one.maps);
        if constexpr (std::is_same_v<Skeleton, wire_bpf>) share_arrivals(one);
      },
      types);
}

Result<void> Tracer::Impl::load_kernel() {
  SwitchedOff off;
  check_tracepoints(disabled, off);
  auto loaded = load_object<kernel_bpf>("kernel", off);
  if (!loaded) return std::unexpected(loaded.error());
  if (const auto state = off.find(kernel_state); state != off.end()) {
    kernel_missing = state->second;
    return {};
  }
  kernel = std::move(*loaded);
  kernel_off = std::move(off);
  return {};
}

void Tracer::Impl::go_on_without_kernel() {
  settings.kernel = false;
  configure();
}

Result<void> Tracer::Impl::detach_kernel(const std::string& why) {
  kernel_missing = why;
  kernel_links.clear();
  kernel_hooks.clear();
  has_transitions = false;
  snapshot.reset();
  go_on_without_kernel();
  load_icmp();
  for (const auto layer : {LinkLayer::ethernet, LinkLayer::raw_ip}) {
    auto& skeleton = wire_of(layer);
    if (!skeleton) continue;
    skeleton.reset();
    addresses_of = nullptr;
    if (auto programs = wire_programs(layer); !programs) return std::unexpected(programs.error());
  }
  return {};
}

Result<void> Tracer::Impl::load_snapshot() {
  if (config.digests == TW_DIGESTS_NONE) {
    for (const char* program : {"release_old", "release_all", "release_openings"}) snapshot_off.emplace(program, "");
  }
  if (!settings.samples) snapshot_off.emplace("snapshot_samples", "");
  for (const char* program : {"snapshot_tcp", "snapshot_owners"}) {
    if (disabled.has(std::string("load:") + program)) snapshot_off.emplace(program, "a test forbids it");
  }
  auto loaded = load_object<snapshot_bpf>("snapshot", snapshot_off);
  if (!loaded) return std::unexpected(loaded.error());
  snapshot = std::move(*loaded);
  return {};
}

void Tracer::Impl::load_icmp() {
  SwitchedOff off;
  auto loaded = load_object<icmp_bpf>("icmp", off);
  if (loaded)
    icmp = std::move(*loaded);
  else
    notice("ICMP messages are not seen: " + loaded.error().message());
}

Result<WirePrograms> Tracer::Impl::wire_programs(LinkLayer layer) {
  auto& skeleton = wire_of(layer);
  const std::string suffix = layer == LinkLayer::ethernet ? "" : "_ip";
  if (!skeleton) {
    SwitchedOff off{{"wire_xdp" + other_suffix(layer), ""},
                    {"wire_ingress" + other_suffix(layer), ""},
                    {"wire_egress" + other_suffix(layer), ""}};
    const bool xdp = settings.wire != WireMode::automatic && settings.wire != WireMode::tc;
    if (!xdp) off.emplace("wire_xdp" + suffix, "");
    for (const char* const program : {"wire_xdp", "wire_ingress", "wire_egress"}) {
      if (disabled.has(std::string("load:") + program)) off.emplace(program + suffix, "a test forbids it");
    }
    auto loaded = load_object<wire_bpf>("wire", off);
    if (!loaded) return std::unexpected(loaded.error());
    // One direction alone would make each connection look like one whose other side is silent.
    for (const char* const needed : {"wire_ingress", "wire_egress"}) {
      const auto refused = off.find(needed + suffix);
      if (refused != off.end()) return failure("load the wire programs", refused->second);
    }
    skeleton = std::move(*loaded);
  }
  const auto fd = [&](std::string name) {
    name += suffix;
    return bpf_program__fd(bpf_object__find_program_by_name(skeleton->obj, name.c_str()));
  };
  return WirePrograms{.xdp = fd("wire_xdp"), .ingress = fd("wire_ingress"), .egress = fd("wire_egress")};
}

Tracer::Impl::Refused Tracer::Impl::load_layers() {
  std::vector<LinkLayer> layers;
  layers.reserve(first.size() + 1);
  for (const auto& interface : first) layers.push_back(interface.layer);
  if (layers.empty()) layers.push_back(LinkLayer::ethernet);
  Refused refused;
  for (const LinkLayer layer : layers) {
    if (refused.contains(layer)) continue;
    if (auto programs = wire_programs(layer); !programs) refused.emplace(layer, programs.error().why);
  }
  return refused;
}

namespace {

// In a thread of its own. std::async makes none where the limit of processes is reached, and throws where a container's
// filter of system calls refuses one (EPERM for clone3(2)).
template <typename Work>
auto beside_if_possible(const Work& work) {
  try {
    return std::async(std::launch::async | std::launch::deferred, work);
  } catch (const std::system_error&) {
    return std::async(std::launch::deferred, work);
  }
}

}  // namespace

Result<void> Tracer::Impl::load_objects() {
  if (auto ok = make_maps(); !ok) return ok;
  std::future<Refused> layers;
  if (settings.wire != WireMode::none) layers = beside_if_possible([this] { return load_layers(); });
  if (settings.kernel) {
    if (auto ok = load_kernel(); !ok) return ok;
    if (kernel) {
      if (auto ok = load_snapshot(); !ok)
        notice("connections that exist already are not known: " + ok.error().message());
    }
  }
  load_icmp();
  Refused refused;
  if (layers.valid()) refused = layers.get();
  if (settings.kernel && !kernel) {  // other settings, and other programs
    go_on_without_kernel();
    for (auto& skeleton : wire) skeleton.reset();
    load_icmp();
    if (settings.wire != WireMode::none) refused = load_layers();
  }
  if (settings.wire != WireMode::none) leave_out(refused);
  return {};
}

void Tracer::Impl::leave_out(const Refused& refused) {
  if (refused.empty()) return;
  if (!wire[0] && !wire[1]) {
    wire_missing = refused.begin()->second;
    settings.wire = WireMode::none;
    first.clear();
    return;
  }
  std::erase_if(first, [&](const Interface& interface) {
    const auto why = refused.find(interface.layer);
    if (why == refused.end()) return false;
    notice("interface " + interface.name + " cannot be traced: " + why->second);
    return true;
  });
}

void Tracer::Impl::share_arrivals(wire_bpf& one) const {
  constexpr std::uint32_t unused = 64;
  const wire_bpf* other = wire[0] ? wire[0].get() : wire[1].get();
  if (other != nullptr) {
    bpf_map__reuse_fd(one.maps.arrivals, bpf_map__fd(other->maps.arrivals));
  } else if (!settings.forwarded) {
    bpf_map__set_max_entries(one.maps.arrivals, unused);
  }
}

}  // namespace tcpwitness
