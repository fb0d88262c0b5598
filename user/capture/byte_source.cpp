// SPDX-License-Identifier: Apache-2.0
#include "capture/byte_source.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "capture/read_ahead.hpp"
#include "capture/unpack.hpp"

namespace tcpwitness {
namespace {

// Only asked for, and given back at once: who begins to write the file must get it.
bool is_locked(int fd) {
  if (::flock(fd, LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
  ::flock(fd, LOCK_UN);
  return false;
}

// How much of a file is read in a row before a thread is worth its start.
constexpr std::uint64_t worth_reading_ahead = std::uint64_t{1} << 20U;

// An ordinary file. One that is read from end to end is read ahead.
class FileSource final : public ByteSource {
 public:
  FileSource(int fd, bool owned) : fd_(fd), owned_(owned), at_(std::max(::lseek(fd, 0, SEEK_CUR), off_t{0})) {
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  ~FileSource() override {
    ahead_.stop();
    if (owned_) ::close(fd_);
  }

  std::size_t read(std::byte* to, std::size_t room) override {
    stop_reading_ahead();
    const ssize_t got = pread_some(fd_, to, room, at_);
    if (got < 0) failure_ = std::strerror(errno);
    if (got <= 0) return 0;
    at_ += got;
    in_a_row_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }
  std::span<const std::byte> lend(std::span<const std::byte> rest) override {
    if (in_a_row_ < worth_in_a_row_ || rest.size() > ReadAhead::headroom) return {};
    if (!ahead_.running() && !ahead_.start(fd_, at_)) return {};
    const std::span<const std::byte> lent = ahead_.next(rest);
    if (!lent.empty()) at_ += static_cast<off_t>(lent.size() - rest.size());
    return lent;
  }
  [[nodiscard]] bool can_pass_over() const override { return true; }
  std::uint64_t pass_over(std::uint64_t count) override {
    stop_reading_ahead();
    in_a_row_ = 0;
    const auto left = [&] { return static_cast<std::uint64_t>(std::max(size_ - at_, off_t{0})); };
    if (struct stat status{}; left() < count && ::fstat(fd_, &status) == 0) size_ = status.st_size;  // it may grow
    const std::uint64_t passed = std::min(count, left());
    at_ += static_cast<off_t>(passed);
    return passed;
  }
  [[nodiscard]] std::uint64_t packed_bytes_read() const override { return static_cast<std::uint64_t>(at_); }

 private:
  // What was read in vain is repaid before it is tried again.
  void stop_reading_ahead() {
    if (!ahead_.running()) return;
    ahead_.stop();
    in_a_row_ = 0;
    worth_in_a_row_ *= 2;
  }

  int fd_;
  bool owned_;
  off_t at_;
  off_t size_ = 0;  // when it was last looked at
  std::uint64_t in_a_row_ = 0;
  std::uint64_t worth_in_a_row_ = worth_reading_ahead;
  ReadAhead ahead_;
};

// A pipe, a socket, a terminal.
class DescriptorSource final : public ByteSource {
 public:
  DescriptorSource(int fd, bool owned, std::function<bool(int fd)> wait)
      : fd_(fd), owned_(owned), wait_(std::move(wait)) {}
  ~DescriptorSource() override {
    if (owned_) ::close(fd_);
  }

  std::size_t read(std::byte* to, std::size_t room) override {
    while (true) {
      stopped_ = wait_ && !wait_(fd_);
      if (stopped_) return 0;
      const ssize_t got = ::read(fd_, to, room);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) failure_ = std::strerror(errno);
      if (got <= 0) return 0;
      read_ += static_cast<std::uint64_t>(got);
      return static_cast<std::size_t>(got);
    }
  }
  [[nodiscard]] std::uint64_t packed_bytes_read() const override { return read_; }

 private:
  int fd_;
  bool owned_;
  std::function<bool(int fd)> wait_;
  std::uint64_t read_ = 0;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::size_t read(std::byte* to, std::size_t room) override {
    const std::size_t count = std::min(room, bytes_.size() - read_);
    if (count > 0) std::memcpy(to, bytes_.data() + read_, count);
    read_ += count;
    return count;
  }
  [[nodiscard]] bool can_pass_over() const override { return true; }
  std::uint64_t pass_over(std::uint64_t count) override {
    const std::uint64_t passed = std::min<std::uint64_t>(count, bytes_.size() - read_);
    read_ += static_cast<std::size_t>(passed);
    return passed;
  }
  [[nodiscard]] std::uint64_t packed_bytes_read() const override { return read_; }

 private:
  std::span<const std::byte> bytes_;
  std::size_t read_ = 0;
};

// Gives back what was read ahead to see the magic, then the rest.
class PeekedSource final : public ByteSource {
 public:
  PeekedSource(std::span<const std::byte> peeked, std::unique_ptr<ByteSource> rest)
      : peeked_(peeked.begin(), peeked.end()), rest_(std::move(rest)) {}

  std::size_t read(std::byte* to, std::size_t room) override {
    if (given_ < peeked_.size()) {
      const std::size_t count = std::min(room, peeked_.size() - given_);
      std::memcpy(to, peeked_.data() + given_, count);
      given_ += count;
      return count;
    }
    const std::size_t got = rest_->read(to, room);
    if (got == 0) end_as(*rest_);
    return got;
  }
  std::span<const std::byte> lend(std::span<const std::byte> rest) override {
    return given_ < peeked_.size() ? std::span<const std::byte>() : rest_->lend(rest);
  }
  [[nodiscard]] bool can_pass_over() const override { return given_ == peeked_.size() && rest_->can_pass_over(); }
  std::uint64_t pass_over(std::uint64_t count) override { return rest_->pass_over(count); }
  [[nodiscard]] std::uint64_t packed_bytes_read() const override { return rest_->packed_bytes_read(); }

 private:
  std::vector<std::byte> peeked_;
  std::size_t given_ = 0;
  std::unique_ptr<ByteSource> rest_;
};

// Looks at the first bytes and puts the decompressor in between that they ask for.
Result<OpenedSource> unpacked(OpenedSource opened, const std::string& name) {
  std::array<std::byte, 4> magic{};
  std::size_t have = 0;
  while (have < magic.size()) {
    const std::size_t got = opened.source->read(magic.data() + have, magic.size() - have);
    if (got == 0) break;
    have += got;
  }
  if (opened.source->failure()) return failure("read " + name, *opened.source->failure());
  const std::span<const std::byte> seen = std::span(magic).first(have);
  opened.source = std::make_unique<PeekedSource>(seen, std::move(opened.source));
  if (is_gzip(seen)) {
    opened.packing = "gzip";
    opened.source = unpack_gzip(std::move(opened.source));
  } else if (is_zstd(seen)) {
    opened.packing = "zstd";
    opened.source = unpack_zstd(std::move(opened.source));
  }
  return opened;
}

}  // namespace

Result<OpenedSource> open_source(const std::string& path, std::function<bool(int fd)> wait) {
  const bool standard_input = path == "-";
  const std::string name = standard_input ? "standard input" : path;
  const int fd = standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failure("open " + name, std::strerror(errno));
  OpenedSource opened;
  struct stat status{};
  const bool known = ::fstat(fd, &status) == 0;
  const int error = errno;
  opened.regular = known && S_ISREG(status.st_mode);
  if (opened.regular) {
    opened.total = static_cast<std::uint64_t>(status.st_size);
    opened.written = !standard_input && is_locked(fd);  // a lock of standard input may be the shell's
    opened.source = std::make_unique<FileSource>(fd, !standard_input);
  } else {
    opened.source = std::make_unique<DescriptorSource>(fd, !standard_input, std::move(wait));
  }
  if (!known) return failure("open " + name, std::strerror(error));
  if (S_ISDIR(status.st_mode)) return failure("read " + name, "it is a directory");
  return unpacked(std::move(opened), name);
}

Result<OpenedSource> open_source(std::span<const std::byte> bytes) {
  OpenedSource opened;
  opened.total = bytes.size();
  opened.source = std::make_unique<MemorySource>(bytes);
  return unpacked(std::move(opened), "the bytes");
}

}  // namespace tcpwitness
