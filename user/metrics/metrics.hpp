// SPDX-License-Identifier: Apache-2.0
// metrics.hpp: the sink of `serve`, and the page for scrapers: two threads meet here and nowhere else.
//
// Who adds up never waits for a scraper: only for the copying of plain numbers, well under a millisecond with the most
// label sets. The page is made from the copy, and given again for as long as making it anew would take more than a
// fiftieth of the time: scraping faster costs no more.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "metrics/aggregate.hpp"
#include "metrics/page.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness::metrics {

class Metrics {
 public:
  // own: asked for each page.
  Metrics(LabelSettings settings, std::function<Own()> own) : aggregate_(std::move(settings)), own_(std::move(own)) {}

  // The sink must not outlive this.
  [[nodiscard]] std::unique_ptr<Sink> sink();
  void take(const Report& report);
  // Of one thread.
  [[nodiscard]] std::shared_ptr<const std::string> page();

 private:
  using Clock = std::chrono::steady_clock;
  std::mutex mutex_;  // guards aggregate_
  Aggregate aggregate_;
  std::function<Own()> own_;
  Snapshot snapshot_;
  std::shared_ptr<const std::string> page_;
  Clock::time_point keep_until_;
};

}  // namespace tcpwitness::metrics
