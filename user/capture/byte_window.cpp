// SPDX-License-Identifier: Apache-2.0
#include "capture/byte_window.hpp"

#include <algorithm>
#include <cstring>

namespace tcpwitness {
namespace {

// Large enough that a system call's cost does not show, small enough to share the caches with what is kept of
// conversations.
constexpr std::size_t usual_size = std::size_t{64} * 1024;

}  // namespace

ByteWindow::ByteWindow(std::unique_ptr<ByteSource> source, std::uint64_t total)
    : source_(std::move(source)),
      size_(total == 0 ? usual_size : static_cast<std::size_t>(std::clamp<std::uint64_t>(total, 64, usual_size))) {
  buffer_ = std::make_unique_for_overwrite<std::byte[]>(size_);
  at_ = end_ = buffer_.get();
}

const std::byte* ByteWindow::refill(std::size_t n) {
  const std::size_t rest = available();
  if (n > size_) {
    const std::size_t larger = std::max(n, size_ * 2);
    auto buffer = std::make_unique_for_overwrite<std::byte[]>(larger);
    std::copy(at_, end_, buffer.get());
    buffer_ = std::move(buffer);
    size_ = larger;
  } else if (rest > 0 && at_ != buffer_.get()) {
    std::memmove(buffer_.get(), at_, rest);
  }
  std::size_t filled = rest;
  while (filled < n && !ended_) {
    const std::size_t got = source_->read(buffer_.get() + filled, size_ - filled);
    ended_ = got == 0;
    filled += got;
    end_offset_ += got;
  }
  at_ = buffer_.get();
  end_ = at_ + filled;
  return filled >= n ? at_ : nullptr;
}

}  // namespace tcpwitness
