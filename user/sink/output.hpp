// SPDX-License-Identifier: Apache-2.0
// output.hpp: one file descriptor and the bytes that wait to be written to it.
//
// Sinks append whole lines to buffer() and call line_done(); the buffer goes out when it is large or on
// flush(). After the first failure everything is discarded, so memory stays bounded and the caller
// learns from flush() or error(). SIGPIPE must be ignored by the process: EPIPE is an error like others.
#pragma once

#include <fmt/format.h>

#include <cstddef>

namespace tcpwitness {

using Buffer = fmt::memory_buffer;

class Output {
 public:
  static constexpr std::size_t spill_bytes = std::size_t{64} * 1024;

  // Takes the descriptor: it is closed with the Output. What was not flushed by then is lost.
  explicit Output(int fd);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  [[nodiscard]] Buffer& buffer() { return buffer_; }
  // A line is complete: writes the buffer out if it has grown large.
  void line_done() {
    if (buffer_.size() >= spill_bytes) write_out();
  }
  // Hands everything to the operating system. False once anything has failed; the errno stays in error().
  [[nodiscard]] bool flush();
  [[nodiscard]] int error() const { return error_; }

 private:
  void write_out();

  int fd_;
  int error_ = 0;
  Buffer buffer_;
};

}  // namespace tcpwitness
