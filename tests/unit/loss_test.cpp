// SPDX-License-Identifier: Apache-2.0
// loss_test.cpp: what was sent again in either direction, in segments, and what that shows of the path.
#include <gtest/gtest.h>

#include <cerrno>

#include "unit/run.hpp"
#include "unit/says.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

std::string text_of(const std::optional<Finding>& finding) { return finding ? sentence(*finding) : "no finding"; }

// A download: 60 segments come in, three of them again, one only late.
Stream lossy_download(int again, int late) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  for (int i = 0; i < 60; ++i) c.in(A, 1000);
  for (int i = 0; i < again; ++i) {
    const std::uint32_t next = c.peer_nxt;
    c.in(A, 1000, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = next - 5000; });
    c.peer_nxt = c.rcv_nxt = next;
  }
  for (int i = 0; i < late; ++i) {
    const std::uint32_t next = c.peer_nxt;
    c.late_in++;
    c.in(A, 1000, TW_EVENT_OUT_OF_ORDER, [&](Segment& g) {
      g.seq = next - 5000;
      g.reordered = 1;
    });
    c.peer_nxt = c.rcv_nxt = next;
  }
  closes_second(c, curl);
  return stream;
}

TEST(InboundLoss, IsCountedAndFoundWithItsShare) {
  const RunResult reported = run(lossy_download(3, 1).events);
  EXPECT_EQ(reported.life().retransmits, 0U);
  EXPECT_EQ(reported.life().retransmits_in, 3U);
  EXPECT_EQ(reported.life().out_of_order_in, 1U);
  const auto finding = reported.finding(Rule::retransmission);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::likely);  // the wire alone
  const auto again = found<arguments::PeerRetransmission>(finding);
  EXPECT_EQ(again.retransmitted, 3U);
  EXPECT_EQ(again.out_of_order, 1U);
  EXPECT_TRUE(sentence(*finding).contains(" %)")) << sentence(*finding);
}

// What fills a hole may have been late; what had arrived before was sent again.
TEST(InboundLoss, BesideReorderingOnlyWhatHadArrivedBeforeIsCertain) {
  const auto confidence = [](std::uint32_t late, int arrived_before) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    for (int i = 0; i < 20; ++i) c.in(A, 1000);
    c.late_in = late;
    for (int i = 0; i < 2; ++i) {
      const std::uint32_t next = c.peer_nxt;
      c.in(A, 1000, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = next - 5000; });
      c.peer_nxt = c.rcv_nxt = next;
      if (i < arrived_before) c.drop(drop_old_data, false, A, 1000);
    }
    closes_second(c, curl);
    return run(stream.events).finding(Rule::retransmission)->confidence;
  };
  EXPECT_EQ(confidence(0, 1), Confidence::certain);
  EXPECT_EQ(confidence(3, 1), Confidence::likely);
  EXPECT_EQ(confidence(3, 2), Confidence::certain);
}

TEST(InboundLoss, WhatOnlyCameLateIsNone) {
  const RunResult reported = run(lossy_download(0, 2).events);
  EXPECT_EQ(reported.life().retransmits_in, 0U);
  EXPECT_EQ(reported.life().out_of_order_in, 2U);
  EXPECT_FALSE(reported.finding(Rule::retransmission).has_value());
}

// The network delivers each of these segments twice; TCP drops the second one.
RunResult network_copies(int copies, int again) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  for (int i = 0; i < copies + again; ++i) {
    c.in(PA, 20);
    const std::uint32_t next = c.peer_nxt;
    const bool copied = i < copies;
    if (copied) ++c.copies_in;
    c.in(PA, 20, copied ? 0 : TW_EVENT_RETRANSMISSION, [&](Segment& g) {
      g.seq = next - 20;
      g.duplicate = copied ? 1 : 0;
      g.refused = Refusal::old;
    });
    c.peer_nxt = c.rcv_nxt = next;
    c.drop(drop_old_data, false, PA, 20);
  }
  closes_first(c, curl);
  return run(stream.events, trace_settings());
}

TEST(NetworkCopies, AreNoRetransmission) {
  const RunResult reported = network_copies(5, 0);
  EXPECT_EQ(reported.life().retransmits_in, 0U);
  EXPECT_EQ(reported.life().duplicates_in, 5U);
  EXPECT_FALSE(reported.finding(Rule::retransmission).has_value());
  int called_so = 0;
  for (const auto& [report, body] : reported.entries_of<SegmentEntry>()) {
    if (body.segment.duplicate == 0) continue;
    EXPECT_EQ(body.analysis, std::vector<std::string_view>{"duplicate packet"});
    ++called_so;
  }
  EXPECT_EQ(called_so, 5);
}

TEST(NetworkCopies, ExplainNoMoreDropsThanThereAreCopies) {
  const auto finding = network_copies(5, 2).finding(Rule::retransmission);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::likely);  // which drop was of a copy?
  EXPECT_EQ(found<arguments::PeerRetransmission>(finding).spurious, 2U);
}

// A keep-alive's byte of garbage is dropped as old data, too.
TEST(NetworkCopies, AKeepAlivesByteWasNotSentAgain) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 20);
  const std::uint32_t next = c.peer_nxt;
  stream.wait(2 * s);
  c.in(A, 1, TW_EVENT_KEEPALIVE, [&](Segment& g) { g.seq = next - 1; });
  c.peer_nxt = c.rcv_nxt = next;
  c.drop(drop_old_data, false, A, 1);
  c.out(A, 0, TW_EVENT_KEEPALIVE_ACK);
  closes_first(c, curl);
  const RunResult reported = run(stream.events);
  EXPECT_TRUE(reported.finding(Rule::keepalive).has_value());
  EXPECT_FALSE(reported.finding(Rule::retransmission).has_value());
}

TEST(NetworkCopies, WithoutTheWireNobodyCanTellThem) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.to(State::established);
  c.drop(drop_old_data, false, PA, 20);
  c.to(State::close_wait);
  c.to(State::last_ack, curl);
  c.to(State::close);
  const auto finding = run(stream.events).finding(Rule::retransmission);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

TEST(InboundLoss, IsNotKnownWithoutTheWire) {
  const auto events = lossy_download(3, 1).events;
  std::vector<Event> kernel;
  for (const Event& event : events) {
    if (!std::holds_alternative<Segment>(event.body)) kernel.push_back(event);
  }
  std::get<SocketDestroyed>(kernel.back().body).has_wire = 0;
  EXPECT_FALSE(run(kernel).life().retransmits_in.has_value());
}

TEST(RetransmissionUnit, IsTheSegmentNotTheBuffer) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 5000, 0, [](Segment& g) { g.segments = 5; });
  stream.wait(300 * ms);
  c.out(PA, 5000, TW_EVENT_RETRANSMISSION, [&](Segment& g) {
    g.seq = c.snd_una;
    g.segments = 5;
  });
  c.retransmit(3, 1, 0, [](Retransmit& r) {
    r.segments = 5;
    r.cb.total_retrans = 5;
  });
  c.extra.total_retrans = 5;
  c.in(A);
  closes_first(c, curl);
  const RunResult reported = run(stream.events);
  EXPECT_EQ(reported.life().retransmits, 5U);
  const auto finding = reported.finding(Rule::retransmission);
  EXPECT_EQ(finding->confidence, Confidence::certain);
  const auto again = found<arguments::Retransmission>(finding).by_kernel.value();
  ASSERT_EQ(again.causes.size(), 1U);
  EXPECT_EQ(again.causes[0].kind, RetransmitKind::fast);
  EXPECT_EQ(again.causes[0].count, 5U);
  EXPECT_EQ(again.causes[0].seen, 5U);
  EXPECT_EQ(again.unreported, 0U);
}

// A timer that ran out once without effect, then, where sent, once with: err is that of the first.
RunResult after_an_attempt(int err, bool sent) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  c.extra.total_retrans = 0;
  c.retransmit(4, 0, 1, [&](Retransmit& r) {
    r.err = err;
    r.cb.total_retrans = 0;
  });
  c.extra.total_retrans = 0;
  if (sent) {
    c.out(PA, 10, TW_EVENT_RETRANSMISSION);
    c.retransmit(4, 1, 1);
  }
  c.in(A);
  closes_first(c, curl);
  return run(stream.events);
}

TEST(RetransmissionUnit, WhatWasPutOffIsNoSegment) {
  for (const int err : {-EBUSY, -EAGAIN}) {
    const RunResult reported = after_an_attempt(err, true);
    EXPECT_EQ(reported.life().retransmits, 1U) << err;
    const std::string text = text_of(reported.finding(Rule::retransmission));
    EXPECT_EQ(text.contains("the copy before still waited"), err == -EBUSY) << text;
    EXPECT_EQ(text.contains("given up before anything was sent"), err == -EAGAIN) << text;
  }
}

TEST(RetransmissionUnit, AnAttemptAloneIsNone) {
  for (const int err : {-EBUSY, -EAGAIN}) {
    const RunResult reported = after_an_attempt(err, false);
    EXPECT_EQ(reported.life().retransmits, 0U) << err;
    EXPECT_FALSE(reported.finding(Rule::retransmission).has_value()) << err;
  }
}

// The wire shows two, the kernel's events one; by its own count there were as many as `counted`.
std::optional<Finding> one_event_of_two(std::uint32_t counted) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  for (int i = 0; i < 2; ++i) c.out(PA, 10, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
  c.retransmit(4, 0, 1);
  c.extra.total_retrans = counted;
  c.in(A);
  closes_first(c, curl);
  return run(stream.events).finding(Rule::retransmission);
}

TEST(RetransmissionCount, WhatTheKernelCountsWithoutAnEventIsNoDisagreement) {
  EXPECT_EQ(one_event_of_two(2)->confidence, Confidence::certain) << sentence(*one_event_of_two(2));
  EXPECT_EQ(one_event_of_two(1)->confidence, Confidence::likely) << sentence(*one_event_of_two(1));
}

TEST(RetransmissionCount, WhatIsPutOffHasTheNumberOfTheOneThatFollows) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  for (const int err : {0, -EBUSY, -EBUSY, 0}) c.retransmit(4, 0, 1, [&](Retransmit& r) { r.err = err; });
  std::vector<std::uint32_t> attempts;
  for (const auto& [entry, body] : run(stream.events, trace_settings()).entries_of<RetransmitEntry>())
    attempts.push_back(body.attempt);
  EXPECT_EQ(attempts, (std::vector<std::uint32_t>{1, 2, 2, 2}));
}

// tcp_simple_retransmit() enters the state Loss as a timeout does.
RetransmitKind cause_after(std::uint16_t mss_before, std::uint16_t mss_now, std::uint8_t retransmits) {
  Stream stream;
  Side c = client_of(stream);
  c.extra.mss = mss_before;
  connects(c);
  c.out(PA, 3000);
  c.extra.mss = mss_now;
  c.retransmit(4, 1, retransmits);
  c.in(A);
  closes_first(c, curl);
  const RunResult reported = run(stream.events, trace_settings());
  return reported.entries_of<RetransmitEntry>().at(0).second.cause;
}

TEST(RetransmissionCause, APathMtuReductionIsNoTimeout) {
  EXPECT_EQ(cause_after(1460, 1160, 0), RetransmitKind::path_mtu);
  EXPECT_EQ(cause_after(1460, 1460, 0), RetransmitKind::loss_recovery);
  EXPECT_NE(cause_after(1460, 1024, 2), RetransmitKind::path_mtu);  // the kernel's own probing, by a timeout
}

// A FIN with the peer's next number, and then the peer goes on from there; or what came again has taken another way.
TEST(PeerRetransmission, WhereAnotherOneCanHaveSentThePeerIsNotNamed) {
  using Doubt = arguments::PeerRetransmission::Doubt;
  const auto again = [](bool fin, std::uint32_t more, std::uint8_t ttl) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(PA, 100);
    const std::uint32_t next = c.peer_nxt;
    if (fin) {
      c.in(FA);
      c.to(State::close_wait);
    }
    c.in(PA, more, TW_EVENT_RETRANSMISSION, [&](Segment& g) {
      g.seq = fin ? next - 1 : next - 100;
      g.ttl = ttl;
    });
    return run(stream.events).finding(Rule::retransmission);
  };
  const auto beyond = again(true, 10, 64);
  EXPECT_EQ(found<arguments::PeerRetransmission>(beyond).doubt, Doubt::beyond_fin);
  EXPECT_FALSE(says(beyond, "the peer sent")) << finding_text(beyond);
  EXPECT_TRUE(says(beyond, "two have sent from its address"));
  const auto same = again(true, 1, 64);
  EXPECT_EQ(found<arguments::PeerRetransmission>(same).doubt, Doubt::none) << "it ends where the FIN does";
  EXPECT_TRUE(says(same, "the peer sent")) << finding_text(same);
  EXPECT_EQ(found<arguments::PeerRetransmission>(again(false, 100, 63)).doubt, Doubt::other_hops);
  EXPECT_EQ(found<arguments::PeerRetransmission>(again(false, 100, 64)).doubt, Doubt::none);
}

// An empty ACK has the number that its sender sends next; what came from there before is late to be sent.
TEST(PeerRetransmission, AnAckThatShowsItAsUnsentIsADoubt) {
  using Doubt = arguments::PeerRetransmission::Doubt;
  const auto again = [](std::uint32_t ack_at, std::uint32_t len) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(PA, 100);
    const std::uint32_t next = c.peer_nxt;
    c.drop(drop_old_sequence, false, A);
    std::get<Drop>(stream.events.back().body).seq = next - ack_at;
    c.in(PA, len, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = next - len; });
    c.drop(drop_old_data, false, PA, len);
    return run(stream.events).finding(Rule::retransmission);
  };
  const auto denied = again(100, 100);
  EXPECT_EQ(found<arguments::PeerRetransmission>(denied).doubt, Doubt::not_yet_sent);
  EXPECT_FALSE(says(denied, "the peer sent")) << finding_text(denied);
  EXPECT_TRUE(says(denied, "another one had sent it"));
  const auto older = again(100, 40);
  EXPECT_EQ(found<arguments::PeerRetransmission>(older).doubt, Doubt::none) << "it begins elsewhere";
  EXPECT_EQ(found<arguments::PeerRetransmission>(again(1, 1)).doubt, Doubt::none) << "a keep-alive has that number";
}

struct Silence {
  std::int64_t idle = 600 * s;
  int tries = 4;
  std::uint32_t len = 10;
  bool peer_sends = false;  // meanwhile
  std::uint8_t sacked = 0;
  bool answered = false;  // in the end
  bool icmp = false;
  std::uint16_t packets = 0;  // that are out; 0: full-size ones
  std::uint32_t segs_before = 0;
  std::uint32_t before = 100;  // bytes that were acknowledged before
  bool peer_repeats = false;   // what it sends meanwhile
  bool closes = false;         // this side, before it; and the peer at last, without having got it
  bool goes_on = false;        // the kernel still tries as the run ends
  bool killed = false;         // the process dies meanwhile, with data unread
  std::uint32_t refused = 0;   // why TCP refuses what the peer sends meanwhile
  bool peer_probes = false;    // its keep-alives, which are dropped as old
};

RunResult unanswered(const Silence& with) {
  Stream stream;
  Side c = client_of(stream);
  c.extra.mss = 1460;
  connects(c);
  c.out(PA, with.before);
  const TimeNs last_sent = stream.now;
  c.in(A);
  stream.wait(with.idle);
  c.out(PA, with.len);
  if (with.closes) c.to(State::fin_wait1, curl);
  if (with.icmp) {
    c.extra.mss = 1160;
    c.retransmit(4, 1, 0);
  }
  for (int i = 1; i <= with.tries; ++i) {
    stream.wait((200 * ms) << i);
    c.out(PA, with.len, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
    if (with.refused != 0) {
      const Side before = c;
      c.in(PA, 10);
      c.drop(with.refused, false, PA, 10);
      c.refuses(before);
    }
    if (with.peer_probes) c.drop(drop_old_sequence, false, A);
    if (with.peer_repeats) c.in(PA, 10, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.rcv_nxt - 10; });
    c.retransmit(4, 0, static_cast<std::uint8_t>(i), [&](Retransmit& r) {
      r.cb.packets_out = with.packets != 0 ? with.packets : static_cast<std::uint16_t>((with.len + 1459) / 1460);
      const TimeNs last = with.peer_sends ? stream.now - 50 * ms : last_sent;
      r.cb.since_received_ms = static_cast<std::uint32_t>((stream.now - last) / ms);
      r.cb.rto_us = static_cast<std::uint32_t>(200'000 << i);
      r.cb.snd_wnd = 60000;
      r.cb.sacked_out = with.sacked;
      r.cb.segs_out = with.segs_before;
    });
  }
  c.extra.snd_wnd = 60000;
  if (with.closes) {
    stream.wait(5 * s);
    c.acked_by_peer = c.snd_una;
    c.in(FA);
    c.to(State::closing);
  } else if (with.answered) {
    c.in(A);
    closes_first(c, curl);
  } else if (with.killed) {
    stream.wait(1 * s);
    c.leave_unread(10);
    c.kernel_reset(ResetDirection::sent, reason_abort_on_close, curl);
    c.out(RA);
    c.to(State::close, curl);
    c.destroy();
  } else if (!with.goes_on) {
    stream.wait(10 * s);
    c.extra.sk_err = ETIMEDOUT;
    c.to(State::close);
    c.error(ETIMEDOUT);
    c.destroy();
  }
  return run(stream.events);
}

TEST(PathDead, AnIdleConnectionsFirstDataGoesUnanswered) {
  const auto finding = unanswered({}).finding(Rule::path_dead);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::likely);
  const auto dead = found<arguments::PathDead>(finding);
  EXPECT_EQ(dead.idle_ns / s, 600);
  EXPECT_EQ(dead.tries, 4U);
  EXPECT_TRUE(dead.given_up);
}

TEST(PathDead, TheKernelGaveUpOnlyWhereItsTimerEndedIt) {
  const RunResult killed = unanswered({.killed = true});
  const auto finding = killed.finding(Rule::path_dead);
  ASSERT_TRUE(finding.has_value());
  const auto dead = found<arguments::PathDead>(finding);
  EXPECT_FALSE(dead.given_up) << name(killed.life().outcome);
  EXPECT_TRUE(dead.ended);
  EXPECT_TRUE(says(finding, "until the connection ended")) << sentence(*finding);
}

TEST(RetransmitTimeout, CountsTheTriesOfWhatWaited) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  c.retransmit(4, 0, 1);
  c.in(A);
  stream.wait(1 * s);
  c.out(PA, 20);
  for (std::uint8_t i = 1; i <= 3; ++i) {
    stream.wait((200 * ms) << i);
    c.retransmit(4, 0, i);
  }
  c.extra.sk_err = ETIMEDOUT;
  c.extra.snd_wnd = 60000;
  c.to(State::close);
  c.error(ETIMEDOUT);
  c.destroy();
  const Life life = run(stream.events).life();
  EXPECT_EQ(life.outcome, Outcome::retransmit_timeout);
  EXPECT_TRUE(life.explanation.contains("did not come after 3 retransmissions")) << life.explanation;
}

TEST(PathDead, AlmostIsNone) {
  EXPECT_FALSE(unanswered({.tries = 2}).finding(Rule::path_dead).has_value()) << "two can get lost";
  EXPECT_FALSE(unanswered({.peer_sends = true}).finding(Rule::path_dead).has_value()) << "the peer sends";
  EXPECT_FALSE(unanswered({.answered = true}).finding(Rule::path_dead).has_value()) << "only a long outage";
  EXPECT_FALSE(unanswered({.closes = true}).finding(Rule::path_dead).has_value()) << "the peer's FIN came";
  EXPECT_FALSE(unanswered({.refused = drop_paws}).finding(Rule::path_dead).has_value()) << "its answers are refused";
}

// In the middle of a conversation.
TEST(PathDead, WithoutAPauseItTakesTheKernelsWordOrFiveTries) {
  const auto given_up = unanswered({.idle = 300 * ms}).finding(Rule::path_dead);
  ASSERT_TRUE(given_up.has_value());
  EXPECT_EQ(found<arguments::PathDead>(given_up).idle_ns, 0);
  EXPECT_FALSE(says(given_up, "idle")) << sentence(*given_up);
  for (const int tries : {4, 5}) {
    const RunResult open = unanswered({.idle = 300 * ms, .tries = tries, .goes_on = true});
    EXPECT_EQ(open.life().outcome, Outcome::open);
    EXPECT_EQ(open.finding(Rule::path_dead).has_value(), tries == 5);
  }
}

TEST(PathDead, TheFirstFullSizeSegmentsCanMeetASmallMtuAsWell) {
  const auto finding = unanswered({.len = 1460}).finding(Rule::path_dead);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::inconclusive);
  EXPECT_EQ(unanswered({.len = 1460, .before = 9000}).finding(Rule::path_dead)->confidence, Confidence::likely)
      << "as large ones were acknowledged before";
  EXPECT_EQ(unanswered({.len = 1560, .packets = 2}).finding(Rule::path_dead)->confidence, Confidence::likely)
      << "a small one behind it is lost too";
}

TEST(PathMtuBlackHole, FullSizeSegmentsGoUnansweredWhileSmallOnesPass) {
  for (const Silence& each : {
           Silence{.len = 1460, .peer_sends = true},
           Silence{.len = 1460, .peer_sends = true, .before = 9000},
           Silence{.len = 1560, .sacked = 1, .packets = 2},
           Silence{.idle = 100 * ms, .len = 1460},
       }) {
    const RunResult reported = unanswered(each);
    const auto finding = reported.finding(Rule::path_mtu_black_hole);
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(finding->confidence, Confidence::likely) << sentence(*finding);
    EXPECT_FALSE(found<arguments::PathMtuBlackHole>(finding).probing);
    EXPECT_FALSE(reported.finding(Rule::path_dead).has_value()) << "not both";
  }
}

// A keep-alive of the peer answers nothing, and shows that the path takes small segments.
TEST(PathMtuBlackHole, ThePeersProbesAreNoAnswer) {
  const RunResult reported = unanswered({.len = 1460, .peer_sends = true, .peer_probes = true});
  EXPECT_TRUE(reported.finding(Rule::path_mtu_black_hole).has_value());
  EXPECT_FALSE(unanswered({.peer_probes = true}).finding(Rule::path_dead).has_value()) << "something comes";
}

TEST(PathMtuBlackHole, ManySmallOnesBeforeLeaveADoubt) {
  const auto finding =
      unanswered({.idle = 100 * ms, .len = 1460, .segs_before = 60, .before = 9000}).finding(Rule::path_mtu_black_hole);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::inconclusive);
}

TEST(PathMtuBlackHole, BehindAPauseThePathCanHaveFailedMeanwhile) {
  const RunResult reported = unanswered({.idle = 3 * s, .len = 1460});
  ASSERT_TRUE(reported.finding(Rule::path_mtu_black_hole).has_value());
  EXPECT_EQ(reported.finding(Rule::path_mtu_black_hole)->confidence, Confidence::inconclusive);
  EXPECT_FALSE(reported.finding(Rule::path_dead).has_value()) << "not both";
}

TEST(PathMtuBlackHole, AlmostIsNone) {
  const auto found = [](const Silence& each) {
    return unanswered(each).finding(Rule::path_mtu_black_hole).has_value();
  };
  EXPECT_FALSE(found({.len = 1460})) << "nothing comes behind a long pause: the path is dead";
  EXPECT_FALSE(found({.idle = 100 * ms, .len = 1460, .segs_before = 9, .before = 9000}))
      << "full-size ones had passed before";
  EXPECT_FALSE(found({.idle = 100 * ms, .len = 1560, .packets = 2})) << "the short one behind it is lost too";
  EXPECT_FALSE(found({.len = 14600, .sacked = 9, .packets = 10})) << "full-size ones behind it arrived";
  EXPECT_FALSE(found({.idle = 100 * ms, .len = 1460, .peer_sends = true, .peer_repeats = true}))
      << "nothing of this side arrives";
  EXPECT_FALSE(found({.len = 1460, .peer_sends = true, .refused = drop_paws})) << "its answers are refused";
  EXPECT_FALSE(found({.len = 400, .peer_sends = true})) << "small ones do not pass either";
  EXPECT_FALSE(found({.tries = 2, .len = 1460, .peer_sends = true})) << "loss";
  EXPECT_FALSE(found({.len = 1460, .peer_sends = true, .answered = true})) << "heavy loss: it passed in the end";
  EXPECT_FALSE(found({.len = 1460, .peer_sends = true, .icmp = true})) << "the path said so";
}

RunResult stalled(std::uint32_t stalls) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  for (std::uint32_t i = 0; i < stalls; ++i) {
    c.stalls++;
    c.stall_ms += 40;
    c.in(PA, 10);
  }
  c.used(curl, OwnerSource::send);
  closes_first(c, curl);
  return run(stream.events);
}

TEST(DelayedAckStall, CountsAndAddsUp) {
  const auto finding = stalled(10).finding(Rule::delayed_ack_stall);
  ASSERT_TRUE(finding.has_value());
  EXPECT_TRUE(sentence(*finding).contains("10 small writes of curl[42] waited 400 ms in all, 40 ms each"))
      << sentence(*finding);
  EXPECT_FALSE(finding->evidence.empty());
}

TEST(DelayedAckStall, OneIsNoStory) { EXPECT_FALSE(stalled(1).finding(Rule::delayed_ack_stall).has_value()); }

TEST(Drops, TheSummaryCountsThoseThatMattered) {
  EXPECT_EQ(run(rx_drop_story(drop_netfilter).events).summary.drops, 1U);
  EXPECT_EQ(run(rx_drop_story(drop_old_data).events).summary.drops, 0U);
  EXPECT_EQ(run(rx_drop_story(drop_no_socket).events).summary.drops, 0U);
}

}  // namespace
}  // namespace tcpwitness::testing
