// SPDX-License-Identifier: Apache-2.0
// values.cpp: see values.hpp. from_chars throughout: no locale, no leading spaces, nothing after the value.
#include "cli/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

namespace tcpwitness::cli {
namespace {

constexpr std::size_t name_bytes = 15;  // IFNAMSIZ - 1, TASK_COMM_LEN - 1

std::unexpected<std::string> refuse(std::string_view text, std::string_view why) {
  return std::unexpected(fmt::format("'{}' {}", text, why));
}

template <typename T>
bool whole(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

constexpr std::array<std::string_view, 6> wire_names{"auto", "xdp", "xdp-native", "xdp-generic", "tc", "none"};

}  // namespace

Value<std::uint64_t> number(std::string_view text, std::uint64_t low, std::uint64_t high) {
  std::uint64_t value = 0;
  if (!whole(text, value) || value < low || value > high) {
    return refuse(text, fmt::format("is not a whole number from {} to {}", low, high));
  }
  return value;
}

Value<std::chrono::nanoseconds> seconds(std::string_view text) {
  double value = 0;
  if (!whole(text, value) || !std::isfinite(value) || value <= 0 || value > seconds_max) {
    return refuse(text, "is not a number of seconds above 0 (at most 1e9; 0.5 is half a second)");
  }
  const std::chrono::nanoseconds exact(static_cast<std::int64_t>(std::llround(value * 1e9)));
  return std::max(exact, std::chrono::nanoseconds(1));
}

Value<std::uint64_t> ring_size(std::string_view text, std::uint64_t page_bytes) {
  std::uint64_t unit = 1;
  std::string_view digits = text;
  if (!digits.empty()) {
    const char suffix = digits.back();
    unit = suffix == 'k' || suffix == 'K'   ? 1ULL << 10U
           : suffix == 'm' || suffix == 'M' ? 1ULL << 20U
           : suffix == 'g' || suffix == 'G' ? 1ULL << 30U
                                            : 1;
    if (unit != 1) digits.remove_suffix(1);
  }
  std::uint64_t value = 0;
  const std::uint64_t low = std::max(ring_min, page_bytes);
  if (!whole(digits, value) || value > ring_max / unit || value * unit < low) {
    return refuse(text, fmt::format("is not a size from {}K to 1G (bytes, or with K or M: 8M)", low >> 10U));
  }
  value *= unit;
  if (!std::has_single_bit(value)) {
    const std::uint64_t near = std::bit_floor(value);
    const auto words = [](std::uint64_t bytes) {
      return bytes >= 1ULL << 20U ? fmt::format("{}M", bytes >> 20U) : fmt::format("{}K", bytes >> 10U);
    };
    return refuse(text, fmt::format("is not a power of two: {} or {} is", words(near), words(near * 2)));
  }
  return value;
}

Value<std::vector<std::uint16_t>> ports(std::string_view text) {
  std::vector<std::uint16_t> list;
  for (std::string_view rest = text;;) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::uint16_t port = 0;
    if (!whole(rest.substr(0, comma), port) || port == 0) {
      return refuse(rest.substr(0, comma), "is not a port: 1 to 65535");
    }
    list.push_back(port);
    if (comma == rest.size()) return list;
    rest.remove_prefix(comma + 1);
  }
}

Value<Prefix> host(std::string_view text) {
  Result<Prefix> prefix = parse_prefix(text);
  if (prefix) return *prefix;
  return refuse(text, "is not an address or a network: 192.0.2.1, 192.0.2.0/24, 2001:db8::/32");
}

Value<std::string> interface(std::string_view text) {
  const bool odd = text.find_first_of("/ \t\n") != std::string_view::npos || text == "." || text == "..";
  if (text.empty() || text.size() > name_bytes || odd) {
    return refuse(text, fmt::format("is not the name of an interface: 1 to {} characters, see 'ip link'", name_bytes));
  }
  return std::string(text);
}

Value<std::string> comm(std::string_view text) {
  if (text.empty()) return refuse(text, "is not a process name: see /proc/PID/comm");
  if (text.size() > name_bytes) {
    return refuse(text, fmt::format("is longer than any process name: the kernel keeps {} bytes, so ask for '{}'",
                                    name_bytes, text.substr(0, name_bytes)));
  }
  return std::string(text);
}

Value<std::size_t> one_of(std::string_view text, const std::vector<std::string_view>& words) {
  const auto found = std::ranges::find(words, text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  return refuse(text, fmt::format("is none of: {}", fmt::join(words, ", ")));
}

Value<WireMode> wire(std::string_view text) {
  const Value<std::size_t> index = one_of(text, {wire_names.begin(), wire_names.end()});
  if (!index) return std::unexpected(index.error());
  return static_cast<WireMode>(*index);
}

}  // namespace tcpwitness::cli

namespace tcpwitness {

std::string_view name(WireMode mode) { return cli::wire_names[static_cast<std::size_t>(mode)]; }

}  // namespace tcpwitness
