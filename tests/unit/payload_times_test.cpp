// SPDX-License-Identifier: Apache-2.0
// When payload passed: the flow map's times, made times of the run.
#include "correlate/payload_times.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "unit/run.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

// A request at 100 ms, its answer 400 ms later; the run's clock is another one than the kernel's.
constexpr std::uint64_t kernel_ns = 9'000'000'000;
constexpr TimeNs run_ns = 50 * s;

RecordHeader read_at() {
  RecordHeader header{};
  header.ts_ns = kernel_ns + 600 * ms;
  return header;
}

FlowTimes request_and_answer() {
  FlowTimes times{};
  times.first_ns[1] = kernel_ns + 100 * ms;
  times.asked_ns = kernel_ns + 110 * ms;
  times.acked_ns[1] = kernel_ns + 101 * ms;
  times.first_ns[0] = kernel_ns + 500 * ms;
  times.since_ms[0] = 90;
  times.since_ms[1] = 492;  // a tick less than it is
  return times;
}

Event at(TimeNs ns) {
  Event event;
  event.ts_ns = ns;
  return event;
}

TEST(PayloadTimes, AreTimesOfTheRun) {
  const auto times = payload_times(at(run_ns + 600 * ms), read_at(), request_and_answer());
  ASSERT_TRUE(times);
  EXPECT_EQ(times->first_out, run_ns + 100 * ms);
  EXPECT_EQ(times->request_end, run_ns + 110 * ms);
  EXPECT_EQ(times->first_out_acked, run_ns + 101 * ms);
  EXPECT_EQ(times->last_out, run_ns + 108 * ms);
  EXPECT_EQ(times->first_in, run_ns + 500 * ms);
  EXPECT_EQ(times->first_in_acked, 0);
  EXPECT_EQ(times->last_in, run_ns + 510 * ms);
}

TEST(PayloadTimes, TheNewestIsNotBeforeTheFirst) {
  FlowTimes times = request_and_answer();
  times.since_ms[0] = 104;  // a tick more than it is
  const auto read = payload_times(at(run_ns + 600 * ms), read_at(), times);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->last_in, read->first_in);
}

TEST(PayloadTimes, WithoutPayloadThereAreNone) { EXPECT_FALSE(payload_times(at(run_ns), read_at(), FlowTimes{})); }

// A request, and 400 ms later an answer that goes on for 2 s, 1.2 s of it a pause; then the client is silent for 3 s.
void answers_slowly(Stream& stream, Side& c) {
  const auto now = [&] { return static_cast<std::uint64_t>(stream.now); };
  c.out(PA, 50);
  c.times.first_ns[1] = now();
  c.times.asked_ns = now();
  stream.wait(400 * ms);
  c.times.first_ns[0] = now();
  c.times.acked_ns[1] = now();
  c.in(PA, 70);
  stream.wait(5 * s);
  c.times.since_ms[0] = 3'000;
  c.times.since_ms[1] = 5'400;
  c.times.paused_ms[0] = 1'200;
}

TEST(PayloadTimes, ComeWithTheEndOfTheSocket) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  answers_slowly(stream, c);
  c.to(State::fin_wait1, curl);
  c.to(State::fin_wait2);
  c.to(State::close);
  c.destroy();
  const Phases phases = run(stream.events).life().phases;
  ASSERT_TRUE(phases.first_byte);
  EXPECT_NEAR(static_cast<double>(*phases.first_byte), 400e6, 1e6);
  ASSERT_TRUE(phases.request_ack);
  EXPECT_EQ(phases.waiting, 1'200 * ms) << "the server paused";
  EXPECT_FALSE(phases.idle) << "shorter pauses are not known";
  EXPECT_FALSE(phases.transfer);
}

TEST(PayloadTimes, OfAConnectionThatNobodyEndedAreThoseOfTheLastLook) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  answers_slowly(stream, c);
  EXPECT_FALSE(run(stream.events).life().phases.first_byte);
  c.found(SocketKind::full, State::established);
  EXPECT_TRUE(run(stream.events).life().phases.first_byte);
}

// A RST ends it, and its process keeps the descriptor.
TEST(PayloadTimes, OfASocketThatItsProcessKeepsComeWithItsLastTransition) {
  for (const bool kept : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    answers_slowly(stream, c);
    c.in(R);
    c.extra.sk_err = ECONNRESET;
    c.to(State::close);
    if (kept) c.found(SocketKind::full, State::close);
    const Life life = run(stream.events).life();
    EXPECT_EQ(life.outcome, Outcome::reset_by_peer);
    EXPECT_EQ(life.phases.first_byte.has_value(), kept);
  }
}

// It still is as it was: what shows no end changes none.
TEST(PayloadTimes, OfAnOpenConnectionAreNotThoseOfASocketThatHasEnded) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  answers_slowly(stream, c);
  c.found(SocketKind::full, State::close);
  EXPECT_FALSE(run(stream.events).life().phases.first_byte);
}

// A recording that breaks off: the control block is that of ESTABLISHED.
TEST(NewestPayload, IsTheWiresWhereNobodyHasLookedAtTheSocket) {
  for (const bool looked : {false, true}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 50);
    c.in(PA, 70);
    c.out(PA, 30);
    if (looked) c.found(SocketKind::full, State::established);
    const Life life = run(stream.events).life();
    EXPECT_EQ(life.outcome, Outcome::open);
    EXPECT_EQ(life.tx_bytes, looked ? 50U : 80U) << "30 bytes are not acknowledged";
    EXPECT_EQ(life.rx_bytes, 70U);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
