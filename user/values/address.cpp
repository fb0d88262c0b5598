// SPDX-License-Identifier: Apache-2.0
// address.cpp: text and hash of addresses.
//
// The 16-byte form is the only one inside; IPv4 is plain in text. parse_prefix takes what a person
// types after --host and clears the bits that the prefix does not cover.
#include "tcpwitness/address.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "values/address_text.hpp"
#include "values/keyed_hash.hpp"
#include "values/number.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint32_t mapped_bits = 96;

void clear_host_bits(Address& address, std::uint32_t bits) {
  for (std::uint32_t i = 0; i < address.bytes.size(); ++i) {
    const std::uint32_t first = i * 8;
    if (bits >= first + 8) continue;
    const std::uint32_t keep = bits > first ? bits - first : 0;
    address.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] & (0xff00U >> keep));
  }
}

}  // namespace

bool Address::is_unspecified() const {
  const std::size_t from = is_ipv4() ? mapped_prefix.size() : 0;
  return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), [](auto b) { return b == 0; });
}

Flow to_flow(const AddressPair& pair) {
  Flow flow;
  std::memcpy(flow.local.address.bytes.data(), pair.local_addr, sizeof pair.local_addr);
  std::memcpy(flow.remote.address.bytes.data(), pair.remote_addr, sizeof pair.remote_addr);
  flow.local.port = pair.local_port;
  flow.remote.port = pair.remote_port;
  flow.scope = pair.scope;
  return flow;
}

AddressPair to_pair(const Flow& flow) {
  AddressPair pair{};
  std::memcpy(pair.local_addr, flow.local.address.bytes.data(), sizeof pair.local_addr);
  std::memcpy(pair.remote_addr, flow.remote.address.bytes.data(), sizeof pair.remote_addr);
  pair.local_port = flow.local.port;
  pair.remote_port = flow.remote.port;
  pair.scope = flow.scope;
  return pair;
}

std::string to_string(const Address& address) { return std::string(endpoint_text({.address = address})); }

std::string to_string(const Endpoint& endpoint) {
  std::string text(endpoint_text(endpoint));
  return endpoint.port != 0 ? text : endpoint.address.is_ipv4() ? text + ":0" : "[" + text + "]:0";
}

bool Prefix::contains(const Address& other) const {
  Address masked = other;
  clear_host_bits(masked, bits);
  return masked == address;
}

Result<Prefix> parse_prefix(std::string_view text) {
  const std::string what = "use \"" + std::string(text) + "\" as an address or prefix";
  const std::string hint = "write it like 192.0.2.0/24, 2001:db8::/32 or 192.0.2.1";
  const auto slash = text.find('/');
  const std::string host(text.substr(0, slash));

  Prefix prefix;
  std::uint32_t limit = 128;
  if (inet_pton(AF_INET, host.c_str(), prefix.address.bytes.data() + mapped_prefix.size()) == 1) {
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), prefix.address.bytes.begin());
    limit = 32;
  } else if (inet_pton(AF_INET6, host.c_str(), prefix.address.bytes.data()) != 1) {
    return failure(what, "\"" + host + "\" is neither an IPv4 nor an IPv6 address", hint);
  }

  std::uint32_t bits = limit;
  if (slash != std::string_view::npos) {
    const auto length = number_in<std::uint32_t>(text.substr(slash + 1));
    if (!length || *length > limit)
      return failure(what, "the prefix length must be a number from 0 to " + std::to_string(limit), hint);
    bits = *length;
  }
  prefix.bits = limit == 32 ? mapped_bits + bits : bits;
  clear_host_bits(prefix.address, prefix.bits);
  return prefix;
}

}  // namespace tcpwitness

std::size_t std::hash<tcpwitness::Flow>::operator()(const tcpwitness::Flow& flow) const noexcept {
  tcpwitness::HashWords words{};
  std::memcpy(words.data(), flow.local.address.bytes.data(), 16);
  std::memcpy(words.data() + 2, flow.remote.address.bytes.data(), 16);
  words[4] = std::uint64_t{flow.local.port} << 16 | flow.remote.port;
  words[5] = flow.scope;
  return tcpwitness::HashKey::process.hash(words);
}
