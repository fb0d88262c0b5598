// SPDX-License-Identifier: Apache-2.0
// looks.cpp: what no event shows by itself, and is looked for while the run goes on: who has the local ports that
// connect() did not find, which sockets still wait in FIN_WAIT2.
//
// The Correlator asks (wants_ports(), wants_fin_wait2()), the run looks, the answer comes as events: so a recording has
// it too.
#include "correlate/correlator_impl.hpp"
#include "correlate/notes.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

constexpr std::size_t looked_at = 64;

void note_ports(Connection& c, EventId id, TimeNs ts, const PortsFound& ports) {
  Anomalies& anomalies = c.ensure_anomalies();
  anomalies.ports = std::make_unique<PortsFound>(ports);
  anomalies.ports_id = id;
  anomalies.ports_ns = ts;
}

}  // namespace

bool Correlator::Impl::knows_ports(Connection& c) {
  const PortQuestions::Answer* answer = port_questions_.answer(c.netns, c.flow.remote, now_);
  if (answer != nullptr) note_ports(c, answer->id, answer->ts_ns, answer->ports);
  return answer != nullptr;
}

std::optional<PortsQuestion> Correlator::Impl::wants_ports() {
  std::size_t seen = 0;
  for (Slot slot = table_.first(Wait::ports); slot != no_slot && seen < looked_at; slot = table_.behind(slot)) {
    ++seen;
    const Connection& c = table_.at(slot);
    const auto asked = port_questions_.ask(c.netns, c.flow.remote, now_);
    if (asked == PortQuestions::Asked::before) continue;
    if (asked == PortQuestions::Asked::no_room) return std::nullopt;
    return PortsQuestion{c.netns, c.flow.remote, c.teardown->first_port, c.teardown->last_port};
  }
  return std::nullopt;
}

void Correlator::Impl::on_ports(const Event& e, const PortsFound& p) {
  const Endpoint remote = to_flow(p.tuple).remote;
  port_questions_.answered(e, p);
  Connection* first = nullptr;
  Slot next = no_slot;
  for (Slot slot = table_.first(Wait::ports); slot != no_slot; slot = next) {
    Connection& c = table_.at(slot);
    next = table_.behind(slot);
    if (c.netns != p.header.netns || c.flow.remote != remote) continue;
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

void Correlator::Impl::note_still_fin_wait2(const Event& e, const SocketFound& f) {
  if (f.cb.state != State::fin_wait2) return;
  const Slot slot = table_.find_cookie(f.header.cookie);
  if (slot == no_slot || table_.at(slot).reported || !table_.at(slot).teardown) return;
  Connection& c = table_.at(slot);
  if (c.state != State::fin_wait2) return;
  c.teardown->fin_wait2_seen = {e.id, e.ts_ns};
  if (was_read(f.cb) && !c.ended()) c.cb = f.cb;
}

// Once a second, while the peer has not closed.
void Correlator::Impl::watch_fin_wait2(Slot slot) {
  Connection& c = table_.at(slot);
  Teardown& teardown = c.ensure_teardown();
  if (teardown.mini_fin_wait2 && orphan_forgotten(c, now_)) {
    c.expired = true;
    conclude(slot);
    return;
  }
  constexpr std::int64_t ahead_ns = 1'000'000'000;
  const std::int64_t lasted = teardown.fin_wait2 ? now_ - teardown.fin_wait2_quiet_ns : 0;
  if (!teardown.not_closing_reported && !teardown.fin_wait2_requested &&
      lasted + ahead_ns >= settings_.close_wait_stuck_ns) {
    teardown.fin_wait2_requested = true;
    fin_wait2_look_ = true;
  } else if (!teardown.not_closing_reported && lasted >= settings_.close_wait_stuck_ns) {
    if (losses_.since_begun(c)) c.incomplete = true;
    if (auto finding = rules_.peer_not_closing(c, context(slot))) {
      teardown.not_closing_reported = true;
      if (settings_.finding_reports) emitter_.finding(c, now_, std::move(*finding));
    } else {  // data still comes: looked at again after as long
      teardown.fin_wait2_quiet_ns = now_;
      teardown.fin_wait2_bytes = c.cb.bytes_received;
      teardown.fin_wait2_requested = false;
    }
  }
  table_.wait(slot, Wait::fin_wait2, now_);
}

}  // namespace tcpwitness
