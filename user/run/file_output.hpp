// SPDX-License-Identifier: Apache-2.0
// file_output.hpp: where the reports of a file go, a capture's or a recording's: beside the progress bar, until as many
// were reported as are wanted, the output fails, or a signal comes.
#pragma once

#include <cstdint>
#include <functional>

#include "capture/capture_file.hpp"
#include "cli/options.hpp"
#include "run/delivery.hpp"
#include "run/signals.hpp"
#include "sink/output.hpp"
#include "sink/progress.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

class FileOutput {
 public:
  using Wanted = std::function<bool(const Report&)>;

  // wanted: null where whoever makes the reports has selected.
  FileOutput(const Options& options, StopSignal& stop, const CaptureFile& file, const Names& names, bool wire_alone,
             Wanted wanted = nullptr);

  // Reports on their way: whoever makes them appends them.
  [[nodiscard]] Reports& waiting() { return waiting_; }
  void begin(const Ready& ready) { delivery_.sink().write(ready); }
  void limit_to(std::uint64_t lives) { delivery_.limit_to(lives); }
  void write();
  // Writes and flushes.
  void deliver();
  // A reader of the output waits for no longer than Delivery::every.
  [[nodiscard]] bool due() const { return delivery_.due(Delivery::Clock::now()); }
  // Now and then: has a signal come, how far is it, is something due?
  void look_around(std::uint64_t bytes_read, std::uint64_t packets);

  [[nodiscard]] bool stopped() const { return stop_.requested(); }  // by a signal
  [[nodiscard]] bool enough() const { return delivery_.enough(); }  // as many as are wanted
  [[nodiscard]] bool broken() const { return delivery_.broken(); }  // nobody reads, or the disk is full
  // One of these: no more of the file is read.
  [[nodiscard]] bool over() const { return stopped() || delivery_.over(); }

  // Nothing more is read: no bar any more.
  void end() { progress_.erase(); }
  // The last report. False: the output failed.
  [[nodiscard]] bool finish(Summary& summary) { return delivery_.finish(summary); }
  // Prints why it failed, and returns the exit code.
  [[nodiscard]] int failed() const;

 private:
  StopSignal& stop_;
  Wanted wanted_;
  Output output_;
  Delivery delivery_;
  Progress progress_;
  bool erases_for_lines_;  // the progress bar may be where the output is; for a recording that is not asked
  Reports waiting_;
};

}  // namespace tcpwitness
