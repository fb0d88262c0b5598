// SPDX-License-Identifier: Apache-2.0
// outcome.cpp: how a connection ended: exactly one word.
//
// Written from the table in docs/kernel.md. Each answer rests on something that was seen (the socket's error, its
// last control block, a reset), so that a lost event can only lead to a weaker word: `unknown`.
#include <cerrno>

#include "facts/derived.hpp"
#include "judge/judge.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

const Anomalies& anomalies_of(const Connection& c) {
  static const Anomalies none{};
  return c.anomalies ? *c.anomalies : none;
}

Outcome outcome_of(const IcmpMessage& icmp) {
  return icmp.error == ECONNREFUSED ? Outcome::refused : Outcome::unreachable;
}

bool reset_taken(const Anomalies& t) { return t.reset_received.mark || t.rst_in.mark; }

// A RST came in that ended it, by its number; a challenge ACK answers any other one (RFC 5961, section 3.2).
bool reset_came(const Connection& c) {
  const Anomalies& t = anomalies_of(c);
  return c.teardown && is_reset_taken(t.rst_in, c.teardown->end_from, c.cb, t.reset_received.mark);
}

// Something that was seen proves that the handshake was over: a state that we last knew may be older than a loss.
bool past_handshake(const Connection& c) {
  const bool shown = c.teardown->end_shown && c.teardown->end_from != State::unknown;
  return shown || c.opening.established || (c.has_cb() && (c.cb.bytes_acked != 0 || c.cb.bytes_received != 0));
}

// ETIMEDOUT of a socket that is no mere request. With nothing outstanding only keep-alive can have given up.
Outcome timed_out(const Connection& c, const RuleContext& context) {
  const Anomalies& t = anomalies_of(c);
  const ResetReason reason = reset_reason(context.names, t.reset_sent.reason);
  if (t.reset_sent.mark && reason == ResetReason::keepalive_timeout) return Outcome::keepalive_timeout;
  if (!c.has_cb()) return Outcome::unknown;
  if (syn_ack_outstanding(c) && !t.reset_sent.mark) return Outcome::retransmit_timeout;  // keep-alive sends a RST
  if (c.cb.snd_una == c.cb.write_seq) return Outcome::keepalive_timeout;
  return user_timeout_over(c, c.teardown->end.ts_ns) ? Outcome::user_timeout : Outcome::retransmit_timeout;
}

// The timer that gives up reports the newest error of the path (sk_err_soft) in place of ETIMEDOUT: tcp_write_err().
bool gave_up_on_path(const Connection& c) {
  if (!is_path_error(c.error) || !c.teardown->end_shown || !c.has_cb()) return false;
  if (actor_owned(c.teardown->end_actor) || actor_exiting(c.teardown->end_actor)) return false;
  // Before 6.10 the process is woken before the state changes, and can have read (and so cleared) the error by then.
  const bool read_before = c.cb.sk_err == 0 && anomalies_of(c).error && anomalies_of(c).error.id < c.teardown->end.id;
  if (c.cb.sk_err != c.error && !read_before) return false;
  if (anomalies_of(c).reset_received.mark) return false;
  // One that nobody has accepted is ended by the message itself (tcp_v4_err()).
  if (syn_ack_outstanding(c)) return !is_unaccepted(c.cb);
  return may_have_unacknowledged(c.teardown->end_from) && c.cb.snd_una != c.cb.write_seq;
}

// Data or a FIN was out, it had been sent again, and a softirq closed the socket although no RST came or left: only
// tcp_write_err() does so. Its error is missing where the process had read it before the kernel's events did. (Nobody
// reads the error of an orphan: tcp_out_of_resources() ends one without any.)
bool timer_gave_up(const Connection& c) {
  const Anomalies& t = anomalies_of(c);
  const State from = c.teardown->end_from;
  const bool in_softirq = !actor_owned(c.teardown->end_actor) && !actor_exiting(c.teardown->end_actor);
  const bool reset = t.reset_received.mark || t.reset_sent.mark || reset_came(c) || t.rst_out.mark;
  const bool outstanding =
      c.has_cb() && !is_orphaned(c.cb) && c.cb.snd_una != c.cb.write_seq && t.retransmissions.kernel != 0;
  return may_have_unacknowledged(from) && c.teardown->end_shown && in_softirq && !reset && !c.incomplete &&
         outstanding && c.cb.sk_err == 0 && c.error == 0;
}

// An orphan in FIN_WAIT2 was forgotten: a segment that came for it found no socket (its mini-socket answers for
// itself), or its own timer ended it by a RST (tcp_keepalive_timer()).
bool forgotten_by_then(const Connection& c) {
  const ResetReport& reported = anomalies_of(c).reset_sent;
  if (!reported.mark) return false;
  if (c.teardown->mini_fin_wait2)
    return reported.answers_segment && !reported.has_socket && !orphan_removed(c, reported.mark.ts_ns);
  return !reported.answers_segment && reported.has_socket && !actor_owned(reported.actor) && is_orphaned(c.cb);
}

// A mini-socket that waits for the peer's FIN, and no packet is seen: only the kernel's list of them shows whether it
// has come.
Outcome left_fin_wait2(const Connection& c, const RuleContext& context) {
  const Teardown& teardown = *c.teardown;
  if (teardown.fin_wait2_left) return Outcome::completed;
  const TimeNs until = orphan_until(c);
  const bool seen = teardown.fin_wait2_seen.ts_ns > teardown.end.ts_ns;
  const bool late = seen && until != 0 && teardown.fin_wait2_seen.ts_ns >= until - orphan_look_ns;
  if (late && orphan_forgotten(c, context.now)) return Outcome::fin_wait2_timeout;
  return seen && context.finished ? Outcome::open : Outcome::unknown;
}

// Of the RST that came in from the peer's address.
Outcome sender_of_reset(const Connection& c, const RuleContext& context) {
  if (reset_made_here(c)) return Outcome::reset_by_local;
  // Where both ends are here, so is the firewall between them.
  if (context.peer != nullptr && refused_by_input(*context.peer, context) != nullptr) return Outcome::reset_by_local;
  // On the loopback interface it is the peer's only if the peer's other segments come in there too.
  if (c.incomplete && c.anomalies->rst_in.on_loopback && !c.from_peer.on_loopback) return Outcome::unknown;
  return reset_by_outsider(c) ? Outcome::reset_by_outsider : Outcome::reset_by_peer;
}

// A reset that the kernel "received". It also reports that for data for an orphan (TCP_ABORT_ON_DATA): then no RST came
// in.
Outcome reset_by_whom(const Connection& c, const RuleContext& context) {
  const Anomalies& t = anomalies_of(c);
  const bool aborts =
      t.reset_sent.mark && reset_reason(context.names, t.reset_sent.reason) == ResetReason::abort_on_data;
  if (aborts) return Outcome::reset_by_local;
  if (reset_came(c)) return sender_of_reset(c, context);
  // A RST that may be among the lost: from where it came, and whether it was one, is not known.
  if (c.incomplete && context.has_wire) return Outcome::unknown;
  const State from = c.teardown ? c.teardown->end_from : State::unknown;
  const bool orphan = is_orphaned(c.cb) && (from == State::fin_wait1 || from == State::fin_wait2);
  if (!orphan || !c.seen_by.wire) return Outcome::reset_by_peer;
  return reset_sent(c) ? Outcome::reset_by_local : Outcome::unknown;
}

// A process, or the kernel for it, ended the connection with a RST.
Outcome broken_off(const Connection& c, const RuleContext& context) {
  const Teardown& teardown = *c.teardown;
  const ResetReport& reported = anomalies_of(c).reset_sent;
  // Nobody has shown who did it: neither the transition nor the kernel's report. A dead process is as possible, and a
  // RST that no socket sent only shows that there was none any more.
  if (!teardown.end_shown && (!reported.mark || !reported.has_socket)) return Outcome::unknown;
  const std::uint8_t actors = reported.answers_segment ? teardown.end_actor : teardown.end_actor | reported.actor;
  const bool dying = actor_exiting(actors);
  const bool unread = (c.has_cb() && unread_data(c.cb)) ||
                      (reported.mark && reset_reason(context.names, reported.reason) == ResetReason::abort_on_close);
  if (dying && unread) return Outcome::aborted;
  // A socket in TCP_REPAIR is closed without a word, so the closing alone proves no RST.
  return reset_sent(c) ? Outcome::reset_by_local : Outcome::unknown;
}

Outcome refused_or_not(const Connection& c, const RuleContext& context) {
  if (c.teardown->found_no_port()) return Outcome::no_local_port;
  if (c.teardown->no_syn) return Outcome::connect_unsent;
  // Without the last transition SYN_SENT is only what we knew before a loss: the SYN may have been acknowledged since.
  const bool still_connecting = c.teardown->end_shown || (c.has_cb() && c.cb.bytes_acked == 0 && !c.opening.answered);
  if (!still_connecting) return Outcome::unknown;
  const Anomalies& t = anomalies_of(c);
  if (c.error != 0 && !reset_taken(t) && syns_never_left(c, context)) return Outcome::connect_unsent;
  if (c.error == ECONNREFUSED) return Outcome::refused;
  if (c.error == ETIMEDOUT) {
    const bool answered = syn_ack_ignored(c) || reset_ignored(c, context);
    return answered ? Outcome::connect_ignored : Outcome::connect_timeout;
  }
  if (is_unreachable(c.error)) return Outcome::unreachable;
  // One that was seen at the interface and dropped behind it ended nothing.
  if (t.reset_received.mark || (t.rst_in.mark && !reset_ignored(c, context))) return Outcome::refused;
  const bool called = actor_present(c.teardown->end_actor) && actor_owned(c.teardown->end_actor);
  if (c.error == ECONNABORTED && called) return Outcome::connect_cancelled;  // by another process: ss -K
  if (c.error != 0 || !called) return Outcome::unknown;
  // The message came while connect() held the socket: it ends nothing, and the process learns of it (SO_ERROR).
  const IcmpMessage* icmp = icmp_behind(c);
  if (icmp != nullptr && syns_never_left(c, context)) return Outcome::connect_unsent;
  if (icmp != nullptr) return outcome_of(*icmp);
  // close() and exit shut the socket down first; without either only a SYN shows that connect() itself had not failed.
  const bool gave_up = actor_exiting(c.teardown->end_actor) ||
                       (c.has_cb() && c.cb.sk_shutdown == kernel::shutdown_mask) || c.syn ||
                       (c.has_cb() && c.cb.packets_out != 0);
  return c.incomplete || !gave_up ? Outcome::unknown : Outcome::connect_cancelled;
}

// Linux gives a SYN up after 127 s (tcp_syn_retries 6).
constexpr std::int64_t given_up_ns = 127'000'000'000;

// It was sent again, and still nothing came. (One SYN alone may be all that was seen of a connection, or all that a
// process waited for.)
bool asked_again(const Connection& c) { return anomalies_of(c).retransmissions.syns >= 2; }

bool never_answered(const Connection& c, const RuleContext& context) {
  const bool asked = c.state == State::syn_sent && c.syn && !c.opening.answered;
  return asked && c.wire.segs_in == 0 && context.now - c.syn.ts_ns >= given_up_ns;
}

// By the peer, and TCP has not answered.
bool was_only_asked(const Connection& c) {
  return c.role == Role::passive && c.state == State::unknown && !c.opening.answered && !c.opening.established;
}

// Nothing of what the peer asked reached a listener: each of its SYNs was dropped, by the kernel's own report.
bool each_syn_dropped(const Connection& c) {
  if (!was_only_asked(c) || c.incomplete || !c.seen_by.wire) return false;
  const std::uint32_t dropped = anomalies_of(c).drops.syns_in;
  return dropped != 0 && dropped >= c.wire.segs_in;
}

// Nobody took what the peer asked, and then this machine's TCP refused it: the listener had closed. (A RST that answers
// a SYN acknowledges it.)
bool refused_at_last(const Connection& c) {
  const ResetReport& sent = anomalies_of(c).reset_sent;
  const ResetSeen& rst = anomalies_of(c).rst_out;
  const bool by_nobody = sent.mark && sent.answers_segment && !sent.has_socket;
  return was_only_asked(c) && !c.incomplete && by_nobody && rst.mark && (rst.flags & tcp_flag::ack) != 0;
}

// The RST's sender had closed and got no answer; the peer, which never learnt of it, closed by itself much later.
bool given_up_before(const Connection& c) {
  constexpr std::int64_t much_later_ns = 1'000'000'000;
  const bool came_in = anomalies_of(c).rst_in.mark.id == c.teardown->end.id;
  const FinFacts& first = came_in ? c.teardown->fin_in : c.teardown->fin_out;
  const FinFacts& later = came_in ? c.teardown->fin_out : c.teardown->fin_in;
  return first.sent && !first.acked && later.sent && later.sent.ts_ns - first.sent.ts_ns >= much_later_ns;
}

// The RST came behind this FIN, and payload before that was not acknowledged. (A FIN behind the RST shows that its
// sender had closed by itself.)
bool refused_before(const Connection& c, const FinFacts& fin, unsigned side) {
  return fin.sent.ts_ns < c.teardown->end.ts_ns && !c.inferred->tracker.acknowledged(side, fin.seq);
}

// The RST came behind both FINs, and refused what its receiver's ended, or the later one. (What its sender sent before
// it closed first is only not acknowledged yet: a TLS alert, mostly.)
bool payload_refused(const Connection& c) {
  const FinFacts& in = c.teardown->fin_in;
  const FinFacts& out = c.teardown->fin_out;
  if (!in.sent || !out.sent) return false;
  const bool came_in = anomalies_of(c).rst_in.mark.id == c.teardown->end.id;
  const bool out_is_later = out.sent.ts_ns > in.sent.ts_ns;
  return ((came_in || out_is_later) && refused_before(c, out, 0)) ||
         ((!came_in || !out_is_later) && refused_before(c, in, 1));
}

// A RST behind its sender's own FIN refuses what the peer still sends. Where the peer has closed too, both have.
bool reset_between_fins(const Connection& c) {
  return c.inferred && c.inferred->tracker.fin(0) && c.inferred->tracker.fin(1) && !c.incomplete &&
         !given_up_before(c) && !payload_refused(c);
}

// What a RST ended was no more than a SYN: a SYN-ACK that was taken shows a connection, whatever is missing of it.
bool refused_a_syn(const Connection& c) {
  const State from = c.teardown->end_from;
  const bool asked =
      from == State::syn_sent || from == State::new_syn_recv || (from == State::unknown && c.role == Role::passive);
  return asked && !(c.inferred && c.inferred->tracker.answered());
}

// Given up. The newest error of the path takes the place of ETIMEDOUT, as in tcp_write_err().
Outcome unanswered(const Connection& c) {
  if (c.forwarded() && c.forwarded()->refusal) return outcome_of(c.forwarded()->refusal);
  if (const IcmpMessage* icmp = path_error_of_attempt(c); icmp != nullptr) return outcome_of(*icmp);
  return asked_again(c) ? Outcome::connect_timeout : Outcome::unknown;
}

// An ICMP message answered its newest SYN, and connect() fails by that (tcp_v4_err(), tcp_v6_err() in SYN_SENT):
// whoever goes on all the same asks again (RFC 1122, 4.2.3.9).
bool attempt_refused(const Connection& c) {
  return anomalies_of(c).attempt_refused && path_error_of_attempt(c) != nullptr;
}

Outcome wire_outcome(const Connection& c, const RuleContext& context) {
  if (attempt_refused(c) && (context.finished || c.expired || context.conversation != nullptr))
    return outcome_of(c.anomalies->icmp_in);
  if (!c.ended() && context.conversation != nullptr) {
    if (never_answered(c, context)) return unanswered(c);
    if (c.inferred && c.inferred->reset_doubted) return Outcome::unknown;
    const bool closes = c.teardown && (c.teardown->fin_out.sent || c.teardown->fin_in.sent);
    if (closes && captured_one_way(context)) return Outcome::unknown;
    return context.finished ? Outcome::open : Outcome::unknown;
  }
  if (refused_on_the_way(c)) return outcome_of(c.forwarded()->refusal);
  if (!c.ended()) {
    if (context.finished && !c.expired) return end_may_be_unseen(c, context) ? Outcome::unknown : Outcome::open;
    const bool silent = c.expired && c.role == Role::active && c.state == State::syn_sent && !c.opening.answered;
    const bool long_enough = context.now - c.last_ts_ns >= given_up_ns;
    return silent && long_enough && !c.incomplete ? unanswered(c) : Outcome::unknown;
  }
  if (c.teardown->by_reset && reset_between_fins(c)) return Outcome::completed;
  // A RST alone shows no connection: it can answer anything (the backscatter of forged addresses).
  if (c.teardown->by_reset && c.inferred && !c.inferred->tracker.seen()) return Outcome::unknown;
  if (c.teardown->by_reset) {
    const Anomalies& t = anomalies_of(c);
    const bool came = t.rst_in.mark.id == c.teardown->end.id;
    const bool asked_here = c.teardown->end_from == State::syn_sent;
    // Forwarded, and this machine is neither end.
    const bool by_this_machine = reset_by_this_machine(c);
    if (refused_a_syn(c) && asked_here == (came || by_this_machine)) return Outcome::refused;
    if (by_this_machine) return Outcome::reset_by_outsider;
    if (came) return reset_by_outsider(c) ? Outcome::reset_by_outsider : Outcome::reset_by_peer;
    return Outcome::reset_by_local;
  }
  const bool both = c.teardown->fin_out.acked && c.teardown->fin_in.acked;
  return both ? Outcome::completed : Outcome::unknown;
}

// A FIN that came before the RST closed first; two that crossed are both the first one.
ClosedBy fin_before_reset(const Connection& c, ClosedBy sender_of_reset) {
  if (first_fin_in_doubt(c)) return ClosedBy::none;
  const ClosedBy first = closed_first(c);
  return first != ClosedBy::none ? first : sender_of_reset;
}

// What netfilter rejected. Of a later segment: the connection was open, whatever else was lost of it.
bool is_syn(const DropSeen* rejected) { return rejected != nullptr && (rejected->flags & tcp_flag::syn) != 0; }

}  // namespace

Outcome judge_outcome(const Connection& c, const RuleContext& context) {
  if (!context.has_kernel) return wire_outcome(c, context);
  if (!c.ended()) {
    if (c.state == State::new_syn_recv && c.anomalies && c.anomalies->request_dropped) return Outcome::unreachable;
    if (c.state == State::unknown && !c.opening.established && is_syn(refused_by_input(c, context)))
      return Outcome::refused;
    if (const IcmpMessage* icmp = refused_by_message(c, context); icmp != nullptr) return outcome_of(*icmp);
    if (refused_at_last(c)) return Outcome::refused;
    if (each_syn_dropped(c)) return Outcome::syn_dropped;
    // A SYN that TCP never took began nothing that could still be open.
    const bool cookie = c.anomalies && c.anomalies->queues.cookie && !c.opening.established;
    const bool never_taken = c.role == Role::passive && (cookie || (c.state == State::unknown && !c.opening.answered));
    return context.finished && !c.expired && !never_taken ? Outcome::open : Outcome::unknown;
  }

  const Anomalies& t = anomalies_of(c);
  const Teardown& teardown = *c.teardown;
  const State from = teardown.end_from;
  if (from == State::new_syn_recv) {
    // What is lost of a connection can make it look like a request that was never more.
    if (t.reset_sent.mark && t.reset_sent.answers_segment && !c.incomplete) return Outcome::reset_by_local;
    const bool refused = t.rst_in.mark && t.rst_in.socket_type == SocketKind::request;
    return refused ? Outcome::reset_by_peer : Outcome::unknown;
  }
  if (from == State::syn_sent) return refused_or_not(c, context);
  if (gave_up_on_path(c)) return timed_out(c, context);
  const bool connecting = from == State::syn_recv || !past_handshake(c);
  if (connecting && c.error == ECONNREFUSED) return Outcome::refused;
  if (!past_handshake(c)) return Outcome::unknown;
  const bool gave_up = reset_reason(context.names, t.reset_sent.reason) == ResetReason::keepalive_timeout;
  if (c.error == ETIMEDOUT || (t.reset_sent.mark && gave_up)) return timed_out(c, context);
  if (timer_gave_up(c)) return timed_out(c, context);
  if (t.reset_received.mark) return reset_by_whom(c, context);
  // The kernel's own last control block: its error was set before the state changed, by a RST. An error that is only
  // reported afterwards can be the aborter's own (a listener that closes with unaccepted children).
  const bool reset_at_end = teardown.end_shown && (c.cb.sk_err == ECONNRESET || c.cb.sk_err == EPIPE);
  if (reset_at_end) return reset_by_whom(c, context);

  const bool both_closed = from == State::last_ack || from == State::closing;
  const bool unharmed = !error_ended(c.cb, from);
  if (both_closed && c.has_cb() && c.cb.snd_una == c.cb.write_seq && unharmed) return Outcome::completed;
  if (from == State::fin_wait2) {
    if (teardown.time_wait_full) return fin_received(c.cb) ? Outcome::completed : Outcome::unknown;
    if (reset_sent(c) && !teardown.time_wait) {
      if (forgotten_by_then(c)) return Outcome::fin_wait2_timeout;
      const bool of_process = t.reset_sent.mark && !t.reset_sent.answers_segment && !destroyed_by_other(c);
      return of_process ? broken_off(c, context) : Outcome::reset_by_local;
    }
    if (teardown.time_wait) return Outcome::completed;
    if (t.rst_in.mark && t.rst_in.mark.id == teardown.end.id) return Outcome::reset_by_peer;
    const bool sees_fin = teardown.mini_fin_wait2 && context.has_wire && !waits_unseen(c) && !c.incomplete;
    if (sees_fin && orphan_forgotten(c, context.now)) return Outcome::fin_wait2_timeout;
    if (sees_fin && context.finished) return Outcome::open;
    return waits_unseen(c) && teardown.end_shown && !c.incomplete ? left_fin_wait2(c, context) : Outcome::unknown;
  }
  if (reset_sent(c)) return destroyed_by_other(c) ? Outcome::reset_by_local : broken_off(c, context);
  // The kernel's word on it is missing: it took the RST if that has the one number that it must have.
  if (t.rst_in.mark && t.rst_in.fits) return sender_of_reset(c, context);
  // close() that goes from an open state to CLOSE: with unread data, or by a process that did not want to linger.
  const bool called = actor_present(teardown.end_actor) && actor_owned(teardown.end_actor);
  const bool was_open = from == State::established || from == State::close_wait;
  if (teardown.end_shown && called && was_open && unharmed) return broken_off(c, context);
  return Outcome::unknown;
}

bool reset_sent(const Connection& c) {
  const Anomalies& t = anomalies_of(c);
  const SocketKind type = t.rst_out.socket_type;
  return t.reset_sent.mark || (t.rst_out.mark && (type == SocketKind::full || type == SocketKind::control));
}

bool ended_in_repair(const Connection& c) {
  return c.ended() && c.teardown->end_shown && c.has_cb() && in_repair(c.cb);
}

bool destroyed_by_other(const Connection& c) {
  if (c.error != ECONNABORTED || !c.teardown || ended_in_repair(c)) return false;
  return c.teardown->end_pid != 0 && c.teardown->end_pid != c.owner.pid;
}

// inet_csk_listen_stop() disconnects each child that waits; ss -K would leave an error of its own.
bool closed_with_listener(const Connection& c, const RuleContext& context) {
  if (c.role != Role::passive || !c.anomalies || !c.ended() || !c.teardown->end_shown || !c.has_cb()) return false;
  const ResetReport& sent = c.anomalies->reset_sent;
  const bool disconnected = sent.mark && sent.has_socket && !sent.answers_segment &&
                            reset_reason(context.names, sent.reason) == ResetReason::tcp_state;
  return disconnected && is_unaccepted(c.cb) && !actor_owned(c.teardown->end_actor) && c.error != ECONNABORTED &&
         c.cb.sk_err == 0;
}

bool listener_ended_by_another(const Connection& c) {
  return c.owner.pid != 0 && c.teardown->end_pid != 0 && c.teardown->end_pid != c.owner.pid;
}

bool captured_one_way(const RuleContext& context) {
  const ConversationTotals* totals = context.conversation;
  return totals != nullptr && (totals->out.frames == 0 || totals->in.frames == 0);
}

ClosedBy judge_closed_by(const Connection& c, const RuleContext& context, Outcome outcome) {
  if (captured_one_way(context)) return ClosedBy::none;  // a FIN of the other side can have come before
  switch (outcome) {
    case Outcome::refused:
      // An ICMP message came from anywhere on the way.
      if (icmp_behind(c) != nullptr && !c.anomalies->rst_in.mark) return ClosedBy::none;
      if (reset_by_this_machine(c) || (c.forwarded() && !(c.ended() && c.teardown->by_reset))) return ClosedBy::none;
      return c.role == Role::passive ? ClosedBy::local : ClosedBy::peer;
    case Outcome::reset_by_peer:
      return fin_before_reset(c, ClosedBy::peer);
    case Outcome::reset_by_local:
    case Outcome::aborted:
      return fin_before_reset(c, ClosedBy::local);
    case Outcome::connect_cancelled:
      return ClosedBy::local;
    case Outcome::unreachable:
      // Of a request the path's message, or this machine's own.
      return c.role == Role::passive && !anomalies_of(c).request_dropped ? ClosedBy::local : ClosedBy::none;
    case Outcome::connect_timeout:
    case Outcome::connect_unsent:
    case Outcome::connect_ignored:
    case Outcome::no_local_port:
    case Outcome::syn_dropped:
    case Outcome::reset_by_outsider:
    case Outcome::keepalive_timeout:
    case Outcome::retransmit_timeout:
    case Outcome::user_timeout:
      return ClosedBy::none;
    default:
      return closed_first(c);
  }
}

}  // namespace tcpwitness
