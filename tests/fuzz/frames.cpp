// SPDX-License-Identifier: Apache-2.0
// Fuzz target: any bytes as frames of one link type. The input is that type (two bytes, little-endian), then for each
// frame its length (two bytes) and its bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "capture/tcp_frames.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t at = 0;
  const auto number = [&] {
    const auto value = static_cast<std::uint16_t>(data[at] | (data[at + 1] << 8));
    at += 2;
    return value;
  };
  if (size < 2) return 0;
  tcpwitness::TcpFrames frames;
  frames.check_checksums(true);
  tcpwitness::CaptureBlock block;
  block.link_type = number();
  tcpwitness::TcpFrame tcp;
  while (size - at >= 2) {
    const std::size_t length = std::min<std::size_t>(number(), size - at);
    std::vector<std::byte> exact(length);  // so that its end is known
    std::transform(data + at, data + at + length, exact.begin(), [](std::uint8_t byte) { return std::byte{byte}; });
    at += length;
    block.bytes = exact;
    ++block.number;
    block.ts_ns += 1'000'000'000;
    block.wire_len = static_cast<std::uint32_t>(length);
    if (frames.parse(block, tcp) && tcp.sack_count > tcp.sack.size()) std::abort();
  }
  return 0;
}
