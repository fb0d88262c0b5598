// SPDX-License-Identifier: Apache-2.0
// batch_reader.hpp: the first half of read: from the bytes of a capture to events, a batch at a time.
//
//   CaptureFile -> (filter) -> TcpFrames -> (FrameOrder) -> Conversations
//
// It is the hot path: nothing in it allocates for a frame. It shares nothing with the second half but the batches,
// so the two can run side by side.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "capture/capture_file.hpp"
#include "capture/filter.hpp"
#include "capture/tcp_frames.hpp"
#include "cli/options.hpp"
#include "run/file_filter.hpp"
#include "tcpwitness/event.hpp"
#include "wire/conversations.hpp"
#include "wire/frame_order.hpp"

namespace tcpwitness {

// Events, and how far the reading was behind the last of them.
struct Batch {
  std::vector<Event> events;
  std::vector<CaptureInterface> interfaces;  // all that are known, where there are more than in the batch before
  std::uint64_t frames = 0;                  // so far, as the following ones
  std::uint64_t segments = 0;
  std::uint64_t conversations = 0;
  std::uint64_t dropped = 0;
  std::uint64_t cut = 0;
  std::uint64_t bytes_read = 0;
  TimeNs last_ts_ns = 0;

  void clear() {
    events.clear();
    interfaces.clear();
  }
};

class BatchReader {
 public:
  BatchReader(const Options& options, CaptureFile& file, PacketFilter* filter);

  // Appends the events of the next frames until the batch is full. False: there are no more, the file is over or
  // damaged.
  bool fill(Batch& batch);
  // Instead, for whoever plays them: the time of the next frame that is wanted, which take_next() takes. Nothing: there
  // are no more.
  [[nodiscard]] std::optional<TimeNs> next();
  void take_next(Batch& batch);
  // Reports how far it is, in the middle of filling too. (fill, advance and finish do.)
  void account(Batch& batch);
  // No frame comes, and yet it is `now`.
  void advance(TimeNs now, Batch& batch);
  [[nodiscard]] PassedOver passed_over() const { return tcp_frames_.passed_over(); }
  // After the last frame: the ends of the conversations that are left. False: that was all.
  bool finish(Batch& batch);

 private:
  [[nodiscard]] bool wants(const CaptureBlock& block);
  [[nodiscard]] bool wants_message(const CaptureBlock& block);
  void take(const CaptureBlock& block, Batch& batch);
  void observe(const TcpFrame& frame, Batch& batch);

  CaptureFile& file_;
  PacketFilter* filter_;
  FileFilter file_filter_;
  TcpFrames tcp_frames_;
  TcpFrames not_chosen_;  // frames that the expression does not match, which count nowhere
  Conversations conversations_;
  FrameOrder order_;  // of an ordinary file; who waits for a pipe's next frame wants those before it at once
  TcpFrame tcp_;
  std::size_t interfaces_reported_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t segments_ = 0;
  std::uint64_t streams_ = 0;
  TimeNs last_ts_ns_ = 0;
};

}  // namespace tcpwitness
