// SPDX-License-Identifier: Apache-2.0
#include "run/interim_reports.hpp"

#include <algorithm>
#include <utility>

#include "run/backlog.hpp"
#include "run/clocks.hpp"
#include "run/time_share.hpp"

namespace tcpwitness {
namespace {

constexpr auto metrics_every = std::chrono::seconds(5);
constexpr auto rarest_list = std::chrono::seconds(10);  // for a screen

}  // namespace

InterimReports::InterimReports(const LiveParts& parts, LiveFeed& feed, RingDrain& drain, LiveOutput& output)
    : parts_(parts), feed_(feed), drain_(drain), output_(output), every_(parts.options.every) {
  if (parts.metrics != nullptr) every_ = metrics_every;
  const bool at_once = parts.metrics != nullptr || parts.view != nullptr;
  next_ = at_once ? Clock::duration{} : parts.options.every.value_or(Clock::duration{});
}

void InterimReports::report(Clock::duration since_start) {
  if (!every_ || since_start < next_) return;
  next_ += *every_;
  if (next_ <= since_start) next_ = since_start + *every_;
  if (parts_.options.duration && since_start >= *parts_.options.duration) return;
  const auto begun = Clock::now();
  if (since_start >= list_next_) list_sockets(since_start);
  output_.write();
  const TimeNs now = parts_.clock.now();
  std::size_t looked_at = 0;
  feed_.correlator().so_far(now, [&](Life life) {
    output_.write_at_once(Interim{.ts_ns = now, .life = std::move(life)});
    if (++looked_at % 1024 == 0) parts_.backlog.take();  // the hooks go on
  });
  std::optional<Totals> all;
  if (parts_.metrics != nullptr) all = totals();
  output_.write_at_once(Interim{.ts_ns = now, .life = {}, .totals = all});
  output_.deliver();
  if (parts_.metrics != nullptr) next_ = std::max(next_, since_start + one_per_cent * (Clock::now() - begun));
}

void InterimReports::list_sockets(Clock::duration since_start) {
  const std::int64_t begun_ns = thread_cpu_ns();
  std::int64_t listed_ns = begun_ns;
  drain_.list([&](const Tracer::OnRecord& on_record) {
    parts_.tracer.snapshot_sockets(on_record);
    // All descriptors of all processes: metrics and a screen do without, and know the owners from what the sockets do.
    if (parts_.metrics == nullptr && parts_.view == nullptr) parts_.tracer.snapshot_owners(on_record);
    listed_ns = thread_cpu_ns();
  });
  // A screen shows what is known from events meanwhile, where there are very many sockets.
  const std::chrono::nanoseconds took(listed_ns - begun_ns);
  if (parts_.view != nullptr) list_next_ = since_start + std::min<Clock::duration>(two_per_cent * took, rarest_list);
}

Totals InterimReports::totals() {
  Totals totals{.events = feed_.decoder().received(),
                .lost = 0,
                .skipped = parts_.tracer.skipped_runs(),
                .malformed = feed_.decoder().malformed(),
                .flows_full = 0,
                .unlisted = feed_.correlator().summary().unlisted};
  for (const CpuCounts& cpu : parts_.tracer.cpu_counts()) {
    totals.lost += cpu.lost;
    totals.flows_full += cpu.flows_full;
  }
  return totals;
}

}  // namespace tcpwitness
