// SPDX-License-Identifier: Apache-2.0
// process_status.hpp: what /proc/PID/status has.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpwitness {

// The first number behind `key` ("Tgid:"). Empty: there is no such process here, or no such line.
[[nodiscard]] std::optional<std::uint32_t> process_status(std::uint32_t pid, std::string_view key);

// It has ended, also where its parent has not waited for it yet (a zombie). Threads that go on without the first one
// are a process.
[[nodiscard]] bool process_is_gone(std::uint32_t pid);

}  // namespace tcpwitness
