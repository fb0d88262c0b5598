// SPDX-License-Identifier: Apache-2.0
// values.hpp: one option's text to its value. Each says what is valid when it refuses.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness::cli {

// The result of an option is a value, or a sentence: "'70000' is not a port: 1 to 65535".
template <typename T>
using Value = std::expected<T, std::string>;

inline constexpr std::uint64_t ring_min = 64ULL << 10U;
inline constexpr std::uint64_t ring_max = 1ULL << 30U;
inline constexpr std::uint32_t flows_min = 1024;
inline constexpr std::uint32_t flows_max = 16U << 20U;
inline constexpr double seconds_max = 1e9;

// A whole number without sign, in the range given.
[[nodiscard]] Value<std::uint64_t> number(std::string_view text, std::uint64_t low, std::uint64_t high);
[[nodiscard]] Value<std::chrono::nanoseconds> seconds(std::string_view text);
[[nodiscard]] Value<std::uint64_t> ring_size(std::string_view text, std::uint64_t page_bytes);
// "80" or "80,443".
[[nodiscard]] Value<std::vector<std::uint16_t>> ports(std::string_view text);
[[nodiscard]] Value<Prefix> host(std::string_view text);
[[nodiscard]] Value<std::string> interface(std::string_view text);
[[nodiscard]] Value<std::string> comm(std::string_view text);
[[nodiscard]] Value<WireMode> wire(std::string_view text);
// Index of text in words.
[[nodiscard]] Value<std::size_t> one_of(std::string_view text, const std::vector<std::string_view>& words);

}  // namespace tcpwitness::cli
