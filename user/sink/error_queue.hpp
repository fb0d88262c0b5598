// SPDX-License-Identifier: Apache-2.0
// error_queue.hpp: what waits on a socket's error queue, by SO_EE_ORIGIN_* (linux/errqueue.h).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tcpwitness {

struct QueuedNotice {
  std::string_view name;  // in JSON
  std::string_view words;
};

[[nodiscard]] constexpr QueuedNotice queued_notice(std::uint8_t origin) {
  constexpr QueuedNotice other = {"other", "a notice waits on the error queue"};
  constexpr std::array<QueuedNotice, 7> notices = {{
      {"empty", "the process has read the error already"},
      {"local", other.words},
      {"icmp", other.words},
      {"icmp6", other.words},
      {"timestamp", "a transmit timestamp waits on the error queue"},
      {"zerocopy", "a completion of MSG_ZEROCOPY waits on the error queue"},
      {"txtime", "a notice about a transmit time waits on the error queue"},
  }};
  return origin < notices.size() ? notices[origin] : other;
}

}  // namespace tcpwitness
