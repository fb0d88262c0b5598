// SPDX-License-Identifier: Apache-2.0
// service_test.cpp: what a service manager and a journal get, against real sockets and files.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "recording/file_names.hpp"
#include "service/appended_file.hpp"
#include "service/journal_stream.hpp"
#include "service/manager.hpp"
#include "sink/output.hpp"
#include "sink/paint.hpp"
#include "unit/recorded.hpp"

namespace tcpwitness::testing {
namespace {

using namespace std::chrono_literals;
using Clock = ServiceManager::Clock;

// Who binds the name that NOTIFY_SOCKET has.
class Manager {
 public:
  explicit Manager(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(static_cast<char*>(address.sun_path), name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    bound_ = ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0;
  }
  [[nodiscard]] bool bound() const { return bound_; }
  // "" where there is none.
  [[nodiscard]] std::string next() const {
    std::array<char, 8192> text{};
    const ssize_t got = ::recv(fd_.get(), text.data(), text.size(), 0);
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "";
  }

 private:
  UniqueFd fd_;
  bool bound_ = false;
};

ServiceManager of_environment(const std::string& socket, const char* watchdog, const char* pid) {
  ::setenv("NOTIFY_SOCKET", socket.c_str(), 1);
  watchdog != nullptr ? ::setenv("WATCHDOG_USEC", watchdog, 1) : ::unsetenv("WATCHDOG_USEC");
  pid != nullptr ? ::setenv("WATCHDOG_PID", pid, 1) : ::unsetenv("WATCHDOG_PID");
  auto manager = ServiceManager::from_environment();
  EXPECT_TRUE(manager) << manager.error().message();
  return manager ? std::move(*manager) : ServiceManager();
}

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Service, ReadyAliveAndStoppingReachTheManagerAndTheVariablesGoNoFurther) {
  const TempDir dir;
  const Manager manager(dir.file("notify"));
  ASSERT_TRUE(manager.bound());
  ServiceManager ours = of_environment(dir.file("notify"), "4000000", std::to_string(::getpid()).c_str());
  for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
    EXPECT_EQ(std::getenv(variable), nullptr) << variable;
  ASSERT_TRUE(ours.there());
  EXPECT_EQ(ours.round_at_least_every(), Clock::duration(1s));
  EXPECT_EQ(manager.next(), "");
  ours.ready("tracing");
  EXPECT_EQ(manager.next(), "READY=1\nSTATUS=tracing");
  const auto now = Clock::now();
  const auto status = [] { return std::string("at work"); };
  ours.alive(now + 900ms, status);
  EXPECT_EQ(manager.next(), "");  // not each time round
  ours.alive(now + 1100ms, status);
  EXPECT_EQ(manager.next(), "WATCHDOG=1");
  ours.alive(now + 6s, status);
  EXPECT_EQ(manager.next(), "WATCHDOG=1\nSTATUS=at work");
  ours.reloading();
  EXPECT_TRUE(manager.next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  ours.stopping("bye");
  EXPECT_EQ(manager.next(), "STOPPING=1\nSTATUS=bye");
}

TEST(Service, AnAbstractNameIsOneToo) {
  const std::string name = "@tw-unit-notify-" + std::to_string(::getpid());
  const Manager manager(name);
  ASSERT_TRUE(manager.bound());
  ServiceManager ours = of_environment(name, nullptr, nullptr);
  ours.ready("x");
  EXPECT_EQ(manager.next(), "READY=1\nSTATUS=x");
  EXPECT_FALSE(ours.round_at_least_every());
}

TEST(Service, AWatchdogOfAnotherProcessIsNotOurs) {
  const TempDir dir;
  const Manager manager(dir.file("notify"));
  const std::string other = std::to_string(::getpid() + 1);
  ServiceManager ours = of_environment(dir.file("notify"), "1000000", other.c_str());
  EXPECT_FALSE(ours.round_at_least_every());
  ours.alive(Clock::now() + 1h, [] { return std::string("s"); });
  EXPECT_EQ(manager.next(), "STATUS=s");
}

TEST(Service, WithoutAManagerNothingIsSent) {
  ::unsetenv("NOTIFY_SOCKET");
  auto none = ServiceManager::from_environment();
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->there());
  none->ready("x");
  none->alive(Clock::now() + 1h, [] {
    ADD_FAILURE() << "nobody wants a status";
    return std::string();
  });
  ::setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
  EXPECT_FALSE(ServiceManager::from_environment());
  ::setenv("NOTIFY_SOCKET", "relative", 1);
  EXPECT_FALSE(ServiceManager::from_environment());
}

// Its queue is full: nothing waits for it, and what counts comes with the next message.
TEST(Service, AManagerThatDoesNotReadHoldsNobodyUp) {
  const TempDir dir;
  const Manager manager(dir.file("notify"));
  ServiceManager ours = of_environment(dir.file("notify"), nullptr, nullptr);
  for (int i = 0; i < 5000; ++i) ours.reloading();
  ours.ready("late");
  while (!manager.next().empty()) {
  }
  ours.alive(Clock::now(), [] { return std::string(); });
  EXPECT_NE(manager.next().find("READY=1"), std::string::npos);
}

TEST(Service, TheJournalIsKnownByItsDeviceAndInode) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  struct stat file{};
  ASSERT_EQ(::fstat(writer.get(), &file), 0);
  const std::string device = std::to_string(file.st_dev);
  EXPECT_TRUE(is_journal(writer.get(), device + ":" + std::to_string(file.st_ino)));
  EXPECT_FALSE(is_journal(writer.get(), device + ":" + std::to_string(file.st_ino + 1)));
  EXPECT_FALSE(is_journal(writer.get(), ""));
}

TEST(Service, EachLineOfTheJournalHasItsPriorityAndNotOurName) {
  EXPECT_EQ(journal_lines("tcpwitness: cannot do it\n  and why\n", Priority::error), "<3>cannot do it\n<3>  and why\n");
  EXPECT_EQ(journal_lines("reading tcpwitness: x", Priority::information), "<6>reading tcpwitness: x\n");
  EXPECT_EQ(journal_lines("", Priority::warning), "");
}

TEST(Service, AFileThatEndsWithinALineGetsItsNewlineFirst) {
  const TempDir dir;
  const std::string path = dir.file("lives");
  auto first = append_to(path);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->empty);
  ASSERT_EQ(::write(first->fd.get(), "whole\nhal", 9), 9);
  auto second = append_to(path);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->empty);
  EXPECT_EQ(text_of(path), "whole\nhal\n");
  auto third = append_to(path);
  ASSERT_TRUE(third);
  EXPECT_EQ(text_of(path), "whole\nhal\n");
  EXPECT_FALSE(append_to(dir.file("no/lives")));
}

TEST(Service, ARotatedFileKeepsWholeLinesAndTheNewOneBeginsWithItsHeading) {
  const TempDir dir;
  const std::string path = dir.file("lives");
  auto first = append_to(path);
  ASSERT_TRUE(first);
  Output output(::dup(first->fd.get()), Output::Mode::never_waits);
  append(output.buffer(), "a,b\n");
  output.take_heading(false);
  append(output.buffer(), "1,2\n");
  output.line_done();
  std::filesystem::rename(path, path + ".1");
  auto second = append_to(path);
  ASSERT_TRUE(second);
  EXPECT_TRUE(output.replace(::dup(second->fd.get()), second->empty));
  append(output.buffer(), "3,4\n");
  output.line_done();
  // Not renamed: the same file again, which has its heading.
  auto same = append_to(path);
  ASSERT_TRUE(output.flush());
  same = append_to(path);
  ASSERT_TRUE(same);
  EXPECT_TRUE(output.replace(::dup(same->fd.get()), same->empty));
  append(output.buffer(), "5,6\n");
  output.line_done();
  EXPECT_TRUE(output.flush());
  EXPECT_EQ(text_of(path + ".1"), "a,b\n1,2\n");
  EXPECT_EQ(text_of(path), "a,b\n3,4\n5,6\n");
}

// A disk of 64 KiB. Its file never ends within a line, and has every line once there is room again.
TEST(Service, AFullDiskHoldsNobodyUpAndNoLineIsHalf) {
  const TempDir dir;
  const std::string disk = dir.file("disk");
  std::filesystem::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "no tmpfs may be mounted here";
  for (const bool freed : {true, false}) {
    SCOPED_TRACE(freed);
    std::filesystem::remove(disk + "/lives");
    auto file = append_to(disk + "/lives");
    ASSERT_TRUE(file);
    std::ofstream(disk + "/filler") << std::string(30'000, 'f');
    const std::string line = std::string(999, 'x') + "\n";
    constexpr std::size_t lines = 50;
    {
      Output output(::dup(file->fd.get()), Output::Mode::never_waits);
      output.wait_for_room();
      for (std::size_t i = 0; i < lines; ++i) {
        append(output.buffer(), line);
        output.line_done();
        EXPECT_TRUE(output.flush());
      }
      EXPECT_EQ(output.no_room(), ENOSPC);
      EXPECT_GT(output.waiting(), 0U);
      if (freed) std::filesystem::remove(disk + "/filler");
      EXPECT_EQ(output.finish(1s), freed);
      EXPECT_EQ(output.error(), 0);
      const std::string text = text_of(disk + "/lives");
      EXPECT_EQ(text.size() % line.size(), 0U);
      EXPECT_EQ(text.size() / line.size() + output.dropped(), lines);
      EXPECT_EQ(output.dropped() == 0, freed);
    }
  }
  ::umount2(disk.c_str(), MNT_DETACH);
}

TEST(Service, WhatASlowReaderHasNotTakenKeepsItsDescriptor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]);
  Output output(ends[1], Output::Mode::never_waits);
  const std::string line(1 << 20U, 'x');
  append(output.buffer(), line + "\n");
  output.line_done();
  EXPECT_GT(output.waiting(), 0U);
  const UniqueFd other(::memfd_create("tw-unit", MFD_CLOEXEC));
  EXPECT_FALSE(output.replace(other.get(), true));
}

// ---- The names of a recording's files ----

constexpr std::int64_t a_moment = 1'764'198'245'999'999'999;  // 2025-11-26T23:04:05Z

TEST(FileNames, TheTimeIsUtc) {
  EXPECT_TRUE(has_time("/var/x-%H.pcapng"));
  EXPECT_FALSE(has_time("/var/100%"));
  EXPECT_FALSE(has_time("x%%Y"));
  EXPECT_EQ(with_time("d/x-%Y%m%dT%H%M%S-%%-%q.pcapng", a_moment), "d/x-20251126T230405-%-%q.pcapng");
  EXPECT_EQ(with_number("d/x.pcapng", 2), "d/x.00002.pcapng");
}

TEST(FileNames, OnlyWhatTheNameMakesIsOfTheRecording) {
  const std::string path = "/var/lib/x/f-%Y%m%d-%H%M%S.pcapng";
  EXPECT_TRUE(number_of("f-20251126-230405.pcapng", path));
  EXPECT_TRUE(number_of("f-20251126-230405.00002.pcapng", path));
  for (const char* other : {"f-2025112-230405.pcapng", "f-20251126-230405.pcapng.gz", "g-20251126-230405.pcapng",
                            "f-20251126-23040x.pcapng", "f-20251126-230405.002.pcapng", "f-20251126-230405.00002",
                            "f-20251126-230405.00002.pcapng~", "f-%Y%m%d-%H%M%S.pcapng", ""})
    EXPECT_FALSE(number_of(other, path)) << other;
  EXPECT_TRUE(number_of("trace.pcapng", "trace.pcapng"));
  EXPECT_TRUE(number_of("trace.00012.pcapng", "trace.pcapng"));
  EXPECT_FALSE(number_of("trace.2.pcapng", "trace.pcapng"));
  EXPECT_TRUE(number_of("trace.00012", "trace"));
}

TEST(FileNames, HaveTheNumberThatWasPutIntoThem) {
  EXPECT_EQ(number_of("trace.pcapng", "d/trace.pcapng"), 1U);
  for (const std::uint32_t number : {2U, 99'999U, 100'000U, 4'294'967'295U}) {
    const std::string name = std::filesystem::path(with_number("d/trace.pcapng", number)).filename();
    EXPECT_EQ(number_of(name, "d/trace.pcapng"), number) << name;
  }
  for (const char* other : {"trace.0012.pcapng", "trace.000012.pcapng", "trace.4294967296.pcapng",
                            "trace.100000000000000000012.pcapng", "trace.1000x0.pcapng", "trace.100000pcapng"})
    EXPECT_FALSE(number_of(other, "trace.pcapng")) << other;
}

TEST(FileNames, ANumberOfMoreDigitsIsTheRecordingsIfTheFileSaysSo) {
  const TempDir dir;
  const auto make = [&](const std::string& name, std::uint32_t part) {
    pcapng::Blocks blocks;
    pcapng::append_section(blocks, "tcpwitness test", "Linux");
    StartMark start;
    start.part = part;
    const std::string body = mark_body(start);
    pcapng::append_block(blocks, mark_block, std::as_bytes(std::span(body)));
    std::ofstream(dir.file(name))
        .write(reinterpret_cast<const char*>(blocks.data()), static_cast<std::streamsize>(blocks.size()));
  };
  const auto found = [&](const std::string& pattern) {
    std::vector<std::uint32_t> numbers;
    for (const RecordedFile& file : files_of_recording(dir.file(pattern), -1)) numbers.push_back(file.number);
    std::ranges::sort(numbers);
    return numbers;
  };
  using Numbers = std::vector<std::uint32_t>;
  make("log.100000.pcapng", 100'000);
  make("log.00007.pcapng", 7);
  make("log.20261130.pcapng", 3);  // of "log.%Y%m%d.pcapng"
  std::ofstream(dir.file("log.235959.pcapng")) << "another program's";
  std::ofstream(dir.file("log.235960.pcapng")) << "";
  EXPECT_EQ(found("log.pcapng"), (Numbers{7, 100'000}));
  EXPECT_EQ(found("log.%Y%m%d.pcapng"), (Numbers{1}));
  make("f-2026.100000.pcapng", 3);
  EXPECT_EQ(found("f-%Y.pcapng"), (Numbers{100'000}));
}

// Files that were closed in the same tick of the file system's clock.
TEST(FileNames, OfTheSameAgeTheLowerNumberGoesFirst) {
  const std::vector<RecordedFile> files{{.path = "f.100000", .bytes = 10, .age = 1h, .number = 100'000},
                                        {.path = "f.99999", .bytes = 10, .age = 1h, .number = 99'999},
                                        {.path = "f.00002", .bytes = 10, .age = 1min, .number = 2}};
  using Paths = std::vector<std::string>;
  EXPECT_EQ(too_many(files, {.total_bytes = 20, .longest = {}}), (Paths{"f.99999"}));
  EXPECT_EQ(too_many(files, {.total_bytes = 10, .longest = {}}), (Paths{"f.99999", "f.100000"}));
}

TEST(FileNames, TheOldestGoFirstAndTheOpenOneStays) {
  const std::vector<RecordedFile> files{{.path = "now", .bytes = 60, .age = 0s, .open = true},
                                        {.path = "old", .bytes = 50, .age = 3h},
                                        {.path = "older", .bytes = 40, .age = 5h}};
  using Paths = std::vector<std::string>;
  EXPECT_EQ(too_many(files, {.total_bytes = 150, .longest = {}}), Paths{});
  EXPECT_EQ(too_many(files, {.total_bytes = 149, .longest = {}}), Paths{"older"});
  EXPECT_EQ(too_many(files, {.total_bytes = 100, .longest = {}}), (Paths{"older", "old"}));
  EXPECT_EQ(too_many(files, {.total_bytes = 10, .longest = {}}), (Paths{"older", "old"}));
  EXPECT_EQ(too_many(files, {.total_bytes = 0, .longest = 4h}), Paths{"older"});
  EXPECT_EQ(too_many(files, {.total_bytes = 0, .longest = 5h}), Paths{});
  EXPECT_EQ(too_many({{.path = "now", .bytes = 1, .age = 9h, .open = true}}, {.total_bytes = 0, .longest = 1h}),
            Paths{});
}

}  // namespace
}  // namespace tcpwitness::testing
