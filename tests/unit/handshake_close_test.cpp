// SPDX-License-Identifier: Apache-2.0
// Handshake and close, both sides, as docs/kernel.md orders the events.
#include <gtest/gtest.h>

#include "unit/churn.hpp"
#include "unit/run.hpp"

namespace tcpwitness::testing {
namespace {

TEST(Handshake, ClientThatClosesFirstIsCompletedAndWaitsInTimeWait) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 50);
  c.in(PA, 70);
  closes_first(c, curl);
  const RunResult r = run(stream.events);
  ASSERT_EQ(r.lives().size(), 1U);
  const Life life = r.life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.role, Role::active);
  EXPECT_EQ(life.closed_by, ClosedBy::local);
  EXPECT_EQ(life.process.pid, 42U);
  EXPECT_EQ(life.process.comm, "curl");
  EXPECT_EQ(life.process.source, PidSource::connect);
  EXPECT_EQ(life.states,
            states({State::syn_sent, State::established, State::fin_wait1, State::fin_wait2, State::time_wait}));
  EXPECT_EQ(life.tx_bytes, 50U);
  EXPECT_EQ(life.rx_bytes, 70U);
  EXPECT_EQ(life.flow.local.port, 40000);
  EXPECT_TRUE(life.has_kernel);
  EXPECT_TRUE(life.has_wire);
  EXPECT_FALSE(life.preexisting);
  EXPECT_FALSE(life.incomplete);
  ASSERT_TRUE(life.handshake_ns.has_value());
}

TEST(Handshake, ServerThatClosesSecondIsCompletedAndShowsTheRequestSocket) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.in(PA, 50);
  c.out(PA, 70);
  closes_second(c, nginx);
  const RunResult r = run(stream.events);
  ASSERT_EQ(r.lives().size(), 1U);
  const Life life = r.life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.role, Role::passive);
  EXPECT_EQ(life.closed_by, ClosedBy::peer);
  EXPECT_EQ(life.process.pid, 80U);
  EXPECT_EQ(life.states, states({State::new_syn_recv, State::syn_recv, State::established, State::close_wait,
                                 State::last_ack, State::close}));
  EXPECT_EQ(life.tx_bytes, 70U);
  EXPECT_EQ(life.rx_bytes, 50U);
}

TEST(Handshake, KernelAloneTellsTheSameLife) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.state = State::listen;
  c.rcv_nxt = c.copied_seq = c.peer_nxt = 101;
  c.snd_nxt = c.snd_una = c.write_seq = 301;
  c.to(State::syn_recv);
  c.to(State::established);
  c.to(State::close_wait);
  c.to(State::last_ack, nginx);
  c.write_seq = c.snd_nxt = c.snd_una = 302;
  c.to(State::close);
  c.destroy();
  CorrelatorSettings settings = life_settings();
  settings.has_wire = false;
  const Life life = run(stream.events, settings).life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.states,
            states({State::syn_recv, State::established, State::close_wait, State::last_ack, State::close}));
  EXPECT_FALSE(life.has_wire);
  EXPECT_EQ(life.tx_bytes, 0U);
}

TEST(Handshake, RelativeNumbersCountTheSynAsOne) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  const EventId syn = c.out(S);
  const EventId syn_ack = c.in(SA);
  c.to(State::established);
  const EventId last = c.out(A, 0, TW_EVENT_HANDSHAKE_ACK);
  const RunResult r = run(stream.events, trace_settings());
  EXPECT_EQ(r.segment(syn)->rel_seq, 0U);
  EXPECT_TRUE(r.segment(syn)->relative);
  EXPECT_EQ(r.segment(syn_ack)->rel_seq, 0U);
  EXPECT_EQ(r.segment(syn_ack)->rel_ack, 1U);
  EXPECT_EQ(r.segment(last)->rel_seq, 1U);
  EXPECT_EQ(r.segment(last)->rel_ack, 1U);
}

TEST(Handshake, BothEndsOverLoopbackAgreeOnBytes) {
  Stream stream;
  listens(stream);
  Side client = client_of(stream);
  Side server = server_of(stream);
  both_open(client, server);
  client.out(PA, 1000);
  server.in(PA, 1000);
  server.used(nginx, OwnerSource::receive);
  both_close(client, server);
  const RunResult r = run(stream.events);
  ASSERT_EQ(r.lives().size(), 2U);
  EXPECT_EQ(r.life(0).tx_bytes, 1000U);
  EXPECT_EQ(r.life(1).rx_bytes, 1000U);
  EXPECT_EQ(r.life(0).rx_bytes, 0U);
  EXPECT_EQ(r.life(1).tx_bytes, 0U);
  EXPECT_EQ(r.life(0).outcome, Outcome::completed);
  EXPECT_EQ(r.life(1).outcome, Outcome::completed);
}

// net.ipv4.tcp_max_tw_buckets is reached: the kernel makes no mini-socket, and shows it by TW_CB_TIME_WAIT_FULL here.
RunResult closed_first(bool full, bool peer_closes) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.to(State::fin_wait1, curl);
  c.out(FA);
  c.in(A);
  c.to(State::fin_wait2);
  if (peer_closes) c.in(FA);
  c.to(State::close, nobody, [&](StateChange& state) {
    if (full) state.cb.details = static_cast<std::uint8_t>(state.cb.details | TW_CB_TIME_WAIT_FULL);
  });
  return run(stream.events, life_settings(), 2 * s);
}

TEST(TimeWaitOverflow, NobodyWaitsInTimeWait) {
  const RunResult reported = closed_first(true, true);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_FALSE(reported.finding(Rule::time_wait).has_value());
  const RunResult almost = closed_first(false, true);
  EXPECT_EQ(almost.life().outcome, Outcome::completed);
  EXPECT_TRUE(almost.finding(Rule::time_wait).has_value());
}

TEST(TimeWaitOverflow, AnOrphanInFinWait2IsForgottenAndNotOpen) {
  EXPECT_EQ(closed_first(true, false).life().outcome, Outcome::unknown);
  EXPECT_EQ(closed_first(false, false).life().outcome, Outcome::open);
}

}  // namespace
}  // namespace tcpwitness::testing
