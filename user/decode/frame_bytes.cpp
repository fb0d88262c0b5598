// SPDX-License-Identifier: Apache-2.0
#include "decode/frame_bytes.hpp"

#include <cstring>

namespace tcpwitness {

std::optional<FrameBytes> frame_bytes(std::span<const std::byte> record) {
  constexpr std::size_t before = sizeof(tw_segment) + sizeof(tw_frame);
  if (record.size() < before || record.size() > before + TW_SNAPLEN_MAX) return std::nullopt;
  FrameBytes frame;
  std::memcpy(&frame.head, record.data() + sizeof(tw_segment), sizeof frame.head);
  if (frame.head.captured > record.size() - before || frame.head.captured > frame.head.wire_len) return std::nullopt;
  frame.bytes = record.subspan(before, frame.head.captured);
  return frame;
}

}  // namespace tcpwitness
