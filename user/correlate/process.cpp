// SPDX-License-Identifier: Apache-2.0
// process.cpp: the order of evidence for a connection's process.
//
// connect() names the active side's process for good. A passive connection is its listener's until a
// process sends or receives (a forked child), or closes it. A snapshot that finds two processes with
// the socket open names none.
#include "correlate/process.hpp"

#include <cerrno>
#include <cstring>

#include "facts/derived.hpp"

namespace tcpwitness {

void note_holder(Connection& c, const Event& e, const OwnerSeen& seen) {
  Teardown& teardown = c.ensure_teardown();
  const Owner holder = seen_process(seen);
  const bool first = !teardown.descriptor;
  const bool same = teardown.holder.pid == holder.pid;
  if (first || same || holder.pid == c.owner.pid) {
    teardown.holder = holder;
    teardown.fd = seen.fd;
  } else if (teardown.holder.pid != c.owner.pid) {
    teardown.holder = Owner{};
  }
  teardown.descriptor = {e.id, e.ts_ns};
  teardown.idle_ms = seen.waited_ms;
}

bool own_by_connect(Connection& c, const StateChange& change) {
  const Owner owner = acting_process(change, PidSource::connect);
  if (owner.pid == 0) return false;
  c.owner = owner;
  return true;
}

bool own_by_listener(Connection& c, const Listener* listener) {
  if (c.owner.pid != 0 || listener == nullptr || listener->owner.pid == 0) return false;
  c.owner = listener->owner;
  c.owner.source = PidSource::listen;
  return true;
}

bool waits_unowned(const Connection& c) {
  const bool waits = c.state == TcpState::new_syn_recv || is_unaccepted(c.cb);
  return c.live && !c.reported && c.role == Role::passive && c.owner.pid == 0 && !c.owner.ambiguous && waits;
}

// Who listened, where somebody else may serve the connection.
static void note_listener(Connection& c) {
  if (c.owner.source == PidSource::listen && c.anomalies) c.anomalies->listener = c.owner;
}

bool own_by_use(Connection& c, const OwnerSeen& seen) {
  const Owner owner = seen_process(seen);
  if (owner.pid == 0) return false;
  if (owner.source == PidSource::snapshot) {
    if (c.owner.pid == 0 && !c.owner.ambiguous) {
      c.owner = owner;
      return true;
    }
    if (c.owner.source == PidSource::snapshot && c.owner.pid != owner.pid) {
      c.owner = Owner{};
      c.owner.ambiguous = true;
      return true;
    }
    return false;
  }
  // The first user of the connection is better evidence than who listened or who had it open, and than nothing.
  const bool weaker = c.owner.pid == 0 || c.owner.source == PidSource::listen || c.owner.source == PidSource::snapshot;
  if (!weaker) return false;
  note_listener(c);
  c.owner = owner;
  return true;
}

// `ss -K` (ECONNABORTED) and a peer's RST out of the backlog run in a process that is not the closer.
static bool runs_in_another(const Connection& c, const StateChange& change) {
  return error_ended(change.cb, change.old_state) || (c.anomalies && c.anomalies->reset_received.mark);
}

void note_closer(Connection& c, const StateChange& change) {
  if (!runs_in_another(c, change) && c.ensure_teardown().closer.pid == 0)
    c.ensure_teardown().closer = acting_process(change, PidSource::close);
}

bool own_by_close(Connection& c, const StateChange& change) {
  if (runs_in_another(c, change)) return false;
  if (c.owner.pid != 0 && c.owner.source != PidSource::listen) return false;
  const Owner owner = acting_process(change, PidSource::close);
  if (owner.pid == 0) return false;
  note_listener(c);
  c.owner = owner;
  return true;
}

}  // namespace tcpwitness
