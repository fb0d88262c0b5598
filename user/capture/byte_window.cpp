// SPDX-License-Identifier: Apache-2.0
#include "capture/byte_window.hpp"

#include <algorithm>
#include <cstring>

namespace tcpwitness {
namespace {

// Large enough that a system call's cost does not show, small enough to stay in the second-level cache.
constexpr std::size_t usual_size = std::size_t{256} * 1024;

}  // namespace

ByteWindow::ByteWindow(std::unique_ptr<ByteSource> source) : source_(std::move(source)), buffer_(usual_size) {
  at_ = end_ = buffer_.data();
}

const std::byte* ByteWindow::refill(std::size_t n) {
  const std::size_t rest = available();
  if (n > buffer_.size()) {
    std::vector<std::byte> larger(std::max(n, buffer_.size() * 2));
    std::copy(at_, end_, larger.begin());
    buffer_.swap(larger);
  } else if (rest > 0 && at_ != buffer_.data()) {
    std::memmove(buffer_.data(), at_, rest);
  }
  std::size_t filled = rest;
  while (filled < n && !ended_) {
    const std::size_t got = source_->read(buffer_.data() + filled, buffer_.size() - filled);
    ended_ = got == 0;
    filled += got;
    end_offset_ += got;
  }
  at_ = buffer_.data();
  end_ = at_ + filled;
  return filled >= n ? at_ : nullptr;
}

}  // namespace tcpwitness
