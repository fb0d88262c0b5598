// SPDX-License-Identifier: Apache-2.0
// live_feed.hpp: what becomes of each record of a live run: events, facts, reports; and all of it goes to the
// recording, where one is made.
//
//   record -> Decoder -> Correlator -> reports (live_output.hpp)
//     \________|__________|_____> Recorder
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "pipeline/live_correlator.hpp"
#include "recording/recorder.hpp"
#include "run/containers.hpp"
#include "run/live_output.hpp"
#include "run/live_parts.hpp"

namespace tcpwitness {

class LiveFeed {
 public:
  LiveFeed(const LiveParts& parts, const Ready& ready, const Names& names, LiveOutput& output);

  void take(std::span<const std::byte> record);
  // Time passes.
  void advance(TimeNs now);
  // Runs of kernel programs that were left out: are they to be asked for again? In all so far.
  [[nodiscard]] bool wants_skipped(TimeNs now) const;
  void skipped(std::uint64_t total, TimeNs now);
  // Since `from` an interface may not have been traced.
  void untraced(TimeNs from, TimeNs now);
  // All sockets that existed at `begun` were taken.
  void listed(TimeNs begun);

  // The run ends at this moment. What is younger is left out, but the last look at the sockets.
  void end_at(TimeNs now) { end_ns_ = now; }
  // After the last record: what no record has counted, by CPU; the connections that are still open.
  void account(std::span<const std::uint64_t> lost_by_cpu);
  void finish();
  // Of events and connections; the rest is for the caller to fill in.
  [[nodiscard]] Summary summary() const;

  // No later than the end of the run.
  [[nodiscard]] TimeNs now() const { return end_ns_ != 0 ? end_ns_ : clock_.now(); }
  // When the first loss was seen since the sockets were listed. 0: none was.
  [[nodiscard]] TimeNs lost_at() const { return lost_at_ns_; }
  void forget_loss() { lost_at_ns_ = 0; }
  [[nodiscard]] const Decoder& decoder() const { return decoder_; }
  [[nodiscard]] LiveCorrelator& correlator() { return correlator_; }
  // Null where nothing is recorded.
  [[nodiscard]] Recorder* recorder() const { return recorder_.get(); }
  // The recording goes to a pipe whose reader is gone.
  [[nodiscard]] bool nobody_reads() const { return recorder_ && recorder_->nobody_reads(); }

 private:
  void feed_events();
  void write_over(TimeNs by);
  void leave_out_younger();
  void keep_events_of_the_run();
  void split_last_digest();
  void record_reports(std::size_t from);

  const RunClock& clock_;
  Containers* containers_;  // null: nobody asks for them
  LiveOutput& output_;
  Reports& reports_;
  Decoder decoder_;
  LiveCorrelator correlator_;
  std::unique_ptr<Recorder> recorder_;
  std::vector<Event> events_;
  TimeNs skipped_until_ns_;  // the last look for runs that the kernel skipped
  TimeNs lost_at_ns_ = 0;
  TimeNs end_ns_ = 0;       // of the run; 0: it goes on
  EventId given_back_ = 0;  // numbers of events behind its end
};

}  // namespace tcpwitness
