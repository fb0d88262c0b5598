// SPDX-License-Identifier: Apache-2.0
#include "run/file_settings.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "run/outputs.hpp"
#include "tcpwitness/capture.hpp"

namespace tcpwitness {

bool names_a_file(const std::string& word) {
  constexpr std::array endings{".pcap", ".pcapng", ".cap", ".gz", ".zst"};
  return word == "-" || ::access(word.c_str(), F_OK) == 0 ||
         std::ranges::any_of(endings, [&](const char* ending) { return word.ends_with(ending); });
}

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
