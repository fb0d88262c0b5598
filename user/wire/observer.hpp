// SPDX-License-Identifier: Apache-2.0
// observer.hpp: the states of both ends of a connection, inferred from its segments alone (RFC 9293, section 3.3.2).
//
// A segment proves what state its sender is in, and what it will do to its receiver. It is taken to arrive, as
// later segments show soon enough; a RST only where its receiver would believe it (3.10.7). An end that was never
// heard stays unknown, except that what the other end acknowledges proves that it was sent.
#pragma once

#include <array>
#include <cstdint>

#include "tcpwitness/tcp.hpp"
#include "wire/analysis.hpp"

namespace tcpwitness {

class Observer {
 public:
  struct Transition {
    unsigned side = 0;
    TcpState from{};
    TcpState to{};
  };
  // What one segment does: the sender's transitions first.
  struct Transitions {
    std::array<Transition, 6> list{};
    unsigned count = 0;
  };

  // The next segment; side 0 or 1 sent it.
  [[nodiscard]] Transitions observe(const SeenSegment& g, unsigned side);

  [[nodiscard]] TcpState state(unsigned side) const { return ends_[side].state; }
  // Nothing can follow: both FINs were acknowledged, or a RST was believed.
  [[nodiscard]] bool over() const { return over_; }

 private:
  struct End {
    TcpState state = TcpState::unknown;
    std::uint32_t syn_end = 0;  // the number after its SYN
    std::uint32_t fin_end = 0;  // the number after its FIN
    std::uint32_t ack = 0;      // its highest acknowledgement
    bool syn : 1 = false;
    bool fin : 1 = false;
    bool fin_acked : 1 = false;
    bool acked : 1 = false;  // ack is known
  };
  [[nodiscard]] static bool believes(const End& receiver, const SeenSegment& g);
  void enter(Transitions& told, unsigned side, TcpState to);
  void sent_syn(Transitions& told, const SeenSegment& g, unsigned side);
  void opened(Transitions& told, const SeenSegment& g, unsigned side);
  void close(Transitions& told);

  std::array<End, 2> ends_;
  bool over_ = false;
};

}  // namespace tcpwitness
