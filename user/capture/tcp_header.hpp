// SPDX-License-Identifier: Apache-2.0
// tcp_header.hpp: the TCP header and its options, as far as they were captured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tcpwitness/wire.hpp"

namespace tcpwitness {

// captured: what is there of the segment, which is `wire` bytes long on the wire. Fills all but addresses and facts of
// the frame. False: the header is cut before its window, so that it is no segment to anyone.
bool read_tcp(std::span<const std::byte> captured, std::uint32_t wire, TcpFrame& tcp);

}  // namespace tcpwitness
