// SPDX-License-Identifier: Apache-2.0
#include "capture/unpack.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <new>
#include <string>

namespace tcpwitness {
namespace {

constexpr std::size_t packed_size = std::size_t{64} * 1024;

// The packed bytes in pieces.
class Unpacker : public ByteSource {
 public:
  explicit Unpacker(std::unique_ptr<ByteSource> packed)
      : packed_(std::move(packed)), piece_(std::make_unique_for_overwrite<std::byte[]>(packed_size)) {}
  [[nodiscard]] std::uint64_t packed_bytes_read() const final { return packed_->packed_bytes_read(); }

 protected:
  [[nodiscard]] bool exhausted() const { return at_ == filled_; }
  [[nodiscard]] std::byte* at() { return piece_.get() + at_; }
  [[nodiscard]] std::size_t left() const { return filled_ - at_; }
  void used(std::size_t count) { at_ += count; }

  // False: there are no more.
  bool refill() {
    at_ = 0;
    filled_ = packed_->read(piece_.get(), packed_size);
    if (filled_ == 0) end_as(*packed_);
    return filled_ > 0;
  }
  std::size_t fail(std::string why) {
    failure_ = std::move(why);
    return 0;
  }

 private:
  std::unique_ptr<ByteSource> packed_;
  std::unique_ptr<std::byte[]> piece_;
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
};

class Gunzip final : public Unpacker {
 public:
  explicit Gunzip(std::unique_ptr<ByteSource> packed) : Unpacker(std::move(packed)) {
    // 15: the largest window of the format; 16: gzip framing.
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw std::bad_alloc();
  }
  ~Gunzip() override { inflateEnd(&stream_); }

  std::size_t read(std::byte* to, std::size_t room) override {
    room = std::min<std::size_t>(room, std::numeric_limits<uInt>::max());
    while (!failure_) {
      if (exhausted() && !pending_ && !refill())
        return failure_ || stopped_ || between_ ? 0 : fail("the gzip data ends before it is complete");
      if (between_) {
        // Behind a member: another one, or zeros, to which tapes and some writers round up.
        while (!exhausted() && *at() == std::byte{0}) used(1);
        if (exhausted()) continue;
        if (*at() != std::byte{0x1f}) return fail("what follows the gzip data is no gzip data");
        inflateReset(&stream_);
        between_ = false;
      }
      stream_.next_in = reinterpret_cast<Bytef*>(at());
      stream_.avail_in = static_cast<uInt>(left());
      stream_.next_out = reinterpret_cast<Bytef*>(to);
      stream_.avail_out = static_cast<uInt>(room);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      used(left() - stream_.avail_in);
      if (status == Z_STREAM_END)
        between_ = true;
      else if (status != Z_OK && status != Z_BUF_ERROR)
        damaged_ = std::string("the gzip data is damaged (") + (stream_.msg != nullptr ? stream_.msg : "zlib") + ")";
      const std::size_t got = room - stream_.avail_out;
      pending_ = got == room && !between_;
      if (got > 0) return got;
      if (!damaged_.empty()) return fail(damaged_);
    }
    return 0;
  }

 private:
  z_stream stream_{};
  bool pending_ = false;  // zlib may hold output for which there was no room
  bool between_ = false;  // behind a whole member
  std::string damaged_;
};

class Unzstd final : public Unpacker {
 public:
  explicit Unzstd(std::unique_ptr<ByteSource> packed) : Unpacker(std::move(packed)), stream_(ZSTD_createDStream()) {
    if (!stream_) throw std::bad_alloc();
  }

  std::size_t read(std::byte* to, std::size_t room) override {
    while (!failure_) {
      if (exhausted() && !pending_ && !refill())
        return failure_ || stopped_ || whole_ ? 0 : fail("the zstd data ends before it is complete");
      ZSTD_inBuffer in{at(), left(), 0};
      ZSTD_outBuffer out{to, room, 0};
      const std::size_t status = ZSTD_decompressStream(stream_.get(), &out, &in);
      used(in.pos);
      whole_ = status == 0;
      if (ZSTD_isError(status) != 0)
        return fail(std::string("the zstd data is damaged (") + ZSTD_getErrorName(status) + ")");
      pending_ = out.pos == room;
      if (out.pos > 0) return out.pos;
    }
    return 0;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  bool pending_ = false;  // zstd may hold output for which there was no room
  bool whole_ = false;    // behind a whole frame
};

bool begins_with(std::span<const std::byte> bytes, std::initializer_list<unsigned> magic) {
  return bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(),
                    [](unsigned a, std::byte b) { return std::byte{static_cast<unsigned char>(a)} == b; });
}

}  // namespace

bool is_gzip(std::span<const std::byte> first_bytes) { return begins_with(first_bytes, {0x1f, 0x8b, 0x08}); }
bool is_zstd(std::span<const std::byte> first_bytes) { return begins_with(first_bytes, {0x28, 0xb5, 0x2f, 0xfd}); }

std::unique_ptr<ByteSource> unpack_gzip(std::unique_ptr<ByteSource> packed) {
  return std::make_unique<Gunzip>(std::move(packed));
}
std::unique_ptr<ByteSource> unpack_zstd(std::unique_ptr<ByteSource> packed) {
  return std::make_unique<Unzstd>(std::move(packed));
}

}  // namespace tcpwitness
