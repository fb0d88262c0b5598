// SPDX-License-Identifier: Apache-2.0
// file_settings.hpp: what the options mean for a file that is read or played.
#pragma once

#include <string>

#include "cli/options.hpp"
#include "recording/replay.hpp"
#include "tcpwitness/pipeline.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

// The first word of what may be a filter too: a file that is there, or that is meant ("nosuch.pcap"), or "-".
[[nodiscard]] bool names_a_file(const std::string& word);
// Of a capture.
[[nodiscard]] CorrelatorSettings capture_settings(const Options& options);
// Of a recording.
[[nodiscard]] ReplaySettings replay_settings(const Options& options);
// An expression is given, which a recording cannot be asked for.
[[nodiscard]] Error no_expression_for_recordings(const std::string& expression);

}  // namespace tcpwitness
