// SPDX-License-Identifier: Apache-2.0
// capture.hpp: a capture file (pcap, pcapng; gzip and zstd too) as events for a Correlator.
//
//   auto capture = Capture::open("dump.pcap");          // or "-": standard input
//   Correlator correlator(capture_settings(), names);
//   while (capture->read(events)) ...                   // feed each, then clear them; those of the last read() too
//   correlator.finish(capture->now(), reports);
//
// Needs no privilege. Everything in the file is checked before it is used. Not for two threads at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tcpwitness/event.hpp"
#include "tcpwitness/pipeline.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

// How a Correlator is to judge packets alone: no kernel events, every segment there.
[[nodiscard]] CorrelatorSettings capture_settings();

// Owns the file and what it remembers of its conversations; events that it has given refer to nothing of it. Movable; a
// moved-from one may only be destroyed or assigned to.
class Capture {
 public:
  // An Error where the file cannot be opened, or is no capture. every_segment: ordinary segments are events too (for a
  // timeline of all of them), not only those that matter.
  static Result<Capture> open(const std::string& path, bool every_segment = false);
  ~Capture();
  Capture(Capture&&) noexcept;
  Capture& operator=(Capture&&) noexcept;

  // Appends what the next frames show, some hundred events at most, in the file's order. False: that was all, the file
  // is over or damaged; what it has appended is good.
  [[nodiscard]] bool read(std::vector<Event>& events);

  // The newest time in the file so far, in nanoseconds since 1970.
  [[nodiscard]] TimeNs now() const;
  // Where and why it could not be read further; empty: to its end.
  [[nodiscard]] const std::optional<Error>& damage() const;
  // Counts:
  [[nodiscard]] std::uint64_t frames() const;    // of any kind, so far
  [[nodiscard]] std::uint64_t segments() const;  // of TCP, so far

 private:
  struct Impl;
  explicit Capture(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness
