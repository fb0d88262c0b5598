// SPDX-License-Identifier: Apache-2.0
// values.hpp: one option's text to its value. Each names what is valid when it refuses.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.hpp"
#include "tcpwitness/result.hpp"
#include "values/group_key.hpp"
#include "values/life_column.hpp"

namespace tcpwitness::cli {

// The result of an option is a value, or a sentence: "'70000' is not a port: 1 to 65535".
template <typename T>
using Value = std::expected<T, std::string>;

inline constexpr std::uint32_t pid_max = 4'194'304;
inline constexpr std::uint64_t ring_min = 64ULL << 10U;
inline constexpr std::uint64_t ring_max = 1ULL << 30U;
inline constexpr std::uint32_t flows_min = 1024;
inline constexpr std::uint32_t flows_max = 16U << 20U;
inline constexpr double seconds_max = 1e9;
inline constexpr std::uint32_t snaplen_min = 64;  // Ethernet, VLAN, IPv6 and TCP headers without their options
inline constexpr std::uint32_t snaplen_max = 1024;
inline constexpr std::uint64_t rotate_min = 64ULL << 10U;
inline constexpr std::uint64_t rotate_max = 1ULL << 40U;

// A whole number without sign, in the range given.
[[nodiscard]] Value<std::uint64_t> number(std::string_view text, std::uint64_t low, std::uint64_t high);
[[nodiscard]] Value<std::chrono::nanoseconds> seconds(std::string_view text);
// "10", "0.5": from 0.1 to 1000.
[[nodiscard]] Value<double> speed(std::string_view text);
// "30", "30s", "15m", "2h", "1d": whole, at least a second.
[[nodiscard]] Value<std::chrono::nanoseconds> period(std::string_view text);
// "200ms", "50us", "1.5s" or "1.5".
[[nodiscard]] Value<std::chrono::nanoseconds> short_time(std::string_view text);
[[nodiscard]] Value<std::uint64_t> ring_size(std::string_view text, std::uint64_t page_bytes);
[[nodiscard]] Value<std::uint64_t> rotate_size(std::string_view text);
// "0", "1500", "64K", "10M", "1G": bytes.
[[nodiscard]] Value<std::uint64_t> amount(std::string_view text);
// "half-open" or "half-open,zero-window".
[[nodiscard]] Value<std::vector<Rule>> rules(std::string_view text);
[[nodiscard]] Value<std::vector<Outcome>> outcomes(std::string_view text);
[[nodiscard]] Value<std::vector<GroupKey>> group_keys(std::string_view text);
[[nodiscard]] Value<std::vector<LifeColumn>> life_columns(std::string_view text);
// "80", "80,443", "8000-8099".
[[nodiscard]] Value<std::vector<PortRange>> ports(std::string_view text);
// "127.0.0.1:9435", "[::1]:9435".
[[nodiscard]] Value<Endpoint> endpoint(std::string_view text);
// "listener,process"; "none".
[[nodiscard]] Value<std::vector<MetricLabel>> metric_labels(std::string_view text);
[[nodiscard]] Value<Prefix> host(std::string_view text);
[[nodiscard]] Value<std::string> interface(std::string_view text);
[[nodiscard]] Value<std::string> comm(std::string_view text);
[[nodiscard]] Value<WireMode> wire(std::string_view text);
// The words that an option may have, for messages and completion.
[[nodiscard]] std::vector<std::string_view> format_words();
[[nodiscard]] std::vector<std::string_view> some_formats(std::size_t count);  // the first ones
[[nodiscard]] std::vector<std::string_view> packets_words();
[[nodiscard]] std::vector<std::string_view> on_off_words();
[[nodiscard]] std::vector<std::string_view> wire_words();
[[nodiscard]] std::vector<std::string_view> rule_words();
[[nodiscard]] std::vector<std::string_view> outcome_words();
[[nodiscard]] std::vector<std::string_view> group_key_words();
[[nodiscard]] std::vector<std::string_view> metric_label_words();
[[nodiscard]] std::vector<std::string_view> column_words();
[[nodiscard]] std::vector<std::string_view> catalogue_words();  // outcomes and findings
// Index of text in words.
[[nodiscard]] Value<std::size_t> one_of(std::string_view text, const std::vector<std::string_view>& words);

}  // namespace tcpwitness::cli
