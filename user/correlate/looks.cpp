// SPDX-License-Identifier: Apache-2.0
// looks.cpp: what no event tells by itself, and is looked for while the run goes on: who has the local ports that
// connect() did not find, which sockets still wait in FIN_WAIT2.
//
// The Witness asks (wants_ports(), wants_fin_wait2()), the run looks, the answer comes as events: so a recording has
// it too. Questions are rare and bounded: a process that calls connect() in a loop must not make us walk all sockets
// for each failure.
#include <algorithm>

#include "correlate/facts.hpp"
#include "correlate/witness_impl.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

constexpr std::int64_t ports_are_new_ns = 1'000'000'000;  // an answer stands for so long
constexpr std::size_t destinations = 16;
constexpr std::size_t looked_at = 64;

}  // namespace

bool Witness::Impl::knows_ports(Connection& c) {
  for (const AskedPorts& asked : asked_ports_) {
    const bool same = asked.netns == c.netns && asked.remote == c.flow.remote;
    if (!same || asked.id == 0 || now_ - asked.asked_ns > ports_are_new_ns) continue;
    c.troubles().ports = std::make_unique<PortsFound>(asked.answer);
    c.trouble->ports_id = asked.id;
    c.trouble->ports_ns = asked.answered_ns;
    return true;
  }
  return false;
}

std::optional<PortsQuestion> Witness::Impl::wants_ports() {
  std::size_t seen = 0;
  for (Slot slot = table_.first(Wait::ports); slot != no_slot && seen < looked_at; slot = table_.at(slot).wait_next) {
    ++seen;
    const Connection& c = table_.at(slot);
    const auto same = [&](const AskedPorts& asked) {
      return asked.netns == c.netns && asked.remote == c.flow.remote && now_ - asked.asked_ns <= ports_are_new_ns;
    };
    if (std::ranges::any_of(asked_ports_, same)) continue;
    if (asked_ports_.size() == destinations) {
      if (now_ - asked_ports_.front().asked_ns <= ports_are_new_ns) return std::nullopt;
      asked_ports_.pop_front();
    }
    asked_ports_.push_back(AskedPorts{c.netns, c.flow.remote, now_, 0, {}});
    return PortsQuestion{c.netns, c.flow.remote, c.closing->first_port, c.closing->last_port};
  }
  return std::nullopt;
}

void Witness::Impl::on_ports(const Event& e, const PortsFound& p) {
  const Endpoint remote = to_flow(p.tuple).remote;
  for (AskedPorts& asked : asked_ports_) {
    if (asked.netns != p.header.netns || asked.remote != remote || asked.id != 0) continue;
    asked.id = e.id;
    asked.answered_ns = e.ts_ns;
    asked.answer = p;
  }
  Connection* first = nullptr;
  Slot next = no_slot;
  for (Slot slot = table_.first(Wait::ports); slot != no_slot; slot = next) {
    Connection& c = table_.at(slot);
    next = c.wait_next;
    if (c.netns != p.header.netns || c.flow.remote != remote) continue;
    c.troubles().ports = std::make_unique<PortsFound>(p);
    c.trouble->ports_id = e.id;
    c.trouble->ports_ns = e.ts_ns;
    if (first == nullptr) first = &c;
    table_.wait(slot, Wait::settle, now_);
  }
  if (first == nullptr || !settings_.timeline) return;
  PortsEntry body{p.first_port, p.last_port, p.time_wait, p.open, p.listening, p.others, {}};
  for (std::uint32_t i = 0; i < p.used_holders && i < TW_MAX_PORT_HOLDERS; ++i) {
    body.holders.push_back({port_holder(p.holders[i]).process(), p.holders[i].ports});
  }
  entry(first, e, first->flow, std::move(body));
}

void Witness::Impl::note_still_fin_wait2(const Event& e, const SocketFound& f) {
  if (static_cast<State>(f.cb.state) != State::fin_wait2) return;
  const Slot slot = table_.find_cookie(f.header.cookie);
  if (slot == no_slot || table_.at(slot).told || !table_.at(slot).closing) return;
  Connection& c = table_.at(slot);
  if (c.state != State::fin_wait2) return;
  c.closing->fin_wait2_seen = {e.id, e.ts_ns};
  if ((f.cb.flags & TW_CB_PRESENT) != 0 && !c.ended()) c.cb = f.cb;
}

// Once a second, while the peer has not closed.
void Witness::Impl::watch_fin_wait2(Slot slot) {
  Connection& c = table_.at(slot);
  Closing& closing = c.ending();
  if (closing.mini_fin_wait2 && orphan_forgotten(c, now_)) {
    c.expired = true;
    tell(slot);
    return;
  }
  constexpr std::int64_t ahead_ns = 1'000'000'000;
  const std::int64_t lasted = closing.fin_wait2 ? now_ - closing.fin_wait2_quiet_ns : 0;
  if (!closing.not_closing_told && !closing.fin_wait2_asked && lasted + ahead_ns >= settings_.close_wait_stuck_ns) {
    closing.fin_wait2_asked = true;
    fin_wait2_look_ = true;
  } else if (!closing.not_closing_told && lasted >= settings_.close_wait_stuck_ns) {
    if (gap_serial_ != c.gap_serial) c.incomplete = true;
    Bench known = bench(c);
    known.peer = other_end(c);
    if (auto finding = judge_peer_not_closing(c, known)) {
      name_other_end(*finding, c, known);
      closing.not_closing_told = true;
      if (settings_.finding_reports)
        report(FindingReport{c.id, now_, c.flow, std::move(*finding), c.on_the_wire()}, c.id);
    } else {  // data still comes: looked at again after as long
      closing.fin_wait2_quiet_ns = now_;
      closing.fin_wait2_bytes = c.cb.bytes_received;
      closing.fin_wait2_asked = false;
    }
  }
  table_.wait(slot, Wait::fin_wait2, now_);
}

}  // namespace tcpwitness
