// SPDX-License-Identifier: Apache-2.0
// address_text.hpp: addresses as text, written to where they stand.
#pragma once

#include <cstddef>

#include "tcpwitness/address.hpp"
#include "values/short_text.hpp"

namespace tcpwitness {

inline constexpr std::size_t most_of_ip = 48;

// "192.0.2.1" or "2001:db8::1", written there, where there is room for most_of_ip; returns the place behind it.
[[nodiscard]] char* put_ip(char* at, const Address& address);

// "192.0.2.1:80", "[2001:db8::1]:80"; without a port (0: not known yet) the address alone.
[[nodiscard]] ShortText endpoint_text(const Endpoint& endpoint);

}  // namespace tcpwitness
