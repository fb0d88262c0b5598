// SPDX-License-Identifier: Apache-2.0
// read_ahead.hpp: an ordinary file, read piece by piece by a thread of its own while the pieces before are looked at.
//
// Of the work on a capture of full-size packets more than half is the kernel's copy into the program. Pieces are not
// copied again: each has room in front for what is left of the one before.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <thread>

#include "capture/bounded_queue.hpp"

namespace tcpwitness {

// pread(2), again where a signal came in between. Bytes read; 0: the end; -1: see errno.
ssize_t pread_some(int fd, std::byte* to, std::size_t room, off_t at);

class ReadAhead {
 public:
  static constexpr std::size_t headroom = std::size_t{256} * 1024;  // of each piece

  ReadAhead() = default;
  ~ReadAhead() { stop(); }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // From byte `at` on; false where there can be no thread. Not while running(). fd stays the caller's, and open until
  // stop().
  [[nodiscard]] bool start(int fd, off_t at);
  [[nodiscard]] bool running() const { return thread_.joinable(); }
  // The next piece behind a copy of `rest` (headroom at most). Valid until the next call, also of stop(). Empty: at
  // the end, or where the file cannot be read further; pread() there says which.
  std::span<const std::byte> next(std::span<const std::byte> rest);
  // What was read and not asked for is forgotten.
  void stop();

 private:
  struct Piece {
    std::unique_ptr<std::byte[]> memory;
    std::size_t size = 0;  // behind the headroom
  };
  using Pieces = BoundedQueue<Piece>;

  static void read_on(int fd, off_t at, Pieces& pieces);

  std::unique_ptr<Pieces> pieces_;
  std::thread thread_;
  std::optional<Piece> lent_;
};

}  // namespace tcpwitness
