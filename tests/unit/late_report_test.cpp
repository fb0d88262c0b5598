// SPDX-License-Identifier: Apache-2.0
// late_report_test.cpp: the kernel's report of a RST comes long behind what shows that it must come.
#include "unit/both_ends.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

// The process dies with unread data, its RST leaves; the kernel's report of it comes so much later.
RunResult killed(std::int64_t report_after, bool lost = false, bool segment_first = true) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 70);
  c.leave_unread(70);
  c.to(State::close, killed_curl);
  if (!segment_first) stream.wait(report_after);
  c.out(RA);
  if (lost) stream.gap();
  if (segment_first) stream.wait(report_after);
  c.kernel_reset(ResetDirection::sent, reason_abort_on_close, killed_curl);
  c.destroy();
  return run(stream.events, life_settings(), 1 * s);
}

Confidence confidence_of(const RunResult& result) {
  const auto finding = result.finding(Rule::reset_origin);
  return finding ? finding->confidence : Confidence::inconclusive;
}

TEST(LateReport, OfARstThatLeftItsSocketIsAwaited) {
  EXPECT_EQ(confidence_of(killed(55 * ms)), Confidence::certain);
  EXPECT_EQ(confidence_of(killed(900 * ms)), Confidence::certain);
  EXPECT_TRUE(says(killed(55 * ms).finding(Rule::reset_origin), "TCP_ABORT_ON_CLOSE"));
  EXPECT_EQ(confidence_of(killed(5 * s)), Confidence::likely) << "not for ever";
}

TEST(LateReport, IsNotAwaitedWhereItCanBeLost) {
  const RunResult result = killed(55 * ms, true);
  EXPECT_NE(confidence_of(result), Confidence::certain);
  EXPECT_EQ(result.lives().size(), 1U);
}

TEST(LateReport, OfARstThatTheTransitionMeansIsAwaited) {
  const RunResult late = killed(55 * ms, false, false);
  EXPECT_EQ(late.life().outcome, Outcome::aborted);
  EXPECT_EQ(confidence_of(late), Confidence::certain);
}

// When its life is told.
std::int64_t told_after(bool destroyed) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.to(State::close, curl);
  if (destroyed) c.destroy();
  Correlator correlator(life_settings(), kernel_names());
  Reports reports;
  for (const Event& event : stream.events) correlator.feed(event, reports);
  const auto told = [&] {
    return std::ranges::any_of(reports, [](const Report& report) { return std::holds_alternative<Life>(report); });
  };
  std::int64_t waited = 0;
  while (!told() && waited < 10 * s) correlator.advance(stream.now + (waited += 10 * ms), reports);
  return waited;
}

TEST(LateReport, IsNotAwaitedOfASocketThatIsDestroyed) {
  EXPECT_LE(told_after(true), 50 * ms);
  EXPECT_GE(told_after(false), 1 * s);
  EXPECT_LE(told_after(false), 3 * s);
}

// Payload for an orphan: the kernel reports a RST as received first, and the one it sends last.
TEST(LateReport, OfTheAnswerToPayloadForAnOrphanIsAwaited) {
  for (const bool rst_came : {false, true}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.to(State::fin_wait1, curl);
    c.out(FA);
    c.acked_by_peer = c.snd_nxt - 1;
    c.in(rst_came ? RA : PA, rst_came ? 0 : 10);
    c.extra.flags = TW_CB_DEAD;
    c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    c.extra.sk_err = 104;
    c.to(State::close);
    c.destroy();
    stream.wait(55 * ms);
    if (!rst_came) {
      c.kernel_reset(ResetDirection::sent, reason_abort_on_data, nobody, true);
      c.view = SocketKind::control;
      c.out(R);
    }
    const RunResult result = run(stream.events, life_settings(), 1 * s);
    EXPECT_EQ(result.life().outcome, rst_came ? Outcome::reset_by_peer : Outcome::reset_by_local);
    EXPECT_EQ(says(result.finding(Rule::reset_origin), "TCP_ABORT_ON_DATA"), !rst_came);
  }
}

// The other end's report: its RST has come in here, and this life is over first.
TEST(LateReport, OfTheOtherEndIsAwaited) {
  for (const bool here_too : {true, false}) {
    Ends ends(here_too ? 300 : 301);
    auto& [stream, client, server] = ends;
    ends.connect();
    server.leave_unread(10);
    server.to(State::close, nginx);
    server.out(RA);
    client.in(RA);
    client.kernel_reset(ResetDirection::received, reset_reason_unknown);
    client.extra.sk_err = 104;
    client.to(State::close);
    client.error(104);
    client.destroy();
    stream.wait(55 * ms);
    server.kernel_reset(ResetDirection::sent, reason_abort_on_close, nginx);
    server.destroy();
    const auto lives = run(stream.events, life_settings(), 1 * s).lives();
    const Life* client_life = life_at(lives, 40000);
    ASSERT_NE(client_life, nullptr);
    const auto origin = std::ranges::find(client_life->findings, Rule::reset_origin, &Finding::rule);
    ASSERT_NE(origin, client_life->findings.end());
    EXPECT_EQ(origin->confidence, here_too ? Confidence::certain : Confidence::likely) << sentence(*origin);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
