// SPDX-License-Identifier: Apache-2.0
#include "run/socket_list.hpp"

#include <algorithm>

#include "run/time_share.hpp"

namespace tcpwitness {
namespace {

// So much later than the loss, and never more often than that.
constexpr std::int64_t list_after_ns = 200'000'000;
constexpr std::int64_t list_at_most_every_ns = 2'000'000'000;

}  // namespace

// Reported after what the hooks saw while it was read: a connection that both report then begins with its events,
// not with the snapshot.
void SocketList::take_first() {
  Records found;
  parts_.tracer.snapshot_sockets(collect_in(found, parts_.backlog));
  parts_.tracer.snapshot_owners(collect_in(found, parts_.backlog));
  drain_.drain_backlog();
  drain_.take_list(found);
}

void SocketList::take_after_loss() {
  const TimeNs begun = parts_.clock.now();
  const TimeNs lost_at = feed_.lost_at();
  if (lost_at == 0 || begun < std::max(lost_at + list_after_ns, not_before_ns_) || !parts_.backlog.empty()) return;
  feed_.forget_loss();
  Records found;
  drain_.begin_list();
  parts_.tracer.snapshot_sockets(collect_in(found, parts_.backlog));
  parts_.tracer.snapshot_owners(collect_in(found, parts_.backlog));
  drain_.drain_backlog();
  drain_.take_list(found);
  feed_.listed(begun);
  const TimeNs took = parts_.clock.now() - begun;
  not_before_ns_ = begun + std::max(list_at_most_every_ns, took * one_per_cent);
}

}  // namespace tcpwitness
