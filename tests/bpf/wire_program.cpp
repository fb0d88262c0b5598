// SPDX-License-Identifier: Apache-2.0
// See wire_program.hpp. BPF_PROG_TEST_RUN takes the devices from the caller's network namespace: that is
// why the namespace is the thread's, not merely a descriptor.
#include "bpf/wire_program.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "probe/log.hpp"
#include "wire.skel.h"

namespace tcpwitness::wire_test {
namespace {

constexpr const char* set_up =
    "ip link set lo up && ip link add tw0 address 02:00:00:00:00:02 type veth peer name tw1 && ip link set tw0 up && "
    "ip link set tw1 up && "
    "ip addr add 10.0.0.1/24 dev tw0 && ip addr add 2001:db8:1::1/64 dev tw0 nodad";

// Reads one member of a struct of the object, wherever it stands there; false where there is none.
template <typename T>
bool read_member(const btf* types, const btf_type* of, std::string_view name, const std::uint8_t* from, T& into) {
  for (std::uint32_t i = 0; i < btf_vlen(of); ++i) {
    const btf_member& member = btf_members(of)[i];
    if (name != btf__name_by_offset(types, member.name_off)) continue;
    if (btf__resolve_size(types, member.type) != sizeof(T)) return false;
    std::memcpy(&into, from + btf_member_bit_offset(of, i) / 8, sizeof(T));
    return true;
  }
  return false;
}

std::string probe() {
  if (geteuid() != 0) return "BPF tests need root";
  auto netns = OwnNamespace::enter();
  if (!netns) return netns.error().message();
  const bpf_insn pass[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
                           {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  const UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_XDP, "probe", "GPL", pass, 2, nullptr));
  if (!program.valid()) return std::string("this machine refuses BPF programs: ") + std::strerror(errno);
  if (measure_program(program.get(), true, Bytes(64, 0), 1) < 0)
    return std::string("this machine refuses BPF_PROG_TEST_RUN: ") + std::strerror(errno);
  return {};
}

}  // namespace

std::string_view name_of(Hook hook) {
  constexpr std::array names{"wire_egress",     "wire_egress_ip", "wire_ingress",
                             "wire_ingress_ip", "wire_xdp",       "wire_xdp_ip"};
  return names[static_cast<std::size_t>(hook)];
}
bool is_outgoing(Hook hook) { return hook == Hook::egress || hook == Hook::egress_ip; }
bool is_raw_ip(Hook hook) { return hook == Hook::egress_ip || hook == Hook::ingress_ip || hook == Hook::xdp_ip; }
bool is_xdp(Hook hook) { return hook == Hook::xdp || hook == Hook::xdp_ip; }
std::uint8_t reported_as(Hook hook) {
  if (is_xdp(hook)) return TW_HOOK_XDP;
  return is_outgoing(hook) ? TW_HOOK_TC_EGRESS : TW_HOOK_TC_INGRESS;
}
std::uint32_t passing_verdict(Hook hook) {
  return is_xdp(hook) ? static_cast<std::uint32_t>(XDP_PASS) : static_cast<std::uint32_t>(TC_ACT_UNSPEC);
}

int WireProgram::take_record(void* into, void* data, std::size_t size) {
  tw_segment record{};
  // Another size stays a record of kind NONE.
  if (size == sizeof(record) || size > sizeof(record) + sizeof(tw_frame)) std::memcpy(&record, data, sizeof(record));
  auto& received = *static_cast<Received*>(into);
  received.segments.push_back(record);
  if (!received.keep_whole) return 0;
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  received.whole.emplace_back(bytes, bytes + size);
  return 0;
}

Result<OwnNamespace> OwnNamespace::enter() {
  UniqueFd before(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!before.valid()) return failure("open the network namespace", std::strerror(errno));
  if (unshare(CLONE_NEWNET) != 0) return failure("make a network namespace", std::strerror(errno));
  OwnNamespace entered(std::move(before));
  if (std::system(set_up) != 0) return failure("set up the interfaces of a test namespace", "ip failed, see above");
  return entered;
}

std::uint32_t current_netns() {
  struct stat file{};
  return ::stat("/proc/thread-self/ns/net", &file) == 0 ? static_cast<std::uint32_t>(file.st_ino) : 0;
}

OwnNamespace::~OwnNamespace() {
  if (before_.valid() && setns(before_.get(), CLONE_NEWNET) != 0) std::abort();
}

Result<std::unique_ptr<WireProgram>> WireProgram::load(const Settings& settings) {
  capture_libbpf_log();
  auto netns = OwnNamespace::enter();
  if (!netns) return std::unexpected(netns.error());
  std::unique_ptr<WireProgram> loaded(new WireProgram(std::move(*netns)));
  loaded->skeleton_ = wire_bpf::open();
  if (!loaded->skeleton_) return failure("open the wire object", take_libbpf_log());
  loaded->skeleton_->rodata->config = settings.config;
  if (settings.own_netns) loaded->skeleton_->rodata->config.netns = current_netns();
  if (settings.config.tick_us == 0) {  // a jiffy of this kernel
    timespec tick{};
    ::clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
    loaded->skeleton_->rodata->config.tick_us = static_cast<std::uint32_t>(tick.tv_nsec / 1000);
  }
  bpf_map__set_max_entries(loaded->skeleton_->maps.events, settings.ring_bytes);
  bpf_map__set_max_entries(loaded->skeleton_->maps.flows, settings.flows);
  loaded->skeleton_->rodata->config.some_hosts = settings.hosts.empty() ? 0 : 1;
  bpf_map__set_max_entries(loaded->skeleton_->maps.hosts, static_cast<std::uint32_t>(settings.hosts.size()) + 1);
  if (wire_bpf::load(loaded->skeleton_) != 0) return failure("load the wire object", take_libbpf_log());
  const std::uint8_t present = 1;
  for (const tw_host& host : settings.hosts) {
    if (bpf_map_update_elem(bpf_map__fd(loaded->skeleton_->maps.hosts), &host, &present, BPF_ANY) != 0)
      return failure("set a host", std::strerror(errno));
  }
  std::uint64_t own = 0;  // as in set_up
  std::memcpy(&own, own_address.data(), own_address.size());
  if (bpf_map_update_elem(bpf_map__fd(loaded->skeleton_->maps.own_addresses), &own, &present, BPF_ANY) != 0)
    return failure("know the link address", std::strerror(errno));
  loaded->ring_ =
      ring_buffer__new(bpf_map__fd(loaded->skeleton_->maps.events), take_record, &loaded->received_, nullptr);
  if (!loaded->ring_) return failure("open the ring", take_libbpf_log());
  loaded->first_ = if_nametoindex("tw0");
  loaded->second_ = if_nametoindex("tw1");
  return loaded;
}

int WireProgram::ring_fd() const { return bpf_map__fd(skeleton_->maps.events); }

WireProgram::~WireProgram() {
  ring_buffer__free(ring_);
  wire_bpf::destroy(skeleton_);
}

int WireProgram::program(Hook hook) const {
  const auto& programs = skeleton_->progs;
  const std::array all{programs.wire_egress,     programs.wire_egress_ip, programs.wire_ingress,
                       programs.wire_ingress_ip, programs.wire_xdp,       programs.wire_xdp_ip};
  return bpf_program__fd(all[static_cast<std::size_t>(hook)]);
}

Outcome WireProgram::run(Hook hook, const Bytes& frame, const Arrival& arrival, bool drain_after) {
  Outcome outcome;
  outcome.after.resize(frame.size() + 256);
  const std::uint32_t ifindex = arrival.ifindex != 0 ? arrival.ifindex : first_;
  __sk_buff skb{};
  skb.ifindex = ifindex;
  skb.gso_segs = arrival.gso_segs;
  skb.gso_size = arrival.gso_size;
  skb.data_end = arrival.linear;
  xdp_md xdp{};
  xdp.ingress_ifindex = ifindex;
  xdp.data_end = static_cast<std::uint32_t>(frame.size());

  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.data_out = outcome.after.data();
  options.data_size_out = static_cast<std::uint32_t>(outcome.after.size());
  options.ctx_in = is_xdp(hook) ? static_cast<const void*>(&xdp) : static_cast<const void*>(&skb);
  options.ctx_size_in = is_xdp(hook) ? sizeof(xdp) : sizeof(skb);
  options.repeat = 1;
  outcome.error = bpf_prog_test_run_opts(program(hook), &options);
  outcome.verdict = options.retval;
  outcome.after.resize(outcome.error == 0 ? options.data_size_out : 0);
  if (!drain_after) return outcome;
  received_ = {};
  received_.keep_whole = true;
  ring_buffer__consume(ring_);
  outcome.records = std::move(received_.segments);
  outcome.whole = std::move(received_.whole);
  return outcome;
}

Result<UniqueFd> WireProgram::attach_ingress(Hook hook, std::uint32_t ifindex) {
  constexpr auto tcx_ingress = static_cast<bpf_attach_type>(46);  // linux/bpf.h of 6.6
  const int fd = bpf_link_create(program(hook), static_cast<int>(ifindex), tcx_ingress, nullptr);
  if (fd < 0) return failure("attach to tcx ingress (Linux 6.6)", std::strerror(-fd));
  return UniqueFd(fd);
}

std::vector<tw_segment> WireProgram::drain() {
  received_ = {};
  ring_buffer__consume(ring_);
  return std::move(received_.segments);
}

double WireProgram::measure(Hook hook, const Bytes& frame, std::uint32_t repeat) {
  return measure_program(program(hook), is_xdp(hook), frame, repeat);
}

double measure_program(int program, bool xdp, const Bytes& frame, std::uint32_t repeat) {
  // XDP runs may move the frame's end only with room behind it; nothing is asked back.
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = static_cast<int>(repeat);
  xdp_md on_tw0{};
  __sk_buff on_tw0_skb{};
  on_tw0.ingress_ifindex = on_tw0_skb.ifindex = if_nametoindex("tw0");
  on_tw0.data_end = options.data_size_in;
  options.ctx_in = xdp ? static_cast<const void*>(&on_tw0) : static_cast<const void*>(&on_tw0_skb);
  options.ctx_size_in = xdp ? sizeof(on_tw0) : sizeof(on_tw0_skb);
  return bpf_prog_test_run_opts(program, &options) == 0 ? static_cast<double>(options.duration) : -1;
}

std::vector<tw_cpu_state> WireProgram::cpu_states() const {
  const auto cpus = static_cast<std::size_t>(libbpf_num_possible_cpus());
  std::vector<tw_cpu_state> states(cpus);
  const std::uint32_t key = 0;
  if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.cpu_states), &key, states.data()) != 0) return {};
  return states;
}

std::size_t WireProgram::flow_count() const {
  const int map = bpf_map__fd(skeleton_->maps.flows);
  std::size_t count = 0;
  tw_tuple key{};
  for (const tw_tuple* previous = nullptr; bpf_map_get_next_key(map, previous, &key) == 0; previous = &key) count++;
  return count;
}

std::optional<Half> WireProgram::half(const Endpoint& local, const Endpoint& remote, bool outgoing) const {
  tw_tuple key{};
  std::ranges::copy(local.address, key.local_addr);
  std::ranges::copy(remote.address, key.remote_addr);
  key.local_port = local.port;
  key.remote_port = remote.port;
  Bytes flow(bpf_map__value_size(skeleton_->maps.flows));
  if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.flows), &key, flow.data()) != 0) return std::nullopt;
  const btf* types = bpf_object__btf(skeleton_->obj);
  const auto type_of = [&](const char* name) {
    const int id = btf__find_by_name_kind(types, name, BTF_KIND_STRUCT);
    return id < 0 ? nullptr : btf__type_by_id(types, static_cast<std::uint32_t>(id));
  };
  const btf_type* whole = type_of("tw_flow");
  const btf_type* part = type_of("tw_half");
  if (whole == nullptr || part == nullptr) return std::nullopt;
  std::size_t begin = flow.size();
  for (std::uint32_t i = 0; i < btf_vlen(whole); ++i) {
    if (std::string_view("half") == btf__name_by_offset(types, btf_members(whole)[i].name_off))
      begin = btf_member_bit_offset(whole, i) / 8;
  }
  if (outgoing) begin += part->size;
  if (begin + part->size > flow.size()) return std::nullopt;
  const std::uint8_t* at = flow.data() + begin;
  Half half;
  const bool read = read_member(types, part, "nxt", at, half.nxt) && read_member(types, part, "isn", at, half.isn) &&
                    read_member(types, part, "fin_end", at, half.fin_end) &&
                    read_member(types, part, "seen", at, half.seen) && read_member(types, part, "syn", at, half.syn) &&
                    read_member(types, part, "fin", at, half.fin) &&
                    read_member(types, part, "fin_acked", at, half.fin_acked) &&
                    read_member(types, part, "zero_window", at, half.zero_window);
  return read ? std::optional(half) : std::nullopt;
}

const std::string& why_not() {
  static const std::string reason = probe();
  return reason;
}

}  // namespace tcpwitness::wire_test
