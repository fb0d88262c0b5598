// SPDX-License-Identifier: Apache-2.0
// process.hpp: which process a connection belongs to.
//
// `current` is believed only where the kernel's lock or the hook makes it the actor; what would be a
// guess stays unknown. The rules and their exceptions were measured: EVIDENCE, "Who is current".
#pragma once

#include "correlate/connection.hpp"
#include "correlate/listeners.hpp"

namespace tcpwitness {

// `current`, if it is a process that acts for the socket; pid 0 otherwise.
[[nodiscard]] Owner acting_process(const StateChange& change, PidSource source);
[[nodiscard]] Owner present_process(const Actor& actor, PidSource source);
[[nodiscard]] Owner seen_process(const OwnerSeen& seen);
[[nodiscard]] Owner port_holder(const tw_port_holder& holder);

// Who still has a socket in CLOSE_WAIT open. Of several the one that used it before; else nobody is named.
void note_holder(Connection& c, const Event& e, const OwnerSeen& seen);

// Each returns true when the connection's process changed.
bool own_by_connect(Connection& c, const StateChange& change);
bool own_by_listener(Connection& c, const Listener* listener);
bool own_by_use(Connection& c, const OwnerSeen& seen);
bool own_by_close(Connection& c, const StateChange& change);
// Who closed this side: where several processes have the socket, the last of them.
void note_closer(Connection& c, const StateChange& change);

}  // namespace tcpwitness
