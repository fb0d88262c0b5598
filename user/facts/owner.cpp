// SPDX-License-Identifier: Apache-2.0
#include "facts/owner.hpp"

#include <cstring>

namespace tcpwitness {

Owner present_process(const Actor& actor, PidSource source) {
  Owner owner;
  if ((actor.flags & TW_ACTOR_PRESENT) == 0 || (actor.flags & TW_ACTOR_KTHREAD) != 0 || actor.tgid == 0) return owner;
  owner.pid = actor.tgid;
  std::memcpy(owner.comm.data(), actor.comm, owner.comm.size());
  owner.source = source;
  return owner;
}

Process Owner::process() const {
  if (pid == 0) return {};
  const auto* end = static_cast<const char*>(std::memchr(comm.data(), 0, comm.size()));
  return {pid, std::string(comm.data(), end != nullptr ? end : comm.data() + comm.size()), source};
}

Owner acting_process(const StateChange& change, PidSource source) {
  const bool owned = (change.actor.flags & TW_ACTOR_OWNED) != 0 || (change.cb.flags & TW_CB_OWNED) != 0;
  return owned ? present_process(change.actor, source) : Owner{};
}

Owner seen_process(const OwnerSeen& seen) {
  switch (seen.source) {
    case TW_OWNER_SEND:
      return present_process(seen.actor, PidSource::send);
    case TW_OWNER_RECEIVE:
      return present_process(seen.actor, PidSource::receive);
    default:
      return present_process(seen.actor, PidSource::snapshot);
  }
}

Owner port_holder(const tw_port_holder& holder) {
  Owner owner;
  owner.pid = holder.tgid;
  std::memcpy(owner.comm.data(), holder.comm, owner.comm.size());
  owner.source = PidSource::snapshot;
  return owner;
}

}  // namespace tcpwitness
