// SPDX-License-Identifier: Apache-2.0
// journal.hpp: one entry in systemd's journal export format: fields NAME=TEXT, a line each, or binary ones with
// a length.
//
// Wireshark shows such a block as a row of its own: its time is __REALTIME_TIMESTAMP (it looks no further
// than the first NUL, so binary fields come last), its Info is MESSAGE.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tcpwitness {

class JournalEntry {
 public:
  void clear() { bytes_.clear(); }
  // A control character in text becomes '?': a line feed would end the field.
  void text(std::string_view name, std::string_view value);
  void binary(std::string_view name, std::span<const std::byte> value);
  [[nodiscard]] std::span<const std::byte> bytes() const { return std::as_bytes(std::span(bytes_)); }

 private:
  std::string bytes_;
};

// The first field of that name, inside entry. Nothing where there is none or the entry is broken before it.
[[nodiscard]] std::optional<std::span<const std::byte>> journal_field(std::span<const std::byte> entry,
                                                                      std::string_view name);

}  // namespace tcpwitness
