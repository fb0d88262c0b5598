// SPDX-License-Identifier: Apache-2.0
#include "capture/flow_filter.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "capture/expression.hpp"
#include "capture/expression_words.hpp"
#include "capture/pcap_handle.hpp"
#include "capture/program_reads.hpp"

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
  const std::string beyond = read_beyond_connection(filter->impl_->program);
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

}  // namespace tcpwitness
