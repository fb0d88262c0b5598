// SPDX-License-Identifier: Apache-2.0
// recent.hpp: the newest segments and transitions, each of which may be the cause of the other. Timeline only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "facts/recycled.hpp"
#include "tcpwitness/event.hpp"
#include "tcpwitness/tcp.hpp"
#include "wire/analysis.hpp"

namespace tcpwitness {

// A segment that may be what a coming transition cites. Timeline only.
struct Candidate {
  EventId id = 0;
  TimeNs ts_ns = 0;
  std::uint32_t seq = 0;
  std::uint32_t end = 0;
  std::uint32_t ack = 0;
  std::uint8_t flags = 0;
  SocketKind socket_type{};
  bool out = false;
  bool dropped = false;  // by the kernel's report: it caused nothing
};

// A transition that a coming outgoing segment may name. Timeline only.
struct RecentTransition {
  EventId id = 0;
  TimeNs ts_ns = 0;
  TcpState from{};
  TcpState to{};
};

struct Recent : Recycled<Recent> {
  static constexpr std::size_t limit = 8;
  std::array<Candidate, limit> segments{};
  std::uint32_t pushed = 0;
  std::array<RecentTransition, 4> transitions{};
  std::uint32_t transitions_pushed = 0;
  std::unique_ptr<WireAnalysis> analysis;  // where every segment is seen, and nobody analysed them before

  // The newest one with these numbers; nullptr: none.
  [[nodiscard]] const Candidate* find(std::uint32_t seq, std::uint8_t flags, bool out) const {
    for (std::uint32_t i = 1; i <= limit && i <= pushed; ++i) {
      const Candidate& candidate = segments[(pushed - i) % limit];
      if (candidate.seq == seq && candidate.flags == flags && candidate.out == out) return &candidate;
    }
    return nullptr;
  }
  void mark_dropped(std::uint32_t seq, std::uint8_t flags, bool out) {
    for (Candidate& candidate : segments) {
      if (candidate.id != 0 && candidate.seq == seq && candidate.flags == flags && candidate.out == out)
        candidate.dropped = true;
    }
  }
  void push(const Candidate& candidate) { segments[pushed++ % limit] = candidate; }
  void push(const RecentTransition& transition) { transitions[transitions_pushed++ % transitions.size()] = transition; }
};

}  // namespace tcpwitness
