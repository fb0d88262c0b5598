// SPDX-License-Identifier: Apache-2.0
#include "values/duration.hpp"

#include <fmt/format.h>

namespace tcpwitness {
namespace {

std::string three_digits(std::int64_t ns, std::int64_t unit_ns, const char* unit, int most) {
  if (ns % unit_ns == 0) return fmt::format("{} {}", ns / unit_ns, unit);
  const double value = static_cast<double>(ns) / static_cast<double>(unit_ns);
  const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : most;
  return fmt::format("{:.{}f} {}", value, digits, unit);
}

std::string two_units(std::int64_t big, const char* big_unit, std::int64_t small, const char* small_unit) {
  return small == 0 ? fmt::format("{} {}", big, big_unit)
                    : fmt::format("{} {} {} {}", big, big_unit, small, small_unit);
}

}  // namespace

std::string duration_in_words(std::int64_t ns) {
  constexpr std::int64_t us = 1'000;
  constexpr std::int64_t ms = 1'000 * us;
  constexpr std::int64_t s = 1'000 * ms;
  if (ns <= 0) return "0 s";
  if (ns < us) return fmt::format("{} ns", ns);
  if (ns < ms - us / 2) return fmt::format("{} us", (ns + us / 2) / us);
  if (ns < s - ms / 2) return three_digits(ns, ms, "ms", 0);
  if (ns < 120 * s - s / 20) return three_digits(ns, s, "s", 1);
  const std::int64_t seconds = (ns + s / 2) / s;
  if (seconds < 3600) return two_units(seconds / 60, "min", seconds % 60, "s");
  if (seconds < 86400) return two_units(seconds / 3600, "h", seconds % 3600 / 60, "min");
  return two_units(seconds / 86400, "d", seconds % 86400 / 3600, "h");
}

std::string milliseconds_in_words(std::int64_t ms) { return duration_in_words(ms * 1'000'000); }

std::string microseconds_in_words(std::int64_t us) { return duration_in_words(us * 1'000); }

}  // namespace tcpwitness
