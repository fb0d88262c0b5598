// SPDX-License-Identifier: Apache-2.0
// A recording's rows for people and for Wireshark: the cause of each transition is the timeline's; a segment
// at several places is one packet.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

#include "recording/copies.hpp"
#include "unit/recorded.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

using Lines = std::vector<std::string>;

std::string field(const CaptureBlock& block, std::string_view name) {
  const auto value = journal_field(block.bytes, name);
  return value ? std::string(reinterpret_cast<const char*>(value->data()), value->size()) : "-";
}

// Of each row of a transition.
Lines transitions_of(const Bytes& bytes) {
  Lines lines;
  const auto file = CaptureFile::open(bytes);
  if (!file) return lines;
  CaptureBlock block;
  while ((*file)->next(block)) {
    if (block.kind != CaptureBlock::Kind::journal || field(block, "TCPWITNESS_FROM") == "-") continue;
    EXPECT_EQ(field(block, "TCPWITNESS_TYPE"), "state");
    lines.push_back(fmt::format("{} {} {} {} {} {} {}", field(block, "TCPWITNESS_CONN"),
                                field(block, "TCPWITNESS_FROM"), field(block, "TCPWITNESS_TO"),
                                field(block, "TCPWITNESS_INFERRED"), field(block, "TCPWITNESS_CAUSE"),
                                field(block, "TCPWITNESS_CAUSE_WHAT"), field(block, "TCPWITNESS_CAUSE_EVENT")));
  }
  return lines;
}

Lines transitions_of(const Reports& reports) {
  Lines lines;
  for (const Report& report : reports) {
    const auto* entry = std::get_if<Entry>(&report);
    const auto* state = entry != nullptr ? std::get_if<StateEntry>(&entry->body) : nullptr;
    if (state == nullptr) continue;
    const bool known = state->cause.kind != Cause::Kind::unknown;
    lines.push_back(fmt::format("{} {} {} {} {} {} {}", entry->conn, name(state->from), name(state->to),
                                state->inferred ? "1" : "-", known ? name(state->cause.kind) : "-",
                                known ? state->cause.what : "-",
                                state->cause.id != 0 ? std::to_string(state->cause.id) : "-"));
  }
  return lines;
}

TEST(RecordingRows, HaveTheCausesOfTheTimeline) {
  std::size_t causes = 0;
  for (const Story& story : all_stories()) {
    const TempDir dir;
    CorrelatorSettings settings = life_settings();
    settings.states = true;
    record_story(story.events, into(dir.file("a.pcapng")), settings);
    const Bytes bytes = bytes_of_file(dir.file("a.pcapng"));
    const ReadAgain again = read_again(bytes, {.reports = {.timeline = true}});
    EXPECT_FALSE(again.error) << story.name;
    const Lines shown = transitions_of(again.reports);
    EXPECT_EQ(transitions_of(bytes), shown) << story.name;
    for (const std::string& line : shown) causes += line.ends_with(" -") ? 0 : 1;
  }
  EXPECT_GT(causes, 50U);
}

TEST(RecordingRows, ChangeNothingOfWhatIsJudged) {
  for (const Story& story : all_stories()) {
    const TempDir dir;
    CorrelatorSettings settings = life_settings();
    settings.states = true;
    SimulatedRun live = record_story(story.events, into(dir.file("a.pcapng")), settings);
    std::erase_if(live.reports, [](const Report& report) { return std::holds_alternative<Entry>(report); });
    const ReadAgain again = read_again(bytes_of_file(dir.file("a.pcapng")));
    EXPECT_EQ(again.json, as_json(live.reports, recorded_names())) << story.name;
  }
}

// ---- Copies ----

// 10.0.0.1:40000 to 10.0.0.2:80, in Ethernet.
std::array<std::byte, 54> ipv4_frame(std::uint8_t id = 1, std::uint8_t ttl = 64) {
  std::array<std::byte, 54> frame{};
  const std::array<std::uint8_t, 26> head{0x08, 0x00, 0x45, 0, 0, 40, 0, id, 0, 0,    ttl,  6, 0,
                                          0,    10,   0,    0, 1, 10, 0, 0,  2, 0x9c, 0x40, 0, 80};
  std::ranges::copy(std::as_bytes(std::span(head)), frame.begin() + 12);
  return frame;
}

class Segments : public ::testing::Test {
 protected:
  std::optional<Copies::Packet> see(std::uint32_t ifindex, bool out, std::span<const std::byte> frame,
                                    std::uint32_t seq = 1000, TimeNs later = 1000, std::uint32_t len = 0) {
    Segment segment{};
    segment.ifindex = ifindex;
    segment.seen_at(out ? HookPoint::egress : HookPoint::ingress);
    segment.seq = seq;
    segment.flags = 0x10;
    segment.len = len;
    Event event;
    event.id = ++id_;
    event.ts_ns = now_ += later;
    FrameBytes bytes;
    bytes.head.link_type = link_type_;
    bytes.bytes = frame;
    return copies_.first(segment, bytes, event);
  }
  Copies copies_;
  EventId id_ = 0;
  TimeNs now_ = 1'000'000'000;
  std::uint16_t link_type_ = TW_LINK_ETHERNET;
};

TEST_F(Segments, OutAndInOfLoopbackAreOne) {
  const auto frame = ipv4_frame();
  EXPECT_FALSE(see(1, true, frame));
  const auto copy = see(1, false, frame);
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->id, 1U);
  EXPECT_EQ(copy->ifindex, 1U);
  EXPECT_EQ(copies_.shown(2), 1U);
  EXPECT_EQ(copies_.shown(1), 1U);
}

TEST_F(Segments, ThatPassThroughAreOneWhateverTheirTtl) {
  EXPECT_FALSE(see(2, false, ipv4_frame(1, 64)));
  const auto copy = see(3, true, ipv4_frame(1, 63));
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->ifindex, 2U);
}

TEST_F(Segments, SentAgainAreTwo) {
  const auto frame = ipv4_frame();
  EXPECT_FALSE(see(1, true, frame));
  EXPECT_FALSE(see(1, true, frame)) << "the first was lost on its way";
  EXPECT_EQ(see(1, false, frame)->id, 1U);
  EXPECT_EQ(see(1, false, frame)->id, 2U);
  EXPECT_FALSE(see(1, false, frame)) << "a third one came in: somebody made it";
}

// 72,000 bytes are more than an IPv4 packet of loopback holds.
TEST_F(Segments, ThatComeInAsPiecesOfOneAreItsCopies) {
  const auto in = [&](std::uint8_t id, std::uint32_t seq, std::uint32_t len) {
    return see(1, false, ipv4_frame(id), seq, 1000, len);
  };
  EXPECT_FALSE(see(1, true, ipv4_frame(1), 1000, 1000, 72'000));
  EXPECT_FALSE(see(1, true, ipv4_frame(3), 73'000, 1000, 72'000));
  EXPECT_EQ(in(1, 1000, 47'616)->id, 1U);
  EXPECT_EQ(in(2, 48'616, 24'384)->id, 1U);
  EXPECT_EQ(in(3, 73'000, 47'616)->id, 2U);
  EXPECT_EQ(copies_.shown(4), 1U);
  EXPECT_FALSE(in(2, 48'616, 24'384)) << "a piece comes once";
  EXPECT_FALSE(in(4, 120'616, 40'000)) << "more than is left of the second";
  auto other = ipv4_frame(4);
  other[34] = std::byte{0x9d};
  EXPECT_FALSE(see(1, false, other, 120'616, 1000, 24'384)) << "another port";
  EXPECT_EQ(in(4, 120'616, 24'384)->id, 2U);
}

TEST_F(Segments, ThatArePiecesAreSoAtEachPlace) {
  EXPECT_FALSE(see(1, true, ipv4_frame(1), 1000, 1000, 72'000));
  for (const std::uint32_t place : {2U, 3U}) {
    EXPECT_EQ(see(place, false, ipv4_frame(1), 1000, 1000, 47'616)->id, 1U) << place;
    EXPECT_EQ(see(place, false, ipv4_frame(2), 48'616, 1000, 24'384)->id, 1U) << place;
  }
}

TEST_F(Segments, ThatDifferAreNoCopies) {
  EXPECT_FALSE(see(1, true, ipv4_frame(1)));
  EXPECT_FALSE(see(1, false, ipv4_frame(2))) << "another IP identification";
  EXPECT_FALSE(see(1, false, ipv4_frame(1), 1001)) << "another number";
  auto other = ipv4_frame(1);
  other[34] = std::byte{0x9d};
  EXPECT_FALSE(see(1, false, other)) << "another port";
  EXPECT_FALSE(see(1, false, ipv4_frame(1), 1000, 2'000'000'000)) << "long after";
}

TEST_F(Segments, ThatCannotBeReadAreNoCopies) {
  for (const std::size_t length : {0U, 13U, 20U, 34U, 37U}) {
    const auto frame = ipv4_frame();
    EXPECT_FALSE(see(1, true, std::span(frame).first(length)));
    EXPECT_FALSE(see(1, false, std::span(frame).first(length))) << length;
  }
  auto udp = ipv4_frame();
  udp[23] = std::byte{17};
  EXPECT_FALSE(see(1, true, udp));
  EXPECT_FALSE(see(1, false, udp));
  link_type_ = TW_LINK_RAW_IP;
  EXPECT_FALSE(see(1, true, ipv4_frame()));
  EXPECT_FALSE(see(1, false, ipv4_frame())) << "an Ethernet header is no IP";
}

TEST_F(Segments, OfIpv6AndWithoutLinkLayerAreFound) {
  std::array<std::byte, 60> frame{};
  frame[0] = std::byte{0x60};
  frame[6] = std::byte{6};
  frame[23] = frame[39] = std::byte{1};
  link_type_ = TW_LINK_RAW_IP;
  EXPECT_FALSE(see(1, true, frame));
  EXPECT_TRUE(see(1, false, frame));
  frame[39] = std::byte{2};
  EXPECT_FALSE(see(1, false, frame));
}

// A recording of loopback: each segment is one packet, every event is read again.
TEST(RecordingRows, OfLoopbackHoldEachSegmentOnce) {
  std::vector<Event> events;
  for (EventId id = 1; id <= 40; ++id) {
    Segment segment{};
    segment.header.kind = TW_KIND_SEGMENT;
    segment.header.ts_ns = 1'000'000'000 + id * 1000;
    segment.ifindex = 1;
    segment.seen_at(id % 2 == 1 ? HookPoint::egress : HookPoint::ingress);
    segment.seq = static_cast<std::uint32_t>((id + 1) / 2);
    segment.segments = 1;
    segment.flags = 0x10;
    events.push_back(Event{id, static_cast<TimeNs>(segment.header.ts_ns), segment});
  }
  const TempDir dir;
  StartMark start;
  start.ready.version = "9.9";
  Recorder recorder(into(dir.file("a.pcapng")), start, recorded_names(), [](const std::string&) {});
  const auto frame = ipv4_frame();
  for (const Event& event : events) {
    Bytes record = ring_record(event, 0);
    std::ranges::copy(frame, record.begin() + sizeof(tw_segment) + sizeof(tw_frame));
    recorder.record(record, std::span(&event, 1));
  }
  recorder.finish(EndMark{.now = 2'000'000'000});
  const Bytes bytes = bytes_of_file(dir.file("a.pcapng"));
  std::size_t packets = 0;
  pcapng::for_each_block(bytes, [&](std::uint32_t type, auto) { packets += type == pcapng::packet_block ? 1 : 0; });
  EXPECT_EQ(packets, 20U);
  const auto file = CaptureFile::open(bytes);
  ASSERT_TRUE(file);
  CaptureBlock block;
  EventId last = 0;
  while ((*file)->next(block)) {
    const auto step = read_step(block);
    ASSERT_TRUE(step) << step.error().message();
    if (!*step || !std::holds_alternative<RecordedEvent>(**step)) continue;
    const auto& recorded = std::get<RecordedEvent>(**step);
    EXPECT_EQ(recorded.id, ++last);
    EXPECT_EQ(recorded.record.size(), sizeof(tw_segment));
  }
  EXPECT_EQ(last, 40U);
}

}  // namespace
}  // namespace tcpwitness::testing
