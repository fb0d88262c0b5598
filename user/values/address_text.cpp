// SPDX-License-Identifier: Apache-2.0
#include "values/address_text.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "values/digits.hpp"

namespace tcpwitness {
namespace {

// Each octet of an IPv4 address in decimal: a table has eight of them a line.
struct Octet {
  std::array<char, 3> digits{};
  std::uint8_t size = 0;
};
constexpr std::array<Octet, 256> octets = [] {
  std::array<Octet, 256> all;
  for (std::size_t value = 0; value < all.size(); ++value) {
    Octet& octet = all[value];
    for (std::size_t unit = value >= 100 ? 100 : value >= 10 ? 10 : 1; unit != 0; unit /= 10)
      octet.digits[octet.size++] = static_cast<char>('0' + value / unit % 10);
  }
  return all;
}();

// "192.0.2.1". Each octet is copied with what follows it, where the next text comes.
char* put_ipv4(char* at, const Address& address) {
  for (std::size_t i = 12; i < 16; ++i) {
    if (i > 12) *at++ = '.';
    const Octet& octet = octets[address.bytes[i]];
    std::memcpy(at, octet.digits.data(), sizeof octet);
    at += octet.size;
  }
  return at;
}

}  // namespace

char* put_ip(char* at, const Address& address) {
  if (address.is_ipv4()) return put_ipv4(at, address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, address.bytes.data(), text.data(), text.size());
  return copy_text(at, text.data());
}

ShortText endpoint_text(const Endpoint& endpoint) {
  const bool port = endpoint.port != 0;
  const bool brackets = port && !endpoint.address.is_ipv4();
  return ShortText().write([&](char* at) {
    if (brackets) *at++ = '[';
    at = put_ip(at, endpoint.address);
    if (brackets) *at++ = ']';
    if (!port) return at;
    *at++ = ':';
    return put_number(at, endpoint.port);
  });
}

}  // namespace tcpwitness
