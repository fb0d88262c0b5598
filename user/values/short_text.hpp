// SPDX-License-Identifier: Apache-2.0
// short_text.hpp: a few ASCII characters, without allocation: what a table has a dozen of a line.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "values/digits.hpp"

namespace tcpwitness {

// At most so many bytes are copied without a call: most texts of a row have a few, for which memcpy() takes longer to
// begin than to copy.
inline constexpr std::size_t few_bytes = 32;

// Copies as much as few_bytes, or less, and returns the place behind it.
[[gnu::always_inline]] inline char* copy_few(char* to, std::string_view text) {
  const char* from = text.data();
  const std::size_t size = text.size();
  const auto ends = [&](auto part) {  // its first bytes and its last ones, which may be the same
    std::memcpy(&part, from, sizeof part);
    std::memcpy(to, &part, sizeof part);
    std::memcpy(&part, from + size - sizeof part, sizeof part);
    std::memcpy(to + size - sizeof part, &part, sizeof part);
  };
  if (size >= 16) {
    ends(std::array<std::uint64_t, 2>());
  } else if (size >= 8) {
    ends(std::uint64_t{});
  } else if (size >= 4) {
    ends(std::uint32_t{});
  } else if (size >= 2) {
    ends(std::uint16_t{});
  } else if (size == 1) {
    *to = *from;
  }
  return to + size;
}

// Copies a text to where there is room for it, and returns the place behind it.
inline char* copy_text(char* to, std::string_view text) {
  if (text.size() <= few_bytes) return copy_few(to, text);
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
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
    if (limit - size_ >= most_digits) return write([&](char* at) { return put_number(at, number); });
    std::array<char, most_digits> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): as many as are used
    const char* end = put_number(digits.data(), number);
    return add(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
  }
  // What put(place) writes there, which is less than there is room for; it returns the place behind it.
  template <typename Put>
  ShortText& write(Put put) {
    size_ = static_cast<std::size_t>(put(chars_.data() + size_) - chars_.data());
    return *this;
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
