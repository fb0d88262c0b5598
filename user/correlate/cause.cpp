// SPDX-License-Identifier: Apache-2.0
// cause.cpp: matches transitions with segments by sequence number, with calls by the socket's lock,
// with timers by the error.
//
// A peer's segment can be processed from the backlog while a process owns the socket, so for
// transitions that only a segment can cause the lock is not looked at.
#include "correlate/cause.hpp"

#include <cerrno>
#include <string>

#include "correlate/notes.hpp"
#include "facts/derived.hpp"
#include "tcpwitness/tcp.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

constexpr std::int64_t same_batch_ns = 5'000'000;

constexpr bool has(std::uint8_t flags, std::uint8_t wanted) { return (flags & wanted) == wanted; }

// The first matching segment of the newest batch: XDP sees a whole batch before TCP sees any of it, so an ACK and the
// FIN behind it can both be candidates, and the first one did it. An older match (an ACK that a full accept queue
// refused a second ago) did not.
template <typename Match>
const Candidate* find(const Recent& recent, Match match) {
  const Candidate* best = nullptr;
  const std::uint32_t count = recent.pushed < Recent::limit ? recent.pushed : Recent::limit;
  for (std::uint32_t i = 1; i <= count; ++i) {
    const Candidate& candidate = recent.segments[(recent.pushed - i) % Recent::limit];
    if (candidate.out || candidate.dropped || !match(candidate)) continue;
    if (best != nullptr && best->ts_ns - candidate.ts_ns > same_batch_ns) break;
    best = &candidate;
  }
  return best;
}

Cause by_segment(const Candidate* candidate, std::string_view what, TimeNs ts) {
  Cause cause;
  if (candidate == nullptr) return cause;
  cause.kind = Cause::Kind::segment;
  cause.id = candidate->id;
  cause.delay_ns = ts > candidate->ts_ns ? ts - candidate->ts_ns : 0;
  cause.what = what;
  return cause;
}

Cause by_event(Cause::Kind kind, const Mark& mark, std::string_view what, TimeNs ts) {
  Cause cause;
  cause.kind = kind;
  cause.id = mark.id;
  cause.delay_ns = ts > mark.ts_ns ? ts - mark.ts_ns : 0;
  cause.what = what;
  return cause;
}

// The newest ICMP message that came in, or lies on the error queue, stands for this error.
Cause by_message(const Connection& c, int error, TimeNs ts) {
  if (!c.anomalies) return {};
  const Anomalies& t = *c.anomalies;
  if (t.icmp_in && t.icmp_in.error == error) return by_event(Cause::Kind::icmp, t.icmp_in_mark, "ICMP", ts);
  if (t.icmp && t.icmp.error == error) return by_event(Cause::Kind::icmp, t.icmp_mark, "ICMP", ts);
  return {};
}

Cause by_timer(std::string_view what) {
  Cause cause;
  cause.kind = Cause::Kind::timer;
  cause.what = what;
  return cause;
}

// Static storage for "kill (signal 9)".
std::string_view kill_words(int signal) {
  static const std::array<std::string, 128> words = [] {
    std::array<std::string, 128> made;
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = "kill (signal " + std::to_string(i) + ")";
    return made;
  }();
  return words[static_cast<std::size_t>(signal) & 127U];
}

Cause by_call(const StateChange& change, std::string_view what) {
  Cause cause;
  cause.kind = Cause::Kind::call;
  cause.what = what;
  if (actor_exiting(change.actor.flags)) {
    cause.signal = static_cast<int>(change.actor.exit_code & 0x7fU);
    cause.what = cause.signal != 0 ? kill_words(cause.signal) : "exit";
  }
  return cause;
}

bool called(const StateChange& change) {
  return is_locked_by_process(change.cb) && actor_present(change.actor.flags) &&
         !actor_kernel_thread(change.actor.flags);
}

// shutdown(SHUT_WR) shuts one direction down before it changes the state, shutdown(SHUT_RDWR) and close() both; close()
// comes when nobody has a descriptor any more.
std::string_view closing_call(const ControlBlock& cb) {
  return cb.sk_shutdown == kernel::send_shutdown || !cb.is(SocketDetail::released) ? "shutdown" : "close";
}

Cause of_close(const Connection& c, const StateChange& change, TimeNs ts) {
  const ControlBlock& cb = change.cb;
  const State from = change.old_state;
  const Recent* recent = c.recent.get();
  const bool reset_taken = c.anomalies && c.anomalies->reset_received.mark;
  if (c.teardown && c.teardown->no_syn) return by_call(change, "connect");
  if (cb.sk_err == ETIMEDOUT) {
    if (from == State::syn_sent || from == State::syn_recv) return by_timer("retransmission");
    if (cb.snd_una == cb.write_seq) return by_timer("keep-alive");
    return by_timer(user_timeout_over(c, ts) ? "user timeout" : "retransmission");
  }
  if (cb.sk_err == ECONNABORTED && called(change)) return by_call(change, "sock_destroy");
  const bool by_error = error_ended(cb, from);
  const int error = closing_error(c, change);
  if (error != 0 && (by_error || cb.sk_err == 0) && !reset_taken) {
    // tcp_v4_err(), tcp_v6_err(): of a message that ends a connect(), or a child that nobody has accepted, and of
    // nothing else.
    const bool accepted = from == State::syn_recv && c.role == Role::passive && !is_unaccepted(cb);
    if (accepted && is_path_error(error)) return by_timer("retransmission");
    const Cause message = from == State::syn_sent || from == State::syn_recv ? by_message(c, error, ts) : Cause{};
    if (message.kind != Cause::Kind::unknown) return message;
  }
  if (by_error || reset_taken) {
    const bool orphan = is_orphaned(cb) && (from == State::fin_wait1 || from == State::fin_wait2);
    const bool unwatched = reset_taken && !c.seen_by.wire && !orphan;  // data for an orphan is reported as a reset too
    if (unwatched) return by_event(Cause::Kind::reset, c.anomalies->reset_received.mark, "RST", ts);
    if (recent == nullptr) return {};
    const Candidate* rst = find(*recent, [&](const Candidate& s) {
      if (!has(s.flags, tcp_flag::rst)) return false;
      return from == State::syn_sent ? s.ack == cb.snd_nxt || s.ack == cb.write_seq
                                     : takes_reset(from, cb.rcv_nxt, s.seq);
    });
    return by_segment(rst, "RST", ts);
  }
  const bool closed = from == State::last_ack || from == State::closing;
  const bool unacknowledged = cb.snd_una != cb.write_seq;  // then no segment ended it
  if (recent != nullptr && closed && !unacknowledged) {
    const Candidate* ack = find(*recent, [&](const Candidate& s) {
      return has(s.flags, tcp_flag::ack) && !has(s.flags, tcp_flag::rst) && s.ack == cb.snd_una;
    });
    if (ack != nullptr) return by_segment(ack, "ACK of FIN", ts);
  }
  if (recent != nullptr && from == State::fin_wait2 && fin_received(cb)) {
    const Candidate* fin =
        find(*recent, [&](const Candidate& s) { return has(s.flags, tcp_flag::fin) && s.end == cb.rcv_nxt; });
    if (fin != nullptr) return by_segment(fin, "FIN", ts);
    return {};
  }
  if (closed && !unacknowledged) return {};
  return called(change) ? by_call(change, "close") : Cause{};
}

bool is_lone_syn(const Candidate& s) { return has(s.flags, tcp_flag::syn) && !has(s.flags, tcp_flag::ack); }

// Both sides connect at once. rcv_nxt is set behind SYN_RECV: the number is that of the SYN on the wire.
Cause of_crossing_syn(const Connection& c, const ControlBlock& cb, TimeNs ts) {
  const auto is_its_syn = [&](const Candidate& s) {
    return is_lone_syn(s) && (s.seq + 1 == cb.rcv_nxt || (c.isn.has_remote && s.seq == c.isn.remote));
  };
  return by_segment(find(*c.recent, is_its_syn), "SYN", ts);
}

Cause of_syn_ack(const Connection& c, const ControlBlock& cb, TimeNs ts) {
  const auto answers = [&](const Candidate& s) {
    return has(s.flags, tcp_flag::syn | tcp_flag::ack) && s.seq + 1 == cb.rcv_nxt;
  };
  return by_segment(find(*c.recent, answers), "SYN-ACK", ts);
}

// To SYN_RECV or ESTABLISHED.
Cause of_handshake(const Connection& c, const StateChange& change, TimeNs ts) {
  const ControlBlock& cb = change.cb;
  if (change.old_state == State::syn_sent)
    return change.new_state == State::established ? of_syn_ack(c, cb, ts) : of_crossing_syn(c, cb, ts);
  // The child's control block may not be filled in yet at LISTEN -> SYN_RECV; then only the ISNs on the wire decide.
  // Where both sides connect at once each acknowledges the other's SYN with a SYN-ACK.
  const std::uint32_t wanted = c.isn.has_local ? c.isn.local + 1 : cb.snd_una;
  const bool both = c.role == Role::active;
  const Candidate* ack = find(*c.recent, [&](const Candidate& s) {
    return has(s.flags, tcp_flag::ack) && !has(s.flags, tcp_flag::rst) && (both || !has(s.flags, tcp_flag::syn)) &&
           s.ack == wanted;
  });
  // Fast Open: the SYN's cookie makes the child, before any SYN-ACK leaves (RFC 7413, 4.2.2).
  if (ack == nullptr && change.old_state == State::listen && !c.opening.answered) {
    const auto is_its_syn = [&](const Candidate& s) {
      return is_lone_syn(s) && c.isn.has_remote && s.seq == c.isn.remote;
    };
    return by_segment(find(*c.recent, is_its_syn), "SYN", ts);
  }
  return by_segment(ack, ack != nullptr && has(ack->flags, tcp_flag::syn) ? "SYN-ACK" : "ACK", ts);
}

}  // namespace

int closing_error(const Connection& c, const StateChange& change) {
  if (change.cb.sk_err != 0 || change.old_state != State::syn_sent || !c.anomalies) return change.cb.sk_err;
  const bool otherwise = c.error != 0 || c.anomalies->reset_received.mark || is_locked_by_process(change.cb);
  return otherwise ? 0 : c.anomalies->icmp.error;
}

Cause find_cause(const Connection& c, const StateChange& change, TimeNs ts) {
  const ControlBlock& cb = change.cb;
  const Recent* recent = c.recent.get();
  const State to = change.new_state;
  switch (to) {
    case State::syn_sent:
      return called(change) ? by_call(change, "connect") : Cause{};
    case State::listen:
      return called(change) ? by_call(change, "listen") : Cause{};
    case State::close:
      return of_close(c, change, ts);
    case State::fin_wait1:
    case State::last_ack:
      return called(change) ? by_call(change, closing_call(cb)) : Cause{};
    default:
      break;
  }
  if (recent == nullptr) return {};
  switch (to) {
    case State::established:
    case State::syn_recv:
      return of_handshake(c, change, ts);
    case State::close_wait:
    case State::closing:
      return by_segment(
          find(*recent, [&](const Candidate& s) { return has(s.flags, tcp_flag::fin) && s.end == cb.rcv_nxt; }), "FIN",
          ts);
    case State::fin_wait2:
      return by_segment(find(*recent,
                             [&](const Candidate& s) {
                               return has(s.flags, tcp_flag::ack) && !has(s.flags, tcp_flag::rst) &&
                                      s.ack == cb.snd_una;
                             }),
                        "ACK of FIN", ts);
    default:
      return {};
  }
}

const RecentTransition* find_sender(const Recent& recent, std::uint8_t flags, std::uint16_t event_flags) {
  if (has(event_flags, SegmentEvent::retransmission)) return nullptr;  // a timer sent it, not the transition
  const auto sends = [&](const RecentTransition& t) {
    if (has(flags, tcp_flag::rst)) return t.to == State::close;
    if (has(flags, tcp_flag::fin)) return t.to == State::fin_wait1 || t.to == State::last_ack;
    if (has(flags, tcp_flag::syn)) return t.to == (has(flags, tcp_flag::ack) ? State::syn_recv : State::syn_sent);
    if (has(event_flags, SegmentEvent::handshake_ack)) return t.from == State::syn_sent && t.to == State::established;
    if (has(event_flags, SegmentEvent::fin_ack)) {
      return t.to == State::close_wait || t.to == State::closing || t.to == State::time_wait;
    }
    return false;
  };
  const auto size = static_cast<std::uint32_t>(recent.transitions.size());
  const std::uint32_t count = recent.transitions_pushed < size ? recent.transitions_pushed : size;
  for (std::uint32_t i = 1; i <= count; ++i) {
    const RecentTransition& transition = recent.transitions[(recent.transitions_pushed - i) % size];
    if (sends(transition)) return &transition;
  }
  return nullptr;
}

}  // namespace tcpwitness
