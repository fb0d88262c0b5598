// SPDX-License-Identifier: Apache-2.0
// output.cpp: write(2) until everything is out: partial writes go on, EINTR is retried, and a
// descriptor that somebody else made non-blocking (a shared terminal) is waited for.
#include "sink/output.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>

namespace tcpwitness {

namespace {

bool is_regular(int fd) {
  struct stat file{};
  return ::fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
}

}  // namespace

Output::Output(int fd, Mode mode) : fd_(fd), mode_(mode), regular_(is_regular(fd)) { buffer_.reserve(2 * spill_bytes); }

Output::~Output() {
  if (fd_ >= 0) ::close(fd_);
}

bool Output::flush() {
  write_out();
  return error_ == 0;
}

bool Output::replace(int fd, bool empty) {
  write_out();
  if (error_ == 0 && waiting() != 0) return false;
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  regular_ = is_regular(fd);
  if (empty) buffer_.append(heading_);
  line_begin_ = buffer_.size();
  return true;
}

void Output::take_heading(bool already_there) {
  heading_.assign(buffer_.data() + written_, waiting());
  if (already_there) buffer_.resize(written_);
  line_begin_ = buffer_.size();
}

bool Output::finish(std::chrono::milliseconds patience) {
  write_out();
  while (error_ == 0 && waiting() != 0 && no_room_ == 0) {
    if (!wait(static_cast<int>(patience.count()))) break;
    write_out();
  }
  if (no_room_ != 0) cut_off_begun_line();
  dropped_ += static_cast<std::uint64_t>(std::count(buffer_.begin() + written_, buffer_.end(), '\n'));
  return error_ == 0 && waiting() == 0;
}

// Where somebody else has written behind it, it stays.
void Output::cut_off_begun_line() {
  struct stat file{};
  if (begun_ == 0 || ::fstat(fd_, &file) != 0 || file.st_size < static_cast<off_t>(begun_)) return;
  if (::lseek(fd_, 0, SEEK_CUR) != file.st_size) return;
  if (::ftruncate(fd_, file.st_size - static_cast<off_t>(begun_)) == 0) begun_ = 0;
}

// The line goes, and those before it wait.
void Output::drop_line() {
  buffer_.resize(line_begin_);
  ++dropped_;
  write_out();
}

// It can be written to. False: not within the time, or waiting is over.
bool Output::wait(int timeout_ms) {
  std::array<pollfd, 2> both{
      {{.fd = fd_, .events = POLLOUT, .revents = 0}, {.fd = stop_fd_, .events = POLLIN, .revents = 0}}};
  const int ready = ::poll(both.data(), both.size(), timeout_ms);
  if (ready < 0 && errno == EINTR) return true;
  if (both[0].revents != 0) return true;
  if (both[1].revents != 0) error_ = ECANCELED;
  return false;
}

std::size_t Output::write_some(std::size_t from) {
  std::size_t chunk = buffer_.size() - from;
  if (!regular_) {
    // A pipe or a terminal that is writable takes so much without blocking.
    if (!wait(mode_ == Mode::waits ? -1 : 0)) return 0;
    if (mode_ == Mode::never_waits || stop_fd_ >= 0) chunk = std::min<std::size_t>(chunk, PIPE_BUF);
  }
  const ssize_t written = ::write(fd_, buffer_.data() + from, chunk);
  if (written >= 0) return static_cast<std::size_t>(written);
  const bool again = errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
  const bool full = waits_for_room_ && regular_ && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG);
  if (full) {
    no_room_ = errno;
  } else if (!again) {
    error_ = errno;
  }
  return 0;
}

void Output::write_out() {
  const std::size_t from = written_;
  while (error_ == 0 && waiting() != 0) {
    const std::size_t some = write_some(written_);
    if (some == 0 && mode_ == Mode::never_waits) break;
    written_ += some;
  }
  if (error_ != 0) written_ = buffer_.size();
  if (written_ != from) {
    const std::string_view sent(buffer_.data() + from, written_ - from);
    const std::size_t newline = sent.rfind('\n');
    begun_ = newline == std::string_view::npos ? begun_ + sent.size() : sent.size() - newline - 1;
  }
  if (waiting() == 0) no_room_ = 0;
  forget_written();
  line_begin_ = buffer_.size();
}

// Once it is a quarter of what waits: at most four bytes are moved for each one that is written.
void Output::forget_written() {
  const std::size_t left = waiting();
  if (written_ < left / 4) return;
  if (written_ != 0 && left != 0) {
    std::memmove(buffer_.data(), buffer_.data() + written_, left);
    moved_ += left;
  }
  buffer_.resize(left);
  written_ = 0;
}

}  // namespace tcpwitness
