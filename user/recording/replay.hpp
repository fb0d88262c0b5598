// SPDX-License-Identifier: Apache-2.0
// replay.hpp: a recording's blocks fed to a Correlator as the live run fed its own, so that it judges the same.
//
// Events keep their numbers. A number that is missing is a loss that is reported as a gap: a later file of a rotation,
// a flight recorder's window, a full disk or a block that somebody cut out make judgements less certain, never more.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/live_correlator.hpp"
#include "recording/recording.hpp"

namespace tcpwitness {

// What whoever reads may choose; everything else is the recording's.
struct ReplaySettings {
  ReportSettings reports{};
  std::optional<std::int64_t> close_wait_stuck_ns{};  // instead of the recorder's
  std::uint32_t pid = 0;                              // and what the recorder was asked for
  std::string comm{};
};

class Replay {
 public:
  explicit Replay(ReplaySettings settings) : settings_(std::move(settings)) {}

  // One block after the other; reports are appended. An error ends the file there.
  Result<void> take(const CaptureBlock& block, Reports& out);
  // The same of a block that was decoded; at: its first byte in the file, for errors.
  Result<void> take(const RecordingStep& step, std::uint64_t at, Reports& out);
  // When it was; where it has no time, when the newest before it was.
  [[nodiscard]] TimeNs time_of(const RecordingStep& step) const;
  // No more blocks: reports what is open.
  void finish(Reports& out);

  // As Correlator has them. Before the recording has begun: none.
  void so_far(TimeNs now, const std::function<void(Life)>& take) {
    if (correlator_) correlator_->so_far(now, take);
  }
  [[nodiscard]] std::optional<Life> so_far_of(ConnectionId conn, TimeNs now) {
    return correlator_ ? correlator_->so_far_of(conn, now) : std::nullopt;
  }
  [[nodiscard]] TimeNs now() const { return last_ts_ns_; }  // the newest time in the recording so far

  // After the first block that began the recording; nothing before it.
  [[nodiscard]] const StartMark* start() const { return start_ ? &*start_ : nullptr; }
  [[nodiscard]] const Names& names() const { return names_; }
  // The recorder ended this file itself: it was not killed and the file not cut off.
  [[nodiscard]] bool ended() const { return end_.has_value(); }
  // The file in which the run went on; empty for none.
  [[nodiscard]] std::string continued() const { return end_ ? end_->continued : ""; }
  [[nodiscard]] std::uint64_t missing_before() const { return missing_before_; }  // events before the first one
  [[nodiscard]] std::uint64_t missing() const { return missing_; }                // events, those included
  // Of these, what a flight recorder left out as it belongs to no finding.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }
  [[nodiscard]] Summary summary() const;

 private:
  Result<void> apply(const RecordedEvent& recorded, std::uint64_t at, Reports& out);
  Result<void> apply(const RecordingMark& mark, std::uint64_t at, Reports& out);
  Result<void> begin(const StartMark& start, std::uint64_t at);
  void account(const AccountMark& account, Reports& out);
  void feed_missing(EventId before, TimeNs until, Reports& out);
  void feed_gap(EventId id, std::uint64_t count, std::uint32_t why, TimeNs until, Reports& out);

  ReplaySettings settings_;
  Names names_;
  std::optional<StartMark> start_;
  std::optional<EndMark> end_;
  std::optional<Decoder> decoder_;
  std::optional<LiveCorrelator> correlator_;
  std::vector<Event> events_;
  EventId last_id_ = 0;
  TimeNs last_ts_ns_ = 0;
  std::uint64_t lost_ = 0;  // from the ring, as the live run counted it
  std::uint64_t missing_ = 0;
  std::uint64_t missing_before_ = 0;
  std::uint64_t left_out_ = 0;
  std::uint64_t said_left_out_ = 0;  // by marks since the last event
};

}  // namespace tcpwitness
