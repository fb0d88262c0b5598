// SPDX-License-Identifier: Apache-2.0
// live_end.cpp: the end of a live run, at one moment. What the hooks wrote until then is reported, what they write
// later is not: taken off one by one, they would show the beginning of an end and not the rest.
#include <cerrno>
#include <vector>

#include "recording/marks.hpp"
#include "run/exit_code.hpp"
#include "run/live_run.hpp"
#include "run/messages.hpp"
#include "run/signals.hpp"
#include "sink/views/describe.hpp"

namespace tcpwitness {
namespace {

// Double entry: what the producers tried is what we received plus what was lost.
struct Books {
  std::vector<std::uint64_t> lost_by_cpu;
  std::uint64_t tried = 0;
  std::uint64_t flows_full = 0;

  explicit Books(const Tracer& tracer) {
    const std::vector<CpuCounts> counts = tracer.cpu_counts();
    lost_by_cpu.reserve(counts.size());
    for (const CpuCounts& cpu : counts) {
      lost_by_cpu.push_back(cpu.lost);
      tried += cpu.tried;
      flows_full += cpu.flows_full;
    }
    flows_full += tracer.evicted_flows();
  }
  [[nodiscard]] std::uint64_t unaccounted(const Decoder& decoder) const {
    const std::uint64_t known = decoder.received() + decoder.lost_in_ring();
    return tried > known ? tried - known : known - tried;
  }
};

}  // namespace

Summary LiveRun::finish() {
  if (parts_.view != nullptr) parts_.view->close();
  const bool enough = over();
  parts_.manager.stopping(status("stopping"));
  if (command_.next_signal_is_ours()) end_at_next_signal(parts_.signals);
  const TimeNs listed_at = take_the_rest(enough);
  output_.lift_limit();
  if (enough) output_.waiting().clear();
  const Books books(parts_.tracer);
  feed_.account(books.lost_by_cpu);
  if (!enough) {
    feed_.listed(listed_at);
    feed_.finish();
  }
  output_.write();
  Summary summary = feed_.summary();
  summary.flows_full = books.flows_full;
  summary.unaccounted = books.unaccounted(feed_.decoder());
  summary.unwritten = output_.dropped();
  summary.missing = missing_witnesses(ready_);
  if (Recorder* recorder = feed_.recorder()) {
    summary.recording = recorder->finish(EndMark{.now = feed_.now(),
                                                 .last_id = 0,
                                                 .continued = {},
                                                 .malformed = summary.malformed,
                                                 .flows_full = summary.flows_full,
                                                 .unaccounted = summary.unaccounted});
  }
  return summary;
}

bool LiveRun::write(Summary& summary) {
  if (output_.broken()) return false;
  all_taken_ = output_.finish(summary);
  if (!all_taken_) summary.unwritten = output_.dropped();
  return !output_.broken() && output_.error() == 0;
}

int LiveRun::ended(const Summary& summary) const {
  say(describe(summary));
  return !all_taken_ || (summary.recording && summary.recording->failed) ? 1 : 0;
}

// Drained in any case, so that the books balance; what comes after enough was reported goes nowhere. When the last look
// at the sockets began.
TimeNs LiveRun::take_the_rest(bool enough) {
  Tracer& tracer = parts_.tracer;
  const TimeNs begun = parts_.clock.now();
  // What is still open: an idle connection's counters have no event to travel in.
  const auto last_look = [&](const Tracer::OnRecord& on_record) {
    tracer.release_digests(Tracer::Release::all);
    if (!enough) tracer.snapshot_sockets(on_record);
    if (!enough) tracer.snapshot_fin_wait2(on_record);
    if (!enough && parts_.options.forwarded) tracer.snapshot_hops(on_record);
    feed_.end_at(parts_.clock.now());
  };
  drain_.list(last_look, [&] {
    tracer.detach([&] { parts_.backlog.take(); });
    tracer.release_digests(Tracer::Release::all);
    while (drain_.drain() > 0 || !parts_.backlog.empty()) {
    }
  });
  return begun;
}

// `| head` has read enough. A service whose reader is gone has failed, and is to be started again.
int LiveRun::failed() const {
  if (output_.error() != EPIPE || !parts_.manager.there()) return broken_output(output_.error());
  say("tcpwitness: nobody reads the output any more", Priority::error);
  return exit_failed;
}

}  // namespace tcpwitness
