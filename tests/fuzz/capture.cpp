// SPDX-License-Identifier: Apache-2.0
// Fuzz target: any bytes as a capture file, all the way to TCP segments.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "capture/tcp_frames.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto file = tcpwitness::CaptureFile::open(std::as_bytes(std::span(data, size)));
  if (!file) return 0;
  tcpwitness::TcpFrames frames;
  frames.check_checksums(true);
  tcpwitness::CaptureBlock block;
  tcpwitness::TcpFrame tcp;
  while ((*file)->next(block)) {
    if (block.kind == tcpwitness::CaptureBlock::Kind::frame && block.interface >= (*file)->interfaces().size())
      std::abort();
    const std::vector<std::byte> exact(block.bytes.begin(), block.bytes.end());  // so that its end is known
    block.bytes = exact;
    if (frames.parse(block, tcp) && tcp.sack_count > tcp.sack.size()) std::abort();
  }
  return 0;
}
