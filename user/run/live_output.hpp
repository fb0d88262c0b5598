// SPDX-License-Identifier: Apache-2.0
// live_output.hpp: where the reports of a live run go. It never waits for who reads them: what a slow reader or a full
// disk does not take waits in memory, is dropped when it is too much, and is reported once.
#pragma once

#include <chrono>
#include <memory>

#include "run/delivery.hpp"
#include "run/live_parts.hpp"
#include "sink/output.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

class LiveOutput {
 public:
  using Clock = Delivery::Clock;

  LiveOutput(const LiveParts& parts, const Names& names);

  // Reports on their way: whoever makes them appends them.
  [[nodiscard]] Reports& waiting() { return waiting_; }
  // Ready goes first, and nothing before it.
  void begin(const Ready& ready);
  // Writes what waits.
  void write();
  // So many reports are written together: their code and their memory take turns in the caches.
  static constexpr std::size_t many = 32;
  // So that it does not grow. Nothing before begin().
  void write_if_many();
  // It is after begin().
  [[nodiscard]] bool takes() const { return begun_; }
  // Writes and flushes.
  void deliver();
  void deliver_if_begun() {
    if (begun_) deliver();
  }
  // Writes, and flushes where a reader would notice the delay. Nothing before begin().
  void deliver_in_time(Clock::time_point now);
  // An interim report: not one of those that wait.
  void write_at_once(const Report& report) { delivery_.sink().write(report); }
  // The last report. False: the output failed, or not everything was taken: see dropped().
  [[nodiscard]] bool finish(Summary& summary);
  // The run ends: what is left is written, whatever --count is.
  void lift_limit() { delivery_.lift_limit(); }

  // The file of --append is opened again. False: a slow reader has to take the rest of the old one before. Where it
  // cannot be opened, the old one serves on.
  [[nodiscard]] bool reopen();
  // Ctrl-C at a terminal ends the reader of a pipe with us (`| tee`): what is left to print goes to the terminal.
  static void keep_what_is_left();

  // As many lives as are wanted were reported, or the output failed: the run is to end.
  [[nodiscard]] bool over() const { return delivery_.over(); }
  [[nodiscard]] bool broken() const { return delivery_.broken(); }
  [[nodiscard]] int error() const { return output_.error(); }
  [[nodiscard]] std::uint64_t dropped() const { return output_.dropped(); }
  [[nodiscard]] const LifeCount& lives() const { return delivery_.lives(); }
  // Nothing is on its way.
  [[nodiscard]] bool idle() const { return !delivery_.unflushed() && output_.waiting() == 0 && waiting_.empty(); }

 private:
  void say_if_slow();
  void say_if_full();

  const Options& options_;
  bool records_;  // entries are for the recording alone
  Output output_;
  Delivery delivery_;
  Reports waiting_;
  bool begun_ = false;
  bool slow_ = false;  // lines were dropped for a slow reader
  bool full_ = false;  // the disk
};

}  // namespace tcpwitness
