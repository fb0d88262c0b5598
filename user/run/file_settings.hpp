// SPDX-License-Identifier: Apache-2.0
// file_settings.hpp: what the options mean for a file that is read or played.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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
// Where a file is named: the first option that only a live run has a use for.
[[nodiscard]] std::optional<Error> no_use_for_a_file(std::string_view verb, const std::string& file,
                                                     const Options& options);
// Of a capture: the first option that asks for what only a recording has.
[[nodiscard]] std::optional<Error> no_use_for_a_capture(const Options& options);
// An expression is given, which a recording cannot be asked for.
[[nodiscard]] Error no_expression_for_recordings(const std::string& expression);

}  // namespace tcpwitness
