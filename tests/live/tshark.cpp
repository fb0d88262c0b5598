// SPDX-License-Identifier: Apache-2.0
//
// tshark as the judge: what tcpdump captured of a case in the client's namespace, dissected, must agree with what
// our wire witness reported of it, segment by segment.

#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "live/courses.hpp"
#include "live/tcpdump.hpp"

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

constexpr std::array<std::pair<const char*, const char*>, 14> every_flag{
    {{"retransmission", "retransmission"},
     {"fast_retransmission", "fast retransmission"},
     {"spurious_retransmission", "spurious retransmission"},
     {"out_of_order", "out-of-order"},
     {"duplicate_ack", "duplicate ACK"},
     {"lost_segment", "previous segment not captured"},
     {"ack_lost_segment", "ACKed unseen segment"},
     {"keep_alive", "keep-alive"},
     {"keep_alive_ack", "keep-alive ACK"},
     {"zero_window", "zero window"},
     {"zero_window_probe", "zero-window probe"},
     {"zero_window_probe_ack", "zero-window probe ACK"},
     {"window_full", "window full"},
     {"window_update", "window update"}}};

// A segment by its numbers, and the words for it.
struct Flagged {
  std::string numbers;
  std::set<std::string> flags;
};

std::string numbers(const Json& segment) {
  return fmt::format("{} {} {} {}", segment["dir"].get<std::string>(), segment["seq"].get<uint32_t>(),
                     segment["ack"].get<uint32_t>(), segment["len"].get<uint32_t>());
}

lab::Result<std::vector<Flagged>> judged_flags(const std::string& file) {
  std::vector<std::string> command{"tshark", "-n", "-r", file, "-T", "fields", "-E", "separator=;"};
  for (const char* field : {"ip.src", "tcp.seq_raw", "tcp.ack_raw", "tcp.len"})
    command.insert(command.end(), {"-e", field});
  for (const auto& [field, word] : every_flag)
    command.insert(command.end(), {"-e", fmt::format("tcp.analysis.{}", field)});
  const auto out = lab::run_tool(command);
  if (!out) return lab::failure(out.error());
  std::vector<Flagged> all;
  std::istringstream lines(*out);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> fields;
    std::istringstream cells(line + ";");
    for (std::string cell; std::getline(cells, cell, ';');) fields.push_back(cell);
    if (fields.size() < 4 + every_flag.size() || fields[1].empty()) continue;  // a warning of tshark's
    Flagged one;
    one.numbers =
        fmt::format("{} {} {} {}", fields[0] == lab::client_ip ? "out" : "in", fields[1], fields[2], fields[3]);
    for (std::size_t i = 0; i < every_flag.size(); ++i) {
      if (!fields[4 + i].empty()) one.flags.insert(every_flag[i].second);
    }
    all.push_back(std::move(one));
  }
  return all;
}

// In tshark's words: where this kernel's own word (its retransmission, its probe) goes beyond the wire's, it
// stands for what the wire alone shows.
std::set<std::string> flags_of(const Json& segment, const std::set<std::string>& theirs) {
  std::set<std::string> words;
  for (const Json& one : segment["analysis"]) {
    const auto word = one.get<std::string>();
    for (const auto& [field, known] : every_flag) {
      if (word == known) words.insert(word);
    }
  }
  const auto says_for = [&](const char* ours, const char* of_theirs) {
    if (!words.contains(ours) || theirs.contains(ours) || !theirs.contains(of_theirs)) return;
    words.erase(ours);
    words.insert(of_theirs);
  };
  if (!theirs.contains("zero-window probe ACK")) words.erase("zero-window probe ACK");
  if (segment["dir"] != "out") return words;
  says_for("retransmission", "out-of-order");  // sooner than the handshake's round trip
  says_for("zero-window probe", "keep-alive");
  if (!theirs.contains("fast retransmission")) words.erase("fast retransmission");
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
  std::optional<Story> play_captured(const std::string& name, Play how = {}, const std::string& what = "tcp") {
    std::optional<Tcpdump> capture;
    const auto start = [&](const lab::Played&) {
      auto made = Tcpdump::start(lab(), file_, {"-U", "--immediate-mode"}, what);
      ASSERT_TRUE(made) << made.error();
      capture = std::move(*made);
    };
    const auto stop = [&] {
      ASSERT_TRUE(capture);
      lab::pause_for(Millis(300));
      const auto stopped = capture->stop();
      ASSERT_TRUE(stopped) << stopped.error();
    };
    how.when_ready = start;
    how.when_played = stop;
    return play(name, how);
  }
  // Every flag of every segment, where all of them are reported (--packets all).
  void expect_every_flag(const std::string& name, Play how = {}) {
    how.client_arguments = {"--packets", "all"};
    const auto story = play_captured(name, how);
    if (!story) return;
    const Json life = story->client_life();
    ASSERT_FALSE(life.empty());
    const auto judge = judged_flags(file_.string());
    ASSERT_TRUE(judge) << judge.error();
    const std::vector<Json> segments = story->client.of("segment", life["conn"]);
    ASSERT_EQ(segments.size(), judge->size());
    // The two may differ in the order of what passes at once, but not in what it is.
    std::multimap<std::string, const Json*> ours;
    for (const Json& segment : segments) ours.emplace(numbers(segment), &segment);
    std::size_t flags = 0;
    for (const Flagged& theirs : *judge) {
      const auto mine = ours.find(theirs.numbers);
      ASSERT_NE(mine, ours.end()) << theirs.numbers;
      EXPECT_EQ(flags_of(*mine->second, theirs.flags), theirs.flags) << theirs.numbers;
      flags += theirs.flags.size();
      ours.erase(mine);
    }
    EXPECT_GT(flags, 0U) << "nothing was provoked";
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

TEST_F(Tshark, AgreesOnEveryFlagOfALossyTransfer) {
  const auto rule = run_in(lab().server_ns(),
                           {"nft",
                            "add table ip wire; add chain ip wire in { type filter hook input priority 0; }; add rule "
                            "ip wire in meta l4proto tcp ip length > 200 numgen inc mod 12 == 7 drop"});
  ASSERT_TRUE(rule) << rule.error();
  Play how;
  how.options.bulk_bytes = 4'000'000;
  expect_every_flag("bulk", how);
}
TEST_F(Tshark, AgreesOnEveryFlagOfAFastRetransmission) { expect_every_flag("retransmission-fast"); }
TEST_F(Tshark, AgreesOnEveryFlagOfASpuriousRetransmission) { expect_every_flag("retransmission-spurious"); }
TEST_F(Tshark, AgreesOnEveryFlagOfAClosedWindow) { expect_every_flag("zero-window"); }
TEST_F(Tshark, AgreesOnEveryFlagOfAKeepalive) { expect_every_flag("keepalive-answered"); }

}  // namespace tcpwitness::live
