// SPDX-License-Identifier: Apache-2.0
// Where one witness alone would mislead: retransmissions, resets, repair, mini-sockets, half-cloned children.
#include <gtest/gtest.h>

#include "unit/says.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

bool has(const std::vector<std::string_view>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}
bool cites(const Finding& finding, EventId id) {
  return std::ranges::find(finding.evidence, id) != finding.evidence.end();
}

struct Again {
  RunResult reported;
  EventId segment = 0;
  EventId event = 0;
};
// One segment sent again, on the wire and by the kernel's word.
Again sent_again(std::uint32_t kernel_seq_off, std::uint8_t ca_state = 3) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  Again again;
  again.segment = c.out(PA, 10, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
  again.event = c.retransmit(ca_state, 1, 0, [&](Retransmit& r) { r.seq += kernel_seq_off; });
  again.reported = run(stream.events, trace_settings());
  return again;
}

TEST(Retransmission, OfTheKernelAndOfTheWireAreJoinedBySequenceNumber) {
  const Again again = sent_again(0);
  const auto entries = again.reported.entries_of<RetransmitEntry>();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].second.segment, again.segment);
  EXPECT_TRUE(entries[0].second.relative);
  EXPECT_EQ(entries[0].second.rel_seq, 1U);
  const auto analysis = again.reported.segment(again.segment)->analysis;
  EXPECT_TRUE(has(analysis, "retransmission"));
  EXPECT_TRUE(has(analysis, "fast retransmission"));
  const auto& findings = again.reported.life().findings;
  ASSERT_EQ(std::ranges::count(findings, Rule::retransmission, &Finding::rule), 1);
  EXPECT_EQ(findings[0].confidence, Confidence::certain);
  EXPECT_TRUE(cites(findings[0], again.segment) && cites(findings[0], again.event));
  const auto found_again = found<arguments::Retransmission>(findings[0]).by_kernel.value();
  ASSERT_EQ(found_again.causes.size(), 1U);
  EXPECT_EQ(found_again.causes[0].kind, RetransmitKind::fast);
  EXPECT_EQ(found_again.causes[0].seen, 1U);
}

TEST(Retransmission, OfAnotherSequenceNumberIsADisagreement) {
  const Again again = sent_again(5);
  EXPECT_EQ(again.reported.entries_of<RetransmitEntry>()[0].second.segment, 0U);
  EXPECT_FALSE(has(again.reported.segment(again.segment)->analysis, "fast retransmission"));
  const auto& findings = again.reported.life().findings;
  ASSERT_EQ(std::ranges::count(findings, Rule::retransmission, &Finding::rule), 1);
  EXPECT_EQ(findings[0].confidence, Confidence::likely);
  EXPECT_TRUE(cites(findings[0], again.segment) && cites(findings[0], again.event));
  EXPECT_EQ(found<arguments::Retransmission>(findings[0]).by_kernel.value().unreported, 1U);
}

// The wire shows ten bytes twice, the second time with so many of them before the socket's SND.NXT.
std::optional<Finding> leaves_twice(std::uint32_t before_snd_nxt) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  stream.wait(300 * ms);
  c.out(PA, 10, TW_EVENT_RETRANSMISSION, [&](Segment& g) {
    g.seq = c.snd_una;
    g.socket.type = SocketKind::full;
    g.socket.snd_nxt = g.seq + before_snd_nxt;
  });
  return run(stream.events).finding(Rule::retransmission);
}

// The device refused the first behind the hook (a veth whose peer is down, until the kernel has noticed that).
TEST(Retransmission, WhatTcpSendsForTheFirstTimeIsNone) {
  EXPECT_FALSE(leaves_twice(0).has_value());
  const auto again = leaves_twice(10);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->confidence, Confidence::likely) << "the kernel reported none";
}

// A request's timer sends its SYN-ACK again, twice. reported: of how many the kernel has an event; owned: they left
// with the request socket; before: they left behind all reports, as where a link address is asked for.
std::optional<Finding> syn_ack_sent_again(int reported, bool owned, bool before = false) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  is_asked(c);
  const auto report = [&] {
    c.retransmit(0, 0, 0, [&](Retransmit& r) {
      r.synack = 1;
      r.seq = c.isn();
    });
  };
  for (int i = 0; before && i < reported; ++i) report();
  for (int i = 0; i < 2; ++i) {
    stream.wait(1000 * ms);
    c.out(SA, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) {
      g.seq = c.isn();
      if (!owned) g.socket = {};
    });
    if (!before && i < reported) report();
  }
  return run(stream.events).finding(Rule::retransmission);
}

// tcp_rtx_synack() reports a SYN-ACK only once it was handed on without an error, and a kernel can pass over a tracing
// program. Before: "likely", for the wire saw more than the kernel reported.
TEST(Retransmission, ASynAckThatLeftWithItsRequestIsTheKernelsWithoutAReport) {
  for (const int reported : {0, 1, 2}) {
    const auto finding = syn_ack_sent_again(reported, true);
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(finding->confidence, Confidence::certain) << sentence(*finding);
    EXPECT_EQ(says(finding, "the request socket sent 1 more SYN-ACK"), reported == 1) << sentence(*finding);
  }
  const auto finding = syn_ack_sent_again(1, false);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::likely) << sentence(*finding);
  EXPECT_TRUE(says(finding, "the kernel did not report")) << sentence(*finding);
}

TEST(Retransmission, ASynAckThatLeavesBehindItsReportIsTheOneThatWasReported) {
  const auto finding = syn_ack_sent_again(2, true, true);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::certain) << sentence(*finding);
  const auto again = found<arguments::Retransmission>(finding).by_kernel.value();
  ASSERT_EQ(again.causes.size(), 1U);
  EXPECT_EQ(again.causes[0].seen, 2U);
  EXPECT_EQ(again.syn_acks, 0U);
  EXPECT_EQ(again.unseen, 0U);
}

TEST(Retransmission, OfAConnectionWhoseSynWasNotSeenHasNoRelativeNumber) {
  Stream stream;
  Side c = client_of(stream);
  c.found(SocketKind::full, State::established);
  c.out(PA, 10);
  c.retransmit(4, 0, 1);
  c.to(State::fin_wait1, curl);
  c.out(FA);
  c.in(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::fin_wait2);
  c.in(FA);
  c.out(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::close);
  const RunResult reported = run(stream.events, trace_settings());
  EXPECT_FALSE(reported.entries_of<RetransmitEntry>()[0].second.relative);
  EXPECT_EQ(reported.life().explanation.find("110"), std::string::npos) << reported.life().explanation;
}

TEST(Retransmission, EvidenceThatIsNotListedIsCounted) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  for (std::uint8_t i = 1; i <= 12; ++i) c.retransmit(4, 0, i);
  const auto finding = run(stream.events).finding(Rule::retransmission);
  EXPECT_EQ(finding->evidence.size(), 8U);
  EXPECT_EQ(finding->more_evidence, 4U);
}

TEST(Reset, ThatTheWireShowedIsNamedAndNotDoubted) {
  const RunResult reported = run(peer_reset_story().events, trace_settings());
  const auto resets = reported.entries_of<ResetEntry>();
  ASSERT_EQ(resets.size(), 1U);
  EXPECT_NE(resets[0].second.segment, 0U);
  EXPECT_TRUE(meaning(resets[0].second).empty());
}

TEST(Reset, WithoutARstOnTheWireIsSaidToHaveNone) {
  const RunResult reported = run(abort_on_data_story().events, trace_settings());
  const auto resets = reported.entries_of<ResetEntry>();
  ASSERT_FALSE(resets.empty());
  EXPECT_EQ(resets[0].second.segment, 0U);
  EXPECT_TRUE(meaning(resets[0].second).starts_with("no RST came"));
}

TEST(Reset, TheProcessThatSentItHasASource) {
  const RunResult reported = run(closed_unread_story().events, trace_settings());
  for (const auto& [entry, body] : reported.entries_of<StateEntry>()) {
    if (body.process.pid != 0) {
      EXPECT_NE(body.process.source, PidSource::unknown);
    }
  }
  const auto resets = reported.entries_of<ResetEntry>();
  EXPECT_EQ(resets.at(0).second.process.source, PidSource::close);
  EXPECT_EQ(reported.transition(State::close, State::syn_sent)->process.source, PidSource::connect);
}

TEST(Reset, TheErrorOfOnesOwnAbortIsNobodys) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.to(State::close, curl);
  c.out(RA);
  c.kernel_reset(ResetDirection::sent, reason_tcp_state, curl);
  c.error(104);
  const RunResult reported = run(stream.events, trace_settings());
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_local);
  EXPECT_FALSE(reported.life().error.has_value());
  EXPECT_TRUE(reported.entries_of<ErrorEntry>().at(0).second.own_abort);
  EXPECT_EQ(run(peer_reset_story().events).life().error, 104);
}

std::vector<Event> killed_in_repair(bool repair) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  if (repair) c.extra.flags = TW_CB_REPAIR;
  c.to(State::close, killed_curl);
  c.error(103);
  c.destroy();
  return stream.events;
}

TEST(Repair, AVanishedSocketSendsNoRstAndNobodyElseDestroyedIt) {
  const Life life = run(killed_in_repair(true)).life();
  EXPECT_EQ(life.outcome, Outcome::unknown);
  EXPECT_NE(life.explanation.find("TCP_REPAIR"), std::string::npos) << life.explanation;
  EXPECT_EQ(life.explanation.find("Another process"), std::string::npos) << life.explanation;
  EXPECT_EQ(life.explanation.find("sent a RST"), std::string::npos) << life.explanation;
  EXPECT_FALSE(life.error.has_value());
}

TEST(Repair, WithoutItTheMissingRstIsNotExplainedByIt) {
  const Life life = run(killed_in_repair(false)).life();
  EXPECT_EQ(life.outcome, Outcome::unknown);
  EXPECT_EQ(life.explanation.find("TCP_REPAIR"), std::string::npos) << life.explanation;
  EXPECT_EQ(life.explanation.find("sent a RST"), std::string::npos) << life.explanation;
}

// tcp_connect() under TCP_REPAIR sends no SYN: there was no handshake, and none is among the acknowledged numbers.
TEST(Repair, ARestoredConnectionMadeNoHandshakeHere) {
  for (const bool restored : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    if (restored) c.extra.flags = TW_CB_REPAIR;
    c.to(State::established, curl);
    c.extra.flags = 0;
    c.snd_una = c.snd_nxt = c.write_seq = c.isn() + 6;  // the kernel counts 6
    c.to(State::fin_wait1, curl);
    const Life life = run(stream.events).life();
    EXPECT_EQ(life.handshake_ns.has_value(), !restored);
    EXPECT_EQ(life.tx_bytes, restored ? 6U : 5U);
  }
}

TEST(SockDestroy, IsSaidOnlyOfAnotherProcessThanTheOwner) {
  EXPECT_NE(run(sock_destroy_story().events).life().explanation.find("Another process"), std::string::npos);
  Story own = sock_destroy_story();
  for (Event& event : own.events) {
    if (auto* change = std::get_if<StateChange>(&event.body)) change->actor.tgid = curl.pid;
  }
  const Life life = run(own.events).life();
  EXPECT_EQ(life.outcome, Outcome::reset_by_local);
  EXPECT_EQ(life.explanation.find("Another process"), std::string::npos) << life.explanation;
}

TEST(MiniSocket, HasNoTransitionToItselfAndEndsAtTimeWait) {
  const Story story = orphan_close_story();
  const RunResult reported = run(story.events, trace_settings());
  EXPECT_FALSE(reported.transition(State::fin_wait2, State::fin_wait2).has_value());
  const EventId fin = story.events.size() - 1;
  EXPECT_EQ(reported.life().ts_ns, story.events[fin - 1].ts_ns);
  EXPECT_EQ(reported.life().duration_ns, story.events[fin - 1].ts_ns - story.events[0].ts_ns);
}

TEST(MiniSocket, ThatAcknowledgesTheFinInTimeWaitIsCertain) {
  const auto story = [](SocketKind socket) {
    Story made = orphan_close_story();
    Segment& fin = std::get<Segment>(made.events[made.events.size() - 2].body);
    Segment& ack = std::get<Segment>(made.events.back().body);
    fin.socket.type = socket;
    ack.socket.type = socket;
    ack.socket.state = State::time_wait;
    return made;
  };
  const auto finding = run(story(SocketKind::time_wait).events).finding(Rule::time_wait);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_TRUE(cites(*finding, story(SocketKind::time_wait).events.size()));
  const auto unseen = run(story(SocketKind::unknown).events).finding(Rule::time_wait);
  ASSERT_TRUE(unseen.has_value());
  EXPECT_EQ(unseen->confidence, Confidence::likely);
}

TEST(Keepalive, ThatThePeerSentIsCitedWithOurAnswer) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  const EventId probe = c.in(A, 0, TW_EVENT_KEEPALIVE, [&](Segment& g) { g.seq = c.rcv_nxt - 1; });
  c.rcv_nxt = c.peer_nxt = 301;
  const EventId answer = c.out(A, 0, TW_EVENT_KEEPALIVE_ACK);
  const auto finding = run(stream.events).finding(Rule::keepalive);
  ASSERT_TRUE(finding.has_value());
  EXPECT_TRUE(cites(*finding, probe) && cites(*finding, answer));
  EXPECT_NE(sentence(*finding).find("answered it"), std::string::npos) << sentence(*finding);
}

TEST(HalfOpen, CitesTheSegmentsThatGotNoAnswer) {
  const auto story = [](bool acknowledged) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 10);
    stream.wait(1 * s);
    c.out(PA, 10, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
    c.retransmit(4, 0, 1);
    if (acknowledged) c.snd_una = c.snd_nxt;
    c.in(R);
    c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    c.extra.sk_err = 104;
    c.to(State::close);
    return run(stream.events).finding(Rule::half_open);
  };
  const auto finding = story(false);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->evidence.size(), 3U);
  EXPECT_FALSE(story(true).has_value());
}

// Before 6.14 or so a child is reported while it still has its listener's addresses, under a cookie that it loses.
std::vector<Event> cloned_early(std::uint64_t cookie) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  closes_second(c, nginx);
  for (Event& event : stream.events) {
    auto* change = std::get_if<StateChange>(&event.body);
    if (change == nullptr || change->new_state != State::syn_recv) continue;
    change->header.cookie = cookie;
    put_address(change->tuple.local_addr, "0.0.0.0");
    put_address(change->tuple.remote_addr, "0.0.0.0");
    change->tuple.remote_port = 0;
  }
  return stream.events;
}

TEST(Clone, WithItsListenersAddressesMakesNoConnectionOfItsOwn) {
  for (const std::uint64_t cookie : {std::uint64_t{777}, std::uint64_t{9}}) {
    const RunResult reported = run(cloned_early(cookie), trace_settings());
    ASSERT_EQ(reported.lives().size(), 1U);
    EXPECT_EQ(reported.life().outcome, Outcome::completed);
    EXPECT_EQ(reported.life().flow.remote.port, 40000);
    EXPECT_EQ(reported.life().states, states({State::new_syn_recv, State::syn_recv, State::established,
                                              State::close_wait, State::last_ack, State::close}));
    const auto entry = reported.transition(State::listen, State::syn_recv);
    ASSERT_TRUE(entry.has_value());
    EXPECT_EQ(entry->inferred, cookie == 777);
    EXPECT_EQ(entry->cause.what, "ACK");
  }
}

TEST(Clone, ShownByTheKernelAloneIsNotPreexisting) {
  std::vector<Event> events = cloned_early(777);
  std::erase_if(events, [](const Event& e) { return std::holds_alternative<Segment>(e.body); });
  const Life life = run(events).life();
  EXPECT_FALSE(life.preexisting);
  EXPECT_EQ(life.role, Role::passive);
}

TEST(Connect, IsToldWithThePortThatTheSynShows) {
  const RunResult reported = run(close_first_story().events, trace_settings());
  EXPECT_EQ(reported.entries().at(0).flow.local.port, 40000);
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);  // the SYN never leaves
  const RunResult unsent = run(stream.events, trace_settings());
  ASSERT_EQ(unsent.entries().size(), 1U);
  EXPECT_EQ(unsent.entries()[0].flow.local.port, 0);
}

}  // namespace
}  // namespace tcpwitness::testing
