// SPDX-License-Identifier: Apache-2.0
// explain_test.cpp: read --explain and doctor, as users see them: stories of a small capture and of a recording, the
// catalogue, and the messages when something is wrong.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "read/capture_bytes.hpp"
#include "read/json_lines.hpp"
#include "read/program.hpp"
#include "unit/recorded.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::read_test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

class Explain : public ::testing::Test {
 protected:
  Directory directory_;
  std::string two_ = directory_.file("two.pcap", Capture().arp().whole(40'001).whole(40'002, 200, 7).bytes);
};

TEST_F(Explain, ACaptureIsToldInSentences) {
  const ProgramOutput reported = tcpwitness({"read", "--explain", two_});
  EXPECT_EQ(reported.status, 0);
  const auto lines = lines_of(reported.out);
  ASSERT_GT(lines.size(), 8U) << reported.out;
  EXPECT_EQ(lines[0], "#1  10.0.0.1:40001 -> 10.0.0.2:80  2025-10-09 08:53:20.001000  completed");
  EXPECT_EQ(lines[1], "   +0.000 000 s  The client sent its SYN.");
  EXPECT_EQ(lines[2], "   +0.001 000 s  The server sent its SYN-ACK 1 ms after the SYN; the client");
  EXPECT_EQ(lines[3], "                 acknowledged it 1 ms later: the handshake took 2 ms.");
  EXPECT_EQ(lines[4], "   +0.005 000 s  The client sent its FIN: it closes first.");
  EXPECT_TRUE(reported.out.contains("\n\n#2  10.0.0.7:40002 -> 10.0.0.2:80")) << reported.out;
  EXPECT_FALSE(reported.out.contains("kernel")) << reported.out;
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(Explain, COLUMNSIsTheWidthWhereThereIsNoTerminal) {
  Program program({"read", "--explain", two_}, {.in_child = [] { ::setenv("COLUMNS", "50", 1); }});
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 0);
  for (const std::string& line : lines_of(reported.out)) EXPECT_LE(line.size(), 50U) << line;
}

TEST_F(Explain, JsonHasAStoryForEachLifeAndNoEntries) {
  const ProgramOutput reported = tcpwitness({"read", "--explain", "-o", "json", two_});
  EXPECT_EQ(reported.status, 0);
  const auto all = objects(reported.out);
  EXPECT_EQ(all.front()["type"], "ready");
  EXPECT_EQ(all.back()["type"], "summary");
  EXPECT_TRUE(only(all, "segment").empty());
  const auto lives = only(all, "life");
  ASSERT_EQ(lives.size(), 2U);
  for (const json& life : lives) {
    EXPECT_FALSE(life["explanation"].get<std::string>().empty());
    ASSERT_GT(life["story"].size(), 3U) << life;
    EXPECT_EQ(life["story"][0]["text"], "The client sent its SYN.");
    EXPECT_EQ(life["story"][0]["offset_ns"], 0);
  }
  EXPECT_EQ(lives[0]["story"][0]["id"], 2);
  EXPECT_EQ(lives[1]["story"][0]["id"], 10);
}

TEST_F(Explain, ARecordingIsToldByBothWitnesses) {
  const std::string path = directory_.path("run.pcapng");
  RecorderSettings settings;
  settings.path = path;
  const auto run = testing::record_story(testing::close_first_story().events, settings);
  ASSERT_TRUE(run.said.empty()) << run.said.front();
  const ProgramOutput reported = tcpwitness({"read", "--explain", path});
  EXPECT_EQ(reported.status, 0) << reported.err;
  for (const char* part :
       {"curl[42] called connect() to 10.0.0.2:80; its SYN was sent", "the connection is established",
        "curl[42] closed the connection: this side closes first", "time-wait (certain)"}) {
    EXPECT_TRUE(reported.out.contains(part)) << part << " is not in\n" << reported.out;
  }
  const auto lives = only(objects(tcpwitness({"read", "--explain", "-o", "json", path}).out), "life");
  ASSERT_EQ(lives.size(), 1U);
  EXPECT_EQ(lives[0]["story"][0]["text"], "curl[42] called connect() to 10.0.0.2:80; its SYN was sent through if2.");
  EXPECT_EQ(lives[0]["story"][0]["id"], 1);
}

TEST_F(Explain, CountStopsAfterSoManyStories) {
  const ProgramOutput reported = tcpwitness({"read", "--explain", two_, "-c", "1"});
  EXPECT_TRUE(reported.out.contains("#1 ")) << reported.out;
  EXPECT_FALSE(reported.out.contains("#2 ")) << reported.out;
}

TEST_F(Explain, AReaderThatGoesAwayIsNoErrorAndNoSignal) {
  Capture capture;
  for (std::uint16_t port = 1'000; port < 6'000; ++port) capture.whole(port);
  Program program({"read", "--explain", directory_.file("many.pcap", capture.bytes)});
  program.listen(100ms, 1);
  program.close_output();
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 0);  // as with `| head`
  EXPECT_FALSE(reported.err.contains("cannot write the output")) << reported.err;
}

TEST_F(Explain, ADamagedFileIsToldUpToThere) {
  Capture capture;
  capture.whole(40'001);
  const std::size_t good = capture.bytes.size();
  capture.whole(40'002);
  const ProgramOutput reported =
      tcpwitness({"read", "--explain", directory_.file("cut.pcap", capture.bytes.substr(0, good + 90))});
  EXPECT_EQ(reported.status, 1);
  EXPECT_TRUE(reported.out.contains("10.0.0.1:40001 -> 10.0.0.2:80")) << reported.out;
  EXPECT_TRUE(reported.out.contains("10.0.0.1:40002")) << reported.out;
  EXPECT_TRUE(reported.err.contains("cannot read")) << reported.err;
}

TEST_F(Explain, WhatMakesNoSenseIsRefused) {
  for (const Arguments& arguments :
       {Arguments{"read", "--explain", "-o", "csv", two_}, {"read", "--explain", "--trace", two_}}) {
    const ProgramOutput reported = tcpwitness(arguments);
    EXPECT_EQ(reported.status, 2);
    EXPECT_EQ(reported.out, "");
    EXPECT_TRUE(reported.err.contains("--help")) << reported.err;
  }
  EXPECT_EQ(tcpwitness({"read", "--explain", directory_.path("none.pcap")}).status, 1);
}

TEST(Doctor, TheCatalogueNeedsNobody) {
  const ProgramOutput all = tcpwitness({"doctor", "--findings"});
  EXPECT_EQ(all.status, 0);
  EXPECT_EQ(all.err, "");
  for (const char* name : {"\ncompleted\n", "\nkeepalive\n", "\nbytes-disagree\n", "what to do"}) {
    EXPECT_TRUE(all.out.contains(name)) << name;
  }
  const ProgramOutput one = tcpwitness({"doctor", "--findings", "late"});
  EXPECT_TRUE(one.out.starts_with("late\n")) << one.out;
  const auto objects_of_one = objects(tcpwitness({"doctor", "--findings", "late", "-o", "json"}).out);
  ASSERT_EQ(objects_of_one.size(), 1U);
  EXPECT_EQ(objects_of_one[0]["name"], "late");
}

TEST(Doctor, ANameThatIsNoneListsThem) {
  const ProgramOutput reported = tcpwitness({"doctor", "--findings", "broken"});
  EXPECT_EQ(reported.status, 2);
  EXPECT_EQ(reported.out, "");
  for (const char* name : {"'broken' is not one of", "completed", "zero-window"}) {
    EXPECT_TRUE(reported.err.contains(name)) << reported.err;
  }
}

TEST(Doctor, WithoutPrivilegeItSaysWhatItCouldNotLookAt) {
  Program program({"doctor", "-i", "lo"}, {.in_child = [] { ::setenv("TCPWITNESS_WITHOUT", "privilege", 1); }});
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 1) << reported.err;
  EXPECT_TRUE(reported.out.contains("lacks CAP_BPF")) << reported.out;
  EXPECT_TRUE(reported.out.contains("not tried, the kernel has it")) << reported.out;
  EXPECT_TRUE(reported.out.contains("Kernel events could not be tried")) << reported.out;
}

TEST(Doctor, AnInterfaceThatIsNotThereIsAnError) {
  const ProgramOutput reported = tcpwitness({"doctor", "-i", "nonesuch0"});
  EXPECT_EQ(reported.status, 1);
  EXPECT_EQ(reported.out, "");
  EXPECT_TRUE(reported.err.contains("no interface of that name")) << reported.err;
}

TEST(Doctor, JsonIsOneObject) {
  Program program({"doctor", "-i", "lo", "-o", "json"}, {.in_child = [] { ::setenv("TCPWITNESS_WITHOUT", "btf", 1); }});
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 1);
  const auto all = objects(reported.out);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["type"], "doctor");
  EXPECT_EQ(all[0]["kernel_witness"], "bad");
  EXPECT_FALSE(all[0]["checks"].empty());
}

}  // namespace
}  // namespace tcpwitness::read_test
