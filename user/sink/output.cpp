// SPDX-License-Identifier: Apache-2.0
// output.cpp: write(2) until everything is out: partial writes go on, EINTR is retried, and a
// descriptor that somebody else made non-blocking (a shared terminal) is waited for.
#include "sink/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace tcpwitness {

Output::Output(int fd) : fd_(fd) { buffer_.reserve(2 * spill_bytes); }

Output::~Output() {
  if (fd_ >= 0) ::close(fd_);
}

bool Output::flush() {
  write_out();
  return error_ == 0;
}

void Output::write_out() {
  const char* next = buffer_.data();
  std::size_t left = error_ == 0 ? buffer_.size() : 0;
  while (left > 0) {
    const ssize_t written = ::write(fd_, next, left);
    if (written >= 0) {
      next += written;
      left -= static_cast<std::size_t>(written);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
      (void)::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      error_ = errno;
      left = 0;
    }
  }
  buffer_.clear();
}

}  // namespace tcpwitness
