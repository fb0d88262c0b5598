// SPDX-License-Identifier: Apache-2.0
#include "probe/tracer.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <future>
#include <iterator>
#include <optional>
#include <set>
#include <vector>

#include "probe/flow_fields.hpp"
#include "probe/grace_periods.hpp"
#include "probe/icmp.hpp"
#include "probe/kernel_fields.hpp"
#include "probe/kernel_hooks.hpp"
#include "probe/links.hpp"
#include "probe/port_count.hpp"
#include "probe/skeleton.hpp"
#include "probe/wire_hooks.hpp"
// After the ABI: the skeletons use its types.
#include "icmp.skel.h"
#include "kernel.skel.h"
#include "shared.skel.h"
#include "snapshot.skel.h"
#include "wire.skel.h"

namespace tcpwitness {
namespace {

struct LinkDestroy {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, LinkDestroy>;

tw_tuple to_tuple(const Flow& flow) { return std::bit_cast<tw_tuple>(to_pair(flow)); }

// One that user space makes itself, as an iterator would.
tw_socket socket_record(std::uint32_t netns) {
  tw_socket record{};
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  record.header.ts_ns = static_cast<__u64>(now.tv_sec) * 1'000'000'000 + static_cast<__u64>(now.tv_nsec);
  record.header.netns = netns;
  record.header.cpu = TW_NO_CPU;
  record.header.kind = TW_KIND_SOCKET;
  record.header.version = TW_ABI_VERSION;
  record.type = TW_SOCKET_NONE;
  return record;
}

tw_config make_config(const TracerSettings& settings, const Features& features, const DisabledFeatures& disabled) {
  tw_config config{};
  config.netns = features.netns_inode;
  config.tick_us = features.tick_us;
  config.wake_bytes = static_cast<std::uint32_t>(settings.ring_bytes / 4);
  config.packets_all = settings.packets_all ? 1 : 0;
  // The wire alone has no other word of a transition than its cause.
  config.no_timeline = settings.kernel && !settings.timeline ? 1 : 0;
  config.snaplen = settings.snaplen;
  config.forwarded = settings.forwarded ? 1 : 0;
  if (settings.kernel && settings.digests && !disabled.has("digests"))
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
  return config;
}

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

// A program of our own on a tracing hook: what attaching it may answer.
Result<Link> attach_program(bpf_program* program) {
  Link link(bpf_program__attach(program));
  if (!link) return failure(std::string("attach ") + bpf_program__name(program), std::strerror(errno));
  return link;
}

}  // namespace

struct Tracer::Impl {
  TracerSettings settings;
  Features features;
  Notice notice;
  tw_config config{};
  SkeletonPtr<shared_bpf> shared;  // the maps of all objects
  SkeletonPtr<kernel_bpf> kernel;
  SkeletonPtr<snapshot_bpf> snapshot;
  SkeletonPtr<icmp_bpf> icmp;
  IcmpSockets icmp_sockets;
  std::array<SkeletonPtr<wire_bpf>, 2> wire;  // Ethernet, layer 3; each loaded when needed
  SwitchedOff kernel_off;
  SwitchedOff snapshot_off;
  DisabledFeatures disabled{""};
  std::string types;  // "": the running kernel's
  // A witness that is wanted and cannot be had: why, and then the other one works as if it were not wanted.
  std::string kernel_missing;
  std::string wire_missing;
  std::vector<Link> kernel_links;
  std::vector<Hook> kernel_hooks;
  std::unique_ptr<WireAttacher> attacher;
  std::vector<WireHooks> wire_hooks;
  std::unique_ptr<Links> links;
  std::vector<Interface> first;  // to be attached at the start
  std::map<std::uint32_t, std::string> names;
  std::set<std::uint64_t> own_addresses;  // as wire[0] has them
  const wire_bpf* addresses_of = nullptr;
  bool has_transitions = false;
  std::uint64_t skipped = 0;
  std::uint64_t flows_forgotten = 0;  // taken out of the flow map by this process
  std::optional<FlowFields> fields_of_flows;

  [[nodiscard]] bpf_map* events() const { return shared->maps.events; }
  bool find_flow(const tw_tuple& key, std::vector<std::byte>& value) const {
    value.resize(bpf_map__value_size(flows()));
    return bpf_map_lookup_elem(bpf_map__fd(flows()), &key, value.data()) == 0;
  }
  [[nodiscard]] const FlowFields& flow_fields() {
    if (!fields_of_flows) fields_of_flows.emplace(shared->obj, flows());
    return *fields_of_flows;
  }
  [[nodiscard]] bpf_map* flows() const { return shared->maps.flows; }
  [[nodiscard]] bpf_map* cpu_states() const { return shared->maps.cpu_states; }

  // One ring, one flow map for all objects: bpf/shared.bpf.c.
  Result<void> make_maps() {
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
      size(one.maps.hosts, std::max<std::size_t>(1, settings.hosts.size()));
    });
    if (!loaded) return std::unexpected(loaded.error());
    shared = std::move(*loaded);
    return set_hosts(shared->maps.hosts, settings.hosts);
  }

  template <typename Maps>
  void share_maps(Maps& maps) const {
    const auto share = [](bpf_map* mine, const bpf_map* theirs) { bpf_map__reuse_fd(mine, bpf_map__fd(theirs)); };
    share(maps.events, shared->maps.events);
    share(maps.cpu_states, shared->maps.cpu_states);
    share(maps.flows, shared->maps.flows);
    share(maps.translations, shared->maps.translations);
    share(maps.digests, shared->maps.digests);
    share(maps.owners, shared->maps.owners);
    share(maps.hosts, shared->maps.hosts);
  }

  // Without the transitions the other hooks explain nothing: then the kernel as a whole is not a witness.
  Result<void> load_kernel() {
    SwitchedOff off;
    check_tracepoints(disabled, off);
    auto loaded = load_skeleton<kernel_bpf>(
        "kernel", off,
        [&](kernel_bpf& skeleton) {
          skeleton.rodata->config = config;
          share_maps(skeleton.maps);
        },
        types);
    if (!loaded) return std::unexpected(loaded.error());
    if (const auto state = off.find(kernel_state); state != off.end()) {
      kernel_missing = state->second;
      return {};
    }
    kernel = std::move(*loaded);
    kernel_off = std::move(off);
    return {};
  }

  void go_on_without_kernel() {
    settings.kernel = false;
    config = make_config(settings, features, disabled);
  }

  // kernel_state could be loaded and not be attached: the wire programs are made anew, as they would be without it.
  // What is loaded keeps the ring.
  Result<void> detach_kernel(const std::string& why) {
    kernel_missing = why;
    kernel_links.clear();
    kernel_hooks.clear();
    has_transitions = false;
    snapshot.reset();
    icmp.reset();
    go_on_without_kernel();
    for (const auto layer : {LinkLayer::ethernet, LinkLayer::raw_ip}) {
      auto& skeleton = wire_of(layer);
      if (!skeleton) continue;
      skeleton.reset();
      addresses_of = nullptr;
      if (auto programs = wire_programs(layer); !programs) return std::unexpected(programs.error());
    }
    return {};
  }

  Result<void> attach_kernel(const Tracer::Meanwhile& meanwhile) {
    auto& off = kernel_off;
    for (const auto& program : kernel_programs()) {
      const std::string name(program.program);
      Hook hook{.name = name,
                .target = std::string(program.group) + ":" + std::string(program.tracepoint),
                .mode = "tp_btf",
                .why = ""};
      auto reason = off.find(name);
      if (reason == off.end()) {
        auto link = attach_program(bpf_object__find_program_by_name(kernel->obj, name.c_str()));
        if (name == kernel_state && disabled.has("attach:kernel_state")) link = failure("attach", "a test forbids it");
        if (link) {
          kernel_links.push_back(std::move(*link));
          if (name == kernel_state) has_transitions = true;
          if (name.ends_with("_again")) continue;  // of the same tracepoint
        } else if (name == kernel_state) {
          return detach_kernel("its hook for transitions cannot be attached: " + link.error().why);
        } else {
          reason = off.emplace(name, link.error().why).first;
        }
      }
      if (reason != off.end()) {
        if (reason->second.empty()) continue;  // not needed on this kernel
        hook.mode = "off";
        hook.why = std::string(program.lost) + ": not traced, " + reason->second;
      }
      kernel_hooks.push_back(std::move(hook));
      meanwhile();
    }
    return {};
  }

  // Without the iterators only what has an event is known: while tracing that is no reason not to go on.
  Result<void> load_snapshot() {
    if (config.digests == TW_DIGESTS_NONE) {
      for (const char* program : {"release_old", "release_all", "release_openings"}) snapshot_off.emplace(program, "");
    }
    if (!settings.samples) snapshot_off.emplace("snapshot_samples", "");
    for (const char* program : {"snapshot_tcp", "snapshot_owners"}) {
      if (disabled.has(std::string("load:") + program)) snapshot_off.emplace(program, "a test forbids it");
    }
    auto loaded = load_skeleton<snapshot_bpf>(
        "snapshot", snapshot_off,
        [&](snapshot_bpf& one) {
          one.rodata->config = config;
          share_maps(one.maps);
        },
        types);
    if (!loaded) return std::unexpected(loaded.error());
    snapshot = std::move(*loaded);
    return {};
  }

  [[nodiscard]] SkeletonPtr<wire_bpf>& wire_of(LinkLayer layer) { return wire[layer == LinkLayer::ethernet ? 0 : 1]; }

  // Without these an error of the path has no sender: no reason not to go on.
  void load_icmp() {
    SwitchedOff off;
    auto loaded = load_skeleton<icmp_bpf>(
        "icmp", off,
        [&](icmp_bpf& one) {
          one.rodata->config = config;
          share_maps(one.maps);
        },
        types);
    if (loaded)
      icmp = std::move(*loaded);
    else
      notice("ICMP messages are not seen: " + loaded.error().message());
  }

  void attach_icmp() {
    if (!icmp) return;
    const auto& programs = icmp->progs;
    for (Hook& hook : icmp_sockets.attach(bpf_program__fd(programs.icmp_v4), bpf_program__fd(programs.icmp_v6)))
      kernel_hooks.push_back(std::move(hook));
  }

  // The programs of one link layer, loaded when the first interface of that layer is met: verifying
  // them is most of the start-up time, and most machines have no layer-3 device.
  Result<WirePrograms> wire_programs(LinkLayer layer) {
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
      auto loaded = load_skeleton<wire_bpf>(
          "wire", off,
          [&](wire_bpf& one) {
            one.rodata->config = config;
            share_maps(one.maps);
            share_arrivals(one);
          },
          types);
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

  static std::string other_suffix(LinkLayer layer) { return layer == LinkLayer::ethernet ? "_ip" : ""; }

  // Link layers whose programs cannot be had, and why.
  using Refused = std::map<LinkLayer, std::string>;

  // The programs for `first`. No interface yet: they are loaded now all the same, so that one that comes is attached at
  // once.
  Refused load_layers() {
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

  // Verifying takes most of the time until `ready`: the wire's programs are verified beside all others.
  Result<void> load_objects() {
    if (auto ok = make_maps(); !ok) return ok;
    std::future<Refused> layers;
    if (settings.wire != WireMode::none)
      layers = std::async(std::launch::async | std::launch::deferred, [this] { return load_layers(); });
    if (settings.kernel) {
      if (auto ok = load_kernel(); !ok) return ok;
      if (kernel) {
        if (auto ok = load_snapshot(); !ok)
          notice("connections that exist already are not known: " + ok.error().message());
        load_icmp();
      }
    }
    Refused refused;
    if (layers.valid()) refused = layers.get();
    if (settings.kernel && !kernel) {  // other settings, and other programs
      go_on_without_kernel();
      for (auto& skeleton : wire) skeleton.reset();
      if (settings.wire != WireMode::none) refused = load_layers();
    }
    if (settings.wire != WireMode::none) leave_out(refused);
    return {};
  }

  // An interface whose programs cannot be had is left out; without any the wire is.
  void leave_out(const Refused& refused) {
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

  // What is in flight between two interfaces, maybe of different link layers.
  void share_arrivals(wire_bpf& one) const {
    constexpr std::uint32_t unused = 64;
    const wire_bpf* other = wire[0] ? wire[0].get() : wire[1].get();
    if (other != nullptr) {
      bpf_map__reuse_fd(one.maps.arrivals, bpf_map__fd(other->maps.arrivals));
    } else if (!settings.forwarded) {
      bpf_map__set_max_entries(one.maps.arrivals, unused);
    }
  }

  // Whose frames are this machine's (bpf/wire.bpf.c, is_for_others()). Before an interface is attached.
  void know_addresses() {
    if (!wire[0]) return;  // those of layer 3 have none
    const bool anew = addresses_of != wire[0].get();
    if (!links->addresses_changed() && !anew) return;
    if (anew) own_addresses.clear();
    addresses_of = wire[0].get();
    const bpf_map* map = wire[0]->maps.own_addresses;
    constexpr std::uint64_t every = ~std::uint64_t{0};
    const auto add = [&](std::uint64_t address) {
      const __u8 present = 1;
      return bpf_map_update_elem(bpf_map__fd(map), &address, &present, BPF_ANY) == 0;
    };
    const auto remove = [&](std::uint64_t address) { bpf_map_delete_elem(bpf_map__fd(map), &address); };
    std::set<std::uint64_t> now;
    for (const auto& [index, interface] : links->all()) {
      std::uint64_t address = 0;
      std::memcpy(&address, interface.address.data(), interface.address.size());
      if (interface.layer == LinkLayer::ethernet) now.insert(address);
    }
    for (const std::uint64_t address : own_addresses) {
      if (!now.contains(address)) remove(address);
    }
    const bool fits = now.size() < bpf_map__max_entries(map);
    if (!fits) add(every);
    std::erase_if(now, [&](std::uint64_t address) { return !own_addresses.contains(address) && !add(address); });
    if (fits) remove(every);
    own_addresses = std::move(now);
  }

  Result<void> attach_interface(const Interface& interface) {
    const auto programs = wire_programs(interface.layer);
    if (!programs) return std::unexpected(programs.error());
    know_addresses();
    wire_hooks.push_back(attacher->attach(interface, *programs));
    return {};
  }

  [[nodiscard]] bool named(const Interface& interface) const {
    return settings.interfaces.empty() ||
           std::ranges::find(settings.interfaces, interface.name) != settings.interfaces.end();
  }
  // An interface is attached before it is up where that costs nothing, so that its first segment is not missed. Where
  // it may: XDP disturbs a driver, and the programs for layer 3 take their time to load.
  [[nodiscard]] bool wants(const Interface& interface) const {
    if (settings.wire == WireMode::none || interface.layer == LinkLayer::unsupported || interface.ifb) return false;
    if (!named(interface)) return false;
    const bool free = interface.layer == LinkLayer::ethernet &&
                      (settings.wire == WireMode::automatic || settings.wire == WireMode::tc);
    return interface.up || free;
  }

  // The interfaces to begin with: those asked for, or all.
  Result<void> choose_interfaces() {
    std::vector<Interface> all;
    for (const auto& [index, interface] : links->all()) {
      names[index] = interface.name;
      all.push_back(interface);
    }
    if (settings.wire == WireMode::none) return {};
    if (settings.interfaces.empty()) {
      std::ranges::copy_if(all, std::back_inserter(first), [&](const Interface& one) { return wants(one); });
      return {};
    }
    for (const auto& name : settings.interfaces) {
      auto interface = find_interface(all, name);
      if (!interface) return std::unexpected(interface.error());
      first.push_back(std::move(*interface));
    }
    return {};
  }

  [[nodiscard]] std::string why_not_attached() const {
    const auto off = std::ranges::find_if(wire_hooks, [](const WireHooks& one) { return !one.off.empty(); });
    return off == wire_hooks.end() ? "no hook could be attached" : off->off;
  }

  [[nodiscard]] std::string why_missing() const {
    std::string why;
    if (!kernel_missing.empty()) why += "the kernel is no witness: " + kernel_missing;
    if (!wire_missing.empty()) why += (why.empty() ? "" : "; ") + ("the wire is no witness: " + wire_missing);
    return why.empty() ? "no hook of either witness could be attached" : why;
  }

  // ---- what rtnetlink says ----

  [[nodiscard]] std::vector<WireHooks>::iterator hooks_of(std::uint32_t index) {
    return std::ranges::find(wire_hooks, index, [](const WireHooks& one) { return one.interface.index; });
  }

  bool came(const Interface& interface) {
    names[interface.index] = interface.name;
    if (!wants(interface)) return true;
    if (auto ok = attach_interface(interface); !ok) {
      notice("interface " + interface.name + " cannot be traced: " + ok.error().message());
      wire_hooks.push_back(
          WireHooks{.interface = interface, .hooks = {}, .off = ok.error().message(), .ingress = {}, .egress = {}});
      return true;
    }
    const WireHooks& made = wire_hooks.back();
    notice("interface " + interface.name + (interface.up ? " came up" : " appeared") + ": " +
           (made.off.empty() ? "traced from now on" : "not traced, " + made.off));
    return true;
  }

  bool changed(const LinkChange& change) {
    names[change.now.index] = change.now.name;
    const auto hooks = hooks_of(change.now.index);
    if (change.now.name != change.before.name && hooks != wire_hooks.end())
      notice("interface " + change.before.name + " is now called " + change.now.name);
    if (hooks == wire_hooks.end()) return came(change.now);
    hooks->interface = change.now;
    for (Hook& hook : hooks->hooks) hook.target = change.now.name;
    return true;
  }

  bool went(const Interface& interface) {
    const auto hooks = hooks_of(interface.index);
    if (hooks == wire_hooks.end()) return false;
    notice("interface " + interface.name + " is gone");
    wire_hooks.erase(hooks);
    return true;
  }

  // Reads one iterator to its end, record by record. map: what it goes over, where that is a map.
  template <typename Record>
  Result<void> read_iterator(bpf_program* program, const Tracer::OnRecord& record, int map = -1) {
    if (bpf_program__fd(program) < 0) {
      const auto off = snapshot_off.find(bpf_program__name(program));
      return failure("take the snapshot", off != snapshot_off.end() ? off->second : "the program is not loaded");
    }
    bpf_iter_link_info over{};
    over.map.map_fd = static_cast<std::uint32_t>(map);
    bpf_iter_attach_opts options{};
    options.sz = sizeof options;
    options.link_info = &over;
    options.link_info_len = sizeof over;
    Link link(bpf_program__attach_iter(program, map < 0 ? nullptr : &options));
    if (!link) return failure("take the snapshot", std::strerror(errno));
    const UniqueFd iterator(bpf_iter_create(bpf_link__fd(link.get())));
    if (!iterator.valid()) return failure("take the snapshot", std::strerror(errno));
    std::vector<std::byte> bytes(sizeof(Record) * 512);
    std::size_t have = 0;
    for (;;) {
      const ssize_t got = read(iterator.get(), bytes.data() + have, bytes.size() - have);
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got < 0) return failure("read the snapshot", std::strerror(errno));
      if (got == 0) return {};
      have += static_cast<std::size_t>(got);
      std::size_t done = 0;
      for (; have - done >= sizeof(Record); done += sizeof(Record))
        record(std::span(bytes).subspan(done, sizeof(Record)));
      std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(done), bytes.begin() + static_cast<std::ptrdiff_t>(have),
                bytes.begin());
      have -= done;
    }
  }
};

Tracer::Tracer() : impl_(std::make_unique<Impl>()) {}
Tracer::~Tracer() {
  detach([] {});
}

Result<std::unique_ptr<Tracer>> Tracer::load(const TracerSettings& settings, const Features& features,
                                             const DisabledFeatures& disabled, const Notice& notice) {
  capture_libbpf_log();
  std::unique_ptr<Tracer> tracer(new Tracer());
  auto& impl = *tracer->impl_;
  impl.settings = settings;
  impl.disabled = disabled;
  impl.types = types_without(disabled);
  impl.features = features;
  impl.notice = notice;
  impl.config = make_config(settings, features, disabled);
  if (settings.listing) {
    if (auto ok = impl.make_maps(); !ok) return std::unexpected(ok.error());
    if (auto ok = impl.load_snapshot(); !ok) return std::unexpected(ok.error());
    return tracer;
  }
  // Before anything is loaded: a wrong name is the user's to mend.
  auto links = Links::open();
  if (!links) return std::unexpected(links.error());
  impl.links = std::move(*links);
  if (auto chosen = impl.choose_interfaces(); !chosen) return std::unexpected(chosen.error());
  // All is loaded before anything is attached.
  if (auto ok = impl.load_objects(); !ok) return std::unexpected(ok.error());
  if (!impl.kernel && !impl.wire[0] && !impl.wire[1]) {
    if (impl.kernel_missing.empty() && impl.wire_missing.empty())
      return failure("trace", "neither the kernel's events nor packets are wanted");
    return failure("trace on Linux " + features.kernel_release, impl.why_missing());
  }
  impl.attacher = std::make_unique<WireAttacher>(settings.wire, features, disabled);
  return tracer;
}

Result<void> Tracer::attach(const Meanwhile& meanwhile) {
  // The kernel first: the wire first would show segments of sockets of which nothing else is known.
  if (impl_->settings.kernel) {
    if (auto ok = impl_->attach_kernel(meanwhile); !ok) return std::unexpected(ok.error());
    impl_->attach_icmp();
  }
  const ExpeditedGracePeriods quick(2 * impl_->first.size());
  for (const auto& interface : impl_->first) {
    if (auto ok = impl_->attach_interface(interface); !ok) return std::unexpected(ok.error());
    meanwhile();
  }
  // Without an interface there is nothing to attach to yet.
  if (!has_wire() && !impl_->first.empty()) impl_->wire_missing = impl_->why_not_attached();
  if (!has_kernel() && !has_wire())
    return failure("trace on Linux " + impl_->features.kernel_release, impl_->why_missing());
  return {};
}

std::vector<Hook> Tracer::hooks() const {
  std::vector<Hook> all;
  if (!impl_->kernel_missing.empty())
    all.push_back({.name = "kernel", .target = "", .mode = "off", .why = impl_->kernel_missing});
  if (!impl_->wire_missing.empty())
    all.push_back({.name = "wire", .target = "", .mode = "off", .why = impl_->wire_missing});
  all.insert(all.end(), impl_->kernel_hooks.begin(), impl_->kernel_hooks.end());
  for (const auto& interface : impl_->wire_hooks) all.insert(all.end(), interface.hooks.begin(), interface.hooks.end());
  return all;
}

int Tracer::ring_fd() const { return bpf_map__fd(impl_->events()); }
int Tracer::links_fd() const { return impl_->links->fd(); }
bool Tracer::has_kernel() const { return impl_->has_transitions; }
bool Tracer::has_wire() const {
  return std::ranges::any_of(impl_->wire_hooks, [](const WireHooks& one) { return one.ingress_on || one.egress_on; });
}
bool Tracer::every_interface() const {
  return impl_->settings.interfaces.empty() &&
         std::ranges::all_of(impl_->wire_hooks, [](const WireHooks& one) { return one.ingress_on && one.egress_on; });
}
const std::map<std::uint32_t, std::string>& Tracer::interface_names() const { return impl_->names; }

Result<void> Tracer::list_sockets(const OnRecord& record) {
  return impl_->read_iterator<tw_socket>(impl_->snapshot->progs.snapshot_tcp, record);
}

Result<void> Tracer::list_owners(const OnRecord& record) {
  return impl_->read_iterator<tw_owner>(impl_->snapshot->progs.snapshot_owners, record);
}

void Tracer::snapshot_sockets(const OnRecord& record) {
  if (!impl_->snapshot) return;
  const tw_socket all = socket_record(impl_->config.netns);  // what has not been reported by then is no socket any more
  if (auto ok = list_sockets(record); !ok) {
    impl_->notice("connections without an event of their own are not known: " + ok.error().message());
    return;
  }
  record(std::as_bytes(std::span(&all, 1)));
}

void Tracer::snapshot_owners(const OnRecord& record) {
  if (!impl_->snapshot) return;
  if (auto ok = list_owners(record); !ok)
    impl_->notice("owners of existing connections are not known: " + ok.error().message());
}

void Tracer::snapshot_close_wait_owners(const OnRecord& record) {
  if (!impl_->snapshot) return;
  if (auto ok = impl_->read_iterator<tw_owner>(impl_->snapshot->progs.snapshot_close_wait, record); !ok)
    impl_->notice("descriptors of sockets in CLOSE_WAIT are not known: " + ok.error().message());
}

void Tracer::snapshot_fin_wait2(const OnRecord& record) {
  if (!impl_->snapshot) return;
  if (auto ok = impl_->read_iterator<tw_socket>(impl_->snapshot->progs.snapshot_fin_wait2, record); !ok)
    impl_->notice("sockets in FIN_WAIT2 are not known: " + ok.error().message());
}

void Tracer::sample_sockets(const OnRecord& record) {
  if (!impl_->snapshot) return;
  if (auto ok = impl_->read_iterator<tw_sample>(impl_->snapshot->progs.snapshot_samples, record); !ok)
    impl_->notice("open connections are not sampled: " + ok.error().message());
}

void Tracer::snapshot_hops(const OnRecord& record) {
  if (!impl_->snapshot || !impl_->kernel) return;
  const int flows = bpf_map__fd(impl_->flows());
  if (auto ok = impl_->read_iterator<tw_socket>(impl_->snapshot->progs.snapshot_hops, record, flows); !ok)
    impl_->notice("the last counts of forwarded connections are not known: " + ok.error().message());
}

void Tracer::release_digests(Release which) {
  if (impl_->config.digests == TW_DIGESTS_NONE || !impl_->snapshot || !impl_->kernel) return;
  const auto go_over = [&](bpf_program* program, const bpf_map* map) {
    if (auto ok = impl_->read_iterator<tw_socket>(program, [](auto) {}, bpf_map__fd(map)); !ok)
      impl_->notice("what the kernel holds back of connections does not come: " + ok.error().message());
  };
  const auto& programs = impl_->snapshot->progs;
  const auto& maps = impl_->shared->maps;
  go_over(which == Release::old ? programs.release_old : programs.release_all, maps.digests);
  if (which == Release::all && impl_->config.digests == TW_DIGESTS) go_over(programs.release_openings, maps.flows);
}

void Tracer::count_ports(const PortsQuestion& question, const OnRecord& record) {
  if (!impl_->snapshot) return;
  snapshot_bpf& snapshot = *impl_->snapshot;
  tw_asked_ports asked{};
  std::memcpy(asked.remote_addr, question.remote.address.bytes.data(), sizeof(asked.remote_addr));
  asked.remote_port = question.remote.port;
  asked.netns = question.netns;
  const std::uint32_t zero = 0;
  if (bpf_map_update_elem(bpf_map__fd(snapshot.maps.asked_ports), &zero, &asked, BPF_ANY) != 0) return;
  PortCount count(question);
  const auto port = [&](std::span<const std::byte> bytes) { count.port(bytes); };
  const auto owner = [&](std::span<const std::byte> bytes) { count.owner(bytes); };
  auto ok = impl_->read_iterator<tw_port_seen>(snapshot.progs.snapshot_ports, port);
  if (ok) ok = impl_->read_iterator<tw_owner>(snapshot.progs.snapshot_port_owners, owner);
  if (!ok) {
    impl_->notice("who has the local ports is not known: " + ok.error().message());
    return;
  }
  const tw_ports found = count.result();
  record(std::as_bytes(std::span(&found, 1)));
}

bool Tracer::follow_interfaces() {
  bool changed = false;
  const std::vector<LinkChange> changes = impl_->links->changes();
  impl_->know_addresses();
  for (const LinkChange& change : changes) {
    switch (change.what) {
      case LinkChange::What::appeared:
        changed |= impl_->came(change.now);
        break;
      case LinkChange::What::changed:
        changed |= impl_->changed(change);
        break;
      case LinkChange::What::gone:
        changed |= impl_->went(change.now);
        break;
    }
  }
  return changed;
}

void Tracer::detach(const Meanwhile& meanwhile) {
  impl_->kernel_links.clear();
  impl_->icmp_sockets.detach();
  const ExpeditedGracePeriods quick(2 * impl_->wire_hooks.size());
  while (!impl_->wire_hooks.empty()) {
    impl_->wire_hooks.pop_back();
    meanwhile();
  }
  if (impl_->attacher) impl_->attacher->detach_filters();
}

std::uint64_t Tracer::skipped_runs() {
  if (!impl_->kernel) return 0;
  std::uint64_t skipped = 0;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, impl_->kernel->obj) {
    // A miss of a second program costs nothing: where the first one missed too, that stands for both.
    if (std::string_view(bpf_program__name(program)).ends_with("_again")) continue;
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    const int fd = bpf_program__fd(program);
    if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0) skipped += info.recursion_misses;
  }
  if (skipped == 0) return 0;
  // The second programs saw to what the first were skipped for; that is counted later than the miss.
  std::uint64_t again = 0;
  for (const auto& state : cpu_states()) again += state.again;
  impl_->skipped = std::max(impl_->skipped, skipped - std::min(skipped, again));
  return impl_->skipped;
}

void Tracer::count_hops(const std::vector<Flow>& hops, const OnRecord& record) const {
  if (hops.empty()) return;
  const FlowFields& fields = impl_->flow_fields();
  std::vector<std::byte> entry;
  for (const Flow& hop : hops) {
    tw_socket found = socket_record(impl_->config.netns);
    found.tuple = to_tuple(hop);
    if (!impl_->find_flow(found.tuple, entry)) continue;
    found.wire = fields.wire(entry);
    found.loss = fields.loss(entry);
    found.has_wire = 1;
    record(std::as_bytes(std::span(&found, 1)));
  }
}

void Tracer::delete_flows(const std::vector<FlowToDelete>& hops) {
  if (hops.empty()) return;
  const FlowFields& fields = impl_->flow_fields();
  std::vector<std::byte> entry;
  const auto anothers = [&](const std::optional<std::uint32_t>& its, bool out) {
    const auto isn = fields.isn(entry, out);
    return isn && isn != its;
  };
  for (const FlowToDelete& hop : hops) {
    const tw_tuple key = to_tuple(hop.key);
    if (!impl_->find_flow(key, entry)) continue;
    const tw_wire_counters wire = fields.wire(entry);
    // A SYN begins the counters anew, with a number of its own.
    if (std::uint64_t{wire.segs_in} + wire.segs_out < hop.segments) continue;
    if (anothers(hop.isn_in, false) || anothers(hop.isn_out, true)) continue;
    if (bpf_map_delete_elem(bpf_map__fd(impl_->flows()), &key) == 0) ++impl_->flows_forgotten;
  }
}

std::uint64_t Tracer::evicted_flows() const {
  std::uint64_t added = 0;
  std::uint64_t removed = impl_->flows_forgotten;
  for (const auto& state : cpu_states()) {
    added += state.flows_added;
    removed += state.flows_removed;
  }
  const std::uint64_t kept = added - std::min(added, removed);
  if (kept == 0) return 0;
  const int flows = bpf_map__fd(impl_->flows());
  tw_tuple key{};
  std::uint64_t present = 0;
  for (const void* before = nullptr; present < kept && bpf_map_get_next_key(flows, before, &key) == 0; ++present)
    before = &key;
  return kept - present;
}

std::vector<tw_cpu_state> Tracer::cpu_states() const {
  const int cpus = libbpf_num_possible_cpus();
  std::vector<tw_cpu_state> states(cpus > 0 ? static_cast<std::size_t>(cpus) : 0);
  const std::uint32_t zero = 0;
  if (bpf_map_lookup_elem(bpf_map__fd(impl_->cpu_states()), &zero, states.data()) != 0) states.clear();
  return states;
}

}  // namespace tcpwitness
