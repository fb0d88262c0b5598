// SPDX-License-Identifier: Apache-2.0
#include "probe/wire_hooks.hpp"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include <cerrno>
#include <cstring>

namespace tcpwitness {
namespace {

// From linux/bpf.h of 6.6; Debian 12's headers are of 6.1.
constexpr auto tcx_ingress = static_cast<bpf_attach_type>(46);
constexpr auto tcx_egress = static_cast<bpf_attach_type>(47);
constexpr std::uint32_t before_all_others = 1U << 3U;  // BPF_F_BEFORE

Result<UniqueFd> attach_xdp(const Interface& interface, bool native, int program) {
  if (program < 0) return failure(std::string("attach XDP to ") + interface.name, "the kernel refuses its program");
  bpf_link_create_opts options{};
  options.sz = sizeof(options);
  options.flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
  const int fd = bpf_link_create(program, static_cast<int>(interface.index), BPF_XDP, &options);
  if (fd >= 0) return UniqueFd(fd);
  std::string why = std::strerror(-fd);
  if (fd == -EBUSY || fd == -EEXIST) why = "another XDP program holds the slot";
  if (fd == -EOPNOTSUPP) why = "its driver has no native XDP";
  return failure(std::string("attach XDP to ") + interface.name, why);
}

}  // namespace

Result<UniqueFd> WireAttacher::attach_tc(const Interface& interface, bool egress, int program, std::string& mode) {
  const std::string direction = egress ? "egress" : "ingress";
  if (disabled_.has("attach:wire_" + direction + "@" + interface.name))
    return failure("attach tcx " + direction + " to " + interface.name, "a test forbids it");
  if (tcx_) {
    bpf_link_create_opts options{};
    options.sz = sizeof(options);
    options.flags = before_all_others;  // a program that ends the chain must not blind us
    const int fd =
        bpf_link_create(program, static_cast<int>(interface.index), egress ? tcx_egress : tcx_ingress, &options);
    if (fd >= 0) {
      mode = "tcx";
      return UniqueFd(fd);
    }
    if (fd == -ERANGE) {
      return failure("attach tcx " + direction + " to " + interface.name,
                     "63 programs are attached there, and the kernel takes no more", "'bpftool net' lists them");
    }
    if (fd != -EINVAL) return failure("attach tcx " + direction + " to " + interface.name, std::strerror(-fd));
    tcx_ = false;  // before 6.6: an unknown attach type
  }
  if (!guard_) {
    auto guard = ClsactGuard::start();
    if (!guard) return std::unexpected(guard.error());
    guard_ = std::move(*guard);
  }
  mode = "clsact";
  if (auto ok = guard_->attach(interface.index, interface.name, egress, program); !ok)
    return std::unexpected(ok.error());
  return UniqueFd();
}

void WireAttacher::detach(WireHooks& hooks) const {
  for (const bool egress : {false, true}) {
    UniqueFd& link = egress ? hooks.egress : hooks.ingress;
    bool& on = egress ? hooks.egress_on : hooks.ingress_on;
    if (on && !link.valid()) guard_->remove(hooks.interface.index, egress);
    link.reset();
    on = false;
  }
}

void WireAttacher::let_go(WireHooks& hooks, const std::string& why) const {
  detach(hooks);
  hooks.off = why;
  for (Hook& hook : hooks.hooks) {
    hook.mode = "off";
    hook.why = why;
  }
}

bool WireAttacher::is_attached(const WireHooks& hooks, bool egress) const {
  const UniqueFd& link = egress ? hooks.egress : hooks.ingress;
  if (!link.valid()) return guard_->has(hooks.interface.index, egress);
  bpf_link_info info{};
  __u32 size = sizeof info;
  // Of a link to tcx (since 6.6) as of one to XDP the interface comes first; a detached one has none.
  return bpf_obj_get_info_by_fd(link.get(), &info, &size) != 0 || info.xdp.ifindex != 0;
}

WireHooks WireAttacher::attach(const Interface& interface, const WirePrograms& programs) {
  WireHooks hooks{.interface = interface, .hooks = {}, .off = {}, .ingress = {}, .egress = {}};

  IngressChoice choice = choose_ingress(interface, requested_);
  Hook ingress{.name = "wire_ingress", .target = interface.name, .mode = "off", .why = choice.why};
  if (choice.mode == Ingress::xdp_native || choice.mode == Ingress::xdp_generic) {
    const bool native = choice.mode == Ingress::xdp_native;
    Result<UniqueFd> link = failure("attach XDP", "XDP is switched off");
    if (xdp_) link = attach_xdp(interface, native, programs.xdp);
    if (link) {
      hooks.ingress = std::move(*link);
      hooks.ingress_on = true;
      ingress.mode = native ? "xdp-native" : "xdp-generic";
    } else {
      choice = {Ingress::tc, "no XDP: " + link.error().why};
      ingress.why = choice.why;
    }
  }
  if (choice.mode == Ingress::tc) {
    if (auto link = attach_tc(interface, false, programs.ingress, ingress.mode)) {
      hooks.ingress = std::move(*link);
      hooks.ingress_on = true;
    } else {
      ingress.mode = "off";
      ingress.why = "arriving segments are not traced: " + link.error().why;
    }
  }

  Hook egress{.name = "wire_egress", .target = interface.name, .mode = "off", .why = ""};
  if (auto link = attach_tc(interface, true, programs.egress, egress.mode)) {
    hooks.egress = std::move(*link);
    hooks.egress_on = true;
  } else {
    egress.mode = "off";
    egress.why = "sent segments are not traced: " + link.error().why;
  }
  if (!hooks.ingress_on) hooks.off = ingress.why;
  if (!hooks.egress_on) hooks.off = egress.why;
  // Half of what passes would prove things that are not so: then the interface is not traced.
  if (hooks.ingress_on != hooks.egress_on) {
    Hook& half = hooks.ingress_on ? ingress : egress;
    half.mode = "off";
    half.why = "the other direction cannot be traced";
    detach(hooks);
  }
  hooks.hooks = {std::move(ingress), std::move(egress)};
  hooks.found_whole = std::chrono::steady_clock::now();
  return hooks;
}

}  // namespace tcpwitness
