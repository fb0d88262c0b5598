// SPDX-License-Identifier: Apache-2.0
// correlator.cpp: events in, reports out; what every kind of event shares.
//
// Time is the largest timestamp seen (events can run backwards by milliseconds) or what advance()
// says. An ended connection is reported after a short settling time, because the reset, the error and the
// destruction of a socket come after its last transition.
#include <algorithm>

#include "correlate/correlator_impl.hpp"

namespace tcpwitness {
namespace {

// Who has the descriptor of a socket in CLOSE_WAIT is asked so long before that is a finding.
constexpr std::int64_t ask_ahead_ns = 1'000'000'000;

bool may_ask_again(const Connection& c, TimeNs now) {
  if (!c.syn || c.opening.answered || c.state != TcpState::unknown) return false;
  return now - c.last_ts_ns < next_syn_within(c.last_ts_ns - c.syn.ts_ns);
}

template <typename Body>
inline constexpr EventKind kind_of = [] {
  if constexpr (std::is_same_v<Body, StateChange>) return EventKind::state;
  if constexpr (std::is_same_v<Body, Segment>) return EventKind::segment;
  if constexpr (std::is_same_v<Body, Retransmit>) return EventKind::retransmit;
  if constexpr (std::is_same_v<Body, Reset>) return EventKind::reset;
  if constexpr (std::is_same_v<Body, SocketError>) return EventKind::error;
  if constexpr (std::is_same_v<Body, SocketDestroyed>) return EventKind::destroy;
  if constexpr (std::is_same_v<Body, OwnerSeen>) return EventKind::owner;
  if constexpr (std::is_same_v<Body, SocketFound>) return EventKind::socket;
  if constexpr (std::is_same_v<Body, Drop>) return EventKind::drop;
  if constexpr (std::is_same_v<Body, PortsFound>) return EventKind::ports;
  if constexpr (std::is_same_v<Body, Translation>) return EventKind::translation;
  if constexpr (std::is_same_v<Body, IcmpSeen>) return EventKind::icmp;
  if constexpr (std::is_same_v<Body, Sample>) return EventKind::sample;
}();

// Of what is seen, but for the mark that a list of the sockets was read to its end.
template <typename Body>
bool counts(const Body& body) {
  if constexpr (std::is_same_v<Body, SocketFound>) return body.type != SocketKind::none;
  return true;
}

}  // namespace

Correlator::Impl::Impl(CorrelatorSettings settings, const Names& names, const Rules& rules, ReadAlike alike)
    : settings_(std::move(settings)),
      names_(names),
      rules_(rules),
      selection_(settings_, listeners_),
      timeline_(selection_.any(), [this](const Flow& flow) { return selection_.wants_alone(flow); }),
      emitter_(settings_, selection_, timeline_),
      contexts_(settings_, names_, table_),
      open_findings_(settings_, rules_, alike, selection_, losses_, table_, contexts_, emitter_),
      unmatched_(settings_, names_, rules_, selection_, losses_, table_, emitter_),
      forwarded_(*this, settings_, losses_, table_, timeline_, emitter_, unmatched_.strays(), summary_, now_) {
  table_.set_delay(Wait::close_wait, settings_.close_wait_stuck_ns);
}

void Correlator::Impl::feed(const Event& event, Reports& out) {
  const Emitter::Call call(emitter_, out);
  // A loss first: what expires in its time may have gone on unseen.
  if (const Gap* gap = std::get_if<Gap>(&event.body)) on_gap(event, *gap);
  if (event.ts_ns > now_) pass_time(event.ts_ns);
  take(event);
  emitter_.release(now_);
}

void Correlator::Impl::take(const Event& event) {
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, Gap>) {
          // See above.
        } else if constexpr (std::is_same_v<Body, ConversationEnd>) {
          on_conversation_end(event, body);
        } else if constexpr (std::is_same_v<Body, SocketDigest>) {
          on_digest(event, body);
        } else {
          if (counts(body)) ++count_of(kind_of<Body>);
          if constexpr (std::is_same_v<Body, StateChange>) on_state(event, body);
          if constexpr (std::is_same_v<Body, Segment>) on_segment(event, body);
          if constexpr (std::is_same_v<Body, Retransmit>) on_retransmit(event, body);
          if constexpr (std::is_same_v<Body, Reset>) on_reset(event, body);
          if constexpr (std::is_same_v<Body, SocketError>) on_error(event, body);
          if constexpr (std::is_same_v<Body, Drop>) on_drop(event, body);
          if constexpr (std::is_same_v<Body, Translation>) on_translation(event, body);
          if constexpr (std::is_same_v<Body, SocketDestroyed>) on_destroy(event, body);
          if constexpr (std::is_same_v<Body, OwnerSeen>) on_owner(event, body);
          if constexpr (std::is_same_v<Body, SocketFound>) on_socket(event, body);
          if constexpr (std::is_same_v<Body, PortsFound>) on_ports(event, body);
          if constexpr (std::is_same_v<Body, IcmpSeen>) on_icmp(event, body);
          if constexpr (std::is_same_v<Body, Sample>) on_sample(event, body);
        }
      },
      event.body);
}

void Correlator::Impl::advance(TimeNs now, Reports& out) {
  const Emitter::Call call(emitter_, out);
  if (now > now_) pass_time(now);
  emitter_.release(now_);
}

TimeNs Correlator::Impl::due() const {
  const bool adds_up = !unmatched_.empty() || !attempts_.empty() || forwarded_.has_attempts();
  if (adds_up || !timeline_.empty() || fin_wait2_look_ || forwarded_.has_flows()) return now_;
  TimeNs due = table_.due();
  if (settings_.open_findings && table_.size() != 0) due = std::min(due, open_findings_.due());
  const Slot first = table_.first(Wait::close_wait);
  const bool asks = first != no_slot && !(table_.at(first).teardown && table_.at(first).teardown->descriptor_requested);
  return asks ? std::min(due, table_.waiting_since(first) + settings_.close_wait_stuck_ns - ask_ahead_ns) : due;
}

bool Correlator::Impl::wants_descriptors() {
  const Slot first = table_.first(Wait::close_wait);
  if (first == no_slot || table_.at(first).ensure_teardown().descriptor_requested) return false;
  if (now_ + ask_ahead_ns < table_.waiting_since(first) + settings_.close_wait_stuck_ns) return false;
  // The answer comes for all of them.
  for (Slot slot = first; slot != no_slot; slot = table_.behind(slot)) {
    table_.at(slot).ensure_teardown().descriptor_requested = true;
    table_.at(slot).ensure_teardown().descriptor = {};
  }
  return true;
}

void Correlator::Impl::listed(TimeNs begun, Reports& out) {
  const Emitter::Call call(emitter_, out);
  if (looked_ns_ < begun) return;  // it was not a whole list
  std::vector<Slot> gone;
  for (Slot slot = 0; slot < table_.slots(); ++slot) {
    const Connection& c = table_.at(slot);
    if (!c.live || c.reported || c.ended() || !c.has_kernel || !c.bound.cookie) continue;
    if (losses_.may_concern(c) && c.last_ts_ns < begun) gone.push_back(slot);
  }
  for (const Slot slot : gone) {
    table_.at(slot).expired = true;
    conclude(slot);
  }
  emitter_.release(now_);
}

void Correlator::Impl::finish(TimeNs now, Reports& out) {
  const Emitter::Call call(emitter_, out);
  if (now > now_) pass_time(now);
  unmatched_.finish(now_);
  finished_ = true;
  std::vector<Slot> open;
  for (Slot slot = 0; slot < table_.slots(); ++slot) {
    Connection& c = table_.at(slot);
    if (!c.live || c.reported) continue;
    // A half-open request ends without an event: by its last timeout, or with its listener.
    if (c.state == TcpState::new_syn_recv && c.last_ts_ns < looked_ns_) c.expired = true;
    open.push_back(slot);
  }
  std::sort(open.begin(), open.end(), [&](Slot a, Slot b) { return table_.at(a).id < table_.at(b).id; });
  for (const Slot slot : open) conclude(slot);
  report_crowds(now_);
  emitter_.flush();
  summary_.ts_ns = now_;
}

bool Correlator::Impl::report_over(TimeNs by, Reports& out, std::size_t reports) {
  if (by <= now_ && !in_part_) return false;
  const Emitter::Call call(emitter_, out);
  now_ = std::max(now_, by);
  in_part_ = expire(reports);
  if (!in_part_) pass_time(now_);
  return in_part_;
}

void Correlator::Impl::pass_time(TimeNs now) {
  now_ = now;
  expire(std::numeric_limits<std::size_t>::max());
  if (settings_.open_findings) open_findings_.look(now_);
  if (!unmatched_.empty()) unmatched_.expire(now_);
  report_crowds(now_);
}

bool Correlator::Impl::expire(std::size_t reports) {
  while (emitter_.waiting() < reports) {
    const auto due = table_.expire(now_);
    if (due.slot == no_slot) return false;
    ++waits_over_;
    Connection& c = table_.at(due.slot);
    switch (due.wait) {
      case Wait::tombstone:
      case Wait::time_wait:
        timeline_.discard(c.id);
        release(due.slot);
        break;
      case Wait::close_wait: {
        // Reported at once: the process may never close, and then there is no life to report it with.
        if (losses_.since_begun(c)) c.incomplete = true;
        if (auto finding = rules_.close_wait_stuck(c, context(due.slot))) {
          c.ensure_teardown().stuck_reported = true;
          if (settings_.finding_reports) emitter_.finding(c, now_, std::move(*finding));
        } else if (c.teardown && c.teardown->descriptor &&
                   c.state == TcpState::close_wait) {  // it goes on sending: looked at again
          c.ensure_teardown().descriptor_requested = false;
          table_.wait(due.slot, Wait::close_wait, now_);
        }
        break;
      }
      case Wait::unanswered_syn:
        if (may_ask_again(c, now_)) {
          table_.wait(due.slot, Wait::unanswered_syn, now_);
          break;
        }
        [[fallthrough]];
      case Wait::request:
      case Wait::wire_connect:
        c.expired = true;
        conclude(due.slot);
        break;
      case Wait::fin_wait2:
        watch_fin_wait2(due.slot);
        break;
      case Wait::forwarded_attempt:
      case Wait::forwarded_closing:
      case Wait::forwarded_open:
      case Wait::forwarded_count:
        forwarded_.time_over(due.slot, due.wait);
        break;
      case Wait::settle:
      case Wait::outsider:
        if (c.forwarded()) {
          forwarded_.end(due.slot);
          break;
        }
        [[fallthrough]];
      default:
        conclude(due.slot);
        break;
    }
  }
  return true;
}

Slot Correlator::Impl::create(TimeNs ts, bool begun) {
  const Slot slot = table_.create(ts);
  losses_.begins(table_.at(slot), ts, begun);
  return slot;
}

void Correlator::Impl::release(Slot slot) {
  if (table_.at(slot).forwarded()) return forwarded_.release(slot);
  table_.release(slot);
}

void Correlator::Impl::note_missing(Connection& c) {
  // Of one that is older than the run the first state events can have been before the hooks.
  const bool followed = c.transitions.in_step || (c.has_kernel && !c.preexisting && c.state != TcpState::new_syn_recv);
  if (!followed || losses_.may_concern(c)) return;
  c.incomplete = true;
  ++summary_.missed;
}

void Correlator::Impl::adopt_flow(Slot slot, const Flow& flow) {
  const Connection& c = table_.at(slot);
  if (c.bound.flow) return;
  if (flow.local.port == 0 || flow.remote.port == 0) {
    table_.at(slot).flow = flow;  // not whole yet: shown, but not looked up
    return;
  }
  table_.bind_flow(slot, flow);
  if (settings_.timeline) timeline_.flow_of(c.id, flow);
  if (settings_.of_flow) emitter_.decide(c, false);
  if (!early_icmp_.empty()) take_early_icmp(flow);
}

bool Correlator::Impl::crowded(bool half_open) const {
  if (!settings_.has_kernel && table_.size() >= settings_.wire_alone_limit) return true;
  const std::size_t waiting =
      table_.waiting(Wait::unanswered_syn) + table_.waiting(Wait::request) + table_.waiting(Wait::wire_connect);
  return half_open && waiting >= settings_.half_open_limit;
}

bool Correlator::Impl::any_open() const {
  for (Slot slot = 0; slot < table_.slots(); ++slot) {
    const Connection& c = table_.at(slot);
    if (c.live && !c.reported && selection_.wants(c)) return true;
  }
  return false;
}

void Correlator::Impl::owner_changed(Connection& c, const Event& e) {
  if (c.owner.pid != 0) emitter_.entry(&c, e, c.flow, OwnerEntry{c.owner.process()});
  selection_.ask_of(c.owner);
  emitter_.decide(c, false);
}

// How it ended.
Outcome Correlator::Impl::emit_life(Slot slot, RuleContext known) {
  const Connection& c = table_.at(slot);
  const bool clocked = settings_.every_segment && !settings_.capture && c.has_wire && !c.preexisting;
  const PayloadTimes payload = clocked ? contexts_.measures(slot).clock.times() : PayloadTimes{};
  if (clocked) known.payload = &payload;
  ++summary_.connections;
  if (!settings_.timeline && !settings_.finding_reports) {
    return emitter_.life_at_once([&] { return rules_.life(c, known); }).outcome;
  }
  const bool ordinary = summarizes_ordinary_ && !c.anomalies;
  if (ordinary) known.explain = false;
  Report made = Emitter::life([&] { return rules_.life(c, known); });
  Life& life = std::get<Life>(made);
  const Outcome outcome = life.outcome;
  if (ordinary) {
    const auto problem = [](const Finding& finding) { return is_problem(finding.rule); };
    if (!is_problem(outcome) && std::ranges::none_of(life.findings, problem)) {
      emitter_.report(std::move(made), c.id);
      return outcome;
    }
    known.explain = true;  // not ordinary, after all
    life = rules_.life(c, known);
  }
  if (settings_.finding_reports) {
    for (const Finding& finding : life.findings) {
      if (finding.rule == Rule::close_wait_stuck && c.teardown && c.teardown->stuck_reported) continue;
      if (finding.rule == Rule::peer_not_closing && c.teardown && c.teardown->not_closing_reported) continue;
      if (open_findings_.reported(c, finding)) continue;
      emitter_.finding(c, life.ts_ns, finding);
    }
  }
  emitter_.report(std::move(made), c.id);
  return outcome;
}

// Where only the wire is seen, nobody else says that a repeated FIN, or what a RST answers, is a connection's that is
// over. Of many the newest are forgotten at once.
bool Correlator::Impl::knows_late_segments(const Connection& c) const {
  constexpr std::size_t limit = 16'384;
  const bool alone = !settings_.has_kernel && !settings_.capture && c.forwarded() == nullptr && c.ended();
  return alone && table_.waiting(Wait::time_wait) < limit;
}

void Correlator::Impl::conclude(Slot slot, const ConversationEnd* end) {
  Connection& c = table_.at(slot);
  const bool unanswered = settings_.every_interface && asked_in_vain(c);
  if (kernel_judges(c) && only_syn_seen(c) && !listener_did_not_take(c) && !unanswered) {
    timeline_.discard(c.id);
    table_.release(slot);
    return;
  }
  c.incomplete = losses_.may_concern(c);
  const bool in_time_wait = c.state == TcpState::time_wait || (c.teardown && c.teardown->mini_fin_wait2);
  const bool knows_late = knows_late_segments(c);
  const bool one_of_too_many =
      selection_.wants(c) && only_half_open(c, settings_.has_kernel) && !half_open_lives_.take(now_);
  if (one_of_too_many) {
    ++summary_.unlisted;
    if (c.forwarded() && refused_by_server(c)) more_refused_.add(c.teardown->end.id, now_, c.flow.reversed());
  }
  const RuleContext known = context(slot, end);
  std::optional<Outcome> outcome;
  if (selection_.wants(c) && !one_of_too_many) outcome = emit_life(slot, known);
  emitter_.decide(c, true);
  if (settings_.has_kernel) c.reported_as = outcome ? *outcome : rules_.outcome(c, known);
  c.reported = true;
  if (c.forwarded() && c.ended()) forwarded_.delete_flows_of(c);
  // The other end's findings may name what happened here.
  if (known.peer == nullptr || known.peer->reported) {
    c.teardown.reset();
    c.anomalies.reset();
  }
  c.recent.reset();
  if (!c.forwarded()) c.ends.reset();  // its hops are looked up by it
  const bool shows_more = in_time_wait && settings_.timeline && !summarizes_ordinary_;
  table_.wait(slot, shows_more || knows_late ? Wait::time_wait : Wait::tombstone, now_);
}

}  // namespace tcpwitness
