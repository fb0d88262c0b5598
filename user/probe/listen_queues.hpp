// SPDX-License-Identifier: Apache-2.0
// listen_queues.hpp: the accept queues of this namespace's listeners, as `ss -lt` shows them (sock_diag(7)).
#pragma once

#include <cstdint>
#include <unordered_map>

#include "tcpwitness/result.hpp"

namespace tcpwitness {

struct ListenQueue {
  std::uint32_t waiting = 0;  // sk_ack_backlog
  std::uint32_t limit = 0;    // sk_max_ack_backlog
};

// By socket cookie.
[[nodiscard]] Result<std::unordered_map<std::uint64_t, ListenQueue>> listen_queues();

}  // namespace tcpwitness
