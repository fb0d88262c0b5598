// SPDX-License-Identifier: Apache-2.0
#include "run/file_settings.hpp"

#include "run/outputs.hpp"
#include "tcpwitness/capture.hpp"

namespace tcpwitness {

CorrelatorSettings capture_settings(const Options& options) {
  CorrelatorSettings settings = capture_settings();
  static_cast<ReportSettings&>(settings) = report_settings(options);
  return settings;
}

ReplaySettings replay_settings(const Options& options) {
  ReplaySettings settings;
  settings.reports = report_settings(options);
  settings.pid = options.pid;
  settings.comm = options.comm;
  if (options.stuck_after) settings.close_wait_stuck_ns = options.stuck_after->count();
  return settings;
}

Error no_expression_for_recordings(const std::string& expression) {
  return {"apply '" + expression + "' to a recording",
          "an expression selects frames, and a recording's judgements rest on the kernel's events too",
          "select with --port, --host, --pid and --comm"};
}

}  // namespace tcpwitness
