// SPDX-License-Identifier: Apache-2.0
// on_kernel.cpp: what the kernel says beside state changes: retransmissions, resets, errors, the
// end of sockets, who uses them, what existed at start, and what was lost.
//
// None of these begins a connection, but a retransmission or a snapshot of a living one: a process may
// keep a dead socket and still call recv() on it.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "correlate/correlator_impl.hpp"
#include "correlate/notes.hpp"
#include "correlate/payload_times.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// tcp_simple_retransmit(): the path's MTU fell, so everything that is out is sent again in smaller segments. It enters
// the state Loss as a timeout does, but no timer ran out and the MSS is less than it was.
bool by_path_mtu(const Connection& c, const Retransmissions& facts, const Retransmit& r) {
  if (r.cb.ca_state != kernel::ca_loss || r.cb.icsk_retransmits != 0) return false;
  if (facts.mtu_reduced) return seq_before(r.seq, facts.mtu_until);
  return c.has_cb() && r.cb.mss != 0 && r.cb.mss < c.cb.mss;
}

// docs/kernel.md, "Retransmission kinds", in this order.
RetransmitKind retransmit_kind(const Retransmit& r) {
  const ControlBlock& cb = r.cb;
  if (r.synack != 0) return RetransmitKind::syn_ack;
  if (!was_read(cb)) return RetransmitKind::unknown;
  if (cb.state == State::syn_sent) return RetransmitKind::syn;
  if (cb.ca_state == kernel::ca_recovery) return RetransmitKind::fast;
  if (cb.ca_state == kernel::ca_loss && cb.icsk_pending == kernel::timer_none) {
    return cb.icsk_retransmits > 0 ? RetransmitKind::rto : RetransmitKind::zero_window_rto;
  }
  if (cb.ca_state == kernel::ca_loss) return RetransmitKind::loss_recovery;
  if (cb.icsk_pending == kernel::timer_loss_probe) return RetransmitKind::tail_loss;
  return RetransmitKind::unknown;
}

// What the kernel's cause adds to the wire's word "retransmission"; Wireshark has a word for the fast one.
std::string_view cause_on_the_wire(RetransmitKind kind) {
  switch (kind) {
    case RetransmitKind::fast:
      return "fast retransmission";
    case RetransmitKind::syn:
    case RetransmitKind::syn_ack:
    case RetransmitKind::unknown:
      return "";
    default:
      return name(kind);
  }
}

// The wire's segment that the kernel reports now, by sequence number; id 0: not seen.
PendingRetransmission take_pending(Retransmissions& facts, std::uint32_t seq) {
  const std::size_t limit = Retransmissions::pending_limit;
  for (std::size_t i = 1; i <= limit && i <= facts.pending_pushed; ++i) {
    PendingRetransmission& segment = facts.pending[(facts.pending_pushed - i) % limit];
    if (segment.id == 0 || segment.seq != seq) continue;
    return std::exchange(segment, PendingRetransmission{});
  }
  return {};
}

// What became of one, by the tracepoint's third argument (6.15).
enum class Sending : std::uint8_t {
  left,
  never_left,  // counted by the kernel all the same
  put_off,     // -EBUSY: the copy before still waits in a queue of this machine
  not_tried,   // no route for its address, beyond the receiver's window, no memory: not counted
};

// __tcp_retransmit_skb() counts behind its last check and before tcp_transmit_skb(), whose errors (-1 netfilter, above
// 0 the qdisc) are thus counted. -EHOSTUNREACH comes from either: the total says which.
Sending sending_of(const Retransmit& r, std::uint32_t total_before) {
  if (r.err == 0 || r.err == retransmit_error_unknown) return Sending::left;
  if (r.err == -EBUSY) return Sending::put_off;
  const bool counted = r.err > 0 || r.err == -EPERM || r.cb.total_retrans > total_before;
  return counted ? Sending::never_left : Sending::not_tried;
}

// Which sizes are out and unanswered. Without a SACK none of it has arrived; with one, the short ones have, unless more
// segments have than can be short.
void note_sizes(Unanswered& run, const ControlBlock& cb) {
  if (cb.packets_out == 0) return;
  const std::uint64_t bytes = cb.snd_nxt - cb.snd_una;
  const std::uint64_t full = std::uint64_t{cb.packets_out} * cb.mss;
  const std::uint64_t lacking = full > bytes ? full - bytes : 0;
  if (cb.sacked_out == 0) {
    if (lacking != 0) run.small_lost = true;
  } else if (lacking == 0 || (cb.sacked_out > 1 && lacking < cb.mss)) {
    run.full_passed = true;
  }
}

// One number again and again.
void note_unanswered(Retransmissions& facts, const Event& e, const Retransmit& r, Sending sending) {
  if (r.synack != 0 || !was_read(r.cb) || r.cb.state == State::syn_sent) return;
  Unanswered& run = facts.current;
  const std::uint32_t len = r.end_seq - r.seq;
  const TimeNs received = e.ts_ns - std::int64_t{r.cb.since_received_ms} * 1'000'000;
  if (run.tries != 0 && run.seq != r.seq) {
    // TCP goes back to the first number that is not acknowledged (a tail-loss probe sends the last one before that): a
    // later one means that this one was.
    run.passed = seq_before(run.seq, r.cb.snd_una);
    if (!run.passed && !seq_before(r.seq, run.seq)) return;
    if (run.tries > 1 && run.tries >= facts.worst.tries) facts.worst = run;
    run = {};
  }
  if (sending == Sending::put_off || sending == Sending::not_tried) return;
  if (run.tries == 0) {
    run.seq = r.seq;
    run.first_ns = e.ts_ns;
    run.received_before_ns = received;
    run.sent_ns = e.ts_ns - std::int64_t{r.cb.rto_us} * 1'000;
    run.acked_before = r.cb.bytes_acked;
    run.segs_before = r.cb.segs_out;
  }
  ++run.tries;
  run.received_ns = received;
  if (len > run.len) {
    run.len = len;
    run.mss = r.cb.mss;
  } else if (len < run.len && run.smaller == 0) {
    run.smaller = len;
  }
  run.sacked = std::max<std::uint32_t>(run.sacked, r.cb.sacked_out);
  if (r.cb.mss >= run.mss) note_sizes(run, r.cb);
  run.probing = run.probing || r.cb.is(SocketDetail::mtu_probing);
  run.evidence.add(e.id);
}

// What the wire showed of a reset that the kernel took.
ResetEntry::Wire wire_of_taken_reset(const Connection& c, const Reset& r, bool matched) {
  if (matched) return ResetEntry::Wire::shows_it;
  const State state = r.cb.state;
  const bool orphan = is_orphaned(r.cb) && (state == State::fin_wait1 || state == State::fin_wait2);
  if (!c.has_wire) return ResetEntry::Wire::not_watched;
  return orphan ? ResetEntry::Wire::shows_data_after_close : ResetEntry::Wire::shows_none;
}

// A RST that answers a segment closes no socket: in SYN_SENT it answers a challenge ACK, and the connection goes on. A
// socket that such a RST does end (TCP_ABORT_ON_DATA) is closed before it. And where there is no socket any more, it
// says nothing of a connection that had ended before.
bool ends_nothing(const Connection& c, const Reset& r) {
  if (r.answers_segment == 0 || (c.teardown && c.teardown->mini_fin_wait2)) return false;
  if (r.has_socket == 0) return c.ended();
  return was_read(r.cb) && r.cb.state != State::close;
}

// The end of a socket whose last state event is missing. What its control block proves is kept.
bool finished_well(const Connection& c, const ControlBlock& cb) {
  if (error_ended(cb, c.state)) return false;
  if (c.state == State::last_ack || c.state == State::closing) return cb.snd_una == cb.write_seq;
  return c.state == State::fin_wait2 && fin_received(cb);
}

// A look at a socket: at the start of the run, and at its end for what is still open.
void refresh(Connection& c, const Event& e, const SocketFound& f) {
  if (c.reported || c.ended()) return;
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  // The first look comes behind what the hooks reported meanwhile, and can be older.
  const bool newer = f.cb.bytes_acked >= c.cb.bytes_acked && f.cb.bytes_received >= c.cb.bytes_received;
  if (was_read(f.cb) && newer) c.cb = f.cb;
  const std::uint64_t counted = segments_of(f.wire);
  if (f.has_wire == 0 || counted == 0 || counted < segments_of(c.wire)) return;
  c.take_counters(e.id, f.wire, f.loss);
  c.set_payload(payload_times(e, f.header, f.times));
  c.has_wire = true;
  c.totals.final = true;
}

// Only an entry of origin ICMP is an ICMP message: completions and timestamps lie on the same queue.
IcmpMessage icmp_message(const SocketError& x) {
  IcmpMessage message;
  if (x.queue_origin != kernel::origin_icmp && x.queue_origin != kernel::origin_icmp6) return message;
  message.error = x.icmp_errno;
  message.type = x.icmp_type;
  message.code = x.icmp_code;
  message.v6 = x.queue_origin == kernel::origin_icmp6;
  std::memcpy(message.sender.bytes.data(), x.icmp_sender, message.sender.bytes.size());
  return message;
}

}  // namespace

Slot Correlator::Impl::locate(std::uint64_t cookie, const AddressPair& tuple) const {
  Slot slot = table_.find_cookie(cookie);
  if (slot == no_slot) {
    slot = table_.find_flow(to_flow(tuple));
    // Another socket's: a flow is used again.
    if (slot != no_slot && cookie != 0 && table_.at(slot).cookie != 0) return no_slot;
  }
  return slot != no_slot && table_.at(slot).reported ? no_slot : slot;
}

void Correlator::Impl::on_retransmit(const Event& e, const Retransmit& r) {
  const Slot slot = locate(r.header.cookie, r.tuple);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  c.has_kernel = true;
  Retransmissions& facts = c.ensure_anomalies().retransmissions;
  const Sending sending = sending_of(r, c.has_cb() ? c.cb.total_retrans : 0);
  RetransmitKind kind = retransmit_kind(r);
  if (kind != RetransmitKind::syn_ack && by_path_mtu(c, facts, r)) {
    kind = RetransmitKind::path_mtu;
    if (!facts.mtu_reduced) facts.mtu_until = r.cb.snd_nxt;
    facts.mtu_reduced = true;
  } else {
    facts.mtu_reduced = false;
  }
  if (r.synack == 0 && was_read(r.cb)) c.cb = r.cb;
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  note_unanswered(facts, e, r, sending);
  const bool counted = sending == Sending::left || sending == Sending::never_left;
  const std::uint32_t segments = r.segments != 0 ? r.segments : 1;
  // A SYN that never reached the interface shows its port only here.
  if (r.synack == 0 && !c.bound.flow) adopt_flow(slot, to_flow(r.tuple));
  if (kind == RetransmitKind::syn || kind == RetransmitKind::syn_ack) {
    c.isn.local = r.seq;
    c.isn.has_local = true;
  }
  if (counted) facts.by_kind[static_cast<std::size_t>(kind)] += segments;
  if (counted) facts.kernel += segments;
  const bool again = facts.reported != 0 && facts.last_seq == r.seq;
  ++facts.reported;
  const PendingRetransmission seen = take_pending(facts, r.seq);
  const EventId segment = seen.id;
  facts.evidence.add(e.id, e.ts_ns);
  if (facts.run_seq != r.seq) facts.run.clear();
  if (facts.run.total == 0) facts.run_first = {e.id, e.ts_ns};
  facts.run_seq = r.seq;
  facts.run.add(e.id);
  if (segment != 0 && counted) facts.matched[static_cast<std::size_t>(kind)] += segments;
  facts.wire_matched += seen.segments;
  if (sending == Sending::never_left) facts.refused += segments;
  if (sending == Sending::put_off) ++facts.put_off;
  if (sending == Sending::not_tried) ++facts.not_tried;
  if (segment == 0 && sending == Sending::left) facts.unmatched_segments += segments;
  // One that was put off, or not tried, has the number of the one that follows.
  const std::uint32_t before = again ? facts.attempt : 0;
  facts.attempt = counted ? before + 1 : before;
  if (r.synack != 0) facts.attempt = r.num_timeout + 1U;
  if (r.synack != 0 && r.acked != 0) facts.ack_waits = true;
  if (r.synack != 0) c.anomalies->request_dropped = {};
  facts.last_seq = r.seq;
  if (!settings_.timeline) return;
  RetransmitEntry body;
  body.cause = kind;
  body.relative = c.isn.has_local;
  body.rel_seq = c.isn.has_local ? r.seq - c.isn.local : r.seq;
  body.segment = segment;
  body.len = r.end_seq - r.seq;
  body.err = r.err;
  body.rto_us = r.cb.rto_us;
  body.attempt = counted ? facts.attempt : facts.attempt + 1;
  if (segment != 0) timeline_.cause_of(segment, cause_on_the_wire(kind));
  emitter_.entry(&c, e, c.flow, body);
}

// The segment that this RST answers was sent by a connection of this machine too.
bool Correlator::Impl::note_answered_here(const Event& e, const Reset& r, const Flow& flow) {
  if (r.direction != ResetDirection::sent || r.answers_segment == 0) return false;
  const Slot slot = table_.find_flow(Flow{flow.remote, flow.local});
  if (slot == no_slot || table_.at(slot).reported || !table_.at(slot).isn.has_local) return false;
  Connection& c = table_.at(slot);
  const std::uint32_t newest = c.has_cb() && seq_before(c.isn.local, c.cb.snd_nxt) ? c.cb.snd_nxt : c.isn.local + 1;
  constexpr std::uint32_t near = 1U << 24U;  // the control block is that of the newest event
  if (seq_before(r.skb_seq, c.isn.local) || seq_before(newest + near, r.skb_seq)) return false;
  c.ensure_anomalies().answered_here = {{e.id, e.ts_ns}, r.reason, true, r.has_socket != 0, r.actor.flags, 0};
  return true;
}

EventId Correlator::Impl::stray_reset(const Event& e, const Reset& r, const Flow& flow) {
  if (r.direction != ResetDirection::sent || r.answers_segment == 0) return 0;
  timeline_.confirm(flow, r.skb_seq);
  return unmatched_.strays().reset_reported(e, r, flow);
}

void Correlator::Impl::on_reset(const Event& e, const Reset& r) {
  const bool sent = r.direction == ResetDirection::sent;
  const Flow flow = to_flow(r.tuple);
  // Without a socket the address pair still names the connection whose segment was answered.
  const Slot slot = locate(r.has_socket != 0 ? r.header.cookie : 0, r.tuple);
  const ResetReason reason = sent ? reset_reason(names_, r.reason) : ResetReason::unknown;
  if (note_answered_here(e, r, flow) && r.has_socket == 0) unmatched_.strays().sent_here(flow, r.skb_seq);
  const bool of_listener = r.cb.state == State::listen && was_read(r.cb);
  ResetEntry body;
  body.sent = sent;
  body.has_socket = r.has_socket != 0;
  if (sent && r.reason != reset_reason_unknown) body.reason = reset_reason_text(names_, r.reason);
  body.kind = reason;
  if (slot != no_slot && of_listener && reason == ResetReason::invalid_syn && end_request(slot, e, r)) {
    body.segment = stray_reset(e, r, flow);
    emitter_.entry(&table_.at(slot), e, table_.at(slot).flow, std::move(body));
    return;
  }
  if (slot == no_slot || of_listener) {
    body.segment = stray_reset(e, r, flow);
    emitter_.entry(nullptr, e, flow, std::move(body));
    return;
  }
  Connection& c = table_.at(slot);
  c.has_kernel = true;
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  if (r.has_socket != 0 && was_read(r.cb) && !c.ended()) c.cb = r.cb;
  if (sent && ends_nothing(c, r)) {
    emitter_.entry(&c, e, c.flow, std::move(body));
    return;
  }
  Anomalies& anomalies = c.ensure_anomalies();
  ResetReport& reported = sent ? anomalies.reset_sent : anomalies.reset_received;
  if (!reported.mark) {
    const std::uint32_t number = sent ? r.reason : reset_reason_unknown;
    reported = {{e.id, e.ts_ns}, number, r.answers_segment != 0, r.has_socket != 0, r.actor.flags, r.sent_ms};
  }
  if (c.teardown && c.teardown->mini_fin_wait2) {
    // A mini-socket that is reset waits for no FIN any more. That is its end, and not the exchange of FINs before it.
    if (reported.has_socket && c.teardown->end.ts_ns < e.ts_ns) c.teardown->end = {e.id, e.ts_ns};
    table_.wait(slot, Wait::settle, now_);
  }
  body.in_fin_wait2 = sent && c.teardown && c.teardown->mini_fin_wait2 && reason == ResetReason::timewait_socket;
  const bool acts = actor_owned(r.actor.flags) && !reported.answers_segment && sent;
  StateChange actor{};
  actor.actor = r.actor;
  if (acts) body.process = acting_process(actor, PidSource::close).process();
  const ResetSeen& rst = sent ? anomalies.rst_out : anomalies.rst_in;
  bool matched = static_cast<bool>(rst.mark);
  if (matched && !sent && was_read(r.cb)) {
    // A RST from before rcv_nxt is not the one that the kernel took.
    const State state = r.cb.state;
    matched =
        state == State::syn_sent || !seq_before(rst.seq, r.cb.rcv_nxt) || takes_reset(state, r.cb.rcv_nxt, rst.seq);
  }
  if (matched) body.segment = rst.mark.id;
  if (!sent) body.wire = wire_of_taken_reset(c, r, matched);
  emitter_.entry(&c, e, c.flow, std::move(body));
}

// tcp_check_req() gives a half-open request up with a RST: tcp_abort_on_overflow, or a SYN in its window.
bool Correlator::Impl::end_request(Slot slot, const Event& e, const Reset& r) {
  Connection& c = table_.at(slot);
  if (c.state != State::new_syn_recv || c.ended()) return false;
  c.ensure_anomalies().reset_sent = {{e.id, e.ts_ns}, r.reason, true, true, r.actor.flags, 0};
  Teardown& teardown = c.ensure_teardown();
  teardown.end = {e.id, e.ts_ns};
  teardown.end_from = State::new_syn_recv;
  table_.wait(slot, Wait::settle, now_);
  return true;
}

void Correlator::Impl::on_error(const Event& e, const SocketError& x) {
  const Slot slot = locate(x.header.cookie, x.tuple);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  c.has_kernel = true;
  adopt_flow(slot, to_flow(x.tuple));
  if (was_read(x.cb) && !c.ended()) c.cb = x.cb;
  // An error that the peer or a timer made is there before the socket closes; tcp_disconnect() (linger 0, a closed
  // listener, TCP_REPAIR) sets one on its own socket behind it.
  const bool own_abort = x.cb.sk_err != 0 && c.ended() && c.teardown->end_shown && c.has_cb() && c.cb.sk_err == 0;
  if (x.cb.sk_err != 0 && !own_abort) {
    c.error = x.cb.sk_err;
    c.ensure_anomalies().error = {e.id, e.ts_ns};
  }
  IcmpMessage icmp = icmp_message(x);
  icmp.own = icmp && icmp.sender == c.flow.local.address;
  if (icmp) {
    Anomalies& anomalies = c.ensure_anomalies();
    if (!anomalies.icmp_mark) anomalies.icmp_mark = {e.id, e.ts_ns};
    anomalies.icmp = icmp;
  }
  emitter_.entry(&c, e, c.flow, ErrorEntry{x.cb.sk_err, icmp, x.queue_origin, own_abort});
}

void Correlator::Impl::on_destroy(const Event& e, const SocketDestroyed& d) {
  listeners_.closed(d.header.cookie, e.ts_ns);
  const Slot slot = locate(d.header.cookie, d.tuple);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  if (c.cookie != d.header.cookie) return;
  if (c.transitions.rival) {
    c.transitions.rival = false;
    return;
  }
  if (settings_.compare) note_measures(contexts_.measures(slot), d);
  if (d.has_wire != 0 && c.has_wire) {
    c.take_counters(e.id, d.wire, d.loss);
    c.set_payload(payload_times(e, d.header, d.times));
    c.totals.final = true;
    c.totals.at_destruction = true;
  }
  if (c.ended()) return;
  note_missing(c);  // a socket is destroyed in CLOSE only
  Teardown& teardown = c.ensure_teardown();
  const bool well = finished_well(c, d.cb);
  if (was_read(d.cb)) c.cb = d.cb;
  teardown.end = {e.id, e.ts_ns};
  teardown.end_from = c.state;
  if (c.error == 0) c.error = d.cb.sk_err;
  if (well && c.state != State::last_ack) {
    enter_time_wait(slot, e, e.ts_ns, Cause{}, &d.cb);
    return;
  }
  c.enter(State::close);
  table_.wait(slot, Wait::settle, now_);
}

void Correlator::Impl::on_owner(const Event& e, const OwnerSeen& o) {
  if (o.source == OwnerSource::snapshot && listeners_.owned(o.header.cookie, seen_process(o))) return;
  const Slot slot = locate(o.header.cookie, o.tuple);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  note_first_call(c, e, o, settings_.slow_accept_ns);
  if (settings_.compare) note_measures(contexts_.measures(slot), o);
  const bool owns = own_by_use(c, o);
  if (owns) owner_changed(c, e);
  if (o.source != OwnerSource::snapshot || o.fd < 0 || c.state != State::close_wait) return;
  note_holder(c, e, o);
  if (!owns) emitter_.entry(&c, e, c.flow, OwnerEntry{seen_process(o).process(), o.fd});
}

void Correlator::Impl::on_socket(const Event& e, const SocketFound& f) {
  if (f.type == SocketKind::none) {
    if (f.has_wire != 0) return forwarded_.refresh_hop(e, f);  // over the flow map
    looked_ns_ = e.ts_ns;
    return;
  }
  const Flow flow = to_flow(f.tuple);
  if (f.type == SocketKind::listener) {
    if (listeners_.find(f.header.cookie) == nullptr) listeners_.opened(f.header.cookie, flow.local, Owner{}, 0);
    return;
  }
  if (f.type == SocketKind::full || f.type == SocketKind::time_wait) note_still_fin_wait2(e, f);
  if (f.type != SocketKind::full && f.type != SocketKind::request) return;
  const auto state = f.type == SocketKind::request ? State::new_syn_recv : f.cb.state;
  if (state == State::close || flow.remote.port == 0) return;
  if (const Slot slot = table_.find_cookie(f.header.cookie); slot != no_slot) {
    catch_up(slot, e, state);
    refresh(table_.at(slot), e, f);
    // A segment of it came while the sockets were listed.
    const bool older = settings_.compare && table_.at(slot).preexisting && f.type == SocketKind::full;
    if (older) note_first_look(contexts_.measures(slot), table_.at(slot));
    if (!table_.at(slot).reported && !table_.at(slot).ended()) {
      note_unaccepted(table_.at(slot), e, f.cb, settings_.slow_accept_ns);
    }
    return;
  }
  const Slot known = table_.find_flow(flow);
  if (known != no_slot && !table_.at(known).reported) {
    if (table_.at(known).cookie == 0) table_.bind_cookie(known, f.header.cookie);
    if (table_.at(known).cookie != f.header.cookie) return;
    catch_up(known, e, state);
    refresh(table_.at(known), e, f);
    return;
  }
  const Slot slot = create(e.ts_ns, false);
  Connection& c = table_.at(slot);
  table_.bind_cookie(slot, f.header.cookie);
  adopt_flow(slot, flow);
  c.netns = f.header.netns;
  c.preexisting = true;
  c.transitions.from_snapshot = true;
  c.has_kernel = true;
  c.established = state != State::syn_sent && state != State::syn_recv && state != State::new_syn_recv;
  if (state == State::syn_sent || f.cb.is(SocketFlag::connected)) c.role = Role::active;
  if (state == State::new_syn_recv) c.role = Role::passive;
  refresh(c, e, f);
  if (settings_.compare) note_first_look(contexts_.measures(slot), c);
  find_in(slot, e, state);
  if (state == State::new_syn_recv) {
    own_by_listener(c, listeners_.find(flow.local, e.ts_ns));
    table_.wait(slot, Wait::request, now_);
  }
}

// Nothing happened: it changes nothing of the connection.
void Correlator::Impl::on_sample(const Event& e, const Sample& sample) {
  const Slot slot = table_.find_cookie(sample.header.cookie);
  if (slot == no_slot || table_.at(slot).reported) return;
  const Connection& c = table_.at(slot);
  emitter_.entry(&c, e, c.flow, SampleEntry{sample});
}

// The sockets were listed, and this one is in a state that no event has shown.
void Correlator::Impl::find_in(Slot slot, const Event& e, State state) {
  Connection& c = table_.at(slot);
  c.has_kernel = true;
  if (table_.wait_of(slot) != Wait::none) table_.wait(slot, Wait::none, now_);
  c.enter(state);
  if (state != State::close_wait) return;
  c.ensure_teardown().close_wait = {e.id, e.ts_ns};
  c.closed_by = ClosedBy::peer;
  table_.wait(slot, Wait::close_wait, now_);
}

// Transitions that were lost show in the list of the sockets.
void Correlator::Impl::catch_up(Slot slot, const Event& e, State state) {
  Connection& c = table_.at(slot);
  if (c.reported || c.ended() || state == c.state || e.ts_ns <= c.last_ts_ns || !losses_.may_concern(c)) return;
  c.established =
      c.established || (state != State::syn_sent && state != State::syn_recv && state != State::new_syn_recv);
  find_in(slot, e, state);
}

void Correlator::Impl::on_gap(const Event& e, const Gap& gap) {
  losses_.add(gap);
  summary_.lost += gap.lost;
  emitter_.report(GapReport{e.ts_ns, gap}, 0);
}

}  // namespace tcpwitness
