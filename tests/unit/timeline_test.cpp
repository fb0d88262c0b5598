// SPDX-License-Identifier: Apache-2.0
// The timeline: causes by sequence number, segments that name their transition, order, filters.
#include <gtest/gtest.h>

#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

TEST(Cause, FinIsNamedBySequenceNotByBeingLast) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  const EventId fin = c.in(FA);
  c.out(A, 0, TW_EVENT_FIN_ACK);
  c.in(FA, 0, TW_EVENT_RETRANSMISSION, [](Segment& g) { g.seq -= 50; });  // an old one, last before the transition
  c.rcv_nxt = c.peer_nxt = 302;
  const EventId change = c.to(State::close_wait);
  const RunResult reported = run(stream.events, trace_settings());
  const auto entry = reported.transition(State::established, State::close_wait);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->cause.kind, Cause::Kind::segment);
  EXPECT_EQ(entry->cause.id, fin);
  EXPECT_EQ(entry->cause.what, "FIN");
  ASSERT_TRUE(reported.segment(fin)->transition.has_value());
  EXPECT_EQ(reported.segment(fin)->transition->id, change);
}

TEST(Cause, AFinThatDoesNotEndAtRcvNxtIsNoCause) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  const EventId fin = c.in(FA);
  c.rcv_nxt += 7;
  c.to(State::close_wait);
  const RunResult reported = run(stream.events, trace_settings());
  EXPECT_EQ(reported.transition(State::established, State::close_wait)->cause.kind, Cause::Kind::unknown);
  EXPECT_FALSE(reported.segment(fin)->transition.has_value());
}

TEST(Cause, DelayIsNeverNegativeWhenClocksRunBackwards) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  const EventId syn_ack = c.in(SA);
  stream.now -= 5 * ms;
  c.to(State::established);
  const auto entry = run(stream.events, trace_settings()).transition(State::syn_sent, State::established);
  EXPECT_EQ(entry->cause.id, syn_ack);
  EXPECT_EQ(entry->cause.delay_ns, 0);
}

TEST(Cause, TheAckBeforeAFinOfTheSameBatchMadeTheConnection) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  is_asked(c);
  const EventId ack_id = c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  const EventId fin_id = c.in(FA);
  c.state = State::listen;
  c.to(State::syn_recv);
  c.to(State::established);
  c.to(State::close_wait);
  const RunResult reported = run(stream.events, trace_settings());
  EXPECT_EQ(reported.transition(State::listen, State::syn_recv)->cause.id, ack_id);
  EXPECT_EQ(reported.transition(State::syn_recv, State::established)->cause.id, ack_id);
  EXPECT_EQ(reported.transition(State::established, State::close_wait)->cause.id, fin_id);
}

TEST(Cause, FinThatComesWithoutTheLostAckMadeTheConnectionAndClosedIt) {
  const RunResult reported = run(fin_before_ack_story().events, trace_settings());
  const auto made = reported.transition(State::listen, State::syn_recv);
  const auto closed = reported.transition(State::established, State::close_wait);
  EXPECT_NE(made->cause.id, 0U);
  EXPECT_EQ(made->cause.id, closed->cause.id);
}

TEST(Cause, CloseShutdownExitAndKillAreToldApart) {
  const auto words = [](Caller by, std::uint8_t shut) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.extra.sk_shutdown = shut;
    c.to(State::fin_wait1, by);
    return std::string(
        run(stream.events, trace_settings()).transition(State::established, State::fin_wait1)->cause.what);
  };
  EXPECT_EQ(words(curl, 3), "close");
  EXPECT_EQ(words(curl, 2), "shutdown");
  EXPECT_EQ(words({42, "curl", 0}, 3), "exit");
  EXPECT_EQ(words({42, "curl", 9}, 3), "kill (signal 9)");
}

TEST(Cause, TimersAreNamed) {
  const auto what = [](const Story& story, State from) {
    return std::string(run(story.events, trace_settings()).transition(from, State::close)->cause.what);
  };
  EXPECT_EQ(what(no_answer_story(), State::syn_sent), "retransmission");
  EXPECT_EQ(what(keepalive_death_story(), State::established), "keep-alive");
  EXPECT_EQ(what(retransmit_death_story(), State::established), "retransmission");
  EXPECT_EQ(what(user_timeout_story(), State::established), "user timeout");
}

TEST(Inferred, RequestSocketAppearsAtItsSynAck) {
  const RunResult reported = run(close_second_story().events, trace_settings());
  const auto entry = reported.transition(State::listen, State::new_syn_recv);
  ASSERT_TRUE(entry.has_value());
  EXPECT_TRUE(entry->inferred);
  EXPECT_EQ(entry->cause.what, "SYN");
  EXPECT_TRUE(reported.segment(entry->cause.id)->transition.has_value());
}

TEST(Inferred, TimeWaitFollowsThePeersFin) {
  const RunResult reported = run(close_first_story().events, trace_settings());
  const auto entry = reported.transition(State::fin_wait2, State::time_wait);
  ASSERT_TRUE(entry.has_value());
  EXPECT_TRUE(entry->inferred);
  EXPECT_EQ(reported.segment(entry->cause.id)->transition->to, State::time_wait);
}

TEST(Inferred, MiniSocketBecomesTimeWaitOnlyWhenTheFinComes) {
  Story story = orphan_close_story();
  EXPECT_TRUE(run(story.events, trace_settings()).transition(State::fin_wait2, State::time_wait).has_value());
  story.events.resize(story.events.size() - 2);
  const RunResult reported = run(story.events, trace_settings());
  EXPECT_FALSE(reported.transition(State::fin_wait2, State::time_wait).has_value());
  EXPECT_FALSE(reported.finding(Rule::time_wait).has_value());
}

TEST(Inferred, FinThatTheWireSawBeforeTheSocketMovedStillLeadsToTimeWait) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.to(State::fin_wait1, curl);
  c.out(FA);
  c.in(A, 0, TW_EVENT_FIN_ACK);
  const auto acknowledged = c;
  const EventId fin = c.in(FA);  // XDP saw it; TCP is still busy with the ACK
  Side busy = acknowledged;
  busy.to(State::fin_wait2);
  busy.to(State::close);
  busy.destroy();
  const RunResult reported = run(stream.events, trace_settings());
  const auto entry = reported.transition(State::fin_wait2, State::time_wait);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->cause.id, fin);
  EXPECT_EQ(reported.finding(Rule::time_wait)->confidence, Confidence::likely);
}

TEST(Timeline, EntriesKeepRingOrder) {
  for (const Story& story : all_stories()) {
    EventId last = 0;
    for (const Entry& entry : run(story.events, trace_settings()).entries()) {
      EXPECT_GE(entry.id, last) << story.name;
      last = entry.id;
    }
  }
}

TEST(Timeline, AHeldSegmentLeavesWhenItsTimeIsUp) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(FA);  // no transition follows
  Correlator correlator(trace_settings(), kernel_names());
  Reports reports;
  for (const Event& event : stream.events) correlator.feed(event, reports);
  const std::size_t before = reports.size();
  correlator.advance(stream.now + 30 * ms, reports);
  EXPECT_EQ(reports.size(), before);
  correlator.advance(stream.now + 41 * ms, reports);
  EXPECT_EQ(reports.size(), before + 1);
}

TEST(Timeline, LifeFollowsItsEntries) {
  const RunResult reported = run(close_first_story().events, trace_settings());
  ASSERT_FALSE(reported.reports.empty());
  EXPECT_TRUE(std::holds_alternative<Life>(reported.reports.back()));
}

TEST(Timeline, SegmentsAreRelativeOnlyWhenTheIsnIsKnown) {
  Stream stream;
  Side c = client_of(stream);
  c.found(SocketKind::full, State::established);
  const EventId segment = c.out(PA, 5);
  const RunResult reported = run(stream.events, trace_settings());
  EXPECT_FALSE(reported.segment(segment)->relative);
  EXPECT_EQ(reported.segment(segment)->rel_seq, 100U);
}

TEST(Filter, EntriesOfAnotherProcessNeverLeave) {
  CorrelatorSettings settings = trace_settings();
  settings.pid = 4711;
  const RunResult reported = run(close_first_story().events, settings);
  EXPECT_TRUE(reported.reports.empty());
  EXPECT_EQ(reported.summary.connections, 0U);
}

// Later its number can be another process's.
TEST(Filter, AProcessIsJudgedWhenItBecomesTheOwner) {
  for (const bool first : {true, false}) {
    for (CorrelatorSettings settings : {trace_settings(), life_settings()}) {
      int asked = 0;
      settings.of_process = [&](const Process&) { return (asked++ == 0) == first; };
      EXPECT_EQ(run(close_first_story().events, settings).lives().size(), first ? 1U : 0U);
    }
  }
}

TEST(Filter, EntriesBeforeTheProcessWasKnownAreReleasedWithIt) {
  CorrelatorSettings settings = trace_settings();
  settings.comm = "nginx-worker";
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.in(PA, 50);
  c.used(worker, OwnerSource::receive);
  closes_second(c, worker);
  const RunResult filtered = run(stream.events, settings);
  const RunResult all = run(stream.events, trace_settings());
  EXPECT_EQ(filtered.entries().size(), all.entries().size());
  EXPECT_EQ(filtered.lives().size(), 1U);
  settings.comm = "nginx";
  EXPECT_EQ(run(stream.events, settings).lives().size(), 0U);
}

}  // namespace
}  // namespace tcpwitness::testing
