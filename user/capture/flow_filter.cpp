// SPDX-License-Identifier: Apache-2.0
// flow_filter.cpp: see flow_filter.hpp. Which headers a program reads is found by following its instructions, with what
// is known on the way: the version of IP, and that no segment is a fragment.
#include "capture/flow_filter.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <regex>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "capture/expression.hpp"
#include "capture/pcap_handle.hpp"
#include "values/port_range.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t ipv4_header = 20;
constexpr std::size_t ipv6_header = 40;
constexpr std::size_t tcp_header = 20;
constexpr std::uint8_t tcp_protocol = 6;
using Headers = std::array<std::uint8_t, ipv6_header + tcp_header>;

void put_port(Headers& headers, std::size_t at, std::uint16_t port) {
  headers.at(at) = static_cast<std::uint8_t>(port >> 8U);
  headers.at(at + 1) = static_cast<std::uint8_t>(port & 0xffU);
}

// The headers of a segment from `from` to `to`; returns their length.
std::size_t write_headers(Headers& headers, const Endpoint& from, const Endpoint& to) {
  headers.fill(0);
  const bool ipv4 = from.address.is_ipv4() && to.address.is_ipv4();
  const std::size_t ip = ipv4 ? ipv4_header : ipv6_header;
  if (ipv4) {
    headers[0] = 0x45;
    headers[3] = ipv4_header + tcp_header;
    headers[9] = tcp_protocol;
    std::copy_n(from.address.bytes.begin() + 12, 4, headers.begin() + 12);
    std::copy_n(to.address.bytes.begin() + 12, 4, headers.begin() + 16);
  } else {
    headers[0] = 0x60;
    headers[5] = tcp_header;
    headers[6] = tcp_protocol;
    std::ranges::copy(from.address.bytes, headers.begin() + 8);
    std::ranges::copy(to.address.bytes, headers.begin() + 24);
  }
  put_port(headers, ip, from.port);
  put_port(headers, ip + 2, to.port);
  headers.at(ip + 12) = 0x50;
  return ip + tcp_header;
}

// What a register holds, as far as it matters.
enum class Holds : std::uint8_t { other, version_byte, version, fragment, next_header };

// Follows a program from its beginning on every way that a whole TCP segment can take.
class Reads {
 public:
  explicit Reads(const bpf_program& program) : code_(program.bf_insns, program.bf_len) {}

  // What it reads that is not of the connection; empty: nothing.
  std::string beyond() {
    follow(0, 0, Holds::other);
    return beyond_;
  }

 private:
  void follow(std::size_t at, unsigned family, Holds a) {
    for (; at < code_.size() && beyond_.empty(); ++at) {
      if (!seen_.emplace(at, family, a).second) return;
      const bpf_insn& one = code_[at];
      switch (BPF_CLASS(one.code)) {
        case BPF_LD:
          a = load(at, family);
          break;
        case BPF_LDX:
          load_index(at);
          break;
        case BPF_ALU:
          a = a == Holds::version_byte && one.code == (BPF_ALU | BPF_AND | BPF_K) && one.k == 0xf0 ? Holds::version
                                                                                                   : Holds::other;
          break;
        case BPF_JMP:
          return jump(at, family, a);
        case BPF_RET:
          return;
        default:
          if (BPF_CLASS(one.code) == BPF_MISC) a = Holds::other;
          break;
      }
    }
  }

  void jump(std::size_t at, unsigned family, Holds a) {
    const bpf_insn& one = code_[at];
    const auto yes = [&](unsigned then) { follow(at + 1 + one.jt, then, a); };
    const auto no = [&] { follow(at + 1 + one.jf, family, a); };
    if (BPF_OP(one.code) == BPF_JA) return follow(at + 1 + one.k, family, a);
    const bool equal = BPF_OP(one.code) == BPF_JEQ && BPF_SRC(one.code) == BPF_K;
    if (equal && a == Holds::version) {
      const unsigned asked = one.k == 0x40 ? 4 : one.k == 0x60 ? 6 : 0;
      if (asked != 0 && (family == 0 || family == asked)) yes(asked);
      if (asked == 0 || family != asked) no();
      return;
    }
    if (equal && a == Holds::next_header) return one.k == tcp_protocol ? yes(family) : no();
    if (BPF_OP(one.code) == BPF_JSET && a == Holds::fragment) return no();
    yes(family);
    no();
  }

  Holds load(std::size_t at, unsigned family) {
    const bpf_insn& one = code_[at];
    const auto size = BPF_SIZE(one.code);
    const auto is = [&](auto mode, auto of) { return BPF_MODE(one.code) == mode && size == of; };
    if (BPF_MODE(one.code) == BPF_IMM || BPF_MODE(one.code) == BPF_MEM) return Holds::other;
    if (BPF_MODE(one.code) == BPF_LEN) return refuse("the length of a packet");
    // linux/filter.h: SKF_AD_OFF and below, in 32 bits. It is no part of a packet, but of how it came.
    constexpr std::uint32_t of_passage = 0xffff'f000;
    if (BPF_MODE(one.code) == BPF_ABS && one.k >= of_passage) return refuse("the direction or interface of a packet");
    const bool next_masks = at + 1 < code_.size() && code_[at + 1].code == (BPF_ALU | BPF_AND | BPF_K);
    if (is(BPF_ABS, BPF_B) && one.k == 0 && next_masks && code_[at + 1].k == 0xf0) return Holds::version_byte;
    if (family != 6) {
      if (is(BPF_ABS, BPF_B) && one.k == 9) return Holds::next_header;
      if (is(BPF_ABS, BPF_W) && (one.k == 12 || one.k == 16)) return Holds::other;
      if (is(BPF_IND, BPF_H) && (one.k == 0 || one.k == 2)) return Holds::other;
      const bool tests = at + 1 < code_.size() && code_[at + 1].code == (BPF_JMP | BPF_JSET | BPF_K);
      if (is(BPF_ABS, BPF_H) && one.k == 6 && tests && code_[at + 1].k == 0x1fff) return Holds::fragment;
    }
    if (family != 4) {
      if (is(BPF_ABS, BPF_B) && one.k == 6) return Holds::next_header;
      if (is(BPF_ABS, BPF_W) && one.k >= 8 && one.k <= 36 && one.k % 4 == 0) return Holds::other;
      if (is(BPF_ABS, BPF_H) && (one.k == ipv6_header || one.k == ipv6_header + 2)) return Holds::other;
    }
    return refuse(
        fmt::format("byte {} {}", one.k, BPF_MODE(one.code) == BPF_IND ? "of the TCP header" : "of the packet"));
  }

  void load_index(std::size_t at) {
    const bpf_insn& one = code_[at];
    const bool header_length = BPF_MODE(one.code) == BPF_MSH && one.k == 0;
    const bool constant = BPF_MODE(one.code) == BPF_IMM || BPF_MODE(one.code) == BPF_MEM;
    if (!header_length && !constant) refuse("the length of a packet");
  }

  Holds refuse(std::string what) {
    if (beyond_.empty()) beyond_ = std::move(what);
    return Holds::other;
  }

  std::span<const bpf_insn> code_;
  std::set<std::tuple<std::size_t, unsigned, Holds>> seen_;
  std::string beyond_;
};

// The part of the text that is about single packets, as it is written there; "" where none is known by its words.
std::string part_of_packets(const std::string& expression) {
  static const std::regex words(
      R"(\b(?:ip|ip6|tcp|udp|icmp|icmp6|ether)\s*\[[^\]]*\]|\b(?:greater|less)\s+\w+|\blen\b|\b(?:inbound|outbound)\b|\bifindex\s+\w+)");
  std::smatch found;
  return std::regex_search(expression, found, words) ? found.str() : "";
}

bool has_negation(const std::string& expression) {
  static const std::regex words(R"((?:^|[\s(!&|])not(?=[\s(!])|!)");
  return std::regex_search(expression, words);
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

// The direction that a negation has in it: "not src port 22" is true of every connection, one way or the other.
std::string negated_direction(const std::string& expression) {
  static const std::regex negation(R"((?:^|[\s(!&|])not(?=[\s(!])|!)");
  const std::string text = without_both(expression);
  for (std::sregex_iterator found(text.begin(), text.end(), negation), end; found != end; ++found) {
    const auto behind = static_cast<std::size_t>(found->position() + found->length());
    const std::string one_way = direction(" " + operand(std::string_view(text).substr(behind)) + " ");
    if (!one_way.empty()) return one_way;
  }
  return "";
}

// "net 10/8" as libpcap takes it, which wants at least one dot.
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

// Who has used tshark or tcpdump -r may expect a file here.
std::string hint_for(const std::string& expression) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(expression, ignored)) return "man 7 pcap-filter has the syntax";
  return fmt::format("tcpwitness read {} reads that file", expression);
}

}  // namespace

struct FlowFilter::Impl {
  bpf_program program{};
  bool excludes = false;
  Impl() = default;
  ~Impl() { pcap_freecode(&program); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] bool matches(const Endpoint& from, const Endpoint& to) const {
    Headers headers;
    pcap_pkthdr header{};
    header.caplen = header.len = static_cast<bpf_u_int32>(write_headers(headers, from, to));
    return pcap_offline_filter(&program, &header, headers.data()) != 0;
  }
};

FlowFilter::FlowFilter() : impl_(std::make_unique<Impl>()) {}
FlowFilter::~FlowFilter() = default;

Result<std::unique_ptr<FlowFilter>> FlowFilter::compile(const std::string& expression) {
  constexpr int longest = 256 * 1024;
  constexpr int optimise = 1;
  if (std::string message = too_long(expression); !message.empty())
    return failure("use the filter", std::move(message), "portrange and net say much in few words");
  const std::string what = fmt::format("use the filter '{}'", expression);
  const PcapHandle handle(pcap_open_dead(DLT_RAW, longest));
  if (!handle) return failure(what, "out of memory");
  std::unique_ptr<FlowFilter> filter(new FlowFilter());
  filter->impl_->excludes = has_negation(expression);
  // libpcap sees that some expressions match nothing.
  const auto nothing = [&] { return std::string_view(pcap_geterr(handle.get())).contains("rejects all packets"); };
  const auto no_connection = [&] { return failure(what, fmt::format("no TCP connection matches '{}'", expression)); };
  const auto compiles = [&](const std::string& text, bpf_program& into) {
    return pcap_compile(handle.get(), &into, text.c_str(), optimise, PCAP_NETMASK_UNKNOWN) == 0;
  };
  if (!compiles(with_dots(expression), filter->impl_->program)) {
    if (nothing()) return no_connection();
    return failure(what, pcap_geterr(handle.get()), hint_for(expression));
  }
  const std::string beyond = Reads(filter->impl_->program).beyond();
  if (beyond.empty()) {
    Impl of_tcp;
    if (!compiles(fmt::format("({}) and tcp", with_dots(expression)), of_tcp.program) && nothing())
      return no_connection();
    const std::string one_way = negated_direction(expression);
    if (one_way.empty()) return filter;
    return failure(
        what,
        fmt::format("a connection has both directions, and '{}' is of one: with 'not' it excludes nothing, as "
                    "the other direction still matches",
                    one_way),
        "leave out src and dst: 'not port 22' excludes what has it at either end");
  }
  const std::string part = part_of_packets(expression);
  return failure(what,
                 fmt::format("{} is of single packets, and whole connections are followed: addresses, networks and "
                             "ports choose them",
                             part.empty() ? beyond : fmt::format("'{}'", part)),
                 "'tcpwitness read FILE EXPRESSION' takes any expression, and so does tcpdump");
}

bool FlowFilter::excludes() const { return impl_->excludes; }

bool FlowFilter::matches(const Flow& flow) const {
  return impl_->matches(flow.local, flow.remote) || impl_->matches(flow.remote, flow.local);
}

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
