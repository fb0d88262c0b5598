// SPDX-License-Identifier: Apache-2.0
// correlator.cpp: events in, reports out: which part takes what, and what is due by now.
//
// Time is the largest timestamp seen (events can run backwards by milliseconds) or what advance()
// was given. An ended connection is reported after a short settling time, because the reset, the error and the
// destruction of a socket come after its last transition.
//
// Of ordinary connections, each of which is one event, a few are taken before what is over by then is judged: so the
// code of one stage stays in the processor's cache while it is needed. Whatever else comes finds all of that judged.
#include <algorithm>

#include "correlate/correlator_impl.hpp"
#include "facts/derived.hpp"
#include "tcpwitness/gap.hpp"
#include "values/prefetch.hpp"

namespace tcpwitness {
namespace {

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
    : in_(std::move(settings), names, rules),
      open_findings_(in_.settings, in_.rules, alike, in_.selection, in_.losses, in_.table, in_.contexts, in_.emitter),
      unmatched_(in_.settings, in_.names, in_.rules, in_.selection, in_.losses, in_.table, in_.emitter),
      forwarded_(*this, in_.settings, in_.losses, in_.table, in_.timeline, in_.emitter, unmatched_.strays(),
                 in_.summary, in_.now) {}

void Correlator::Impl::feed(const Event& event, Reports& out) {
  const Emitter::Call call(in_.emitter, out);
  // A loss first: what expires in its time may have gone on unseen.
  if (const Gap* gap = std::get_if<Gap>(&event.body)) take(event, *gap);
  const bool first = takes_first(event);
  in_.now = std::max(in_.now, event.ts_ns);
  if (first && digests_.take_whole(event, std::get<SocketDigest>(event.body))) {
    ++taken_first_;
    return;
  }
  pass_time(event.ts_ns);
  take(event);
  in_.emitter.release(in_.now);
}

bool Correlator::Impl::takes_first(const Event& event) const {
  constexpr int most = 16;
  constexpr std::int64_t within_ns = 2'000'000;
  return std::holds_alternative<SocketDigest>(event.body) && taken_first_ < most &&
         event.ts_ns - judged_ns_ <= within_ns;
}

void Correlator::Impl::take(const Event& event) {
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, Gap>) {
          // See above.
        } else if constexpr (std::is_same_v<Body, ConversationEnd> || std::is_same_v<Body, SocketDigest>) {
          take(event, body);
        } else {
          if (counts(body)) ++in_.count_of(kind_of<Body>);
          if constexpr (std::is_same_v<Body, StateChange>) states_.take(event, body);
          if constexpr (std::is_same_v<Body, Segment>) segments_.take(event, body);
          if constexpr (std::is_same_v<Body, Retransmit>) retransmits_.take(event, body);
          if constexpr (std::is_same_v<Body, Reset>) resets_.take(event, body);
          if constexpr (std::is_same_v<Body, SocketError>) sockets_.take(event, body);
          if constexpr (std::is_same_v<Body, SocketDestroyed>) sockets_.take(event, body);
          if constexpr (std::is_same_v<Body, OwnerSeen>) sockets_.take(event, body);
          if constexpr (std::is_same_v<Body, Sample>) sockets_.take(event, body);
          if constexpr (std::is_same_v<Body, SocketFound>) socket_list_.take(event, body);
          if constexpr (std::is_same_v<Body, Drop>) drops_.take(event, body);
          if constexpr (std::is_same_v<Body, Translation>) translations_.take(event, body);
          if constexpr (std::is_same_v<Body, PortsFound>) ports_.take(event, body);
          if constexpr (std::is_same_v<Body, IcmpSeen>)
            in_.settings.capture ? icmp_.take_captured(conversation_of(body), event, body) : icmp_.take(event, body);
        }
      },
      event.body);
}

Slot Correlator::Impl::conversation_of(const IcmpSeen& seen) const {
  return lookup_.find_captured(static_cast<std::uint32_t>(seen.header.cookie));
}

void Correlator::Impl::advance(TimeNs now, Reports& out) {
  const Emitter::Call call(in_.emitter, out);
  pass_time(now);
  in_.emitter.release(in_.now);
}

TimeNs Correlator::Impl::due() const {
  const bool adds_up = !unmatched_.empty() || !crowds_.empty();
  if (adds_up || !in_.timeline.empty() || half_closed_.has_fin_wait2_look() || forwarded_.has_flows()) return in_.now;
  TimeNs due = std::min(in_.table.due(), half_closed_.descriptors_due());
  if (in_.settings.open_findings && in_.table.size() != 0) due = std::min(due, open_findings_.due());
  return due;
}

void Correlator::Impl::listed(TimeNs begun, Reports& out) {
  const Emitter::Call call(in_.emitter, out);
  socket_list_.finish(begun);
  in_.emitter.release(in_.now);
}

void Correlator::Impl::finish(TimeNs now, Reports& out) {
  const Emitter::Call call(in_.emitter, out);
  pass_time(now);
  socket_list_.conclude_gone();
  unmatched_.finish(in_.now);
  in_.finished = true;
  std::vector<Slot> open;
  for (Slot slot = 0; slot < in_.table.slots(); ++slot) {
    Connection& c = in_.table.at(slot);
    if (!c.live || c.reported) continue;
    // A half-open request ends without an event: by its last timeout, or with its listener.
    if (c.state == TcpState::new_syn_recv && c.last_ts_ns < in_.listed_ns) c.expired = true;
    open.push_back(slot);
  }
  std::sort(open.begin(), open.end(), [&](Slot a, Slot b) { return in_.table.at(a).id < in_.table.at(b).id; });
  for (const Slot slot : open) life_reports_.conclude(slot);
  crowds_.report(in_.now);
  unmatched_.report_sums(in_.now);
  in_.emitter.flush();
  in_.summary.ts_ns = in_.now;
}

bool Correlator::Impl::report_over(TimeNs by, Reports& out, std::size_t reports) {
  if (by <= judged_ns_ && !in_part_) return false;
  const Emitter::Call call(in_.emitter, out);
  in_.now = std::max(in_.now, by);
  in_part_ = expire(reports);
  if (!in_part_) pass_time(by);
  return in_part_;
}

void Correlator::Impl::pass_time(TimeNs now) {
  in_.now = std::max(in_.now, now);
  if (in_.now <= judged_ns_) return;
  judged_ns_ = in_.now;
  taken_first_ = 0;
  expire(std::numeric_limits<std::size_t>::max());
  if (in_.settings.open_findings) open_findings_.look(in_.now);
  if (!unmatched_.empty()) unmatched_.expire(in_.now);
  crowds_.report(in_.now);
  unmatched_.report_sums(in_.now);
}

bool Correlator::Impl::expire(std::size_t reports) {
  while (in_.emitter.waiting() < reports) {
    const auto due = in_.table.expire(in_.now);
    if (due.slot == no_slot) return false;
    ++waits_over_;
    wait_over(due.slot, due.wait);
  }
  return true;
}

void Correlator::Impl::wait_over(Slot slot, Wait wait) {
  Connection& c = in_.table.at(slot);
  switch (wait) {
    case Wait::tombstone:
    case Wait::time_wait:
      in_.timeline.discard(c.id);
      if (c.forwarded()) {
        forwarded_.release(slot);
      } else {
        in_.table.release(slot);
      }
      break;
    case Wait::close_wait:
      half_closed_.close_wait_over(slot);
      break;
    case Wait::unanswered_syn:
      if (may_ask_again(c, in_.now)) {
        in_.table.wait(slot, Wait::unanswered_syn, in_.now);
        break;
      }
      [[fallthrough]];
    case Wait::request:
    case Wait::wire_connect:
      c.expired = true;
      life_reports_.conclude(slot);
      break;
    case Wait::gone:
      socket_list_.take_turn(slot);
      break;
    case Wait::fin_wait2:
      half_closed_.watch_fin_wait2(slot);
      break;
    case Wait::forwarded_attempt:
    case Wait::forwarded_closing:
    case Wait::forwarded_open:
    case Wait::forwarded_count:
      forwarded_.time_over(slot, wait);
      break;
    case Wait::settle:
    case Wait::late_report:
    case Wait::outsider:
      if (c.forwarded()) {
        forwarded_.end(slot);
      } else {
        life_reports_.settled(slot);
      }
      break;
    default:
      life_reports_.conclude(slot);
      break;
  }
}

bool Correlator::Impl::any_open() const {
  for (Slot slot = 0; slot < in_.table.slots(); ++slot) {
    const Connection& c = in_.table.at(slot);
    if (c.live && !c.reported && in_.selection.wants(c)) return true;
  }
  return false;
}

// An ordinary one at once, any other event by event.
void Correlator::Impl::take(const Event& e, const SocketDigest& d) {
  if (digests_.take_whole(e, d)) return;
  for (const Event& event : digests_.events_of(e, d)) take(event);
}

void Correlator::Impl::take(const Event& e, const Gap& gap) {
  in_.losses.add(gap);
  if (cause_of(gap) == GapCause::untraced) in_.settings.every_interface = false;  // from now on, whatever becomes of it
  in_.summary.lost += gap.lost;
  in_.emitter.report(GapReport{e.ts_ns, gap}, 0);
}

// A capture has shown all of a conversation.
void Correlator::Impl::take(const Event& e, const ConversationEnd& end) {
  pass_time(end.read_ns);  // ordinary frames are no events: how long it was silent shows here
  const Slot slot = lookup_.take_captured(end.conversation);
  if (slot == no_slot) return;
  Connection& c = in_.table.at(slot);
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  life_reports_.conclude(slot, &end);
  in_.timeline.discard(c.id);
  in_.table.release(slot);
}

const Connection* Correlator::Impl::ended_by(const Event& event) const {
  const auto* end = std::get_if<ConversationEnd>(&event.body);
  const Slot slot = end != nullptr ? lookup_.find_captured(end->conversation) : no_slot;
  return slot != no_slot ? &in_.table.at(slot) : nullptr;
}

void Correlator::Impl::prefetch_connection(const Event& event) const {
  if (const Connection* c = ended_by(event)) prefetch(c);
  if (const auto* digest = std::get_if<SocketDigest>(&event.body))
    in_.table.prefetch_places(digest->header.cookie, to_flow(digest->tuple));
}

void Correlator::Impl::prefetch_rest(const Event& event) const {
  const Connection* c = ended_by(event);
  if (c == nullptr) return;
  if (c->inferred) prefetch(c->inferred.get());
  if (c->teardown) prefetch(c->teardown.get());
}

}  // namespace tcpwitness
