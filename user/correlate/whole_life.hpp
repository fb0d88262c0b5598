// SPDX-License-Identifier: Apache-2.0
// whole_life.hpp: a digest that has a whole ordinary life, part by part.
#pragma once

#include <cstdint>
#include <optional>

#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

// Which side closes, as the socket's transitions show it.
enum class Closes : std::uint8_t { first, both, second };

// A whole life: five transitions, and the four segments that mark it or none at all. Who closes first can be done with
// the socket before the peer's FIN comes: a mini-socket takes that, and it is a record of its own.
struct WholeLife {
  bool active = false;
  bool wire = false;
  bool leaves_mini_socket = false;  // in FIN_WAIT2: there is no fin_in yet
  Closes closes{};
  // The transitions.
  const HeldState* opening = nullptr;      // to SYN_SENT, or SYN_RECV
  const HeldState* established = nullptr;  // to ESTABLISHED
  const HeldState* first = nullptr;        // out of it
  const HeldState* middle = nullptr;       // to FIN_WAIT2, CLOSING or LAST_ACK
  const HeldState* last = nullptr;         // to CLOSE
  // The segments.
  const HeldSegment* syn = nullptr;
  const HeldSegment* syn_ack = nullptr;
  const HeldSegment* fin_out = nullptr;
  const HeldSegment* fin_in = nullptr;

  // A child's SYN comes before its first transition.
  [[nodiscard]] bool by_syn() const { return wire && !active; }
  [[nodiscard]] std::uint64_t begun_ns() const { return by_syn() ? syn->ts_ns : opening->ts_ns; }
};

// nullopt: something of it is missing, comes in another order, or was slow, so that a rule may find something.
[[nodiscard]] std::optional<WholeLife> find_whole_life(const SocketDigest& digest, const CorrelatorSettings& settings);

}  // namespace tcpwitness
