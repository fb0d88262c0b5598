// SPDX-License-Identifier: Apache-2.0
#include "probe/features.hpp"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>

#include "values/unique_fd.hpp"

namespace tcpwitness {
namespace {

struct BtfFree {
  void operator()(btf* types) const { btf__free(types); }
};
using Btf = std::unique_ptr<btf, BtfFree>;

// By the system call: /proc need not be there.
bool in_user_namespace() {
  constexpr ino_t initial = 4026531837;  // PROC_USER_INIT_INO in include/linux/proc_ns.h
  struct stat mine{};
  return ::stat("/proc/self/ns/user", &mine) == 0 && mine.st_ino != initial;
}

std::uint64_t effective_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return 0;
  return std::uint64_t{sets[1].effective} << 32U | sets[0].effective;
}

// 0: it cannot be known.
std::uint32_t netns_inode() {
  struct stat netns{};
  if (::stat("/proc/self/ns/net", &netns) == 0) return static_cast<std::uint32_t>(netns.st_ino);
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const UniqueFd its(socket.valid() ? ::ioctl(socket.get(), SIOCGSKNS) : -1);
  return its.valid() && ::fstat(its.get(), &netns) == 0 ? static_cast<std::uint32_t>(netns.st_ino) : 0;
}

utsname system_name() {
  utsname system{};
  uname(&system);
  return system;
}

}  // namespace

const btf* kernel_types() {
  static const Btf types{btf__load_vmlinux_btf()};
  return types.get();
}

Result<void> check_privilege(const DisabledFeatures& disabled) {
  const std::uint64_t have = disabled.has("privilege") ? 0 : effective_capabilities();
  const auto has = [have](int capability) { return (have >> capability & 1U) != 0; };
  if (in_user_namespace()) {
    return failure(
        "load BPF programs",
        "this process is in a user namespace (a rootless container, unshare, PrivateUsers=yes), and the kernel "
        "takes capabilities from the initial one alone",
        "run it as root outside of it");
  }
  if (has(CAP_SYS_ADMIN) && has(CAP_NET_ADMIN)) return {};
  std::string missing;
  const auto need = [&](int capability, const char* word) {
    if (!has(capability)) missing += missing.empty() ? word : std::string(", ") + word;
  };
  need(CAP_BPF, "CAP_BPF");
  need(CAP_PERFMON, "CAP_PERFMON");
  need(CAP_NET_ADMIN, "CAP_NET_ADMIN");
  if (missing.empty()) return {};
  return failure("load BPF programs", "this process lacks " + missing,
                 "run it as root (sudo), or give the binary these capabilities with setcap");
}

Result<void> check_btf(const DisabledFeatures& disabled) {
  if (!disabled.has("btf") && kernel_types() != nullptr) return {};
  return failure("read the kernel's type information", "there is no /sys/kernel/btf/vmlinux",
                 "use a kernel built with CONFIG_DEBUG_INFO_BTF=y");
}

namespace {

std::uint32_t tick_us() {
  // The coarse clock's resolution is one jiffy (kernel/time/posix-timers.c: KTIME_LOW_RES).
  timespec resolution{};
  if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) != 0 || resolution.tv_nsec < 1000) return 4000;
  return static_cast<std::uint32_t>((resolution.tv_nsec + 500) / 1000);
}

std::vector<std::string> enum_names(const char* type_name, std::string_view prefix) {
  std::vector<std::string> names;
  const btf* types = kernel_types();
  // Not by kind: the enum is BTF_KIND_ENUM on some kernels, ENUM64 on others.
  const int id = types == nullptr ? -1 : btf__find_by_name(types, type_name);
  if (id < 0) return names;
  const btf_type* type = btf__type_by_id(types, static_cast<__u32>(id));
  const auto put = [&](std::uint64_t value, __u32 name_offset) {
    if (value >= 4096) return;
    std::string_view name = btf__name_by_offset(types, name_offset);
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    if (names.size() <= value) names.resize(value + 1);
    names[value] = name;
  };
  if (btf_is_enum(type)) {
    for (int i = 0; i < btf_vlen(type); i++)
      put(static_cast<std::uint32_t>(btf_enum(type)[i].val), btf_enum(type)[i].name_off);
  } else if (btf_is_enum64(type)) {
    for (int i = 0; i < btf_vlen(type); i++) put(btf_enum64_value(&btf_enum64(type)[i]), btf_enum64(type)[i].name_off);
  }
  return names;
}

}  // namespace

// Nothing without types: check_btf() reports that.
Result<void> check_kernel(const DisabledFeatures& disabled) {
  const std::vector<std::string> maps = enum_names("bpf_map_type", "BPF_MAP_TYPE_");
  const bool ring = !disabled.has("ring-buffer") && std::ranges::find(maps, "RINGBUF") != maps.end();
  if (ring || maps.empty()) return {};
  return failure("trace on kernel " + std::string(static_cast<const char*>(system_name().release)),
                 "it has no BPF ring buffer (since Linux 5.8)", "use a newer kernel");
}

namespace {

// "sock" for const struct sock *, "int" for const int.
std::string argument_type(const btf* types, __u32 id) {
  const btf_type* type = btf__type_by_id(types, id);
  while (type != nullptr && (btf_is_mod(type) || btf_is_typedef(type) || btf_is_ptr(type)))
    type = btf__type_by_id(types, type->type);
  return type == nullptr ? "" : btf__name_by_offset(types, type->name_off);
}

}  // namespace

DisabledFeatures DisabledFeatures::from_environment() {
  const char* list = std::getenv("TCPWITNESS_WITHOUT");
  return DisabledFeatures(list == nullptr ? "" : list);
}

DisabledFeatures::DisabledFeatures(std::string_view list) {
  std::istringstream words{std::string(list)};
  for (std::string word; std::getline(words, word, ',');) features_.push_back(word);
}

bool DisabledFeatures::has(std::string_view feature) const {
  return std::ranges::find(features_, feature) != features_.end();
}

std::vector<std::string> DisabledFeatures::after(std::string_view prefix) const {
  std::vector<std::string> rest;
  for (const std::string& feature : features_) {
    if (feature.starts_with(prefix)) rest.push_back(feature.substr(prefix.size()));
  }
  return rest;
}

Result<Features> find_features(const DisabledFeatures& disabled) {
  if (auto ok = check_kernel(disabled); !ok) return std::unexpected(ok.error());
  if (auto ok = check_privilege(disabled); !ok) return std::unexpected(ok.error());
  if (auto ok = check_btf(disabled); !ok) return std::unexpected(ok.error());
  Features found = read_features(disabled);
  if (found.netns_inode == 0)  // which the programs would take for every namespace
    return failure("know this network namespace", "there is no /proc, and the kernel does not say it of a socket",
                   "mount /proc");
  return found;
}

bool knows_tcx(const DisabledFeatures& disabled) {
  const std::vector<std::string> types = enum_names("bpf_attach_type", "BPF_");
  return !disabled.has("tcx") && std::ranges::find(types, "TCX_INGRESS") != types.end();
}

Features read_features(const DisabledFeatures& disabled) {
  Features found;
  found.kernel_release = static_cast<const char*>(system_name().release);
  found.tick_us = tick_us();
  found.reset_reasons = enum_names("sk_rst_reason", "SK_RST_REASON_");
  found.drop_reasons = enum_names("skb_drop_reason", "SKB_DROP_REASON_");
  found.tcx = !disabled.has("tcx");
  found.map_walk = !disabled.has("map-walk") &&
                   libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_for_each_map_elem, nullptr) == 1;
  found.xdp = !disabled.has("xdp");
  found.netns_inode = netns_inode();
  return found;
}

Tracepoint find_tracepoint(std::string_view name, const DisabledFeatures& disabled) {
  Tracepoint found;
  const btf* types = kernel_types();
  if (types == nullptr || disabled.has("tracepoint:" + std::string(name))) return found;
  const int id = btf__find_by_name_kind(types, ("btf_trace_" + std::string(name)).c_str(), BTF_KIND_TYPEDEF);
  if (id < 0) return found;
  // typedef -> pointer -> prototype; its first parameter is void *__data.
  const btf_type* type = btf__type_by_id(types, static_cast<__u32>(id));
  type = btf__type_by_id(types, type->type);
  if (type != nullptr && btf_is_ptr(type)) type = btf__type_by_id(types, type->type);
  if (type == nullptr || !btf_is_func_proto(type)) return found;
  found.present = true;
  for (int i = 1; i < btf_vlen(type); i++)
    found.argument_types.push_back(argument_type(types, btf_params(type)[i].type));
  return found;
}

}  // namespace tcpwitness
