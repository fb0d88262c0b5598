// SPDX-License-Identifier: Apache-2.0
//
// A file descriptor with one owner, closed when the owner dies. Every descriptor in the lab is one, and every
// one is opened close-on-exec: a descriptor that leaks into a player would keep a killed player's socket alive.

#pragma once

#include <unistd.h>

#include <utility>

namespace tcpwitness::lab {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

}  // namespace tcpwitness::lab
