// SPDX-License-Identifier: Apache-2.0
// format.cpp: see format.hpp. Rounding happens before the unit is chosen, so "1024K" or "1000 us" cannot appear.
#include "sink/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <iterator>

#include "sink/orders.hpp"
#include "sink/utf8.hpp"
#include "tcpwitness/gap.hpp"
#include "values/digits.hpp"

namespace tcpwitness {

void append_ip(Buffer& out, const Address& address) {
  out.append(ShortText().write([&](char* at) { return put_ip(at, address); }).view());
}

std::string nat_text(const Flow& socket, const Flow& wire) {
  std::string text;
  if (socket.local != wire.local) text += fmt::format("local {}", std::string_view(endpoint_text(wire.local)));
  if (socket.remote != wire.remote) {
    text += fmt::format("{}remote {}", text.empty() ? "" : ", ", std::string_view(endpoint_text(wire.remote)));
  }
  return text;
}

// Each row has two: integers alone, rounded as the standard's formatting rounds (to even where it is in the middle).
ShortText short_bytes(std::uint64_t bytes) {
  ShortText text;
  if (bytes < 1'024) return text.add(bytes);
  unsigned unit = 1;
  while (unit < 6 && bytes >> (10 * unit - 1) >= 2'047) ++unit;  // 1023.5 of it are one of the next
  const unsigned shift = 10 * unit;
  const auto rounded = [&](std::uint64_t value) {
    const std::uint64_t whole = value >> shift;
    const std::uint64_t rest = value - (whole << shift);
    const std::uint64_t half = std::uint64_t{1} << (shift - 1);
    return whole + (rest > half || (rest == half && whole % 2 == 1) ? 1 : 0);
  };
  const std::uint64_t whole = bytes >> shift;
  const std::uint64_t tenths = whole < 10 ? 10 * whole + rounded(10 * (bytes - (whole << shift))) : 100;
  if (tenths < 100) {
    text.add(tenths / 10).add('.').add(tenths % 10);
  } else {
    text.add(rounded(bytes));
  }
  return text.add("BKMGTPE"[unit]);
}

namespace {

// Three digits of a number of thousandths that is below a million: "1.20", "42.1", "250".
char* put_three(char* at, std::uint64_t thousandths) {
  if (thousandths < 9'995) {
    const std::uint64_t hundredths = (thousandths + 5) / 10;
    *at++ = static_cast<char>('0' + hundredths / 100);
    *at++ = '.';
    return put_pair(at, hundredths % 100);
  }
  if (thousandths >= 99'950) return put_number(at, (thousandths + 500) / 1'000);
  const std::uint64_t tenths = (thousandths + 50) / 100;
  at = put_pair(at, tenths / 10);
  *at++ = '.';
  *at++ = static_cast<char>('0' + tenths % 10);
  return at;
}

char* put_unit(char* at, std::array<char, 2> unit) {
  std::memcpy(at, unit.data(), unit.size());
  return at + unit.size();
}

}  // namespace

// In whole numbers: a table has three of these a line.
ShortText short_duration(std::int64_t ns) {
  const auto whole = static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0));
  ShortText text;
  const std::uint64_t us = (whole + 500) / 1'000;
  if (us < 1'000) return text.write([&](char* at) { return put_unit(put_number(at, us), {'u', 's'}); });
  if (us < 999'500) return text.write([&](char* at) { return put_unit(put_three(at, us), {'m', 's'}); });
  const std::uint64_t ms = (us + 500) / 1'000;
  if (ms < 99'950) return text.write([&](char* at) { return put_three(at, ms); }).add('s');
  const std::uint64_t seconds = (ms + 500) / 1'000;
  const auto two = [&](std::uint64_t big, char unit, std::uint64_t small, char small_unit) {
    text.add(big).add(unit);
    if (small < 10) text.add('0');
    return text.add(small).add(small_unit);
  };
  if (seconds < 3'600) return two(seconds / 60, 'm', seconds % 60, 's');
  const std::uint64_t minutes = (seconds + 30) / 60;
  if (minutes < 1'440) return two(minutes / 60, 'h', minutes % 60, 'm');
  const std::uint64_t hours = (minutes + 30) / 60;
  return two(hours / 24, 'd', hours % 24, 'h');
}

std::string grouped_seconds(std::int64_t ns) {
  const std::int64_t us = (std::max<std::int64_t>(ns, 0) + 500) / 1'000;
  if (us >= 100'000'000) return fmt::format("{}.{:03}", us / 1'000'000, us / 1'000 % 1'000);
  return fmt::format("{}.{:03} {:03}", us / 1'000'000, us / 1'000 % 1'000, us % 1'000);
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string gap_in_words(const Gap& gap) {
  if (cause_of(gap) == GapCause::untraced) {
    return fmt::format("an interface was not traced for up to {}", duration_in_words(gap.to_ts_ns - gap.from_ts_ns));
  }
  const auto how = [&]() -> std::string {
    switch (cause_of(gap)) {
      case GapCause::skipped:
        return "lost, which the kernel skipped,";
      case GapCause::left_out:
        return "left out by the flight recorder";
      case GapCause::not_in_file:
        return "not in this recording";
      default:
        return fmt::format("lost on CPU {}", gap.cpu);
    }
  };
  return fmt::format("{} event{} {} within {}", grouped(gap.lost), gap.lost == 1 ? "" : "s", how(),
                     duration_in_words(gap.to_ts_ns - gap.from_ts_ns));
}

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

// Rounded down, so that what is left is never negative: a capture's clock may show anything.
std::time_t whole_seconds(std::int64_t ts_ns) {
  return static_cast<std::time_t>(ts_ns / second_ns - (ts_ns % second_ns < 0 ? 1 : 0));
}
std::int64_t rest_ns(std::int64_t ts_ns) { return ts_ns % second_ns + (ts_ns % second_ns < 0 ? second_ns : 0); }

std::tm local_time(std::int64_t ts_ns) {
  const std::time_t seconds = whole_seconds(ts_ns);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return parts;
}

// Of a field of a date.
void put_two(char* at, int value) { put_pair(at, static_cast<std::uint64_t>(value)); }

}  // namespace

std::string clock_seconds(std::int64_t ts_ns) {
  const std::tm at = local_time(ts_ns);
  std::string text = "00:00:00";
  put_two(&text[0], at.tm_hour);
  put_two(&text[3], at.tm_min);
  put_two(&text[6], at.tm_sec);
  return text;
}

std::string clock_micros(std::int64_t ts_ns) {
  return fmt::format("{}.{:06}", clock_seconds(ts_ns), rest_ns(ts_ns) / 1'000);
}

void append_utc(Buffer& out, std::int64_t ts_ns) {
  const std::time_t seconds = whole_seconds(ts_ns);
  std::tm at{};
  ::gmtime_r(&seconds, &at);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", at.tm_year + 1900,
                 at.tm_mon + 1, at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec, rest_ns(ts_ns));
}

// A table has the same second on many lines, one after the other.
const std::string& date_seconds(std::int64_t ts_ns) {
  thread_local std::time_t last = 0;
  thread_local std::string text;
  if (text.empty() || last != whole_seconds(ts_ns)) {
    last = whole_seconds(ts_ns);
    const std::tm at = local_time(ts_ns);
    text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", at.tm_year + 1900, at.tm_mon + 1, at.tm_mday, at.tm_hour,
                       at.tm_min, at.tm_sec);
  }
  return text;
}

std::string date_micros(std::int64_t ts_ns) {
  return fmt::format("{}.{:06}", date_seconds(ts_ns), rest_ns(ts_ns) / 1'000);
}

std::string_view flags_text(std::uint8_t flags) {
  static const auto table = [] {
    constexpr std::array<std::string_view, 8> names{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    std::array<std::string, 256> texts;
    for (std::size_t bits = 0; bits < texts.size(); ++bits) {
      for (std::size_t bit = 0; bit < names.size(); ++bit) {
        if ((bits >> bit & 1U) == 0) continue;
        if (!texts[bits].empty()) texts[bits] += ',';
        texts[bits] += names[bit];
      }
    }
    return texts;
  }();
  return table[flags];
}

std::string errno_words(int error) {
  const char* words = ::strerrordesc_np(error);
  return words != nullptr ? words : fmt::format("error {}", error);
}

// Eight bytes at a time, and the last ones again with those before them.
bool is_printable_ascii(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  const auto eight_are = [&](std::size_t from) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + from, sizeof eight);
    const std::uint64_t from_delete = (eight & 0x7f * ones) + ones;        // 0x7f carries into the top bit
    const std::uint64_t from_space = (eight & 0x7f * ones) + 0x60 * ones;  // so does what is not below 0x20
    return ((eight | from_delete | ~from_space) & 0x80 * ones) == 0;
  };
  if (text.size() < sizeof(std::uint64_t))
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
  for (std::size_t at = 0; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    if (!eight_are(at)) return false;
  }
  return eight_are(text.size() - sizeof(std::uint64_t));
}

bool is_printable(std::string_view text, bool utf8) {
  if (is_printable_ascii(text)) return true;  // nearly all
  if (!utf8) return false;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0 || is_order(text, length)) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text, bool utf8) {
  if (is_printable(text, utf8)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0 || is_order(text, length) || (length > 1 && !utf8)) {
      out += '?';
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string process_text(const Process& process, bool utf8) {
  if (process.pid == 0) return "?";
  return process_name(printable(process.comm, utf8), process.pid);
}

}  // namespace tcpwitness
