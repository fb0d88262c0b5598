// SPDX-License-Identifier: Apache-2.0
// tracer_impl.hpp: what a Tracer has, for the files that do its work: tracer_objects.cpp loads programs and maps,
// tracer.cpp attaches the kernel's, tracer_interfaces.cpp the wire's, tracer_lists.cpp reads iterators and maps.
#pragma once

#include <bpf/libbpf.h>

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "probe/flow_fields.hpp"
#include "probe/icmp.hpp"
#include "probe/links.hpp"
#include "probe/skeleton.hpp"
#include "probe/tracer.hpp"
#include "probe/wire_hooks.hpp"
// After the ABI: the skeletons use its types.
#include "icmp.skel.h"
#include "kernel.skel.h"
#include "shared.skel.h"
#include "snapshot.skel.h"
#include "wire.skel.h"

namespace tcpwitness {

struct LinkDestroy {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, LinkDestroy>;

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
  // Why one of the two that is wanted cannot be had; then the other one works as if it were not wanted.
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
  std::int64_t clock_ahead_ns = 0;    // the records', of this process's
  std::uint64_t flows_forgotten = 0;  // taken out of the flow map by this process
  std::optional<FlowFields> fields_of_flows;

  [[nodiscard]] bpf_map* events() const { return shared->maps.events; }
  // Now, by the records' clock.
  [[nodiscard]] std::uint64_t kernel_ns() const;
  bool find_flow(const tw_tuple& key, std::vector<std::byte>& value) const;
  [[nodiscard]] const FlowFields& flow_fields();
  [[nodiscard]] bpf_map* flows() const { return shared->maps.flows; }
  [[nodiscard]] bpf_map* cpu_states() const { return shared->maps.cpu_states; }

  // What the programs know of the settings and of this kernel, from both.
  void configure();

  // One ring, one flow map for all objects: bpf/shared.bpf.c.
  Result<void> make_maps();
  template <typename Maps>
  void share_maps(Maps& maps) const;
  // With this configuration and these maps. Programs in `off` are not loaded; which could not be, and why, is added.
  template <typename Skeleton>
  Result<SkeletonPtr<Skeleton>> load_object(const std::string& object, SwitchedOff& off);

  // Without the transitions the other hooks explain nothing: then nothing of the kernel is traced.
  Result<void> load_kernel();
  void go_on_without_kernel();

  // kernel_state could be loaded and not be attached: the wire programs are made anew, as they would be without it.
  // What is loaded keeps the ring.
  Result<void> detach_kernel(const std::string& why);
  Result<void> attach_kernel(const Tracer::Meanwhile& meanwhile);

  // Without the iterators only what has an event is known: while tracing that is no reason not to go on.
  Result<void> load_snapshot();
  [[nodiscard]] SkeletonPtr<wire_bpf>& wire_of(LinkLayer layer) { return wire[layer == LinkLayer::ethernet ? 0 : 1]; }

  // Without these an error of the path has no sender: no reason not to go on.
  void load_icmp();
  void attach_icmp();

  // The programs of one link layer, loaded when the first interface of that layer is met: verifying
  // them is most of the start-up time, and most machines have no layer-3 device.
  Result<WirePrograms> wire_programs(LinkLayer layer);
  static std::string other_suffix(LinkLayer layer) { return layer == LinkLayer::ethernet ? "_ip" : ""; }

  // Link layers whose programs cannot be had, and why.
  using Refused = std::map<LinkLayer, std::string>;

  // The programs for `first`. No interface yet: they are loaded now all the same, so that one that comes is attached at
  // once.
  Refused load_layers();

  // Verifying takes most of the time until `ready`: the wire's programs are verified beside all others.
  Result<void> load_objects();

  // An interface whose programs cannot be had is left out; without any the wire is.
  void leave_out(const Refused& refused);

  // What is in flight between two interfaces, maybe of different link layers.
  void share_arrivals(wire_bpf& one) const;

  // Whose frames are this machine's (bpf/wire.bpf.c, is_for_others()). Before an interface is attached.
  void know_addresses();
  Result<void> attach_interface(const Interface& interface);
  [[nodiscard]] bool named(const Interface& interface) const;

  // An interface is attached before it is up where that costs nothing, so that its first segment is not missed. Where
  // it may: XDP disturbs a driver, and the programs for layer 3 take their time to load.
  [[nodiscard]] bool wants(const Interface& interface) const;

  // The interfaces to begin with: those asked for, or all.
  Result<void> choose_interfaces();
  [[nodiscard]] std::string why_not_attached() const;
  [[nodiscard]] std::string why_missing() const;

  // What rtnetlink reports.
  [[nodiscard]] std::vector<WireHooks>::iterator hooks_of(std::uint32_t index);
  bool came(const Interface& interface);
  bool changed(const LinkChange& change);
  bool went(const Interface& interface);

  // An administrator can take our programs away. Asked of a few interfaces each second.
  std::chrono::steady_clock::time_point looked_at_hooks;
  std::size_t next_hooks = 0;
  void look_for_lost_hooks(Tracer::InterfaceNews& news);
  bool is_lost(WireHooks& hooks) const;
  void attach_again(WireHooks& hooks);

  // Why a program of the snapshot is not loaded.
  [[nodiscard]] std::string why_off(const bpf_program* program) const;
  // Reads one iterator to its end, record by record.
  template <typename Record>
  Result<void> read_iterator(bpf_program* program, const Tracer::OnRecord& record);
  // Where it cannot be read, a notice of what is lost.
  template <typename Record>
  void read_or_notice(bpf_program* program, const Tracer::OnRecord& record, const char* lost);
  // What the flow map has counted, a tw_socket each.
  enum class Flows : std::uint8_t { of_sockets, hops };
  void read_flows(Flows which, const Tracer::OnRecord& record);
  [[nodiscard]] tw_socket flow_record(const tw_tuple& key, std::span<const std::byte> entry);
  // Runs a program of the snapshot once; what it returns.
  Result<std::uint32_t> run(const bpf_program* program);
};

}  // namespace tcpwitness
