// SPDX-License-Identifier: Apache-2.0
// byte_window.hpp: a sliding window over the bytes of a file: the next n of them side by side, without copying them
// once more.
//
// The window is refilled in large pieces. What need() gave stays valid until the next need(). Memory is bounded by the
// largest n that was ever asked for, which is the caller's to limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace tcpwitness {

// Where bytes come from: a descriptor, a decompressor, memory.
class ByteSource {
 public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Up to `room` bytes, at least one; 0: the end, or it cannot be read further, then failure() says why, or nobody
  // wants to wait for more: stopped().
  virtual std::size_t read(std::byte* to, std::size_t room) = 0;
  // The next bytes in memory of its own, behind a copy of `rest`, until it lends again. Empty: read() them.
  virtual std::span<const std::byte> lend(std::span<const std::byte> /*rest*/) { return {}; }
  // Whether it can go over bytes without reading them; then up to `count` of the next ones, as many as there are.
  [[nodiscard]] virtual bool can_pass_over() const { return false; }
  virtual std::uint64_t pass_over(std::uint64_t /*count*/) { return 0; }
  [[nodiscard]] virtual std::uint64_t packed_bytes_read() const = 0;  // of the file itself

  [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }
  [[nodiscard]] bool stopped() const { return stopped_; }

 protected:
  // Nothing more comes from here, and the source below has the reason.
  void end_as(const ByteSource& below) {
    failure_ = below.failure_;
    stopped_ = below.stopped_;
  }

  std::optional<std::string> failure_;
  bool stopped_ = false;
};

class ByteWindow {
 public:
  // total: bytes that are to come, where that is known; 0: not known.
  ByteWindow(std::unique_ptr<ByteSource> source, std::uint64_t total);

  // The next n bytes; null where there are fewer (available() is how many).
  const std::byte* need(std::size_t n) { return available() >= n ? at_ : refill(n); }
  void skip(std::size_t n) {  // n <= available()
    at_ += n;
    ++skips_;
  }
  // The next n bytes, need() and skip() in one, for who looks at the first `head` of them only: the rest is passed
  // over unread where that is cheaper. Null where there are fewer.
  const std::byte* take(std::size_t n, std::size_t head) {
    if (available() < n) [[unlikely]]
      return take_beyond(n, head);
    const std::byte* bytes = at_;
    skip(n);
    return bytes;
  }

  [[nodiscard]] std::size_t available() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] std::uint64_t offset() const { return end_offset_ - available(); }  // of the next byte
  [[nodiscard]] const ByteSource& source() const { return *source_; }

 private:
  const std::byte* refill(std::size_t n);
  bool borrow();
  const std::byte* take_beyond(std::size_t n, std::size_t head);

  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t size_;
  std::size_t piece_ = 0;  // how much is read at once: little behind what was passed over, then more and more
  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
  std::uint64_t end_offset_ = 0;
  std::uint64_t skips_ = 0;  // as many as packets, about
  bool ended_ = false;
};

}  // namespace tcpwitness
