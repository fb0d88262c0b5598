// SPDX-License-Identifier: Apache-2.0
// short_text.hpp: a few ASCII characters, without allocation: what a table has a dozen of a line.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tcpwitness {

// Copies a text to where there is room for it, and returns the place behind it. Most are of a few bytes, for which
// memcpy() takes longer to begin than to copy.
inline char* copy_text(char* to, std::string_view text) {
  const char* from = text.data();
  const std::size_t size = text.size();
  const auto ends = [&](auto part) {  // its first bytes and its last ones, which may be the same
    std::memcpy(&part, from, sizeof part);
    std::memcpy(to, &part, sizeof part);
    std::memcpy(&part, from + size - sizeof part, sizeof part);
    std::memcpy(to + size - sizeof part, &part, sizeof part);
  };
  if (size > 32) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    ends(std::array<std::uint64_t, 2>());
  } else if (size >= 8) {
    ends(std::uint64_t{});
  } else if (size >= 4) {
    ends(std::uint32_t{});
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
  return to + size;
}

class ShortText {
 public:
  // An IPv6 address with brackets and port has 53. What is beyond is left out.
  static constexpr std::size_t limit = 64;

  ShortText& add(char c) {
    if (size_ < limit) chars_[size_++] = c;
    return *this;
  }
  ShortText& add(std::string_view text) {
    const std::size_t count = std::min(text.size(), limit - size_);
    copy_text(chars_.data() + size_, text.substr(0, count));
    size_ += count;
    return *this;
  }
  ShortText& add(std::uint64_t number) {
    const auto digit = [](std::uint64_t value) { return static_cast<char>('0' + value % 10); };
    if (number < 1'000) {  // most are: an octet of an address, what a duration is rounded to
      if (number >= 100) add(digit(number / 100));
      if (number >= 10) add(digit(number / 10));
      return add(digit(number));
    }
    const fmt::format_int digits(number);
    return add(std::string_view(digits.data(), digits.size()));
  }

  [[nodiscard]] std::string_view view() const { return {chars_.data(), size_}; }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor): it is one
  [[nodiscard]] std::size_t size() const { return size_; }
  friend bool operator==(const ShortText& a, std::string_view b) { return a.view() == b; }

 private:
  std::array<char, limit> chars_;
  std::size_t size_ = 0;
};

}  // namespace tcpwitness
