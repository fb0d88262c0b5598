// SPDX-License-Identifier: Apache-2.0
// expiry.hpp: conversations that the capture's clock ends, for those who count them as Zeek does.
//
// Zeek forgets a conversation some time after the segment that seemed its last, and begins another one with what
// follows between the same two ends. By default there are no such timers here: a conversation is tshark's.
// A timer is looked at when the next segment of its conversation comes: from outside there is no difference.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "tcpwitness/wire.hpp"

namespace tcpwitness {

struct Conversation;

struct Expiry {
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  // Since the SYN, as long as nothing came back.
  std::int64_t attempt_ns = never;
  // Since the segment that closed it: a RST; a FIN where the other side had closed too, or was never seen.
  std::int64_t close_ns = never;
  // Since a RST behind its sender's own FIN, as long as the other side has closed nothing.
  std::int64_t reset_ns = never;
  // Since its newest segment.
  std::int64_t inactivity_ns = never;

  // tcp_attempt_delay, tcp_close_delay, tcp_reset_delay and tcp_inactivity_timeout as Zeek comes.
  [[nodiscard]] static constexpr Expiry zeek() { return {5'000'000'000, 5'000'000'000, 100'000'000, 300'000'000'000}; }
};

// The timers of all conversations, by slot: beside them, for what is off takes no room in them.
class ExpiryTimers {
 public:
  explicit ExpiryTimers(const Expiry& expiry) : expiry_(expiry) {}

  void begin(std::uint32_t slot);
  // After each segment that matters (it has a `why`), counted in `c` already.
  void observe(std::uint32_t slot, const Conversation& c, unsigned from, const TcpFrame& frame);
  [[nodiscard]] bool over(std::uint32_t slot, const Conversation& c, TimeNs now) const;

 private:
  struct Timers {
    std::optional<TimeNs> attempt;
    std::optional<TimeNs> close;
    std::optional<TimeNs> reset;
    std::array<bool, 2> closed{};  // FIN or RST was seen of that side
  };
  Expiry expiry_;
  std::vector<Timers> timers_;
};

}  // namespace tcpwitness
