// SPDX-License-Identifier: Apache-2.0
// describe.hpp: what is printed for a person beside the data, for stderr: what is traced and how, what to try on
// a quiet machine, what it came to.
//
// Each text ends without a newline. Pure: the caller decides whether anybody reads it.
#pragma once

#include <string>
#include <string_view>

#include "tcpwitness/report.hpp"

namespace tcpwitness {

// First line: "tcpwitness: tracing ...", the version, the kernel, and the hook of every interface with its
// reason; then one line for every hook that is off, with what is lost.
[[nodiscard]] std::string describe(const Ready& ready);

// Connections, events by kind; what was lost and what to do about it.
[[nodiscard]] std::string describe(const Summary& summary);

// Lines of so many columns at most, where words allow it; what goes on is indented. 0: as it is.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width);

// For a terminal on which nothing has happened yet.
[[nodiscard]] std::string quiet_hint(const Ready& ready);

}  // namespace tcpwitness
