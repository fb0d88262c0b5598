// SPDX-License-Identifier: Apache-2.0
// What was recorded is judged again as it was live; what is missing makes nothing more certain; what is broken is
// an error, never a crash.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

#include "property/less_seen.hpp"
#include "tcpwitness/gap.hpp"
#include "unit/digests.hpp"
#include "unit/recorded.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

Bytes recorded(const std::vector<Event>& events) {
  const TempDir dir;
  record_story(events, into(dir.file("a.pcapng")));
  return bytes_of_file(dir.file("a.pcapng"));
}

// Several stories one after the other on the same ports, minutes apart.
std::vector<Event> one_after_the_other(const std::vector<Story>& stories) {
  std::vector<Event> all;
  std::int64_t later = 0;
  std::uint64_t cookies = 0;
  for (const Story& story : stories) {
    for (Event event : story.events) {
      event.ts_ns += later;
      event.id = all.size() + 1;
      std::visit(
          [&](auto& body) {
            if constexpr (requires { body.header; }) {
              body.header.ts_ns += static_cast<std::uint64_t>(later);
              if (body.header.cookie != 0) body.header.cookie += cookies;
            }
          },
          event.body);
      all.push_back(event);
    }
    later = all.back().ts_ns - stories.front().events.front().ts_ns + 120 * s;
    cookies += 100;
  }
  return all;
}

TEST(Recording, IsJudgedAsTheLiveRunWas) {
  for (const Story& story : all_stories()) {
    for (const std::int64_t after : {100 * ms, 20 * s}) {
      const TempDir dir;
      const SimulatedRun live = record_story(story.events, into(dir.file("a.pcapng")), life_settings(), after);
      const ReadAgain again = read_again(bytes_of_file(dir.file("a.pcapng")));
      EXPECT_FALSE(again.error) << story.name << ": " << again.error->message();
      EXPECT_TRUE(again.ended) << story.name;
      EXPECT_EQ(again.missing, 0U) << story.name;
      EXPECT_EQ(again.json, as_json(live.reports, recorded_names())) << story.name;
      EXPECT_TRUE(live.said.empty()) << live.said.front();
    }
  }
}

TEST(Recording, GivesTheTimelineOfTheLiveRun) {
  for (const Story& story : all_stories()) {
    const TempDir dir;
    const SimulatedRun live = record_story(story.events, into(dir.file("a.pcapng")), trace_settings());
    const ReadAgain again = read_again(bytes_of_file(dir.file("a.pcapng")),
                                       {.reports = {.timeline = true, .finding_reports = true, .explain = true}});
    EXPECT_EQ(again.json, as_json(live.reports, recorded_names())) << story.name;
  }
}

TEST(Recording, KeepsALossOfTheRingWhereItHappened) {
  std::vector<Event> events = close_first_story().events;
  const TimeNs ts = events[4].ts_ns;
  events.insert(events.begin() + 4, Event{0, ts, Gap{3, 0, ts, ts}});
  const TempDir dir;
  const SimulatedRun live = record_story(events, into(dir.file("a.pcapng")));
  const ReadAgain again = read_again(bytes_of_file(dir.file("a.pcapng")));
  EXPECT_EQ(again.missing, 0U);
  EXPECT_EQ(again.json, as_json(live.reports, recorded_names()));
  EXPECT_NE(again.json.find("\"lost\":3"), std::string::npos);
}

TEST(Recording, KeepsWhatTheKernelSkippedAndThatTheSocketsWereListed) {
  std::vector<Event> events = close_first_story().events;
  const TimeNs ts = events[4].ts_ns;
  events.insert(events.begin() + 4, Event{0, ts, Gap{7, TW_NO_CPU, ts - ms, ts}});
  const TempDir dir;
  const SimulatedRun live = record_story(events, into(dir.file("a.pcapng")));
  const ReadAgain again = read_again(bytes_of_file(dir.file("a.pcapng")));
  EXPECT_FALSE(again.error) << again.error->message();
  EXPECT_EQ(again.missing, 0U);
  EXPECT_EQ(again.json, as_json(live.reports, recorded_names()));
  EXPECT_NE(again.json.find("\"lost\":7,\"cause\":\"skipped\""), std::string::npos);
}

TEST(Recording, ChangesNothingWithoutAnOddTick) {
  // Nothing came for long, and nothing due: one mark is enough.
  const Bytes bytes = recorded(still_open_story().events);
  std::size_t marks = 0;
  pcapng::for_each_block(bytes, [&](std::uint32_t type, auto) { marks += type == mark_block ? 1 : 0; });
  EXPECT_LT(marks, 40U);
}

TEST(Recording, CommentsTheNewestPacketOfAFindingsEvidence) {
  const Bytes bytes = recorded(close_first_story().events);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t comment = text.find("time-wait (certain): ");
  const std::size_t row = text.find("finding time-wait (certain): ");
  ASSERT_NE(comment, std::string_view::npos);
  ASSERT_NE(row, std::string_view::npos);
  EXPECT_LT(comment, row);
  bool in_packet = false;
  pcapng::for_each_block(bytes, [&](std::uint32_t type, std::span<const std::byte> block) {
    const std::string_view body(reinterpret_cast<const char*>(block.data()), block.size());
    if (body.contains("time-wait (certain): ") && type == pcapng::packet_block) in_packet = true;
  });
  EXPECT_TRUE(in_packet);
}

// ---- Cut off, broken ----

TEST(Recording, CutOffAnywhereReadsUpToThereAndSaysSo) {
  const Bytes bytes = recorded(killed_unread_story().events);
  std::size_t complete = 0;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const ReadAgain again = read_again(std::span(bytes).first(length));
    if (again.ended && !again.error) ++complete;
    if (!again.opened) {
      EXPECT_TRUE(again.error);
    }
  }
  EXPECT_EQ(complete, 0U) << "a file that was cut off looked like a whole one";
  EXPECT_TRUE(read_again(bytes).ended);
}

TEST(Recording, OfAKilledRecorderHasNoEnd) {
  const Bytes bytes = recorded(still_open_story().events);
  std::size_t last = 0;
  std::size_t at = 0;
  pcapng::for_each_block(bytes, [&](auto, std::span<const std::byte> block) {
    last = at;
    at += block.size();
  });
  const ReadAgain again = read_again(std::span(bytes).first(last));
  EXPECT_FALSE(again.error);
  EXPECT_FALSE(again.ended);
  EXPECT_NE(again.json.find("\"outcome\":\"open\""), std::string::npos);
}

TEST(Recording, MutatedAtRandomIsReadOrRefusedAndNeverCrashes) {
  std::mt19937 random(20261122);
  for (const Story& story : {keepalive_death_story(), close_first_story(), forgotten_story()}) {
    const Bytes bytes = recorded(story.events);
    for (int round = 0; round < 3000; ++round) {
      Bytes mutated = bytes;
      for (int flips = 1 + static_cast<int>(random() % 8); flips > 0; --flips) {
        // Mostly behind the first two blocks, which must stand for anything else to be read.
        const std::size_t from = random() % 8 == 0 ? 0 : std::min<std::size_t>(700, mutated.size() - 1);
        mutated[from + random() % (mutated.size() - from)] = static_cast<std::byte>(random());
      }
      (void)read_again(mutated, {.reports = {.timeline = true, .finding_reports = true, .explain = true}});
    }
  }
}

TEST(Recording, OfAnotherLayoutIsRefusedInWords) {
  Bytes bytes = recorded(close_first_story().events);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t at = text.find("abi=" + std::to_string(TW_ABI_VERSION) + "\n");
  ASSERT_NE(at, std::string_view::npos);
  bytes[at + 4] = std::byte{'7'};
  const ReadAgain again = read_again(bytes);
  ASSERT_TRUE(again.error);
  EXPECT_NE(again.error->message().find("layout 7"), std::string::npos) << again.error->message();
  EXPECT_NE(again.error->message().find("byte "), std::string::npos) << again.error->message();
}

// What editcap and Wireshark make of it.
TEST(Recording, WrittenAnewWithoutItsOwnBlocksIsRefusedInWords) {
  Bytes packets_and_journal;
  pcapng::for_each_block(recorded(close_first_story().events),
                         [&](std::uint32_t type, std::span<const std::byte> block) {
                           if (type != mark_block)
                             packets_and_journal.insert(packets_and_journal.end(), block.begin(), block.end());
                         });
  const ReadAgain again = read_again(packets_and_journal);
  ASSERT_TRUE(again.error);
  EXPECT_NE(again.error->message().find("read the original"), std::string::npos) << again.error->message();
}

// A run that records keeps each event by itself.
TEST(Recording, WithADigestIsRefused) {
  const ReadAgain again = read_again(recorded(DigestWriter().write(no_timeline(close_first_story().events))));
  ASSERT_TRUE(again.error);
  EXPECT_NE(again.error->message().find("could be event 1"), std::string::npos) << again.error->message();
}

// ---- Missing ----

// The process takes five seconds to close: not yet a finding.
Story late_close_story() {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(FA);
  c.to(State::close_wait);
  c.out(A, 0, TW_EVENT_FIN_ACK);
  stream.wait(5 * s);
  c.to(State::last_ack, curl);
  c.out(FA);
  c.in(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::close);
  c.destroy();
  return {"closes late", stream.events, Outcome::completed};
}

// A story as it is read again, and what is reported of the whole.
struct Whole {
  explicit Whole(const Story& of, const Bytes& file)
      : story(of), stream(steps_of(file).value()), whole(confidences(judged(stream).reports)) {}
  const Story& story;
  Steps stream;
  std::map<Rule, Confidence> whole;
};

void expect_nothing_more_certain(const Whole& reported, std::size_t first, std::size_t last, bool time = false) {
  SCOPED_TRACE(fmt::format("{} without events {} to {}", reported.story.name, first + 1, last));
  const Judged again = judged(without(reported.stream, first, last, time));
  EXPECT_FALSE(again.error) << again.error->message();
  EXPECT_EQ(again.missing, last - first);
  for (const auto& [rule, confidence] : confidences(again.reports)) {
    const auto known = reported.whole.find(rule);
    EXPECT_LE(confidence, known != reported.whole.end() ? known->second : Confidence::inconclusive) << name(rule);
  }
  for (const Report& report : again.reports) {
    const auto* life = std::get_if<Life>(&report);
    if (life == nullptr) continue;
    EXPECT_TRUE(may_say(reported.story, life->outcome)) << name(life->outcome);
    EXPECT_TRUE(life->incomplete || life->preexisting);
  }
}

TEST(RecordingLoss, AtRandomMakesNothingMoreCertain) {
  for (const Story& story : all_stories()) {
    const Tried tried = lose_at_random(steps_of(recorded(story.events)).value(), 20261122);
    for (const std::string& wrong : tried.wrong) ADD_FAILURE() << story.name << " " << wrong;
    EXPECT_GT(tried.removed, story.events.size());
  }
}

TEST(RecordingLoss, OfAWitnessMakesNothingMoreCertain) {
  for (const Story& story : all_stories()) {
    for (const std::string& wrong : keep_one_witness(steps_of(recorded(story.events)).value()).wrong)
      ADD_FAILURE() << story.name << ": " << wrong;
  }
}

TEST(RecordingWindow, ThatBeginsInTheMiddleOfAConnectionMakesNothingMoreCertain) {
  for (const Story& story : all_stories()) {
    const Whole reported(story, recorded(story.events));
    for (std::size_t cut = 1; cut < story.events.size(); ++cut) expect_nothing_more_certain(reported, 0, cut);
  }
}

TEST(RecordingWindow, WithAHoleInTheMiddleMakesNothingMoreCertain) {
  for (const Story& story : all_stories()) {
    const Whole reported(story, recorded(story.events));
    for (std::size_t first = 1; first + 1 < story.events.size(); ++first) {
      for (std::size_t last = first + 1; last < story.events.size(); ++last)
        expect_nothing_more_certain(reported, first, last);
    }
  }
}

TEST(RecordingWindow, WithAHoleInItsTimeMakesNothingMoreCertain) {
  std::vector<Story> stories = all_stories();
  stories.push_back(late_close_story());
  for (const Story& story : stories) {
    const TempDir dir;
    record_story(story.events, into(dir.file("a.pcapng")), life_settings(), 20 * s);
    const Whole reported(story, bytes_of_file(dir.file("a.pcapng")));
    for (std::size_t first = 1; first < story.events.size(); ++first) {
      for (std::size_t last = first + 1; last <= story.events.size(); ++last)
        expect_nothing_more_certain(reported, first, last, true);
    }
  }
}

// ---- Rotation ----

TEST(Rotation, MakesFilesThatTogetherAreTheWhole) {
  const std::vector<Event> events = one_after_the_other(all_stories());
  const TempDir dir;
  RecorderSettings settings = into(dir.file("log.pcapng"));
  settings.rotate_bytes = 16 << 10;
  const SimulatedRun live = record_story(events, settings);
  const auto files = dir.files();
  ASSERT_GT(files.size(), 3U);
  EXPECT_EQ(live.totals.files, files.size());
  EXPECT_EQ(files.front(), "log.00002.pcapng");
  EXPECT_EQ(files.back(), "log.pcapng");
  Bytes all = bytes_of_file(dir.file("log.pcapng"));
  for (std::size_t part = 2; part <= files.size(); ++part) {
    const Bytes bytes = bytes_of_file(dir.file(fmt::format("log.{:05}.pcapng", part)));
    EXPECT_LT(bytes.size(), 18U << 10U);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  const ReadAgain again = read_again(all);
  EXPECT_FALSE(again.error) << again.error->message();
  EXPECT_EQ(again.json, as_json(live.reports, recorded_names()));
}

TEST(Rotation, ALaterFileIsReadByItselfAndClaimsNothingOfWhatCameBefore) {
  const std::vector<Story> stories = all_stories();
  for (const Story& story : stories) {
    std::vector<Event> events = one_after_the_other({story, story, story});
    const TempDir dir;
    RecorderSettings settings = into(dir.file("log.pcapng"));
    settings.rotate_bytes = 6 << 10;
    const SimulatedRun live = record_story(events, settings);
    const auto sure = confidences(live.reports);
    for (const std::string& name_of_file : dir.files()) {
      const ReadAgain again = read_again(bytes_of_file(dir.file(name_of_file)));
      EXPECT_FALSE(again.error) << again.error->message();
      EXPECT_TRUE(again.ended);
      for (const auto& [rule, confidence] : confidences(again.reports)) {
        const auto known = sure.find(rule);
        EXPECT_LE(confidence, known != sure.end() ? known->second : Confidence::inconclusive)
            << story.name << " " << name_of_file << " " << name(rule);
      }
      for (const Report& report : again.reports) {
        if (const auto* life = std::get_if<Life>(&report)) {
          EXPECT_TRUE(may_say(story, life->outcome)) << story.name << " " << name_of_file << " " << name(life->outcome);
        }
      }
    }
  }
}

TEST(Rotation, KeepsTheNewestFilesOnly) {
  const TempDir dir;
  RecorderSettings settings = into(dir.file("log.pcapng"));
  settings.rotate_bytes = 8 << 10;
  settings.keep = 2;
  const SimulatedRun live = record_story(one_after_the_other(all_stories()), settings);
  const auto files = dir.files();
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files.back(), fmt::format("log.{:05}.pcapng", live.totals.files));
  EXPECT_GT(live.totals.files, 5U);
}

// What comes in the moment before a file's end still waits, and stands in the next one.
TEST(Rotation, AFileEndsNoLaterThanWhatItHolds) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  for (int i = 0; i < 400; ++i) {
    stream.wait(20 * ms);
    c.out(PA, 10);
  }
  const TempDir dir;
  RecorderSettings settings = into(dir.file("log.pcapng"));
  settings.rotate_bytes = 64 << 10;
  record_story(stream.events, settings);
  ASSERT_GT(dir.files().size(), 1U);
  const ReadAgain first = read_again(bytes_of_file(dir.file("log.pcapng")));
  ASSERT_TRUE(first.ended);
  const Life* life = nullptr;
  for (const Report& report : first.reports) {
    if (const auto* one = std::get_if<Life>(&report)) life = one;
  }
  ASSERT_NE(life, nullptr);
  EXPECT_EQ(life->outcome, Outcome::open);
  ASSERT_GT(life->tx_bytes, 0U) << "the kernel's newest word is from before the payload";
  EXPECT_LT(life->tx_bytes, 4000U);
  // 20 ms for each 10 bytes.
  EXPECT_LE(life->duration_ns, static_cast<std::int64_t>(life->tx_bytes / 10) * 20 * ms + 50 * ms);
}

TEST(Rotation, ByTimeBeginsANewFile) {
  const TempDir dir;
  RecorderSettings settings = into(dir.file("log"));
  settings.rotate_every = std::chrono::minutes(5);
  record_story(one_after_the_other({close_first_story(), refused_story(), close_first_story(), refused_story()}),
               settings);
  EXPECT_EQ(dir.files(), (std::vector<std::string>{"log", "log.00002"}));
}

TEST(Rotation, FilesOfAnotherRunDoNotJoin) {
  Bytes all = recorded(close_first_story().events);
  const Bytes other = recorded(refused_story().events);
  all.insert(all.end(), other.begin(), other.end());
  const ReadAgain again = read_again(all);
  ASSERT_TRUE(again.error);
  EXPECT_NE(again.error->message().find("another recording"), std::string::npos);
}

// ---- Flight recorder ----

TEST(FlightRecorder, WritesNothingWithoutAFinding) {
  const TempDir dir;
  RecorderSettings settings = into(dir.file("a.pcapng"));
  settings.flight = std::chrono::seconds(30);
  const SimulatedRun live = record_story(close_second_story().events, settings);
  const ReadAgain again = read_again(bytes_of_file(dir.file("a.pcapng")));
  EXPECT_FALSE(again.error);
  EXPECT_TRUE(again.ended);
  EXPECT_EQ(again.missing, close_second_story().events.size());
  EXPECT_EQ(again.left_out, again.missing);
  EXPECT_EQ(again.lost, 0U) << "it was meant";
  EXPECT_EQ(live.totals.dropped_early, 0U);
  EXPECT_EQ(live.totals.fired, 0U);
  for (const Report& report : again.reports) EXPECT_FALSE(std::holds_alternative<Life>(report));
}

TEST(FlightRecorder, AnOrdinaryCloseIsNoReasonToWriteUnlessAskedFor) {
  for (const bool asked : {false, true}) {
    const TempDir dir;
    RecorderSettings settings = into(dir.file("a.pcapng"));
    settings.flight = std::chrono::seconds(30);
    if (asked) settings.on = {Rule::time_wait};
    record_story(close_first_story().events, settings);
    const ReadAgain again = read_again(bytes_of_file(dir.file("a.pcapng")));
    EXPECT_EQ(again.missing == 0, asked);
  }
}

TEST(FlightRecorder, WritesAFindingAndTheSecondsBeforeIt) {
  const TempDir dir;
  RecorderSettings settings = into(dir.file("a.pcapng"));
  settings.flight = std::chrono::seconds(60);
  settings.on = {Rule::reset_origin};
  const std::vector<Event> events =
      one_after_the_other({close_second_story(), killed_unread_story(), close_second_story()});
  const SimulatedRun live = record_story(events, settings);
  EXPECT_EQ(live.totals.fired, 1U);
  const ReadAgain again = read_again(bytes_of_file(dir.file("a.pcapng")));
  EXPECT_FALSE(again.error) << again.error->message();
  EXPECT_EQ(again.missing, 2 * close_second_story().events.size());
  EXPECT_EQ(again.left_out, again.missing);
  EXPECT_EQ(again.lost, 0U);
  for (const Report& report : again.reports) {
    if (const auto* gap = std::get_if<GapReport>(&report)) {
      EXPECT_EQ(cause_of(gap->gap), GapCause::left_out);
    }
  }
  // The story that had it is there from its first event: its outcome is the live one. The others are not reported.
  int reported = 0;
  for (const Report& report : again.reports) {
    const auto* life = std::get_if<Life>(&report);
    if (life == nullptr) continue;
    ++reported;
    EXPECT_EQ(life->outcome, killed_unread_story().outcome);
  }
  EXPECT_GT(reported, 0);
  EXPECT_LE(confidences(again.reports)[Rule::reset_origin], confidences(live.reports)[Rule::reset_origin]);
}

TEST(FlightRecorder, BeginsNoFileAfterOneThatHoldsNothing) {
  for (const bool fires : {false, true}) {
    const TempDir dir;
    RecorderSettings settings = into(dir.file("a.pcapng"));
    settings.flight = std::chrono::seconds(60);
    settings.on = {fires ? Rule::reset_origin : Rule::half_open};
    settings.rotate_every = std::chrono::nanoseconds(1);
    const SimulatedRun live = record_story(
        one_after_the_other({killed_unread_story(), close_second_story(), close_second_story()}), settings);
    EXPECT_EQ(live.totals.files > 1, fires) << live.totals.files;
  }
}

TEST(FlightRecorder, ThatHasNoMemoryForItsSecondsSaysSo) {
  const TempDir dir;
  RecorderSettings settings = into(dir.file("a.pcapng"));
  settings.flight = std::chrono::hours(10);
  settings.on = {Rule::half_open};
  settings.flight_bytes = 4 << 10;
  const SimulatedRun live = record_story(one_after_the_other({close_second_story(), close_second_story()}), settings);
  EXPECT_GT(live.totals.dropped_early, 0U);
}

}  // namespace
}  // namespace tcpwitness::testing
