// SPDX-License-Identifier: Apache-2.0
// The parts of a recording by themselves: frames behind segments, blocks, journal entries, marks, the window.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>

#include "decode/frame_bytes.hpp"
#include "unit/recorded.hpp"

namespace tcpwitness::testing {
namespace {

// ---- The record ----

Bytes segment_with_frame(std::uint16_t captured, std::uint32_t wire_len, std::size_t room) {
  tw_segment segment{};
  segment.header.kind = TW_KIND_SEGMENT;
  segment.header.version = TW_ABI_VERSION;
  const tw_frame frame{.wire_len = wire_len, .captured = captured, .link_type = 1, .vlan_tci = 0, .vlan_proto = 0};
  Bytes record(sizeof segment + sizeof frame + room);
  std::memcpy(record.data(), &segment, sizeof segment);
  std::memcpy(record.data() + sizeof segment, &frame, sizeof frame);
  return record;
}

std::size_t decoded(const Bytes& record) {
  Decoder decoder(0);
  std::vector<Event> events;
  decoder.decode(record, events);
  return events.size();
}

TEST(FrameBytes, FollowTheSegmentInItsRecord) {
  const Bytes record = segment_with_frame(100, 1500, 128);
  const auto frame = frame_bytes(record);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->bytes.size(), 100U);
  EXPECT_EQ(frame->head.wire_len, 1500U);
  EXPECT_EQ(decoded(record), 1U);
}

TEST(FrameBytes, ThatContradictTheRecordMakeItMalformed) {
  EXPECT_EQ(decoded(segment_with_frame(129, 1500, 128)), 0U);  // more than the room
  EXPECT_EQ(decoded(segment_with_frame(100, 99, 128)), 0U);    // more than there was
  EXPECT_EQ(decoded(segment_with_frame(0, 0, TW_SNAPLEN_MAX + 1)), 0U);
  EXPECT_EQ(decoded(segment_with_frame(0, 0, 0)), 1U);
  Bytes cut = segment_with_frame(0, 0, 0);
  cut.pop_back();
  EXPECT_EQ(decoded(cut), 0U);
}

// ---- Journal entries ----

TEST(Journal, FieldsComeBackAsTheyWere) {
  JournalEntry entry;
  const Bytes binary{std::byte{0}, std::byte{'\n'}, std::byte{'='}, std::byte{0xff}};
  entry.text("MESSAGE", "a=b → c");
  entry.binary("RECORD", binary);
  entry.text("LAST", "");
  const auto message = journal_field(entry.bytes(), "MESSAGE");
  ASSERT_TRUE(message);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(message->data()), message->size()), "a=b → c");
  const auto record = journal_field(entry.bytes(), "RECORD");
  ASSERT_TRUE(record);
  EXPECT_EQ(Bytes(record->begin(), record->end()), binary);
  ASSERT_TRUE(journal_field(entry.bytes(), "LAST"));
  EXPECT_FALSE(journal_field(entry.bytes(), "ABSENT"));
}

TEST(Journal, ALineFeedInTextEndsNoField) {
  JournalEntry entry;
  entry.text("MESSAGE", "x\nPRIORITY=0");
  EXPECT_FALSE(journal_field(entry.bytes(), "PRIORITY"));
}

TEST(Journal, CutOffAnywhereOrWithAnyLengthIsNoCrash) {
  JournalEntry entry;
  entry.text("A", "1");
  entry.binary("RECORD", Bytes(20, std::byte{7}));
  const Bytes whole(entry.bytes().begin(), entry.bytes().end());
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(journal_field(std::span(whole).first(length), "RECORD")) << length;
  Bytes wrong = whole;
  std::memset(wrong.data() + 4 + 7, 0xff, 8);  // behind "A=1\n" and "RECORD\n"
  EXPECT_FALSE(journal_field(wrong, "RECORD"));
}

// ---- Marks ----

template <typename T>
T again(const T& mark) {
  const std::string body = mark_body(mark);
  const auto read = read_mark(std::as_bytes(std::span(body)));
  EXPECT_TRUE(read && *read && std::holds_alternative<T>(**read)) << (read ? "" : read.error().message());
  return read && *read && std::holds_alternative<T>(**read) ? std::get<T>(**read) : T{};
}

TEST(Marks, ComeBackAsTheyWere) {
  StartMark start;
  start.started_ns = 123;
  start.part = 4;
  start.offset_ns = -77;
  start.comm = "a\\b\nc\td=";
  start.reset_reasons = {"NOT_SPECIFIED", "", "NO_SOCKET"};
  start.drop_reasons = {"", "NETFILTER_DROP"};
  start.ready.hooks = {{"wire_ingress", "lo", "tcx", "why\tnot"}, {"x", "y", "off", ""}};
  start.close_wait_stuck_ns = 42;
  start.flight = true;
  const StartMark read = again(start);
  EXPECT_EQ(read.started_ns, 123);
  EXPECT_EQ(read.part, 4U);
  EXPECT_EQ(read.offset_ns, -77);
  EXPECT_EQ(read.comm, start.comm);
  EXPECT_EQ(read.reset_reasons, start.reset_reasons);
  EXPECT_EQ(read.drop_reasons, start.drop_reasons);
  ASSERT_EQ(read.ready.hooks.size(), 2U);
  EXPECT_EQ(read.ready.hooks[0].why, "why\tnot");
  EXPECT_EQ(read.ready.hooks[1].mode, "off");
  EXPECT_EQ(read.close_wait_stuck_ns, 42);
  EXPECT_TRUE(read.flight);
  EXPECT_EQ(again(TickMark{.now = 99}).now, 99);
  EXPECT_EQ(again(InterfaceMark{.index = 3, .name = "eth0"}).name, "eth0");
  EXPECT_EQ(again(AccountMark{.now = 1, .cpu = 2, .lost = 3}).lost, 3U);
  EXPECT_EQ(again(HoleMark{.blocks = 5, .why = "disk"}).blocks, 5U);
  EXPECT_EQ(again(UntracedMark{.from = 6, .now = 7}).from, 6);
  EXPECT_EQ(again(UntracedMark{.from = 6, .now = 7}).now, 7);
  EXPECT_EQ(again(EndMark{.now = 9, .last_id = 8, .continued = "b"}).continued, "b");
}

TEST(Marks, OfAnotherProgramAreNone) {
  const std::string body = "other program's";
  const auto read = read_mark(std::as_bytes(std::span(body)));
  ASSERT_TRUE(read);
  EXPECT_FALSE(*read);
}

TEST(Marks, EveryFieldIsChecked) {
  const auto refused = [](std::string body, std::string_view from, std::string_view to) {
    const std::size_t at = body.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    body.replace(at, from.size(), to);
    return !read_mark(std::as_bytes(std::span(body)));
  };
  const std::string start = mark_body(StartMark{});
  EXPECT_TRUE(refused(start, "started=0", "started=-1"));
  EXPECT_TRUE(refused(start, "started=0", "started="));
  EXPECT_TRUE(refused(start, "part=1", "part=0"));
  EXPECT_TRUE(refused(start, "kernel_heard=1", "kernel_heard=2"));
  EXPECT_TRUE(refused(start, "hold=40000000", "hold=99999999999999"));
  EXPECT_TRUE(refused(start, "snaplen=0", "snaplen=70000"));
  EXPECT_TRUE(refused(start, "snaplen=0\n", ""));
  EXPECT_TRUE(refused(start, fmt::format("abi={}", TW_ABI_VERSION), fmt::format("abi={}", TW_ABI_VERSION + 1)));
  EXPECT_TRUE(refused(mark_body(TickMark{.now = 5}), "now=5", "now=9223372036854775807"));
  EXPECT_FALSE(refused(mark_body(TickMark{.now = 5}), "now=5", "now=6"));
}

TEST(Marks, MutatedAtRandomAreReadOrRefused) {
  std::mt19937 random(5);
  StartMark start;
  start.ready.hooks = {{"a", "b", "c", "d"}};
  for (const std::string& body : {mark_body(start), mark_body(EndMark{}), mark_body(AccountMark{})}) {
    for (int round = 0; round < 20'000; ++round) {
      std::string mutated = body;
      for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips)
        mutated[random() % mutated.size()] = static_cast<char>(random());
      mutated.resize(random() % (mutated.size() + 1));
      const auto mark = read_mark(std::as_bytes(std::span(mutated)));
      EXPECT_TRUE(mark || !mark.error().why.empty());
    }
  }
}

// ---- The window ----

TEST(Window, GivesBlocksBackInOrderWhateverTheirSize) {
  std::mt19937 random(3);
  Window window;
  std::deque<Bytes> expected;
  EventId id = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 5 != 0 || expected.empty()) {
      const Bytes block(16 + random() % (random() % 100 == 0 ? 400'000 : 400), static_cast<std::byte>(step));
      window.push({.id = ++id, .at = step, .packet = true, .block = block});
      expected.push_back(block);
    }
    while (expected.size() > 50) {
      const auto block = window.front().block;
      ASSERT_EQ(block.size(), expected.front().size());
      ASSERT_EQ(std::memcmp(block.data(), expected.front().data(), block.size()), 0);
      window.pop();
      expected.pop_front();
    }
  }
  EXPECT_EQ(window.empty(), expected.empty());
}

TEST(Window, CommentsAPacketThatIsHereAndNothingElse) {
  Window window;
  const Bytes block(16);
  for (const EventId id : {EventId{0}, EventId{3}, EventId{0}, EventId{0}, EventId{5}, EventId{9}, EventId{0}})
    window.push({.id = id, .at = 0, .packet = id != 5, .block = block});
  EXPECT_TRUE(window.comment(3, "a"));
  EXPECT_TRUE(window.comment(9, "b"));
  EXPECT_TRUE(window.comment(9, "c"));
  for (const EventId id : {EventId{1}, EventId{4}, EventId{5}, EventId{6}, EventId{10}})
    EXPECT_FALSE(window.comment(id, "x")) << id;
  window.pop();
  EXPECT_EQ(window.take_comment(), "a");
  while (window.front().id != 9) window.pop();
  EXPECT_EQ(window.take_comment(), "b\nc");
}

// ---- Blocks ----

TEST(Pcapng, ACommentLeavesThePacketAsItWas) {
  pcapng::Blocks section;
  pcapng::append_section(section, "tcpwitness test", "Linux");
  pcapng::append_interface(section, 1, 128, "eth0");
  const Bytes frame(61, std::byte{0xab});
  const Bytes record(sizeof(tw_segment), std::byte{1});
  pcapng::Blocks packet;
  pcapng::append_packet(packet, {.interface = 0,
                                 .ts_ns = 1'700'000'000'123'456'789,
                                 .wire_len = 1500,
                                 .bytes = frame,
                                 .outgoing = true,
                                 .id = 77,
                                 .local_option = record_option,
                                 .local = record});
  pcapng::Blocks all = section;
  pcapng::append_commented(all, packet, "odd length");
  all.insert(all.end(), packet.begin(), packet.end());
  const auto file = CaptureFile::open(std::span<const std::byte>(all));
  ASSERT_TRUE(file) << file.error().message();
  for (int i = 0; i < 2; ++i) {
    CaptureBlock block;
    ASSERT_TRUE((*file)->next(block));
    EXPECT_EQ(block.ts_ns, 1'700'000'000'123'456'789);
    EXPECT_EQ(block.wire_len, 1500U);
    EXPECT_TRUE(std::ranges::equal(block.bytes, frame));
    const auto step = read_step(block);
    ASSERT_TRUE(step && *step) << (step ? "" : step.error().message());
    EXPECT_EQ(std::get<RecordedEvent>(**step).id, 77U);
    EXPECT_TRUE(std::ranges::equal(std::get<RecordedEvent>(**step).record, record));
  }
  CaptureBlock block;
  EXPECT_FALSE((*file)->next(block));
  EXPECT_FALSE((*file)->damage());
  EXPECT_EQ((*file)->interfaces()[0].name, "eth0");
}

}  // namespace
}  // namespace tcpwitness::testing
