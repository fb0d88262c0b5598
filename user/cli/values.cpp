// SPDX-License-Identifier: Apache-2.0
// values.cpp: see values.hpp.
#include "cli/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "judge/catalogue.hpp"
#include "values/number.hpp"

namespace tcpwitness::cli {
namespace {

constexpr std::size_t name_bytes = 15;  // IFNAMSIZ - 1, TASK_COMM_LEN - 1

std::unexpected<std::string> refuse(std::string_view text, std::string_view why) {
  return std::unexpected(fmt::format("'{}' {}", text, why));
}

// "8M" as a number, if it is one and does not overflow.
std::optional<std::uint64_t> bytes(std::string_view text) {
  unsigned shift = 0;
  if (!text.empty()) {
    switch (text.back()) {
      case 'k':
      case 'K':
        shift = 10;
        break;
      case 'm':
      case 'M':
        shift = 20;
        break;
      case 'g':
      case 'G':
        shift = 30;
        break;
      case 't':
      case 'T':
        shift = 40;
        break;
      default:
        break;
    }
    if (shift != 0) text.remove_suffix(1);
  }
  const auto value = number_in<std::uint64_t>(text);
  if (!value || *value > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
  return *value << shift;
}

constexpr std::array<std::string_view, 6> wire_names{"auto", "xdp", "xdp-native", "xdp-generic", "tc", "none"};

}  // namespace

Value<std::uint64_t> number(std::string_view text, std::uint64_t low, std::uint64_t high) {
  const auto value = number_in<std::uint64_t>(text);
  if (value && *value >= low && *value <= high) return *value;
  return refuse(text, fmt::format("is not a whole number from {} to {}", low, high));
}

Value<std::chrono::nanoseconds> seconds(std::string_view text) {
  const auto value = number_in<double>(text);
  if (!value || !std::isfinite(*value) || *value <= 0 || *value > seconds_max) {
    return refuse(text, "is not a number of seconds above 0 (at most 1e9; 0.5 is half a second)");
  }
  const std::chrono::nanoseconds exact(static_cast<std::int64_t>(std::llround(*value * 1e9)));
  return std::max(exact, std::chrono::nanoseconds(1));
}

Value<double> speed(std::string_view text) {
  const auto value = number_in<double>(text);
  if (value && std::isfinite(*value) && *value >= 0.1 && *value <= 1000) return *value;
  return refuse(text, "is not a factor from 0.1 to 1000: 10 is ten times as fast");
}

Value<std::chrono::nanoseconds> period(std::string_view text) {
  using namespace std::chrono_literals;
  std::chrono::seconds unit = 1s;
  std::string_view digits = text;
  if (!digits.empty()) {
    const char suffix = digits.back();
    unit = suffix == 'm' ? 60s : suffix == 'h' ? 3'600s : suffix == 'd' ? 86'400s : 1s;
    if (unit != 1s || suffix == 's') digits.remove_suffix(1);
  }
  const auto value = number_in<std::int64_t>(digits);
  const std::int64_t most = static_cast<std::int64_t>(seconds_max) / unit.count();
  if (value && *value >= 1 && *value <= most) return *value * unit;
  return refuse(text, "is not a time: a whole number of seconds, or with s, m, h or d: 30s, 15m, 2h, 1d");
}

Value<std::chrono::nanoseconds> short_time(std::string_view text) {
  std::string_view digits = text;
  double unit = 0;
  for (const auto& [suffix, ns] : {std::pair<std::string_view, double>{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}) {
    if (!digits.ends_with(suffix)) continue;
    digits.remove_suffix(suffix.size());
    unit = ns;
    break;
  }
  const auto value = number_in<double>(digits);
  const bool is_number = value && std::isfinite(*value) && *value >= 0;
  if (is_number && unit == 0) return refuse(text, fmt::format("has no unit: {0}ms or {0}s", text));
  if (!is_number || *value * unit > seconds_max * 1e9) {
    return refuse(text, "is not a time: a number with us, ms or s: 200ms, 1.5s");
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(*value * unit)));
}

Value<std::uint64_t> ring_size(std::string_view text, std::uint64_t page_bytes) {
  const std::uint64_t low = std::max(ring_min, page_bytes);
  const std::optional<std::uint64_t> value = bytes(text);
  if (!value || *value < low || *value > ring_max) {
    return refuse(text, fmt::format("is not a size from {}K to 1G (bytes, or with K or M: 8M)", low >> 10U));
  }
  if (!std::has_single_bit(*value)) {
    const std::uint64_t near = std::bit_floor(*value);
    const auto words = [](std::uint64_t size) {
      return size >= 1ULL << 20U ? fmt::format("{}M", size >> 20U) : fmt::format("{}K", size >> 10U);
    };
    return refuse(text, fmt::format("is not a power of two: {} or {} is", words(near), words(near * 2)));
  }
  return *value;
}

Value<std::uint64_t> rotate_size(std::string_view text) {
  const std::optional<std::uint64_t> value = bytes(text);
  if (value && *value >= rotate_min && *value <= rotate_max) return *value;
  return refuse(text, "is not a size from 64K to 1T (bytes, or with K, M, G or T: 100M)");
}

Value<std::uint64_t> amount(std::string_view text) {
  if (const std::optional<std::uint64_t> value = bytes(text)) return *value;
  return refuse(text, "is not an amount of bytes (or with K, M, G or T: 64K, 10M)");
}

namespace {

// The names of an enum's first `count` values.
template <typename Enum>
std::vector<std::string_view> names_of(std::size_t count) {
  std::vector<std::string_view> names;
  names.reserve(count);
  for (std::size_t i = 0; i < count; ++i) names.push_back(name(static_cast<Enum>(i)));
  return names;
}

// "one" or "one,other".
template <typename Enum>
Value<std::vector<Enum>> list_of(std::string_view text, const std::vector<std::string_view>& known) {
  std::vector<Enum> list;
  for (std::string_view rest = text;;) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const Value<std::size_t> index = one_of(rest.substr(0, comma), known);
    if (!index) return std::unexpected(index.error());
    list.push_back(static_cast<Enum>(*index));
    if (comma == rest.size()) return list;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace

std::vector<std::string_view> format_words() { return {"text", "json", "csv", "wide"}; }
std::vector<std::string_view> some_formats(std::size_t count) {
  std::vector<std::string_view> words = format_words();
  words.resize(count);
  return words;
}
std::vector<std::string_view> packets_words() { return {"events", "all"}; }
std::vector<std::string_view> on_off_words() { return {"on", "off"}; }
std::vector<std::string_view> wire_words() { return {wire_names.begin(), wire_names.end()}; }
std::vector<std::string_view> rule_words() { return names_of<Rule>(rule_count); }
std::vector<std::string_view> outcome_words() { return names_of<Outcome>(outcome_count); }
std::vector<std::string_view> group_key_words() { return {group_key_names.begin(), group_key_names.end()}; }
std::vector<std::string_view> metric_label_words() {
  std::vector<std::string_view> words{metric_label_names.begin(), metric_label_names.end()};
  words.emplace_back("none");
  return words;
}
std::vector<std::string_view> column_words() { return {life_column_names.begin(), life_column_names.end()}; }
std::vector<std::string_view> catalogue_words() {
  std::vector<std::string_view> words;
  for (const OutcomeEntry& entry : outcome_catalogue()) words.push_back(name(entry.outcome));
  for (const RuleEntry& entry : rule_catalogue()) words.push_back(name(entry.rule));
  return words;
}

Value<std::vector<Rule>> rules(std::string_view text) { return list_of<Rule>(text, rule_words()); }

Value<std::vector<Outcome>> outcomes(std::string_view text) { return list_of<Outcome>(text, outcome_words()); }

Value<std::vector<GroupKey>> group_keys(std::string_view text) { return list_of<GroupKey>(text, group_key_words()); }

Value<std::vector<LifeColumn>> life_columns(std::string_view text) { return list_of<LifeColumn>(text, column_words()); }

Value<Endpoint> endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  std::string_view address = text.substr(0, std::min(colon, text.size()));
  const bool bracketed = address.size() > 2 && address.starts_with('[') && address.ends_with(']');
  if (bracketed) address = address.substr(1, address.size() - 2);
  const auto number = number_in<std::uint32_t>(port);
  const Result<Prefix> prefix = parse_prefix(address);
  const bool one = prefix && !address.contains('/') && bracketed == address.contains(':');
  if (one && number && *number <= 65'535) return Endpoint{prefix->address, static_cast<std::uint16_t>(*number)};
  return refuse(text, "is not an address and a port: 127.0.0.1:9435, [::1]:9435, 0.0.0.0:9435");
}

Value<std::vector<MetricLabel>> metric_labels(std::string_view text) {
  if (text == "none") return std::vector<MetricLabel>{};
  std::vector<std::string_view> words = metric_label_words();
  Value<std::vector<MetricLabel>> labels = list_of<MetricLabel>(text, words);
  if (labels && std::ranges::find(*labels, static_cast<MetricLabel>(words.size() - 1)) != labels->end())
    return refuse(text, "has none beside labels: give 'none' alone");
  return labels;
}

Value<std::vector<PortRange>> ports(std::string_view text) {
  std::vector<PortRange> list;
  for (std::string_view rest = text;;) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view one = rest.substr(0, comma);
    const auto range = port_range_in(one);
    if (!range) return refuse(one, "is not a port: 1 to 65535, or a range: 8000-8099");
    if (range->last < range->first) return refuse(one, "ends before it begins");
    list.push_back(*range);
    if (comma == rest.size()) return list;
    rest.remove_prefix(comma + 1);
  }
}

Value<Prefix> host(std::string_view text) {
  Result<Prefix> prefix = parse_prefix(text);
  if (prefix) return *prefix;
  const std::size_t percent = text.find('%');
  if (percent != std::string_view::npos && parse_prefix(text.substr(0, percent))) {
    return refuse(
        text, fmt::format("has a scope: give '--host {} -i {}'", text.substr(0, percent), text.substr(percent + 1)));
  }
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
  return refuse(text, fmt::format("is not one of: {}", fmt::join(words, ", ")));
}

Value<WireMode> wire(std::string_view text) {
  const Value<std::size_t> index = one_of(text, wire_words());
  if (!index) return std::unexpected(index.error());
  return static_cast<WireMode>(*index);
}

}  // namespace tcpwitness::cli

namespace tcpwitness {

std::string_view name(WireMode mode) { return cli::wire_names[static_cast<std::size_t>(mode)]; }

}  // namespace tcpwitness
