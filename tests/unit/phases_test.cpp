// SPDX-License-Identifier: Apache-2.0
// phases_test.cpp: where the time of a connection went; each phase, and the same without its evidence.
#include "judge/judge.hpp"
#include "unit/says.hpp"
#include "values/report_filter.hpp"
#include "wire/phase_clock.hpp"

namespace tcpwitness::testing {
namespace {

CorrelatorSettings every_segment() {
  CorrelatorSettings settings = life_settings();
  settings.every_segment = true;
  return settings;
}

// Events are 10 us apart.
std::vector<Event> answered_after(std::int64_t think_ns) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 50);
  stream.wait(think_ns);
  c.in(PA, 70);
  c.out(A);
  closes_first(c, curl);
  return stream.events;
}

TEST(Phases, OfARequestAndItsAnswer) {
  const Life life = run(answered_after(1'490 * ms), every_segment()).life();
  EXPECT_EQ(life.phases.connect, 20 * us);
  EXPECT_EQ(life.phases.synack_ack, 10 * us);
  EXPECT_EQ(life.phases.request_ack, 1'490 * ms + 10 * us);
  EXPECT_EQ(life.phases.first_byte, 1'490 * ms + 10 * us);
  EXPECT_EQ(life.phases.server, 1'490 * ms) << "the handshake's round trip is 10 us";
  EXPECT_EQ(life.phases.waiting, 0);
  EXPECT_EQ(life.phases.transfer, 0);
  EXPECT_EQ(life.phases.stalled, 0);
  EXPECT_EQ(life.phases.idle, 0);
  EXPECT_EQ(life.phases.closing, 50 * us);
  EXPECT_FALSE(life.phases.accept.has_value());
  EXPECT_TRUE(life.explanation.contains("The server took 1.49 s to its first byte; the network 10 us ("))
      << life.explanation;
}

// The client sends three pieces within 6 s; or its server sends first, and then it does.
std::vector<Event> uploads(bool server_first) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  if (server_first) c.in(PA, 20);
  for (int piece = 0; piece < 3; ++piece) {
    if (piece != 0) stream.wait(3 * s);
    c.out(PA, 500);
    c.in(A);
  }
  c.in(PA, 70);
  c.out(A);
  closes_first(c, curl);
  return stream.events;
}

TEST(Phases, OfAnUploadIsTheTimeThatTheRequestTook) {
  const Life life = run(uploads(false), every_segment()).life();
  EXPECT_EQ(life.phases.request, 6 * s + 40 * us);
  EXPECT_EQ(life.phases.first_byte, 20 * us);
  EXPECT_TRUE(life.explanation.contains("Sending the request took 6.00 s.")) << life.explanation;
  EXPECT_FALSE(run(uploads(true), every_segment()).life().phases.request.has_value()) << "it answered a greeting";
}

TEST(Phases, OneDirectionAloneShowsNoRequest) {
  const Life life = run(without_arrivals(uploads(false)), every_segment()).life();
  EXPECT_FALSE(life.phases.request.has_value());
  EXPECT_FALSE(life.explanation.contains("request took")) << life.explanation;
}

TEST(Phases, AFastAnswerIsNotWorthASentence) {
  EXPECT_FALSE(run(answered_after(50 * ms), every_segment()).life().explanation.contains("first byte"));
}

// A life alone is not reported of ordinary data.
TEST(Phases, WithoutEverySegmentNothingIsKnownOfPayload) {
  const Life life = run(answered_after(1'490 * ms)).life();
  EXPECT_EQ(life.phases.connect, 20 * us);
  EXPECT_EQ(life.phases.closing, 50 * us);
  EXPECT_FALSE(life.phases.first_byte.has_value());
  EXPECT_FALSE(life.phases.transfer.has_value());
  EXPECT_FALSE(life.phases.stalled.has_value());
  EXPECT_FALSE(life.explanation.contains("first byte"));
}

TEST(Phases, WhatWasLostIsNotTheServersTime) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  const std::uint32_t seq = c.snd_nxt;
  c.out(PA, 50);
  stream.wait(1 * s);
  c.out(PA, 50, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = seq; });
  c.in(PA, 70);
  closes_first(c, curl);
  const Life life = run(stream.events, every_segment()).life();
  EXPECT_EQ(life.phases.stalled, 1 * s + 10 * us);
  EXPECT_EQ(life.phases.first_byte, 1 * s + 20 * us);
  EXPECT_FALSE(life.phases.server.has_value());
  EXPECT_TRUE(life.explanation.contains("The first byte of the answer came after 1.00 s.")) << life.explanation;
}

TEST(Phases, AServerThatSendsFirstIsMeasuredFromTheHandshake) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  stream.wait(300 * ms);
  c.in(PA, 20);
  c.out(PA, 10);
  c.in(A);
  closes_first(c, curl);
  const Life life = run(stream.events, every_segment()).life();
  EXPECT_EQ(life.phases.first_byte, 300 * ms + 20 * us);
  EXPECT_EQ(life.phases.request_ack, 10 * us) << "of the greeting";
}

TEST(Phases, LaterAnswersAreWaitedForAndBetweenThemNobodyHasAnythingToSend) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 50);
  c.in(PA, 1000);
  c.in(PA, 1000);
  c.out(A);
  stream.wait(2 * s);
  c.out(PA, 50);
  stream.wait(500 * ms);
  c.in(PA, 70);
  c.out(A);
  stream.wait(3 * s);
  c.in(PA, 70);  // the server goes on by itself
  closes_first(c, curl);
  const Phases phases = run(stream.events, every_segment()).life().phases;
  EXPECT_EQ(phases.first_byte, 10 * us);
  EXPECT_EQ(phases.transfer, 10 * us);
  EXPECT_EQ(phases.waiting, 500 * ms + 10 * us + 3 * s + 20 * us);
  EXPECT_EQ(phases.idle, 2 * s + 20 * us);
}

// As SMTP does: the client answers at once, the server takes its time.
TEST(Phases, TheServerIsWaitedForWhereItSendsFirstToo) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 20);
  for (int command = 0; command < 3; ++command) {
    c.out(PA, 10);
    stream.wait(200 * ms);
    c.in(PA, 20);
  }
  stream.wait(400 * ms);
  closes_first(c, curl);
  const Phases phases = run(stream.events, every_segment()).life().phases;
  EXPECT_EQ(phases.waiting, 3 * (200 * ms + 10 * us));
  EXPECT_EQ(phases.idle, 20 * us + 400 * ms + 20 * us) << "and behind the last answer";
}

TEST(Phases, APauseWithDataOutIsNotIdle) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 50);
  stream.wait(3 * s);
  c.out(PA, 50);
  c.in(PA, 70);
  closes_first(c, curl);
  const Phases phases = run(stream.events, every_segment()).life().phases;
  EXPECT_EQ(phases.idle, 0);
  EXPECT_EQ(phases.transfer, 3 * s + 10 * us);
}

TEST(Phases, AClosedWindowStalls) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 50);
  c.in(A, 0, TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
  stream.wait(2 * s);
  c.in(A, 0, TW_EVENT_WINDOW_OPEN);
  c.out(PA, 50);
  c.in(PA, 70);
  closes_first(c, curl);
  const Phases every = run(stream.events, every_segment()).life().phases;
  EXPECT_EQ(every.stalled, 2 * s + 30 * us);
  EXPECT_EQ(every.idle, 0);
  const Phases events = run(stream.events).life().phases;
  ASSERT_TRUE(events.stalled.has_value()) << "a window that closes and opens is an event";
  EXPECT_GE(*events.stalled, 2 * s);
}

TEST(Phases, OfWhatWasOpenBeforeAreNotKnown) {
  std::vector<Event> late = answered_after(300 * ms);
  late.erase(late.begin(), late.begin() + 5);
  const Phases phases = run(late, every_segment()).life().phases;
  EXPECT_FALSE(phases.connect.has_value());
  EXPECT_FALSE(phases.synack_ack.has_value());
  EXPECT_FALSE(phases.first_byte.has_value());
  EXPECT_TRUE(phases.closing.has_value());
}

TEST(Phases, SlowerThanIsOfTheFirstByteToo) {
  ReportFilter filter;
  filter.slower_than_ns = 200 * ms;
  EXPECT_TRUE(filter.wants(run(answered_after(300 * ms), every_segment()).life()));
  EXPECT_FALSE(filter.wants(run(answered_after(100 * ms), every_segment()).life()));
  EXPECT_FALSE(filter.wants(run(answered_after(300 * ms)).life())) << "nothing is known of its first byte";
}

// Reading a capture: the totals have the times. What was not captured may have been the request.
TEST(Phases, OfACaptureWithAHoleAreOnlyThoseThatItShows) {
  for (const std::uint64_t missing : {0U, 100U}) {
    Connection c;
    c.role = Role::active;
    c.syn = {1, 1 * s};
    c.syn_ack = {2, 1 * s + ms};
    ConversationTotals totals;
    totals.payload.first_out = totals.payload.request_end = 2 * s;
    totals.payload.first_out_acked = 2 * s + ms;
    totals.payload.first_in = 3 * s;
    totals.payload.every_segment = true;
    totals.payload.transfer_ns = 5;
    totals.out.frames = totals.in.frames = 4;
    totals.in.missing_bytes = missing;
    RuleContext context{kernel_names()};
    context.has_kernel = false;
    context.conversation = &totals;
    const Phases phases = judge_phases(c, context, 9 * s);
    EXPECT_EQ(phases.first_byte, 1 * s);
    EXPECT_EQ(phases.server.has_value(), missing == 0);
    EXPECT_EQ(phases.transfer.has_value(), missing == 0);
    EXPECT_EQ(phases.request_ack, 1 * ms);
  }
}

// ---- the clock alone: what a capture feeds it with ----

SeenSegment segment(TimeNs ts, std::uint32_t seq, std::uint32_t ack, std::uint32_t len) {
  return {.ts_ns = ts, .seq = seq, .ack = ack, .len = len, .window = 100, .flags = tcp_flag::ack};
}

TEST(PhaseClock, AnAnswerWhoseBeginningIsMissingIsMarked) {
  for (const std::uint32_t begins : {500U, 501U}) {
    PhaseClock clock;
    clock.observe(segment(1 * s, 100, 500, 10), 0, PhaseClock::Kind::ordinary);
    clock.observe(segment(2 * s, begins, 110, 10), 1, PhaseClock::Kind::ordinary);
    const PayloadTimes times = clock.times();
    EXPECT_EQ(times.repeated, begins != 500);
    EXPECT_EQ(times.request_end, 1 * s);
    EXPECT_EQ(times.first_in, 2 * s);
    EXPECT_EQ(times.first_out_acked, 2 * s);
  }
}

TEST(PhaseClock, ProbesAreNoPayload) {
  PhaseClock clock;
  clock.observe(segment(1 * s, 99, 500, 1), 0, PhaseClock::Kind::probe);
  EXPECT_EQ(clock.times().first_out, 0);
}

}  // namespace
}  // namespace tcpwitness::testing
