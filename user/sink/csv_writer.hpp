// SPDX-License-Identifier: Apache-2.0
// csv_writer.hpp: one row of a table as RFC 4180 has it, but for the line end, which is a plain newline.
//
// Texts from outside (names of processes and interfaces) may hold any bytes. In a row all text is valid UTF-8 without
// control characters (each becomes '?'), so a row is always one line; and where a spreadsheet would take a foreign one
// for a formula, because it begins with = + - or @, an apostrophe comes before it.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "sink/format.hpp"
#include "sink/paint.hpp"

namespace tcpwitness {

class CsvRow {
 public:
  explicit CsvRow(Buffer& out) : out_(out) {}

  // It begins with our own words: names, addresses, sentences, which may quote others.
  void text(std::string_view content) {
    separate();
    is_printable(content, true) ? quoted(content, "") : quoted(printable(content, true), "");
  }
  void foreign(std::string_view content) {
    const std::string harmless = printable(content, true);
    const bool formula = !harmless.empty() && std::string_view("=+-@").contains(harmless.front());
    separate();
    quoted(harmless, formula ? "'" : "");
  }
  void number(std::integral auto value) {
    separate();
    if constexpr (std::same_as<decltype(value), bool>) {
      append(out_, value ? "true" : "false");
    } else {
      const fmt::format_int digits(value);
      append(out_, {digits.data(), digits.size()});
    }
  }
  template <typename T>
  void number(const std::optional<T>& value) {
    value ? number(*value) : empty();
  }
  // "1.000000250" for a duration in nanoseconds.
  void seconds(std::int64_t ns) {
    separate();
    const std::int64_t positive = std::max<std::int64_t>(ns, 0);
    fmt::format_to(std::back_inserter(out_), "{}.{:09}", positive / 1'000'000'000, positive % 1'000'000'000);
  }
  // "2025-10-09T08:53:20.120311000Z".
  void time(std::int64_t ts_ns) {
    separate();
    append_utc(out_, ts_ns);
  }
  void address(const Address& address) {
    separate();
    append_ip(out_, address);
  }
  void empty() { separate(); }
  void empty(unsigned count) {
    while (count-- > 0) empty();
  }
  void end() {
    out_.push_back('\n');
    first_ = true;
  }

 private:
  void separate() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }
  void quoted(std::string_view content, std::string_view prefix) {
    if (content.find_first_of(",\"\r\n") == std::string_view::npos) {
      append(out_, prefix);
      append(out_, content);
      return;
    }
    out_.push_back('"');
    append(out_, prefix);
    for (const char c : content) {
      if (c == '"') out_.push_back('"');
      out_.push_back(c);
    }
    out_.push_back('"');
  }

  Buffer& out_;
  bool first_ = true;
};

// As on the wire: four columns, empty where that is what the socket has.
inline constexpr unsigned nat_columns = 4;
inline void put_nat(CsvRow& row, const std::optional<Flow>& nat) {
  if (!nat) return row.empty(nat_columns);
  row.address(nat->local.address);
  row.number(nat->local.port);
  row.address(nat->remote.address);
  row.number(nat->remote.port);
}

}  // namespace tcpwitness
