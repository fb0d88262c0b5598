// SPDX-License-Identifier: Apache-2.0
//
// record and read: every case of the lab is recorded live, and what `read` reports of the file must be, line by line,
// what was reported live; with events missing, or a witness, it must report nothing more. tshark opens the file:
// packets are TCP, the kernel's events stand between them. A disk that is full, a recorder that is killed and a flight
// recorder keep their promises.

#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "lab/catalogue.hpp"
#include "lab/performance.hpp"
#include "live/converse.hpp"
#include "live/courses.hpp"
#include "property/less_seen.hpp"

namespace tcpwitness::live {
namespace {

// Lines of what is judged, as printed.
Words judgements(const std::string& ndjson) {
  Words kept;
  std::istringstream lines(ndjson);
  for (std::string line; std::getline(lines, line);) {
    for (const char* type : {"life", "finding", "gap"}) {
      if (line.starts_with(fmt::format("{{\"type\":\"{}\"", type))) kept.push_back(line);
    }
  }
  return kept;
}

Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

lab::Result<Words> dissected(const std::string& file, const std::string& filter, const Words& fields) {
  std::vector<std::string> argv{"tshark", "-n", "-r", file, "-Y", filter, "-T", "fields", "-E", "separator=|"};
  for (const std::string& field : fields) argv.insert(argv.end(), {"-e", field});
  const auto out = lab::run_tool(argv);
  if (!out) return lab::failure(out.error());
  Words found;
  for (const std::string& line : lines_of(*out)) {
    if (!line.starts_with("Running as user")) found.push_back(line);
  }
  return found;
}

lab::Result<testing::Steps> steps_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto stream = testing::steps_of(std::as_bytes(std::span(text)));
  if (!stream) return lab::failure(stream.error().message());
  return std::move(*stream);
}

}  // namespace

class Recording : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    directory_ = std::filesystem::temp_directory_path() / fmt::format("tw-live-recording-{}", ::getpid());
    std::filesystem::create_directory(directory_);
  }
  void TearDown() override {
    Live::TearDown();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  std::string file(const std::string& name) const { return (directory_ / name).string(); }

  // Plays a case while a recorder listens in each namespace: client.pcapng and server.pcapng.
  struct Recorded {
    lab::Played played;
    Ended client;
    Ended server;
  };
  std::optional<Recorded> record(const std::string& name, std::vector<std::string> more = {}) {
    const lab::Case* what = lab::find_case(name);
    if (what == nullptr) return std::nullopt;
    auto performance = lab::Performance::open(lab(), *what);
    if (!performance) {
      ADD_FAILURE() << performance.error();
      return std::nullopt;
    }
    const auto start = [&](const std::string& netns, const std::string& path) {
      std::vector<std::string> arguments{"record", "-o", "json", "--netns", netns, "-w", path};
      arguments.insert(arguments.end(), more.begin(), more.end());
      return TracerRun::start(arguments);
    };
    auto client = start(lab().client_ns(), file("client.pcapng"));
    auto server = start(lab().server_ns(), file("server.pcapng"));
    for (const auto* run : {&client, &server}) {
      if (!*run || !(**run)->wait_ready()) {
        ADD_FAILURE() << "a recorder did not become ready";
        return std::nullopt;
      }
    }
    auto played = (*performance)->finish();
    Recorded recorded;
    recorded.client = (*client)->stop();
    recorded.server = (*server)->stop();
    if (!played) {
      ADD_FAILURE() << played.error();
      return std::nullopt;
    }
    recorded.played = std::move(*played);
    return recorded;
  }

  std::filesystem::path directory_;
};

class EveryCase : public Recording, public ::testing::WithParamInterface<std::string> {
 protected:
  static void TearDownTestSuite() {
    fmt::print("{} recordings, {} streams with less in them, {} events removed\n", recordings, less.streams,
               less.removed);
  }
  // Nothing is surer, and nothing else is reported, because events or a witness are missing.
  static void expect_weaker(const std::string& path) {
    const auto stream = steps_of(path);
    ASSERT_TRUE(stream) << stream.error();
    ++recordings;
    constexpr std::uint32_t seed = 20261122;
    for (const testing::Tried& tried : {lose_at_random(*stream, seed), keep_one_witness(*stream)}) {
      less.streams += tried.streams;
      less.removed += tried.removed;
      for (std::size_t i = 0; i < tried.wrong.size() && i < 5; ++i) ADD_FAILURE() << path << " " << tried.wrong[i];
      EXPECT_EQ(tried.wrong.size(), 0u) << path;
    }
  }
  static inline std::size_t recordings = 0;
  static inline testing::Tried less;
};

TEST_P(EveryCase, IsReadAgainAsItWasToldLive) {
  const auto recorded = record(GetParam());
  if (!recorded) return;
  // Where there is one scripted side, its host has no connection to report.
  EXPECT_FALSE(judgements(recorded->client.out + recorded->server.out).empty()) << "nothing was reported live";
  for (const auto& [live, path] :
       {std::pair{&recorded->client, file("client.pcapng")}, {&recorded->server, file("server.pcapng")}}) {
    expect_sound(*live, Printed(live->out));
    const Ended again = run_to_end({"read", "-o", "json", path});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(judgements(again.out), judgements(live->out)) << path;
    const Json before = Printed(live->out).summary();
    const Json after = Printed(again.out).summary();
    EXPECT_EQ(before["events"], after["events"]);
    EXPECT_EQ(before["connections"], after["connections"]);
    EXPECT_EQ(before["recording"]["lost_blocks"], 0);
    // The timeline has every event that the summary counts, and the same lives.
    const Ended timeline = run_to_end({"read", "--trace", "-o", "json", path});
    EXPECT_EQ(timeline.code, 0) << timeline.err;
    EXPECT_EQ(Printed(timeline.out).of("life").size(), Printed(live->out).of("life").size());
    EXPECT_EQ(Printed(timeline.out).of("segment").size(), before["events"]["segment"].get<std::size_t>());
    expect_weaker(path);
  }
}

INSTANTIATE_TEST_SUITE_P(OfTheLab, EveryCase, ::testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const lab::Case& one : lab::catalogue()) names.emplace_back(one.name);
                           return names;
                         }()),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_F(Recording, OpensInWireshark) {
  if (!missing("tshark").empty()) GTEST_SKIP() << missing("tshark");
  const auto recorded = record("kill-unread");
  if (!recorded) return;
  const std::string path = file("client.pcapng");
  const Json summary = Printed(recorded->client.out).summary();
  const auto packets =
      dissected(path, "tcp", {"frame.packet_id", "frame.interface_name", "frame.cap_len", "frame.len"});
  ASSERT_TRUE(packets) << packets.error();
  EXPECT_EQ(packets->size(), summary["events"]["segment"].get<std::size_t>());
  for (const std::string& packet : *packets) {
    EXPECT_NE(packet.find(lab::client_link), std::string::npos) << packet;
    const auto last = packet.rfind('|');
    const auto before = packet.rfind('|', last - 1);
    EXPECT_LE(std::stoi(packet.substr(before + 1)), 128);
    EXPECT_GE(std::stoi(packet.substr(last + 1)), 54);
  }
  const auto states = dissected(path, "systemd_journal.message contains \"→\"", {"systemd_journal.message"});
  ASSERT_TRUE(states) << states.error();
  EXPECT_EQ(states->size(), summary["events"]["state"].get<std::size_t>());
  const auto established = dissected(path, "systemd_journal.message contains \"SYN_SENT → ESTABLISHED\"",
                                     {"_ws.col.Protocol", "_ws.col.Info"});
  ASSERT_TRUE(established) << established.error();
  EXPECT_EQ(established->size(), 1u);
  const auto comments = dissected(path, "frame.comment contains \"reset-origin\"", {"tcp.flags.reset"});
  ASSERT_TRUE(comments) << comments.error();
  EXPECT_EQ(*comments, Words{"1"});
  const auto malformed = dissected(path, "_ws.malformed", {"frame.number"});
  ASSERT_TRUE(malformed) << malformed.error();
  EXPECT_TRUE(malformed->empty());
  // Journal rows stand at their own times, among the packets.
  const auto times = dissected(path, "tcp || systemd_journal.message contains \"→\"", {"frame.time_epoch"});
  ASSERT_TRUE(times) << times.error();
  double latest = 0;
  for (const std::string& time : *times) {
    EXPECT_GT(std::stod(time), latest - 0.01);
    latest = std::max(latest, std::stod(time));
  }
}

TEST_F(Recording, WithEverySegmentIsSaneToWireshark) {
  if (!missing("tshark").empty()) GTEST_SKIP() << missing("tshark");
  const auto recorded = record("close-client", {"--packets", "all", "--snaplen", "256"});
  if (!recorded) return;
  const auto odd =
      dissected(file("client.pcapng"), "tcp.analysis.flags && !tcp.analysis.window_update", {"frame.number"});
  ASSERT_TRUE(odd) << odd.error();
  EXPECT_TRUE(odd->empty()) << "Wireshark finds faults in a faultless connection: frame " << odd->front();
  const auto whole = dissected(file("client.pcapng"), "tcp.completeness == 31", {"frame.number"});
  ASSERT_TRUE(whole) << whole.error();
  EXPECT_FALSE(whole->empty());
}

// What comes behind the end of the run is left out, and has no number that could be missed.
TEST_F(Recording, ThatEndsUnderALoadMissesNothing) {
  const auto& here = lab().host(lab::Side::client);
  std::string wrong;
  std::jthread traffic([&](const std::stop_token& over) {
    for (int made = 0; made < 100'000 && wrong.empty() && !over.stop_requested(); made += 50) {
      const auto talked = converse(here, here, {.ip = "127.0.0.1", .connections = 50, .addresses = 32});
      if (!talked) wrong = talked.error();
      lab::pause_for(Millis(10));
    }
  });
  for (int i = 0; i < 4; ++i) {
    const std::string path = file(fmt::format("{}.pcapng", i));
    const Ended ended = run_to_end({"record", "-o", "json", "-d", "0.3", "-w", path, "--netns", lab().client_ns()});
    ASSERT_EQ(ended.code, 0) << ended.err;
    const Json live = Printed(ended.out).summary();
    if (live["recording"]["lost_blocks"] != 0) continue;  // the disk was too slow, and that is counted
    EXPECT_EQ(Printed(run_to_end({"read", "-o", "json", path}).out).summary()["lost"], live["lost"]) << ended.err;
  }
  traffic.request_stop();
  traffic.join();
  EXPECT_EQ(wrong, "");
}

TEST_F(Recording, OfAKilledRecorderIsReadUpToThere) {
  auto run = TracerRun::start({"record", "-o", "json", "--netns", lab().client_ns(), "-w", file("a.pcapng")});
  ASSERT_TRUE(run) << run.error();
  ASSERT_TRUE((*run)->wait_ready());
  ASSERT_TRUE(lab::play(lab(), *lab::find_case("close-client")));
  ASSERT_TRUE((*run)->wait_for("\"life\"", std::chrono::seconds(5)));
  lab::pause_for(Millis(2000));
  const Ended killed = (*run)->kill();
  const Ended again = run_to_end({"read", "-o", "json", file("a.pcapng")});
  EXPECT_EQ(again.code, 1);
  EXPECT_NE(again.err.find("no end mark"), std::string::npos) << again.err;
  EXPECT_EQ(judgements(again.out), judgements(killed.out));
}

TEST_F(Recording, ThatIsStillBeingWrittenIsReadAsFarAsItIs) {
  auto run = TracerRun::start({"record", "-o", "json", "--netns", lab().client_ns(), "-w", file("a.pcapng")});
  ASSERT_TRUE(run) << run.error();
  ASSERT_TRUE((*run)->wait_ready());
  ASSERT_TRUE(lab::play(lab(), *lab::find_case("close-client")));
  ASSERT_TRUE((*run)->wait_for("\"life\"", std::chrono::seconds(5)));
  lab::pause_for(Millis(2000));
  const Ended meanwhile = run_to_end({"read", "-o", "json", file("a.pcapng")});
  EXPECT_EQ(meanwhile.code, 0) << meanwhile.err;
  EXPECT_NE(meanwhile.err.find("still being written"), std::string::npos) << meanwhile.err;
  EXPECT_EQ(Printed(meanwhile.out).of("life").size(), 1U);
  EXPECT_EQ((*run)->stop().code, 0);  // reading took nothing from who writes
  const Ended whole = run_to_end({"read", "-o", "json", file("a.pcapng")});
  EXPECT_EQ(whole.code, 0) << whole.err;
  EXPECT_EQ(whole.err.find("still being written"), std::string::npos) << whole.err;
}

// The lives that the end of the file makes are no reason to be content with a file that has no end.
TEST_F(Recording, OfACountIsNotWholeWithoutItsEnd) {
  auto run = TracerRun::start({"record", "-c", "1", "--netns", lab().client_ns(), "-w", file("a.pcapng")});
  ASSERT_TRUE(run) << run.error();
  ASSERT_TRUE((*run)->wait_ready());
  ASSERT_TRUE(lab::play(lab(), *lab::find_case("close-client")));
  ASSERT_EQ((*run)->wait().code, 0);
  const Ended whole = run_to_end({"read", "-o", "json", file("a.pcapng")});
  EXPECT_EQ(whole.code, 0) << whole.err;
  EXPECT_EQ(Printed(whole.out).of("life").size(), 1U);
  // Cut in the middle of the connection, and at the end.
  const auto bytes = std::filesystem::file_size(file("a.pcapng"));
  for (const auto left : {bytes - bytes / 4, bytes - 4}) {
    std::filesystem::resize_file(file("a.pcapng"), left);
    EXPECT_EQ(run_to_end({"read", "-o", "json", file("a.pcapng")}).code, 1) << left;
  }
}

TEST_F(Recording, ADiskThatFillsUpStopsNothing) {
  const std::string disk = file("disk");
  ASSERT_EQ(::mkdir(disk.c_str(), 0700), 0);
  ASSERT_EQ(::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k"), 0);
  auto run = TracerRun::start({"record", "-o", "json", "--netns", lab().client_ns(), "-w", disk + "/a.pcapng"});
  ASSERT_TRUE(run) << run.error();
  ASSERT_TRUE((*run)->wait_ready());
  for (int i = 0; i < 25; ++i) ASSERT_TRUE(lab::play(lab(), *lab::find_case("close-client")));
  lab::pause_for(Millis(1500));
  const Ended ended = (*run)->stop();
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.err.find("No space left on device"), std::string::npos) << ended.err;
  EXPECT_EQ(ended.err.find("No space left on device"), ended.err.rfind("No space left on device")) << ended.err;
  const Printed printed(ended.out);
  EXPECT_GE(printed.of("life").size(), 25u);  // tracing went on
  EXPECT_GT(printed.summary()["recording"]["lost_blocks"], 0);
  const Ended again = run_to_end({"read", "-o", "json", disk + "/a.pcapng"});
  EXPECT_EQ(again.code, 1);
  const Words live = judgements(ended.out);
  const Words read = judgements(again.out);
  EXPECT_FALSE(read.empty());
  EXPECT_EQ(again.err.find("cannot read the recording:"), std::string::npos) << "damaged: " << again.err;
  ::umount2(disk.c_str(), MNT_DETACH);
}

TEST_F(Recording, AFileThatCannotBeMadeIsAnErrorAtTheStart) {
  const Ended ended =
      run_to_end({"record", "-o", "json", "--netns", lab().client_ns(), "-w", file("no/such/directory/a.pcapng")});
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.err.find("cannot create the recording"), std::string::npos) << ended.err;
  EXPECT_EQ(ended.out, "");
}

TEST_F(Recording, OfTwoRecordersOnOneFileTheSecondIsRefused) {
  const std::vector<std::string> arguments{"record",          "-o", "json",          "--netns",
                                           lab().client_ns(), "-w", file("a.pcapng")};
  auto run = TracerRun::start(arguments);
  ASSERT_TRUE(run) << run.error();
  ASSERT_TRUE((*run)->wait_ready());
  const Ended second = run_to_end(arguments);
  EXPECT_EQ(second.code, 1);
  EXPECT_NE(second.err.find("another process is recording into it"), std::string::npos) << second.err;
  ASSERT_TRUE(lab::play(lab(), *lab::find_case("close-client")));
  EXPECT_EQ((*run)->stop().code, 0);
  struct stat made{};
  ASSERT_EQ(::stat(file("a.pcapng").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777U, 0600U);
  const Ended again = run_to_end({"read", "-o", "json", file("a.pcapng")});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(Printed(again.out).of("life").size(), 1u);
}

TEST_F(Recording, ToStandardOutputLeavesNoRoomForLives) {
  auto run = TracerRun::start({"record", "--netns", lab().client_ns(), "-w", "-"});
  ASSERT_TRUE(run) << run.error();
  ASSERT_TRUE((*run)->wait_for("tracing", std::chrono::seconds(20)));
  lab::pause_for(Millis(300));
  ASSERT_TRUE(lab::play(lab(), *lab::find_case("close-client")));
  const Ended ended = (*run)->stop();
  EXPECT_EQ(ended.code, 0) << ended.err;
  std::ofstream(file("a.pcapng"), std::ios::binary) << ended.out;
  const Ended again = run_to_end({"read", "-o", "json", file("a.pcapng")});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(Printed(again.out).of("life").size(), 1u);
}

TEST_F(Recording, AFlightRecorderWritesOnlyWhatBrokeAndWhatLedToIt) {
  auto run = TracerRun::start({"record", "-o", "json", "--netns", lab().client_ns(), "-w", file("a.pcapng"),
                               "--flight-recorder", "3", "--on", "reset-origin"});
  ASSERT_TRUE(run) << run.error();
  ASSERT_TRUE((*run)->wait_ready());
  ASSERT_TRUE(lab::play(lab(), *lab::find_case("close-client")));
  lab::pause_for(Millis(5000));
  ASSERT_TRUE(lab::play(lab(), *lab::find_case("kill-unread")));
  const Ended ended = (*run)->stop();
  EXPECT_EQ(ended.code, 0) << ended.err;
  const Ended again = run_to_end({"read", "-o", "json", file("a.pcapng")});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.err.find("begins after"), std::string::npos) << again.err;
  EXPECT_EQ(Printed(again.out).summary()["lost"], 0) << again.err;
  for (const Json& gap : Printed(again.out).of("gap")) EXPECT_EQ(gap["cause"], "left out") << gap;
  EXPECT_NE(again.err.find("nothing lost"), std::string::npos) << again.err;
  const auto lives = Printed(again.out).of("life");
  ASSERT_EQ(lives.size(), 1u) << again.out;
  EXPECT_EQ(lives[0]["outcome"], Printed(ended.out).of("life").back()["outcome"]);
  EXPECT_EQ(lives[0]["states"], Printed(ended.out).of("life").back()["states"]);
}

TEST_F(Recording, RotatesByTimeAndKeepsTheNewest) {
  auto run = TracerRun::start(
      {"record", "-q", "--netns", lab().client_ns(), "-w", file("log.pcapng"), "--rotate-every", "1s", "--keep", "2"});
  ASSERT_TRUE(run) << run.error();
  ASSERT_TRUE((*run)->wait_for("tracing", std::chrono::seconds(20)));
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(lab::play(lab(), *lab::find_case("close-client")));
    lab::pause_for(Millis(1000));
  }
  const Ended ended = (*run)->stop();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(ended.out.empty()) << ended.out;
  Words files;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) files.push_back(entry.path().string());
  ASSERT_EQ(files.size(), 2u);
  for (const std::string& one : files) {
    const Ended again = run_to_end({"read", "-o", "json", one});
    EXPECT_EQ(again.code, 0) << again.err;
  }
}

}  // namespace tcpwitness::live
