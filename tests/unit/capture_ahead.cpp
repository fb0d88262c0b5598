// SPDX-License-Identifier: Apache-2.0
// A long file is read ahead by a thread: nothing may differ from the same capture in memory, wherever its packets,
// its end and the pieces meet.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "capture/read_ahead.hpp"
#include "unit/capture_bytes.hpp"
#include "unit/capture_read.hpp"

namespace tcpwitness::testing {
namespace {

constexpr std::size_t long_enough = std::size_t{6} << 20U;  // several times what is read before the thread is started

// A packet of `length` bytes that no other packet has. Not byte by byte: under the thread sanitizer that is most of
// what these tests take.
Bytes packet(std::size_t length, std::uint32_t number) {
  Bytes bytes;
  bytes.zeros(length);
  std::byte* const to = bytes.raw().data();
  for (std::size_t at = 0; at + 4 <= length; at += 4) {
    const std::uint32_t word = number * 1'000'003U + static_cast<std::uint32_t>(at / 4);
    std::memcpy(to + at, &word, 4);
  }
  return bytes;
}

// Full-size packets, and now and then one of another length.
std::size_t some_length(std::minstd_rand& random) {
  constexpr std::array<std::size_t, 8> others{0, 66, 90, 9000, 17'000, 65'549, 131'072, 262'144};
  return random() % 64 == 0 ? others[random() % others.size()] : 1514;
}

Bytes pcap() {
  std::minstd_rand random(3);
  Pcap capture;
  for (std::uint32_t n = 0; capture.file.size() < long_enough; ++n)
    capture.packet(packet(some_length(random), n), n, 0, 300'000);
  return capture.file;
}

Bytes pcapng() {
  std::minstd_rand random(4);
  Pcapng capture;
  capture.interface();
  for (std::uint32_t n = 0; capture.file.size() < long_enough; ++n) capture.packet(packet(some_length(random), n), n);
  return capture.file;
}

Bytes first(const Bytes& all, std::size_t count) {
  Bytes part;
  part.add(all.span().first(count));
  return part;
}

void expect_the_same(const Bytes& capture, std::optional<std::uint32_t> head = {}) {
  const Scratch scratch(capture);
  auto from_disk = CaptureFile::open(scratch.path);
  auto from_memory = CaptureFile::open(capture.span());
  ASSERT_TRUE(from_disk && from_memory);
  if (head) {
    (*from_disk)->set_snaplen(*head);
    (*from_memory)->set_snaplen(*head);
  }
  const Read disk = read(std::move(from_disk));
  const Read memory = read(std::move(from_memory));
  ASSERT_EQ(disk.blocks.size(), memory.blocks.size());
  EXPECT_TRUE(disk.blocks == memory.blocks);  // not EXPECT_EQ, which would print megabytes
  EXPECT_EQ(nameless(disk.damage, scratch), nameless(memory.damage, scratch));
}

TEST(ReadAhead, ALongCaptureIsReadAsItIs) {
  for (const Bytes& capture : {pcap(), pcapng()}) {
    expect_the_same(capture);
    expect_the_same(capture, 512);
  }
}

TEST(ReadAhead, ACaptureCutAnywhereIsDamagedAtTheSameByte) {
  const Bytes capture = pcap();
  std::minstd_rand random(5);
  for (int i = 0; i < 20; ++i) expect_the_same(first(capture, capture.size() - random() % (capture.size() / 2)), 512);
}

TEST(ReadAhead, AFileMayGrowWhileItIsRead) {
  const Bytes whole = pcap();
  const Bytes begin = first(whole, whole.size() / 2);
  const Scratch scratch(begin);
  auto file = CaptureFile::open(scratch.path);
  ASSERT_TRUE(file);
  // So far that the thread has been at the end.
  CaptureBlock block;
  std::vector<std::uint64_t> offsets;
  while (offsets.empty() || offsets.back() < begin.size() - 600'000) {
    ASSERT_TRUE((*file)->next(block));
    offsets.push_back(block.offset);
  }
  std::ofstream(scratch.path, std::ios::binary | std::ios::app) << text(whole.span().subspan(begin.size()));
  while ((*file)->next(block)) offsets.push_back(block.offset);
  EXPECT_FALSE((*file)->damage());
  EXPECT_EQ(offsets.size(), read(whole).blocks.size());
}

int threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

// A thread that was joined can be in /proc for a moment longer.
int threads_at_rest(int wanted) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (threads() != wanted && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  return threads();
}

// How many threads there are more once `bytes` of the capture were read, and when it is closed again.
std::pair<int, int> more_threads(const Bytes& capture, std::uint64_t bytes) {
  const Scratch scratch(capture);
  std::thread([] {}).join();
#ifdef __SANITIZE_THREAD__
  static const int before = threads_at_rest(2);  // one is the sanitizer's own, from the first one on
#else
  static const int before = threads_at_rest(1);
#endif
  threads_at_rest(before);
  auto file = CaptureFile::open(scratch.path);
  CaptureBlock block;
  while ((*file)->next(block) && block.offset < bytes) {
  }
  EXPECT_GE(block.offset, bytes);
  const int between = threads();
  file->reset();
  return {between - before, threads_at_rest(before) - before};
}

TEST(ReadAhead, HasAThreadWhereItPays) {
  constexpr std::size_t enough = 1'500'000;
  EXPECT_EQ(more_threads(pcap(), enough), std::pair(1, 0));
  EXPECT_EQ(more_threads(pcap(), 500'000), std::pair(0, 0)) << "not for so little";
  EXPECT_EQ(more_threads(pcapng(), enough), std::pair(1, 0));
  Pcap small;
  for (std::uint32_t n = 0; small.file.size() < long_enough; ++n) small.packet(packet(90, n));
  EXPECT_EQ(more_threads(small.file, enough), std::pair(0, 0)) << "not for small packets";
}

// The thread alone.
class Pieces : public ::testing::Test {
 public:
  ~Pieces() override { ::close(fd_); }

 protected:
  Bytes content_ = packet(long_enough, 9);
  Scratch scratch_{content_};
  int fd_ = ::open(scratch_.path.c_str(), O_RDONLY | O_CLOEXEC);

  // What comes next is `rest` and then the file from `at` on. How much of the file came.
  static std::size_t expect_next(ReadAhead& ahead, const Bytes& content, std::size_t rest, std::size_t at) {
    const std::span<const std::byte> left = content.span().subspan(at - rest, rest);
    const std::span<const std::byte> got = ahead.next(left);
    if (got.empty()) return 0;
    EXPECT_LE(at + got.size() - rest, content.size());
    EXPECT_EQ(std::memcmp(got.data(), content.span().data() + at - rest, got.size()), 0);
    return got.size() - rest;
  }
};

TEST_F(Pieces, FollowEachOtherBehindWhatIsLeft) {
  ReadAhead ahead;
  ASSERT_TRUE(ahead.start(fd_, 1000));
  std::minstd_rand random(6);
  std::size_t at = 1000;
  while (const std::size_t more =
             expect_next(ahead, content_, std::min<std::size_t>(at, random() % (ReadAhead::headroom + 1)), at))
    at += more;
  EXPECT_EQ(at, content_.size());
  EXPECT_TRUE(ahead.next({}).empty()) << "the end must stay the end";
}

TEST_F(Pieces, CanBeginElsewhere) {
  ReadAhead ahead;
  for (const std::size_t from : {std::size_t{5'000'000}, std::size_t{0}, std::size_t{77}, long_enough - 3}) {
    ASSERT_TRUE(ahead.start(fd_, static_cast<off_t>(from)));
    EXPECT_TRUE(ahead.running());
    EXPECT_GT(expect_next(ahead, content_, std::min<std::size_t>(from, 10), from), 0U);
    ahead.stop();
    EXPECT_FALSE(ahead.running());
  }
}

TEST_F(Pieces, StayReadableAfterStop) {
  ReadAhead ahead;
  ASSERT_TRUE(ahead.start(fd_, 0));
  const std::span<const std::byte> got = ahead.next({});
  ahead.stop();
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(std::memcmp(got.data(), content_.span().data(), got.size()), 0);
}

TEST_F(Pieces, ThereAreNoneOfWhatCannotBeRead) {
  ReadAhead ahead;
  const int directory = ::open("/", O_RDONLY | O_CLOEXEC);
  ASSERT_TRUE(ahead.start(directory, 0));
  EXPECT_TRUE(ahead.next({}).empty());
  ahead.stop();
  ::close(directory);
}

}  // namespace
}  // namespace tcpwitness::testing
