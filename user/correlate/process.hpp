// SPDX-License-Identifier: Apache-2.0
// process.hpp: which process a connection belongs to.
//
// `current` is believed only where the kernel's lock or the hook makes it the actor; what would be a
// guess stays unknown. The rules and their exceptions were measured: docs/kernel.md, "Who is
// `current`".
#pragma once

#include "correlate/listeners.hpp"
#include "facts/connection.hpp"

namespace tcpwitness {

// Who still has a socket in CLOSE_WAIT open. Of several the one that used it before; else nobody is named.
void note_holder(Connection& c, const Event& e, const OwnerSeen& seen);

// Each returns true when the connection's process changed.
bool own_by_connect(Connection& c, const StateChange& change);
bool own_by_listener(Connection& c, const Listener* listener);
// It was found in an accept queue, or half open, before anything showed who listens, and is still there.
[[nodiscard]] bool waits_unowned(const Connection& c);
bool own_by_use(Connection& c, const OwnerSeen& seen);
bool own_by_close(Connection& c, const StateChange& change);
// Who closed this side: where several processes have the socket, the last of them.
void note_closer(Connection& c, const StateChange& change);

}  // namespace tcpwitness
