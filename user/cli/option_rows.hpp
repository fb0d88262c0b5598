// SPDX-License-Identifier: Apache-2.0
// option_rows.hpp: the rows of the table of options (option_table.hpp), a file for each group of a help page, and what
// they share: sets of commands, reasons to refuse, and how a value is stored.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "cli/option_table.hpp"
#include "cli/values.hpp"

namespace tcpwitness::cli::rows {

using enum Command;

// In the order of the pages. own: what only one command or a few have.
[[nodiscard]] std::vector<Option> selection();
[[nodiscard]] std::vector<Option> own();
[[nodiscard]] std::vector<Option> output();
[[nodiscard]] std::vector<Option> capture();
[[nodiscard]] std::vector<Option> general();

// ---- Which commands ----

inline constexpr Commands lives{life, record};  // live, a table of connections
inline constexpr Commands printed{life, trace, explain, summary, compare, picture};
inline constexpr Commands followed = printed | Commands{serve};
inline constexpr Commands viewed = followed | Commands{top};
inline constexpr Commands live = viewed | Commands{record};                     // hooks are attached
inline constexpr Commands connections = printed | Commands{top, record, read};  // one by one
inline constexpr Commands sockets = live | Commands{read, ls};
inline constexpr Commands all = sockets | Commands{doctor, wireshark};

inline constexpr const char* of_recording = "belongs to a recording: 'tcpwitness record -w FILE'";
inline constexpr const char* of_summary = "belongs to a summary: 'tcpwitness summary', or life and read with --summary";
inline constexpr const char* of_metrics = "belongs to metrics: 'tcpwitness serve'";
inline constexpr const char* not_of_recording =
    "is not for a recording, which is of all processes: give it to life, trace, explain or summary";

// ---- Where values go ----

template <typename T, typename To>
std::string put(Value<T> value, To& to) {
  if (!value) return value.error();
  if constexpr (std::is_arithmetic_v<To>) {
    to = static_cast<To>(*value);
  } else {
    to = *std::move(value);
  }
  return "";
}

template <typename T>
void add_new(std::vector<T>& list, T value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(std::move(value));
}

// Each value of a list once.
template <typename T>
std::string add(Value<std::vector<T>> values, std::vector<T>& to) {
  if (!values) return values.error();
  for (T& value : *values) add_new(to, std::move(value));
  return "";
}

inline std::string put_text(std::string_view text, std::string& to, const char* what_it_is_not) {
  if (text.empty()) return fmt::format("'' is not {}", what_it_is_not);
  to = text;
  return "";
}

template <auto Member>
std::string yes(std::string_view /*text*/, Options& options) {
  std::invoke(Member, options) = true;
  return "";
}
template <auto Part, auto Member>
std::string yes(std::string_view /*text*/, Options& options) {
  std::invoke(Member, std::invoke(Part, options)) = true;
  return "";
}

}  // namespace tcpwitness::cli::rows
