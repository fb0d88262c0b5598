// SPDX-License-Identifier: Apache-2.0
// features.hpp: what this kernel and these privileges allow, found by asking, never by version alone.
//
// A missing feature is a value with a reason. Tests force features off through TCPWITNESS_WITHOUT, a
// comma-separated list ("btf", "tcx", "xdp", "privilege", "ring-buffer", "map-walk", "tracepoint:tcp_send_reset",
// "field:tcp_sock.srtt_us", "load:wire_egress", "attach:kernel_state", "attach:wire_egress@eth0").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tcpwitness/report.hpp"
#include "tcpwitness/result.hpp"

struct btf;

namespace tcpwitness {

// Names of features that a test has switched off.
class DisabledFeatures {
 public:
  static DisabledFeatures from_environment();
  explicit DisabledFeatures(std::string_view list);
  [[nodiscard]] bool has(std::string_view feature) const;
  // What stands behind `prefix` in each feature that begins with it.
  [[nodiscard]] std::vector<std::string> after(std::string_view prefix) const;

 private:
  std::vector<std::string> features_;
};

// A tracepoint's arguments as the kernel's BTF gives them; present is false where there is no such tracepoint.
struct Tracepoint {
  bool present = false;
  std::vector<std::string> argument_types;  // "sock", "sk_buff", "int": the struct's name behind a pointer
};

struct Features {
  std::string kernel_release;
  std::uint32_t tick_us = 4000;            // CONFIG_HZ as the clock's resolution shows it
  std::uint32_t netns_inode = 0;           // the namespace we look at
  std::vector<std::string> reset_reasons;  // enum sk_rst_reason by number; empty before 6.10
  std::vector<std::string> drop_reasons;   // enum skb_drop_reason by number; empty before 5.17
  bool tcx = true;                         // false: only when a test says so; else found when attaching
  bool xdp = true;
  bool map_walk = false;  // bpf_for_each_map_elem() (5.13): what waits in the kernel can be handed over
};

// What no run can do without, one by one.
[[nodiscard]] Result<void> check_kernel(const DisabledFeatures& disabled);     // it has the ring buffer
[[nodiscard]] Result<void> check_privilege(const DisabledFeatures& disabled);  // this process may load and attach
[[nodiscard]] Result<void> check_btf(const DisabledFeatures& disabled);        // the kernel reports its types

// Everything else; reads what it can without any of them.
[[nodiscard]] Features read_features(const DisabledFeatures& disabled);
// The kernel has tcx links (6.6), as far as its types show.
[[nodiscard]] bool knows_tcx(const DisabledFeatures& disabled);

// Checks what no run can do without and reads the rest.
[[nodiscard]] Result<Features> find_features(const DisabledFeatures& disabled);

// The running kernel's types; null where it has none to show.
[[nodiscard]] const btf* kernel_types();

[[nodiscard]] Tracepoint find_tracepoint(std::string_view name, const DisabledFeatures& disabled);

}  // namespace tcpwitness
