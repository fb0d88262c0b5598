// SPDX-License-Identifier: Apache-2.0
// tracer_interfaces.cpp: the interfaces of a tracer: which it has, those that come and go.
#include <bpf/bpf.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "probe/tracer_impl.hpp"

namespace tcpwitness {

void Tracer::Impl::know_addresses() {
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

Result<void> Tracer::Impl::attach_interface(const Interface& interface) {
  const auto programs = wire_programs(interface.layer);
  if (!programs) return std::unexpected(programs.error());
  know_addresses();
  wire_hooks.push_back(attacher->attach(interface, *programs));
  return {};
}

bool Tracer::Impl::named(const Interface& interface) const {
  return settings.interfaces.empty() ||
         std::ranges::find(settings.interfaces, interface.name) != settings.interfaces.end();
}

bool Tracer::Impl::wants(const Interface& interface) const {
  if (settings.wire == WireMode::none || interface.layer == LinkLayer::unsupported || interface.ifb) return false;
  if (!named(interface)) return false;
  const bool free =
      interface.layer == LinkLayer::ethernet && (settings.wire == WireMode::automatic || settings.wire == WireMode::tc);
  return interface.up || free;
}

Result<void> Tracer::Impl::choose_interfaces() {
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

std::string Tracer::Impl::why_not_attached() const {
  const auto off = std::ranges::find_if(wire_hooks, [](const WireHooks& one) { return !one.off.empty(); });
  return off == wire_hooks.end() ? "no hook could be attached" : off->off;
}

std::vector<WireHooks>::iterator Tracer::Impl::hooks_of(std::uint32_t index) {
  return std::ranges::find(wire_hooks, index, [](const WireHooks& one) { return one.interface.index; });
}

bool Tracer::Impl::came(const Interface& interface) {
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

bool Tracer::Impl::changed(const LinkChange& change) {
  names[change.now.index] = change.now.name;
  const auto hooks = hooks_of(change.now.index);
  if (change.now.name != change.before.name && hooks != wire_hooks.end())
    notice("interface " + change.before.name + " is now called " + change.now.name);
  if (hooks == wire_hooks.end()) return came(change.now);
  hooks->interface = change.now;
  for (Hook& hook : hooks->hooks) hook.target = change.now.name;
  return true;
}

bool Tracer::Impl::went(const Interface& interface) {
  names.erase(interface.index);
  const auto hooks = hooks_of(interface.index);
  if (hooks == wire_hooks.end()) return false;
  notice("interface " + interface.name + " is gone");
  wire_hooks.erase(hooks);
  return true;
}

// At the second look that misses it: of an interface that goes, the news may not have come at the first.
bool Tracer::Impl::is_lost(WireHooks& hooks) const {
  const auto gone = [&](bool on, bool egress) { return on && !attacher->is_attached(hooks, egress); };
  const bool misses = gone(hooks.ingress_on, false) || gone(hooks.egress_on, true);
  const bool lost = std::exchange(hooks.missed, misses) && misses;
  if (!misses) hooks.found_whole = looked_at_hooks;
  return lost;
}

// Once: where it is detached again, somebody means it.
void Tracer::Impl::attach_again(WireHooks& hooks) {
  attacher->let_go(hooks, "somebody has detached its program");
  const std::string begin = "interface " + hooks.interface.name + ": somebody has detached tcpwitness's program; ";
  const bool again = std::exchange(hooks.renewed, true);
  const auto programs = wire_programs(hooks.interface.layer);
  if (again || !programs) return notice(begin + "it is not traced any more");
  hooks = attacher->attach(hooks.interface, *programs);
  hooks.renewed = true;
  notice(begin + (hooks.off.empty() ? "it is attached again" : "not traced any more, " + hooks.off));
}

void Tracer::Impl::look_for_lost_hooks(Tracer::InterfaceNews& news) {
  constexpr auto every = std::chrono::seconds(1);
  constexpr std::size_t at_once = 8;
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_at_hooks < every) return;
  looked_at_hooks = now;
  for (std::size_t i = 0; i < std::min(at_once, wire_hooks.size()); ++i) {
    WireHooks& hooks = wire_hooks[next_hooks++ % wire_hooks.size()];
    if (!is_lost(hooks)) continue;
    news.unseen = std::max(news.unseen.value_or(every), now - hooks.found_whole);
    attach_again(hooks);
    news.changed = true;
  }
}

Tracer::InterfaceNews Tracer::follow_interfaces() {
  InterfaceNews news;
  const std::vector<LinkChange> changes = impl_->links->changes();
  const bool all_traced = !changes.empty() && every_interface();
  impl_->know_addresses();
  for (const LinkChange& change : changes) {
    switch (change.what) {
      case LinkChange::What::appeared:
        news.changed |= impl_->came(change.now);
        break;
      case LinkChange::What::changed:
        news.changed |= impl_->changed(change);
        break;
      case LinkChange::What::gone:
        news.changed |= impl_->went(change.now);
        break;
    }
  }
  if (all_traced && !every_interface()) news.unseen = std::chrono::steady_clock::duration::zero();
  impl_->look_for_lost_hooks(news);
  return news;
}

}  // namespace tcpwitness
