// SPDX-License-Identifier: Apache-2.0
#include "top/numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace tcpwitness::top {

std::string short_count(double count) {
  if (count < 0.05) return "0";
  if (count < 9.95 && std::abs(count - std::round(count)) > 0.05) return fmt::format("{:.1f}", count);
  if (count < 99'999.5) return fmt::format("{:.0f}", count);
  if (count < 999'500) return fmt::format("{:.0f}K", count / 1e3);
  if (count < 99.95e6) return fmt::format("{:.1f}M", count / 1e6);
  if (count < 999.5e6) return fmt::format("{:.0f}M", count / 1e6);
  return fmt::format("{:.1f}G", std::min(count / 1e9, 999.0));
}

std::string sparkline(const std::deque<Sample>& samples, double Sample::* what, std::size_t cells, bool utf8) {
  constexpr std::array<std::string_view, 9> blocks{" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                                   "\u2585", "\u2586", "\u2587", "\u2588"};
  constexpr std::array<std::string_view, 9> ascii{" ", ".", ".", ":", ":", "=", "=", "#", "#"};
  const std::size_t count = std::min(samples.size(), cells);
  double most = 0;
  for (std::size_t i = samples.size() - count; i < samples.size(); ++i) most = std::max(most, samples[i].*what);
  std::string line(cells - count, ' ');
  for (std::size_t i = samples.size() - count; i < samples.size(); ++i) {
    const double value = samples[i].*what;
    const auto level = value <= 0 ? 0U : std::clamp(static_cast<unsigned>(std::ceil(value / most * 8)), 1U, 8U);
    line += (utf8 ? blocks : ascii).at(level);
  }
  return line;
}

}  // namespace tcpwitness::top
