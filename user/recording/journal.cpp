// SPDX-License-Identifier: Apache-2.0
#include "recording/journal.hpp"

#include <algorithm>
#include <cstdint>

namespace tcpwitness {

void JournalEntry::text(std::string_view name, std::string_view value) {
  bytes_.append(name);
  bytes_.push_back('=');
  const auto start = static_cast<std::ptrdiff_t>(bytes_.size());
  bytes_.append(value);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  std::replace_if(bytes_.begin() + start, bytes_.end(), is_control, '?');
  bytes_.push_back('\n');
}

// The name, its line's end, 64 bits of length in little endian, the bytes, a line feed.
void JournalEntry::binary(std::string_view name, std::span<const std::byte> value) {
  bytes_.append(name);
  bytes_.push_back('\n');
  for (unsigned shift = 0; shift < 64; shift += 8) bytes_.push_back(static_cast<char>(value.size() >> shift & 0xffU));
  bytes_.append(reinterpret_cast<const char*>(value.data()), value.size());
  bytes_.push_back('\n');
}

std::optional<std::span<const std::byte>> journal_field(std::span<const std::byte> entry, std::string_view name) {
  const std::string_view all(reinterpret_cast<const char*>(entry.data()), entry.size());
  std::size_t at = 0;
  while (at < all.size() && all[at] != '\0') {  // NULs: the block's padding
    const std::size_t end = all.find('\n', at);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = all.substr(at, end - at);
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos) {
      if (line.substr(0, equals) == name) return entry.subspan(at + equals + 1, line.size() - equals - 1);
      at = end + 1;
      continue;
    }
    const std::size_t start = end + 1 + sizeof(std::uint64_t);
    if (start > all.size()) return std::nullopt;
    std::uint64_t length = 0;
    for (unsigned i = 0; i < 8; ++i)
      length |= static_cast<std::uint64_t>(static_cast<unsigned char>(all[end + 1 + i])) << (8 * i);
    if (length >= all.size() - start) return std::nullopt;  // no room for the line feed behind it
    if (line == name) return entry.subspan(start, length);
    at = start + length + 1;
  }
  return std::nullopt;
}

}  // namespace tcpwitness
