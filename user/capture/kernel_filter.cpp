// SPDX-License-Identifier: Apache-2.0
#include "capture/kernel_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "values/number.hpp"

namespace tcpwitness {
namespace {

std::vector<std::string> words_of(const std::string& expression) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : expression + " ") {
    if (c != ' ' && c != '\t' && c != '\n') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

// libpcap reads a number with a leading 0 as octal.
bool has_octal(std::string_view text) { return (text.size() > 1 && text.starts_with('0')) || text.contains("-0"); }

// To the kernel's comparison IPv4 addresses are ::ffff:0:0/96, to libpcap they are no IPv6 addresses: null where that
// makes a difference.
std::optional<Prefix> same_to_both(const std::string& text) {
  const auto prefix = parse_prefix(text);
  if (!prefix) return std::nullopt;
  constexpr std::uint32_t ipv4_bits = 96;
  Address ipv4;
  ipv4.bytes[10] = ipv4.bytes[11] = 0xff;
  const bool has_ipv4 = prefix->bits < ipv4_bits ? prefix->contains(ipv4) : prefix->address.is_ipv4();
  return text.contains(':') && has_ipv4 ? std::nullopt : std::optional(*prefix);
}

// "10/8" is 10.0.0.0/8, and "10.1" is 10.1.0.0/16, as libpcap has it.
std::optional<Prefix> network(std::string text) {
  const std::size_t slash = text.find('/');
  const std::string bits = slash == std::string::npos ? "" : text.substr(slash);
  const std::string_view length_text = std::string_view(bits).substr(bits.empty() ? 0 : 1);
  if (!bits.empty() && (has_octal(length_text) || !number_in<std::uint32_t>(length_text))) return std::nullopt;
  text.resize(std::min(slash, text.size()));
  if (text.contains(':') && bits.empty()) return std::nullopt;
  auto dots = static_cast<int>(std::ranges::count(text, '.'));
  const std::string length = bits.empty() ? fmt::format("/{}", 8 * (dots + 1)) : bits;
  for (; !text.contains(':') && dots < 3; ++dots) text += ".0";
  return same_to_both(text + length);
}

// Reads the words of one expression, each part at most once.
class Conjunction {
 public:
  explicit Conjunction(std::vector<std::string> words) : words_(std::move(words)) {}

  bool read(KernelFilter& filter) {
    if (words_.empty()) return false;
    do {
      if (!part(filter)) return false;
    } while (take("and") || take("&&"));
    return at_ == words_.size();
  }

 private:
  [[nodiscard]] bool take(std::string_view word) {
    if (at_ >= words_.size() || words_[at_] != word) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool more() const { return at_ < words_.size(); }

  bool part(KernelFilter& filter) {
    const bool tcp = take("tcp");
    if (take("port")) return ports(filter, false);
    if (take("portrange")) return ports(filter, true);
    if (tcp) return true;
    if (take("host")) return hosts(filter, false);
    if (take("net")) return hosts(filter, true);
    return false;
  }

  bool ports(KernelFilter& filter, bool range) {
    if (!filter.ports.empty() || !more()) return false;
    const std::string& text = words_[at_++];
    const auto ports = port_range_in(text);
    if (!ports || ports->last < ports->first || text.contains('-') != range || has_octal(text)) return false;
    filter.ports.push_back(*ports);
    return true;
  }

  bool hosts(KernelFilter& filter, bool net) {
    if (!filter.hosts.empty() || !more()) return false;
    const std::string& text = words_[at_++];
    if (!net && text.contains('/')) return false;
    if (net) {
      const auto prefix = network(text);
      if (prefix) filter.hosts.push_back(*prefix);
      return prefix.has_value();
    }
    const auto prefix = same_to_both(text);  // a name is libpcap's to look up
    if (prefix) filter.hosts.push_back(*prefix);
    return prefix.has_value();
  }

  std::vector<std::string> words_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<KernelFilter> as_kernel_filter(const std::string& expression) {
  KernelFilter filter;
  if (!Conjunction(words_of(expression)).read(filter)) return std::nullopt;
  return filter;
}

}  // namespace tcpwitness
