// SPDX-License-Identifier: Apache-2.0
// flow_to_delete.hpp: a flow of a connection that nobody looks for any more.
#pragma once

#include <cstdint>

#include "facts/connection.hpp"
#include "values/kernel_questions.hpp"

namespace tcpwitness {

// local_leaves: what the local end sends leaves there; else it comes in, as on the client's side of a router.
inline FlowToDelete flow_to_delete(const Connection& c, const Flow& key, std::uint64_t segments, bool local_leaves) {
  FlowToDelete flow{key, segments};
  if (c.isn.has_local) (local_leaves ? flow.isn_out : flow.isn_in) = c.isn.local;
  if (c.isn.has_remote) (local_leaves ? flow.isn_in : flow.isn_out) = c.isn.remote;
  return flow;
}

}  // namespace tcpwitness
