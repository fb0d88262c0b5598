// SPDX-License-Identifier: Apache-2.0
// histogram.hpp: how many durations were at most how long. Bounds are given by who has it: they are the same of each.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tcpwitness::metrics {

class Histogram {
 public:
  static constexpr std::size_t most_bounds = 15;

  void add(std::int64_t ns, std::span<const double> bounds) {
    const double seconds = static_cast<double>(std::max<std::int64_t>(ns, 0)) / 1e9;
    const auto at = std::ranges::lower_bound(bounds, seconds);
    ++counts_.at(static_cast<std::size_t>(at - bounds.begin()));
    ++count_;
    sum_ += seconds;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }
  // In this bucket alone; the one behind the last bound has what is longer.
  [[nodiscard]] std::uint64_t in(std::size_t bucket) const { return counts_.at(bucket); }

 private:
  std::array<std::uint64_t, most_bounds + 1> counts_{};
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace tcpwitness::metrics
