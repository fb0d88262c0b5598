// SPDX-License-Identifier: Apache-2.0
// looks.cpp: what no event shows by itself, and is looked for while the run goes on: who has the local ports that
// connect() did not find, which sockets still wait in FIN_WAIT2.
//
// The Correlator asks (wants_ports(), wants_fin_wait2()), the run looks, the answer comes as events: so a recording has
// it too. Questions are rare and bounded: a process that calls connect() in a loop must not make us walk all sockets
// for each failure.
#include <algorithm>

#include "correlate/correlator_impl.hpp"
#include "correlate/notes.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

constexpr std::int64_t ports_are_new_ns = 1'000'000'000;  // an answer stands for so long
constexpr std::size_t destinations = 16;
constexpr std::size_t looked_at = 64;

}  // namespace

bool Correlator::Impl::knows_ports(Connection& c) {
  for (const PortQuery& query : port_queries_) {
    const bool same = query.netns == c.netns && query.remote == c.flow.remote;
    if (!same || query.id == 0 || now_ - query.asked_ns > ports_are_new_ns) continue;
    c.ensure_anomalies().ports = std::make_unique<PortsFound>(query.answer);
    c.anomalies->ports_id = query.id;
    c.anomalies->ports_ns = query.answered_ns;
    return true;
  }
  return false;
}

std::optional<PortsQuestion> Correlator::Impl::wants_ports() {
  std::size_t seen = 0;
  for (Slot slot = table_.first(Wait::ports); slot != no_slot && seen < looked_at; slot = table_.behind(slot)) {
    ++seen;
    const Connection& c = table_.at(slot);
    const auto same = [&](const PortQuery& query) {
      return query.netns == c.netns && query.remote == c.flow.remote && now_ - query.asked_ns <= ports_are_new_ns;
    };
    if (std::ranges::any_of(port_queries_, same)) continue;
    if (port_queries_.size() == destinations) {
      if (now_ - port_queries_.front().asked_ns <= ports_are_new_ns) return std::nullopt;
      port_queries_.pop_front();
    }
    port_queries_.push_back(PortQuery{c.netns, c.flow.remote, now_, 0, {}});
    return PortsQuestion{c.netns, c.flow.remote, c.teardown->first_port, c.teardown->last_port};
  }
  return std::nullopt;
}

void Correlator::Impl::on_ports(const Event& e, const PortsFound& p) {
  const Endpoint remote = to_flow(p.tuple).remote;
  for (PortQuery& query : port_queries_) {
    if (query.netns != p.header.netns || query.remote != remote || query.id != 0) continue;
    query.id = e.id;
    query.answered_ns = e.ts_ns;
    query.answer = p;
  }
  Connection* first = nullptr;
  Slot next = no_slot;
  for (Slot slot = table_.first(Wait::ports); slot != no_slot; slot = next) {
    Connection& c = table_.at(slot);
    next = table_.behind(slot);
    if (c.netns != p.header.netns || c.flow.remote != remote) continue;
    c.ensure_anomalies().ports = std::make_unique<PortsFound>(p);
    c.anomalies->ports_id = e.id;
    c.anomalies->ports_ns = e.ts_ns;
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
    RuleContext known = context(c);
    known.peer = other_end(c);
    if (auto finding = rules_.peer_not_closing(c, known)) {
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
