// SPDX-License-Identifier: Apache-2.0
// See frames.hpp. Lengths are computed from what is put together, so that a frame is right unless a
// test breaks it on purpose.
#include "bpf/frames.hpp"

#include <algorithm>

namespace tcpwitness::wire_test {
namespace {

void add8(Bytes& bytes, std::size_t value) { bytes.push_back(static_cast<std::uint8_t>(value)); }
void add16(Bytes& bytes, std::size_t value) {
  add8(bytes, value >> 8U);
  add8(bytes, value);
}
void add32(Bytes& bytes, std::uint32_t value) {
  add16(bytes, value >> 16U);
  add16(bytes, value);
}
void add(Bytes& bytes, const Bytes& more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

Bytes tcp_bytes(const Endpoint& from, const Endpoint& to, const Segment& segment) {
  Bytes out;
  add16(out, from.port);
  add16(out, to.port);
  add32(out, segment.seq);
  add32(out, segment.ack_number);
  const std::size_t words = segment.data_offset.value_or(static_cast<std::uint8_t>(5 + segment.options.size() / 4));
  add8(out, words << 4U);
  add8(out, segment.flags);
  add16(out, segment.window);
  add32(out, 0);  // checksum, urgent pointer
  add(out, segment.options);
  add(out, segment.payload);
  return out;
}

Bytes ipv4_bytes(const Stack& stack, const Endpoint& from, const Endpoint& to, std::size_t content) {
  Bytes out;
  add8(out, 0x40 | (5 + stack.ipv4_options.size() / 4));
  add8(out, 0);
  add16(out, 20 + stack.ipv4_options.size() + content);
  add16(out, stack.ip_id);
  add16(out, stack.ipv4_fragment);
  add8(out, stack.ttl);
  add8(out, 6);
  add16(out, 0);
  out.insert(out.end(), from.address.begin() + 12, from.address.end());
  out.insert(out.end(), to.address.begin() + 12, to.address.end());
  add(out, stack.ipv4_options);
  return out;
}

Bytes ipv6_bytes(const Stack& stack, const Endpoint& from, const Endpoint& to, std::size_t content) {
  Bytes chain;
  for (std::size_t i = 0; i < stack.chain.size(); i++) {
    add8(chain, i + 1 < stack.chain.size() ? stack.chain[i + 1].type : 6);
    add(chain, stack.chain[i].rest);
  }
  Bytes out;
  add32(out, 0x60012345);
  add16(out, chain.size() + content);
  add8(out, stack.chain.empty() ? 6 : stack.chain.front().type);
  add8(out, stack.ttl);
  out.insert(out.end(), from.address.begin(), from.address.end());
  out.insert(out.end(), to.address.begin(), to.address.end());
  add(out, chain);
  return out;
}

Extension padded(std::uint8_t type, std::uint8_t units) {
  Extension extension{.type = type, .rest = {units}};
  // One PadN option over the whole header.
  extension.rest.push_back(1);
  extension.rest.push_back(static_cast<std::uint8_t>(std::min(8 * (units + 1) - 4, 255)));
  extension.rest.resize(8U * (units + 1U) - 1, 0);
  return extension;
}

}  // namespace

Endpoint ipv4_endpoint(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port) {
  return {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, .port = port};
}

Endpoint ipv6_endpoint(std::uint16_t net, std::uint16_t host, std::uint16_t port) {
  const auto high = [](std::uint16_t value) { return static_cast<std::uint8_t>(value >> 8U); };
  const auto low = [](std::uint16_t value) { return static_cast<std::uint8_t>(value); };
  return {.address = {0x20, 0x01, 0x0d, 0xb8, high(net), low(net), 0, 0, 0, 0, 0, 0, 0, 0, high(host), low(host)},
          .port = port};
}

Bytes option_mss(std::uint16_t mss) {
  Bytes out{2, 4};
  add16(out, mss);
  return out;
}
Bytes option_wscale(std::uint8_t shift) { return {3, 3, shift}; }
Bytes option_sack_permitted() { return {4, 2}; }
Bytes option_sack(std::uint32_t left, std::uint32_t right) {
  Bytes out{5, 10};
  add32(out, left);
  add32(out, right);
  return out;
}
Bytes option_timestamps(std::uint32_t value, std::uint32_t echo) {
  Bytes out{8, 10};
  add32(out, value);
  add32(out, echo);
  return out;
}
Bytes option_mptcp_capable() { return {30, 4, 0x01, 0x81}; }
Bytes option_fast_open(std::size_t cookie_bytes) {
  Bytes out{34, static_cast<std::uint8_t>(2 + cookie_bytes)};
  out.resize(2 + cookie_bytes, 0xc0);
  return out;
}
Bytes joined(const std::vector<Bytes>& options) {
  Bytes out;
  for (const auto& option : options) add(out, option);
  while (out.size() % 4 != 0) out.push_back(1);
  return out;
}

Extension hop_by_hop(std::uint8_t units) { return padded(0, units); }
Extension destination(std::uint8_t units) { return padded(60, units); }
Extension routing(std::uint8_t segments) {
  Extension extension{.type = 43, .rest = {static_cast<std::uint8_t>(2 * segments), 4, segments}};
  extension.rest.resize(7U + 16U * segments, 0x5a);
  return extension;
}
Extension mobility() { return {.type = 135, .rest = {0, 0, 0, 0, 0, 0, 0}}; }
Extension authentication(std::uint8_t icv_words) {
  Extension extension{.type = 51, .rest = {static_cast<std::uint8_t>(1 + icv_words)}};
  extension.rest.resize(11U + 4U * icv_words, 0xa5);
  return extension;
}
Extension fragment(std::uint16_t offset_units, bool more) {
  Extension extension{.type = 44, .rest = {0}};
  add16(extension.rest, static_cast<std::size_t>(offset_units << 3U) | (more ? 1U : 0U));
  add32(extension.rest, 0xfeedface);
  return extension;
}

Frame build(const Stack& stack, const Endpoint& from, const Endpoint& to, const Segment& segment) {
  Frame frame;
  if (!stack.raw_ip) {
    frame.bytes.assign(own_address.begin(), own_address.end());
    add(frame.bytes, {2, 0, 0, 0, 0, 1});
    for (const auto& tag : stack.tags) {
      add16(frame.bytes, tag.protocol);
      add16(frame.bytes, static_cast<std::size_t>(tag.priority << 13U) | tag.id);
    }
    add16(frame.bytes, stack.family == Family::ipv4 ? 0x0800 : 0x86dd);
  }
  const Bytes tcp = tcp_bytes(from, to, segment);
  frame.ip = frame.bytes.size();
  add(frame.bytes,
      stack.family == Family::ipv4 ? ipv4_bytes(stack, from, to, tcp.size()) : ipv6_bytes(stack, from, to, tcp.size()));
  frame.tcp = frame.bytes.size();
  frame.payload = frame.tcp + 20 + segment.options.size();
  add(frame.bytes, tcp);
  frame.bytes.resize(frame.bytes.size() + stack.trailer, 0xee);
  return frame;
}

std::vector<Stack> all_stacks() {
  const Bytes record_route{7, 7, 4, 0, 0, 0, 0, 0};
  const Bytes longest(40, 1);
  std::vector<Stack> stacks{
      {.name = "ipv4"},
      {.name = "ipv4 with padding", .trailer = 6},
      {.name = "ipv4 with options", .ipv4_options = record_route},
      {.name = "ipv4 with all options", .ipv4_options = longest},
      {.name = "ipv4 first fragment", .ipv4_fragment = 0x2000},
      {.name = "ipv6", .family = Family::ipv6},
      {.name = "ipv6 hop-by-hop", .family = Family::ipv6, .chain = {hop_by_hop()}},
      {.name = "ipv6 long destination", .family = Family::ipv6, .chain = {destination(6)}},
      {.name = "ipv6 routing", .family = Family::ipv6, .chain = {routing(2)}},
      {.name = "ipv6 authentication", .family = Family::ipv6, .chain = {authentication(3)}},
      {.name = "ipv6 authentication, even", .family = Family::ipv6, .chain = {authentication(4)}},
      {.name = "ipv6 mobility", .family = Family::ipv6, .chain = {mobility()}},
      {.name = "ipv6 first fragment", .family = Family::ipv6, .chain = {fragment(0, true)}},
      {.name = "ipv6 atomic fragment", .family = Family::ipv6, .chain = {fragment(0, false)}},
      {.name = "ipv6 six headers",
       .family = Family::ipv6,
       .chain = {hop_by_hop(), destination(1), routing(1), fragment(0, true), authentication(3), destination()}},
  };
  const std::vector<Stack> plain = stacks;
  for (Stack stack : plain) {
    if (stack.trailer) continue;
    stack.raw_ip = true;
    stack.name = "raw " + stack.name;
    stacks.push_back(stack);
  }
  for (const auto& [name, tags] : std::vector<std::pair<std::string, std::vector<Tag>>>{
           {"802.1Q ", {{.id = 42, .priority = 5}}},
           {"802.1ad ", {{.protocol = 0x88a8, .id = 4094}}},
           {"QinQ ", {{.protocol = 0x88a8, .id = 100}, {.id = 7, .priority = 7}}},
       }) {
    for (Stack stack : {plain[0], plain[2], plain[5], plain[14]}) {
      stack.tags = tags;
      stack.name = name + stack.name;
      stacks.push_back(stack);
    }
  }
  return stacks;
}

void put16(Bytes& bytes, std::size_t at, std::uint16_t value) {
  bytes.at(at) = static_cast<std::uint8_t>(value >> 8U);
  bytes.at(at + 1) = static_cast<std::uint8_t>(value);
}

std::uint16_t get16(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes.at(at) << 8U | bytes.at(at + 1));
}

}  // namespace tcpwitness::wire_test
