// SPDX-License-Identifier: Apache-2.0
#include "manual/roff.hpp"

#include <algorithm>
#include <cctype>

namespace tcpwitness::manual {

std::string plain(std::string_view text) {
  std::string escaped;
  if (text.starts_with('.') || text.starts_with('\'')) escaped = "\\&";
  for (const char c : text) {
    switch (c) {
      case '\\':
        escaped += "\\e";
        break;
      case '-':
        escaped += "\\-";
        break;
      case '\'':
        escaped += "\\(aq";
        break;
      case '^':
        escaped += "\\(ha";
        break;
      case '~':
        escaped += "\\(ti";
        break;
      case '`':
        escaped += "\\(ga";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string call(std::string_view text) {
  std::string marked;
  constexpr std::string_view neither = " []|.,/=";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(neither), text.size());
    const std::string_view word = text.substr(0, end);
    const bool replaced = std::ranges::any_of(word, [](unsigned char c) { return std::isupper(c) != 0; });
    if (!word.empty()) marked += replaced ? italic(word) : bold(word);
    if (end < text.size()) marked += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return marked;
}

}  // namespace tcpwitness::manual
