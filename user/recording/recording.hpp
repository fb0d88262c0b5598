// SPDX-License-Identifier: Apache-2.0
// recording.hpp: a recording's blocks, decoded: the records and marks that a Recorder wrote, in order.
//
// A function of bytes, and never trusting them: a block that no recorder writes is an error with the number of the
// byte.
#pragma once

#include <optional>
#include <span>
#include <variant>

#include "capture/capture_file.hpp"
#include "recording/marks.hpp"

namespace tcpwitness {

// By the file's own mark.
[[nodiscard]] bool is_recording(const CaptureFile& file);

struct RecordedEvent {
  EventId id = 0;
  std::span<const std::byte> record;  // as the ring had it, without the frame's bytes; inside the block
};
using RecordingStep = std::variant<RecordedEvent, RecordingMark>;

// Nothing: the block is for people alone (a finding's row, a life's).
[[nodiscard]] Result<std::optional<RecordingStep>> read_step(const CaptureBlock& block);

}  // namespace tcpwitness
