// SPDX-License-Identifier: Apache-2.0
//
// tshark as the judge: what tcpdump captured of a case in the client's namespace, dissected, must agree with what
// our wire witness told of it, segment by segment.

#include <filesystem>

#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

// "out SYN 0 -" for every segment that the display filter selects.
lab::Result<Words> dissected(const std::string& file, const std::string& filter) {
  const auto out = lab::run_tool({"tshark", "-n", "-r", file, "-Y", filter, "-T", "fields", "-E", "separator= ", "-e",
                                  "ip.src", "-e", "tcp.flags", "-e", "tcp.seq", "-e", "tcp.ack"});
  if (!out) return lab::failure(out.error());
  Words words;
  std::istringstream lines(*out);
  for (std::string line; std::getline(lines, line);) {
    std::string source;
    std::string flags_text;
    std::string seq;
    std::string ack;
    std::istringstream(line) >> source >> flags_text >> seq >> ack;
    if (!flags_text.starts_with("0x")) continue;  // a warning of tshark's
    const unsigned long flags = std::stoul(flags_text, nullptr, 16);
    std::string names;
    for (const auto& [bit, name] :
         {std::pair{0x02UL, "SYN"}, {0x01UL, "FIN"}, {0x04UL, "RST"}, {0x08UL, "PSH"}, {0x10UL, "ACK"}}) {
      if ((flags & bit) != 0) names += (names.empty() ? "" : ",") + std::string(name);
    }
    const bool has_ack = (flags & 0x10UL) != 0;
    words.push_back(
        fmt::format("{} {} {} {}", source == lab::client_ip ? "out" : "in", names, seq, has_ack ? ack : "-"));
  }
  return words;
}

}  // namespace

class Tshark : public Live {
 protected:
  void SetUp() override {
    for (const char* program : {"tshark", "tcpdump"}) {
      if (!missing(program).empty()) GTEST_SKIP() << missing(program);
    }
    Live::SetUp();
    file_ = std::filesystem::temp_directory_path() / fmt::format("tw-live-{}.pcap", ::getpid());
  }
  void TearDown() override {
    Live::TearDown();
    std::error_code error;
    std::filesystem::remove(file_, error);
  }
  // Plays it with tcpdump beside the tracer.
  std::optional<Story> play_captured(const std::string& name) {
    lab::Child capture;
    const Transcript said;
    const auto start = [&](const lab::Played&) {
      auto child = lab::Child::start({"ip", "netns", "exec", lab().client_ns(), "tcpdump", "-i", lab::client_link, "-Z",
                                      "root", "-U", "--immediate-mode", "-w", file_.string(), "tcp"},
                                     {{said.fd(), STDERR_FILENO}});
      ASSERT_TRUE(child) << child.error();
      capture = std::move(*child);
      for (int i = 0; i < 500 && said.text().find("listening on") == std::string::npos; ++i) lab::pause_for(Millis(20));
    };
    const auto stop = [&] {
      lab::pause_for(Millis(300));
      capture.signal(SIGINT);
      capture.wait(Millis(5000));
    };
    return play(name, {.when_ready = start, .when_played = stop});
  }
  void expect_agreement(const std::string& name) {
    const auto story = play_captured(name);
    if (!story) return;
    const Json life = story->client_life();
    ASSERT_FALSE(life.empty());
    const auto judge = dissected(file_.string(), "tcp.flags & 7");
    ASSERT_TRUE(judge) << judge.error();
    EXPECT_EQ(story->client.control_segments(life["conn"]), *judge);
    for (const auto& [word, filter] : {std::pair{"retransmission", "tcp.analysis.retransmission"},
                                       {"keep-alive", "tcp.analysis.keep_alive"},
                                       {"keep-alive ACK", "tcp.analysis.keep_alive_ack"},
                                       {"zero window", "tcp.analysis.zero_window"}}) {
      const auto judged = dissected(file_.string(), filter);
      ASSERT_TRUE(judged) << judged.error();
      Words ours;
      for (const Json& segment : story->client.analysed(life["conn"], word)) ours.push_back(in_words(segment));
      EXPECT_EQ(ours, *judged) << word;
    }
  }

  std::filesystem::path file_;
};

TEST_F(Tshark, AgreesOnAnOrdinaryLife) { expect_agreement("close-client"); }
TEST_F(Tshark, AgreesOnAReset) { expect_agreement("kill-unread"); }
TEST_F(Tshark, AgreesOnARetransmission) { expect_agreement("retransmission-rto"); }
TEST_F(Tshark, AgreesOnKeepalives) { expect_agreement("keepalive-answered"); }

}  // namespace tcpwitness::live
