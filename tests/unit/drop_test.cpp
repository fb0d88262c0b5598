// SPDX-License-Identifier: Apache-2.0
// What the kernel dropped: rx-dropped, tx-not-sent, bad-checksum, out-of-window, old-timestamp, spurious.
#include "judge/judge.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

struct Case {
  Rule rule;
  std::uint32_t reason;
  std::string_view words;
};

const std::vector<Case>& incoming() {
  static const std::vector<Case> cases = {
      {Rule::rx_dropped, drop_netfilter, "1 segment with 20 bytes from the peer arrived and never reached curl[42]"},
      {Rule::rx_dropped, drop_rcvbuff, "no memory was left (SOCKET_RCVBUFF)"},
      {Rule::bad_checksum, drop_csum,
       "refused 1 segment with 20 bytes from the peer's address: the checksum is wrong (TCP_CSUM)"},
      {Rule::out_of_window, drop_sequence, "outside the receive window (TCP_INVALID_SEQUENCE)"},
      {Rule::old_timestamp, drop_paws, "the timestamp is older than the connection's (TCP_RFC7323_PAWS)"},
  };
  return cases;
}

TEST(Drop, OfEachKindIsItsOwnFinding) {
  for (const Case& each : incoming()) {
    const RunResult reported = run(rx_drop_story(each.reason).events);
    for (const Case& other : incoming()) {
      const auto finding = reported.finding(other.rule);
      EXPECT_EQ(finding.has_value(), other.rule == each.rule) << name(other.rule) << " for " << name(each.rule);
    }
    EXPECT_TRUE(says(reported.finding(each.rule), each.words)) << finding_text(reported.finding(each.rule));
    expect_downgraded_by_a_gap(rx_drop_story(each.reason), each.rule, Confidence::certain);
  }
}

TEST(Drop, RestsOnTheKernelAloneWherePacketsAreNotSeen) {
  for (const Case& each : incoming()) {
    const auto finding = run(without_wire(rx_drop_story(each.reason).events), kernel_settings()).finding(each.rule);
    ASSERT_TRUE(finding.has_value()) << name(each.rule);
    EXPECT_EQ(finding->confidence, Confidence::likely);
  }
}

TEST(Drop, WithoutTheKernelsWordIsNoFinding) {
  for (const Case& each : incoming())
    EXPECT_FALSE(run(without<Drop>(rx_drop_story(each.reason).events)).finding(each.rule).has_value());
}

TEST(Drop, OfAnOldAckOrAKeepAliveIsNoFault) {
  const RunResult reported = run(rx_drop_story(drop_old_sequence, 0).events);
  for (const Case& each : incoming()) EXPECT_FALSE(reported.finding(each.rule).has_value()) << name(each.rule);
  EXPECT_FALSE(says(reported.finding(Rule::retransmission), "spurious"));
}

// A probe at `from_next` of what the socket expects, and the kernel's word on it.
std::vector<Event> refused_probe(std::uint32_t from_next) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(A, 0, TW_EVENT_KEEPALIVE, [&](Segment& g) { g.seq = c.rcv_nxt + from_next; });
  c.drop(drop_sequence, false, A);
  return stream.events;
}

// TCP never had it: a window of zero and a FIN with a wrong checksum are nobody's.
TEST(BadChecksum, OfASegmentTakesBackWhatRestsOnIt) {
  const auto played = [](std::uint32_t reason, std::int64_t later) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 100);
    c.in(A, 0, TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
    stream.wait(later);
    c.drop(reason, false, A);
    std::get<Drop>(stream.events.back().body).window = 0;
    stream.wait(1 * s);
    c.in(A, 0, TW_EVENT_WINDOW_OPEN);
    closes_first(c, curl);
    return run(stream.events);
  };
  EXPECT_FALSE(played(drop_csum, 50 * us).finding(Rule::zero_window).has_value());
  EXPECT_TRUE(played(drop_csum, 50 * us).finding(Rule::bad_checksum).has_value());
  EXPECT_TRUE(played(drop_csum, 500 * ms).finding(Rule::zero_window).has_value()) << "another segment";
  EXPECT_TRUE(played(drop_rcvbuff, 50 * us).finding(Rule::zero_window).has_value()) << "TCP had this one";
}

TEST(OutOfWindow, IsNotWhatTheSocketHadBefore) {
  EXPECT_FALSE(run(refused_probe(0xffffffff)).finding(Rule::out_of_window).has_value());
  EXPECT_TRUE(run(refused_probe(1)).finding(Rule::out_of_window).has_value());
  const auto reported = run(refused_probe(0xffffffff), trace_settings()).entries_of<DropEntry>();
  ASSERT_EQ(reported.size(), 1U);
  EXPECT_TRUE(reported[0].second.repeated);
  EXPECT_EQ(meaning(reported[0].second.kind), "everything in it had been received before");
}

// Linux 6.17 refuses a byte that asks for a closed window for where it ends. Without packets no window is seen closed.
TEST(OutOfWindow, WithoutPacketsIsNotWhatEndsBeyondAWindowThatMayBeClosed) {
  const auto dropped = [](std::uint32_t reason) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(PA, 100);
    c.drop(reason, false, A, 1);
    return stream.events;
  };
  const auto finds = [](const RunResult& reported) { return reported.finding(Rule::out_of_window).has_value(); };
  EXPECT_TRUE(finds(run(dropped(drop_end_sequence)))) << "its window is open";
  EXPECT_FALSE(finds(run(without_wire(dropped(drop_end_sequence)), kernel_settings())));
  EXPECT_FALSE(finds(run(without_wire(dropped(drop_end_sequence))))) << "it uses another interface than is traced";
  EXPECT_TRUE(finds(run(without_wire(dropped(drop_sequence)), kernel_settings()))) << "it begins outside";
}

// A firewall of this machine that answers for the listener (SYNPROXY) sends the socket segments of its own, over
// loopback.
TEST(OutOfWindow, IsNotWhatThisMachineMadeItself) {
  for (const std::uint32_t came_by : {1U, 2U}) {
    std::vector<Event> events = rx_drop_story(drop_sequence).events;
    for (Event& e : events) {
      if (auto* d = std::get_if<tcpwitness::Drop>(&e.body)) d->ifindex = came_by;
    }
    EXPECT_EQ(run(events).finding(Rule::out_of_window).has_value(), came_by == 2);
  }
}

TEST(OutOfWindow, IsLessSureWhereTheKernelHasOneWordForBoth) {
  Names names = kernel_names();
  names.drop_reasons[drop_old_sequence].clear();  // before 6.6
  const std::vector<Event> events = rx_drop_story(drop_sequence).events;
  const auto both = run(events, life_settings(), 100 * ms, names).finding(Rule::out_of_window);
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->confidence, Confidence::likely);
  EXPECT_TRUE(says(both, "or received before: this kernel has one drop reason for both")) << finding_text(both);
  const auto kernel = run(without_wire(events), kernel_settings(), 100 * ms, names).finding(Rule::out_of_window);
  ASSERT_TRUE(kernel.has_value());
  EXPECT_EQ(kernel->confidence, Confidence::inconclusive);
}

// tcp_disordered_ack_check(), since 6.14
TEST(OldTimestamp, OfAnAckIsLessSureWhereTheKernelHasOneWordForOvertakenOnes) {
  const auto refused = [](std::uint8_t flags, bool tells_apart) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.drop(drop_paws, false, flags);
    closes_first(c, curl);
    Names names = kernel_names();
    if (tells_apart) names.drop_reasons.emplace_back("TCP_RFC7323_PAWS_ACK");
    return run(stream.events, life_settings(), 100 * ms, names).finding(Rule::old_timestamp);
  };
  const auto ack = refused(A, false);
  ASSERT_TRUE(ack.has_value());
  EXPECT_EQ(ack->confidence, Confidence::likely);
  EXPECT_TRUE(says(ack, "or an ACK that came behind what was sent after it")) << finding_text(ack);
  for (const auto& other : {refused(A, true), refused(FA, false)}) {
    ASSERT_TRUE(other.has_value());
    EXPECT_EQ(other->confidence, Confidence::certain);
    EXPECT_FALSE(says(other, "came behind"));
  }
}

TEST(Drop, OfAConnectionOfAnotherNamespaceIsNotTold) {
  const auto reported = [](bool known, bool listening) {
    Stream stream;
    if (listening) listens(stream);
    Side c = server_of(stream);
    c.drop(drop_old_sequence, false, A);
    if (!known) std::get<Drop>(stream.events.back().body).header.netns = 0;
    return run(stream.events, trace_settings()).entries_of<DropEntry>().size() == 1;
  };
  EXPECT_TRUE(reported(true, false));
  EXPECT_TRUE(reported(false, true));
  EXPECT_FALSE(reported(false, false));
}

TEST(TxNotSent, SaysWhatTcpSentAndWhyItStayed) {
  const auto finding = run(tx_drop_story().events).finding(Rule::tx_not_sent);
  EXPECT_TRUE(
      says(finding, "1 segment with 20 bytes that TCP sent never left this machine: dropped by the interface's queue"))
      << finding_text(finding);
  expect_downgraded_by_a_gap(tx_drop_story(), Rule::tx_not_sent, Confidence::certain);
  EXPECT_FALSE(run(tx_drop_story().events).finding(Rule::rx_dropped).has_value());
}

// The route is a black hole: TCP tries until its time is up, nothing is in flight, and no drop has a reason.
std::optional<Finding> gives_up_unsent(std::uint32_t window, bool sent, int error) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.write_seq += 5;
  if (sent) c.snd_nxt += 5;
  c.extra.snd_wnd = window;
  c.extra.mss = 1460;
  stream.wait(3 * s);
  c.extra.sk_err = static_cast<std::uint16_t>(error);
  c.to(State::close);
  if (error != 0) c.error(error);
  c.destroy();
  return run(stream.events).finding(Rule::tx_not_sent);
}

TEST(TxNotSent, IsWhatWasGivenUpWithNothingInFlight) {
  const auto finding = gives_up_unsent(64000, false, ETIMEDOUT);
  EXPECT_TRUE(says(finding, "5 bytes that TCP wanted to send never left this machine")) << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

TEST(TxNotSent, AlmostIs) {
  EXPECT_FALSE(gives_up_unsent(64000, true, ETIMEDOUT).has_value()) << "it left, and nobody answered";
  EXPECT_FALSE(gives_up_unsent(0, false, ETIMEDOUT).has_value()) << "the peer's window was closed";
  EXPECT_FALSE(gives_up_unsent(500, false, ETIMEDOUT).has_value()) << "it waited for a window (RFC 9293, 3.8.6.2.1)";
  EXPECT_FALSE(gives_up_unsent(64000, false, ECONNRESET).has_value()) << "the peer ended it";
}

// No carrier: what TCP sent stays in the queue of the device. A busy machine's queue drains before a timeout is over.
TEST(TxNotSent, IsWhatStillWaitedHereWhenItWasToBeSentAgain) {
  struct Attempt {
    std::uint32_t number = 0;
    int err = -EBUSY;
  };
  const auto put_off = [](std::initializer_list<Attempt> attempts, std::int64_t apart = 400 * ms) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 20);
    for (const Attempt& attempt : attempts) {
      stream.wait(apart);
      c.retransmit(4, 0, 1, [&](Retransmit& r) {
        r.seq += attempt.number;
        r.err = attempt.err;
      });
    }
    return run(stream.events).finding(Rule::tx_not_sent);
  };
  const auto finding = put_off({{0}, {0}, {0}});
  EXPECT_TRUE(says(finding, "a segment that TCP sent did not leave this machine for 800 ms")) << finding_text(finding);
  EXPECT_TRUE(says(finding, "3 times"));
  EXPECT_EQ(finding->confidence, Confidence::likely);
  EXPECT_FALSE(put_off({{0}}).has_value()) << "once";
  EXPECT_FALSE(put_off({{0}, {10}}).has_value()) << "once each";
  EXPECT_TRUE(put_off({{0}, {0}, {10}}).has_value());
  EXPECT_FALSE(put_off({{0}, {0}, {0}}, 12 * us).has_value()) << "no timeout long";
  EXPECT_TRUE(put_off({{0}, {0}, {10}, {10}, {10}}, 100 * ms).has_value()) << "the second number waited longer";
  EXPECT_FALSE(put_off({{0}, {0, 0}, {0}}).has_value()) << "a copy left between them";
}

// The look-up before a retransmission (inet_sk_rebuild_header()) failed: the kernel counts none.
TEST(TxNotSent, IsWhatHadNoRouteWhenItWasToBeSentAgain) {
  const auto tried = [](int err, bool counted) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 20);
    for (std::uint32_t i = 0; i < 2; ++i) {
      stream.wait(400 * ms);
      c.retransmit(4, 0, 1, [&](Retransmit& r) {
        r.err = err;
        if (!counted) r.cb.total_retrans = 0;
      });
    }
    return run(stream.events).finding(Rule::tx_not_sent);
  };
  const auto finding = tried(-EHOSTUNREACH, false);
  EXPECT_TRUE(says(finding, "2 times within 400 ms TCP was to send a segment again, and nothing left this machine"))
      << finding_text(finding);
  EXPECT_TRUE(says(finding, "no route"));
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_FALSE(tried(-EAGAIN, false).has_value()) << "beyond the peer's window";
  EXPECT_FALSE(tried(0, true).has_value()) << "it left";
  const auto refused = tried(-EHOSTUNREACH, true);
  EXPECT_TRUE(says(refused, "the interface refused")) << "it was counted: behind the look-up";
}

TEST(TxNotSent, ADropOnItsWayInIsNot) {
  EXPECT_FALSE(run(rx_drop_story(drop_netfilter).events).finding(Rule::tx_not_sent).has_value());
}

TEST(Drop, ReasonsOfAllReleasesAreKnownByName) {
  Names names;
  for (const auto& [reason, kind] :
       std::vector<std::pair<std::string, DropKind>>{{"NETFILTER_DROP", DropKind::firewall},
                                                     {"TC_INGRESS", DropKind::filter},
                                                     {"QDISC_OVERLIMIT", DropKind::queue},
                                                     {"NEIGH_FAILED", DropKind::neighbour},
                                                     {"IP_RPFILTER", DropKind::routing},
                                                     {"TCP_OLD_DATA", DropKind::old_payload},
                                                     {"TCP_OLD_ACK", DropKind::old_data},
                                                     {"TCP_OLD_SEQUENCE", DropKind::old_sequence},
                                                     {"TCP_OFOMERGE", DropKind::old_payload},
                                                     {"TCP_LISTEN_OVERFLOW", DropKind::accept_queue},
                                                     {"PROTO_MEM", DropKind::memory},
                                                     {"TCP_MD5NOTFOUND", DropKind::not_signed},
                                                     {"TCP_AOFAILURE", DropKind::not_signed},
                                                     {"TCP_MINTTL", DropKind::few_hops_left},
                                                     {"SOMETHING_NEW", DropKind::other}}) {
    names.drop_reasons = {reason};
    EXPECT_EQ(drop_kind(names, 0), kind) << reason;
  }
}

TEST(OutOfWindow, ARstFromBeforeTheWindowIsRefused) {
  for (const std::uint32_t before : {0U, 5U}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(PA, 20);
    c.in(R, 0, 0, [&](Segment& g) { g.seq -= before; });
    closes_first(c, curl);
    const auto finding = run(stream.events).finding(Rule::out_of_window);
    ASSERT_EQ(finding.has_value(), before != 0);
    EXPECT_TRUE(before == 0 || finding->confidence == Confidence::likely);
  }
}

std::optional<Finding> spurious_of(const Story& story) {
  for (const auto& report : run(story.events).all<FindingReport>()) {
    const std::string text = sentence(report.finding);
    if (report.finding.rule == Rule::retransmission && (text.contains("spurious") || text.contains("D-SACK")))
      return report.finding;
  }
  return std::nullopt;
}

TEST(Spurious, OursIsLikelyByThePeersDsack) {
  const auto finding = spurious_of(spurious_story());
  EXPECT_TRUE(says(finding, "1 segment retransmitted, and by its D-SACK the peer got 1 twice"))
      << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely) << "the network can have made a copy of another segment";
  const auto found = run(spurious_story().events).finding(Rule::retransmission);
  EXPECT_EQ(found->confidence, Confidence::certain) << "that it was sent again";
  EXPECT_FALSE(says(found, "D-SACK")) << finding_text(found);
}

TEST(Spurious, ADsackThatCameBeforeAnythingWasSentAgainIsOfACopy) {
  for (const bool before : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 10);
    c.in(A);
    if (before) c.extra.dsack_dups = 1;
    for (int i = 0; i < 2; ++i) {
      c.out(PA, 10);
      stream.wait(20 * ms);
      c.out(PA, 10, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
      c.retransmit(0, 5, 0);
      c.in(A);
      c.extra.dsack_dups = 1;
    }
    closes_first(c, curl);
    EXPECT_EQ(spurious_of({"", stream.events, Outcome::completed}).has_value(), !before);
  }
}

TEST(Spurious, WithoutADsackARetransmissionWasPerhapsNeeded) {
  EXPECT_FALSE(spurious_of(spurious_story(0)).has_value());
}

TEST(Spurious, ADsackWithoutARetransmissionIsTheNetworksDuplicate) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  c.in(A);
  c.extra.dsack_dups = 1;
  closes_first(c, curl);
  EXPECT_FALSE(spurious_of({"", stream.events, Outcome::completed}).has_value());
}

TEST(Spurious, MoreDsacksThanRetransmissionsAreOfCopiesThatTheNetworkMade) {
  EXPECT_FALSE(spurious_of(spurious_story(2)).has_value());
}

// What GRO had joined is one buffer to the kernel that drops it.
TEST(Spurious, IsCountedInSegments) {
  Story story = rx_drop_story(drop_old_data);
  for (Event& event : story.events) {
    if (auto* drop = std::get_if<Drop>(&event.body)) drop->segments = 3;
  }
  const auto finding = spurious_of(story);
  EXPECT_TRUE(says(finding, "spurious: 3 segments had arrived before")) << finding_text(finding);
}

TEST(Spurious, ThePeersIsProvedByTheKernelThatHadTheData) {
  const auto finding = spurious_of(rx_drop_story(drop_old_data));
  EXPECT_TRUE(says(finding, "spurious: 1 segment had arrived before (TCP_OLD_DATA)")) << finding_text(finding);
}

// What ends before the last acknowledgement is TCP_OLD_SEQUENCE; what waits out of order already, TCP_OFOMERGE.
TEST(Spurious, ThePeersIsCountedWhicheverWayTheKernelSaysIt) {
  for (const std::uint32_t reason : {drop_old_data, drop_old_sequence, drop_merged}) {
    const auto finding = spurious_of(rx_drop_story(reason));
    const std::string words = "spurious: 1 segment had arrived before (" + kernel_names().drop_reason(reason) + ")";
    EXPECT_TRUE(says(finding, words)) << finding_text(finding);
    // A copy of what waits out of order is not always known as one.
    EXPECT_EQ(finding->confidence, reason == drop_merged ? Confidence::likely : Confidence::certain);
  }
}

TEST(Spurious, AnOldAckOrAFinAloneIsNoPayload) {
  EXPECT_FALSE(spurious_of(rx_drop_story(drop_old_sequence, 0)).has_value());
  EXPECT_FALSE(spurious_of(rx_drop_story(drop_old_data, 0)).has_value());
}

TEST(RxDropped, BeforePfmemallocHasANameAFilterIsNotTheOnlyExplanation) {
  for (const bool named : {false, true}) {
    Names names = kernel_names();
    names.drop_reasons.emplace_back("SOCKET_FILTER");
    const auto reason = static_cast<std::uint32_t>(names.drop_reasons.size() - 1);
    if (named) names.drop_reasons.emplace_back("PFMEMALLOC");
    const auto finding = run(rx_drop_story(reason).events, life_settings(), 100 * ms, names).finding(Rule::rx_dropped);
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(finding->confidence, named ? Confidence::certain : Confidence::likely);
    EXPECT_EQ(says(finding, "memory reserves"), !named) << finding_text(finding);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
