// SPDX-License-Identifier: Apache-2.0
#include "values/duration.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tcpwitness {

std::string duration_in_words(std::int64_t ns) {
  ns = std::max<std::int64_t>(ns, 0);
  const auto digits = [](double value) { return value < 9.995 ? 2 : value < 99.95 ? 1 : 0; };
  const auto in = static_cast<double>(ns);
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (in < 999.5e3) return fmt::format("{:.0f} us", in / 1e3);
  if (in < 999.5e6) return fmt::format("{:.{}f} ms", in / 1e6, digits(in / 1e6));
  if (in < 119.95e9) return fmt::format("{:.{}f} s", in / 1e9, digits(in / 1e9) == 2 ? 2 : 1);
  const std::int64_t seconds = (ns + 500'000'000) / 1'000'000'000;
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{} d {} h", seconds / 86400, seconds % 86400 / 3600);
}

std::string seconds(std::int64_t ns) {
  const double value = static_cast<double>(std::max<std::int64_t>(ns, 0));
  if (value < 999.5e3) return fmt::format("{:.0f} us", value / 1e3);
  if (value < 999.5e6) return fmt::format("{:.3g} ms", value / 1e6);
  const bool whole = ns % 1'000'000'000 == 0;
  if (!whole && value < 9.995e9) return fmt::format("{:.2f} s", value / 1e9);
  if (!whole && value < 99.95e9) return fmt::format("{:.1f} s", value / 1e9);
  return fmt::format("{:.0f} s", value / 1e9);
}

}  // namespace tcpwitness
