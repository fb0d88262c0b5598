// SPDX-License-Identifier: Apache-2.0
// frame_bytes.hpp: the first bytes of a frame, which follow its segment in the same record while recording.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "tcpwitness/event_abi.h"

namespace tcpwitness {

struct FrameBytes {
  tw_frame head{};
  std::span<const std::byte> bytes;  // inside the record
};

// record: of kind SEGMENT. Nothing where no frame follows, or where its lengths contradict the record's.
[[nodiscard]] std::optional<FrameBytes> frame_bytes(std::span<const std::byte> record);

}  // namespace tcpwitness
