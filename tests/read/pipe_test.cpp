// SPDX-License-Identifier: Apache-2.0
// pipe_test.cpp: read from a pipe that stays open, and into one that does not; signals.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "read/capture_bytes.hpp"
#include "read/json_lines.hpp"
#include "read/program.hpp"

namespace tcpwitness::read_test {
namespace {

using namespace std::chrono_literals;

TEST(ReadPipe, StandardInputIsAFile) {
  const ProgramOutput reported = tcpwitness({"read", "-"}, Capture().whole(40'001).bytes);
  EXPECT_EQ(reported.status, 0);
  EXPECT_EQ(lines_of(reported.out).size(), 2U);
  EXPECT_TRUE(reported.err.contains("reading standard input (pcap)")) << reported.err;
}

TEST(ReadPipe, ALifeIsToldWhileThePipeIsOpenAndSilent) {
  Program program({"read", "-", "-o", "json"}, {.input = true});
  program.give(Capture().whole(40'001).bytes);
  EXPECT_TRUE(program.says("\"type\":\"life\"", 8s));
  program.end_input();
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 0);
  EXPECT_EQ(only(objects(reported.out), "life").size(), 1U) << reported.out;
}

TEST(ReadPipe, SegmentsAreToldAtOnce) {
  Program program({"read", "--trace", "-", "-o", "json"}, {.input = true});
  program.give(Capture().bytes);
  EXPECT_TRUE(program.says("\"type\":\"ready\"", 2s));
  Capture more;
  const std::size_t header = more.bytes.size();
  program.give(more.open(40'001).bytes.substr(header));
  EXPECT_TRUE(program.says("\"flags\":\"SYN,ACK\"", 2s));
  program.end_input();
  EXPECT_EQ(program.wait().status, 0);
}

TEST(ReadPipe, HalfAFrameIsWaitedFor) {
  const std::string bytes = Capture().whole(40'001).bytes;
  Program program({"read", "-", "-o", "json"}, {.input = true});
  for (std::size_t at = 0; at < bytes.size(); at += 33) {
    program.give(std::string_view(bytes).substr(at, 33));
    program.listen(2ms);
  }
  program.end_input();
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 0) << reported.err;
  EXPECT_TRUE(reported.out.contains("\"outcome\":\"completed\"")) << reported.out;
}

// The other connection's segments are no events.
TEST(ReadPipe, HowLongTheCaptureRanOnIsKnownOfAPipeToo) {
  const auto outcome = [](int seconds, bool piped) {
    Capture capture;
    const Capture::Tcp asks{.from_port = 1, .seq = 7, .flags = tcp_flag::syn};
    capture.open(40'001).tcp(asks).after_ms(1'000).tcp(asks);
    for (int i = 0; i < seconds; ++i)
      capture.after_ms(1'000).tcp({.from_port = 40'001, .seq = 1'100U + 10U * unsigned(i), .ack = 5'000, .len = 10});
    const Directory directory;
    const ProgramOutput reported = piped
                                       ? tcpwitness({"read", "-", "-o", "json"}, capture.bytes)
                                       : tcpwitness({"read", directory.file("asks.pcap", capture.bytes), "-o", "json"});
    for (const auto& life : only(objects(reported.out), "life"))
      if (life["local"]["port"] == 1) return life["outcome"].get<std::string>();
    return std::string();
  };
  for (const bool piped : {false, true}) {
    EXPECT_EQ(outcome(140, piped), "connect-timeout") << piped;
    EXPECT_EQ(outcome(120, piped), "open") << piped;
  }
}

class ReadSignal : public testing::TestWithParam<int> {};

TEST_P(ReadSignal, EndsReadingAndTellsWhatIsOpen) {
  Program program({"read", "-", "-o", "json"}, {.input = true});
  program.give(Capture().open(40'001).bytes);
  ASSERT_TRUE(program.warns("reading standard input", 5s));
  program.listen(300ms);  // it has read all there is, and waits
  program.signal(GetParam());
  const ProgramOutput reported = program.wait(5s);
  EXPECT_EQ(reported.status, 0) << reported.err;
  const auto all = objects(reported.out);
  const auto lives = only(all, "life");
  ASSERT_EQ(lives.size(), 1U) << reported.out;
  EXPECT_EQ(lives[0]["outcome"], "open");
  EXPECT_EQ(all.back()["type"], "summary");
}

INSTANTIATE_TEST_SUITE_P(Each, ReadSignal, testing::Values(SIGINT, SIGTERM, SIGHUP));

TEST(ReadPipe, ASignalInTheMiddleOfAFrameIsNoDamage) {
  const std::string bytes = Capture().open(40'001).bytes;
  Program program({"read", "-", "-o", "json"}, {.input = true});
  program.give(bytes.substr(0, bytes.size() - 10));
  ASSERT_TRUE(program.warns("reading standard input", 5s));
  program.listen(300ms);
  program.signal(SIGINT);
  const ProgramOutput reported = program.wait(5s);
  EXPECT_EQ(reported.status, 0) << reported.err;
  EXPECT_FALSE(reported.err.contains("cannot read")) << reported.err;
}

TEST(ReadPipe, ASignalBeforeAnythingCameEndsIt) {
  Program program({"read", "-"}, {.input = true});
  program.listen(500ms);
  program.signal(SIGINT);
  const ProgramOutput reported = program.wait(5s);
  EXPECT_TRUE(reported.status == 0 || reported.status == 128 + SIGINT) << reported.status;
  EXPECT_EQ(reported.out, "");
}

TEST(ReadPipe, AFifoIsRead) {
  const Directory directory;
  const std::string path = directory.path("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  Program program({"read", path});
  std::ofstream(path, std::ios::binary) << Capture().whole(40'001).bytes;
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 0);
  EXPECT_EQ(lines_of(reported.out).size(), 2U);
}

TEST(ReadPipe, AReaderWhoLeavesEndsIt) {
  Capture capture;
  for (std::uint16_t port = 1'000; port < 9'000; ++port) capture.whole(port, 1);
  const Directory directory;
  Program program({"read", "--trace", directory.file("many.pcap", capture.bytes), "-o", "json"});
  ASSERT_TRUE(program.says("\"type\":\"segment\"", 5s));
  program.close_output();
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 0);  // as with `| head`
  EXPECT_FALSE(reported.err.contains("cannot write")) << reported.err;
}

}  // namespace
}  // namespace tcpwitness::read_test
