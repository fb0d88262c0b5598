// SPDX-License-Identifier: Apache-2.0
// drop_events.cpp: segments that the kernel dropped.
//
// A drop belongs to the connection of the segment's address pair: the buffer seldom carries a socket. It
// begins no connection, and what is no fault (a repeated keep-alive that TCP had answered) stays a fact
// here; which drops are findings is judged in judge/drops.cpp.
#include "correlate/drop_events.hpp"

#include <algorithm>

#include "correlate/notes.hpp"
#include "facts/derived.hpp"
#include "facts/reasons.hpp"

namespace tcpwitness {
namespace {

DropSeen* seen_of(Drops& drops, const Drop& d, bool out) {
  for (DropSeen& seen : drops.seen()) {
    if (seen.reason == d.reason && seen.out == out) return &seen;
  }
  if (drops.used == Drops::limit) return nullptr;
  DropSeen& seen = drops.kinds[drops.used++];
  seen.reason = d.reason;
  seen.out = out;
  return &seen;
}

// Could this connection have sent or got these numbers? Everything up to a gigabyte behind the SYN is believed, and
// what is near the newest that the kernel has shown: of two connections that have nothing to do with each other a few
// in a hundred match.
bool could_be_of(const Connection& c, const Drop& d, bool out) {
  constexpr std::uint32_t a_gigabyte = 1U << 30U;
  constexpr std::uint32_t near = 1U << 24U;
  const auto fits = [](std::uint32_t number, bool known, std::uint32_t isn, bool shown, std::uint32_t newest) {
    if (!known && !shown) return true;
    return (known && number - isn <= near) || (shown && number - newest + near <= 2 * near) ||
           (known && !shown && number - isn <= a_gigabyte);
  };
  const bool sent = fits(d.seq, out ? c.isn.has_local : c.isn.has_remote, out ? c.isn.local : c.isn.remote, c.has_cb(),
                         out ? c.cb.snd_nxt : c.cb.rcv_nxt);
  const bool got = (d.flags & tcp_flag::ack) == 0 ||
                   fits(d.ack, out ? c.isn.has_remote : c.isn.has_local, out ? c.isn.remote : c.isn.local, c.has_cb(),
                        out ? c.cb.rcv_nxt : c.cb.snd_nxt);
  return sent && got;
}

// Before 6.6 TCP_INVALID_SEQUENCE is the reason for what was received before, too: keep-alives, probes, repetitions.
bool was_received_before(const Connection& c, const Drop& d, const Names& names) {
  return d.outgoing == 0 && c.anomalies && c.anomalies->received_before == d.seq &&
         drop_kind(names, d.reason) == DropKind::out_of_window;
}

// What comes next, into a window that this side has closed: it asks for the window (RFC 9293, 3.8.6.1), or was on its
// way. It is refused as TCP_ZEROWINDOW, or for where it ends (Linux 6.17). Without packets no window shows.
bool met_closed_window(const Connection& c, const Drop& d, const Names& names) {
  constexpr std::uint8_t others = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst;
  const bool closed = !c.seen_by.wire || (c.anomalies && c.anomalies->local_window.since);
  return d.outgoing == 0 && d.len != 0 && (d.flags & others) == 0 && closed &&
         names.drop_reason(d.reason) == "TCP_INVALID_END_SEQUENCE";
}

// This machine made it itself (a firewall that answers for the listener): it came over loopback, and the peer's
// segments come by another interface.
bool was_made_here(const Connection& c, const Drop& d, const Names& names) {
  const DropKind kind = drop_kind(names, d.reason);
  if (d.outgoing != 0 || d.ifindex != loopback_ifindex || !c.from_peer.elsewhere) return false;
  return kind == DropKind::out_of_window || kind == DropKind::never_sent;
}

// Dropped before TCP looked at its acknowledgement, window and FIN (tcp_validate_incoming(), or earlier). Payload is
// also dropped behind that, for want of room or as received before.
bool was_unprocessed(DropKind kind, std::uint32_t len) {
  switch (kind) {
    case DropKind::firewall:
    case DropKind::filter:
    case DropKind::queue:
    case DropKind::routing:
    case DropKind::bad_checksum:
    case DropKind::damaged:
    case DropKind::out_of_window:
    case DropKind::old_timestamp:
    case DropKind::never_sent:
    case DropKind::refused_ack:
    case DropKind::no_flags:
    case DropKind::not_signed:
    case DropKind::few_hops_left:
      return true;
    case DropKind::other:
      return len == 0;
    default:
      return false;
  }
}

// A TCP's empty ACK has the number of what it sends next. Where payload with that number had come before it, either the
// ACK was overtaken, or another one had sent that payload in the peer's name.
void note_late_ack(Connection& c, const Drop& d, DropKind kind) {
  constexpr std::uint8_t others = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst;
  if ((d.flags & others) != 0) return;
  Retransmissions& r = c.ensure_anomalies().retransmissions;
  if ((kind == DropKind::old_data || kind == DropKind::old_sequence) && d.len == 0) {
    r.late_ack_seq = d.seq;
  } else if (is_received_before(kind) && d.len > 1 && d.seq == r.late_ack_seq) {
    r.not_yet_sent = true;  // one byte: a keep-alive has that number, too
  }
}

// Of what was unprocessed: by TCP, which has looked at its header; else before TCP.
bool was_refused(DropKind kind) {
  switch (kind) {
    case DropKind::firewall:
    case DropKind::filter:
    case DropKind::queue:
    case DropKind::routing:
    case DropKind::few_hops_left:
    case DropKind::other:
      return false;
    default:
      return true;
  }
}

// On the wire, by the hook there.
bool was_just_seen(const Mark& mark, const Event& e) {
  constexpr std::int64_t moment_ns = 10'000'000;
  return mark && e.ts_ns >= mark.ts_ns && e.ts_ns - mark.ts_ns <= moment_ns;
}

// TCP did not take it, but the hook on the wire has shown it a moment before: what rests on it alone is taken back.
void take_back_unprocessed(Connection& c, const Event& e, const Drop& d, DropKind kind) {
  const auto just_seen = [&](const Mark& mark) { return was_just_seen(mark, e); };
  if ((d.flags & tcp_flag::syn) != 0) return;
  if ((d.flags & tcp_flag::rst) != 0) {
    if (kind == DropKind::other || !c.anomalies) return;  // of a RST that was taken, too
    ResetSeen& rst = c.anomalies->rst_in;
    // One that answers a SYN is an answer all the same.
    if (c.state == TcpState::syn_sent || !just_seen(rst.mark) || rst.seq != d.seq) return;
    rst = {};
    if (!c.ended()) c.totals.final = c.totals.at_destruction;
    return;
  }
  if (c.anomalies && d.window == 0 && just_seen(c.anomalies->peer_window.since)) {
    ZeroWindowFacts& window = c.anomalies->peer_window;
    window.since = {};
    if (--window.periods == 0 && window.probes == 0) window = {};
  }
  if (c.anomalies && d.len == 0 && just_seen(c.anomalies->keepalive.last_answer)) {
    KeepaliveFacts& k = c.anomalies->keepalive;
    if (d.seq == k.answer_seq && d.ack == k.answer_ack) {
      take_back_answer(k);
      ++(was_refused(kind) ? k.answers_refused : k.answers_dropped);
    }
  }
  if (!c.teardown || (d.flags & tcp_flag::fin) == 0) return;
  FinFacts& fin = c.teardown->fin_in;
  const bool over = c.ended() && !c.teardown->mini_fin_wait2;
  const bool taken = c.teardown->close_wait || over || c.state == TcpState::closing || fin.acked || fin.repeated;
  if (!taken && just_seen(fin.sent) && fin.end == d.seq + seq_length(d.len, d.flags)) fin = {};
}

}  // namespace

void add_drop(Drops& drops, const Event& e, const Drop& d, bool out) {
  DropSeen* seen = seen_of(drops, d, out);
  if (seen == nullptr) {
    ++drops.further;
    return;
  }
  if (!seen->first) seen->first = {e.id, e.ts_ns};
  seen->last = {e.id, e.ts_ns};
  seen->evidence.add(e.id);
  ++seen->count;
  seen->segments += std::max<std::uint32_t>(d.segments, 1);
  seen->bytes += d.len;
  if (d.len == 0) ++seen->empty;
  seen->flags |= d.flags;
}

void note_received_before(Connection& c, const Segment& g, bool out) {
  constexpr std::uint16_t repeats =
      bits(SegmentEvent::keepalive, SegmentEvent::window_probe, SegmentEvent::retransmission);
  if (out || ((g.event_flags & repeats) == 0 && g.duplicate == 0) || g.socket.type != SocketKind::full) return;
  const std::uint32_t end = g.seq + seq_length(g.len, g.flags);
  if (!seq_before(g.socket.rcv_nxt, end)) c.ensure_anomalies().received_before = g.seq;
}

// The SYN that seemed to be for a listener here was dropped with another destination: NAT had sent it on before.
void DropEvents::pass_on(const Drop& d, const Flow& flow) {
  constexpr unsigned newest = 256;
  Slot slot = table_.first(Wait::unanswered_syn);
  for (unsigned i = 0; slot != no_slot && i < newest; ++i, slot = table_.behind(slot)) {
    const Connection& c = table_.at(slot);
    if (c.flow.remote != flow.remote || !c.isn.has_remote || c.isn.remote != d.seq) continue;
    forwarded_.pass_on(c.flow);
    return;
  }
}

// out: of what a client sends through this machine, that is not known from the drop.
Slot DropEvents::locate(const Drop& d, const Flow& flow, bool& out) {
  // A SYN that a firewall drops shows its port nowhere else: the socket's cookie names the connection.
  Slot slot = !out || d.has_socket != 0 ? table_.find_cookie(d.header.cookie) : no_slot;
  if (slot != no_slot && !table_.at(slot).reported && !table_.at(slot).bound.flow) lives_.adopt_flow(slot, flow);
  if (slot == no_slot) slot = table_.find_flow(flow);
  if (slot == no_slot && forwarded_.any()) slot = forwarded_.find_dropped(d, out);
  if (slot == no_slot && settings_.forwarded) {
    slot = forwarded_.take_dropped_syn(d);
    out = out || slot != no_slot;  // of the client
  }
  return slot;
}

void DropEvents::note(Connection& c, const Event& e, const Drop& d, bool out, bool no_fault) const {
  c.seen_by.kernel = !c.forwarded();  // it shows nothing of a socket
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  Drops& drops = c.ensure_anomalies().drops;
  if ((d.flags & tcp_flag::syn) != 0) {
    const bool ack = (d.flags & tcp_flag::ack) != 0;
    if (out && !ack) ++drops.syns_out;
    if (!out && ack) ++drops.syn_acks_in;
    if (!out && !ack && is_fault(drop_kind(names_, d.reason))) ++drops.syns_in;
  }
  if (!no_fault && !was_made_here(c, d, names_)) add_drop(drops, e, d, out);
  if (out) return;
  const DropKind kind = drop_kind(names_, d.reason);
  const bool fin = (d.flags & tcp_flag::fin) != 0 && kind != DropKind::other && was_unprocessed(kind, d.len);
  if (fin && c.teardown && !c.teardown->fin_dropped) c.teardown->fin_dropped = {e.id, e.ts_ns};
  note_late_ack(c, d, kind);
  if (was_unprocessed(kind, d.len)) take_back_unprocessed(c, e, d, kind);
}

// The end that was inferred from this segment; before what rests on the segment itself.
void DropEvents::take_back_end(Slot slot, const Event& e, const Drop& d) {
  const Connection& c = table_.at(slot);
  const DropKind kind = drop_kind(names_, d.reason);
  // A RST or a FIN that a mini-socket or a request took is dropped, too, for no reason that has a name.
  if (!c.teardown || kind == DropKind::other || !was_unprocessed(kind, d.len)) return;
  const InferredEnd& inferred = c.teardown->inferred_end;
  if (!was_just_seen(inferred.segment, e) || inferred.seq_end != d.seq + seq_length(d.len, d.flags)) return;
  states_.take_back_end(slot, e);
}

void DropEvents::take(const Event& e, const Drop& d) {
  const Flow flow = to_flow(d.tuple);
  bool out = d.outgoing != 0;
  const Slot slot = locate(d, flow, out);
  if (slot == no_slot && !out) timeline_.confirm(flow, d.seq);
  // A buffer that shows neither its namespace nor its socket can be another namespace's, with the same addresses.
  const bool nobodys = d.header.netns == 0 && d.header.cookie == 0;
  if (nobodys && slot != no_slot && !could_be_of(table_.at(slot), d, out)) return;
  Connection* c = slot == no_slot ? nullptr : &table_.at(slot);
  const bool repeated = c != nullptr && was_received_before(*c, d, names_);
  const bool early = c != nullptr && met_closed_window(*c, d, names_);
  if (c != nullptr && !c->reported) {
    if (!out) take_back_end(slot, e, d);
    note(*c, e, d, out, repeated || early);
    if (table_.wait_of(slot) == Wait::unsent_syn) table_.wait(slot, Wait::settle, now_);
  }
  // TCP forgets the device before it refuses a segment, so that its namespace is not known. Some socket had it, and
  // where that is neither a connection nor a listener of this one it was another's.
  const bool ours = c != nullptr || d.header.netns != 0 || listeners_.has(flow.local);
  if (!ours) return;
  constexpr std::uint8_t asks = tcp_flag::syn | tcp_flag::ack | tcp_flag::rst;
  if (c == nullptr && (d.flags & asks) == tcp_flag::syn) pass_on(d, out ? flow.reversed() : flow);
  if (c == nullptr && !out && (d.flags & asks) == tcp_flag::syn) unmatched_.on_dropped_syn(e, d, flow, now_);
  const DropKind kind = repeated ? DropKind::old_data : early ? DropKind::other : drop_kind(names_, d.reason);
  if (is_fault(kind)) ++summary_.drops;
  constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;
  const bool answers = d.outgoing != 0 && (d.flags & syn_ack) == syn_ack && (c == nullptr || !c->forwarded());
  if (answers) attempts_.answer_dropped(d.reason);
  const Flow& shown = c != nullptr && c->forwarded() ? c->flow : flow;
  if (settings_.counted && !settings_.timeline && is_fault(kind)) {
    DropEntry fault;
    fault.out = out;
    fault.reason = names_.drop_reason(d.reason);
    emitter_.entry(c, e, shown, std::move(fault));
  }
  if (!in_.shows_states()) return;
  // A RST is dropped for one reason (TCP_RESET) whether it was taken or not.
  if (c != nullptr && c->recent && (d.flags & tcp_flag::rst) == 0) {
    c->recent->mark_dropped(d.seq, d.flags, out);
  }
  if (!settings_.timeline) return;
  report(c, e, d, shown, out, kind);
}

void DropEvents::report(const Connection* c, const Event& e, const Drop& d, const Flow& shown, bool out,
                        DropKind kind) {
  DropEntry body;
  body.out = out;
  body.reason = names_.drop_reason(d.reason);
  body.kind = kind;
  body.repeated = !out && (kind == DropKind::old_data || is_received_before(kind));
  body.len = d.len;
  body.flags = d.flags;
  body.rel_seq = d.seq;
  body.rel_ack = d.ack;
  if (c != nullptr) {
    const bool ack = (d.flags & tcp_flag::ack) != 0;
    const bool knows_sender = out ? c->isn.has_local : c->isn.has_remote;
    const bool knows_other = out ? c->isn.has_remote : c->isn.has_local;
    body.relative = knows_sender && (knows_other || !ack);
    if (body.relative) {
      body.rel_seq -= out ? c->isn.local : c->isn.remote;
      if (ack) body.rel_ack -= out ? c->isn.remote : c->isn.local;
    }
  }
  if (c != nullptr && c->recent) {
    const Candidate* same = c->recent->find(d.seq, d.flags, out);
    if (same != nullptr) body.segment = same->id;
  }
  emitter_.entry(c, e, shown, std::move(body));
}

}  // namespace tcpwitness
