// SPDX-License-Identifier: Apache-2.0
// serve.hpp: the metrics of a live run, and who gives them: listens before the run gives up what that needs.
#pragma once

#include <memory>
#include <string>

#include "cli/options.hpp"
#include "http/exporter.hpp"
#include "metrics/metrics.hpp"
#include "tcpwitness/pipeline.hpp"
#include "tcpwitness/result.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

class MetricsServer {
 public:
  static Result<std::unique_ptr<MetricsServer>> listen(const ServeOptions& options);
  // Answers from now on, in a thread without any capability.
  Result<void> start();

  [[nodiscard]] std::unique_ptr<Sink> sink() { return metrics_.sink(); }
  [[nodiscard]] std::string describe() const;  // "metrics at http://127.0.0.1:9435/metrics"

 private:
  explicit MetricsServer(const ServeOptions& options);
  [[nodiscard]] metrics::Own own() const;

  Endpoint at_;
  UniqueFd memory_;  // /proc/self/statm: it is not opened later
  double started_ = 0;
  metrics::Metrics metrics_;
  std::unique_ptr<Exporter> exporter_;  // the first to go
};

}  // namespace tcpwitness
