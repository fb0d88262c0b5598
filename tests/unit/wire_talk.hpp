// SPDX-License-Identifier: Apache-2.0
// wire_talk.hpp: two sides that talk, for tests of the wire analysis: numbers are relative, time is in milliseconds.
#pragma once

#include "tcpwitness/event_abi.h"
#include "wire/analysis.hpp"
#include "wire/conversations.hpp"

namespace tcpwitness::testing {

inline constexpr std::uint8_t syn_flag = tcp_flag::syn, ack_flag = tcp_flag::ack, fin_flag = tcp_flag::fin,
                              rst_flag = tcp_flag::rst;
inline constexpr std::uint8_t syn_ack = syn_flag | ack_flag, fin_ack = fin_flag | ack_flag,
                              rst_ack = rst_flag | ack_flag;

struct Say {
  unsigned side = 0;
  std::uint32_t seq = 0;  // relative: the SYN is 0
  std::uint32_t ack = 0;
  std::uint32_t len = 0;
  std::uint8_t flags = ack_flag;
  std::uint16_t window = 1000;
  int after_ms = 10;
};

class Talk {
 public:
  explicit Talk(std::uint32_t isn_a = 1000, std::uint32_t isn_b = 5000) : isn_{isn_a, isn_b} {}

  SeenSegment segment(const Say& one) {
    now_ += TimeNs{one.after_ms} * 1'000'000;
    SeenSegment g;
    g.ts_ns = now_;
    g.seq = isn_[one.side] + one.seq;
    g.ack = (one.flags & ack_flag) != 0 ? isn_[one.side ^ 1U] + one.ack : 0;
    g.len = one.len;
    g.flags = one.flags;
    g.window = one.window;
    return g;
  }
  Analysis say(const Say& one) { return analysis_.observe(segment(one), one.side); }
  std::uint32_t flags(const Say& one) { return say(one).flags; }

  // The handshake takes 20 ms: what is late by less may be out of order.
  Talk& shake() {
    say({0, 0, 0, 0, syn_flag});
    say({1, 0, 1, 0, syn_flag | ack_flag});
    say({0, 1, 1});
    return *this;
  }
  Talk& said(const Say& one) {
    say(one);
    return *this;
  }

  // The same as a frame of a capture.
  TcpFrame frame(const Say& one, std::uint16_t port = 40000) {
    const SeenSegment g = segment(one);
    TcpFrame f;
    f.number = ++number_;
    f.ts_ns = g.ts_ns;
    f.source = end(one.side, port);
    f.destination = end(one.side ^ 1U, port);
    f.seq = g.seq;
    f.ack = g.ack;
    f.len = g.len;
    f.frame_len = 54 + g.len;
    f.window = g.window;
    f.flags = g.flags;
    return f;
  }
  static Endpoint end(unsigned side, std::uint16_t port) {
    Endpoint endpoint;
    endpoint.address.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, static_cast<std::uint8_t>(side + 1)};
    endpoint.port = side == 0 ? port : std::uint16_t{80};
    return endpoint;
  }

 private:
  WireAnalysis analysis_;
  std::uint32_t isn_[2];
  TimeNs now_ = 1'000'000'000'000;
  std::uint64_t number_ = 0;
};

}  // namespace tcpwitness::testing
