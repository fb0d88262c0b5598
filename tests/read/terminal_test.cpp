// SPDX-License-Identifier: Apache-2.0
// terminal_test.cpp: the progress bar: on a terminal, of a file that takes long, and gone before anything else is
// printed. A reader that takes its time makes any file long.
#include <gtest/gtest.h>

#include "read/capture_bytes.hpp"
#include "read/program.hpp"

namespace tcpwitness::read_test {
namespace {

using namespace std::chrono_literals;

class ReadOnATerminal : public testing::Test {
 protected:
  static std::string many() {
    Capture capture;
    for (std::uint16_t port = 1'000; port < 21'000; ++port) capture.whole(port, 1);
    return capture.bytes;
  }
  Directory directory_;
  std::string path_ = directory_.file("many.pcap", many());
  Arguments arguments_{"read", "--trace", "--packets", "all", "-o", "json", path_};
};

TEST_F(ReadOnATerminal, ALongFileShowsHowFarItIs) {
  Program program(arguments_, {.terminal = true});
  program.listen(1500ms, 2'000);
  EXPECT_TRUE(program.warns("packets/s", 5s));
  EXPECT_TRUE(program.warns(" left", 5s));
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 0);
  const std::size_t bar = reported.err.rfind("packets/s");
  const std::size_t erased = reported.err.rfind("\r\x1b[K");
  const std::size_t summary = reported.err.find("tcpwitness: 20,000 connections");
  ASSERT_NE(summary, std::string::npos) << reported.err;
  EXPECT_LT(bar, erased);
  EXPECT_LT(erased, summary);
  EXPECT_EQ(summary, erased + 4) << "the line is erased, then used";
}

TEST_F(ReadOnATerminal, AShortFileShowsNothing) {
  Program program({"read", directory_.file("x.pcap", Capture().whole(1).bytes)}, {.terminal = true});
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 0);
  EXPECT_FALSE(reported.err.contains('\x1b')) << reported.err;
  EXPECT_TRUE(reported.err.contains("1 connection")) << reported.err;
}

TEST_F(ReadOnATerminal, ElsewhereThereIsNoBar) {
  Program program(arguments_);
  program.listen(1500ms, 2'000);
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 0);
  EXPECT_FALSE(reported.err.contains('\r')) << reported.err;
  EXPECT_FALSE(reported.err.contains("packets/s")) << reported.err;
}

}  // namespace
}  // namespace tcpwitness::read_test
