// SPDX-License-Identifier: Apache-2.0
// SYNs that this machine drops before TCP has them: for a listener, and for a port where nobody listens. And what is
// reported of a refusal whose both ends are here.
#include <fmt/format.h>

#include <cerrno>

#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

// The peer's SYNs come after these pauses; a rule drops `dropped` of them.
struct Asked {
  std::vector<std::int64_t> pauses{1 * s, 2 * s};
  std::size_t dropped = 3;
  std::uint32_t reason = drop_netfilter;
};

void asks(Side& c, const Asked& how) {
  for (std::size_t i = 0; i <= how.pauses.size(); ++i) {
    if (i != 0) c.stream().wait(how.pauses[i - 1]);
    const Side before = c;
    c.in(S, 0, i == 0 ? 0 : TW_EVENT_RETRANSMISSION);
    if (i < how.dropped) c.drop(how.reason, false, S);
    c.refuses(before);
  }
}

RunResult listener_asked(const Asked& how, std::int64_t later = 15 * s) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  asks(c, how);
  return run(stream.events, life_settings(), later);
}

TEST(SynDropped, IsTheOutcomeOfARequestThatAFirewallRuleDrops) {
  const RunResult reported = listener_asked({});
  EXPECT_EQ(reported.life().outcome, Outcome::syn_dropped);
  EXPECT_EQ(reported.life().closed_by, ClosedBy::none);
  EXPECT_EQ(reported.life().explanation,
            "None of the 3 SYNs reached the listener: dropped by netfilter, the kernel's firewall (NETFILTER_DROP).");
  EXPECT_EQ(reported.finding(Rule::rx_dropped)->confidence, Confidence::certain);
}

TEST(SynDropped, AlmostIs) {
  EXPECT_EQ(listener_asked({.dropped = 2}).life().outcome, Outcome::unknown) << "one of them had another fate";
  EXPECT_EQ(listener_asked({.reason = drop_no_socket}).life().outcome, Outcome::unknown) << "no fault: TCP had it";
}

// A firewall, or a full queue, and then no listener any more: what answers a SYN acknowledges it.
TEST(SynDropped, IsRefusedWhereTcpRefusesTheLastOne) {
  for (const bool acknowledges : {true, false}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    c.view = SocketKind::listener;
    asks(c, {.pauses = {1 * s}, .dropped = 2});
    stream.wait(2 * s);
    c.view = SocketKind::none;
    c.in(S, 0, TW_EVENT_RETRANSMISSION | TW_EVENT_NO_SOCKET);
    c.kernel_reset_without_socket(reason_no_socket, [&](Reset& r) { r.skb_seq = c.peer_isn(); });
    c.view = SocketKind::control;
    c.out(acknowledges ? RA : R, 0, 0, [](Segment& g) { g.seq = 0; });
    const RunResult reported = run(stream.events, life_settings(), 15 * s);
    EXPECT_EQ(reported.life().outcome, acknowledges ? Outcome::refused : Outcome::unknown);
    EXPECT_EQ(reported.life().closed_by, acknowledges ? ClosedBy::local : ClosedBy::none);
    EXPECT_TRUE(!acknowledges || reported.life().duration_ns < 4 * s) << "until the RST";
    EXPECT_EQ(reported.finding(Rule::reset_origin)->confidence, Confidence::certain);
  }
}

// The last one is taken after all (a rule with a limit).
TEST(SynDropped, IsNoOutcomeOfAConnectionThatCameAboutLater) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  asks(c, {.pauses = {}, .dropped = 1});
  stream.wait(1 * s);
  accepts(c);
  closes_second(c, nginx);
  const RunResult reported = run(stream.events, life_settings(), 1 * s);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
}

// The pauses double: what does not come within twice the time since the first SYN comes no more.
TEST(SynDropped, IsReportedWhenNoOtherSynCanCome) {
  Correlator correlator(life_settings(), kernel_names());
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  asks(c, {.pauses = {1 * s, 2 * s, 4 * s}, .dropped = 4});
  Reports reports;
  for (const Event& event : stream.events) correlator.feed(event, reports);
  const auto lives = [&] { return RunResult{reports, {}}.lives().size(); };
  correlator.advance(stream.now + 8 * s, reports);
  EXPECT_EQ(lives(), 0U) << "the next SYN is due";
  for (std::int64_t after = 9; after < 22; ++after) correlator.advance(stream.now + after * s, reports);
  EXPECT_EQ(lives(), 1U);
}

RunResult nobody_asked(const Asked& how, bool reset = false, bool message = false, std::int64_t later = 6 * s) {
  Stream stream;
  Side c = server_of(stream);
  c.view = SocketKind::none;
  for (std::size_t i = 0; i <= how.pauses.size(); ++i) {
    if (i != 0) stream.wait(how.pauses[i - 1]);
    const Side before = c;
    c.in(S, 0, TW_EVENT_NO_SOCKET);
    if (reset) c.out(RA, 0, 0, [](Segment& g) { g.seq = 0; });
    if (message) c.icmp_sent(3, c.peer_isn());
    if (i < how.dropped) c.drop(how.reason, false, S);
    c.refuses(before);
  }
  return run(stream.events, life_settings(), later);
}

TEST(DroppedSyn, IsOneFindingWithAddressesReasonAndCount) {
  const RunResult reported = nobody_asked({});
  EXPECT_TRUE(reported.lives().empty());
  ASSERT_EQ(reported.all<FindingReport>().size(), 1U);
  const auto finding = reported.finding(Rule::rx_dropped);
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_EQ(sentence(*finding),
            "3 SYNs within 3.00 s from 10.0.0.1:40000 to 10.0.0.2:80 arrived and never reached TCP: dropped by "
            "netfilter, the kernel's firewall (NETFILTER_DROP)");
  EXPECT_EQ(finding->evidence.size(), 6U);
}

// DNAT to 127.0.0.1 without net.ipv4.conf.*.route_localnet.
TEST(DroppedSyn, IsTheSameSynBehindNat) {
  for (const bool same_number : {true, false}) {
    Stream stream;
    Side c = server_of(stream);
    c.view = SocketKind::none;
    c.in(S, 0, TW_EVENT_NO_SOCKET);
    Side translated(stream, 0, "127.0.0.1", 8080, "10.0.0.1", 40000, 300, c.peer_isn() + (same_number ? 1 : 2), false);
    translated.drop(drop_netfilter, false, S);
    const auto finding = run(stream.events, life_settings(), 6 * s).finding(Rule::rx_dropped);
    ASSERT_EQ(finding.has_value(), same_number);
    EXPECT_TRUE(!finding || says(finding, "to 10.0.0.2:80 arrived, was for 127.0.0.1:8080 by NAT,"))
        << finding_text(finding);
  }
}

TEST(DroppedSyn, SaysHowItWasAnswered) {
  const RunResult message = nobody_asked({.pauses = {}}, false, true);
  EXPECT_TRUE(says(message.finding(Rule::rx_dropped), "port unreachable (type 3, code 3)"))
      << finding_text(message.finding(Rule::rx_dropped));
  const RunResult reset = nobody_asked({.pauses = {}}, true);
  EXPECT_TRUE(says(reset.finding(Rule::rx_dropped), "it was answered by a RST"));
  EXPECT_FALSE(reset.finding(Rule::stray_segment).has_value()) << "one finding";
}

TEST(DroppedSyn, AlmostIs) {
  // TCP had it, found no socket, and dropped it behind its RST.
  const RunResult refused = nobody_asked({.reason = drop_no_socket}, true);
  EXPECT_FALSE(refused.finding(Rule::rx_dropped).has_value());
  EXPECT_TRUE(refused.finding(Rule::stray_segment).has_value());
  EXPECT_FALSE(nobody_asked({.dropped = 0}).finding(Rule::rx_dropped).has_value()) << "NAT can have sent it on";
  // No packet shows that it was for this machine: it can be one that is to be sent on (FORWARD).
  Stream stream;
  Side c = server_of(stream);
  c.drop(drop_netfilter, false, S);
  EXPECT_FALSE(run(stream.events, life_settings(), 6 * s).finding(Rule::rx_dropped).has_value());
}

TEST(DroppedSyn, TooManyAreOneFindingASecond) {
  Stream stream;
  for (std::uint16_t i = 0; i < 1000; ++i) {
    Side c(stream, 0, "10.0.0.2", 80, "10.0.0.1", static_cast<std::uint16_t>(1024 + i), 300, 100U + i, false);
    c.view = SocketKind::none;
    c.in(S, 0, TW_EVENT_NO_SOCKET);
    c.drop(drop_netfilter, false, S);
  }
  const RunResult reported = run(stream.events, life_settings(), 6 * s);
  std::size_t sums = 0;
  std::size_t syns = 0;
  for (const auto& report : reported.all<FindingReport>()) {
    const std::string& text = sentence(report.finding);
    const bool sum = text.contains("more SYNs");
    sums += sum ? 1 : 0;
    const std::size_t count = sum ? std::stoul(text) : 1;
    syns += count;
    EXPECT_TRUE(text.contains(sum ? fmt::format("({} NETFILTER_DROP)", count) : "(NETFILTER_DROP)")) << text;
  }
  EXPECT_EQ(syns, 1000U);
  EXPECT_LE(reported.all<FindingReport>().size(), 30U);
  EXPECT_GE(sums, 1U);
  EXPECT_LE(sums, 3U);
}

// The pauses double, so the next SYN of an attempt is waited for.
TEST(DroppedSyn, IsReportedWhenNoOtherSynCanCome) {
  const RunResult reported = nobody_asked({.pauses = {1 * s, 2 * s, 4 * s, 8 * s}, .dropped = 5});
  ASSERT_EQ(reported.all<FindingReport>().size(), 1U);
  EXPECT_TRUE(says(reported.finding(Rule::rx_dropped), "5 SYNs within 15.0 s from"))
      << finding_text(reported.finding(Rule::rx_dropped));
  // Almost: what comes so late is another attempt.
  const RunResult late = nobody_asked({.pauses = {1 * s, 6 * s}, .dropped = 3});
  ASSERT_EQ(late.all<FindingReport>().size(), 2U);
  EXPECT_TRUE(sentence(late.all<FindingReport>()[0].finding).starts_with("2 SYNs within 1.00 s"))
      << sentence(late.all<FindingReport>()[0].finding);
  EXPECT_TRUE(sentence(late.all<FindingReport>()[1].finding).starts_with("a SYN"));
}

TEST(DroppedSyn, NamesEachReason) {
  Stream stream;
  Side c = server_of(stream);
  c.view = SocketKind::none;
  for (const std::uint32_t reason : {drop_netfilter, drop_netfilter, drop_rcvbuff}) {
    const Side before = c;
    c.in(S, 0, TW_EVENT_NO_SOCKET);
    c.drop(reason, false, S);
    c.refuses(before);
    stream.wait(1 * s);
  }
  const auto finding = run(stream.events, life_settings(), 9 * s).finding(Rule::rx_dropped);
  EXPECT_TRUE(says(
      finding, "2 dropped by netfilter, the kernel's firewall (NETFILTER_DROP); 1 no memory was left (SOCKET_RCVBUFF)"))
      << finding_text(finding);
}

// A port scan: each port is closed, and answers.
TEST(StraySegment, NoneIsForgottenAmongMany) {
  Stream stream;
  for (std::uint16_t i = 0; i < 600; ++i) {
    Side c(stream, 0, "10.0.0.2", static_cast<std::uint16_t>(1024 + i), "10.0.0.1", 40000, 300, 100U + i, false);
    c.view = SocketKind::none;
    c.in(S, 0, TW_EVENT_NO_SOCKET);
    c.out(RA, 0, 0, [](Segment& g) { g.seq = 0; });
  }
  stream.wait(1 * s);
  const RunResult reported = run(stream.events, trace_settings(), 2 * s);
  std::size_t segments = 0;
  for (const auto& report : reported.all<FindingReport>()) {
    const std::string& text = sentence(report.finding);
    segments += text.contains("more segments") ? std::stoul(text) : 1;
  }
  EXPECT_EQ(segments, 600U);
  EXPECT_EQ(reported.entries_of<SegmentEntry>().size(), 1200U);
}

// 600 SYNs first, as one interrupt brings them, and then the answers.
TEST(StraySegment, EachIsShownOnceTheKernelAnswers) {
  const auto shown = [](bool answered) {
    Stream stream;
    const auto side = [&](std::uint16_t i) {
      Side c(stream, 0, "10.0.0.2", static_cast<std::uint16_t>(1024 + i), "10.0.0.1", 40000, 300, 100U + i, false);
      c.view = SocketKind::none;
      return c;
    };
    for (std::uint16_t i = 0; i < 600; ++i) side(i).in(S, 0, TW_EVENT_NO_SOCKET);
    for (std::uint16_t i = 0; answered && i < 600; ++i) side(i).out(RA, 0, 0, [](Segment& g) { g.seq = 0; });
    for (Event& event : stream.events) event.ts_ns = stream.events.front().ts_ns;
    return run(stream.events, trace_settings(), 1 * s).entries_of<SegmentEntry>().size();
  };
  EXPECT_EQ(shown(true), 1200U);
  EXPECT_EQ(shown(false), 0U) << "NAT has sent them on";
}

// Over loopback the refused SYN is a connection's of this machine: its own finding has who refused it.
std::vector<Event> refused_on_loopback(bool client_is_known) {
  Stream stream;
  Side c = client_of(stream);
  if (client_is_known) {
    c.to(State::syn_sent, curl);
    c.out(S);
  }
  Side server = server_of(stream);
  server.view = SocketKind::none;
  server.in(S, 0, TW_EVENT_NO_SOCKET, [&](Segment& g) { g.seq = c.isn(); });
  server.kernel_reset_without_socket(reason_no_socket, [&](Reset& r) { r.skb_seq = c.isn(); });
  server.view = SocketKind::control;
  server.out(RA, 0, 0, [](Segment& g) { g.seq = 0; });
  if (client_is_known) {
    c.in(RA, 0, 0, [](Segment& g) { g.seq = 0; });
    c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    connect_times_out(c, ECONNREFUSED);
  }
  return stream.events;
}

TEST(StraySegment, OfAConnectionOfThisMachineIsThatOnesToReport) {
  const RunResult reported = run(refused_on_loopback(true), life_settings(), 1 * s);
  EXPECT_FALSE(reported.finding(Rule::stray_segment).has_value());
  EXPECT_TRUE(says(reported.finding(Rule::reset_origin), "this machine's own TCP sent the RST"));
  EXPECT_TRUE(run(refused_on_loopback(false), life_settings(), 1 * s).finding(Rule::stray_segment).has_value());
}

// A SYN of this machine is dropped where it arrives, over loopback.
void on_loopback(Segment& g) { g.ifindex = 1; }

RunResult dropped_over_loopback(bool its_number, bool reset) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  Side server(stream, 0, "10.0.0.2", 80, "10.0.0.1", 40000, 300, c.isn() + (its_number ? 0 : 7), false);
  server.view = SocketKind::none;
  server.in(S, 0, TW_EVENT_NO_SOCKET, on_loopback);
  if (reset) server.out(RA, 0, 0, [](Segment& g) { g.seq = 0; });
  server.drop(drop_netfilter, false, S);
  if (reset) c.in(RA, 0, 0, [](Segment& g) { g.seq = 0; });
  if (reset) c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  stream.wait(reset ? 0 : 3 * s);
  connect_times_out(c, reset ? ECONNREFUSED : ETIMEDOUT);
  return run(stream.events, life_settings(), 6 * s);
}

TEST(DroppedSyn, OverLoopbackIsOfTheConnectionThatSentIt) {
  const RunResult reported = dropped_over_loopback(true, false);
  ASSERT_EQ(reported.all<FindingReport>().size(), 1U);
  EXPECT_EQ(reported.all<FindingReport>()[0].conn, reported.life().conn);
  EXPECT_TRUE(says(reported.finding(Rule::rx_dropped), "1 SYN arrived at 10.0.0.2:80 on this machine"));
  EXPECT_EQ(reported.life().outcome, Outcome::connect_timeout);
  EXPECT_TRUE(reported.life().explanation.contains("this machine dropped the SYN where it arrived"))
      << reported.life().explanation;
  // Almost: the number is another connection's.
  const RunResult other = dropped_over_loopback(false, false);
  EXPECT_TRUE(says(other.finding(Rule::rx_dropped), "a SYN from 10.0.0.1:40000"));
  EXPECT_FALSE(other.life().explanation.contains("where it arrived"));
}

// A loop or a mirror brings the SYN back by another interface: nobody here was asked.
TEST(DroppedSyn, ACopyThatTheNetworkBringsBackIsNone) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  Side copy(stream, 0, "10.0.0.2", 80, "10.0.0.1", 40000, 300, c.isn(), false);
  copy.view = SocketKind::none;
  copy.in(S, 0, TW_EVENT_NO_SOCKET, [](Segment& g) { g.ifindex = 3; });
  copy.drop(drop_netfilter, false, S);
  stream.wait(3 * s);
  connect_times_out(c, ETIMEDOUT);
  const RunResult reported = run(stream.events, life_settings(), 6 * s);
  EXPECT_FALSE(reported.finding(Rule::rx_dropped).has_value()) << finding_text(reported.finding(Rule::rx_dropped));
  EXPECT_EQ(reported.life().outcome, Outcome::connect_timeout);
}

TEST(DroppedSyn, OverLoopbackForASecondReasonHidesNone) {
  const auto finding = [](bool second, bool answer_too) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    c.out(S);
    for (const std::uint32_t reason : {drop_netfilter, second ? drop_rcvbuff : drop_netfilter}) {
      Side server(stream, 0, "10.0.0.2", 80, "10.0.0.1", 40000, 300, c.isn(), false);
      server.view = SocketKind::none;
      server.in(S, 0, TW_EVENT_NO_SOCKET, on_loopback);
      server.drop(reason, false, S);
      stream.wait(1 * s);
    }
    if (answer_too) c.drop(drop_qdisc, false, SA);
    connect_times_out(c, ETIMEDOUT);
    return run(stream.events, life_settings(), 6 * s).finding(Rule::rx_dropped);
  };
  EXPECT_TRUE(says(finding(true, false), "2 SYNs arrived at 10.0.0.2:80 on this machine"))
      << finding_text(finding(true, false));
  EXPECT_TRUE(says(finding(true, false), "NETFILTER_DROP); no memory was left (SOCKET_RCVBUFF)"));
  EXPECT_FALSE(says(finding(false, false), "SOCKET_RCVBUFF"));
  EXPECT_TRUE(says(finding(false, true), "NETFILTER_DROP); 1 segment from the peer arrived and never reached"))
      << finding_text(finding(false, true));
}

TEST(DroppedSyn, OverLoopbackWithARstIsTheFirewallsRefusal) {
  const RunResult reported = dropped_over_loopback(true, true);
  EXPECT_EQ(reported.life().outcome, Outcome::refused);
  EXPECT_EQ(reported.life().closed_by, ClosedBy::local);
  EXPECT_EQ(reported.finding(Rule::reset_origin)->confidence, Confidence::certain);
  EXPECT_TRUE(says(reported.finding(Rule::reset_origin), "a local firewall sent the RST"));
  EXPECT_FALSE(says(dropped_over_loopback(false, true).finding(Rule::reset_origin), "firewall"));
}

// The message came while connect() held the socket; the process read SO_ERROR and closed 1.5 s later.
TEST(ConnectFailed, WhenItsErrorWasSetAndNotWhenTheSocketWasClosed) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.drop(drop_netfilter, true, S);
  c.snd_nxt = c.write_seq = c.isn() + 1;
  c.extra.packets_out = 1;
  c.queued(2, ECONNREFUSED, 3, "10.0.0.1");
  stream.wait(1500 * ms);
  c.to(State::close, curl);
  const Life life = run(stream.events).life();
  EXPECT_EQ(life.outcome, Outcome::connect_unsent);
  EXPECT_EQ(life.error, ECONNREFUSED);
  EXPECT_TRUE(life.explanation.contains("ECONNREFUSED after 20 us, and the socket was closed 1.50 s later"))
      << life.explanation;
}

// Almost: the second message ended it by itself.
TEST(ConnectFailed, WhenTheMessageEndedIt) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.drop(drop_netfilter, true, S);
  c.snd_nxt = c.write_seq = c.isn() + 1;
  c.extra.packets_out = 1;
  stream.wait(1 * s);
  c.icmp(3, 3, "10.0.0.1", c.isn());
  connect_times_out(c, ECONNREFUSED);
  const RunResult reported = run(stream.events, trace_settings());
  EXPECT_TRUE(reported.life().explanation.contains("ECONNREFUSED after 1")) << reported.life().explanation;
  const auto end = reported.transition(State::syn_sent, State::close);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->cause.kind, Cause::Kind::icmp);
}

TEST(Cause, IsTheKernelsReportOfARstWherePacketsAreNotWatched) {
  for (const bool by_kernel : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    if (by_kernel) c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    connect_times_out(c, ECONNREFUSED);
    CorrelatorSettings settings = trace_settings();
    settings.has_wire = false;
    const RunResult reported = run(stream.events, settings);
    EXPECT_EQ(reported.life().outcome, Outcome::refused);
    EXPECT_EQ(reported.life().explanation.contains("answered by a RST:"), by_kernel) << reported.life().explanation;
    const auto end = reported.transition(State::syn_sent, State::close);
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(end->cause.kind, by_kernel ? Cause::Kind::reset : Cause::Kind::unknown);
  }
}

// The kernel gives up on data that it had sent again; when the process reads the error, and who closes.
struct GivenUp {
  bool before = false;  // the error is reported, and read, before the state changes (before Linux 6.10)
  bool unread = false;  // it is still there when the state changes
  Caller by = nobody;
  bool reset = false;
};
Outcome gives_up(const GivenUp& how) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 20);
  stream.wait(1 * s);
  c.out(PA, 20, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
  c.retransmit(4, 0, 1);
  if (how.reset) c.in(R);
  if (how.before) c.error(EHOSTUNREACH);
  if (how.unread) c.extra.sk_err = EHOSTUNREACH;
  c.to(State::close, how.by);
  c.destroy();
  return run(stream.events).life().outcome;
}

TEST(GaveUp, AnErrorThatTheProcessReadBeforeTheEndCountsAllTheSame) {
  EXPECT_EQ(gives_up({.before = true}), Outcome::retransmit_timeout);
  EXPECT_EQ(gives_up({.unread = true}), Outcome::retransmit_timeout);
  EXPECT_EQ(gives_up({}), Outcome::retransmit_timeout) << "no event had it: tcp_write_err() alone closes so";
}

TEST(GaveUp, AlmostDid) {
  EXPECT_NE(gives_up({.by = curl}), Outcome::retransmit_timeout) << "the process closed it";
  EXPECT_NE(gives_up({.reset = true}), Outcome::retransmit_timeout) << "a RST came";
}

}  // namespace
}  // namespace tcpwitness::testing
