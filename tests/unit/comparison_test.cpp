// SPDX-License-Identifier: Apache-2.0
// comparison_test.cpp: kernel beside wire: each reason for a difference, the same without its evidence, and the sums.
#include <nlohmann/json.hpp>

#include "sink/format.hpp"
#include "sink/paint.hpp"
#include "sink/views/compare.hpp"
#include "unit/says.hpp"
#include "unit/sink_capture.hpp"

namespace tcpwitness::testing {
namespace {

using Json = nlohmann::json;

CorrelatorSettings compare_settings() {
  CorrelatorSettings settings = life_settings();
  settings.compare = true;
  return settings;
}

Comparison compared(const std::vector<Event>& events, const CorrelatorSettings& settings = compare_settings()) {
  const Life life = run(events, settings).life();
  EXPECT_TRUE(life.comparison.has_value());
  return life.comparison.value_or(Comparison{});
}

// What the socket will show of itself.
void counts(Side& c, std::uint32_t segs_out, std::uint32_t segs_in) {
  c.extra.segs_out = segs_out;
  c.extra.segs_in = segs_in;
  c.extra.mss = 1448;
}

struct Wanted {
  Where where;
  std::string_view reason;
  std::int64_t amount;
  Confidence confidence = Confidence::certain;
};
void expect_parts(const std::vector<Part>& parts, const std::vector<Wanted>& wanted) {
  std::string list;
  for (const Part& part : parts) list += fmt::format("{} {} {}; ", name(part.where), part.reason, part.amount);
  ASSERT_EQ(parts.size(), wanted.size()) << list;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(name(parts[i].where), name(wanted[i].where)) << list;
    EXPECT_EQ(parts[i].reason, wanted[i].reason) << list;
    EXPECT_EQ(parts[i].amount, wanted[i].amount) << list;
    EXPECT_EQ(name(parts[i].confidence), name(wanted[i].confidence)) << list;
  }
}

// kernel + parts = wire, whatever happened.
void expect_exact(const CountPair& pair) {
  if (!pair.kernel || !pair.wire) return;
  std::int64_t sum = 0;
  for (const Part& part : pair.parts) sum += part.amount;
  EXPECT_EQ(static_cast<std::int64_t>(*pair.kernel) + sum, static_cast<std::int64_t>(*pair.wire));
}

// S A PA FA A out, SA PA A FA in.
std::vector<Event> healthy(std::uint32_t segs_out = 5, std::uint32_t segs_in = 4) {
  Stream stream;
  Side c = client_of(stream);
  counts(c, segs_out, segs_in);
  connects(c);
  c.out(PA, 50);
  c.in(PA, 70);
  closes_first(c, curl);
  return stream.events;
}

TEST(Comparison, OfAHealthyClientAgreesInEverything) {
  const Comparison all = compared(healthy());
  ASSERT_TRUE(all.compared()) << name(all.why_not);
  for (const CountPair* pair : {&all.tx.bytes, &all.tx.segments, &all.tx.sent_again, &all.rx.bytes, &all.rx.segments}) {
    EXPECT_EQ(pair->difference(), 0);
    EXPECT_TRUE(pair->parts.empty());
  }
  EXPECT_EQ(all.tx.bytes.kernel, 50U);
  EXPECT_EQ(all.rx.bytes.wire, 70U);
  EXPECT_EQ(all.tx.segments.kernel, 5U);
  EXPECT_FALSE(all.rx.sent_again.kernel.has_value()) << "the kernel does not count what the peer sent again";
  EXPECT_EQ(differs_by(all), "");
}

// tcp_disconnect() sets the socket's counters to 0 behind its RST.
TEST(Comparison, OfASocketThatDoesNotLingerHasTheCountsOfItsLastTransition) {
  for (const bool answers : {false, true}) {
    Stream stream;
    Side c = client_of(stream);
    counts(c, 2, 1);  // S A; SA
    connects(c);
    c.to(State::close, curl);
    c.out(RA);
    c.kernel_reset(ResetDirection::sent, reason_tcp_state, answers ? nobody : curl, answers);
    c.extra.segs_out = 0;
    c.destroy();
    const Comparison all = compared(stream.events);
    EXPECT_EQ(all.tx.segments.parts.empty(), !answers) << "the answer to a segment is no close";
  }
}

TEST(Comparison, WhatNoEventExplainsIsSaidToBeSo) {
  const Comparison all = compared(healthy(6, 3));
  expect_parts(all.tx.segments.parts, {{Where::unexplained, "", -1, Confidence::inconclusive}});
  expect_parts(all.rx.segments.parts, {{Where::unexplained, "", 1, Confidence::inconclusive}});
  EXPECT_EQ(differs_by(all), "not explained");
}

// The SYN-ACK is the request socket's; a child begins to count with the SYN.
TEST(Comparison, ASynAckIsTheListenersAndNoDifference) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  counts(c, 2, 5);  // A FA; S A PA FA A
  accepts(c);
  c.in(PA, 50);
  closes_second(c, nginx);
  const Comparison all = compared(stream.events);
  expect_parts(all.tx.segments.parts, {{Where::listener, "", 1}});
  EXPECT_TRUE(all.rx.segments.parts.empty());
  EXPECT_EQ(differs_by(all), "");
}

TEST(Comparison, WhatTimeWaitSendsIsNoDifference) {
  Story story = orphan_close_story();
  for (Event& event : story.events) {
    if (auto* end = std::get_if<SocketDestroyed>(&event.body)) {
      end->cb.segs_out = 3;  // S A FA
      end->cb.segs_in = 2;   // SA A
    }
  }
  const Comparison all = compared(story.events);
  expect_parts(all.tx.segments.parts, {{Where::mini_socket, "", 1}});
  expect_parts(all.rx.segments.parts, {{Where::mini_socket, "", 1}});
}

// Data for a mini-socket is no event; the RST that answers it is.
TEST(Comparison, WhatIsRefusedBehindTheSocketsEndIsNoDifference) {
  for (const bool answered : {true, false}) {
    Stream stream;
    Side c = closes_for_good(stream, 60000);
    for (Event& event : stream.events) {
      if (auto* end = std::get_if<SocketDestroyed>(&event.body)) {
        end->cb.segs_out = 4;  // S A PA FA
        end->cb.segs_in = 2;   // SA A
      }
    }
    stream.wait(500 * ms);
    c.in(PA, 6);
    stream.events.pop_back();
    c.view = SocketKind::time_wait;
    c.out(answered ? R : A);
    const Comparison all = compared(stream.events);
    expect_parts(all.tx.segments.parts, {{Where::mini_socket, "", 1}});
    if (answered) {
      expect_parts(all.rx.segments.parts, {{Where::mini_socket, "", 1}});
      expect_parts(all.rx.bytes.parts, {{Where::mini_socket, "", 6, Confidence::likely}});
    } else {
      expect_parts(all.rx.segments.parts, {{Where::unexplained, "", 1, Confidence::inconclusive}});
    }
  }
}

// Since 6.14 the RST that answers data carries the socket, which has not counted it.
TEST(Comparison, ARstThatAnswersIsNoSegmentOfTheSocket) {
  for (const std::uint8_t flags : {R, RA}) {
    Stream stream;
    Side c = client_of(stream);
    counts(c, flags == R ? 3 : 4, 2);  // S A FA; SA PA
    connects(c);
    c.to(State::fin_wait1, curl);
    c.out(FA);
    c.in(PA, 6);
    c.to(State::close);
    c.out(flags);
    c.destroy();
    const Comparison all = compared(stream.events);
    if (flags == R) {
      expect_parts(all.tx.segments.parts, {{Where::mini_socket, "", 1}});
    } else {
      EXPECT_TRUE(all.tx.segments.parts.empty()) << "it resets the connection itself";
    }
  }
}

// 20 bytes came, were dropped, and came again.
std::vector<Event> dropped_in(std::uint32_t reason, std::uint32_t segs_in, bool said = true) {
  Stream stream;
  Side c = client_of(stream);
  counts(c, 4, segs_in);
  connects(c);
  const Side before = c;
  c.in(PA, 20);
  if (said) c.drop(reason, false, PA, 20);
  c.refuses(before);
  c.in(PA, 20, TW_EVENT_RETRANSMISSION);
  closes_first(c, curl);
  return stream.events;
}

TEST(Comparison, WhatAFirewallDroppedNeverReachedTcp) {
  const Comparison all = compared(dropped_in(drop_netfilter, 4));
  expect_parts(all.rx.segments.parts, {{Where::dropped_before, "NETFILTER_DROP", 1}});
  expect_parts(all.rx.bytes.parts, {{Where::dropped_before, "NETFILTER_DROP", 20}});
  EXPECT_EQ(differs_by(all), "NETFILTER_DROP");
}

// Three buffers of GRO, each a full segment and a short one, are six segments.
TEST(Comparison, ABufferThatWasDroppedIsSeveralSegments) {
  Stream stream;
  Side c = client_of(stream);
  counts(c, 4, 9);
  connects(c);
  const auto pair = [](Segment& g) { g.segments = 2; };
  for (const bool again : {false, true}) {
    for (int i = 0; i < 3; ++i) {
      const Side before = c;
      const auto number = static_cast<std::uint32_t>(again ? 0 : i * 1548);
      c.in(PA, 1548, static_cast<std::uint16_t>(again ? TW_EVENT_RETRANSMISSION : 0), [&](Segment& g) {
        pair(g);
        g.seq += number;
      });
      if (again) continue;
      c.drop(drop_netfilter, false, PA, 1548);
      c.refuses(before);
    }
  }
  closes_first(c, curl);
  const Comparison all = compared(stream.events);
  expect_parts(all.rx.segments.parts, {{Where::dropped_before, "NETFILTER_DROP", 6}});
}

TEST(Comparison, WithoutTheKernelsWordItIsTheSameBytesAgainAndASegmentTooMany) {
  const Comparison all = compared(dropped_in(drop_netfilter, 4, false));
  expect_parts(all.rx.segments.parts, {{Where::unexplained, "", 1, Confidence::inconclusive}});
  expect_parts(all.rx.bytes.parts, {{Where::sent_again, "", 20}});
}

// A wrong checksum is seen before the segment is counted, or behind it.
TEST(Comparison, ARefusedSegmentMayBeCountedOrNot) {
  const Comparison before = compared(dropped_in(drop_csum, 4));
  expect_parts(before.rx.segments.parts, {{Where::refused, "TCP_CSUM", 1}});
  expect_parts(before.rx.bytes.parts, {{Where::refused, "TCP_CSUM", 20}});
  const Comparison behind = compared(dropped_in(drop_csum, 5));
  EXPECT_TRUE(behind.rx.segments.parts.empty());
  const Comparison old = compared(dropped_in(drop_paws, 5));
  EXPECT_TRUE(old.rx.segments.parts.empty());
  expect_parts(old.rx.bytes.parts, {{Where::refused, "TCP_RFC7323_PAWS", 20}});
}

// TCP has the bytes already: they came again, and nothing is missing. Neither end is to look for anything.
TEST(Comparison, WhatThePeerSentAgainInVainIsNoFault) {
  Stream stream;
  Side c = client_of(stream);
  counts(c, 5, 5);
  connects(c);
  c.in(PA, 20);
  c.out(A);
  const Side before = c;
  c.in(PA, 20, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq -= 20; });
  c.drop(drop_old_data, false, PA, 20);
  c.refuses(before);
  closes_first(c, curl);
  const Comparison all = compared(stream.events);
  expect_parts(all.rx.bytes.parts, {{Where::sent_again, "TCP_OLD_DATA", 20}});
  EXPECT_EQ(all.rx.sent_again.wire, 1U);
  EXPECT_EQ(differs_by(all), "");
}

// TCP sends 20 bytes, something drops them before the interface or behind its hook, and it sends them again.
std::vector<Event> dropped_out(std::uint32_t reason, bool at_interface) {
  Stream stream;
  Side c = client_of(stream);
  counts(c, 6, 4);
  connects(c);
  const std::uint32_t seq = c.snd_nxt;
  if (at_interface) c.out(PA, 20);
  c.drop(reason, true, PA, 20);
  c.out(PA, 20, static_cast<std::uint16_t>(at_interface ? TW_EVENT_RETRANSMISSION : 0),
        [&](Segment& g) { g.seq = seq; });
  c.retransmit(4, 0, 1);
  c.in(A);
  closes_first(c, curl);
  return stream.events;
}

TEST(Comparison, WhatAFirewallKeptNeverLeft) {
  const Comparison all = compared(dropped_out(drop_netfilter, false));
  expect_parts(all.tx.segments.parts, {{Where::never_left, "NETFILTER_DROP", -1}});
  EXPECT_TRUE(all.tx.bytes.parts.empty()) << "the bytes left in the end";
  expect_parts(all.tx.sent_again.parts, {{Where::never_left, "", -1}});
  EXPECT_EQ(meaning(all.tx.sent_again.parts.front()), "so the copy that left is the interface's first");
}

TEST(Comparison, WhatAQueueDroppedBothHaveCounted) {
  const Comparison all = compared(dropped_out(drop_qdisc, true));
  EXPECT_TRUE(all.tx.segments.parts.empty());
  expect_parts(all.tx.bytes.parts, {{Where::sent_again, "", 20}});
  expect_parts(all.tx.behind, {{Where::queue, "QDISC_DROP", 1}});
  EXPECT_EQ(differs_by(all), "QDISC_DROP");
}

TEST(Comparison, WhatWasNotAcknowledgedIsNoLoss) {
  Stream stream;
  Side c = client_of(stream);
  counts(c, 3, 2);
  connects(c);
  c.out(PA, 50);
  c.acked_by_peer = c.snd_una;
  c.in(RA);
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  c.extra.sk_err = 104;
  c.to(State::close);
  c.destroy();
  const Comparison all = compared(stream.events);
  expect_parts(all.tx.bytes.parts, {{Where::unacknowledged, "", 50}});
}

TEST(Comparison, IsNotMadeWhereOneSideIsNotWhole) {
  EXPECT_EQ(compared(with_gap(healthy())).why_not, NotCompared::events_lost);
  CorrelatorSettings settings = compare_settings();
  settings.has_wire = false;
  EXPECT_EQ(compared(without_wire(healthy()), settings).why_not, NotCompared::kernel_only);
  settings = compare_settings();
  settings.has_kernel = false;
  EXPECT_EQ(compared(wire_alone(healthy()), settings).why_not, NotCompared::packets_only);
  std::vector<Event> late = healthy();
  late.erase(late.begin(), late.begin() + 5);
  EXPECT_EQ(compared(late).why_not, NotCompared::open_before);
}

// 1,000 and 5,000 bytes, 10 and 8 segments before the run, and 100 bytes still under way.
TEST(Comparison, OfWhatWasOpenBeforeBeginsWithTheFirstLook) {
  Stream stream;
  Side c = client_of(stream);
  c.snd_una = c.isn() + 1'001;
  c.snd_nxt = c.write_seq = c.isn() + 1'101;
  c.rcv_nxt = c.copied_seq = c.peer_nxt = c.peer_isn() + 5'001;
  c.extra.flags = TW_CB_ACTIVE;
  counts(c, 10, 8);
  c.found(SocketKind::full, State::established);
  c.acked_by_peer = c.snd_nxt;
  c.in(PA, 30, TW_EVENT_UNKNOWN_FLOW);
  c.out(PA, 40);
  c.in(A);
  counts(c, 11, 10);
  c.found(SocketKind::full, State::established);
  const Life life = run(stream.events, compare_settings()).life();
  ASSERT_TRUE(life.comparison && life.comparison->compared()) << name(life.comparison->why_not);
  const Comparison& all = *life.comparison;
  EXPECT_TRUE(all.open_before);
  EXPECT_EQ(all.tx.segments.kernel, 1U);
  EXPECT_EQ(all.tx.segments.wire, 1U);
  EXPECT_EQ(all.rx.segments.kernel, 2U);
  EXPECT_EQ(all.rx.segments.wire, 2U);
  EXPECT_EQ(all.rx.bytes.kernel, 30U);
  EXPECT_EQ(all.tx.bytes.kernel, 140U) << "100 of them were sent before";
  EXPECT_EQ(all.tx.bytes.wire, 40U);
  expect_parts(all.tx.bytes.parts, {{Where::unacknowledged, "", -100}});
  EXPECT_EQ(differs_by(all), "");
}

// Its first segment came while the sockets were listed: that began it, and the list found it behind that.
TEST(Comparison, OfWhatWasOpenBeforeIsMadeWhereASegmentCameFirst) {
  Stream stream;
  Side c = client_of(stream);
  c.snd_una = c.snd_nxt = c.write_seq = c.isn() + 1'001;
  c.rcv_nxt = c.copied_seq = c.peer_nxt = c.peer_isn() + 5'001;
  c.in(PA, 30, TW_EVENT_UNKNOWN_FLOW);
  counts(c, 10, 9);
  c.found(SocketKind::full, State::established);
  c.in(PA, 50);
  counts(c, 10, 10);
  c.found(SocketKind::full, State::established);
  const Comparison all = compared(stream.events);
  ASSERT_TRUE(all.compared()) << name(all.why_not);
  EXPECT_TRUE(all.open_before);
  EXPECT_EQ(all.rx.bytes.kernel, 50U);
  EXPECT_EQ(all.rx.bytes.wire, 50U);
  EXPECT_EQ(all.rx.segments.wire, 1U);
  EXPECT_EQ(differs_by(all), "");
}

// The flow map forgot it meanwhile: what it counts is not all.
TEST(Comparison, OfWhatWasOpenBeforeIsNotMadeOnceItsPacketsWereForgotten) {
  Stream stream;
  Side c = client_of(stream);
  c.snd_una = c.snd_nxt = c.write_seq = c.isn() + 1'001;
  c.rcv_nxt = c.copied_seq = c.peer_nxt = c.peer_isn() + 5'001;
  counts(c, 10, 8);
  c.found(SocketKind::full, State::established);
  c.in(PA, 30, TW_EVENT_UNKNOWN_FLOW);
  c.in(PA, 30, TW_EVENT_UNKNOWN_FLOW);
  counts(c, 10, 10);
  c.found(SocketKind::full, State::established);
  EXPECT_EQ(compared(stream.events).why_not, NotCompared::packets_cut);
}

// It goes on: looked at twice, with the counters of each look, and its end is still its own.
TEST(Comparison, OfWhatGoesOnIsThatOfTheNewestLook) {
  Correlator correlator(compare_settings(), kernel_names());
  Stream stream;
  Side c = client_of(stream);
  Reports reports;
  std::size_t fed = 0;
  const auto look = [&](std::uint32_t segs_out, std::uint32_t segs_in) {
    counts(c, segs_out, segs_in);
    c.found(SocketKind::full, State::established);
    while (fed < stream.events.size()) correlator.feed(stream.events[fed++], reports);
    std::vector<Life> lives;
    correlator.so_far(stream.now, [&](Life life) { lives.push_back(std::move(life)); });
    return lives;
  };
  connects(c);
  c.out(PA, 50);
  c.in(A);
  const auto first = look(3, 2);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first.front().outcome, Outcome::open);
  EXPECT_EQ(first.front().ts_ns, stream.now);
  ASSERT_TRUE(first.front().comparison->compared());
  EXPECT_EQ(first.front().comparison->tx.bytes.wire, 50U);
  c.in(PA, 70);
  c.out(A);
  const auto second = look(4, 3);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second.front().comparison->rx.bytes.kernel, 70U);
  EXPECT_EQ(second.front().comparison->rx.segments.wire, 3U);
  EXPECT_TRUE(reports.empty()) << "nothing has ended";
  counts(c, 6, 4);
  closes_first(c, curl);
  while (fed < stream.events.size()) correlator.feed(stream.events[fed++], reports);
  correlator.so_far(stream.now, [&](const Life& life) { ADD_FAILURE() << "it is over: " << name(life.outcome); });
  correlator.finish(stream.now, reports);
  const auto lives =
      std::ranges::count_if(reports, [](const Report& one) { return std::holds_alternative<Life>(one); });
  EXPECT_EQ(lives, 1);
}

TEST(Comparison, IsMadeOnlyWhereItIsAskedFor) {
  EXPECT_FALSE(run(healthy(), life_settings()).life().comparison.has_value());
}

TEST(Comparison, AddsUpInEveryStory) {
  for (const Story& story : all_stories()) {
    SCOPED_TRACE(story.name);
    for (const Life& life : run(story.events, compare_settings()).lives()) {
      ASSERT_TRUE(life.comparison.has_value());
      for (const SideBySide* side : {&life.comparison->tx, &life.comparison->rx}) {
        expect_exact(side->bytes);
        expect_exact(side->segments);
        expect_exact(side->sent_again);
      }
    }
  }
}

TEST(Comparison, HasTheTimesThatEventsShow) {
  const Comparison all = compared(healthy());
  const auto of = [&](Timed timed) { return all.times[static_cast<std::size_t>(timed)]; };
  EXPECT_EQ(of(Timed::handshake_kernel), 20 * us);  // events are 10 us apart: SYN_SENT, S, SA, ESTABLISHED, A
  EXPECT_EQ(of(Timed::handshake_wire), 30 * us);
  EXPECT_EQ(of(Timed::round_trip_wire), 10 * us);
  EXPECT_EQ(of(Timed::arrival_to_open), 10 * us);
  EXPECT_EQ(of(Timed::connect_to_wire), 10 * us);
  EXPECT_EQ(of(Timed::close_to_wire), 10 * us);
  EXPECT_FALSE(of(Timed::arrival_to_close_wait).has_value());
  EXPECT_FALSE(of(Timed::arrival_to_read).has_value()) << "nobody was seen to read";
  EXPECT_FALSE(of(Timed::round_trip_kernel).has_value());
}

TEST(Comparison, ARepeatedSynAckIsNoRoundTrip) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  stream.wait(1 * s);
  c.out(S, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.isn(); });
  c.retransmit(4, 0, 1);
  c.in(SA);
  c.to(State::established);
  c.out(A, 0, TW_EVENT_HANDSHAKE_ACK);
  closes_first(c, curl);
  const Comparison all = compared(stream.events);
  EXPECT_FALSE(all.times[static_cast<std::size_t>(Timed::round_trip_wire)].has_value());
  EXPECT_TRUE(all.times[static_cast<std::size_t>(Timed::handshake_kernel)].has_value());
}

// ---- the sink ----

Reports run_of(const std::vector<std::vector<Event>>& runs) {
  Ready ready;
  ready.ts_ns = 1'000 * s;
  Reports reports{ready};
  for (const auto& events : runs) {
    for (Life& life : run(events, compare_settings()).lives()) {
      life.conn = reports.size();
      reports.emplace_back(std::move(life));
    }
  }
  Summary summary;
  summary.ts_ns = 1'010 * s;
  reports.emplace_back(summary);
  return reports;
}

std::string printed(CompareForm form, const Reports& reports, unsigned width = 80) {
  const TextStyle style{.width = width};
  return test::captured([&](Output& output) { return make_compare(output, form, 2, style, nullptr); }, reports);
}

const std::vector<std::vector<Event>>& some() {
  static const std::vector<std::vector<Event>> all{healthy(), dropped_in(drop_netfilter, 4), healthy(6, 3),
                                                   dropped_out(drop_netfilter, false), with_gap(healthy())};
  return all;
}

TEST(CompareText, AgreesInOneSentence) {
  const auto lines = test::lines_of(printed(CompareForm::text, run_of({healthy(), healthy()})));
  EXPECT_EQ(lines[0], "2 connections compared in 10 s: kernel and wire agree");
  EXPECT_EQ(lines[3], "sent      payload bytes                 100              100");
  EXPECT_EQ(lines[4], "          segments                       10               10");
  EXPECT_EQ(lines[8], "          retransmitted                   -                0");
}

TEST(CompareText, SaysWhereADifferenceWent) {
  const auto lines = test::lines_of(printed(CompareForm::text, run_of(some())));
  const auto has = [&](std::string_view text) {
    return std::ranges::any_of(lines, [&](const std::string& line) { return line.contains(text); });
  };
  EXPECT_EQ(lines[0], "4 connections compared in 10 s: 3 of them differ");
  EXPECT_EQ(lines[1], "1 not compared: events were lost in its time (1)");
  EXPECT_TRUE(has("+20 arrived and dropped before TCP: NETFILTER_DROP, dropped by"));
  EXPECT_TRUE(has("-1 not explained"));
  EXPECT_TRUE(has("-1 sent by TCP and never left: NETFILTER_DROP"));
  EXPECT_TRUE(has("and 1 more"));
}

// The names of reasons are those of the machine, or of a recording.
TEST(CompareText, AReasonIsNoOrderToTheTerminal) {
  Reports reports = run_of({dropped_in(drop_netfilter, 4)});
  std::size_t changed = 0;
  for (Report& report : reports) {
    auto* life = std::get_if<Life>(&report);
    if (life == nullptr || !life->comparison) continue;
    for (Part& part : life->comparison->rx.bytes.parts) {
      part.reason = "N\x1b[31m\n#9 fake";
      ++changed;
    }
  }
  ASSERT_NE(changed, 0U);
  const std::string text = printed(CompareForm::text, reports);
  EXPECT_TRUE(text.contains("dropped before TCP: N?[31m?#9 fake")) << text;
  EXPECT_FALSE(text.contains('\x1b')) << text;
  const std::string rows = printed(CompareForm::csv, reports);
  EXPECT_TRUE(rows.contains("dropped-before-tcp:N?[31m?#9 fake=")) << rows;
  EXPECT_TRUE(printed(CompareForm::json, reports).contains("N\\u001b[31m\\n#9 fake")) << "as it is, escaped";
}

// What goes on is added to what has ended, each time anew.
TEST(CompareText, ShowsWhatGoesOnAgainAndAgain) {
  Reports reports = run_of({healthy()});
  Life open = std::get<Life>(reports[1]);
  open.outcome = Outcome::open;
  const Report summary = reports.back();
  reports.pop_back();
  for (const std::int64_t after : {2, 4}) {
    reports.emplace_back(Interim{.ts_ns = 1'000 * s + after * s, .life = open});
    reports.emplace_back(Interim{.ts_ns = 1'000 * s + after * s, .life = {}});
  }
  reports.push_back(summary);
  const auto print = [&](CompareForm form, const TextStyle& style) {
    return test::captured([&](Output& output) { return make_compare(output, form, 2, style, nullptr, true); }, reports);
  };
  const std::string text = print(CompareForm::text, {.width = 100});
  std::vector<std::string> heads;
  for (const std::string& line : test::lines_of(text)) {
    if (line.contains(" compared in ")) heads.push_back(line);
  }
  EXPECT_EQ(heads,
            (std::vector<std::string>{"-- 00:16:42, 2 connections compared in 2 s, 1 still open: kernel and wire agree",
                                      "-- 00:16:44, 2 connections compared in 4 s, 1 still open: kernel and wire agree",
                                      "1 connection compared in 10 s: kernel and wire agree"}));
  const std::string screen = print(CompareForm::text, {.width = 80, .screen = true});
  std::size_t cleared = 0;
  for (std::size_t at = 0; (at = screen.find(clear_screen, at)) != std::string::npos; ++at) ++cleared;
  EXPECT_EQ(cleared, 3U);
  EXPECT_FALSE(text.contains('\x1b'));
  std::vector<bool> interim;
  for (const std::string& line : test::lines_of(print(CompareForm::json, {}))) {
    interim.push_back(Json::parse(line).value("interim", false));
  }
  EXPECT_EQ(interim, (std::vector<bool>{false, true, true, true, true, false}));
}

TEST(CompareText, FitsTheTerminal) {
  for (const unsigned width : {60U, 80U, 132U}) {
    for (const std::string& line : test::lines_of(printed(CompareForm::text, run_of(some()), width)))
      EXPECT_LE(columns(line), std::max(width, 80U)) << line;
  }
  EXPECT_EQ(printed(CompareForm::text, run_of({})), "0 connections compared in 10 s\n");
}

TEST(CompareJson, HasALineForEachAndTheSumOfThoseThatCount) {
  const auto lines = test::lines_of(printed(CompareForm::json, run_of(some())));
  ASSERT_EQ(lines.size(), 6U);
  const Json total = Json::parse(lines.back());
  EXPECT_EQ(total["type"], "comparison_total");
  EXPECT_EQ(total["connections"], 5);
  EXPECT_EQ(total["compared"], 4);
  EXPECT_EQ(total["not_compared"], Json({{"events-lost", 1}}));
  for (const char* side : {"tx", "rx"}) {
    for (const char* count : {"bytes", "segments"}) {
      std::int64_t kernel = 0;
      std::int64_t wire = 0;
      for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
        const Json one = Json::parse(lines[i]);
        EXPECT_EQ(one["type"], "comparison");
        if (!one["compared"].get<bool>()) continue;
        kernel += one[side][count]["kernel"].get<std::int64_t>();
        wire += one[side][count]["wire"].get<std::int64_t>();
      }
      EXPECT_EQ(total[side][count]["kernel"], kernel) << side << count;
      EXPECT_EQ(total[side][count]["wire"], wire) << side << count;
      std::int64_t parts = 0;
      for (const Json& part : total[side][count]["parts"]) parts += part["amount"].get<std::int64_t>();
      EXPECT_EQ(kernel + parts, wire) << side << count;
    }
  }
  EXPECT_TRUE(total["rx"]["retransmits"]["kernel"].is_null());
}

TEST(CompareCsv, HasARowForEach) {
  const auto lines = test::lines_of(printed(CompareForm::csv, run_of(some())));
  ASSERT_EQ(lines.size(), 6U);
  for (const std::string& line : lines) {
    EXPECT_EQ(std::ranges::count(line, ','), std::ranges::count(lines[0], ',')) << line;
  }
  EXPECT_TRUE(lines[2].contains("dropped-before-tcp:NETFILTER_DROP=20")) << lines[2];
}

}  // namespace
}  // namespace tcpwitness::testing
