// SPDX-License-Identifier: Apache-2.0
// sink_output.cpp: Output against real descriptors: pipes that close, fill and block, a full disk.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "sink/output.hpp"
#include "sink/paint.hpp"

namespace tcpwitness {
namespace {

struct Pipe {
  Pipe() {
    std::signal(SIGPIPE, SIG_IGN);
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  }
  [[nodiscard]] int reader() const { return ends[0]; }
  [[nodiscard]] int writer() const { return ends[1]; }
  std::array<int, 2> ends{};
};

std::string drain(int fd) {
  std::string text;
  std::array<char, 65536> chunk{};
  for (ssize_t got = 0; (got = ::read(fd, chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return text;
}

TEST(Output, NothingGoesOutBeforeFlush) {
  const Pipe pipe;
  Output output(pipe.writer());
  ASSERT_EQ(::fcntl(pipe.reader(), F_SETFL, O_NONBLOCK), 0);
  append(output.buffer(), "a line\n");
  output.line_done();
  char byte = 0;
  EXPECT_EQ(::read(pipe.reader(), &byte, 1), -1);
  EXPECT_TRUE(output.flush());
  EXPECT_EQ(::read(pipe.reader(), &byte, 1), 1);
  ::close(pipe.reader());
}

TEST(Output, LargeBuffersGoOutBySizeInOrderAndWhole) {
  const Pipe pipe;
  std::string got;
  std::thread reader([&] { got = drain(pipe.reader()); });
  std::string wanted;
  {
    Output output(pipe.writer());
    for (int i = 0; i < 100'000; ++i) {
      const std::string line = std::to_string(i) + "\n";
      append(output.buffer(), line);
      output.line_done();
      ASSERT_LT(output.buffer().size(), Output::spill_bytes);
      wanted += line;
    }
    EXPECT_TRUE(output.flush());
  }
  reader.join();
  EXPECT_EQ(got, wanted);
}

TEST(Output, ADescriptorThatSomebodyMadeNonBlockingIsWaitedFor) {
  const Pipe pipe;
  ASSERT_EQ(::fcntl(pipe.writer(), F_SETFL, O_NONBLOCK), 0);
  std::string got;
  std::thread reader([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    got = drain(pipe.reader());
  });
  {
    Output output(pipe.writer());
    append(output.buffer(), std::string(1 << 20, 'x'));  // more than a pipe holds
    EXPECT_TRUE(output.flush());
  }
  reader.join();
  EXPECT_EQ(got.size(), 1U << 20U);
}

TEST(Output, AReaderThatLeftIsReportedAndItsErrnoKept) {
  const Pipe pipe;
  Output output(pipe.writer());
  ::close(pipe.reader());
  append(output.buffer(), "x\n");
  EXPECT_FALSE(output.flush());
  EXPECT_EQ(output.error(), EPIPE);
  EXPECT_FALSE(output.flush());
}

TEST(Output, AFullDiskIsReported) {
  Output output(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_TRUE(output.flush());
  append(output.buffer(), "x\n");
  EXPECT_FALSE(output.flush());
  EXPECT_EQ(output.error(), ENOSPC);
}

// As much of a line as found room is cut off at the end, unless another process has appended to the file since.
TEST(Output, ABegunLineIsCutOffWhereItIsTheFilesEnd) {
  std::signal(SIGXFSZ, SIG_IGN);
  for (const bool others : {false, true}) {
    std::array<char, 32> path{"/tmp/tw-output-XXXXXX"};
    const int shared = ::mkstemp(path.data());
    ASSERT_GE(shared, 0);
    Output output(::open(path.data(), O_WRONLY | O_APPEND | O_CLOEXEC), Output::Mode::never_waits);
    ::unlink(path.data());
    output.wait_for_room();
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{10, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    append(output.buffer(), "whole\nnot whole\n");
    output.line_done();
    EXPECT_TRUE(output.flush());
    ::setrlimit(RLIMIT_FSIZE, &before);
    const ssize_t theirs = others ? ::pwrite(shared, "theirs\n", 7, 10) : 7;
    EXPECT_EQ(theirs, 7);
    ::setrlimit(RLIMIT_FSIZE, &small);
    EXPECT_FALSE(output.finish(std::chrono::milliseconds(1)));
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::lseek(shared, 0, SEEK_SET);
    EXPECT_EQ(drain(shared), others ? "whole\nnot theirs\n" : "whole\n");
  }
}

TEST(Output, AfterAFailureMemoryStaysBounded) {
  Output output(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  for (int i = 0; i < 100'000; ++i) {
    append(output.buffer(), "a line of some length that nobody will read\n");
    output.line_done();
  }
  EXPECT_LT(output.buffer().size(), Output::spill_bytes);
  EXPECT_EQ(output.error(), ENOSPC);
}

TEST(Output, AReaderThatTakesNothingCostsCountedLinesAndNoTime) {
  const Pipe pipe;
  Output output(pipe.writer(), Output::Mode::never_waits);
  const std::string line = std::string(999, 'x') + "\n";
  const auto begun = std::chrono::steady_clock::now();
  constexpr std::uint64_t lines = 40'000;  // 40 MB: a pipe's 64 KiB and 16 MiB of memory take 17,000 of them
  for (std::uint64_t i = 0; i < lines; ++i) {
    append(output.buffer(), line);
    output.line_done();
  }
  EXPECT_TRUE(output.flush());
  EXPECT_LT(output.waiting(), Output::waiting_bytes + 2 * line.size());
  EXPECT_GT(output.dropped(), 20'000U);
  EXPECT_LT(output.dropped(), 25'000U);
  EXPECT_FALSE(output.finish(std::chrono::milliseconds(50)));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  ::close(pipe.reader());
}

// 16 MiB wait, and the reader takes 64 KiB at a time.
TEST(Output, WhatWaitsForASlowReaderIsSeldomMoved) {
  const Pipe pipe;
  Output output(pipe.writer(), Output::Mode::never_waits);
  std::string wanted;
  for (int i = 0; wanted.size() < Output::waiting_bytes; ++i) {
    const std::string line = std::to_string(i) + std::string(90, 'x') + "\n";
    append(output.buffer(), line);
    output.line_done();
    wanted += line;
  }
  EXPECT_GT(output.waiting(), wanted.size() - 1'000'000);
  EXPECT_EQ(output.dropped(), 0U);
  std::string got;
  std::vector<char> chunk(65536);
  while (got.size() < wanted.size()) {
    const ssize_t some = ::read(pipe.reader(), chunk.data(), chunk.size());
    ASSERT_GT(some, 0);
    got.append(chunk.data(), static_cast<std::size_t>(some));
    ASSERT_TRUE(output.flush());
    ASSERT_LE(output.buffer().size(), Output::waiting_bytes + Output::waiting_bytes / 4 + wanted.size() / 16);
  }
  EXPECT_EQ(output.waiting(), 0U);
  EXPECT_EQ(got, wanted);
  EXPECT_LE(output.moved(), 4 * wanted.size());
  ::close(pipe.reader());
}

TEST(Output, AReaderThatIsSlowAtTimesGetsEverythingAndWholeLines) {
  const Pipe pipe;
  std::string got;
  std::thread reader([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    got = drain(pipe.reader());
  });
  std::string wanted;
  std::uint64_t dropped = 0;
  {
    Output output(pipe.writer(), Output::Mode::never_waits);
    for (int i = 0; i < 100'000; ++i) {
      const std::string line = std::to_string(i) + "\n";
      append(output.buffer(), line);
      output.line_done();
      wanted += line;
    }
    EXPECT_TRUE(output.finish(std::chrono::seconds(5)));
    dropped = output.dropped();
  }
  reader.join();
  EXPECT_EQ(dropped, 0U);
  EXPECT_EQ(got, wanted);
}

TEST(Output, WaitingEndsWhereItIsToldTo) {
  const Pipe pipe;
  const Pipe stop;
  Output output(pipe.writer());
  output.stop_waiting_for(stop.reader());
  append(output.buffer(), std::string(1 << 20, 'x'));
  ASSERT_EQ(::write(stop.writer(), "x", 1), 1);
  EXPECT_FALSE(output.flush());
  EXPECT_EQ(output.error(), ECANCELED);
  for (const int fd : {pipe.reader(), stop.reader(), stop.writer()}) ::close(fd);
}

}  // namespace
}  // namespace tcpwitness
