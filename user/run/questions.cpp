// SPDX-License-Identifier: Apache-2.0
#include "run/questions.hpp"

#include <algorithm>

#include "run/backlog.hpp"
#include "run/time_share.hpp"

namespace tcpwitness {
namespace {

constexpr int port_questions_at_most = 4;  // a look
constexpr std::int64_t hops_at_most_every_ns = 5'000'000'000;
constexpr std::int64_t hops_at_least_every_ns = 10'000'000'000;  // see Wait::forwarded_count

}  // namespace

void Questions::ask() {
  ask_for_descriptors();
  Tracer& tracer = parts_.tracer;
  LiveCorrelator& correlator = feed_.correlator();
  Records found;
  const auto on_record = collect_in(found, parts_.backlog);
  for (int i = 0; i < port_questions_at_most; ++i) {
    const auto question = correlator.wants_ports();
    if (!question) break;
    tracer.count_ports(*question, on_record);
  }
  if (correlator.wants_fin_wait2()) tracer.snapshot_fin_wait2(on_record);
  ask_for_hops(on_record);
  tracer.count_hops(correlator.ended_hops(), on_record);
  for (const auto& record : found) feed_.take(record);
  tracer.delete_flows(correlator.flows_to_delete());
}

// A finding will name the descriptor that a process has not closed. This walks every descriptor of the host.
void Questions::ask_for_descriptors() {
  const TimeNs begun = parts_.clock.now();
  if (begun < descriptors_not_before_ns_ || !feed_.correlator().wants_descriptors()) return;
  Records found;
  parts_.tracer.snapshot_close_wait_owners(collect_in(found, parts_.backlog));
  for (const auto& record : found) feed_.take(record);
  descriptors_not_before_ns_ = begun + one_per_cent * (parts_.clock.now() - begun);
}

// The counters of forwarded connections whose time is up: of all of them, so not often.
void Questions::ask_for_hops(const Tracer::OnRecord& on_record) {
  const TimeNs begun = parts_.clock.now();
  if (begun < hops_not_before_ns_ || !feed_.correlator().wants_hops()) return;
  parts_.tracer.snapshot_hops(on_record);
  hops_not_before_ns_ =
      begun + std::clamp(one_per_cent * (parts_.clock.now() - begun), hops_at_most_every_ns, hops_at_least_every_ns);
}

}  // namespace tcpwitness
