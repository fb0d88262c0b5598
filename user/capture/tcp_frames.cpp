// SPDX-License-Identifier: Apache-2.0
#include "capture/tcp_frames.hpp"

#include <algorithm>

#include "capture/layers.hpp"

namespace tcpwitness {

struct TcpFrames::Impl {
  Layers layers;
};

TcpFrames::TcpFrames() : impl_(std::make_unique<Impl>()) {}
TcpFrames::~TcpFrames() = default;

void TcpFrames::check_checksums(bool wanted) { impl_->layers.check_checksums(wanted); }

bool TcpFrames::parse(const CaptureBlock& block, TcpFrame& tcp) {
  if (block.kind != CaptureBlock::Kind::frame) return false;
  tcp = {};
  tcp.number = block.number;
  tcp.ts_ns = block.ts_ns;
  tcp.frame_len = block.wire_len;
  tcp.interface = block.interface;
  const auto captured = static_cast<std::uint32_t>(std::min<std::size_t>(block.bytes.size(), block.wire_len));
  return impl_->layers.read(block.link_type, {block.bytes.data(), captured, block.wire_len}, tcp);
}

}  // namespace tcpwitness
