// SPDX-License-Identifier: Apache-2.0
// tracer.cpp: a tracer from load to detach.
#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "probe/grace_periods.hpp"
#include "probe/kernel_clock.hpp"
#include "probe/kernel_fields.hpp"
#include "probe/kernel_hooks.hpp"
#include "probe/tracer_impl.hpp"

namespace tcpwitness {
namespace {

// A program on its tracepoint.
Result<Link> attach_program(bpf_program* program) {
  Link link(bpf_program__attach(program));
  if (!link) return failure(std::string("attach ") + bpf_program__name(program), std::strerror(errno));
  return link;
}

}  // namespace

Result<void> Tracer::Impl::attach_kernel(const Tracer::Meanwhile& meanwhile) {
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

void Tracer::Impl::attach_icmp() {
  if (!icmp) return;
  const auto& programs = icmp->progs;
  for (Hook& hook : icmp_sockets.attach(bpf_program__fd(programs.icmp_v4), bpf_program__fd(programs.icmp_v6)))
    kernel_hooks.push_back(std::move(hook));
}

std::string Tracer::Impl::why_missing() const {
  std::string why;
  if (!kernel_missing.empty()) why += "no kernel events: " + kernel_missing;
  if (!wire_missing.empty()) why += (why.empty() ? "" : "; ") + ("no packets: " + wire_missing);
  return why.empty() ? "no hook could be attached" : why;
}

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
  impl.configure();
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
  impl.clock_ahead_ns = kernel_clock_ahead_ns();
  return tracer;
}

Result<void> Tracer::attach(const Meanwhile& meanwhile) {
  // The kernel first: the wire first would show segments of sockets of which nothing else is known.
  if (impl_->settings.kernel) {
    if (auto ok = impl_->attach_kernel(meanwhile); !ok) return std::unexpected(ok.error());
  }
  impl_->attach_icmp();
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

}  // namespace tcpwitness
