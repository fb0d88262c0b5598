// SPDX-License-Identifier: Apache-2.0
// stories.hpp: the basic cases (docs/cases.md) and their variants as event streams, in the order of docs/kernel.md.
//
// Shared by the tests of outcomes and by the properties (loss, replay): what is true of one story must
// stay true when an event of it is missing.
#pragma once

#include <string>
#include <vector>

#include "property/weaker.hpp"
#include "unit/run.hpp"

namespace tcpwitness::testing {

struct Story {
  std::string name;
  std::vector<Event> events;
  Outcome outcome{};
};

inline bool may_say(const Story& story, Outcome reported) { return may_say(story.outcome, reported); }

inline constexpr Caller killed_curl{42, "curl", 9};

inline Story refused_story() {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  c.in(RA, 0, 0, [](Segment& g) { g.seq = 0; });
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
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
    c.out(S, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.isn(); });
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
  return {"gives up connecting", stream.events, Outcome::connect_cancelled};
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
  c.used(nginx, OwnerSource::receive);
  closes_second(c, nginx);
  return {"closes second", stream.events, Outcome::completed};
}

// This side closes, and its orphan becomes a mini-socket in FIN_WAIT2.
inline void leaves_mini_socket(Side& c) {
  connects(c);
  c.to(State::fin_wait1, curl);
  c.out(FA);
  c.in(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::fin_wait2);
  c.to(State::close);
  c.destroy();
}

// The peer's FIN reaches the mini-socket.
inline Story orphan_close_story() {
  Stream stream;
  Side c = client_of(stream);
  leaves_mini_socket(c);
  stream.wait(200 * ms);
  c.view = SocketKind::time_wait;
  c.state = State::fin_wait2;
  c.in(FA);
  c.out(A, 0, TW_EVENT_FIN_ACK);
  return {"orphan closes", stream.events, Outcome::completed};
}

// The same, but the peer breaks off instead of closing.
inline Story orphan_reset_story() {
  Stream stream;
  Side c = client_of(stream);
  leaves_mini_socket(c);
  stream.wait(200 * ms);
  c.view = SocketKind::time_wait;
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
  c.out(A, 0, TW_EVENT_FIN_ACK);
  c.in(A, 0, TW_EVENT_FIN_ACK);
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
  c.kernel_reset(ResetDirection::sent, reason_abort_on_close, killed_curl);
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
  c.kernel_reset(ResetDirection::sent, reason_abort_on_close, curl);
  c.destroy();
  return {"closed with unread data", stream.events, Outcome::reset_by_local};
}

inline Story peer_reset_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(RA);
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
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
  c.kernel_reset(ResetDirection::sent, reason_tcp_state, ss);
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
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  c.extra.sk_err = 104;
  c.to(State::close);
  c.kernel_reset(ResetDirection::sent, reason_abort_on_data, nobody, true);
  c.view = SocketKind::control;
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
  return c.out(A, 0, TW_EVENT_KEEPALIVE, [&](Segment& g) { g.seq = c.snd_una - 1; });
}

inline Story keepalive_answered_story() {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  for (int i = 0; i < 2; ++i) {
    stream.wait(2 * s);
    sends_probe(c);
    c.in(A, 0, TW_EVENT_KEEPALIVE_ACK);
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
  c.extra.since_received_ms = 5004;
  c.out(RA);
  c.kernel_reset(ResetDirection::sent, reason_keepalive);
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
    c.out(PA, 10, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
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
  c.in(A, 0, TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
  c.write_seq += 300;  // queued, not sent
  for (int i = 0; i < 2; ++i) {
    stream.wait(1 * s);
    sends_probe(c);
    c.in(A, 0, TW_EVENT_KEEPALIVE_ACK | TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
  }
  c.in(A, 0, TW_EVENT_WINDOW_OPEN);
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
  c.extra.since_received_ms = 3000;
  c.in(R, 0, TW_EVENT_KEEPALIVE_ACK);
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
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
  is_asked(c);
  const EventId fin_id = c.in(FA, 0, TW_EVENT_HANDSHAKE_ACK);
  c.view = SocketKind::full;
  c.state = State::listen;
  // TCP processes the ACK part before the FIN part of one segment.
  const auto before_fin = [](StateChange& e) {
    e.cb.rcv_nxt -= 1;
    e.cb.flags = static_cast<std::uint8_t>(e.cb.flags & ~TW_CB_DONE);
  };
  c.to(State::syn_recv, nobody, before_fin);
  c.to(State::established, nobody, before_fin);
  c.to(State::close_wait);
  c.to(State::last_ack, nginx);
  c.out(FA);
  c.in(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::close);
  c.destroy();
  (void)fin_id;
  return {"FIN before ACK", stream.events, Outcome::completed};
}

inline void sends_syn_again(Side& c, std::int64_t pause, int err, std::uint32_t drop_reason, bool seen) {
  c.stream().wait(pause);
  if (seen) c.out(S, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.isn(); });
  if (drop_reason != 0) c.drop(drop_reason, true, S);
  c.retransmit(4, 0, 1, [&](Retransmit& r) {
    r.err = err;
    r.seq = c.isn();
    r.end_seq = c.isn() + 1;
  });
}

inline void connect_times_out(Side& c, int error = 110) {
  c.extra.sk_err = static_cast<std::uint16_t>(error);
  c.to(State::close);
  c.error(error);
  c.destroy();
}

// A firewall rule in OUTPUT drops every SYN: tc never sees one.
inline Story unsent_story() {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.drop(drop_netfilter, true, S);
  c.snd_nxt = c.write_seq = c.isn() + 1;
  for (const std::int64_t pause : {1, 2}) sends_syn_again(c, pause * s, -1, drop_netfilter, false);
  stream.wait(4 * s);
  connect_times_out(c);
  return {"SYN dropped on its way out", stream.events, Outcome::connect_unsent};
}

// The qdisc drops every SYN, behind tc.
inline Story unsent_qdisc_story() {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  c.drop(drop_qdisc, true, S);
  for (const std::int64_t pause : {1, 2}) sends_syn_again(c, pause * s, 1, drop_qdisc, true);
  stream.wait(4 * s);
  connect_times_out(c);
  return {"SYN dropped by the qdisc", stream.events, Outcome::connect_unsent};
}

// Nobody answers for the next hop's address.
inline Story unsent_neighbour_story() {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.snd_nxt = c.write_seq = c.isn() + 1;
  // The first copy still waits for the address: EBUSY. The last one is sent after it, just before the end.
  for (const int err : {-16, -16, 0}) sends_syn_again(c, 1 * s, err, 0, false);
  c.extra.total_retrans = 1;
  c.extra.sk_err = 113;
  c.to(State::close);
  c.error(113);
  c.drop(drop_neighbour, true, S);
  c.destroy();
  return {"next hop silent", stream.events, Outcome::connect_unsent};
}

// The SYN-ACK reaches the interface twice; a rule in INPUT drops it.
inline Story ignored_story() {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  for (int i = 0; i < 2; ++i) {
    const Side before = c;
    c.in(SA);
    c.drop(drop_netfilter, false, SA);
    c.refuses(before);
    sends_syn_again(c, 1 * s, 0, 0, true);
  }
  stream.wait(4 * s);
  connect_times_out(c);
  return {"SYN-ACK dropped on its way in", stream.events, Outcome::connect_ignored};
}

// A RST over other hops than the peer's; the peer has not got it and sends on.
inline Story outsider_story(std::int64_t pause = 200 * ms) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  c.in(PA, 20);
  c.in(R, 0, 0, [](Segment& g) { g.ttl = 57; });
  const TimeNs reset = stream.now;
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  c.extra.sk_err = 104;
  c.to(State::close);
  c.error(104);
  c.destroy();
  stream.now = reset + pause;
  c.view = SocketKind::none;
  c.in(PA, 30, TW_EVENT_UNKNOWN_FLOW | TW_EVENT_NO_SOCKET);
  c.view = SocketKind::control;
  c.out(R);
  return {"RST of an outsider", stream.events, Outcome::reset_by_outsider};
}

struct Queues {
  std::uint32_t accept = 0, syns = 0, limit = 0;
};
inline Side::EditSegment with(Queues queues) {
  return [queues](Segment& g) {
    g.socket.ack_backlog = queues.accept;
    g.socket.syn_qlen = queues.syns;
    g.socket.max_ack_backlog = queues.limit;
  };
}

// `unanswered` SYNs find the listener's queues so; the next one is accepted.
inline void syns_meet(Side& c, Queues queues, int unanswered) {
  c.view = SocketKind::listener;
  for (int i = 0; i < unanswered; ++i) {
    const Side before = c;
    const auto edit = with(queues);
    c.in(S, 0, i == 0 ? 0 : TW_EVENT_RETRANSMISSION, edit);
    c.refuses(before);
    c.stream().wait(1 * s << i);
  }
}

inline Story accept_queue_full_story() {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  syns_meet(c, {.accept = 2, .syns = 0, .limit = 1}, 2);
  accepts(c);
  closes_second(c, nginx);
  return {"accept queue full at the SYN", stream.events, Outcome::completed};
}

inline Story accept_overflow_story() {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  is_asked(c);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  c.drop(drop_listen_overflow, false, A);
  stream.wait(500 * ms);
  c.in(A, 0, 0);
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.to(State::established);
  closes_second(c, nginx);
  return {"accept queue full at the last ACK", stream.events, Outcome::completed};
}

inline Story syn_backlog_full_story() {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  syns_meet(c, {.accept = 0, .syns = 9, .limit = 8}, 3);
  return {"SYN queue full", stream.events, Outcome::unknown};
}

inline Story syncookie_story() {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  c.in(S, 0, 0, with({.accept = 0, .syns = 9, .limit = 8}));
  c.view = SocketKind::none;
  c.out(SA);
  c.view = SocketKind::listener;
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK, with({.accept = 0, .syns = 9, .limit = 8}));
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.to(State::established);
  closes_second(c, nginx);
  return {"SYN cookie", stream.events, Outcome::completed};
}

// Two SYNs get lost; the third is answered.
inline Story slow_handshake_story() {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  for (const std::int64_t pause : {1, 2}) sends_syn_again(c, pause * s, 0, 0, true);
  c.in(SA);
  c.to(State::established);
  c.out(A, 0, TW_EVENT_HANDSHAKE_ACK);
  closes_first(c, curl);
  return {"slow handshake", stream.events, Outcome::completed};
}

// The peer closes before the process has accepted; then it does and reads.
inline Story slow_accept_story() {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.in(PA, 50);
  stream.wait(3 * s);
  c.extra.details = TW_CB_UNACCEPTED;
  c.in(FA);
  c.to(State::close_wait);
  c.extra.details = 0;
  c.out(A, 0, TW_EVENT_FIN_ACK);
  stream.wait(1 * s);
  c.used(nginx, OwnerSource::receive, 4000);
  c.to(State::last_ack, nginx);
  c.out(FA);
  c.in(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::close);
  c.destroy();
  return {"slow accept", stream.events, Outcome::completed};
}

inline Story late_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(FA);
  stream.wait(300 * ms);
  c.to(State::close_wait);
  c.out(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::last_ack, curl);
  c.out(FA);
  c.in(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::close);
  c.destroy();
  return {"late reaction", stream.events, Outcome::completed};
}

// 1000 of the acknowledged bytes left by another interface.
inline Story bytes_disagree_story(std::uint32_t unseen = 1000) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 500);
  c.snd_nxt += unseen;
  c.write_seq = c.snd_nxt;
  c.in(A);
  closes_first(c, curl);
  return {"bytes disagree", stream.events, Outcome::completed};
}

// The ACK is late: the tail-loss probe was not needed, by the peer's report.
inline Story spurious_story(std::uint32_t dsack = 1) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  stream.wait(20 * ms);
  c.out(PA, 10, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
  c.retransmit(0, 5, 0);
  c.in(A);
  c.extra.dsack_dups = dsack;
  closes_first(c, curl);
  return {"spurious retransmission", stream.events, Outcome::completed};
}

// A segment of the peer with 20 bytes is dropped for one reason and comes again.
inline Story rx_drop_story(std::uint32_t reason, std::uint32_t len = 20) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  const Side before = c;
  c.in(PA, len);
  c.drop(reason, false, PA, len);
  c.refuses(before);
  stream.wait(200 * ms);
  c.in(PA, 20, TW_EVENT_RETRANSMISSION);
  closes_first(c, curl);
  return {"dropped on its way in", stream.events, Outcome::completed};
}

inline Story tx_drop_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 20);
  c.drop(drop_qdisc, true, PA, 20);
  stream.wait(200 * ms);
  c.out(PA, 20, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
  c.retransmit(4, 0, 1);
  c.in(A);
  closes_first(c, curl);
  return {"dropped on its way out", stream.events, Outcome::completed};
}

inline void connect_fails_for_want_of_a_port(Side& c, Caller by = curl) {
  c.to(State::syn_sent, by);
  c.to(State::close, by, [](StateChange& e) {
    e.tuple.local_port = 0;
    e.first_port = 40000;
    e.last_port = 40001;
  });
}

// Who has the ports towards 10.0.0.2:80, as the run finds when it is asked.
inline EventId ports_are_counted(Stream& stream, std::uint32_t time_wait, std::uint32_t open) {
  PortsFound event{};
  event.header.ts_ns = static_cast<std::uint64_t>(stream.now);
  event.header.netns = 4026531840U;
  event.header.kind = TW_KIND_PORTS;
  event.header.version = TW_ABI_VERSION;
  event.header.cpu = TW_NO_CPU;
  put_address(event.tuple.remote_addr, "10.0.0.2");
  event.tuple.remote_port = 80;
  event.first_port = 40000;
  event.last_port = 40001;
  event.time_wait = time_wait;
  event.open = open;
  if (open != 0) {
    event.used_holders = 1;
    event.holders[0].tgid = 42;
    event.holders[0].ports = open;
    std::memcpy(event.holders[0].comm, "curl", 4);
  }
  return stream.add(event);
}

inline Story no_port_story() {
  Stream stream;
  Side c = client_of(stream);
  connect_fails_for_want_of_a_port(c);
  stream.wait(40 * ms);
  ports_are_counted(stream, 1, 1);
  c.destroy();
  return {"no local port", stream.events, Outcome::no_local_port};
}

// A router reports that the network is administratively prohibited; nobody holds the socket at that moment.
inline Story prohibited_story() {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  c.queued(2, 113, 13, "10.0.0.254");
  connect_times_out(c, 113);
  return {"administratively prohibited", stream.events, Outcome::unreachable};
}

// The client closes, its kernel waits in FIN_WAIT2 for 3 s, and the server never closes.
inline Side closes_for_good(Stream& stream, std::uint32_t timeout_ms = 3000) {
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  c.to(State::fin_wait1, curl);
  c.out(FA);
  c.in(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::fin_wait2);
  c.extra.flags = TW_CB_DEAD;
  c.to(State::close, nobody, [&](StateChange& e) { e.fin_timeout_ms = timeout_ms; });
  c.destroy();
  return c;
}

inline Story fin_wait2_timeout_story() {
  Stream stream;
  Side c = closes_for_good(stream);
  stream.wait(5 * s);
  c.view = SocketKind::none;
  c.in(PA, 6, TW_EVENT_UNKNOWN_FLOW | TW_EVENT_NO_SOCKET);
  return {"FIN_WAIT2 times out", stream.events, Outcome::fin_wait2_timeout};
}

// The peer closes; the process writes into CLOSE_WAIT and gets a RST.
inline Story write_after_close_story(std::uint32_t taken = 0) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 50);
  c.in(PA, 70);
  c.in(FA);
  c.to(State::close_wait);
  c.out(A, 0, TW_EVENT_FIN_ACK);
  stream.wait(5 * s);
  if (taken != 0) {  // the peer had closed one direction only
    c.out(PA, taken);
    c.in(A);
    stream.wait(1 * s);
  }
  c.out(PA, 50);
  c.in(R, 0, 0, [&](Segment& g) { g.seq = c.rcv_nxt; });
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  c.extra.sk_err = 32;
  c.to(State::close);
  c.error(32);
  c.destroy();
  return {"writes after the peer closed", stream.events, Outcome::reset_by_peer};
}

inline std::vector<Story> trouble_stories() {
  return {unsent_story(),
          unsent_qdisc_story(),
          no_port_story(),
          prohibited_story(),
          write_after_close_story(),
          unsent_neighbour_story(),
          ignored_story(),
          outsider_story(),
          accept_queue_full_story(),
          accept_overflow_story(),
          syn_backlog_full_story(),
          syncookie_story(),
          slow_handshake_story(),
          slow_accept_story(),
          late_story(),
          bytes_disagree_story(),
          spurious_story(),
          rx_drop_story(drop_netfilter),
          rx_drop_story(drop_csum),
          rx_drop_story(drop_sequence),
          rx_drop_story(drop_paws),
          rx_drop_story(drop_old_data),
          tx_drop_story()};
}

inline std::vector<Story> all_stories() {
  std::vector<Story> all = {
      refused_story(),          no_answer_story(),     gives_up_connecting_story(), close_first_story(),
      close_second_story(),     orphan_close_story(),  orphan_reset_story(),        simultaneous_close_story(),
      killed_unread_story(),    killed_read_story(),   closed_unread_story(),       peer_reset_story(),
      sock_destroy_story(),     abort_on_data_story(), keepalive_answered_story(),  keepalive_death_story(),
      retransmit_death_story(), user_timeout_story(),  zero_window_story(),         forgotten_story(),
      still_open_story(),       fin_before_ack_story()};
  for (Story& story : trouble_stories()) all.push_back(std::move(story));
  return all;
}

}  // namespace tcpwitness::testing
