// SPDX-License-Identifier: Apache-2.0
// Conversations: which frames make one, what is counted, what becomes an event, and that memory stays bounded.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "unit/wire_talk.hpp"
#include "wire/sequence_bytes.hpp"

namespace tcpwitness::testing {
namespace {

struct Reader {
  Conversations conversations;
  std::vector<Event> events;

  explicit Reader(ConversationSettings settings = {}) : conversations(settings) {}
  std::uint16_t read(const TcpFrame& frame) {
    const std::size_t before = events.size();
    conversations.observe(frame, events);
    if (events.size() == before) return 0;
    const auto* segment = std::get_if<Segment>(&events.back().body);
    return segment != nullptr ? segment->event_flags : std::uint16_t{0};
  }
  // Another connection goes on meanwhile, of which no segment is an event.
  void wait(Talk& talk, int seconds) {
    for (int i = 0; i < seconds; ++i) read(talk.frame({0, 7, 7, 0, ack_flag, 9, 1'000}, 9));
  }
  [[nodiscard]] std::vector<ConversationEnd> ends() const {
    std::vector<ConversationEnd> found;
    for (const Event& event : events) {
      if (const auto* end = std::get_if<ConversationEnd>(&event.body)) found.push_back(*end);
    }
    return found;
  }
};

TEST(Conversations, MarkWhyASegmentMatters) {
  Reader reader;
  Talk talk;
  EXPECT_EQ(reader.read(talk.frame({0, 0, 0, 0, syn_flag})), TW_EVENT_SYN);
  EXPECT_EQ(reader.read(talk.frame({1, 0, 1, 0, syn_flag | ack_flag})), TW_EVENT_SYN);
  EXPECT_EQ(reader.read(talk.frame({0, 1, 1})), TW_EVENT_HANDSHAKE_ACK);
  EXPECT_EQ(reader.read(talk.frame({0, 1, 1, 100})), 0);
  EXPECT_EQ(reader.read(talk.frame({1, 1, 101})), 0);
  EXPECT_EQ(reader.read(talk.frame({0, 100, 1})), TW_EVENT_KEEPALIVE);
  EXPECT_EQ(reader.read(talk.frame({1, 1, 101})), TW_EVENT_KEEPALIVE_ACK);
  EXPECT_EQ(reader.read(talk.frame({0, 201, 1, 100})), TW_EVENT_OUT_OF_ORDER);
  EXPECT_EQ(reader.read(talk.frame({0, 101, 1, 100, ack_flag, 1000, 500})), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(reader.read(talk.frame({1, 1, 301, 0, ack_flag, 0})), TW_EVENT_ZERO_WINDOW);
  EXPECT_EQ(reader.read(talk.frame({0, 300, 1})), TW_EVENT_WINDOW_PROBE);
  EXPECT_EQ(reader.read(talk.frame({1, 1, 301, 0, ack_flag, 9})), TW_EVENT_WINDOW_OPEN | TW_EVENT_KEEPALIVE_ACK);
  EXPECT_EQ(reader.read(talk.frame({0, 301, 1, 0, fin_flag | ack_flag})), TW_EVENT_FIN);
  EXPECT_EQ(reader.read(talk.frame({1, 1, 302})), TW_EVENT_FIN_ACK);
  EXPECT_EQ(reader.read(talk.frame({1, 1, 302, 0, rst_flag})), TW_EVENT_RST);
}

TEST(Conversations, TellEverySegmentWhereThatIsWanted) {
  ConversationSettings settings;
  settings.all_segments = true;
  Reader reader(settings);
  Talk talk;
  reader.read(talk.frame({0, 1, 1, 100}));
  reader.read(talk.frame({0, 101, 1, 100}));
  EXPECT_EQ(reader.events.size(), 2U);
  EXPECT_EQ(std::get<Segment>(reader.events[0].body).event_flags, TW_EVENT_UNKNOWN_FLOW);
  EXPECT_EQ(std::get<Segment>(reader.events[1].body).event_flags, 0);
}

TEST(Conversations, AreSeenFromTheSideThatConnected) {
  Reader syn;
  syn.read(Talk().frame({1, 0, 0, 0, syn_flag}));
  EXPECT_EQ(to_flow(std::get<Segment>(syn.events[0].body).tuple).local, Talk::end(1, 40000));
  EXPECT_EQ(std::get<Segment>(syn.events[0].body).direction, Direction::out);
  Reader answer;
  answer.read(Talk().frame({1, 0, 1, 0, syn_flag | ack_flag}));
  EXPECT_EQ(to_flow(std::get<Segment>(answer.events[0].body).tuple).local, Talk::end(0, 40000));
  EXPECT_EQ(std::get<Segment>(answer.events[0].body).direction, Direction::in);
  EXPECT_EQ(std::get<Segment>(answer.events[0].body).hook, HookPoint::none);
  Reader middle;
  middle.read(Talk().frame({1, 7, 1, 5}));
  EXPECT_EQ(to_flow(std::get<Segment>(middle.events[0].body).tuple).local, Talk::end(1, 40000));
}

TEST(Conversations, BeginAnewAtASynWithAnotherNumber) {
  Reader reader;
  Talk talk;
  reader.read(talk.frame({0, 0, 0, 0, syn_flag}));
  reader.read(talk.frame({0, 0, 0, 0, syn_flag}));
  EXPECT_EQ(reader.conversations.stream(), 0U);
  EXPECT_EQ(reader.conversations.analysis().flags, analysis_flag::retransmission);
  reader.read(talk.frame({0, 77, 0, 0, syn_flag}));
  EXPECT_EQ(reader.conversations.stream(), 1U);
  EXPECT_EQ(reader.conversations.analysis().flags, analysis_flag::reused_ports);
  ASSERT_EQ(reader.ends().size(), 1U);
  EXPECT_EQ(reader.ends()[0].totals.out.frames, 2U);
  EXPECT_FALSE(reader.ends()[0].cut);
  // A SYN-ACK with another number is an answer to the same SYN.
  reader.read(talk.frame({1, 0, 78, 0, syn_flag | ack_flag}));
  reader.read(talk.frame({1, 5, 78, 0, syn_flag | ack_flag}));
  EXPECT_EQ(reader.conversations.stream(), 1U);
  EXPECT_NE(reader.conversations.analysis().flags & analysis_flag::reused_ports, 0U);
}

TcpFrame on_link(TcpFrame frame, std::uint32_t interface, TimeNs later = 0) {
  for (Endpoint* end : {&frame.source, &frame.destination}) {
    const std::uint8_t host = end->address.bytes[15];
    end->address.bytes = {0xfe, 0x80};
    end->address.bytes[15] = host;
  }
  frame.interface = interface;
  frame.ts_ns += later;
  return frame;
}

// fe80::1 of one link is not fe80::1 of another, but the same packet at a bridge and its port is one.
TEST(Conversations, OfLinkLocalAddressesBelongToOneLink) {
  Reader reader;
  Talk talk;
  const TcpFrame syn = talk.frame({0, 0, 0, 0, syn_flag});
  reader.read(on_link(syn, 0));
  reader.read(on_link(syn, 1, 10'000));  // 10 us later: the same
  EXPECT_EQ(reader.conversations.stream(), 0U);
  EXPECT_TRUE(reader.conversations.analysis().duplicate_frame);
  reader.read(on_link(syn, 1, 1'000'000));
  EXPECT_EQ(reader.conversations.stream(), 1U);
  reader.read(on_link(talk.frame({1, 0, 1, 0, syn_flag | ack_flag}), 0));
  EXPECT_EQ(reader.conversations.stream(), 0U);
  reader.read(on_link(talk.frame({1, 0, 1, 0, syn_flag | ack_flag}), 1));
  EXPECT_EQ(reader.conversations.stream(), 1U);
  Reader global;
  global.read(syn);
  TcpFrame elsewhere = syn;
  elsewhere.interface = 1;
  elsewhere.ts_ns += 1'000'000;
  global.read(elsewhere);
  EXPECT_EQ(global.conversations.stream(), 0U);  // another path
}

TEST(Conversations, CountBytesBySequenceNumber) {
  Reader reader;
  Talk talk;
  reader.read(talk.frame({0, 0, 0, 0, syn_flag}));
  reader.read(talk.frame({0, 1, 0, 100}));
  reader.read(talk.frame({0, 1, 0, 100}));    // again
  reader.read(talk.frame({0, 201, 0, 100}));  // behind a hole
  reader.read(talk.frame({0, 151, 0, 50}));   // half of it
  reader.read(talk.frame({0, 301, 0, 0, fin_flag}));
  reader.conversations.finish(reader.events);
  const StreamTotals totals = reader.ends().at(0).totals.out;
  EXPECT_EQ(totals.frames, 6U);
  EXPECT_EQ(totals.payload_bytes, 350U);
  EXPECT_EQ(totals.retransmitted_bytes, 100U);
  EXPECT_EQ(totals.sequence_bytes, 300U);
  EXPECT_EQ(totals.missing_bytes, 50U);
  EXPECT_TRUE(reader.ends()[0].cut);
}

// RFC 5961, 4: an open end answers a SYN by a challenge ACK and goes on.
TEST(Conversations, ASynThatAnOpenEndRefusesEndsNothing) {
  Reader reader;
  Talk talk;
  reader.read(talk.frame({0, 0, 0, 0, syn_flag}));
  reader.read(talk.frame({1, 0, 1, 0, syn_flag | ack_flag}));
  reader.read(talk.frame({0, 1, 1}));
  reader.read(talk.frame({0, 500'000, 0, 0, syn_flag}));  // a forged one
  EXPECT_EQ(reader.conversations.stream(), 1U);
  reader.read(talk.frame({1, 1, 1}));  // the challenge ACK
  EXPECT_EQ(reader.conversations.stream(), 0U);
  reader.read(talk.frame({0, 1, 1, 100}));
  EXPECT_EQ(reader.conversations.stream(), 0U);
  reader.conversations.finish(reader.events);
  ASSERT_EQ(reader.ends().size(), 2U);
  EXPECT_EQ(reader.ends()[0].totals.out.sequence_bytes, 100U);
  EXPECT_EQ(reader.ends()[0].totals.out.missing_bytes, 0U);
}

// The peer has the old connection, the client has not: challenge ACK, the RST that it asks for, the same SYN again.
TEST(Conversations, ASynThatIsAnsweredEndsTheOneBefore) {
  Reader reader;
  Talk talk;
  reader.read(talk.frame({0, 0, 0, 0, syn_flag}));
  reader.read(talk.frame({1, 0, 1, 0, syn_flag | ack_flag}));
  reader.read(talk.frame({0, 1, 1}));
  reader.read(talk.frame({0, 500'000, 0, 0, syn_flag}));
  reader.read(talk.frame({1, 1, 1}));
  EXPECT_EQ(reader.read(talk.frame({0, 1, 0, 0, rst_flag})), TW_EVENT_RST);
  EXPECT_EQ(reader.conversations.stream(), 0U);
  reader.read(talk.frame({0, 500'000, 0, 0, syn_flag}));
  EXPECT_EQ(reader.conversations.stream(), 1U);
  reader.read(talk.frame({1, 800'000, 500'001, 0, syn_flag | ack_flag}));
  EXPECT_EQ(reader.conversations.stream(), 1U);
  ASSERT_EQ(reader.ends().size(), 1U);
  reader.read(talk.frame({0, 500'001, 800'001, 10}));
  reader.conversations.finish(reader.events);
  ASSERT_EQ(reader.ends().size(), 2U);
  EXPECT_EQ(reader.ends()[1].totals.out.sequence_bytes, 10U);
}

TEST(Conversations, CountNothingThatIsRefused) {
  Reader reader;
  Talk talk;
  reader.read(talk.frame({0, 0, 0, 0, syn_flag}));
  reader.read(talk.frame({1, 0, 1, 0, syn_flag | ack_flag}));
  reader.read(talk.frame({0, 1, 1}));
  reader.read(talk.frame({1, 300'000'000, 1, 0, rst_flag}));
  EXPECT_TRUE(reader.conversations.analysis().refused);
  reader.read(talk.frame({1, 700'000, 1, 0, syn_flag | ack_flag}));
  EXPECT_TRUE(reader.conversations.analysis().refused);
  reader.read(talk.frame({1, 1, 1, 50}));
  EXPECT_EQ(reader.conversations.analysis().flags, 0U);
  reader.conversations.finish(reader.events);
  EXPECT_EQ(reader.ends().at(0).totals.in.sequence_bytes, 50U);
  EXPECT_EQ(reader.ends().at(0).totals.in.missing_bytes, 0U);
}

TEST(Conversations, APacketCapturedTwiceIsNotSentTwice) {
  Reader reader;
  Talk talk;
  TcpFrame first = talk.frame({0, 1, 1, 100});
  first.ip_id = 7;
  first.ttl = 64;
  reader.read(first);
  TcpFrame copy = first;
  copy.number = 2;
  copy.ts_ns += 3'000;
  copy.ttl = 63;  // the same one behind a router
  reader.read(copy);
  EXPECT_TRUE(reader.conversations.analysis().duplicate_frame);
  EXPECT_EQ(reader.conversations.analysis().flags, 0U);
  TcpFrame again = first;  // a retransmission has an identification of its own
  again.number = 3;
  again.ts_ns += 3'000;
  again.ip_id = 8;
  reader.read(again);
  EXPECT_FALSE(reader.conversations.analysis().duplicate_frame);
  TcpFrame without = first;
  without.ip_id = 0;
  without.number = 4;
  without.ts_ns += 300'000'000;
  reader.read(without);
  without.ts_ns += 300'000;  // later than a copy of a packet without identification can be
  without.number = 5;
  reader.read(without);
  EXPECT_FALSE(reader.conversations.analysis().duplicate_frame);
  reader.conversations.finish(reader.events);
  const StreamTotals totals = reader.ends().at(0).totals.out;
  EXPECT_EQ(totals.frames, 5U);
  EXPECT_EQ(totals.duplicate_frames, 1U);
  EXPECT_EQ(totals.duplicate_bytes, 100U);
  EXPECT_EQ(totals.retransmits, 3U);
  EXPECT_EQ(totals.payload_bytes + totals.missing_bytes,
            totals.sequence_bytes + totals.retransmitted_bytes + totals.duplicate_bytes);
}

// A packet comes again so much later, with a TTL that is so much lower: is it taken for the same one?
bool is_copy(std::uint16_t ip_id, int lower, std::int64_t after_ns, std::uint32_t interface = 0,
             const Say& what = {0, 1, 1, 100}) {
  Reader reader;
  Talk talk;
  TcpFrame packet = talk.frame(what);
  packet.ttl = 64;
  packet.ip_id = ip_id;
  reader.read(packet);
  packet.ttl = static_cast<std::uint8_t>(64 - lower);
  packet.ts_ns += after_ns;
  packet.interface = interface;
  reader.read(packet);
  return reader.conversations.analysis().duplicate_frame;
}

// Of a capture of several interfaces, where there is no identification.
TEST(Conversations, APacketCapturedOnAnotherInterfaceIsNotSentTwice) {
  EXPECT_TRUE(is_copy(0, 0, 57'000, 1));
  EXPECT_TRUE(is_copy(0, -1, 57'000, 1)) << "behind the router first";
  EXPECT_FALSE(is_copy(0, 0, 57'000, 0)) << "the same interface";
  EXPECT_FALSE(is_copy(0, 0, 20'000'000, 1)) << "as late as a retransmission";
}

TEST(Conversations, ASynIsNotSentTwiceInAMillisecond) {
  const Say syn{0, 0, 0, 0, syn_flag};
  EXPECT_TRUE(is_copy(0, 0, 900'000, 0, syn));
  EXPECT_FALSE(is_copy(0, 0, 2'000'000, 0, syn));
}

TEST(Conversations, OfAPacketCapturedThreeTimesTheTimeCountsFromTheCopyBefore) {
  const auto third_is_copy = [](std::int64_t after_ns) {
    Reader reader;
    Talk talk;
    TcpFrame packet = talk.frame({0, 1, 1, 100});
    reader.read(packet);
    packet.ts_ns += 13'000;
    reader.read(packet);
    packet.ts_ns += after_ns;
    reader.read(packet);
    return reader.conversations.analysis().duplicate_frame;
  };
  EXPECT_TRUE(third_is_copy(13'000));
  EXPECT_FALSE(third_is_copy(30'000));
}

// Without an identification (IPv6, Linux' SYN-ACKs) the hop limit shows that a router has sent the packet on.
TEST(Conversations, APacketCapturedOnBothSidesOfARouterIsNotSentTwice) {
  const auto twice = [](int lower, std::int64_t after_ns) { return is_copy(0, lower, after_ns); };
  EXPECT_TRUE(twice(1, 3'000));
  EXPECT_TRUE(twice(1, 300'000)) << "a busy router";
  EXPECT_FALSE(twice(1, 200'000'000)) << "as late as a retransmission";
  EXPECT_TRUE(twice(0, 3'000));
  EXPECT_FALSE(twice(0, 300'000));
  EXPECT_FALSE(twice(-1, 3'000)) << "no router counts up";
}

TEST(Conversations, APacketOfTwoMergedCapturesIsNotSentTwice) {
  const auto twice = [](int lower, std::int64_t after_ns) { return is_copy(7, lower, after_ns); };
  EXPECT_TRUE(twice(3, 40'000'000)) << "client and server, 40 ms apart";
  EXPECT_FALSE(twice(3, 200'000'000)) << "as late as a retransmission, of a host with one identification for all";
  EXPECT_FALSE(twice(0, 40'000'000)) << "no router between them";
  EXPECT_FALSE(twice(3, 2'000'000'000));
  EXPECT_TRUE(twice(-3, 40'000'000)) << "the clock of the first one is behind";
  EXPECT_FALSE(twice(-3, 200'000'000));
}

// A device begins each connection with the same number; the client's own SYN does not come behind its open connection.
TEST(Conversations, TheSameSynBehindTheEndBeginsAnother) {
  const auto count = [](const std::vector<Say>& said) {
    Reader reader;
    Talk talk;
    for (const Say& one : said) reader.read(talk.frame(one));
    reader.conversations.finish(reader.events);
    return reader.ends().size();
  };
  const Say syn{0, 0, 0, 0, syn_flag};
  const Say answer{1, 0, 1, 0, syn_ack};
  const Say reset{1, 1, 1, 0, rst_ack, 0};
  const Say later{0, 0, 0, 0, syn_flag, 1000, 2'000};
  EXPECT_EQ(count({syn, answer, {0, 1, 1}, reset, later}), 2U);
  EXPECT_EQ(count({syn, answer, {0, 1, 1}, reset, {0, 0, 0, 0, syn_flag, 1000, 500}}), 1U) << "a copy that was late";
  EXPECT_EQ(count({syn, answer, {0, 1, 1}, later}), 1U) << "it is open";
  EXPECT_EQ(count({syn, {1, 0, 1, 0, rst_ack, 0}, later}), 1U) << "a client that the RST did not reach";
  // Sooner, the server's answer shows it: by its own new number.
  const Say soon{0, 0, 0, 0, syn_flag, 1000, 500};
  const std::vector<Say> closed{syn, answer, {0, 1, 1}, {0, 1, 1, 0, fin_ack}, {1, 1, 2, 0, fin_ack}, {0, 2, 2}};
  const auto behind = [&](const std::vector<Say>& more) {
    std::vector<Say> all = closed;
    all.insert(all.end(), more.begin(), more.end());
    return count(all);
  };
  EXPECT_EQ(behind({soon, {1, 100'000, 1, 0, syn_ack}}), 2U);
  EXPECT_EQ(behind({soon, {1, 0, 1, 0, syn_ack}}), 1U) << "copies that were late";
  EXPECT_EQ(behind({{1, 100'000, 1, 0, syn_ack}}), 1U) << "no SYN before it";
}

// Behind both FINs nothing new is sent: a connection of the same ports whose SYN was not captured, or has the same
// number, as of a device that begins each one alike.
TEST(Conversations, WhatIsNoStragglerOfAClosedOneBeginsAnother) {
  const auto count = [](bool closed, const Say& more, std::int64_t later_s = 90) {
    Reader reader;
    Talk talk;
    for (const Say& one : {Say{0, 0, 0, 0, syn_flag}, Say{1, 0, 1, 0, syn_ack}, Say{0, 1, 1, 100}, Say{1, 1, 101, 50}})
      reader.read(talk.frame(one));
    reader.read(talk.frame({0, 101, 51, 0, fin_ack}));
    if (closed) reader.read(talk.frame({1, 51, 102, 0, fin_ack}));
    reader.read(talk.frame({0, 102, 52}));
    TcpFrame last = talk.frame(more);
    last.ts_ns += later_s * 1'000'000'000;
    reader.read(last);
    reader.conversations.finish(reader.events);
    return reader.ends().size();
  };
  EXPECT_EQ(count(true, {0, 0, 0, 0, syn_flag}), 2U) << "the same number";
  EXPECT_EQ(count(true, {0, 0, 0, 0, syn_flag}, 0), 1U) << "a copy that was late";
  EXPECT_EQ(count(false, {0, 0, 0, 0, syn_flag}), 1U) << "a retransmission";
  EXPECT_EQ(count(true, {1, 7'000'000, 1, 0, syn_ack}), 2U);
  EXPECT_EQ(count(true, {1, 7'000'000, 1, 0, syn_ack}, 1), 1U) << "a second host's, which had the SYN, too";
  EXPECT_EQ(count(true, {1, 7'000'000, 900, 0, syn_ack}, 1), 2U);
  EXPECT_EQ(count(true, {1, 0, 1, 0, syn_ack}), 1U) << "a straggler";
  EXPECT_EQ(count(false, {1, 7'000'000, 1, 0, syn_ack}), 1U);
  EXPECT_EQ(count(true, {0, 2'000'000'000, 1'500'000'000, 10}), 2U);
  EXPECT_EQ(count(true, {0, 7'000'000, 52, 10}), 2U);
  EXPECT_EQ(count(false, {0, 2'000'000'000, 52, 10}), 1U) << "a gap";
  EXPECT_EQ(count(true, {0, 2'000'000'000, 1'500'000'000}), 1U) << "a proxy's other numbers";
  EXPECT_EQ(count(true, {0, 1, 1, 100}), 1U) << "a straggler";
  EXPECT_EQ(count(true, {0, 102, 52}), 1U);
  EXPECT_EQ(count(true, {0, 2'000'000'000, 0, 0, rst_flag}), 1U) << "a RST has any number";
}

TEST(Conversations, TheFirstSegmentOfEachSideInMidStreamIsAnEvent) {
  Reader reader;
  Talk talk;
  EXPECT_EQ(reader.read(talk.frame({0, 5, 5, 10})), TW_EVENT_UNKNOWN_FLOW);
  EXPECT_EQ(reader.read(talk.frame({1, 5, 15})), TW_EVENT_UNKNOWN_FLOW);
  EXPECT_EQ(reader.read(talk.frame({0, 15, 5, 10})), 0);
}

TEST(Conversations, AnUnreadableHeaderIsCountedAndNothingElse) {
  Reader reader;
  Talk talk;
  TcpFrame frame = talk.frame({0, 5, 5, 100});
  frame.bad_header = true;
  EXPECT_EQ(reader.read(frame), TW_EVENT_UNKNOWN_FLOW | TW_EVENT_BAD_HEADER);
  EXPECT_EQ(std::get<Segment>(reader.events.back().body).analysis.frame, frame.number);
  reader.conversations.finish(reader.events);
  EXPECT_EQ(reader.ends().at(0).totals.out.frames, 1U);
  EXPECT_EQ(reader.ends().at(0).totals.out.payload_bytes, 0U);
}

TEST(Conversations, AScanGivesItsMemoryBack) {
  ConversationSettings settings;
  settings.linger_limit = 100;
  settings.half_open_limit = 1000;
  Reader reader(settings);
  Talk talk;
  for (std::uint32_t i = 0; i < 60'000; ++i)
    reader.read(talk.frame({0, 0, 0, 0, syn_flag, 9, 0}, static_cast<std::uint16_t>(i)));
  EXPECT_GE(reader.ends().size(), 60'000U - 1'102U);
}

TEST(Conversations, ThatWereNeverEstablishedAreOverAfterATime) {
  ConversationSettings settings;
  settings.linger_limit = 0;
  Reader reader(settings);
  Talk talk;
  reader.read(talk.frame({0, 0, 0, 0, syn_flag}, 1));
  reader.wait(talk, 129);
  EXPECT_TRUE(reader.ends().empty());
  reader.wait(talk, 2);
  EXPECT_EQ(reader.ends().size(), 1U);
}

TEST(Conversations, AStragglerOfOneThatIsOverFindsIt) {
  Reader reader;
  Talk talk;
  reader.read(talk.frame({0, 0, 0, 0, syn_flag}));
  reader.read(talk.frame({1, 0, 1, 0, rst_flag | ack_flag}));
  reader.read(talk.frame({1, 0, 1, 0, rst_flag | ack_flag, 0, 999'000}));
  EXPECT_EQ(reader.conversations.stream(), 0U);
  EXPECT_TRUE(reader.ends().empty());
}

// What a pipe is read with: the ends of those that are over are given out soon.
Reader pipe_reader() {
  ConversationSettings settings;
  settings.linger_ns = 2'000'000'000;
  return Reader(settings);
}

TEST(Conversations, AStragglerOfOneThatIsReportedIsStillItsOwn) {
  Reader reader = pipe_reader();
  Talk talk;
  for (const Say& one : {Say{0, 0, 0, 0, syn_flag}, Say{1, 0, 1, 0, syn_ack}, Say{0, 1, 1}, Say{0, 1, 1, 0, fin_ack},
                         Say{1, 1, 2, 0, fin_ack}, Say{0, 2, 2}})
    reader.read(talk.frame(one));
  reader.wait(talk, 3);
  ASSERT_EQ(reader.ends().size(), 1U);
  EXPECT_EQ(reader.ends()[0].conversation, 1U);
  reader.read(talk.frame({1, 1, 2, 0, fin_ack}));
  EXPECT_EQ(reader.conversations.stream(), 0U);
  EXPECT_EQ(reader.conversations.analysis().conversation, 0U) << "no connection is begun by it";
  reader.read(talk.frame({0, 77, 0, 0, syn_flag}));
  EXPECT_EQ(reader.conversations.stream(), 2U) << "its ports are used again";
  EXPECT_NE(reader.conversations.analysis().conversation, 0U);
  reader.conversations.finish(reader.events);
  EXPECT_EQ(reader.ends().size(), 3U);
}

// As many as of a file.
TEST(Conversations, OfThoseThatAreReportedSoManyAreKept) {
  const auto stream_of_straggler = [](std::uint16_t younger) {
    ConversationSettings settings;
    settings.linger_ns = 2'000'000'000;
    settings.linger_limit = 100;
    Reader reader(settings);
    Talk talk;
    for (std::uint16_t port = 1; port <= younger + 1; ++port) {
      reader.read(talk.frame({0, 0, 0, 0, syn_flag, 9, 100}, port));
      reader.read(talk.frame({1, 0, 1, 0, rst_ack, 0}, port));
    }
    reader.read(talk.frame({1, 0, 1, 0, rst_ack, 0, 3'000}, 1));
    return reader.conversations.stream();
  };
  EXPECT_EQ(stream_of_straggler(99), 0U);
  EXPECT_EQ(stream_of_straggler(101), 102U) << "forgotten";
}

// Linux takes a RST only with the number that it waits for.
TEST(Conversations, ARstThatMayNotHaveBeenTakenIsNotReportedAtOnce) {
  const auto ends_after = [](std::uint32_t number, int silent_s) {
    Reader reader = pipe_reader();
    Talk talk;
    for (const Say& one : {Say{0, 0, 0, 0, syn_flag}, Say{1, 0, 1, 0, syn_ack}, Say{0, 1, 1}, Say{0, 1, 1, 100},
                           Say{1, 1, 101}, Say{1, number, 0, 0, rst_flag}, Say{0, 101, 1}})
      reader.read(talk.frame(one));
    reader.wait(talk, silent_s);
    return reader.ends().size();
  };
  EXPECT_EQ(ends_after(1, 3), 1U);
  EXPECT_EQ(ends_after(300, 3), 0U);
  EXPECT_EQ(ends_after(300, 133), 1U);
}

TEST(Conversations, OneDirectionOfAnOldConnectionMayBeSilentForAnyTime) {
  const auto ends_after_silence = [](const Say& first) {
    Reader reader = pipe_reader();
    Talk talk;
    reader.read(talk.frame(first));
    reader.wait(talk, 200);
    return reader.ends().size();
  };
  EXPECT_EQ(ends_after_silence({0, 7, 7, 500}), 0U);
  EXPECT_EQ(ends_after_silence({0, 0, 0, 0, syn_flag}), 1U);
}

// A clock that was set, a joined capture, a damaged timestamp: whose frames come at once is not silent.
TEST(Conversations, AJumpOfTheClockIsNoSilence) {
  const auto ends_behind = [](const std::vector<std::int64_t>& seconds) {
    Reader reader = pipe_reader();
    Talk talk;
    const std::vector<Say> said{{0, 0, 0, 0, syn_flag}, {1, 0, 1, 0, syn_ack}, {0, 1, 1}, {0, 1, 1, 100}};
    for (std::size_t i = 0; i < said.size(); ++i) {
      TcpFrame frame = talk.frame(said[i]);
      frame.ts_ns += seconds[i] * 1'000'000'000;
      reader.read(frame);
      EXPECT_NE(reader.conversations.analysis().conversation, 0U) << i;
      if (i != 0) continue;
      frame = talk.frame({0, 0, 0, 0, syn_flag}, 1);  // only a SYN: the next one to be given up
      frame.ts_ns += seconds[i] * 1'000'000'000;
      reader.read(frame);
    }
    return reader.ends().size();
  };
  EXPECT_EQ(ends_behind({0, -500, -500, -500}), 0U) << "set back";
  EXPECT_EQ(ends_behind({0, 500, 500, 500}), 0U) << "set forward";
  EXPECT_EQ(ends_behind({0, 500, 0, 0}), 0U) << "damaged";
  EXPECT_EQ(ends_behind({0, 500, 0, 500}), 0U) << "two clocks";
  Reader reader = pipe_reader();
  Talk talk;
  for (const std::int64_t seconds : {500, 0, 0}) {
    TcpFrame frame = talk.frame({0, 0, 0, 0, syn_flag}, static_cast<std::uint16_t>(1 + seconds));
    frame.ts_ns += seconds * 1'000'000'000;
    reader.read(frame);
  }
  EXPECT_TRUE(reader.ends().empty());
  reader.wait(talk, 132);
  EXPECT_EQ(reader.ends().size(), 2U) << "behind the jump time passes as ever";
}

TEST(Conversations, WhatWasGivenUpIsNotCutOffByTheEndOfTheFile) {
  const auto cut = [](int silent_ms) {
    Reader reader;
    Talk talk;
    reader.read(talk.frame({0, 0, 0, 0, syn_flag}));
    reader.read(talk.frame({1, 0, 1, 0, syn_ack}));
    reader.read(talk.frame({0, 0, 0, 0, syn_flag, 9, silent_ms}, 1));
    reader.conversations.finish(reader.events);
    return reader.ends().at(0).cut;
  };
  EXPECT_FALSE(cut(131'000));
  EXPECT_TRUE(cut(129'000));
}

// Whatever comes: no crash, the books balance, and every conversation that began ends.
TEST(Conversations, ArbitraryFramesKeepTheBooksBalanced) {
  std::mt19937 random(7);
  const auto any = [&](std::uint32_t below) { return static_cast<std::uint32_t>(random() % below); };
  ConversationSettings settings;
  settings.linger_limit = 50;
  settings.half_open_limit = 50;
  Reader reader(settings);
  std::uint64_t frames = 0;
  std::uint64_t payload = 0;
  TimeNs now = 0;
  for (int i = 0; i < 200'000; ++i) {
    TcpFrame f;
    f.number = static_cast<std::uint64_t>(i) + 1;
    f.ts_ns = now += static_cast<TimeNs>(any(1000)) * 1'000'000 - 400'000'000;
    f.source = Talk::end(any(2), static_cast<std::uint16_t>(any(40)));
    f.destination = Talk::end(any(2), static_cast<std::uint16_t>(any(40)));
    f.seq = any(4) == 0 ? static_cast<std::uint32_t>(random()) : any(5000) - 2000;
    f.ack = any(4) == 0 ? static_cast<std::uint32_t>(random()) : any(5000) - 2000;
    f.len = any(3) == 0 ? 0 : any(200);
    f.window = static_cast<std::uint16_t>(any(3) * any(65536));
    f.flags = static_cast<std::uint8_t>(any(3) == 0 ? any(256) : 16);
    f.options = static_cast<std::uint8_t>(any(64));
    f.wscale = static_cast<std::uint8_t>(any(256));
    f.frame_len = f.len + 54;
    f.bad_header = any(50) == 0;
    ++frames;
    if (!f.bad_header) payload += f.len;
    reader.conversations.observe(f, reader.events);
  }
  reader.conversations.finish(reader.events);
  std::set<std::uint64_t> streams;
  for (const ConversationEnd& end : reader.ends()) {
    EXPECT_TRUE(streams.insert(end.totals.stream).second);
    for (const StreamTotals& t : {end.totals.out, end.totals.in}) {
      EXPECT_EQ(t.payload_bytes + t.missing_bytes, t.retransmitted_bytes + t.sequence_bytes);
      EXPECT_LE(t.missing_bytes, t.sequence_bytes);
      frames -= t.frames;
      payload -= t.payload_bytes;
    }
  }
  EXPECT_EQ(frames, 0U);
  EXPECT_EQ(payload, 0U);
}

// Against a set of single bytes, across the end of the sequence space, with few enough holes to remember them all.
TEST(SequenceBytes, AreThoseThatWereSeen) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const std::uint32_t isn = 0xffffffffU - 300;
    SequenceBytes bytes;
    bytes.sent(isn, 0, syn_flag);
    std::set<std::uint32_t> seen;
    std::uint32_t highest = 0;
    std::uint64_t payload = 0;
    for (int i = 0; i < 12; ++i) {
      const auto from = static_cast<std::uint32_t>(random() % 600);
      const auto len = static_cast<std::uint32_t>(random() % 80);
      bytes.sent(isn + 1 + from, len, ack_flag);
      payload += len;
      for (std::uint32_t b = from; b < from + len; ++b) seen.insert(b);
      if (len != 0 || from > highest) highest = std::max(highest, from + len);
    }
    EXPECT_EQ(bytes.payload(), payload);
    EXPECT_EQ(bytes.range(), highest);
    EXPECT_EQ(bytes.range() - bytes.missing(), seen.size());
    EXPECT_EQ(bytes.retransmitted(), payload - seen.size());
  }
}

TEST(SequenceBytes, KnowsWhatItHasAlready) {
  SequenceBytes bytes;
  bytes.sent(100, 50, tcp_flag::ack);
  bytes.sent(200, 50, tcp_flag::ack);
  EXPECT_TRUE(bytes.has_all(100, 50));
  EXPECT_TRUE(bytes.has_all(240, 10));
  EXPECT_FALSE(bytes.has_all(140, 20)) << "a part is in the hole";
  EXPECT_FALSE(bytes.has_all(240, 11)) << "a part is new";
  EXPECT_FALSE(bytes.has_all(99, 10)) << "a part is older than the capture";
  EXPECT_FALSE(bytes.has_all(100, 0));
  bytes.sent(150, 50, tcp_flag::ack);
  EXPECT_TRUE(bytes.has_all(140, 20));
  for (std::uint32_t i = 0; i <= SequenceBytes::holes_limit; ++i) bytes.sent(300 + 20 * i, 10, tcp_flag::ack);
  EXPECT_FALSE(bytes.has_all(100, 50)) << "a hole was forgotten, and it may be there";
}

TEST(SequenceBytes, AnAcknowledgementShowsWhatWasNotCaptured) {
  SequenceBytes bytes;
  bytes.sent(1, 100, ack_flag);
  bytes.acknowledged(101);
  EXPECT_EQ(bytes.missing(), 0U);
  bytes.acknowledged(201);
  EXPECT_EQ(bytes.range(), 200U);
  EXPECT_EQ(bytes.missing(), 100U);
  bytes.acknowledged(0x7fffffffU);  // no window is so large
  EXPECT_EQ(bytes.range(), 200U);
}

TEST(SequenceBytes, AJumpThatThePeerAcknowledgesIsAGap) {
  SequenceBytes bytes;
  bytes.sent(1'000, 100, ack_flag);
  bytes.sent(3'000'001'100U, 100, ack_flag);
  EXPECT_EQ(bytes.missing(), 0U);  // nonsense, for all that is known
  bytes.acknowledged(3'000'001'200U);
  EXPECT_EQ(bytes.missing(), 3'000'000'000U);
  EXPECT_EQ(bytes.range(), 3'000'000'200U);
  EXPECT_EQ(bytes.payload() + bytes.missing(), bytes.range() + bytes.retransmitted());
}

TEST(SequenceBytes, AnAcknowledgementElsewhereSaysNothingOfAJump) {
  SequenceBytes bytes;
  bytes.sent(1'000, 100, ack_flag);
  bytes.sent(3'000'001'100U, 100, ack_flag);
  bytes.acknowledged(1'100);
  EXPECT_EQ(bytes.missing(), 0U);
}

TEST(SequenceBytes, TheNumberOfARstOpensNoHole) {
  SequenceBytes bytes;
  bytes.sent(1'000, 100, ack_flag);
  bytes.sent(900'000, 0, rst_flag);
  bytes.sent(1'100, 100, ack_flag);
  EXPECT_EQ(bytes.range(), 200U);
  EXPECT_EQ(bytes.missing(), 0U);
  EXPECT_EQ(bytes.retransmitted(), 0U);
}

// Words about the reset, however often they come.
TEST(SequenceBytes, ThePayloadOfARstIsNotOfTheStream) {
  SequenceBytes bytes;
  for (int i = 0; i < 4; ++i) bytes.sent(0, 11, rst_ack);
  EXPECT_EQ(bytes.payload(), 44U);
  EXPECT_EQ(bytes.range(), 0U);
  EXPECT_EQ(bytes.missing(), 0U);
  EXPECT_EQ(bytes.payload() + bytes.missing(), bytes.range() + bytes.retransmitted());
  bytes.sent(1'000, 100, ack_flag);
  bytes.sent(1'100, 11, rst_ack);
  EXPECT_EQ(bytes.range(), 100U);
  bytes.sent(1'100, 11, fin_ack);
  EXPECT_EQ(bytes.range(), 111U);
}

TEST(SequenceBytes, AKeepAliveAtTheBeginningOfACaptureIsNoByte) {
  SequenceBytes bytes;
  bytes.sent(999, 0, ack_flag);
  bytes.acknowledged(1'000);
  bytes.sent(1'000, 50, ack_flag);
  EXPECT_EQ(bytes.range(), 50U);
  EXPECT_EQ(bytes.missing(), 0U);
  SequenceBytes more;  // two numbers: something was sent that is not in the capture
  more.sent(999, 0, ack_flag);
  more.acknowledged(1'001);
  EXPECT_EQ(more.missing(), 2U);
}

}  // namespace
}  // namespace tcpwitness::testing
