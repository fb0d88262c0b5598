// SPDX-License-Identifier: Apache-2.0
#include "facts/owner.hpp"

#include <cstring>
#include <utility>

namespace tcpwitness {

Owner present_process(const Actor& actor, PidSource source) {
  Owner owner;
  if (!actor_present(actor.flags) || actor_kernel_thread(actor.flags) || actor.tgid == 0) return owner;
  owner.pid = actor.tgid;
  std::memcpy(owner.comm.data(), actor.comm, owner.comm.size());
  owner.source = source;
  return owner;
}

Process Owner::process() const {
  if (pid == 0) return {};
  return {pid, std::string(comm.data(), ::strnlen(comm.data(), comm.size())), source};
}

arguments::NamedProcess Owner::named() const {
  Process known = process();
  return {known.pid, std::move(known.comm)};
}

Owner acting_process(const StateChange& change, PidSource source) {
  const bool owned = actor_owned(change.actor.flags) || is_locked_by_process(change.cb);
  return owned ? present_process(change.actor, source) : Owner{};
}

Owner seen_process(const OwnerSeen& seen) {
  switch (seen.source) {
    case OwnerSource::send:
      return present_process(seen.actor, PidSource::send);
    case OwnerSource::receive:
      return present_process(seen.actor, PidSource::receive);
    default:
      return present_process(seen.actor, PidSource::snapshot);
  }
}

Owner port_holder(const PortHolder& holder) {
  Owner owner;
  owner.pid = holder.tgid;
  std::memcpy(owner.comm.data(), holder.comm, owner.comm.size());
  owner.source = PidSource::snapshot;
  return owner;
}

}  // namespace tcpwitness
