// SPDX-License-Identifier: Apache-2.0
// prefetch.hpp: memory that is looked at soon, and was not for long, comes while other work goes on.
#pragma once

#include <cstddef>

namespace tcpwitness {

// All of *of, which need not be there (any address will do).
template <typename T>
void prefetch(const T* of) {
  constexpr std::size_t cache_line = 64;
  const auto* begin = reinterpret_cast<const char*>(of);
  for (std::size_t at = 0; at < sizeof(T); at += cache_line) __builtin_prefetch(begin + at);
  __builtin_prefetch(begin + sizeof(T) - 1);
}

}  // namespace tcpwitness
