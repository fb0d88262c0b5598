// SPDX-License-Identifier: Apache-2.0
// listener.hpp: which end of a connection was connected to.
#pragma once

#include "tcpwitness/report.hpp"

namespace tcpwitness {

// Of an outgoing connection the other one. Where the role is not known, the lower port, as ephemeral ports are high.
inline const Endpoint& listener_of(const Life& life) {
  if (life.role == Role::active || life.forwarded) return life.flow.remote;
  if (life.role == Role::passive) return life.flow.local;
  return life.flow.local.port < life.flow.remote.port ? life.flow.local : life.flow.remote;
}

}  // namespace tcpwitness
