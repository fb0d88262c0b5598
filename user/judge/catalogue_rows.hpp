// SPDX-License-Identifier: Apache-2.0
// catalogue_rows.hpp: a table with a row for each enumerator, as both catalogues are.
#pragma once

#include <cstddef>

namespace tcpwitness {

// A row that is missing, or not at its enumerator's place, does not compile.
template <typename Entries, typename Key>
constexpr bool rows_match(const Entries& entries, Key key) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (static_cast<std::size_t>(entries[i].*key) != i) return false;
  }
  return true;
}

// A number outside its enum (of a damaged recording) gives the first row, never a crash.
template <typename Entries, typename Enum>
const auto& entry_at(const Entries& entries, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return entries[index < entries.size() ? index : 0];
}

}  // namespace tcpwitness
