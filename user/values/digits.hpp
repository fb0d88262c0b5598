// SPDX-License-Identifier: Apache-2.0
// digits.hpp: numbers in decimal, written to where they stand: two digits at a time, without a buffer between.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tcpwitness {

inline constexpr std::size_t most_digits = 20;  // of 64 bits

// "00", "01", ... "99".
inline constexpr std::array<char, 200> digit_pairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = static_cast<char>('0' + (i % 2 == 0 ? i / 20 : i / 2 % 10));
  return pairs;
}();

// first_with_digits[n]: the least number with n + 1 digits.
inline constexpr std::array<std::uint64_t, most_digits> first_with_digits = [] {
  std::array<std::uint64_t, most_digits> first{};
  for (std::uint64_t i = 1, power = 10; i < first.size(); ++i, power *= 10) first[i] = power;
  return first;
}();

[[nodiscard]] constexpr std::size_t digits_in(std::uint64_t number) {
  // log10(2) is 1233 / 4096: the number of digits, or one less.
  const auto digits = static_cast<std::size_t>(std::bit_width(number | 1U)) * 1233 >> 12U;
  return digits + (number >= first_with_digits[digits] ? 1 : 0);
}

inline char* put_pair(char* at, std::uint64_t below_hundred) {
  std::memcpy(at, digit_pairs.data() + 2 * below_hundred, 2);
  return at + 2;
}

// `digits` of them, which are all that it has. Returns the place behind the last one.
inline char* put_digits(char* at, std::uint64_t number, std::size_t digits) {
  char* const end = at + digits;
  at = end;
  for (; number >= 100; number /= 100) put_pair(at -= 2, number % 100);
  if (number >= 10) {
    put_pair(at - 2, number);
  } else {
    at[-1] = static_cast<char>('0' + number);
  }
  return end;
}

inline char* put_number(char* at, std::uint64_t number) { return put_digits(at, number, digits_in(number)); }

}  // namespace tcpwitness
