// SPDX-License-Identifier: Apache-2.0
// Samples: how a connection sent at some moment. Nothing happened, so they change nothing.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "recording/words.hpp"
#include "sink/json_report.hpp"
#include "sink/sinks.hpp"
#include "unit/run.hpp"
#include "unit/sink_capture.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

Sample sample_of(const Event& like, std::uint32_t srtt_us) {
  Sample sample{};
  const auto& state = std::get<StateChange>(like.body);
  sample.header = state.header;
  sample.header.kind = TW_KIND_SAMPLE;
  sample.tuple = state.tuple;
  sample.srtt_us = srtt_us;
  sample.snd_cwnd = 10;
  sample.snd_ssthresh = TW_NO_SSTHRESH;
  sample.snd_una = 0xffffff00;
  sample.snd_nxt = 0x100;  // modulo 2^32
  sample.state = State::established;
  return sample;
}

// A story with a sample behind its n-th event, of its first event's socket.
std::vector<Event> with_sample(std::vector<Event> events, std::size_t behind, std::uint64_t cookie) {
  Event sample{1'000'000, events[behind].ts_ns, Sample{}};
  sample.body = sample_of(events.front(), 59);
  if (cookie != 0) std::get<Sample>(sample.body).header.cookie = cookie;
  events.insert(events.begin() + static_cast<std::ptrdiff_t>(behind) + 1, sample);
  return events;
}

TEST(Samples, AreEntriesOfTheirConnectionAndChangeNothingOfIt) {
  const Story story = no_answer_story();
  const RunResult without = run(story.events, trace_settings());
  const RunResult with = run(with_sample(story.events, 2, 0), trace_settings());
  const auto samples = with.entries_of<SampleEntry>();
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].first.conn, with.life().conn);
  EXPECT_EQ(samples[0].second.sample.srtt_us, 59U);
  EXPECT_EQ(with.life().outcome, without.life().outcome);
  EXPECT_EQ(with.life().duration_ns, without.life().duration_ns);
  EXPECT_EQ(with.life().explanation, without.life().explanation);
  EXPECT_EQ(with.entries().size(), without.entries().size() + 1);
  EXPECT_EQ(with.summary.events[TW_KIND_SAMPLE], 1U);
}

TEST(Samples, OfASocketThatNobodyKnowsMakeNoConnection) {
  const Story story = no_answer_story();
  const RunResult result = run(with_sample(story.events, 2, 4711), trace_settings());
  EXPECT_TRUE(result.entries_of<SampleEntry>().empty());
  EXPECT_EQ(result.lives().size(), 1U);
}

TEST(Samples, BehindTheEndAreOfNoConnectionThatWasTold) {
  std::vector<Event> events = no_answer_story().events;
  Event late{1'000'000, events.back().ts_ns + 60 * s, sample_of(events.front(), 59)};
  events.push_back(late);
  EXPECT_TRUE(run(events, trace_settings()).entries_of<SampleEntry>().empty());
}

TEST(Samples, AreInJsonAsTheKernelHasThemAndInNoTimelineForPeople) {
  const Story story = no_answer_story();
  const RunResult result = run(with_sample(story.events, 2, 0), trace_settings());
  const auto [entry, body] = result.entries_of<SampleEntry>().at(0);
  Buffer out;
  JsonReport(kernel_names()).append(out, entry);
  const auto json = nlohmann::json::parse(fmt::to_string(out));
  EXPECT_EQ(json["type"], "sample");
  EXPECT_EQ(json["srtt_us"], 59);
  EXPECT_EQ(json["in_flight_bytes"], 0x200);
  EXPECT_TRUE(json["ssthresh_segments"].is_null());
  EXPECT_TRUE(json["delivery_rate_bytes_s"].is_null());
  EXPECT_EQ(json["congestion"], "open");
  const auto text = [](const Reports& reports) {
    return test::captured([](Output& output) { return make_trace_text(output, kernel_names(), {}); }, reports);
  };
  EXPECT_FALSE(text(result.reports).contains("sample"));
}

TEST(Samples, ARowSaysNothingOfWhatIsNotKnown) {
  const Event first = no_answer_story().events.front();
  const auto message = [&](std::uint32_t srtt_us) {
    return words_of(Event{7, first.ts_ns, sample_of(first, srtt_us)}, kernel_names()).message;
  };
  EXPECT_TRUE(message(59).starts_with("srtt 59 us, cwnd 10, 512 bytes in flight ")) << message(59);
  EXPECT_TRUE(message(0).starts_with("cwnd 10, 512 bytes in flight ")) << message(0);
}

}  // namespace
}  // namespace tcpwitness::testing
