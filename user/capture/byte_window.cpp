// SPDX-License-Identifier: Apache-2.0
#include "capture/byte_window.hpp"

#include <algorithm>
#include <cstring>

namespace tcpwitness {
namespace {

// Large enough that a system call's cost does not show, small enough to share the caches with what is kept of
// conversations.
constexpr std::size_t usual_size = std::size_t{64} * 1024;

// Behind bytes that were passed over there are often more of them, behind the next headers.
constexpr std::size_t smallest_piece = 1024;
// To copy fewer bytes costs less than the system call that saves it.
constexpr std::size_t worth_passing_over = std::size_t{16} * 1024;

// A packet so long on average takes longer to be copied than to be looked at; of shorter ones the copies are hardly
// felt, and a thread for them takes more from the caches than it gives.
constexpr std::uint64_t worth_lending = 512;

}  // namespace

ByteWindow::ByteWindow(std::unique_ptr<ByteSource> source, std::uint64_t total)
    : source_(std::move(source)),
      size_(total == 0 ? usual_size : static_cast<std::size_t>(std::clamp<std::uint64_t>(total, 64, usual_size))) {
  buffer_ = std::make_unique_for_overwrite<std::byte[]>(size_);
  piece_ = size_;
  at_ = end_ = buffer_.get();
}

bool ByteWindow::borrow() {
  if (piece_ < size_ || offset() < skips_ * worth_lending) return false;
  const std::size_t rest = available();
  const std::span<const std::byte> lent = source_->lend({at_, rest});
  if (lent.empty()) return false;
  at_ = lent.data();
  end_ = at_ + lent.size();
  end_offset_ += lent.size() - rest;
  return true;
}

const std::byte* ByteWindow::refill(std::size_t n) {
  if (borrow() && available() >= n) return at_;
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
    const std::size_t got =
        source_->read(buffer_.get() + filled, std::min(size_ - filled, std::max(n - filled, piece_)));
    ended_ = got == 0;
    filled += got;
    end_offset_ += got;
  }
  piece_ = std::min(piece_ * 2, size_);
  at_ = buffer_.get();
  end_ = at_ + filled;
  return filled >= n ? at_ : nullptr;
}

const std::byte* ByteWindow::take_beyond(std::size_t n, std::size_t head) {
  const bool pass_over = n - head >= worth_passing_over && source_->can_pass_over();
  const std::byte* bytes = need(pass_over ? head : n);
  if (bytes == nullptr) return nullptr;
  if (available() >= n) {
    skip(n);
    return bytes;
  }
  const std::uint64_t wanted = n - available();
  const std::uint64_t passed = source_->pass_over(wanted);
  at_ = end_;
  end_offset_ += passed;
  piece_ = smallest_piece;
  return passed == wanted ? bytes : nullptr;
}

}  // namespace tcpwitness
