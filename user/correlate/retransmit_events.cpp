// SPDX-License-Identifier: Apache-2.0
// retransmit_events.cpp: the kernel's own retransmissions: what it reports of each, beside the segment that the wire
// showed.
#include "correlate/retransmit_events.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "facts/derived.hpp"
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
// 0 the qdisc) are thus counted. -EHOSTUNREACH comes from either: the total shows which.
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

// Of those numbers that were put off, the first that waited long on this machine; until there is one, the newest.
void note_held(Retransmissions& facts, const Event& e, std::uint32_t seq) {
  ++facts.put_off;
  if (facts.held_seq != seq) {
    if (facts.held_long()) return;
    facts.held.clear();
    facts.held_seq = seq;
  }
  facts.held.add(e.id, e.ts_ns);
}

// A copy has left: what is put off after it waits anew.
void note_left(Retransmissions& facts, std::uint32_t seq) {
  if (facts.held_seq == seq && !facts.held_long()) facts.held.clear();
}

// Each retransmission that was in vain makes one D-SACK, and so does each copy that the network delivers: those that
// came before anything was sent again are of copies. `counted`: what the kernel counts of this one.
bool shows_copies(const Retransmissions& facts, const Retransmit& r, std::uint32_t counted) {
  if (r.synack != 0 || !was_read(r.cb)) return false;
  const std::uint32_t before = r.cb.total_retrans - std::min(r.cb.total_retrans, counted);
  return r.cb.dsack_dups > std::max(before, facts.kernel);
}

}  // namespace

// The request of a Fast Open has a cookie of its own beside its child, whose SYN-ACK it sends again.
Slot RetransmitEvents::locate(const Retransmit& r) const {
  const Slot slot = table_.find_open(r.header.cookie, r.tuple);
  if (slot != no_slot || r.synack == 0) return slot;
  const Slot child = table_.find_open(0, r.tuple);
  if (child == no_slot) return no_slot;
  const Connection& c = table_.at(child);
  return c.isn.has_local && c.isn.local == r.seq ? child : no_slot;
}

void RetransmitEvents::take(const Event& e, const Retransmit& r) {
  const Slot slot = locate(r);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  c.seen_by.kernel = true;
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
  if (r.synack == 0 && !c.bound.flow) lives_.adopt_flow(slot, to_flow(r.tuple));
  if (kind == RetransmitKind::syn || kind == RetransmitKind::syn_ack) {
    c.isn.local = r.seq;
    c.isn.has_local = true;
  }
  if (shows_copies(facts, r, counted ? segments : 0)) facts.copies = true;
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
  if (sending == Sending::put_off) note_held(facts, e, r.seq);
  if (sending == Sending::left) note_left(facts, r.seq);
  if (sending == Sending::not_tried) ++facts.not_tried;
  // The look-up before it is sent (inet_sk_rebuild_header()).
  if (sending == Sending::not_tried && r.err == -EHOSTUNREACH) facts.no_route.add(e.id, e.ts_ns);
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
  body.segment = segment;
  body.attempt = counted ? facts.attempt : facts.attempt + 1;
  report(c, e, r, body);
}

void RetransmitEvents::report(const Connection& c, const Event& e, const Retransmit& r, RetransmitEntry entry) {
  entry.relative = c.isn.has_local;
  entry.rel_seq = c.isn.has_local ? r.seq - c.isn.local : r.seq;
  entry.len = r.end_seq - r.seq;
  entry.err = r.err;
  entry.rto_us = r.cb.rto_us;
  if (entry.segment != 0) timeline_.cause_of(entry.segment, cause_on_the_wire(entry.cause));
  emitter_.entry(&c, e, c.flow, entry);
}

}  // namespace tcpwitness
