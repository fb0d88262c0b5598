// SPDX-License-Identifier: Apache-2.0
// lives.hpp: connections drawn at random: mostly ordinary, and each with a chance of anything else at any place.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "unit/run.hpp"

namespace tcpwitness::testing {

class Lives {
 public:
  explicit Lives(std::uint32_t seed) : random_(seed) {}

  // Of 100.
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  // Some connections at about the same time, in the order of their times, with or without what the wire shows.
  std::vector<Event> draw(unsigned count, bool wire) {
    Stream server;
    listens(server);
    if (chance(30)) listens(server, worker, 4);  // SO_REUSEPORT: it is not known whose a child is
    std::vector<Event> all = std::move(server.events);
    for (unsigned number = 1; number <= count; ++number) {
      Stream stream;
      stream.now += 1 * ms + static_cast<TimeNs>(below(3'000'000)) * us;
      connection(stream, number);
      if (chance(20) && is_over(stream)) {  // its ports are used again
        stream.wait(chance(50) ? 60 * ms : 300 * ms);
        connection(stream, number, ++again_);
      }
      all.insert(all.end(), stream.events.begin(), stream.events.end());
    }
    std::vector<std::pair<TimeNs, std::size_t>> order;
    order.reserve(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) order.emplace_back(all[i].ts_ns, i);
    std::ranges::sort(order);
    std::vector<Event> sorted;
    sorted.reserve(all.size());
    for (const auto& [ts_ns, i] : order) sorted.push_back(all[i]);
    all = std::move(sorted);
    if (!wire) {
      std::erase_if(all, [](const Event& event) { return std::holds_alternative<Segment>(event.body); });
      for (Event& event : all) {
        if (auto* gone = std::get_if<SocketDestroyed>(&event.body)) *gone = without_wire(*gone);
      }
    }
    for (std::size_t i = 0; i < all.size(); ++i) all[i].id = i + 1;
    return all;
  }

 private:
  static SocketDestroyed without_wire(SocketDestroyed gone) {
    gone.has_wire = 0;
    gone.wire = {};
    gone.loss = {};
    gone.times = {};
    return gone;
  }

  static bool is_over(const Stream& stream) {
    return !stream.events.empty() && std::holds_alternative<SocketDestroyed>(stream.events.back().body);
  }

  void connection(Stream& stream, unsigned number, unsigned again = 0) {
    const auto port = static_cast<std::uint16_t>(40000 + number);
    number += 1000 * again;
    const std::uint32_t isn = below(1U << 31U) * 2;
    const std::uint32_t other = chance(10) ? 0xffffff00U : below(1U << 31U) * 2;
    Side client(stream, 2ULL * number + 100, "10.0.0.1", port, "10.0.0.2", 80, isn, other, true);
    Side server(stream, 2ULL * number + 101, "10.0.0.2", 80, "10.0.0.1", port, other, isn, false);
    const unsigned kind = below(3);
    if (kind == 0) return one_side(client, true);
    if (kind == 1) return one_side(server, false);
    both_sides(client, server);
  }

  // Now and then it takes long.
  void pause(Stream& stream) {
    if (chance(80)) return;
    constexpr std::int64_t pauses[] = {30 * ms, 99 * ms, 120 * ms, 700 * ms, 1'100 * ms, 2'500 * ms};
    stream.wait(pauses[below(std::size(pauses))]);
  }

  Side::EditSegment edit() {
    const std::uint8_t ttl = chance(10) ? 57 : 64;
    const bool scaled = chance(50);
    const bool loop = chance(50);
    const auto window = static_cast<std::uint16_t>(chance(5) ? 1 : 500);
    return [=](Segment& g) {
      g.ttl = ttl;
      g.window = window;
      if (loop) g.ifindex = 1;
      if ((g.flags & syn) != 0 && scaled) {
        g.options = TW_OPT_WSCALE;
        g.wscale = 7;
      }
    };
  }

  // What is not ordinary. True: it ended the connection.
  bool surprise(Side& c) {
    pause(c.stream());
    if (!chance(4)) return false;
    switch (below(9)) {
      case 0:
        c.out(PA, 10, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
        c.retransmit(4, 0, 1);
        return false;
      case 1:
        c.in(RA);
        c.kernel_reset(ResetDirection::received, reset_reason_unknown);
        c.extra.sk_err = 104;
        c.to(State::close);
        c.error(104);
        c.destroy();
        return true;
      case 2:
        c.drop(drop_netfilter, false, PA, 20);
        return false;
      case 3:
        c.used(worker, OwnerSource::send);
        return false;
      case 4:
        c.found(SocketKind::full, c.state);
        return false;
      case 5:
        c.to(State::close, Caller{42, "curl", 9});
        c.out(RA);
        c.kernel_reset(ResetDirection::sent, reason_abort_on_close, Caller{42, "curl", 9});
        c.destroy();
        return true;
      case 6:
        c.in(A, 0, TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
        c.in(A, 0, TW_EVENT_WINDOW_OPEN);
        return false;
      case 7:
        if (chance(50)) c.stream().gap();
        return false;
      default:
        c.error(0);
        return false;
    }
  }

  void asks(Side& c) {
    c.to(State::syn_sent, chance(95) ? curl : nobody);
    pause(c.stream());
    c.out(S, 0, 0, edit());
  }
  void is_asked_for(Side& c) {
    c.view = SocketKind::listener;
    const auto marks = edit();
    const unsigned queue = chance(90) ? 0 : below(12);
    const auto cookies = static_cast<std::uint8_t>(chance(90) ? 1 : below(3));
    const bool again = chance(20);  // on the addresses of one that waits in TIME_WAIT
    c.in(S, 0, 0, [=](Segment& g) {
      marks(g);
      if (again) {
        g.socket.type = SocketKind::time_wait;
        g.socket.state = State::time_wait;
        return;
      }
      g.socket.ack_backlog = queue;
      g.socket.syn_qlen = queue;
      g.socket.max_ack_backlog = 8;
      g.socket.syncookies = cookies;
      g.socket.max_syn_backlog = 10;
    });
    pause(c.stream());
    if (chance(3)) return;  // and is not answered
    c.view = SocketKind::request;
    c.state = State::new_syn_recv;
    c.out(SA, 0, 0, edit());
  }
  void is_accepted(Side& c) {
    c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
    c.view = SocketKind::full;
    c.state = State::listen;
    c.extra.details = TW_CB_UNACCEPTED;
    c.to(State::syn_recv);
    c.to(State::established);
    pause(c.stream());
    if (!chance(10)) c.extra.details = 0;
  }
  void is_used(Side& c) {
    const auto source = chance(70) ? OwnerSource::receive : OwnerSource::send;
    if (chance(70)) c.used(chance(90) ? nginx : worker, source, chance(90) ? below(40) : 1'500);
    c.extra.details = 0;
  }
  void talks(Side& c) {
    if (chance(80)) {
      c.out(PA, below(2'000));
      c.in(PA, below(3'000));
      const auto now = static_cast<std::uint64_t>(c.stream().now);
      c.times.first_ns[0] = now - 40'000;
      c.times.first_ns[1] = now - 60'000;
      c.times.acked_ns[1] = now - 40'000;
      c.times.since_ms[0] = below(5);
    }
    if (chance(3)) {
      c.stalls = 2;
      c.stall_ms = 80;
    }
    if (chance(5)) c.late_in = 1;
    c.extra.srtt_us = below(300'000);
    c.extra.mss = 1448;
    c.extra.segs_in = chance(95) ? 0 : 1'000;  // more than the wire showed
  }
  Caller closer(const Side& c) { return c.tuple().local_port == 80 ? (chance(90) ? nginx : worker) : curl; }

  void one_side(Side& c, bool active) {
    active ? asks(c) : is_asked_for(c);
    if (active) {
      pause(c.stream());
      if (chance(3)) return;
      c.in(SA, 0, 0, edit());
      pause(c.stream());
      c.to(State::established, chance(50) ? curl : nobody);
    } else {
      if (c.view == SocketKind::listener || chance(3)) return;
      is_accepted(c);
    }
    if (surprise(c)) return;
    talks(c);
    if (!active) is_used(c);
    if (surprise(c) || chance(5)) return;
    switch (below(4)) {
      case 0:
        return second(c);
      case 1:
        return both(c);
      default:
        return first(c);
    }
  }

  void ends(Side& c, Caller by = nobody) {
    c.extra.flags = chance(90) ? TW_CB_DEAD : 0;
    c.to(State::close, by);
    c.destroy();
  }
  void first(Side& c) {
    c.to(State::fin_wait1, closer(c));
    pause(c.stream());
    c.out(FA, chance(10) ? 7 : 0, TW_EVENT_FIN_ACK & 0, edit());
    if (surprise(c)) return;
    if (chance(30)) {  // its FIN has the acknowledgement
      c.in(FA, 0, TW_EVENT_FIN_ACK, edit());
      c.to(State::fin_wait2);
      return ends(c);
    }
    c.in(A, 0, TW_EVENT_FIN_ACK);
    c.to(State::fin_wait2);
    if (surprise(c)) return;
    if (chance(30)) {  // a mini-socket waits for it
      ends(c);
      pause(c.stream());
      c.view = SocketKind::time_wait;
      c.state = State::fin_wait2;
      if (chance(90)) c.in(FA, 0, 0, edit());
      return;
    }
    c.in(FA, 0, 0, edit());
    ends(c, chance(90) ? nobody : curl);
  }
  void both(Side& c) {
    const std::uint32_t before = c.snd_nxt;
    c.to(State::fin_wait1, closer(c));
    c.out(FA, 0, 0, edit());
    c.acked_by_peer = before;
    c.in(FA, 0, 0, edit());
    if (surprise(c)) return;
    c.to(State::closing);
    c.in(A, 0, TW_EVENT_FIN_ACK);
    ends(c);
  }
  void second(Side& c) {
    c.in(FA, 0, 0, edit());
    pause(c.stream());
    c.to(State::close_wait);
    if (surprise(c)) return;
    if (chance(10)) is_used(c);
    c.to(State::last_ack, closer(c));
    c.out(FA, 0, 0, edit());
    if (surprise(c)) return;
    c.in(A, 0, TW_EVENT_FIN_ACK);
    ends(c);
  }

  // Over loopback, or between two namespaces.
  void both_sides(Side& client, Side& server) {
    asks(client);
    is_asked_for(server);
    if (server.view == SocketKind::listener) return;
    client.in(SA, 0, 0, edit());
    client.to(State::established, curl);
    is_accepted(server);
    if (surprise(client) || surprise(server)) return;
    talks(client);
    talks(server);
    is_used(server);
    if (surprise(client) || chance(5)) return;
    const bool by_server = chance(30);
    Side& one = by_server ? server : client;
    Side& other = by_server ? client : server;
    one.to(State::fin_wait1, closer(one));
    one.out(FA, 0, 0, edit());
    other.in(FA, 0, 0, edit());
    other.to(State::close_wait);
    const bool at_once = chance(50);
    if (!at_once) {
      one.in(A, 0, TW_EVENT_FIN_ACK);
      one.to(State::fin_wait2);
      if (chance(50)) {
        ends(one);
        pause(one.stream());
        one.view = SocketKind::time_wait;
        one.state = State::fin_wait2;
      }
    }
    if (one.view == SocketKind::full && surprise(other)) return;
    other.to(State::last_ack, closer(other));
    other.out(FA, 0, 0, edit());
    one.in(FA, 0, TW_EVENT_FIN_ACK, edit());
    if (one.view == SocketKind::full) {
      if (at_once) one.to(State::fin_wait2);
      ends(one);
    }
    other.in(A, 0, TW_EVENT_FIN_ACK);
    ends(other);
  }

  std::mt19937 random_;
  unsigned again_ = 0;
};

}  // namespace tcpwitness::testing
