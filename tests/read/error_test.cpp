// SPDX-License-Identifier: Apache-2.0
// error_test.cpp: read, when something is wrong: its messages, and the exit code.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "read/capture_bytes.hpp"
#include "read/json_lines.hpp"
#include "read/program.hpp"

namespace tcpwitness::read_test {
namespace {

using nlohmann::json;

class ReadError : public testing::Test {
 protected:
  // One sentence on stderr, nothing on stdout.
  void refused(const Arguments& arguments, int status, std::initializer_list<std::string_view> says) const {
    const ProgramOutput reported = tcpwitness(arguments);
    EXPECT_EQ(reported.status, status) << reported.err;
    EXPECT_EQ(reported.out, "");
    EXPECT_TRUE(reported.err.starts_with("tcpwitness: ")) << reported.err;
    for (const std::string_view part : says)
      EXPECT_TRUE(reported.err.contains(part)) << part << " is not in " << reported.err;
  }

  Directory directory_;
};

TEST_F(ReadError, AFileThatIsNotThere) {
  refused({"read", directory_.path("none.pcap")}, 1, {"cannot open", "none.pcap", "No such file"});
}

TEST_F(ReadError, ADirectory) { refused({"read", directory_.path("")}, 1, {"it is a directory"}); }

TEST_F(ReadError, AnEmptyFile) { refused({"read", directory_.file("empty", "")}, 1, {"empty", "it is empty"}); }

TEST_F(ReadError, AFileThatIsNoCapture) {
  refused({"read", directory_.file("words.txt", "These are words, and many of them.\n")}, 1,
          {"words.txt", "not a pcap or pcapng file", "pcap and pcapng"});
}

// Before: "terminate called after throwing an instance of 'std::bad_alloc'", and a core.
TEST_F(ReadError, WithoutMemoryItSaysSo) {
  Capture many;
  for (std::uint8_t client = 3; client <= 7; ++client)
    for (std::uint16_t port = 1; port <= 50'000; ++port)
      many.tcp({.from = client, .from_port = port, .flags = tcp_flag::syn});
  const std::string path = directory_.file("many.pcap", many.bytes);
  for (const std::string command : {"--summary", "--trace", "--explain"}) {
    Program program({"read", command, path}, {.in_child = [] {
                      constexpr rlimit little{.rlim_cur = 90'000'000, .rlim_max = 90'000'000};
                      if (::setrlimit(RLIMIT_AS, &little) != 0) ::_exit(126);
                    }});
    const ProgramOutput reported = program.wait();
    if (reported.err.contains("Sanitizer")) GTEST_SKIP() << "it takes more address space than any limit leaves";
    EXPECT_EQ(reported.status, 1) << command;
    EXPECT_TRUE(reported.err.contains("no more memory")) << command << reported.err;
  }
}

TEST_F(ReadError, ANameWithControlCharactersDoesNotReachTheTerminal) {
  const ProgramOutput reported = tcpwitness({"read", directory_.file("a\x1b[31m.pcap", Capture().whole(1).bytes)});
  EXPECT_EQ(reported.status, 0);
  EXPECT_FALSE(reported.err.contains('\x1b')) << reported.err;
  for (const Arguments& wrong :
       {Arguments{"read", "/none/a\x1b[31m"}, {"life", "--port", "\x1b[31m"}, {"read", "a", "\x1b"}})
    EXPECT_FALSE(tcpwitness(wrong).err.contains('\x1b')) << wrong.back();
}

TEST_F(ReadError, AFileOfSomebodyElse) {
  const std::string path = directory_.file("secret.pcap", Capture().whole(1).bytes);
  ::chmod(path.c_str(), 0);
  Program program({"read", path}, {.in_child = [] {
                    if (::getuid() == 0 && ::setresuid(65'534, 65'534, 65'534) != 0) ::_exit(126);
                  }});
  const ProgramOutput reported = program.wait();
  if (reported.status >= 126) GTEST_SKIP() << "another user cannot run " << TCPWITNESS_BINARY;
  EXPECT_EQ(reported.status, 1);
  EXPECT_TRUE(reported.err.contains("Permission denied")) << reported.err;
}

TEST_F(ReadError, AWrongExpression) {
  const std::string path = directory_.file("x.pcap", Capture().whole(1).bytes);
  refused({"read", path, "tcp", "prot", "80"}, 2, {"tcp prot 80", "cannot"});
  refused({"read", path, "--filter", "host and"}, 2, {"host and"});
}

TEST_F(ReadError, ASecondFileIsNoExpression) {
  const std::string path = directory_.file("one.pcap", Capture().whole(1).bytes);
  refused({"read", path, path}, 2, {"one file", "is a file"});
}

TEST_F(ReadError, ALinkTypeThatIsNotReadIsSaid) {
  std::string bytes = Capture().whole(1).bytes;
  bytes[20] = static_cast<char>(147);  // LINKTYPE_USER0
  const ProgramOutput reported = tcpwitness({"read", directory_.file("user0.pcap", bytes)});
  EXPECT_EQ(reported.status, 0);
  EXPECT_TRUE(reported.err.contains("frames skipped: unsupported link type 147")) << reported.err;
  const ProgramOutput readable = tcpwitness({"read", directory_.file("ethernet.pcap", Capture().whole(1).bytes)});
  EXPECT_FALSE(readable.err.contains("unsupported link type")) << readable.err;
}

TEST_F(ReadError, ATimestampThatCannotBeIsSaid) {
  std::string bytes = Capture().whole(1).bytes;
  const ProgramOutput right = tcpwitness({"read", directory_.file("right.pcap", bytes)});
  EXPECT_FALSE(right.err.contains("timestamp")) << right.err;
  const std::uint32_t nanoseconds = 466'743'000;
  std::memcpy(bytes.data() + 24 + 4, &nanoseconds, sizeof nanoseconds);
  const ProgramOutput odd = tcpwitness({"read", directory_.file("odd.pcap", bytes)});
  EXPECT_EQ(odd.status, 0);
  EXPECT_TRUE(odd.err.contains("1 timestamp whose fraction is a second or more, read as nanoseconds")) << odd.err;
}

TEST_F(ReadError, AProcessIsNotInACapture) {
  const std::string path = directory_.file("x.pcap", Capture().whole(1).bytes);
  refused({"read", path, "--pid", "7"}, 2, {"--pid", "a capture knows no processes", "tcpwitness record"});
  refused({"read", path, "--comm", "curl"}, 2, {"--comm", "a capture knows no processes"});
}

TEST_F(ReadError, OptionsForListeningAreRefused) {
  const std::string path = directory_.file("x.pcap", Capture().whole(1).bytes);
  for (const Arguments& given :
       {Arguments{"--uid", "0"}, {"-d", "1"}, {"-i", "lo"}, {"--netns", "x"}, {"--flows", "2048"}}) {
    Arguments top{"top", path};
    top.insert(top.end(), given.begin(), given.end());
    refused(top, 2, {"cannot play", "is for live tracing"});
    Arguments picture{"picture", path, "-o", path + ".svg"};
    picture.insert(picture.end(), given.begin(), given.end());
    refused(picture, 2, {"cannot draw", "is for live tracing"});
  }
  refused({"top", path, "-c", "1"}, 2, {"--count is for live tracing"});
  refused({"read", path, "--stuck-after", "5"}, 2, {"--stuck-after", "a capture knows no sockets"});
  refused({"read", "x.pcap", "-i", "lo"}, 2, {"--interface is for live tracing", "--help"});
  refused({"read"}, 2, {"read needs a file"});
}

TEST_F(ReadError, AFileThatWasCutGivesAllUpToThere) {
  Capture capture;
  capture.whole(40'001);
  const std::size_t good = capture.bytes.size();
  capture.whole(40'002);
  const std::string path = directory_.file("cut.pcap", capture.bytes.substr(0, good + 16 + 54 + 20));
  const ProgramOutput reported = tcpwitness({"read", path, "-o", "json"});
  EXPECT_EQ(reported.status, 1);
  const auto all = objects(reported.out);
  const auto lives = only(all, "life");
  ASSERT_EQ(lives.size(), 2U) << reported.out;
  EXPECT_EQ(lives[0]["outcome"], "completed");
  EXPECT_EQ(lives[1]["local"]["port"], 40'002);
  const json& summary = all.back();
  EXPECT_EQ(summary["capture"]["frames"], 9);
  EXPECT_TRUE(summary["capture"]["damage"].get<std::string>().contains("byte"));
  const std::string last = lines_of(reported.err).back();
  EXPECT_TRUE(last.starts_with("tcpwitness: cannot read " + path)) << last;
  EXPECT_TRUE(last.contains(std::to_string(good + 16 + 54 + 20))) << last;
}

TEST_F(ReadError, ALengthThatCannotBeIsDamage) {
  Capture capture;
  capture.whole(40'001);
  const std::size_t at = capture.bytes.size();
  capture.whole(40'002);
  capture.bytes[at + 11] = '\x7f';  // two gigabytes of packet
  const ProgramOutput reported = tcpwitness({"read", directory_.file("long.pcap", capture.bytes)});
  EXPECT_EQ(reported.status, 1);
  EXPECT_EQ(lines_of(reported.out).size(), 2U) << reported.out;
  EXPECT_TRUE(reported.err.contains("byte " + std::to_string(at))) << reported.err;
}

// Wherever a file ends, what was in it before is reported, and the exit code shows whether it was all.
TEST_F(ReadError, EveryCutIsEitherAnEndOrSaid) {
  const std::string whole = Capture().whole(40'001).bytes;
  for (std::size_t size = 0; size <= whole.size(); size += 7) {
    const ProgramOutput reported = tcpwitness({"read", "-"}, whole.substr(0, size + 1));
    EXPECT_LT(reported.status, 2) << size;
    EXPECT_EQ(reported.status == 1, reported.err.contains("cannot read")) << size << ": " << reported.err;
  }
}

TEST_F(ReadError, AFullDiskIsSaid) {
  const std::string path = directory_.file("x.pcap", Capture().whole(1).bytes);
  Program program({"read", path, "-o", "json"}, {.in_child = [] {
                    const int full = ::open("/dev/full", O_WRONLY);
                    ::dup2(full, STDOUT_FILENO);
                  }});
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 1);
  EXPECT_TRUE(reported.err.contains("cannot write the output: No space left on device")) << reported.err;
}

TEST_F(ReadError, ATerminalIsNoCapture) {
  Program program({"read", "-"}, {.terminal_input = true});
  const ProgramOutput reported = program.wait();
  EXPECT_EQ(reported.status, 1);
  EXPECT_TRUE(reported.err.contains("it is a terminal; pipe a capture into it")) << reported.err;
}

}  // namespace
}  // namespace tcpwitness::read_test
