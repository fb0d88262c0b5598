// SPDX-License-Identifier: Apache-2.0
#include "probe/kernel_fields.hpp"

#include <bpf/btf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "values/unique_fd.hpp"

namespace tcpwitness {
namespace {

constexpr std::string_view keepalive = "when keep-alive probes are due";
constexpr std::string_view nagle = "waits for an acknowledgement that the peer delays";
constexpr std::string_view backlog = "whether a SYN queue that is full refuses";

constexpr std::array<KernelField, 24> fields{{
    {"tcp_sock", "srtt_us", "the round-trip time"},
    {"tcp_sock", "snd_cwnd", nagle},
    {"tcp_sock", "segs_in", "how many segments the kernel counted"},
    {"tcp_sock", "segs_out", "how many segments the kernel counted"},
    {"tcp_sock", "dsack_dups", "which retransmissions the peer did not need"},
    {"tcp_sock", "snd_sml", nagle},
    {"tcp_sock", "rtt_min", nagle},
    {"tcp_sock", "nonagle", nagle},
    {"tcp_sock", "keepalive_time", keepalive},
    {"tcp_sock", "keepalive_intvl", keepalive},
    {"tcp_sock", "keepalive_probes", keepalive},
    {"tcp_sock", "linger2", "how long an orphan waits in FIN_WAIT2"},
    {"tcp_sock", "is_mptcp", ""},           // 5.6, CONFIG_MPTCP
    {"inet_sock", "local_port_range", ""},  // 6.3
    {"sock", "sk_lingertime", "whether close() was to send a RST (SO_LINGER)"},
    {"local_ports", "range", "the local ports that connect() chooses from"},
    {"netns_ipv4", "sysctl_tcp_keepalive_time", keepalive},
    {"netns_ipv4", "sysctl_tcp_keepalive_intvl", keepalive},
    {"netns_ipv4", "sysctl_tcp_keepalive_probes", keepalive},
    {"netns_ipv4", "sysctl_tcp_fin_timeout", "how long an orphan waits in FIN_WAIT2"},
    {"netns_ipv4", "sysctl_tcp_syncookies", backlog},
    {"netns_ipv4", "sysctl_max_syn_backlog", backlog},
    {"inet_connection_sock", "icsk_bind_hash", "which of two children of one request lives"},
    {"tcp_timewait_sock", "tw_rcv_wnd", "which segments a socket in TIME_WAIT refuses"},
}};

template <typename Do>
void for_each_member(const btf* types, std::string_view type_name, std::string_view field, Do&& with) {
  const auto count = static_cast<__u32>(btf__type_cnt(types));
  for (__u32 id = 1; id < count; id++) {
    const btf_type* type = btf__type_by_id(types, id);
    if (!btf_is_struct(type) || type_name != btf__name_by_offset(types, type->name_off)) continue;
    for (int i = 0; i < btf_vlen(type); i++) {
      if (field == btf__name_by_offset(types, btf_members(type)[i].name_off)) with(btf_members(type)[i]);
    }
  }
}

}  // namespace

std::span<const KernelField> optional_fields() { return fields; }

bool kernel_has(const KernelField& field, const DisabledFeatures& disabled) {
  if (disabled.has(fmt::format("field:{}.{}", field.type, field.field))) return false;
  const btf* types = kernel_types();
  bool found = false;
  if (types != nullptr) for_each_member(types, field.type, field.field, [&](const btf_member&) { found = true; });
  return found;
}

std::string types_without(const DisabledFeatures& disabled) {
  const std::vector<std::string> hidden = disabled.after("field:");
  if (hidden.empty() || kernel_types() == nullptr) return "";
  __u32 size = 0;
  const void* kernels = btf__raw_data(kernel_types(), &size);
  const std::unique_ptr<btf, decltype(&btf__free)> copy(btf__new(kernels, size), btf__free);
  if (!copy) return "";
  const int other_name = btf__add_str(copy.get(), "hidden_by_a_test");  // from here on the copy may be written to
  for (const std::string& name : hidden) {
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos) continue;
    for_each_member(copy.get(), name.substr(0, dot), name.substr(dot + 1), [&](const btf_member& member) {
      const_cast<btf_member&>(member).name_off = static_cast<__u32>(other_name);  // NOLINT
    });
  }
  // Open as long as the process lives: a link layer's programs are loaded when its first interface comes.
  static UniqueFd file;
  file = UniqueFd(memfd_create("types", MFD_CLOEXEC));
  const void* bytes = btf__raw_data(copy.get(), &size);
  if (bytes == nullptr || write(file.get(), bytes, size) != static_cast<ssize_t>(size)) return "";
  return fmt::format("/proc/self/fd/{}", file.get());
}

}  // namespace tcpwitness
