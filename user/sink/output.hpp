// SPDX-License-Identifier: Apache-2.0
// output.hpp: one file descriptor and the bytes that wait to be written to it.
//
// Sinks append whole lines to buffer() and call line_done(); the buffer goes out when it is large or on
// flush(). After the first failure everything is discarded, so memory stays bounded and the caller
// learns from flush() or error(). SIGPIPE must be ignored by the process: EPIPE is an error like others.
//
// Who reads a file waits for its reader. Who drains a ring does not: what the reader does not take waits in memory, and
// when there is too much of it whole lines are dropped and counted.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tcpwitness {

using Buffer = fmt::memory_buffer;

class Output {
 public:
  static constexpr std::size_t spill_bytes = std::size_t{64} * 1024;
  static constexpr std::size_t waiting_bytes = std::size_t{16} << 20U;  // for a reader that is slow

  enum class Mode : std::uint8_t { waits, never_waits };

  // Takes the descriptor: it is closed with the Output. What was not flushed by then is lost.
  explicit Output(int fd, Mode mode = Mode::waits);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // A disk that is full is a slow reader: what is a file then waits in memory, and never ends within a line.
  void wait_for_room() { waits_for_room_ = true; }
  // The errno of such a disk; 0: everything was written.
  [[nodiscard]] int no_room() const { return no_room_; }

  // Waiting ends too when this descriptor is readable (a signalfd): that is an error, ECANCELED.
  void stop_waiting_for(int stop_fd) { stop_fd_ = stop_fd; }

  [[nodiscard]] Buffer& buffer() { return buffer_; }
  // A line is complete: writes the buffer out if it has grown large.
  void line_done() {
    if (buffer_.size() - line_begin_ != 0 && waiting() > waiting_bytes) return drop_line();
    line_begin_ = buffer_.size();
    if (waiting() >= spill_bytes) write_out();
  }
  // Hands everything to the operating system, or as much as it takes. False once anything has failed; the errno stays
  // in error().
  [[nodiscard]] bool flush();
  // Everything from now on goes to another descriptor, which this takes. False: part of it is still to go to the old
  // one (a slow reader), and nothing was done. `empty`: the new one's heading is still to be written.
  [[nodiscard]] bool replace(int fd, bool empty);
  // What waits now is the heading of a file (the columns of a table): left out where the file has one already, and
  // written to each that is begun.
  void take_heading(bool already_there);
  // The last flush: waits for the reader as long as it takes something within `patience`. False: not everything went.
  [[nodiscard]] bool finish(std::chrono::milliseconds patience);
  [[nodiscard]] int error() const { return error_; }
  // Bytes that are not written yet.
  [[nodiscard]] std::size_t waiting() const { return buffer_.size() - written_; }
  // Lines that a slow reader has cost so far.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  // Bytes that were moved in memory to make room in it.
  [[nodiscard]] std::uint64_t moved() const { return moved_; }

 private:
  void write_out();
  void forget_written();
  void drop_line();
  void cut_off_begun_line();
  // So many bytes of what waits are written, at least one unless nobody takes any or it failed.
  std::size_t write_some(std::size_t from);
  [[nodiscard]] bool wait(int timeout_ms);

  int fd_;
  Mode mode_;
  int stop_fd_ = -1;
  bool regular_ = false;
  int error_ = 0;
  std::size_t line_begin_ = 0;  // of the line that is being made
  std::uint64_t dropped_ = 0;
  std::string heading_;
  bool waits_for_room_ = false;
  int no_room_ = 0;
  std::size_t begun_ = 0;    // bytes that were written of a line that was not written whole
  std::size_t written_ = 0;  // bytes at the begin of the buffer that were written
  std::uint64_t moved_ = 0;
  Buffer buffer_;
};

}  // namespace tcpwitness
