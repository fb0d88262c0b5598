// SPDX-License-Identifier: Apache-2.0
// delivery.hpp: reports on their way to the sink, until as many lives were reported as are wanted, or the output
// failed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "sink/output.hpp"
#include "tcpwitness/pipeline.hpp"
#include "values/report_filter.hpp"

namespace tcpwitness {

// The lives of a run: all, and those of them that the options choose. --count is of the latter.
class LifeCount {
 public:
  explicit LifeCount(const ReportFilter& filter) : filter_(filter) {}
  void add(const Report& report) {
    const auto* life = std::get_if<Life>(&report);
    if (life == nullptr) return;
    ++all_;
    if (filter_.wants(*life)) ++chosen_;
  }
  [[nodiscard]] std::uint64_t all() const { return all_; }
  [[nodiscard]] std::uint64_t chosen() const { return chosen_; }
  void sum_up(Summary& summary) const {
    summary.connections = all_;
    if (filter_.any()) summary.chosen = chosen_;
  }

 private:
  const ReportFilter& filter_;
  std::uint64_t all_ = 0;
  std::uint64_t chosen_ = 0;
};

class Delivery {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto every = std::chrono::milliseconds(100);

  // limit: lives that are wanted (--count); 0: all. longest: a reader of the output waits for no longer than this.
  Delivery(const ReportFilter& filter, std::uint64_t limit, Output& output, std::unique_ptr<Sink> sink,
           Clock::duration longest = every)
      : output_(output), sink_(std::move(sink)), lives_(filter), limit_(limit), longest_(longest) {}

  void limit_to(std::uint64_t lives) {
    if (lives != 0) limit_ = limit_ == 0 ? lives : std::min(limit_, lives);
  }
  // From now on all are wanted.
  void lift_limit() {
    limit_ = 0;
    enough_ = false;
  }
  // Writes those that are wanted, and clears the list.
  template <typename Wanted>
  void write(Reports& reports, const Wanted& wanted) {
    unflushed_ = unflushed_ || !reports.empty();
    for (const auto& report : reports) {
      if (enough_) break;
      if (!wanted(report)) continue;
      sink_->write(report);
      lives_.add(report);
      enough_ = limit_ != 0 && lives_.chosen() >= limit_;
    }
    reports.clear();
    broken_ = broken_ || output_.error() != 0;
  }
  void write(Reports& reports) {
    write(reports, [](const Report&) { return true; });
  }
  void flush() {
    if (!sink_->flush()) broken_ = true;
    flushed_ = Clock::now();
    unflushed_ = false;
  }
  [[nodiscard]] bool due(Clock::time_point now) const { return now - flushed_ >= longest_; }
  [[nodiscard]] bool unflushed() const { return unflushed_; }

  // The last report. False: the output failed.
  [[nodiscard]] bool finish(Summary& summary) {
    lives_.sum_up(summary);
    sink_->write(summary);
    flush();
    return !broken_;
  }

  [[nodiscard]] Sink& sink() { return *sink_; }
  [[nodiscard]] bool enough() const { return enough_; }
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool over() const { return enough_ || broken_; }
  [[nodiscard]] const LifeCount& lives() const { return lives_; }

 private:
  Output& output_;
  std::unique_ptr<Sink> sink_;
  LifeCount lives_;
  std::uint64_t limit_;
  Clock::duration longest_;
  Clock::time_point flushed_ = Clock::now();
  bool unflushed_ = false;  // a report was written and not flushed
  bool enough_ = false;
  bool broken_ = false;
};

}  // namespace tcpwitness
