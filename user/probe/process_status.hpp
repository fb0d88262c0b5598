// SPDX-License-Identifier: Apache-2.0
// process_status.hpp: one number of /proc/PID/status.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpwitness {

// The first number behind `key` ("Tgid:"). Empty: there is no such process here, or no such line.
[[nodiscard]] std::optional<std::uint32_t> process_status(std::uint32_t pid, std::string_view key);

}  // namespace tcpwitness
