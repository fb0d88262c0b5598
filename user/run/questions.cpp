// SPDX-License-Identifier: Apache-2.0
#include "run/questions.hpp"

#include <algorithm>

#include "probe/process_status.hpp"
#include "run/backlog.hpp"
#include "run/time_share.hpp"

namespace tcpwitness {
namespace {

constexpr int port_questions_at_most = 4;  // a look
constexpr std::int64_t listeners_at_most_every_ns = 1'000'000'000;
constexpr std::int64_t hops_at_most_every_ns = 5'000'000'000;
constexpr std::int64_t hops_at_least_every_ns = 10'000'000'000;  // see Wait::forwarded_count

}  // namespace

void Questions::ask() {
  ask_for_descriptors();
  ask_for_listeners();
  Tracer& tracer = parts_.tracer;
  LiveCorrelator& correlator = feed_.correlator();
  take_found([&](const Tracer::OnRecord& on_record) {
    for (int i = 0; i < port_questions_at_most; ++i) {
      const auto question = correlator.wants_ports();
      if (!question) break;
      tracer.count_ports(*question, on_record);
    }
    if (correlator.wants_fin_wait2()) tracer.snapshot_fin_wait2(on_record);
    ask_for_hops(on_record);
    tracer.count_hops(correlator.ended_hops(), on_record);
  });
  tracer.delete_flows(correlator.flows_to_delete());
}

// What a look at the sockets finds, when the look is over.
void Questions::take_found(const Look& look) {
  Records found;
  look(collect_in(found, parts_.backlog));
  for (const auto& record : found) feed_.take(record);
}

// A finding will name the descriptor that a process has not closed. This walks every descriptor of the host.
void Questions::ask_for_descriptors() {
  const TimeNs begun = parts_.clock.now();
  if (begun < descriptors_not_before_ns_ || !feed_.correlator().wants_descriptors()) return;
  take_found([&](const Tracer::OnRecord& on_record) { parts_.tracer.snapshot_close_wait_owners(on_record); });
  descriptors_not_before_ns_ = begun + one_per_cent * (parts_.clock.now() - begun);
}

// A process that listened has ended, and its socket has not: a child has it open (fork()).
void Questions::ask_for_listeners() {
  const TimeNs begun = parts_.clock.now();
  if (begun < listeners_not_before_ns_) return;
  if (feed_.correlator().wants_listener_owners(process_is_gone))
    take_found([&](const Tracer::OnRecord& on_record) { parts_.tracer.snapshot_owners(on_record); });
  listeners_not_before_ns_ = begun + std::max(listeners_at_most_every_ns, one_per_cent * (parts_.clock.now() - begun));
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
