// SPDX-License-Identifier: Apache-2.0
// live_filter.hpp: what the options of a live run ask of a connection's process and addresses, beyond one pid and what
// the kernel compares: descendants of a process, a user, an expression. The core's Selection asks these functions.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "capture/flow_filter.hpp"
#include "cli/options.hpp"
#include "probe/processes.hpp"
#include "probe/tracer.hpp"
#include "run/containers.hpp"
#include "tcpwitness/connection.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

class LiveFilter {
 public:
  // --port and the expression: what the kernel can compare goes to `settings`.
  Result<void> choose_flows(const Options& options, TracerSettings& settings);
  // Attaches what follows processes: before a command is started.
  Result<void> choose_processes(const Options& options);

  // For CorrelatorSettings; null where there is no such condition. What they ask lives here.
  [[nodiscard]] const std::function<bool(const Process&)>& of_process() const { return of_process_; }
  [[nodiscard]] const std::function<bool(const Flow&)>& of_flow() const { return of_flow_; }
  // Null where nobody asks for containers.
  [[nodiscard]] Containers* containers() const { return containers_.get(); }
  [[nodiscard]] bool flow_excludes() const { return filter_ && filter_->excludes(); }

 private:
  std::unique_ptr<Processes> processes_;
  std::unique_ptr<FlowFilter> filter_;
  std::unique_ptr<Containers> containers_;
  std::function<bool(const Process&)> of_process_;
  std::function<bool(const Flow&)> of_flow_;
};

}  // namespace tcpwitness
