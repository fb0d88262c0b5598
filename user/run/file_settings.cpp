// SPDX-License-Identifier: Apache-2.0
#include "run/file_settings.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "cli/live_alone.hpp"
#include "run/outputs.hpp"
#include "sink/format.hpp"
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

std::optional<Error> no_use_for_a_file(std::string_view verb, const std::string& file, const Options& options) {
  const std::string_view live = cli::live_alone(options);
  if (live.empty()) return std::nullopt;
  return Error{fmt::format("{} {} with {}", verb, printable(file, true), live),
               fmt::format("{} is for live tracing, and this is a file", live),
               "to select from a file: --port, --host or an expression"};
}

std::optional<Error> no_use_for_a_capture(const Options& options) {
  if (options.pid != 0 || !options.comm.empty()) {
    return Error{"select by process", "a capture knows no processes",
                 "--pid and --comm select from what 'tcpwitness record' wrote"};
  }
  if (options.stuck_after) {
    return Error{"time CLOSE_WAIT", "a capture knows no sockets",
                 "--stuck-after is for what 'tcpwitness record' wrote"};
  }
  return std::nullopt;
}

Error no_expression_for_recordings(const std::string& expression) {
  return {"apply '" + expression + "' to a recording",
          "an expression selects frames, and a recording's judgements rest on the kernel's events too",
          "select with --port, --host, --pid and --comm"};
}

}  // namespace tcpwitness
