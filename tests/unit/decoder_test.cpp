// SPDX-License-Identifier: Apache-2.0
// Records become events; loss becomes gaps with exact counts.
#include <gtest/gtest.h>

#include <cstring>

#include "unit/events.hpp"

namespace tcpwitness::testing {
namespace {

tw_state record(std::uint16_t cpu, std::uint32_t lost, std::uint64_t ts = 1000) {
  tw_state body{};
  body.header.ts_ns = ts;
  body.header.kind = TW_KIND_STATE;
  body.header.version = TW_ABI_VERSION;
  body.header.cpu = cpu;
  body.header.lost = lost;
  return body;
}

template <typename T>
std::span<const std::byte> bytes_of(const T& body) {
  return std::as_bytes(std::span(&body, 1));
}

TEST(Decoder, NumbersEventsAndMovesThemToRealTime) {
  Decoder decoder(500);
  std::vector<Event> out;
  decoder.decode(bytes_of(record(0, 0)), out);
  decoder.decode(bytes_of(record(0, 0)), out);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].id, 1U);
  EXPECT_EQ(out[1].id, 2U);
  EXPECT_EQ(out[0].ts_ns, 1500);
}

TEST(Decoder, YieldsWhatTheRecordSaysInTcpsTerms) {
  Decoder decoder(0);
  std::vector<Event> out;
  tw_state state = record(0, 0);
  state.tuple.local_port = 80;
  state.old_state = 2;
  state.new_state = 1;
  state.port = TW_PORT_BOUND;
  state.actor.flags = TW_ACTOR_PRESENT | TW_ACTOR_EXITING;
  state.cb.flags = TW_CB_PRESENT | TW_CB_DEAD;
  state.cb.details = TW_CB_RELEASED;
  decoder.decode(bytes_of(state), out);
  const auto& change = std::get<StateChange>(out.at(0).body);
  EXPECT_EQ(to_flow(change.tuple).local.port, 80);
  EXPECT_EQ(change.old_state, State::syn_sent);
  EXPECT_EQ(change.new_state, State::established);
  EXPECT_TRUE(has(change.port, PortChoice::bound));
  EXPECT_TRUE(actor_exiting(change.actor.flags));
  EXPECT_FALSE(actor_owned(change.actor.flags));
  EXPECT_TRUE(was_read(change.cb));
  EXPECT_TRUE(is_orphaned(change.cb));
  EXPECT_TRUE(change.cb.is(SocketDetail::released));
}

TEST(Decoder, GivesASegmentTheDirectionOfItsHook) {
  Decoder decoder(0);
  std::vector<Event> out;
  for (const tw_hook hook : {TW_HOOK_TC_EGRESS, TW_HOOK_TC_INGRESS, TW_HOOK_XDP}) {
    tw_segment segment{};
    segment.header = record(0, 0).header;
    segment.header.kind = TW_KIND_SEGMENT;
    segment.hook = static_cast<std::uint8_t>(hook);
    segment.event_flags = TW_EVENT_SYN | TW_EVENT_RETRANSMISSION;
    segment.options = TW_OPT_WSCALE;
    segment.socket.type = TW_SOCKET_LISTENER;
    segment.refused = TW_REFUSED_BEYOND;
    segment.forwarding = TW_FORWARDING_HOP;
    decoder.decode(bytes_of(segment), out);
    const auto& decoded = std::get<Segment>(out.back().body);
    EXPECT_EQ(decoded.outgoing(), hook == TW_HOOK_TC_EGRESS);
    EXPECT_EQ(static_cast<int>(decoded.hook), static_cast<int>(hook));
    EXPECT_TRUE(decoded.is(SegmentEvent::syn));
    EXPECT_FALSE(decoded.is_any(SegmentEvent::fin, SegmentEvent::rst));
    EXPECT_TRUE(decoded.has(TcpOption::window_scale));
    EXPECT_EQ(decoded.socket.type, SocketKind::listener);
    EXPECT_EQ(decoded.refused, Refusal::beyond_window);
    EXPECT_TRUE(decoded.on_a_hop());
  }
}

TEST(Decoder, GapStandsBeforeTheRecordThatTellsOfIt) {
  Decoder decoder(0);
  std::vector<Event> out;
  decoder.decode(bytes_of(record(1, 0, 1000)), out);
  decoder.decode(bytes_of(record(1, 3, 2000)), out);
  ASSERT_EQ(out.size(), 3U);
  const auto& gap = std::get<Gap>(out[1].body);
  EXPECT_EQ(gap.lost, 3U);
  EXPECT_EQ(gap.cpu, 1U);
  EXPECT_EQ(gap.from_ts_ns, 1000);
  EXPECT_EQ(gap.to_ts_ns, 2000);
  EXPECT_EQ(decoder.lost(), 3U);
}

TEST(Decoder, AnOlderCountOfANestedProducerIsNoGap) {
  Decoder decoder(0);
  std::vector<Event> out;
  decoder.decode(bytes_of(record(0, 2)), out);
  decoder.decode(bytes_of(record(0, 1)), out);
  decoder.decode(bytes_of(record(0, 2)), out);
  EXPECT_EQ(out.size(), 4U);
  EXPECT_EQ(decoder.lost(), 2U);
}

TEST(Decoder, TheCountWrapsAround) {
  Decoder decoder(0);
  std::vector<Event> out;
  decoder.account(0, 0x7fffffffU, 10, out);
  decoder.account(0, 0xfffffffeU, 20, out);
  decoder.decode(bytes_of(record(0, 1)), out);
  EXPECT_EQ(std::get<Gap>(out.at(2).body).lost, 3U);
}

TEST(Decoder, CpusAreCountedApart) {
  Decoder decoder(0);
  std::vector<Event> out;
  decoder.decode(bytes_of(record(0, 5)), out);
  decoder.decode(bytes_of(record(1, 5)), out);
  EXPECT_EQ(decoder.lost(), 10U);
}

TEST(Decoder, AccountsForLossThatNoRecordToldOf) {
  Decoder decoder(0);
  std::vector<Event> out;
  decoder.decode(bytes_of(record(0, 2, 100)), out);
  decoder.account(0, 7, 900, out);
  decoder.account(0, 7, 950, out);
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(std::get<Gap>(out[2].body).lost, 5U);
  EXPECT_EQ(decoder.lost(), 7U);
}

TEST(Decoder, MalformedRecordsAreCountedAndYieldNothing) {
  Decoder decoder(0);
  std::vector<Event> out;
  tw_state wrong = record(0, 0);
  wrong.header.version = 99;
  decoder.decode(bytes_of(wrong), out);
  wrong = record(0, 0);
  wrong.header.kind = TW_KIND_COUNT;
  decoder.decode(bytes_of(wrong), out);
  wrong.header.kind = TW_KIND_OWNER;  // of another size
  decoder.decode(bytes_of(wrong), out);
  wrong = record(TW_NO_CPU - 1, 0);
  decoder.decode(bytes_of(wrong), out);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(decoder.malformed(), 4U);
}

// The kernel counts them, no record does: one gap of no CPU for all since the last look.
TEST(Decoder, RunsThatTheKernelSkippedAreAGap) {
  Decoder decoder(0);
  std::vector<Event> out;
  decoder.skipped(0, 1000, 2000, out);
  EXPECT_TRUE(out.empty());
  decoder.skipped(24, 2000, 3000, out);
  decoder.skipped(24, 3000, 4000, out);
  ASSERT_EQ(out.size(), 1U);
  const auto& gap = std::get<Gap>(out[0].body);
  EXPECT_TRUE(gap.skipped());
  EXPECT_EQ(gap.lost, 24U);
  EXPECT_EQ(gap.from_ts_ns, 2000);
  EXPECT_EQ(gap.to_ts_ns, 3000);
  EXPECT_EQ(out[0].ts_ns, 2000) << "it comes before the records that were read with it";
  EXPECT_EQ(decoder.lost(), 24U);
  EXPECT_EQ(decoder.lost_in_ring(), 0U);
  decoder.decode(bytes_of(record(0, 0)), out);
  EXPECT_EQ(out.back().id, 1U) << "a recording numbers its records without gaps";
}

TEST(Decoder, SnapshotRecordsAreNotInAnyCpusAccount) {
  Decoder decoder(0);
  std::vector<Event> out;
  decoder.decode(bytes_of(record(TW_NO_CPU, 9)), out);
  EXPECT_EQ(out.size(), 1U);
  EXPECT_EQ(decoder.received(), 0U);
  EXPECT_EQ(decoder.lost(), 0U);
}

TEST(Decoder, EveryTruncationIsMalformed) {
  const tw_state whole = record(0, 0);
  for (std::size_t size = 0; size < sizeof whole; ++size) {
    Decoder decoder(0);
    std::vector<Event> out;
    decoder.decode(bytes_of(whole).first(size), out);
    EXPECT_TRUE(out.empty()) << size;
    EXPECT_EQ(decoder.malformed(), 1U) << size;
  }
}

}  // namespace
}  // namespace tcpwitness::testing
