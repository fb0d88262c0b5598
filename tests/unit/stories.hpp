// SPDX-License-Identifier: Apache-2.0
// stories.hpp: the six cases of DESIGN and their variants as event streams, in EVIDENCE's order.
//
// Shared by the tests of outcomes and by the properties (loss, replay): what is true of one story must
// stay true when an event of it is missing.
#pragma once

#include <string>
#include <vector>

#include "unit/run.hpp"

namespace tcpwitness::testing {

struct Story {
  std::string name;
  std::vector<Event> events;
  Outcome outcome{};
};

inline constexpr Caller killed_curl{42, "curl", 9};

inline Story refused_story() {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  c.in(RA, 0, 0, [](tw_segment& g) { g.seq = 0; });
  c.kernel_reset(TW_RESET_RECEIVED, TW_REASON_UNKNOWN);
  c.extra.sk_err = 111;
  c.to(State::close);
  c.error(111);
  c.destroy();
  return {"refused", stream.events, Outcome::refused};
}

inline Story no_answer_story() {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  for (const std::int64_t gap : {1, 2, 4}) {
    stream.wait(gap * s);
    c.out(S, 0, TW_WHY_RETRANSMISSION, [&](tw_segment& g) { g.seq = c.isn(); });
    c.retransmit(4, 0, 1);
  }
  stream.wait(8 * s);
  c.extra.sk_err = 110;
  c.to(State::close);
  c.error(110);
  c.destroy();
  return {"no answer", stream.events, Outcome::connect_timeout};
}

inline Story gives_up_connecting_story() {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  stream.wait(300 * ms);
  c.to(State::close, killed_curl);
  c.destroy();
  return {"gives up connecting", stream.events, Outcome::aborted};
}

inline Story close_first_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 50);
  c.in(PA, 70);
  closes_first(c, curl);
  return {"closes first", stream.events, Outcome::completed};
}

inline Story close_second_story() {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.in(PA, 50);
  c.used(nginx, TW_OWNER_RECEIVE);
  closes_second(c, nginx);
  return {"closes second", stream.events, Outcome::completed};
}

// The orphan becomes a mini-socket in FIN_WAIT2; the peer's FIN reaches that.
inline Story orphan_close_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.to(State::fin_wait1, curl);
  c.out(FA);
  c.in(A, 0, TW_WHY_FIN_ACK);
  c.to(State::fin_wait2);
  c.to(State::close);
  c.destroy();
  stream.wait(200 * ms);
  c.view = TW_SOCKET_TIMEWAIT;
  c.state = State::fin_wait2;
  c.in(FA);
  c.out(A, 0, TW_WHY_FIN_ACK);
  return {"orphan closes", stream.events, Outcome::completed};
}

// The same, but the peer breaks off instead of closing.
inline Story orphan_reset_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.to(State::fin_wait1, curl);
  c.out(FA);
  c.in(A, 0, TW_WHY_FIN_ACK);
  c.to(State::fin_wait2);
  c.to(State::close);
  c.destroy();
  stream.wait(200 * ms);
  c.view = TW_SOCKET_TIMEWAIT;
  c.state = State::fin_wait2;
  c.in(RA);
  return {"orphan is reset", stream.events, Outcome::reset_by_peer};
}

inline Story simultaneous_close_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  const std::uint32_t before = c.snd_nxt;
  c.to(State::fin_wait1, curl);
  c.out(FA);
  c.acked_by_peer = before;
  c.in(FA);
  c.to(State::closing);
  c.out(A, 0, TW_WHY_FIN_ACK);
  c.in(A, 0, TW_WHY_FIN_ACK);
  c.to(State::close);
  c.destroy();
  return {"simultaneous close", stream.events, Outcome::completed};
}

inline Story killed_unread_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 70);
  c.leave_unread(70);
  c.to(State::close, killed_curl);
  c.out(RA);
  c.kernel_reset(TW_RESET_SENT, reason_abort_on_close, killed_curl);
  c.destroy();
  return {"killed with unread data", stream.events, Outcome::aborted};
}

inline Story killed_read_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 70);
  closes_first(c, killed_curl);
  return {"killed with nothing unread", stream.events, Outcome::completed};
}

inline Story closed_unread_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 70);
  c.leave_unread(70);
  c.to(State::close, curl);
  c.out(RA);
  c.kernel_reset(TW_RESET_SENT, reason_abort_on_close, curl);
  c.destroy();
  return {"closed with unread data", stream.events, Outcome::reset_by_local};
}

inline Story peer_reset_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(RA);
  c.kernel_reset(TW_RESET_RECEIVED, TW_REASON_UNKNOWN);
  c.extra.sk_err = 104;
  c.to(State::close);
  c.error(104);
  c.destroy();
  return {"peer resets", stream.events, Outcome::reset_by_peer};
}

inline Story sock_destroy_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  const Caller ss{99, "ss"};
  c.out(RA);
  c.kernel_reset(TW_RESET_SENT, reason_tcp_state, ss);
  c.extra.sk_err = 103;
  c.to(State::close, ss);
  c.error(103);
  c.destroy();
  return {"ss -K", stream.events, Outcome::reset_by_local};
}

// Data for an orphan in FIN_WAIT1: the kernel "receives" a reset that nobody sent.
inline Story abort_on_data_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.to(State::fin_wait1, curl);
  c.out(FA);
  c.acked_by_peer = c.snd_nxt - 1;
  c.in(PA, 10);
  c.extra.flags = TW_CB_DEAD;
  c.kernel_reset(TW_RESET_RECEIVED, TW_REASON_UNKNOWN);
  c.extra.sk_err = 104;
  c.to(State::close);
  c.kernel_reset(TW_RESET_SENT, reason_abort_on_data, nobody, true);
  c.view = TW_SOCKET_CONTROL;
  c.out(R);
  return {"data for an orphan", stream.events, Outcome::reset_by_local};
}

inline void keepalive_on(Side& c) {
  c.extra.flags = TW_CB_KEEPOPEN;
  c.extra.keepalive_time_ms = 2000;
  c.extra.keepalive_intvl_ms = 1000;
  c.extra.keepalive_probes = 3;
}

inline EventId sends_probe(Side& c) {
  return c.out(A, 0, TW_WHY_KEEPALIVE, [&](tw_segment& g) { g.seq = c.snd_una - 1; });
}

inline Story keepalive_answered_story() {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  for (int i = 0; i < 2; ++i) {
    stream.wait(2 * s);
    sends_probe(c);
    c.in(A, 0, TW_WHY_KEEPALIVE_ACK);
  }
  closes_first(c, curl);
  return {"keep-alive answered", stream.events, Outcome::completed};
}

inline Story keepalive_death_story() {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  stream.wait(2 * s);
  for (std::uint8_t i = 0; i < 3; ++i) {
    c.extra.icsk_probes_out = i;
    sends_probe(c);
    stream.wait(1 * s);
  }
  c.extra.icsk_probes_out = 3;
  c.out(RA);
  c.kernel_reset(TW_RESET_SENT, reason_keepalive);
  c.extra.sk_err = 110;
  c.to(State::close);
  c.error(110);
  c.destroy();
  return {"keep-alive unanswered", stream.events, Outcome::keepalive_timeout};
}

inline Story retransmit_death_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  for (std::uint8_t i = 1; i < 4; ++i) {
    stream.wait(i * s);
    c.out(PA, 10, TW_WHY_RETRANSMISSION, [&](tw_segment& g) { g.seq = c.snd_una; });
    c.retransmit(4, 0, i);
  }
  stream.wait(8 * s);
  c.extra.sk_err = 110;
  c.to(State::close);
  c.error(110);
  c.destroy();
  return {"retransmission gives up", stream.events, Outcome::retransmit_timeout};
}

inline Story user_timeout_story() {
  Story story = retransmit_death_story();
  story.name = "user timeout";
  story.outcome = Outcome::user_timeout;
  for (Event& event : story.events) {
    if (auto* change = std::get_if<StateChange>(&event.body)) change->cb.user_timeout_ms = 5000;
    if (auto* again = std::get_if<Retransmit>(&event.body)) again->cb.user_timeout_ms = 5000;
    if (auto* error = std::get_if<SocketError>(&event.body)) error->cb.user_timeout_ms = 5000;
    if (auto* gone = std::get_if<SocketDestroyed>(&event.body)) gone->cb.user_timeout_ms = 5000;
  }
  return story;
}

// The peer's process stops reading, later reads again.
inline Story zero_window_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 500);
  c.in(A, 0, TW_WHY_ZERO_WINDOW, [](tw_segment& g) { g.window = 0; });
  c.write_seq += 300;  // queued, not sent
  for (int i = 0; i < 2; ++i) {
    stream.wait(1 * s);
    sends_probe(c);
    c.in(A, 0, TW_WHY_KEEPALIVE_ACK | TW_WHY_ZERO_WINDOW, [](tw_segment& g) { g.window = 0; });
  }
  c.in(A, 0, TW_WHY_WINDOW_OPEN);
  c.out(PA, 300);
  c.in(A);
  closes_first(c, curl);
  return {"zero window", stream.events, Outcome::completed};
}

// The peer's host vanishes, comes back and has forgotten the connection.
inline Story forgotten_story() {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  stream.wait(2 * s);
  sends_probe(c);
  stream.wait(1 * s);
  c.extra.icsk_probes_out = 1;
  sends_probe(c);
  c.in(R, 0, TW_WHY_KEEPALIVE_ACK);
  c.kernel_reset(TW_RESET_RECEIVED, TW_REASON_UNKNOWN);
  c.extra.sk_err = 104;
  c.to(State::close);
  c.error(104);
  return {"host gone and back", stream.events, Outcome::reset_by_peer};
}

inline Story still_open_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  return {"still open", stream.events, Outcome::open};
}

// The handshake's last ACK is lost; the FIN brings its acknowledgement.
inline Story fin_before_ack_story() {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = TW_SOCKET_LISTENER;
  c.in(S);
  c.view = TW_SOCKET_REQUEST;
  c.state = State::new_syn_recv;
  c.out(SA);
  const EventId fin_id = c.in(FA, 0, TW_WHY_HANDSHAKE_ACK);
  c.view = TW_SOCKET_FULL;
  c.state = State::listen;
  // TCP processes the ACK part before the FIN part of one segment.
  const auto before_fin = [](tw_state& e) {
    e.cb.rcv_nxt -= 1;
    e.cb.flags = static_cast<std::uint8_t>(e.cb.flags & ~TW_CB_DONE);
  };
  c.to(State::syn_recv, nobody, before_fin);
  c.to(State::established, nobody, before_fin);
  c.to(State::close_wait);
  c.to(State::last_ack, nginx);
  c.out(FA);
  c.in(A, 0, TW_WHY_FIN_ACK);
  c.to(State::close);
  c.destroy();
  (void)fin_id;
  return {"FIN before ACK", stream.events, Outcome::completed};
}

inline std::vector<Story> all_stories() {
  return {refused_story(),          no_answer_story(),     gives_up_connecting_story(), close_first_story(),
          close_second_story(),     orphan_close_story(),  orphan_reset_story(),        simultaneous_close_story(),
          killed_unread_story(),    killed_read_story(),   closed_unread_story(),       peer_reset_story(),
          sock_destroy_story(),     abort_on_data_story(), keepalive_answered_story(),  keepalive_death_story(),
          retransmit_death_story(), user_timeout_story(),  zero_window_story(),         forgotten_story(),
          still_open_story(),       fin_before_ack_story()};
}

}  // namespace tcpwitness::testing
