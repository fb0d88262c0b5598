// SPDX-License-Identifier: Apache-2.0
// port_events.cpp: no event shows by itself who has the ports. The Correlator asks, the run looks, the answer comes as
// an event: so a recording has it too.
#include "correlate/port_events.hpp"

#include "facts/reasons.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t looked_at = 64;

void note_ports(Connection& c, EventId id, TimeNs ts, const PortsFound& ports) {
  Anomalies& anomalies = c.ensure_anomalies();
  anomalies.ports = std::make_unique<PortsFound>(ports);
  anomalies.ports_id = id;
  anomalies.ports_ns = ts;
}

// Of a connect() that found no port: one of another range would count another socket's ports.
PortsQuestion question_of(const Connection& c) {
  return {c.netns, c.flow.remote, c.teardown->first_port, c.teardown->last_port};
}

}  // namespace

bool PortEvents::knows(Connection& c) {
  const PortQuestions::Answer* answer = questions_.answer(question_of(c), now_);
  if (answer != nullptr) note_ports(c, answer->id, answer->ts_ns, answer->ports);
  return answer != nullptr;
}

std::optional<PortsQuestion> PortEvents::wants() {
  std::size_t seen = 0;
  for (Slot slot = table_.first(Wait::ports); slot != no_slot && seen < looked_at; slot = table_.behind(slot)) {
    ++seen;
    const Connection& c = table_.at(slot);
    const auto asked = questions_.ask(question_of(c), now_);
    if (asked == PortQuestions::Asked::before) continue;
    if (asked == PortQuestions::Asked::no_room) return std::nullopt;
    return question_of(c);
  }
  return std::nullopt;
}

void PortEvents::take(const Event& e, const PortsFound& p) {
  const PortsQuestion asked = question_of(p);
  questions_.answered(e, p);
  Connection* first = nullptr;
  Slot next = no_slot;
  for (Slot slot = table_.first(Wait::ports); slot != no_slot; slot = next) {
    Connection& c = table_.at(slot);
    next = table_.behind(slot);
    if (question_of(c) != asked) continue;
    note_ports(c, e.id, e.ts_ns, p);
    if (first == nullptr) first = &c;
    table_.wait(slot, Wait::settle, now_);
  }
  if (first == nullptr || !settings_.timeline) return;
  PortsEntry body{p.first_port, p.last_port, p.time_wait, p.open, p.listening, p.others, {}};
  for (std::uint32_t i = 0; i < p.used_holders && i < max_port_holders; ++i) {
    body.holders.push_back({port_holder(p.holders[i]).process(), p.holders[i].ports});
  }
  emitter_.entry(first, e, first->flow, std::move(body));
}

}  // namespace tcpwitness
