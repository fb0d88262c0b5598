// SPDX-License-Identifier: Apache-2.0
// sink_trace_text.cpp: the words of each entry, and how lines of a timeline are laid out.
#include <gtest/gtest.h>

#include <algorithm>

#include "golden/reports.hpp"
#include "sink/closing_words.hpp"
#include "sink/format.hpp"
#include "sink/line.hpp"
#include "sink/trace_words.hpp"
#include "unit/sink_capture.hpp"

namespace tcpwitness {
namespace {

const Names& some_names() {
  static const Names names = golden::names();
  return names;
}

TraceWords words() { return {.names = some_names()}; }

std::string details(const EntryText& rendered) {
  std::string text;
  for (const Span& span : rendered.details) {
    if (!span.text.empty()) text += (text.empty() ? "" : " ") + span.text;
  }
  return text;
}

std::vector<std::string> timeline(const Reports& reports, const TextStyle& style = {}) {
  return test::lines_of(
      test::captured([&](Output& output) { return make_trace_text(output, some_names(), style); }, reports));
}

const Process curl = golden::process(1234, "curl", PidSource::connect);

TEST(TraceText, CausesAreToldInWords) {
  EXPECT_EQ(words().cause({.kind = Cause::Kind::segment, .id = 13, .delay_ns = 21'000, .what = "SYN-ACK"}, {}),
            "caused by SYN-ACK (13), 21 us later");
  EXPECT_EQ(words().cause({.kind = Cause::Kind::call, .what = "connect"}, curl), "connect() by curl[1234]");
  EXPECT_EQ(words().cause({.kind = Cause::Kind::call, .what = "exit"}, curl), "curl[1234] exits");
  EXPECT_EQ(words().cause({.kind = Cause::Kind::call, .what = "exit", .signal = 9}, curl),
            "curl[1234] killed by SIGKILL");
  EXPECT_EQ(words().cause({.kind = Cause::Kind::timer, .what = "keep-alive"}, {}), "keep-alive timer expired");
  EXPECT_EQ(words().cause({.kind = Cause::Kind::timer, .what = "user timeout"}, {}), "user timeout expired");
  EXPECT_EQ(words().cause({.kind = Cause::Kind::timer, .what = "2MSL"}, {}), "2MSL timer expired");
  EXPECT_EQ(words().cause({}, {}), "cause not seen");
}

TEST(TraceText, ACallByNobodyKnownSaysSo) {
  EXPECT_EQ(words().cause({.kind = Cause::Kind::call, .what = "close"}, {}), "close() by ?");
}

TEST(TraceText, ArrowsPointTheWayOfTheSegment) {
  EXPECT_EQ(words().arrow(true, "SYN"), "--- SYN ------>");
  EXPECT_EQ(words().arrow(false, "SYN,ACK"), "<-- SYN,ACK ---");
  EXPECT_EQ(words().arrow(true, "FIN,PSH,ACK"), "--- FIN,PSH,ACK ->");
  EXPECT_EQ(words().arrow(false, ""), "<-- no flags --");
  EXPECT_EQ((TraceWords{.names = some_names(), .utf8 = true}.arrow(true, "ACK")), "─── ACK ──────▶");
}

TEST(TraceText, AStateIsATransitionWithItsCause) {
  const EntryText rendered =
      words().render(golden::by_segment(TcpState::established, TcpState::close_wait, "FIN", 7, 12));
  EXPECT_EQ(rendered.kernel.text, "ESTABLISHED -> CLOSE_WAIT");
  EXPECT_EQ(details(rendered), "caused by FIN (7), 12 us later");
  EXPECT_TRUE(rendered.wire.text.empty());
}

TEST(TraceText, AnInferredStateSaysSo) {
  StateEntry state = golden::by_segment(TcpState::fin_wait2, TcpState::time_wait, "FIN", 7, 12);
  state.inferred = true;
  EXPECT_TRUE(details(words().render(state)).ends_with("(inferred)"));
}

TEST(TraceText, AnEstablishedConnectionTellsWhatTheHandshakeTaught) {
  StateEntry state = golden::by_segment(TcpState::syn_sent, TcpState::established, "SYN-ACK", 3, 21);
  state.cb = golden::control_block(1245, 201'000);
  EXPECT_EQ(details(words().render(state)), "caused by SYN-ACK (3), 21 us later; rtt 1.25 ms, rto 201 ms");
}

TEST(TraceText, ASegmentHasTheWordsOfTcpdumpAndTheStateBefore) {
  const EntryText rendered =
      words().render(golden::wire({.out = false,
                                   .flags = tcp_flag::syn | tcp_flag::ack,
                                   .rel_ack = 1,
                                   .state = TcpState::syn_sent,
                                   .transition = golden::leads(4, TcpState::syn_sent, TcpState::established, 21)}));
  EXPECT_EQ(rendered.kernel.text, "(SYN_SENT)");
  EXPECT_EQ(rendered.wire.text, "<-- SYN,ACK ---");
  EXPECT_EQ(details(rendered), "seq=0 ack=1 win=65160 mss=1460 sackOK TS wscale=7, causes (4)");
}

TEST(TraceText, WhatTheWireAloneShowsOfTheEndsStandsLast) {
  using enum TcpState;
  const auto states = [](std::vector<InferredState> inferred) {
    SegmentEntry segment = golden::wire({});
    segment.inferred = std::move(inferred);
    return words().render(segment).states;
  };
  EXPECT_EQ(states({}), "");
  EXPECT_EQ(states({{false, unknown, syn_sent}}), "SYN_SENT");
  EXPECT_EQ(states({{true, unknown, new_syn_recv}}), "peer NEW_SYN_RECV");
  EXPECT_EQ(states({{false, syn_sent, established}, {true, new_syn_recv, established}}), "both ESTABLISHED");
  EXPECT_EQ(states({{true, close_wait, last_ack}, {false, fin_wait1, fin_wait2}, {false, fin_wait2, time_wait}}),
            "FIN_WAIT2, TIME_WAIT, peer LAST_ACK");
}

TEST(TraceText, ADataSegmentHasItsLengthAndScaledWindow) {
  EXPECT_EQ(details(words().render(golden::wire({.flags = tcp_flag::psh | tcp_flag::ack,
                                                 .rel_seq = 1,
                                                 .rel_ack = 1,
                                                 .len = 100,
                                                 .analysis = {"retransmission"}}))),
            "[retransmission] seq=1 ack=1 len=100 win=64256");
}

TEST(TraceText, AWindowOfUnknownScaleIsAsInTheHeader) {
  SegmentEntry segment = golden::wire({.rel_seq = 1, .rel_ack = 1});
  segment.window_bytes.reset();
  EXPECT_EQ(details(words().render(segment)), "seq=1 ack=1 win=502");
}

TEST(TraceText, ARstTellsItsTtl) {
  EXPECT_EQ(details(words().render(golden::wire({.out = false, .flags = tcp_flag::rst, .rel_seq = 9}))),
            "seq=9 ttl=64");
}

TEST(TraceText, NumbersThatAreNotRelativeSaySo) {
  SegmentEntry segment = golden::wire({.out = false, .rel_seq = 5, .rel_ack = 6});
  segment.relative = false;
  EXPECT_TRUE(details(words().render(segment)).starts_with("seq=5 ack=6 (absolute)"));
}

TEST(TraceText, ASegmentThatNoSocketWantsSaysSo) {
  SegmentEntry segment = golden::wire({.out = false});
  segment.segment.socket.type = SocketKind::none;
  EXPECT_EQ(words().render(segment).kernel.text, "(no matching socket)");
}

TEST(TraceText, ARetransmissionThatDidNotLeaveSaysWhoStoppedIt) {
  RetransmitEntry retransmit{.cause = RetransmitKind::rto,
                             .rel_seq = 1,
                             .relative = true,
                             .len = 9,
                             .err = 1,
                             .rto_us = 204'000,
                             .attempt = 3};
  EXPECT_EQ(words().render(retransmit).kernel.text, "retransmits, attempt 3");
  EXPECT_EQ(details(words().render(retransmit)),
            "RTO: seq=1 len=9, timer 204 ms but the qdisc, a tc filter or netfilter's egress hook refused it");
  retransmit.err = -1;
  EXPECT_TRUE(details(words().render(retransmit)).ends_with("but netfilter dropped it"));
  retransmit.err = TW_RETRANSMIT_ERR_UNKNOWN;
  EXPECT_EQ(details(words().render(retransmit)), "RTO: seq=1 len=9, timer 204 ms");
}

TEST(TraceText, AResetTellsItsMeaningAndTheKernelsName) {
  const EntryText rendered = words().render(ResetEntry{.sent = true,
                                                       .has_socket = true,
                                                       .kind = ResetReason::abort_on_close,
                                                       .reason = "SK_RST_REASON_TCP_ABORT_ON_CLOSE",
                                                       .process = curl,
                                                       .segment = 12});
  EXPECT_EQ(rendered.kernel.text, "RST sent");
  EXPECT_EQ(details(rendered), "the process closed with unread data (12) by curl[1234] [TCP_ABORT_ON_CLOSE]");
}

TEST(TraceText, AnErrorIsWhatTheProcessGets) {
  EXPECT_EQ(words().render(ErrorEntry{.error = 110}).kernel.text, "socket error ETIMEDOUT");
  EXPECT_EQ(details(words().render(ErrorEntry{.error = 110})), "the process gets \"Connection timed out\"");
  EXPECT_EQ(details(words().render(ErrorEntry{.error = 32})), "the next send() gets \"Broken pipe\"");
  EXPECT_EQ(words().render(ErrorEntry{.icmp = {.error = 111, .type = 3, .code = 3}}).kernel.text, "ICMP error");
  EXPECT_EQ(words().render(ErrorEntry{.queue_origin = 5}).kernel.text, "wakes the process");
  EXPECT_EQ(details(words().render(ErrorEntry{})), "the process has read the error already");
}

TEST(TraceText, KeepaliveProbesAreCountedAndTheEndForetold) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  KeepaliveEntry probe{.what = KeepaliveEntry::What::sent,
                       .probe = 1,
                       .probes = 9,
                       .time_ms = 7'200'000,
                       .intvl_ms = 75'000,
                       .dead_at_ns = golden::midnight,
                       .segment = 4};
  EXPECT_EQ(words().render(probe).kernel.text, "keep-alive probe 1 of 9");
  EXPECT_EQ(details(words().render(probe)), "(4) after 2 h idle, one every 75 s, gives up at 08:53:20");
  probe.probe = 2;
  probe.intvl_ms = 0;
  probe.dead_at_ns = 0;
  EXPECT_EQ(details(words().render(probe)), "(4) 1 unanswered");
  probe.what = KeepaliveEntry::What::gave_up;
  EXPECT_EQ(details(words().render(probe)), "2 of 9 probes unanswered");
}

TEST(TraceText, TheClosingLineTellsHowItEnded) {
  Life life = std::get<Life>(golden::keepalive_death().back());
  EXPECT_TRUE(closing_words(life).starts_with("keepalive-timeout after at least 23.1 s, closed by this side: "));
  life.outcome = Outcome::open;
  EXPECT_TRUE(closing_words(life).starts_with("still open after at least 23.1 s: "));
  life.has_wire = false;
  EXPECT_TRUE(closing_words(life).ends_with("(kernel only)"));
}

TEST(TraceText, TheFirstLineOfAConnectionIsPrecededByAHeading) {
  const std::vector<std::string> lines = timeline(golden::curl());
  EXPECT_EQ(lines.at(1), "");
  EXPECT_EQ(lines.at(2), "#1  192.168.7.1:40412 -> 192.168.7.2:8080  curl[4242]  08:53:20.120311");
  EXPECT_TRUE(lines.at(3).contains("CLOSE -> SYN_SENT"));
}

TEST(TraceText, DeltasAreToTheLineBeforeOfTheSameConnection) {
  Reports one = golden::curl(1, 1);
  Reports two = golden::curl(2, 100);
  Reports mixed;
  for (std::size_t i = 0; i < 3; ++i) {
    mixed.push_back(one[i]);
    mixed.push_back(two[i]);
  }
  const std::vector<std::string> lines = timeline(mixed);
  const auto line = [&](std::string_view id) {
    return *std::ranges::find_if(lines, [&](const std::string& text) { return text.substr(0, 5) == id; });
  };
  EXPECT_TRUE(line("    2").contains("+0.000 041  #1"));
  EXPECT_TRUE(line("  101").contains("+0.000 041  #2"));
  EXPECT_TRUE(line("    3").contains("+0.001 204  #1"));
}

TEST(TraceText, ADeltaNeverRunsBackwards) {
  golden::Story story(1, golden::flow("10.0.0.1", 1, "10.0.0.2", 2), 1, golden::midnight);
  story.add(0, golden::wire({})).add(-11'000, golden::wire({})).add(11'500, golden::wire({}));
  const std::vector<std::string> lines = timeline(story.reports);
  EXPECT_TRUE(lines.at(4).contains("+0.000 000"));
  EXPECT_TRUE(lines.at(5).contains("+0.000 500"));
}

TEST(TraceText, AnInterfaceIsToldOnceAndWhereItChanges) {
  golden::Story story(1, golden::flow("10.0.0.1", 1, "10.0.0.2", 2), 1, golden::midnight);
  SegmentEntry other = golden::wire({});
  other.segment.ifindex = 2;
  story.add(0, golden::wire({})).add(1, golden::wire({})).add(1, other);
  const std::vector<std::string> lines = timeline(story.reports);
  EXPECT_TRUE(lines.at(3).ends_with("on veth0"));
  EXPECT_FALSE(lines.at(4).contains(" on "));
  EXPECT_TRUE(lines.at(5).ends_with("on eth0"));
}

TEST(TraceText, APortThatTheFirstLineDidNotKnowIsToldWhenItIsKnown) {
  Reports reports = golden::curl();
  std::get<Entry>(reports[0]).flow.local.port = 0;
  const std::vector<std::string> lines = timeline(reports);
  EXPECT_TRUE(lines.at(2).starts_with("#1  192.168.7.1 -> 192.168.7.2:8080"));
  EXPECT_TRUE(lines.at(4).ends_with("from port 40412"));
  EXPECT_FALSE(lines.at(5).contains("from port"));
}

TEST(TraceText, ALifeWithoutEntriesHasAHeadingToo) {
  const std::vector<std::string> lines = timeline(golden::one_witness());
  EXPECT_TRUE(lines.at(2).starts_with("#5  192.168.178.101:443 <- 203.0.113.200:58112  nginx[812]"));
  EXPECT_TRUE(lines.at(3).contains("== reset-by-peer after 250 ms"));
}

TEST(TraceText, AFindingNamesItsEvidence) {
  const std::vector<std::string> lines = timeline(golden::curl());
  const auto found = std::ranges::find_if(lines, [](const std::string& line) { return line.contains("!!"); });
  ASSERT_NE(found, lines.end());
  EXPECT_TRUE(found->contains("#1  !! time-wait (certain): this side closed first"));
  EXPECT_TRUE(found->ends_with("(6 11)"));
}

TEST(TraceText, AGapIsLoud) {
  EXPECT_TRUE(timeline({golden::gap()}).at(0).starts_with("######## 1,234 events lost on CPU 3"));
}

TEST(TraceText, NoWordIsLostOnANarrowTerminal) {
  const auto letters = [](const std::vector<std::string>& lines) {
    std::string all;
    for (const std::string& line : lines) {
      std::ranges::copy_if(line, std::back_inserter(all), [](char c) { return c != ' '; });
    }
    return all;
  };
  for (const unsigned width : {112U, 120U, 140U}) {
    EXPECT_EQ(letters(timeline(golden::run(), {.width = width})), letters(timeline(golden::run())));
  }
}

TEST(TraceText, LinesFitTheTerminal) {
  for (unsigned width = 90; width <= 200; width += 5) {
    for (const std::string& line : timeline(golden::run(), {.width = width})) {
      EXPECT_LE(columns(line), width) << line;
      EXPECT_FALSE(line.ends_with(' ')) << line;
    }
  }
}

TEST(TraceText, NothingFromOutsideControlsTheTerminal) {
  for (const std::string& line : timeline(golden::run())) EXPECT_FALSE(line.contains('\x1b')) << line;
}

// A capture's and a recording's interfaces are called as the file says.
TEST(TraceText, AnInterfacesNameIsNoOrderToTheTerminal) {
  const auto on = [](const std::string& interface, const TextStyle& style) {
    Names names;
    names.interfaces = {{7, interface}};
    const golden::Story story = std::move(
        golden::Story(1, golden::flow("10.0.0.1", 40000, "10.0.0.2", 80), 1, 0).add(0, golden::wire({.flags = 2})));
    return test::captured([&](Output& output) { return make_trace_text(output, names, style); }, story.reports);
  };
  const std::string forged = on("e\x1b]0;PWNED\x07\x1b[31m\n#9 fake", {.utf8 = true});
  EXPECT_TRUE(forged.contains("on e?]0;PWNED??[31m?#9 fake\n")) << forged;
  EXPECT_EQ(test::lines_of(forged).size(), test::lines_of(on("eth0", {.utf8 = true})).size());
  EXPECT_TRUE(on("\u00e9th0", {.utf8 = true}).contains("on \u00e9th0\n"));
  EXPECT_TRUE(on("\u00e9th0", {}).contains("on ?th0\n"));
}

TEST(Line, WhateverIsPutCannotBeginALine) {
  const auto put = [](std::string_view text, const TextStyle& style, std::size_t width) {
    Buffer buffer;
    Line line(buffer, style, width);
    line.put(text, Colour::bad);
    line.words(text, 2);
    line.end();
    return fmt::to_string(buffer);
  };
  EXPECT_EQ(put("a\x1b[2J\nb\xff", {}, 0), "a?[2J?b? a?[2J?b?\n");
  EXPECT_EQ(put("\x1b", {.colour = true}, 0), "\x1b[31m?\x1b[0m ?\n") << "our own colours stay";
  EXPECT_EQ(put("\u2192", {.utf8 = true}, 0), "\u2192 \u2192\n");
  EXPECT_EQ(put("\u6f22\u5b57", {.utf8 = true}, 9), "\u6f22\u5b57 \u6f22\u5b57\n");
  EXPECT_EQ(put("\u6f22\u5b57", {.utf8 = true}, 8), "\u6f22\u5b57\n  \u6f22\u5b57\n");
}

TEST(Line, ANumberAndItsUnitStayTogether) {
  Buffer buffer;
  Line line(buffer, {}, 12);
  line.pad_to(0);
  line.words("takes about 20 ms", 2);
  line.end();
  EXPECT_EQ(fmt::to_string(buffer), " takes about\n  20 ms\n");
}

}  // namespace
}  // namespace tcpwitness
