// SPDX-License-Identifier: Apache-2.0
// wire_hooks.hpp: the wire programs on one interface, attached by links that die with this process.
//
// A mode that the interface or the kernel refuses falls back to the next one, with the reason in the hook's
// `why`; nothing is ever replaced that another program owns.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "probe/clsact.hpp"
#include "probe/features.hpp"
#include "probe/interfaces.hpp"
#include "tcpwitness/report.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

// Descriptors of the wire programs for one link layer; -1 where one is off.
struct WirePrograms {
  int xdp = -1;
  int ingress = -1;
  int egress = -1;
};

struct WireHooks {
  Interface interface;
  std::vector<Hook> hooks;  // what is attached, or why it is off
  std::string off;          // why it is not traced: both directions are, or none; "" where it is
  bool ingress_on = false;
  bool egress_on = false;
  UniqueFd ingress;  // empty with clsact
  UniqueFd egress{};
  std::chrono::steady_clock::time_point found_whole{};  // both were attached then, by the kernel's own word
  bool missed = false;                                  // at the last look one was not
  bool renewed = false;                                 // after somebody had detached it
};

class WireAttacher {
 public:
  WireAttacher(WireMode requested, const Features& features, DisabledFeatures disabled)
      : requested_(requested), disabled_(std::move(disabled)), tcx_(features.tcx), xdp_(features.xdp) {}

  // Never fails as a whole: what could not be attached is in the hooks with its reason.
  [[nodiscard]] WireHooks attach(const Interface& interface, const WirePrograms& programs);
  void detach_filters() { guard_.reset(); }

  // Asks the kernel whether what was attached there still is: an administrator can detach a link, and take a tc filter
  // away.
  [[nodiscard]] bool is_attached(const WireHooks& hooks, bool egress) const;
  // Takes away what is left of it.
  void let_go(WireHooks& hooks, const std::string& why) const;

 private:
  void detach(WireHooks& hooks) const;
  [[nodiscard]] Result<UniqueFd> attach_tc(const Interface& interface, bool egress, int program, std::string& mode);
  WireMode requested_;
  DisabledFeatures disabled_;
  bool tcx_;
  bool xdp_;
  std::unique_ptr<ClsactGuard> guard_;
};

}  // namespace tcpwitness
