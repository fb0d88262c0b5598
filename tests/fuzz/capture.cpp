// SPDX-License-Identifier: Apache-2.0
// Fuzz target: any bytes as a capture file, all the way to TCP segments.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "capture/tcp_frames.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// head 0: packets whole.
void read(std::span<const std::byte> bytes, std::uint32_t head) {
  auto file = tcpwitness::CaptureFile::open(bytes);
  if (!file) return;
  if (head != 0) (*file)->set_snaplen(head);
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
    if (head != 0 && block.kind == tcpwitness::CaptureBlock::Kind::frame && exact.size() > head) std::abort();
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  read(bytes, 0);
  read(bytes, 64);
  return 0;
}
