// SPDX-License-Identifier: Apache-2.0
// A capture through the whole core: what is reported of a connection whose segments alone were seen.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "unit/says.hpp"
#include "unit/stories.hpp"
#include "unit/wire_talk.hpp"

namespace tcpwitness::testing {
namespace {

CorrelatorSettings capture_settings() {
  CorrelatorSettings settings = life_settings();
  settings.capture = true;
  settings.has_kernel = false;
  return settings;
}

RunResult read(const std::vector<Say>& said, CorrelatorSettings settings = capture_settings()) {
  Talk talk;
  ConversationSettings how;
  how.all_segments = settings.every_segment;
  Conversations conversations(how);
  std::vector<Event> events;
  for (const Say& one : said) conversations.observe(talk.frame(one), events);
  conversations.finish(events);
  return run(events, std::move(settings));
}

const std::vector<Say> shook_hands{{0, 0, 0, 0, syn_flag}, {1, 0, 1, 0, syn_flag | ack_flag}, {0, 1, 1}};

std::vector<Say> after_handshake(const std::vector<Say>& more) {
  std::vector<Say> all = shook_hands;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// SYNs, and behind each the ICMP error that answers it; `more` comes behind them.
struct Refusal {
  std::uint8_t type = 3;
  std::uint8_t code = 1;
  std::uint32_t off = 0;  // the quoted number is not the SYN's
  bool of_remote = false;
  bool v6 = false;
};

RunResult read_refused(std::size_t syns, const Refusal& by, const std::vector<Say>& more = {}) {
  Talk talk;
  Conversations conversations({});
  std::vector<Event> events;
  for (std::size_t i = 0; i < syns; ++i) {
    TcpFrame quoted = talk.frame({0, 0, 0, 0, syn_flag, 1000, 1000});
    conversations.observe(quoted, events);
    if (by.of_remote) std::swap(quoted.source, quoted.destination);
    quoted.number += 100;
    quoted.seq += by.off;
    quoted.ts_ns += 5 * ms;
    quoted.icmp = {.sender = Talk::end(253, 0).address, .type = by.type, .code = by.code, .v6 = by.v6};
    conversations.observe_icmp(quoted, events);
  }
  for (const Say& one : more) conversations.observe(talk.frame(one), events);
  conversations.finish(events);
  CorrelatorSettings settings = capture_settings();
  settings.timeline = true;
  return run(events, std::move(settings));
}

TEST(Capture, AnIcmpErrorAnswersTheSyn) {
  const RunResult reported = read_refused(1, {});
  const Life life = reported.life();
  EXPECT_EQ(life.outcome, Outcome::unreachable);
  EXPECT_EQ(life.closed_by, ClosedBy::none);
  EXPECT_FALSE(life.error.has_value()) << "no process was seen";
  EXPECT_TRUE(life.explanation.contains("host unreachable (ICMP type 3, code 1), sent by 10.0.0.254"))
      << life.explanation;
  EXPECT_FALSE(life.explanation.contains("errno")) << life.explanation;
  ASSERT_EQ(reported.entries_of<IcmpEntry>().size(), 1U);
  EXPECT_EQ(reported.entries_of<IcmpEntry>()[0].second.rel_seq, 0U);
  EXPECT_EQ(read_refused(1, {.code = 3}).life().outcome, Outcome::refused);
  EXPECT_EQ(read_refused(3, {}).life().outcome, Outcome::unreachable) << "each SYN was answered so";
}

TEST(Capture, AlmostAnswersTheSyn) {
  EXPECT_EQ(read_refused(1, {.code = 4}).life().outcome, Outcome::open) << "a SYN that is too big goes on smaller";
  EXPECT_EQ(read_refused(1, {.off = 5}).life().outcome, Outcome::open) << "it quotes what was never sent";
  EXPECT_EQ(read_refused(1, {}, {{0, 0, 0, 0, syn_flag, 1000, 1000}}).life().outcome, Outcome::open)
      << "the client asked again";
  const Life connected = read_refused(1, {}, {{1, 0, 1, 0, syn_ack}, {0, 1, 1}}).life();
  EXPECT_EQ(connected.outcome, Outcome::open);
  EXPECT_EQ(connected.handshake_ns, 20 * ms);
}

TEST(Capture, AnIcmpErrorForTheOtherSideIsOnlyShown) {
  const RunResult reported = read_refused(1, {.of_remote = true});
  EXPECT_EQ(reported.life().outcome, Outcome::open);
  ASSERT_EQ(reported.entries_of<IcmpEntry>().size(), 1U);
  EXPECT_TRUE(reported.entries_of<IcmpEntry>()[0].second.passed);
}

TEST(Capture, AWholeConnectionIsCompleted) {
  const Life life =
      read(after_handshake(
               {{0, 1, 1, 100}, {1, 1, 101, 50}, {0, 101, 51, 0, fin_ack}, {1, 51, 102, 0, fin_ack}, {0, 102, 52}}))
          .life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.closed_by, ClosedBy::local);
  EXPECT_EQ(life.role, Role::active);
  EXPECT_EQ(life.tx_bytes, 100U);
  EXPECT_EQ(life.rx_bytes, 50U);
  EXPECT_EQ(life.handshake_ns, 20 * ms);
  EXPECT_EQ(life.zeek_state, "SF");
  EXPECT_EQ(life.states.back(), TcpState::time_wait);
  EXPECT_EQ(life.peer_states.back(), TcpState::close);
  ASSERT_TRUE(life.conversation.has_value());
  EXPECT_EQ(life.conversation->out.frames, 5U);
  EXPECT_EQ(life.conversation->completeness, 31);
  EXPECT_TRUE(life.wire->complete);
}

// A request in two pieces, 2 s apart, and its answer between them: where that is not in the capture nobody asked
// slowly.
TEST(Capture, OfOneDirectionDoesNotSayHowLongTheRequestTook) {
  std::vector<Say> said = after_handshake({{0, 1, 1, 100},
                                           {1, 1, 101, 50},
                                           {0, 101, 51, 100, ack_flag, 1000, 2000},
                                           {1, 51, 201},
                                           {0, 201, 51, 0, fin_ack},
                                           {1, 51, 202, 0, fin_ack},
                                           {0, 202, 52}});
  EXPECT_TRUE(read(said).life().phases.first_byte.has_value());
  std::erase_if(said, [](const Say& one) { return one.side == 1; });
  const Life life = read(said).life();
  EXPECT_FALSE(life.phases.request.has_value());
  EXPECT_FALSE(life.explanation.contains("request")) << life.explanation;
}

// The states that each segment shows, as "1: local SYN_SENT; 2: ...".
std::string shown(const std::vector<Say>& said) {
  CorrelatorSettings settings = capture_settings();
  settings.timeline = true;
  std::string all;
  for (const auto& [entry, segment] : read(said, std::move(settings)).entries_of<SegmentEntry>()) {
    if (segment.inferred.empty()) continue;
    all += fmt::format("{}{}:", all.empty() ? "" : "; ", entry.id);
    for (const InferredState& state : segment.inferred)
      all += fmt::format(" {} {}", state.peer ? "peer" : "local", name(state.to));
  }
  return all;
}

TEST(Capture, EachSegmentTellsTheStatesThatItShows) {
  EXPECT_EQ(shown(after_handshake(
                {{0, 1, 1, 100}, {1, 1, 101, 50}, {0, 101, 51, 0, fin_ack}, {1, 51, 102, 0, fin_ack}, {0, 102, 52}})),
            "1: local SYN_SENT; 2: peer NEW_SYN_RECV; 3: local ESTABLISHED peer ESTABLISHED; "
            "6: local FIN_WAIT1 peer CLOSE_WAIT; 7: local FIN_WAIT2 peer LAST_ACK; 8: local TIME_WAIT peer CLOSE");
  EXPECT_EQ(
      shown(after_handshake({{1, 1, 1, 0, rst_ack}})),
      "1: local SYN_SENT; 2: peer NEW_SYN_RECV; 3: local ESTABLISHED peer ESTABLISHED; 4: peer CLOSE local CLOSE");
  // A RST that nobody believes shows nothing.
  EXPECT_EQ(shown({{0, 0, 0, 0, syn_flag}, {1, 0, 77, 0, rst_ack}}), "1: local SYN_SENT");
}

// The ACK with the closed window was overtaken by the one that opened it.
TEST(Capture, AReorderedAckDoesNotCloseTheWindow) {
  const auto closed = [](std::uint32_t ack) {
    return read(after_handshake({{0, 1, 1, 100},
                                 {0, 101, 1, 100},
                                 {1, 1, 201, 0, ack_flag, 1000},
                                 {1, 1, ack, 0, ack_flag, 0},
                                 {0, 201, 1, 0, ack_flag, 1000, 5000}}))
        .finding(Rule::zero_window)
        .has_value();
  };
  EXPECT_FALSE(closed(101));
  EXPECT_TRUE(closed(201));
}

TEST(Capture, ASegmentThatALaterOneHasOvertakenDoesNotCloseTheWindow) {
  const auto closed = [](std::uint32_t seq) {
    return read(after_handshake({{0, 1, 1, 100},
                                 {1, 101, 101, 100},
                                 {1, seq, 101, 100, ack_flag, 0},
                                 {0, 101, 301, 0, ack_flag, 1000, 5000}}))
        .finding(Rule::zero_window)
        .has_value();
  };
  EXPECT_FALSE(closed(1));
  EXPECT_TRUE(closed(201));
}

TEST(Capture, WhetherTheOtherSideHasClosedIsNotKnownWhereItsFinIsMissing) {
  const auto words = [](unsigned closer) {
    return read(after_handshake({{closer, 1, 1, 0, fin_ack}, {closer ^ 1U, 1, 2}})).life().explanation;
  };
  EXPECT_EQ(words(0), "The client has closed its side; the other side's FIN is not in the capture.");
  EXPECT_EQ(words(1), "The server has closed its side; the other side's FIN is not in the capture.");
  EXPECT_EQ(read(after_handshake({{0, 1, 1, 0, fin_ack}, {1, 1, 2, 0, fin_ack}})).life().explanation,
            "Both have sent their FIN; the acknowledgement of the last one is not in the capture.");
}

// The capture goes on, with other connections; of this one it has nothing more.
// An empty ACK behind the hole has shown that something was sent there: the FIN may be the last of it.
TEST(Capture, AFinInAHoleOfTheCaptureMayBeTheFirst) {
  const auto closed_by = [](const Say& last) {
    return read(after_handshake(
                    {{0, 1, 1, 100}, {1, 1, 101}, {0, 1102, 1}, last, {1, 1, 1102, 0, fin_ack}, {0, 1102, 2}}))
        .life()
        .closed_by;
  };
  EXPECT_EQ(closed_by({0, 1102, 1}), ClosedBy::none);
  EXPECT_EQ(closed_by({0, 1102, 1, 10}), ClosedBy::peer) << "nothing is sent behind a FIN";
  EXPECT_EQ(closed_by({0, 101, 1, 1001}), ClosedBy::peer) << "the hole is filled";
}

// What both sent meanwhile counts.
TEST(Capture, BehindARstThatWasNotTakenItShowsWhoClosedFirst) {
  const auto life = [](std::uint32_t number) {
    return read(after_handshake({{0, 1, 1, 100},
                                 {1, 1, 101},
                                 {1, number, 0, 0, rst_flag},
                                 {0, 101, 1},
                                 {0, 101, 1, 50, ack_flag, 1000, 500},
                                 {1, 1, 151},
                                 {0, 151, 1, 0, fin_ack},
                                 {1, 1, 152, 0, fin_ack},
                                 {0, 152, 2}}))
        .life();
  };
  EXPECT_EQ(life(300).outcome, Outcome::completed);
  EXPECT_EQ(life(300).closed_by, ClosedBy::local);
}

TEST(Capture, AnAcknowledgementOfTheRawNumberZeroIsRelativeToo) {
  Talk talk(0U - 101U, 5000);
  ConversationSettings how;
  how.all_segments = true;
  Conversations conversations(how);
  std::vector<Event> events;
  for (const Say& one : after_handshake({{0, 1, 1, 100}, {1, 1, 101}})) conversations.observe(talk.frame(one), events);
  conversations.finish(events);
  CorrelatorSettings settings = capture_settings();
  settings.timeline = true;
  settings.every_segment = true;
  const RunResult reported = run(events, settings);
  const auto entries = reported.entries_of<SegmentEntry>();
  ASSERT_EQ(entries.size(), 5U);
  EXPECT_EQ(entries.front().second.rel_ack, 0U) << "a SYN acknowledges nothing";
  EXPECT_EQ(entries.back().second.segment.ack, 0U);
  EXPECT_EQ(entries.back().second.rel_ack, 101U);
}

// Of a pipe: its life was reported before.
TEST(Capture, AStragglerBehindTheReportBeginsNoLife) {
  Talk talk;
  ConversationSettings how;
  how.linger_ns = 2 * s;
  Conversations conversations(how);
  std::vector<Event> events;
  for (const Say& one : after_handshake({{0, 1, 1, 0, fin_ack}, {1, 1, 2, 0, fin_ack}, {0, 2, 2}}))
    conversations.observe(talk.frame(one), events);
  for (int seconds = 0; seconds < 3; ++seconds)
    conversations.observe(talk.frame({0, 0, 0, 0, syn_flag, 1000, 1'000}, 1), events);
  conversations.observe(talk.frame({1, 1, 2, 0, fin_ack}), events);
  conversations.finish(events);
  EXPECT_EQ(run(events, capture_settings()).lives().size(), 2U);
}

TEST(Capture, OfABareSynInTheMiddleNoDirectionIsMissing) {
  const RunResult reported =
      read({{0, 0, 0, 0, syn_flag}, {0, 777, 0, 0, syn_flag}, {1, 0, 778, 0, syn_ack}, {0, 778, 1}});
  ASSERT_EQ(reported.lives().size(), 2U);
  EXPECT_FALSE(reported.lives()[0].explanation.contains("direction is in the capture"))
      << reported.lives()[0].explanation;
}

TEST(Capture, AnAckOfWhatWasSentBehindAProbeDoesNotAnswerIt) {
  const auto words = [](const Say& next, std::uint32_t acked) {
    const RunResult reported = read(
        after_handshake({{0, 1, 1, 100}, {1, 1, 101}, {0, 100, 1, 0, ack_flag, 1000, 60'000}, next, {1, 1, acked}}));
    return sentence(*reported.finding(Rule::keepalive));
  };
  const std::string answered = words({0, 100, 1, 0, ack_flag, 1000, 60'000}, 101);
  EXPECT_TRUE(answered.contains("1 answered")) << answered;
  const std::string another = words({0, 101, 1, 10}, 111);
  EXPECT_TRUE(another.contains("0 answered")) << another;
  EXPECT_FALSE(another.contains("unanswered")) << "the peer lives: " << another;
}

TEST(Capture, WhatIsStillOpenIsSoWhenTheCaptureEnds) {
  const std::string words = read({{0, 0, 0, 0, syn_flag}, {1, 0, 1, 0, syn_ack}}).life().explanation;
  EXPECT_FALSE(words.contains("run")) << words;
}

// 300 bytes in two segments, and 2 ms later their first 200 again, as behind an ICMP error with a smaller MTU: to
// Wireshark out of order, as the round trip is 20 ms.
TEST(Capture, WhatWasCapturedBeforeIsSentAgainHoweverSoon) {
  const std::vector<Say> sent = after_handshake({{0, 1, 1, 150}, {0, 151, 1, 150, ack_flag, 1000, 1}});
  std::vector<Say> again = sent;
  again.push_back({0, 1, 1, 200, ack_flag, 1000, 2});
  CorrelatorSettings settings = capture_settings();
  settings.timeline = true;
  const RunResult reported = read(again, std::move(settings));
  EXPECT_EQ(reported.life().retransmits, 1U);
  EXPECT_EQ(reported.life().out_of_order_out, 0U);
  EXPECT_EQ(reported.life().conversation->out.out_of_order, 1U) << "Wireshark's word for it";
  EXPECT_TRUE(reported.finding(Rule::retransmission).has_value());
  const auto segments = reported.entries_of<SegmentEntry>();
  EXPECT_TRUE(segments.back().second.segment.is(SegmentEvent::retransmission));

  std::vector<Say> late = after_handshake({{0, 151, 1, 150}, {0, 1, 1, 150, ack_flag, 1000, 2}});
  const Life life = read(late).life();
  EXPECT_EQ(life.retransmits, 0U);
  EXPECT_EQ(life.out_of_order_out, 1U);
}

TEST(Capture, AWindowIsClosedUpToTheLastSegmentOfItsConnection) {
  const auto closed_ns = [](const std::vector<Say>& more) {
    Talk talk;
    Conversations conversations{ConversationSettings{}};
    std::vector<Event> events;
    for (const Say& one : after_handshake(more)) conversations.observe(talk.frame(one), events);
    conversations.observe(talk.frame({0, 0, 0, 0, syn_flag, 1000, 900'000}, 41000), events);
    conversations.finish(events);
    const RunResult result = run(events, capture_settings());
    const auto finding = result.finding(Rule::zero_window);
    return finding ? found<arguments::ZeroWindow>(finding).peer->closed_ns : 0;
  };
  EXPECT_EQ(closed_ns({{0, 1, 1, 100}, {1, 1, 101, 0, ack_flag, 0}}), 0);
  EXPECT_EQ(closed_ns({{0, 1, 1, 100}, {1, 1, 101, 0, ack_flag, 0}, {0, 100, 1, 0, ack_flag, 1000, 300}}), 300 * ms);
}

// The peer's FIN acknowledges a number that was not seen before it: a FIN of this side, if its own is that number.
TEST(Capture, WhoseFinAcknowledgesTheOthersFinDidNotCloseFirst) {
  const auto closed_by = [](const std::vector<Say>& more) { return read(after_handshake(more)).life().closed_by; };
  const Say data{0, 1, 1, 100};
  EXPECT_EQ(closed_by({data, {1, 1, 101, 0, fin_ack}, {0, 101, 2}}), ClosedBy::peer);
  EXPECT_EQ(closed_by({data, {1, 1, 102, 0, fin_ack}, {0, 102, 2}}), ClosedBy::none) << "the FIN can be missing";
  EXPECT_EQ(closed_by({data, {1, 1, 102, 0, fin_ack}, {0, 101, 1, 0, fin_ack}, {0, 102, 2}}), ClosedBy::local)
      << "it stands behind its acknowledgement";
  EXPECT_EQ(closed_by({data, {1, 1, 201, 0, fin_ack}, {0, 201, 2, 0, fin_ack}, {1, 2, 202}}), ClosedBy::peer)
      << "what was missing was payload";
  EXPECT_EQ(closed_by({data, {1, 1, 201, 0, fin_ack}, {1, 1, 201, 0, fin_ack}, {0, 201, 2, 0, fin_ack}, {1, 2, 202}}),
            ClosedBy::peer)
      << "the FIN again";
  EXPECT_EQ(closed_by({{0, 1, 201, 0, fin_ack}, {1, 201, 1, 0, fin_ack}, {0, 2, 202}, {1, 202, 2}}), ClosedBy::both)
      << "both at once";
  EXPECT_EQ(closed_by({data, {1, 1, 102, 0, fin_ack}, {0, 101, 2, 0, rst_flag | ack_flag}}), ClosedBy::none)
      << "a RST shows no more of it";
}

TEST(Capture, NoTimeWaitWhereTheFinStandsBehindItsAcknowledgement) {
  const auto life = [](const std::vector<Say>& more) { return read(after_handshake(more)); };
  const Say data{0, 1, 1, 100}, back{1, 1, 101, 100};
  const auto behind = life({back, {0, 101, 102, 0, fin_ack}, {1, 101, 102, 0, fin_ack}, {0, 102, 102}});
  EXPECT_FALSE(behind.finding(Rule::time_wait)) << "it was in LAST_ACK";
  const auto first = life({data, {0, 101, 1, 0, fin_ack}, {1, 1, 102, 0, fin_ack}, {0, 102, 2}});
  EXPECT_TRUE(first.finding(Rule::time_wait));
}

TEST(Capture, AFinThatStandsBehindItsAcknowledgementIsAcknowledged) {
  const auto outcome = [](const std::vector<Say>& more) { return read(after_handshake(more)).life().outcome; };
  EXPECT_EQ(outcome({{0, 1, 1, 0, fin_ack}, {0, 2, 2}, {1, 1, 2, 0, fin_ack}}), Outcome::completed);
  EXPECT_EQ(outcome({{1, 1, 2}, {0, 1, 1, 0, fin_ack}, {1, 1, 2, 0, fin_ack}, {0, 2, 2}}), Outcome::completed);
  EXPECT_EQ(outcome({{0, 1, 1, 0, fin_ack}, {0, 2, 1}, {1, 1, 2, 0, fin_ack}}), Outcome::open);
  EXPECT_EQ(outcome({{0, 1, 1, 0, fin_ack}, {0, 2, 102}, {1, 1, 2, 100, fin_ack}}), Outcome::completed)
      << "with payload";
}

TEST(Capture, AFinAtTheBeginOfACaptureNeedNotBeTheFirst) {
  EXPECT_EQ(read({{1, 5, 9, 0, fin_ack}, {0, 9, 6}}).life().closed_by, ClosedBy::none);
  EXPECT_EQ(read({{0, 8, 5}, {1, 5, 8, 0, fin_ack}, {0, 8, 6}}).life().closed_by, ClosedBy::peer);
  EXPECT_EQ(read({{1, 5, 9, 0, fin_ack}, {0, 9, 6, 0, fin_ack}, {1, 6, 10}}).life().closed_by, ClosedBy::local);
}

TEST(Capture, ARstBehindTheEndChangesNoOutcome) {
  const Life life =
      read(after_handshake({{0, 1, 1, 0, fin_ack}, {1, 1, 2, 0, fin_ack}, {0, 2, 2}, {1, 2, 2, 0, rst_flag}})).life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.zeek_state, "SF");
}

// FIN, a RST behind it (for what the peer still sent), and the peer's FIN: both have closed.
TEST(Capture, ARstBetweenTheFinsIsNoResetWhereThePeerClosesToo) {
  const std::vector<Say> between =
      after_handshake({{0, 1, 1, 0, fin_ack}, {1, 1, 2}, {1, 1, 2, 50}, {0, 2, 1, 0, rst_flag}});
  EXPECT_EQ(read(between).life().outcome, Outcome::reset_by_local);
  std::vector<Say> closed = between;
  closed.push_back({1, 51, 2, 0, fin_ack});
  const Life life = read(closed).life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.closed_by, ClosedBy::local);
  for (const Finding& finding : life.findings) EXPECT_NE(finding.rule, Rule::reset_origin);
}

// What the peer sent before its own FIN was refused, whoever closed first.
TEST(Capture, ARstThatRefusesWhatAFinEndedIsAReset) {
  const auto outcome = [](std::uint32_t acked) {
    return read(after_handshake({{0, 1, 1, 100},
                                 {1, 1, 101, 50},
                                 {1, 51, 101, 0, fin_ack},
                                 {0, 101, acked, 0, fin_ack},
                                 {1, 52, 102},
                                 {1, 1, 102, 50, fin_ack},
                                 {0, 102, 153, 0, rst_ack}}))
        .life();
  };
  EXPECT_EQ(outcome(1).outcome, Outcome::reset_by_local);
  EXPECT_EQ(outcome(1).closed_by, ClosedBy::both) << "this side had not taken the peer's FIN when it closed";
  EXPECT_EQ(outcome(1).rx_bytes, 50U) << "what a RST acknowledges was not sent";
  EXPECT_EQ(outcome(51).outcome, Outcome::completed) << "all but the FIN";
  const std::vector<Say> alert = after_handshake({{0, 1, 1, 100}, {1, 1, 101, 50}, {0, 101, 51, 31, fin_ack}});
  const auto behind_alert = [&](const std::vector<Say>& more) {
    std::vector<Say> all = alert;
    all.insert(all.end(), more.begin(), more.end());
    return read(all).life().outcome;
  };
  const Say reset{0, 133, 51, 0, rst_flag};
  EXPECT_EQ(behind_alert({{1, 51, 101, 0, fin_ack}, reset}), Outcome::completed) << "its own alert is on its way";
  EXPECT_EQ(behind_alert({{1, 51, 101, 31}, reset, {1, 82, 101, 0, fin_ack}}), Outcome::completed);
  EXPECT_EQ(behind_alert({{1, 51, 101, 0, fin_ack}, {0, 133, 52}, {1, 51, 0, 0, rst_flag}}), Outcome::reset_by_peer);
}

TEST(Capture, FinsThatCrossedBeforeARstClosedBoth) {
  const auto closed_by = [](std::uint32_t acked) {
    return read(after_handshake({{0, 1, 1, 24, fin_ack}, {1, 1, acked, 24, fin_ack}, {1, 1, 0, 0, rst_flag}}))
        .life()
        .closed_by;
  };
  EXPECT_EQ(closed_by(1), ClosedBy::both);
  EXPECT_EQ(closed_by(26), ClosedBy::local);
  EXPECT_EQ(read(after_handshake({{1, 1, 1, 0, rst_flag}})).life().closed_by, ClosedBy::peer);
}

// Two clocks, or a timestamp that is damaged.
// Each leaves before the other's has come: in a capture one of them stands first.
TEST(Capture, FinsThatCrossedClosedBoth) {
  for (const unsigned first : {0U, 1U}) {
    std::vector<Say> said = after_handshake({{0, 1, 1, 100}, {1, 1, 101, 50}, {0, 101, 51}});
    const Say ours{0, 101, 51, 0, fin_ack};
    const Say theirs{1, 51, 101, 0, fin_ack};
    said.push_back(first == 0 ? ours : theirs);
    said.push_back(first == 0 ? theirs : ours);
    said.push_back({0, 102, 52});
    said.push_back({1, 52, 102});
    const Life life = read(said).life();
    EXPECT_EQ(life.outcome, Outcome::completed);
    EXPECT_EQ(life.closed_by, ClosedBy::both) << first;
    EXPECT_EQ(life.states.back(), TcpState::time_wait);
    EXPECT_EQ(life.peer_states.back(), TcpState::time_wait);
  }
}

TEST(Capture, PhasesBetweenWhichTimeRanBackAreAbsent) {
  const auto life = [](int off_ms) {
    return read({{0, 0, 0, 0, syn_flag},
                 {1, 0, 1, 0, syn_ack, 1000, 10 + off_ms},
                 {0, 1, 1, 0, ack_flag, 1000, 10 - off_ms},
                 {0, 1, 1, 100},
                 {1, 1, 101, 50},
                 {0, 101, 51, 0, fin_ack},
                 {1, 51, 102, 0, fin_ack},
                 {0, 102, 52}})
        .life();
  };
  const Life right = life(0);
  EXPECT_EQ(right.phases.connect, 10 * ms);
  EXPECT_EQ(right.phases.first_byte, 10 * ms);
  for (const int off_ms : {1'000'000'000, 5'000, -5'000}) {
    const Life wrong = life(off_ms);
    EXPECT_EQ(wrong.handshake_ns, 20 * ms);
    EXPECT_FALSE(wrong.phases.connect.has_value());
    EXPECT_FALSE(wrong.phases.synack_ack.has_value());
    EXPECT_FALSE(wrong.phases.first_byte.has_value());
    EXPECT_FALSE(wrong.phases.idle.has_value());
  }
}

TEST(Capture, ARetransmissionThatThePeerSpokeBehindIsNoSilence) {
  const auto half_open = [](const std::vector<Say>& more) {
    return read(after_handshake(more)).finding(Rule::half_open).has_value();
  };
  EXPECT_TRUE(half_open({{0, 1, 1, 9}, {0, 1, 1, 9, ack_flag, 1000, 300}, {1, 1, 0, 0, rst_flag}}));
  EXPECT_FALSE(half_open({{0, 1, 1, 9}, {0, 1, 1, 9, ack_flag, 1000, 300}, {1, 1, 1}, {1, 1, 0, 0, rst_flag}}));
  EXPECT_FALSE(half_open({{0, 1, 1, 9}, {1, 1, 0, 0, rst_flag}, {0, 1, 1, 9, ack_flag, 1000, 300}}));
}

TEST(Capture, OnlyTheHandshakesOwnSegmentsSayHowLongItTook) {
  const auto took = [](const std::vector<Say>& said) { return read(said).life().handshake_ns; };
  const std::vector<Say> asked{{0, 0, 0, 0, syn_flag}, {1, 0, 1, 0, syn_flag | ack_flag}};
  std::vector<Say> behind_a_hole = asked;
  behind_a_hole.push_back({0, 40, 90, 0, fin_ack, 1000, 2900});
  EXPECT_FALSE(took(behind_a_hole).has_value());
  std::vector<Say> next = asked;
  next.push_back({0, 1, 1, 9, ack_flag, 1000, 2900});
  EXPECT_EQ(took(next), 2910 * ms);
}

TEST(Capture, ARstAloneShowsNoConnection) {
  EXPECT_EQ(read({{1, 0, 7, 0, rst_ack}}).life().outcome, Outcome::unknown);
  EXPECT_EQ(read({{0, 7, 1, 5}, {1, 1, 12, 0, rst_ack}}).life().outcome, Outcome::reset_by_peer);
}

TEST(Capture, WhereBothConnectAtOnceTheSynAckIsNoRetransmission) {
  const std::vector<Say> crossed{{0, 0, 0, 0, syn_flag},
                                 {1, 0, 0, 0, syn_flag},
                                 {0, 0, 1, 0, syn_flag | ack_flag},
                                 {1, 0, 1, 0, syn_flag | ack_flag}};
  EXPECT_EQ(read(crossed).life().retransmits, 0U);
  std::vector<Say> again = crossed;
  again.push_back({0, 0, 1, 0, syn_flag | ack_flag, 1000, 1000});
  EXPECT_EQ(read(again).life().retransmits, 1U);
}

TEST(Capture, NothingIsSentAgainOverMoreThanAWindow) {
  const Life life = read(after_handshake({{0, 1, 1, 100}, {0, 3'000'000'101, 1, 100}, {1, 1, 3'000'000'201}})).life();
  EXPECT_EQ(life.retransmits, 0U);
  EXPECT_EQ(life.tx_bytes, 3'000'000'200U);
  EXPECT_EQ(life.conversation->out.missing_bytes, 3'000'000'000U);
}

TEST(Capture, OfSeveralSynAcksTheFirstCounts) {
  const RunResult reported = read({{0, 0, 0, 0, syn_flag},
                                   {1, 0, 1, 0, syn_flag | ack_flag},
                                   {0, 0, 0, 0, syn_flag, 1000, 1000},
                                   {1, 0, 1, 0, syn_flag | ack_flag},
                                   {0, 1, 1}});
  const auto slow = reported.finding(Rule::slow_handshake);
  ASSERT_TRUE(slow.has_value());
  EXPECT_EQ(slow->confidence, Confidence::likely);
  EXPECT_TRUE(sentence(*slow).starts_with("the SYN-ACK came 10 ms after the first SYN")) << sentence(*slow);
  EXPECT_FALSE(sentence(*slow).contains("kernel")) << sentence(*slow);
}

TEST(Capture, ASegmentThatRepeatsANumberIsNotAlwaysAKeepAlive) {
  const auto keepalive = [](const std::vector<Say>& more) {
    return read(after_handshake(more)).finding(Rule::keepalive).has_value();
  };
  EXPECT_TRUE(keepalive({{0, 1, 1, 9}, {1, 1, 10}, {0, 9, 1, 0, ack_flag, 1000, 5000}, {1, 1, 10}}));
  EXPECT_TRUE(keepalive({{0, 1, 1, 9}, {1, 1, 10}, {0, 9, 1, 1, ack_flag, 1000, 5000}, {1, 1, 10}}));
  // One byte, not acknowledged: sent again.
  EXPECT_FALSE(keepalive({{0, 1, 1, 1}, {0, 1, 1, 1, ack_flag, 1000, 300}}));
  // An ACK that one byte has overtaken.
  EXPECT_FALSE(keepalive({{0, 1, 1, 1}, {0, 1, 1}}));
  // The ACK of the peer's FIN with the number of the own one.
  EXPECT_FALSE(keepalive({{0, 1, 1, 0, fin_ack}, {1, 1, 2, 0, fin_ack}, {0, 1, 2}}));
}

TEST(Capture, TheFileEndsBeforeTheConnectionDoes) {
  EXPECT_EQ(read(shook_hands).life().outcome, Outcome::open);
  EXPECT_EQ(read(shook_hands).life().zeek_state, "S1");
  // Used again: it was over, and nothing shows how.
  std::vector<Say> reused = shook_hands;
  reused.push_back({0, 9999, 0, 0, syn_flag});
  const RunResult reported = read(reused);
  ASSERT_EQ(reported.lives().size(), 2U);
  EXPECT_EQ(reported.life(0).outcome, Outcome::unknown);
  EXPECT_EQ(reported.life(1).outcome, Outcome::open);
}

TEST(Capture, ASynWithoutAnAnswerTimesOutWhereThatLongWasCaptured) {
  const auto outcome = [](int wait_ms, int syns = 2) {
    Talk talk;
    Conversations conversations({});
    std::vector<Event> events;
    for (int i = 0; i < syns; ++i) conversations.observe(talk.frame({0, 0, 0, 0, syn_flag}), events);
    conversations.observe(talk.frame({0, 0, 0, 0, syn_flag, 1000, wait_ms}, 50000), events);
    conversations.finish(events);
    return run(events, capture_settings()).life(0).outcome;
  };
  EXPECT_EQ(outcome(127'000), Outcome::connect_timeout);
  EXPECT_EQ(outcome(126'000), Outcome::open);
  EXPECT_EQ(outcome(127'000, 1), Outcome::unknown) << "the capture may have no more of it";
}

TEST(Capture, ASynAckThatWasTakenShowsAConnection) {
  const Say syn{0, 0, 0, 0, syn_flag};
  const Say answer{1, 0, 1, 0, syn_ack};
  const auto outcome = [](const std::vector<Say>& said) { return read(said).life().outcome; };
  EXPECT_EQ(outcome({syn, {1, 0, 1, 0, rst_ack}}), Outcome::refused);
  EXPECT_EQ(outcome({syn, answer, {1, 1, 1, 0, rst_ack}}), Outcome::reset_by_peer);
  EXPECT_EQ(outcome({syn, answer, {1, 200'001, 50'001, 0, rst_ack}}), Outcome::reset_by_peer);
  EXPECT_EQ(outcome({syn, answer, {0, 50'001, 0, 0, rst_flag}}), Outcome::reset_by_local);
  EXPECT_EQ(outcome({syn, answer, {1, 5001, 101, 0, fin_ack}, {0, 101, 0, 0, rst_flag}}), Outcome::reset_by_local);
  EXPECT_EQ(outcome({answer, {1, 5001, 101, 0, rst_ack}}), Outcome::reset_by_peer) << "one direction";
  const Life late = read({syn, answer, {1, 5001, 101, 0, rst_ack, 1000, 3000}}).life();
  EXPECT_FALSE(late.handshake_ns.has_value()) << "the RST does not show how long it took";
}

TEST(Capture, NumbersBehindTheHandshakeProveThatItWasOver) {
  const Say syn{0, 0, 0, 0, syn_flag};
  const Say answer{1, 0, 1, 0, syn_ack};
  EXPECT_EQ(
      shown({syn, answer, {1, 5001, 101, 0, fin_ack}}),
      "1: local SYN_SENT; 2: peer NEW_SYN_RECV; 3: local ESTABLISHED peer ESTABLISHED local CLOSE_WAIT peer FIN_WAIT1");
  EXPECT_EQ(shown({syn, answer, {1, 1, 1, 0, fin_ack}}), "1: local SYN_SENT; 2: peer NEW_SYN_RECV; 3: peer FIN_WAIT1");
  EXPECT_EQ(shown({syn, answer, {0, 101, 0, 0, rst_flag}}),
            "1: local SYN_SENT; 2: peer NEW_SYN_RECV; 3: local ESTABLISHED peer ESTABLISHED local CLOSE peer CLOSE");
}

// A hole, a RST far behind it, and nothing more: it may have been taken.
TEST(Capture, ARstBeyondTheWindowAtTheEndLeavesTheOutcomeOpen) {
  const std::vector<Say> reset{{0, 1, 1, 100}, {1, 1, 101}, {0, 20'000'001, 1, 0, rst_ack}};
  std::vector<Say> goes_on = reset;
  goes_on.push_back({1, 1, 101, 50});
  EXPECT_EQ(read(after_handshake(reset)).life().outcome, Outcome::unknown);
  EXPECT_EQ(read(after_handshake(goes_on)).life().outcome, Outcome::open);
}

TEST(Capture, WhatWasForgedOrIsOlderEndsNothing) {
  const Say request{0, 1, 1, 10};
  const Say answer{1, 1, 11};
  const std::vector<Say> end{{0, 11, 1, 10}, {1, 1, 21}, {0, 21, 1, 0, fin_ack}, {1, 1, 22, 0, fin_ack}, {0, 22, 2}};
  const auto life = [&](const Say& forged) {
    std::vector<Say> all{
        request, answer, forged, {forged.side ^ 1U, forged.side == 0 ? 1U : 11U, forged.side == 0 ? 11U : 1U}};
    all.insert(all.end(), end.begin(), end.end());
    return read(after_handshake(all)).life();
  };
  for (const Say& forged : {Say{0, 19'000'000, 1, 0, fin_ack}, Say{0, 19'000'000, 1, 100}, Say{0, 11, 19'000'000},
                            Say{1, 0U - 5'000'000U, 0U - 3'000'000U, 0, fin_ack}, Say{1, 19'000'000, 11, 0, fin_ack}}) {
    const Life found = life(forged);
    EXPECT_EQ(found.outcome, Outcome::completed) << forged.seq;
    EXPECT_EQ(found.closed_by, ClosedBy::local) << forged.seq;
    EXPECT_EQ(found.tx_bytes, 20U) << forged.seq;
    EXPECT_EQ(found.rx_bytes, 0U) << forged.seq;
    EXPECT_EQ(found.retransmits, 0U) << forged.seq;
  }
}

// A hole in the capture, and behind it what was believed later.
TEST(Capture, AFinBeyondTheWindowCountsWhereItIsAcknowledged) {
  const Life life = read(after_handshake({{0, 1, 1, 10},
                                          {1, 1, 11},
                                          {1, 500'001, 11, 100, fin_ack},
                                          {0, 11, 500'102, 0, fin_ack},
                                          {1, 500'102, 12}}))
                        .life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.closed_by, ClosedBy::peer);
  EXPECT_EQ(life.rx_bytes, 500'100U);
  ASSERT_TRUE(life.conversation.has_value());
  EXPECT_EQ(life.conversation->in.missing_bytes, 500'000U);
}

TEST(Capture, BothFinsMayStandBehindAHole) {
  const std::vector<Say> said{{0, 1, 1, 10},
                              {1, 1, 11},
                              {0, 500'001, 300'001, 0, fin_ack},
                              {1, 300'001, 500'002, 0, fin_ack},
                              {0, 500'002, 300'002}};
  const Life life = read(after_handshake(said)).life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.states.back(), TcpState::time_wait);
  EXPECT_EQ(life.tx_bytes, 500'000U);
  EXPECT_EQ(life.rx_bytes, 300'000U);
}

TEST(Capture, AWindowIsClosedAsLongAsTheCaptureShowsIt) {
  const auto closed_ns = [](const std::vector<Say>& more) {
    const auto finding = read(after_handshake(more)).finding(Rule::zero_window);
    return finding ? found<arguments::ZeroWindow>(finding).peer->closed_ns : 0;
  };
  const Say data{0, 1, 1, 100};
  const Say closed{1, 1, 101, 0, ack_flag, 0};
  const Say again{1, 1, 101, 0, ack_flag, 0, 300};
  EXPECT_EQ(
      closed_ns({data, closed, again, {0, 101, 1, 100, ack_flag, 1000, 500}, {0, 201, 1, 100, ack_flag, 1000, 500}}),
      300 * ms);
  EXPECT_EQ(closed_ns({data, closed, {0, 101, 1, 100, ack_flag, 1000, 500}, {1, 1, 201}}), 0);
  const Say pushed{0, 101, 1, 100, ack_flag, 1000, 500};
  EXPECT_EQ(closed_ns({data, closed, pushed, {1, 1, 101, 0, ack_flag, 0}, {1, 1, 101, 0, ack_flag, 1000, 90}}),
            600 * ms)
      << "it was not taken";
  EXPECT_EQ(closed_ns({data, closed, pushed, {1, 1, 201, 0, ack_flag, 0}, {1, 1, 201, 0, ack_flag, 1000, 90}}), 90 * ms)
      << "it was, and closed the window again";
  EXPECT_EQ(closed_ns({data, closed, {0, 101, 1, 1, ack_flag, 1000, 500}, {1, 1, 102}}), 510 * ms) << "a probe";
  EXPECT_EQ(closed_ns({data, closed, {0, 1, 1, 100, ack_flag, 1000, 500}, {1, 1, 101}}), 510 * ms) << "sent again";
}

// However much of the file is read at a time.
TEST(Capture, AnAttemptIsJudgedAtTheTimeOfItsEnd) {
  const auto outcome = [](const std::vector<Say>& more) {
    Talk talk;
    Conversations conversations{ConversationSettings{}};
    std::vector<Event> events;
    conversations.observe(talk.frame({0, 0, 0, 0, syn_flag}), events);
    conversations.observe(talk.frame({0, 0, 0, 0, syn_flag, 1000, 1000}), events);
    for (const Say& one : more) conversations.observe(talk.frame(one), events);
    conversations.observe(talk.frame({0, 0, 0, 0, syn_flag, 1000, 140'000}, 41000), events);
    conversations.finish(events);
    return run(events, capture_settings()).life().outcome;
  };
  EXPECT_EQ(outcome({}), Outcome::connect_timeout);
  EXPECT_EQ(outcome({{0, 700'000, 0, 0, syn_flag, 1000, 9000}}), Outcome::unknown) << "its ports were used again";
}

TEST(Capture, TheTextOfARstIsNoAnswer) {
  const auto first_byte = [](std::uint8_t flags) {
    return read(after_handshake({{0, 1, 1, 10}, {1, 1, 11, 7, flags, 1000, 5000}})).life().phases.first_byte;
  };
  EXPECT_FALSE(first_byte(rst_ack).has_value());
  EXPECT_TRUE(first_byte(fin_ack).has_value());
}

TEST(Capture, BehindTheFinThatItAcknowledgesNoWindowIsMissed) {
  const auto closed = [](std::uint32_t ack) {
    return read(after_handshake({{0, 1, 1, 0, fin_ack},
                                 {1, 1, ack, 0, ack_flag, 0},
                                 {1, 1, ack, 100, ack_flag, 0, 20'000},
                                 {0, 2, 101}}))
        .finding(Rule::zero_window)
        .has_value();
  };
  EXPECT_FALSE(closed(2));
  EXPECT_TRUE(closed(1));
}

TEST(Capture, WhoBrokeOffIsWhoSentTheRst) {
  const Life refused = read({{0, 0, 0, 0, syn_flag}, {1, 0, 1, 0, rst_ack}}).life();
  EXPECT_EQ(refused.outcome, Outcome::refused);
  EXPECT_EQ(refused.zeek_state, "REJ");
  const Life peer = read(after_handshake({{1, 1, 1, 0, rst_ack}})).life();
  EXPECT_EQ(peer.outcome, Outcome::reset_by_peer);
  EXPECT_EQ(peer.zeek_state, "RSTR");
  const RunResult local = read(after_handshake({{0, 1, 1, 0, rst_ack}}));
  EXPECT_EQ(local.life().outcome, Outcome::reset_by_local);
  EXPECT_EQ(local.life().zeek_state, "RSTO");
  // No machine is ours in a capture.
  EXPECT_EQ(sentence(*local.finding(Rule::reset_origin)).find("this machine"), std::string::npos);
}

TEST(Capture, ZeekHasAWordForEachEnd) {
  const auto word = [](const std::vector<Say>& said) { return read(said).life().zeek_state; };
  EXPECT_EQ(word({{0, 0, 0, 0, syn_flag}}), "S0");
  EXPECT_EQ(word(after_handshake({{0, 1, 1, 0, fin_ack}})), "S2");
  EXPECT_EQ(word(after_handshake({{1, 1, 1, 0, fin_ack}})), "S3");
  EXPECT_EQ(word({{0, 0, 0, 0, syn_flag}, {0, 1, 1, 0, fin_ack}}), "SH");
  EXPECT_EQ(word({{1, 0, 1, 0, syn_flag | ack_flag}, {1, 1, 1, 0, fin_ack}}), "SHR");
  EXPECT_EQ(word({{0, 0, 0, 0, syn_flag}, {0, 1, 1, 0, rst_flag}}), "RSTOS0");
  EXPECT_EQ(word({{0, 0, 0, 0, syn_flag}, {0, 1, 1}, {0, 1, 1, 0, rst_flag}}), "OTH");
  EXPECT_EQ(word({{0, 1, 1, 0, rst_flag}}), "OTH");
  EXPECT_EQ(word({{1, 0, 1, 0, syn_flag | ack_flag}, {1, 1, 1, 0, rst_flag}}), "RSTRH");
  EXPECT_EQ(word({{0, 5, 5, 10}, {1, 5, 15, 10}}), "OTH");
}

TEST(Capture, FindingsComeFromTheAnalysis) {
  const RunResult reported = read(after_handshake({{0, 1, 1, 100},
                                                   {0, 1, 1, 100, ack_flag, 1000, 300},
                                                   {1, 1, 101, 0, ack_flag, 0},
                                                   {0, 100, 1, 0, ack_flag, 1000, 300},
                                                   {1, 1, 101, 0, ack_flag, 500}}));
  EXPECT_TRUE(reported.finding(Rule::retransmission).has_value());
  EXPECT_TRUE(reported.finding(Rule::zero_window).has_value());
  EXPECT_FALSE(reported.finding(Rule::keepalive).has_value());
  EXPECT_EQ(reported.life().retransmits, 1U);
}

TEST(Capture, TheTimelineHasWiresharksWords) {
  CorrelatorSettings settings = capture_settings();
  settings.timeline = true;
  settings.every_segment = true;
  const RunResult reported = read(after_handshake({{0, 1, 1, 100}, {1, 1, 101}, {1, 1, 101}, {1, 1, 101}}), settings);
  const auto segments = reported.entries_of<SegmentEntry>();
  ASSERT_EQ(segments.size(), 7U);
  EXPECT_EQ(segments.back().second.analysis, std::vector<std::string_view>{"duplicate ACK"});
  EXPECT_EQ(segments.back().second.segment.analysis.duplicate_ack, 2U);
  EXPECT_EQ(segments.back().second.segment.analysis.frame, 7U);
}

// Live, with every segment reported, each socket's view is analysed by itself; the kernel has its own probes.
TEST(EverySegment, IsAnalysedLiveToo) {
  CorrelatorSettings settings = trace_settings();
  settings.every_segment = true;
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 50);
  c.in(A, 0, 0);
  const EventId duplicate = c.in(A, 0, 0);
  const RunResult reported = run(stream.events, settings);
  ASSERT_TRUE(reported.segment(duplicate).has_value());
  EXPECT_EQ(reported.segment(duplicate)->analysis, std::vector<std::string_view>{"duplicate ACK"});
  settings.every_segment = false;
  EXPECT_TRUE(run(stream.events, settings).segment(duplicate)->analysis.empty());
}

}  // namespace
}  // namespace tcpwitness::testing
