// SPDX-License-Identifier: Apache-2.0
// After a loss the sockets are listed again: what closed unseen is over, what changed unseen is caught up with, and
// nothing else changes.
#include <gtest/gtest.h>

#include "pipeline/live_correlator.hpp"
#include "unit/run.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

struct Listing {
  bool gap = true;
  bool whole = true;          // the list was read to its end
  bool found = false;         // among the sockets that were listed
  std::int64_t later_ns = 0;  // an event of it behind the beginning of the list
  bool by_segment = false;    // its transitions were lost, too: a segment alone has shown it
  bool by_syn = false;        // its SYN was seen, and no transition: another namespace's
};

// A connection is open, events are lost, the sockets are listed.
RunResult listed(const Listing& how) {
  Stream stream;
  Side c = client_of(stream);
  if (how.by_syn) {
    c.state = State::syn_sent;
    c.out(S);
    c.in(SA);
    c.state = State::established;
    c.out(A);
  } else if (how.by_segment) {
    stream.gap(3);
    c.state = State::established;
    c.out(PA, 10);
  } else {
    connects(c);
  }
  if (how.gap) stream.wait(10 * ms).gap(5);
  stream.wait(300 * ms);
  const TimeNs begun = stream.now;
  SocketFound all{};
  all.header.kind = TW_KIND_SOCKET;
  all.type = SocketKind::none;
  if (how.whole) stream.add(all);
  if (how.found) c.found(SocketKind::full, State::established);
  if (how.later_ns != 0) {
    stream.wait(how.later_ns);
    c.out(PA, 10);
  }
  RunResult reported;
  LiveCorrelator correlator(life_settings(), kernel_names());
  for (const Event& event : stream.events) correlator.feed(event, reported.reports);
  correlator.listed(begun, reported.reports);
  correlator.advance(stream.now + 100 * ms, reported.reports);
  const std::size_t before = reported.lives().size();
  correlator.finish(stream.now + 100 * ms, reported.reports);
  EXPECT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(before, reported.life().outcome == Outcome::open ? 0U : 1U);
  return reported;
}

TEST(Listing, WhatClosedInAGapIsOver) {
  const RunResult reported = listed({});
  EXPECT_EQ(reported.life().outcome, Outcome::unknown);
  EXPECT_TRUE(reported.life().incomplete);
}

TEST(Listing, WhatASegmentAloneHasShownIsOverToo) {
  EXPECT_EQ(listed({.by_segment = true}).life().outcome, Outcome::unknown);
  EXPECT_EQ(listed({.found = true, .by_segment = true}).life().outcome, Outcome::open);
  EXPECT_EQ(listed({.by_syn = true}).life().outcome, Outcome::open) << "the list of this namespace has none of another";
}

TEST(Listing, AListThatBrokeOffSaysNothing) { EXPECT_EQ(listed({.whole = false}).life().outcome, Outcome::open); }

TEST(Listing, WhatIsThereStaysOpen) { EXPECT_EQ(listed({.found = true}).life().outcome, Outcome::open); }

TEST(Listing, WhatHadAnEventSinceStaysOpen) { EXPECT_EQ(listed({.later_ns = ms}).life().outcome, Outcome::open); }

TEST(Listing, WithoutALossNothingIsOver) {
  const RunResult reported = listed({.gap = false});
  EXPECT_EQ(reported.life().outcome, Outcome::open);
  EXPECT_FALSE(reported.life().incomplete);
}

// The peer's FIN and the transition are lost; the list shows CLOSE_WAIT.
RunResult found_in_close_wait(bool gap) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  if (gap) stream.wait(10 * ms).gap(5);
  stream.wait(300 * ms);
  c.found(SocketKind::full, State::close_wait);
  return run(stream.events, life_settings(), 20 * s);
}

TEST(Listing, ALostTransitionIsCaughtUpWith) {
  const Life life = found_in_close_wait(true).life();
  EXPECT_EQ(life.states.back(), State::close_wait);
  EXPECT_EQ(life.closed_by, ClosedBy::peer);
}

TEST(Listing, TheStateOfAnOlderConnectionShowsWhoClosedFirst) {
  struct Case {
    State state;
    ClosedBy first;
  };
  // A segment can come while the sockets are listed.
  for (const bool segment_first : {false, true}) {
    for (const Case& one : {Case{State::fin_wait1, ClosedBy::local}, Case{State::closing, ClosedBy::both},
                            Case{State::last_ack, ClosedBy::peer}, Case{State::established, ClosedBy::none}}) {
      Stream stream;
      Side c = client_of(stream);
      c.state = one.state;
      if (segment_first) c.out(A);
      c.extra.flags = TW_CB_ACTIVE;
      c.found(SocketKind::full, one.state);
      stream.wait(10 * ms);
      c.in(A);
      if (one.state != State::established) c.to(State::close);
      const Life life = run(stream.events, life_settings(), 20 * s).life();
      EXPECT_EQ(life.closed_by, one.first);
      EXPECT_EQ(life.role, Role::active);
    }
  }
}

TEST(Listing, WithoutALossTheEventsAreRight) {
  EXPECT_EQ(found_in_close_wait(false).life().states.back(), State::established);
}

// A kernel can run no program in some interrupts, and counts that nowhere: the timer that gave a connection up, say.
struct Missed {
  bool last = false;     // ESTABLISHED -> CLOSE
  bool between = false;  // ESTABLISHED -> CLOSE_WAIT
  bool gap = false;
  bool found = false;  // among the sockets at the start: its beginning was before
  bool seen = false;   // then: CLOSE_WAIT -> LAST_ACK has an event
};

RunResult missed(const Missed& how) {
  Stream stream;
  Side c = client_of(stream);
  if (how.found) {
    c.found(SocketKind::full, State::established);
  } else {
    connects(c);
  }
  if (how.gap) stream.wait(10 * ms).gap(5);
  if (how.between) {
    c.in(FA);
    c.state = State::close_wait;
    c.to(State::last_ack, curl);
  }
  if (how.seen) {
    c.in(FA);
    c.to(State::close_wait);
    c.to(State::last_ack, curl);
  }
  if (how.last) {
    c.state = State::close;
  } else {
    c.to(State::close, curl);
  }
  c.destroy();
  return run(stream.events, life_settings(), s);
}

TEST(Missed, ATransitionThatMustHaveBeenIsSaid) {
  for (const Missed& how : {Missed{.last = true}, Missed{.between = true}, Missed{.last = true, .between = true}}) {
    const RunResult reported = missed(how);
    EXPECT_EQ(reported.summary.missed, 1U) << how.last << how.between;
    EXPECT_TRUE(reported.life().incomplete);
  }
  const RunResult older = missed({.last = true, .found = true, .seen = true});
  EXPECT_EQ(older.summary.missed, 1U);
  EXPECT_TRUE(older.life().incomplete);
}

TEST(Missed, WhatIsThereWhatAGapHasAndWhatWasBeforeIsNot) {
  EXPECT_EQ(missed({}).summary.missed, 0U);
  EXPECT_FALSE(missed({}).life().incomplete);
  EXPECT_EQ(missed({.last = true, .gap = true}).summary.missed, 0U);
  EXPECT_EQ(missed({.last = true, .found = true}).summary.missed, 0U);
  EXPECT_EQ(missed({.found = true, .seen = true}).summary.missed, 0U);
  for (const Story& story : all_stories()) EXPECT_EQ(run(story.events).summary.missed, 0U) << story.name;
}

}  // namespace
}  // namespace tcpwitness::testing
