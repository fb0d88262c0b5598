// SPDX-License-Identifier: Apache-2.0
// quantiles.hpp: how many durations were how long, in bounded memory.
//
// Log-linear buckets, as HdrHistogram has them: each power of two is divided into 64 equal parts, and a bucket stands
// for its middle. So a quantile is wrong by at most half a part, 0.8 %. A power of two costs 256 bytes once something
// fell into it, and there are 50 of them: 13 kB at most.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>

namespace tcpwitness {

class Quantiles {
 public:
  Quantiles() = default;
  ~Quantiles() = default;
  Quantiles(Quantiles&&) noexcept = default;
  Quantiles& operator=(Quantiles&&) noexcept = default;
  Quantiles(const Quantiles& other) : count_(other.count_), highest_(other.highest_) {
    for (std::size_t i = 0; i < octaves_.size(); ++i) {
      if (other.octaves_[i]) octaves_[i] = std::make_unique<Octave>(*other.octaves_[i]);
    }
  }
  Quantiles& operator=(const Quantiles& other) { return *this = Quantiles(other); }

  // Nanoseconds. What is negative counts as 0; below 64 ns every number has a bucket of its own.
  void add(std::int64_t ns) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0));
    const Place place = place_of(value);
    auto& octave = octaves_[place.octave];
    if (!octave) octave = std::make_unique<Octave>();
    (*octave)[place.part]++;
    count_++;
    highest_ = std::max(highest_, value);
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::int64_t highest() const { return static_cast<std::int64_t>(highest_); }

  // The smallest of them that at least this share of all are not above (nearest rank): 0.5 is the median. 0 where there
  // are none.
  [[nodiscard]] std::int64_t at(double share) const {
    if (count_ == 0) return 0;
    const auto rank =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_) - 1e-9)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < octaves_.size(); ++i) {
      if (!octaves_[i]) continue;
      for (std::size_t part = 0; part < parts; ++part) {
        seen += (*octaves_[i])[part];
        if (seen >= rank) return static_cast<std::int64_t>(std::min(middle_of({i, part}), highest_));
      }
    }
    return highest();
  }

  // How many are in [from_ns, to_ns), by the middles of their buckets.
  [[nodiscard]] std::uint64_t between(std::int64_t from_ns, std::int64_t to_ns) const {
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < octaves_.size(); ++i) {
      if (!octaves_[i]) continue;
      for (std::size_t part = 0; part < parts; ++part) {
        const auto middle = static_cast<std::int64_t>(middle_of({i, part}));
        if (middle >= from_ns && middle < to_ns) found += (*octaves_[i])[part];
      }
    }
    return found;
  }

 private:
  static constexpr unsigned part_bits = 6;
  static constexpr std::size_t parts = std::size_t{1} << part_bits;
  static constexpr std::size_t last_octave = 49;  // up to 2^55 ns, 417 days; what is longer is in the last bucket
  using Octave = std::array<std::uint32_t, parts>;
  struct Place {
    std::size_t octave = 0;
    std::size_t part = 0;
  };

  // Octave 0 holds 0 to 63, octave n the numbers from 2^(n+5) to 2^(n+6).
  static Place place_of(std::uint64_t value) {
    if (value < parts) return {0, static_cast<std::size_t>(value)};
    const auto octave = static_cast<std::size_t>(std::bit_width(value)) - part_bits;
    if (octave > last_octave) return {last_octave, parts - 1};
    return {octave, static_cast<std::size_t>(value >> (octave - 1)) & (parts - 1)};
  }
  static std::uint64_t middle_of(Place place) {
    if (place.octave == 0) return place.part;
    const std::uint64_t width = std::uint64_t{1} << (place.octave - 1);
    return (parts + place.part) * width + width / 2;
  }

  std::array<std::unique_ptr<Octave>, last_octave + 1> octaves_{};
  std::uint64_t count_ = 0;
  std::uint64_t highest_ = 0;
};

}  // namespace tcpwitness
