// SPDX-License-Identifier: Apache-2.0
// selection.cpp: the conditions, and when they are decided.
#include "correlate/selection.hpp"

namespace tcpwitness {

Selection::Selection(const CorrelatorSettings& settings, const Listeners& listeners)
    : settings_(settings),
      listeners_(listeners),
      by_process_(settings.pid != 0 || !settings.comm.empty() || settings.of_process) {}

bool Selection::wants_flow(const Connection& c) const {
  if (!settings_.of_flow) return true;
  const bool own = settings_.of_flow(c.flow);
  if (own != settings_.flow_excludes) return own;
  const std::optional<Flow> translated = c.on_the_wire();
  return translated ? settings_.of_flow(*translated) : own;
}

bool Selection::wants_process(const Owner& owner) const {
  if (settings_.pid != 0 && owner.pid != settings_.pid) return false;
  if (!settings_.comm.empty() && owner.process().comm != settings_.comm) return false;
  if (owner.selected != Owner::Selected::undecided) return owner.selected == Owner::Selected::yes;
  return !settings_.of_process || settings_.of_process(owner.process());
}

bool Selection::wants_alone(const Flow& flow) const {
  if (settings_.of_flow && !settings_.of_flow(flow)) return false;
  if (!by_process_) return true;
  const Listener* listener = listeners_.find(flow.local, Listeners::now);
  return listener != nullptr && listener->owner.pid != 0 && wants_process(listener->owner);
}

bool Selection::is_final(const Connection& c) const {
  // A listener's child may turn out to be another process's: not final until it is used or over.
  const bool owned = !by_process_ || (c.owner.pid != 0 && c.owner.source != PidSource::listen);
  if (!owned) return false;
  // NAT shows its form with the first segment: until then the other form may still decide.
  const bool by_one_form = wants_flow(c) != settings_.flow_excludes;
  return by_one_form ? c.bound.flow || !settings_.of_flow : c.opening.established;
}

void Selection::ask_of(Owner& owner) const {
  if (owner.pid == 0 || !settings_.of_process) return;
  owner.selected = settings_.of_process(owner.process()) ? Owner::Selected::yes : Owner::Selected::no;
}

}  // namespace tcpwitness
