// SPDX-License-Identifier: Apache-2.0
#include "capture/expression_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <regex>
#include <string_view>

namespace tcpwitness {
namespace {

const std::regex& negation() {
  static const std::regex words(R"((?:^|[\s(!&|])not(?=[\s(!])|!)");
  return words;
}

// "src or dst" and "src and dst" are no direction.
std::string without_both(const std::string& expression) {
  static const std::regex both(R"(\bsrc\s+(?:or|and|\|\||&&)\s+dst\b|\bdst\s+(?:or|and|\|\||&&)\s+src\b)");
  return std::regex_replace(expression, both, "");
}

// One direction, as it is written there: "src port". "": there is none.
std::string direction(const std::string& expression) {
  static const std::regex one(R"((?:^|[\s(!&|])((?:src|dst)(?:\s+(?:host|net|portrange|port)\b)?)(?=\s))");
  std::smatch found;
  return std::regex_search(expression, found, one) ? found.str(1) : "";
}

// What a negation is of: up to the end of its brackets, or to the next "and" or "or".
std::string operand(std::string_view rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const bool in_brackets = rest.starts_with('(');
  int depth = 0;
  for (std::size_t at = 0; at < rest.size(); ++at) {
    if (rest[at] == '(') ++depth;
    if (rest[at] == ')' && --depth <= 0) return std::string(rest.substr(0, at));
    if (in_brackets || depth > 0) continue;
    const std::string_view left = rest.substr(at);
    for (const std::string_view end : {" and ", " or ", "&&", "||"}) {
      if (left.starts_with(end)) return std::string(rest.substr(0, at));
    }
  }
  return std::string(rest);
}

}  // namespace

std::string part_of_packets(const std::string& expression) {
  static const std::regex words(
      R"(\b(?:ip|ip6|tcp|udp|icmp|icmp6|ether)\s*\[[^\]]*\]|\b(?:greater|less)\s+\w+|\blen\b|\b(?:inbound|outbound)\b|\bifindex\s+\w+)");
  std::smatch found;
  return std::regex_search(expression, found, words) ? found.str() : "";
}

bool has_negation(const std::string& expression) { return std::regex_search(expression, negation()); }

std::string negated_direction(const std::string& expression) {
  const std::string text = without_both(expression);
  for (std::sregex_iterator found(text.begin(), text.end(), negation()), end; found != end; ++found) {
    const auto behind = static_cast<std::size_t>(found->position() + found->length());
    const std::string one_way = direction(" " + operand(std::string_view(text).substr(behind)) + " ");
    if (!one_way.empty()) return one_way;
  }
  return "";
}

std::string with_dots(const std::string& expression) {
  static const std::regex one_number(R"(\bnet\s+(\d{1,3})(/\d+)?(?![\w.:/]))");
  std::string text;
  auto at = expression.cbegin();
  for (std::sregex_iterator found(expression.begin(), expression.end(), one_number), end; found != end; ++found) {
    const std::smatch& match = *found;
    text.append(at, match[0].first);
    text += fmt::format("net {}.0.0.0{}", match.str(1), match[2].matched ? match.str(2) : "/8");
    at = match[0].second;
  }
  return text.append(at, expression.cend());
}

}  // namespace tcpwitness
