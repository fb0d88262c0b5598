// SPDX-License-Identifier: Apache-2.0
#include "metrics/metrics.hpp"

namespace tcpwitness::metrics {
namespace {

class MetricsSink final : public Sink {
 public:
  explicit MetricsSink(Metrics& metrics) : metrics_(metrics) {}
  void write(const Report& report) override { metrics_.take(report); }
  bool flush() override { return true; }

 private:
  Metrics& metrics_;
};

}  // namespace

std::unique_ptr<Sink> Metrics::sink() { return std::make_unique<MetricsSink>(*this); }

void Metrics::take(const Report& report) {
  const std::lock_guard lock(mutex_);
  aggregate_.take(report);
}

std::shared_ptr<const std::string> Metrics::page() {
  constexpr int share = 50;
  const auto begun = Clock::now();
  if (page_ && begun < keep_until_) return page_;
  {
    const std::lock_guard lock(mutex_);
    aggregate_.copy_to(snapshot_);
  }
  page_ = std::make_shared<const std::string>(page_of(snapshot_, own_()));
  const auto made = Clock::now();
  keep_until_ = made + share * (made - begun);
  return page_;
}

}  // namespace tcpwitness::metrics
