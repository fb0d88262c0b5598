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

void TcpFrames::check_checksums(bool wanted, LeftToCard left) {
  impl_->layers.check_checksums(wanted, left == LeftToCard::wrong);
}

PassedOver TcpFrames::passed_over() const { return impl_->layers.passed_over(); }
std::uint64_t TcpFrames::cut() const { return impl_->layers.cut(); }

namespace {

// All that only some segments have. What every segment has is overwritten anyway; sack is valid up to sack_count.
// (Clearing it as a whole costs as much as reading all its headers.)
void clear(TcpFrame& tcp) {
  tcp.ts_val = 0;
  tcp.ts_ecr = 0;
  tcp.mss = 0;
  tcp.vlan_id = 0;
  tcp.mptcp = 0;
  tcp.options = 0;
  tcp.wscale = 0;
  tcp.sack_count = 0;
  tcp.bad_header = false;
  tcp.bad_checksum = false;
  tcp.icmp.type = 0;
}

}  // namespace

bool TcpFrames::parse(const CaptureBlock& block, TcpFrame& tcp) {
  if (block.kind != CaptureBlock::Kind::frame) return false;
  clear(tcp);
  tcp.number = block.number;
  tcp.ts_ns = block.ts_ns;
  tcp.frame_len = block.wire_len;
  tcp.interface = block.interface;
  const auto captured = static_cast<std::uint32_t>(block.bytes.size());
  return impl_->layers.read(block.link_type, {block.bytes.data(), captured, std::max(captured, block.wire_len)}, tcp);
}

}  // namespace tcpwitness
