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
constexpr auto count_evicted_every = std::chrono::seconds(30);

// A quarter of a second of processor time, in which nothing is taken from the ring.
constexpr std::uint64_t longest_walk = 262'144;

struct FlowCounts {
  std::uint64_t added = 0;
  std::uint64_t removed = 0;

  explicit FlowCounts(const Tracer& tracer) {
    for (const CpuCounts& cpu : tracer.cpu_counts()) {
      added += cpu.flows_added;
      removed += cpu.flows_removed;
    }
  }
};

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
  if (parts_.metrics == nullptr) return;
  next_ = std::max(next_, since_start + one_per_cent * (Clock::now() - begun));
  if (since_start >= evicted_next_) count_evicted(since_start);
}

// For the next report, and not within what limits reports. It walks the whole map: 65,536 flows are 65 ms.
void InterimReports::count_evicted(Clock::duration since_start) {
  const auto begun = Clock::now();
  const FlowCounts before(parts_.tracer);
  const std::uint64_t there_or_evicted = before.added - std::min(before.added, before.removed);
  if (std::min<std::uint64_t>(there_or_evicted, parts_.options.flows) > longest_walk) return;
  const std::uint64_t missing = parts_.tracer.evicted_flows();
  // What ended during the walk is missing too, and was not evicted: at least so many were.
  const std::uint64_t ended = FlowCounts(parts_.tracer).removed - before.removed;
  evicted_ = std::max(evicted_, missing - std::min(missing, ended));
  evicted_next_ = since_start + std::max<Clock::duration>(count_evicted_every, one_per_cent * (Clock::now() - begun));
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
                .flows_full = evicted_,
                .unlisted = feed_.correlator().summary().unlisted};
  for (const CpuCounts& cpu : parts_.tracer.cpu_counts()) {
    totals.lost += cpu.lost;
    totals.flows_full += cpu.flows_full;
  }
  return totals;
}

}  // namespace tcpwitness
