// SPDX-License-Identifier: Apache-2.0
#include "run/socket_lister.hpp"

#include <algorithm>

#include "run/time_share.hpp"

namespace tcpwitness {
namespace {

// So much later than the loss, and never more often than that.
constexpr std::int64_t list_after_ns = 200'000'000;
constexpr std::int64_t list_at_most_every_ns = 2'000'000'000;

}  // namespace

std::chrono::nanoseconds SocketLister::take() {
  return drain_.list([this](const Tracer::OnRecord& on_record) {
    parts_.tracer.snapshot_sockets(on_record);
    parts_.tracer.snapshot_owners(on_record);
  });
}

void SocketLister::take_after_loss() {
  const TimeNs begun = parts_.clock.now();
  const TimeNs lost_at = feed_.lost_at();
  if (lost_at == 0 || begun < std::max(lost_at + list_after_ns, not_before_ns_) || !parts_.backlog.empty()) return;
  feed_.forget_loss();
  const std::chrono::nanoseconds took = take();
  feed_.listed(begun);
  not_before_ns_ = begun + std::max(list_at_most_every_ns, took.count() * one_per_cent);
}

}  // namespace tcpwitness
