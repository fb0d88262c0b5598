// SPDX-License-Identifier: Apache-2.0
// loss_test.cpp: no loss is silent. A ring that nobody drains fills up; from then on every attempt is
// counted, on its CPU and by its kind, and the next record that finds room has it.
#include <optional>

#include "bpf/suite.hpp"
#include "lab/one_processor.hpp"

namespace tcpwitness::wire_test {
namespace {

constexpr std::uint32_t ring_bytes = 64 << 10;
constexpr std::uint64_t room = ring_bytes / (sizeof(tw_segment) + 8);  // a record has an 8-byte header in the ring

class Loss : public WireSuite<Loss> {
 public:
  static Settings settings() { return {.ring_bytes = ring_bytes, .flows = 64}; }

 protected:
  // Sequence numbers and loss are counted on each CPU: stay on one.
  void SetUp() override {
    WireSuite::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    one_processor_.emplace();
    ASSERT_TRUE(one_processor_->kept());
  }
  void TearDown() override { one_processor_.reset(); }

  static tw_cpu_state total() {
    tw_cpu_state sum{};
    for (const auto& state : wire->cpu_states()) {
      sum.tried += state.tried;
      sum.lost += state.lost;
      for (int kind = 0; kind < TW_KIND_COUNT; kind++) sum.lost_by_kind[kind] += state.lost_by_kind[kind];
    }
    return sum;
  }

 private:
  std::optional<lab::OneProcessor> one_processor_;
};

TEST_F(Loss, EveryAttemptIsEitherReceivedOrCountedAsLost) {
  constexpr std::uint64_t attempts = 3 * room;
  const auto [from, to] = fresh_ends();
  const Frame frame = build({}, from, to, {.flags = rst});
  const tw_cpu_state before = total();
  for (std::uint64_t i = 0; i < attempts; i++) {
    const Outcome outcome = wire->run(i % 2 ? Hook::egress : Hook::xdp, frame.bytes, {}, false);
    ASSERT_EQ(outcome.verdict, passing_verdict(i % 2 ? Hook::egress : Hook::xdp));
  }
  const auto received = wire->drain();
  const tw_cpu_state after = total();
  const std::uint64_t lost = after.lost - before.lost;
  EXPECT_EQ(after.tried - before.tried, attempts);
  EXPECT_EQ(attempts, received.size() + lost);
  EXPECT_EQ(after.lost_by_kind[TW_KIND_SEGMENT] - before.lost_by_kind[TW_KIND_SEGMENT], lost);
  ASSERT_GT(received.size(), room - 3);
  EXPECT_LE(received.size(), room);
  const std::uint32_t first = received.front().header.seq;
  for (std::size_t i = 0; i < received.size(); i++) {
    EXPECT_EQ(received[i].header.seq, first + i);
    EXPECT_EQ(received[i].header.lost, received.front().header.lost);
  }

  // There is room again: the next record has what was lost before it.
  const Outcome next = wire->run(Hook::egress, frame.bytes);
  ASSERT_EQ(next.records.size(), 1U);
  EXPECT_EQ(next.records[0].header.seq, first + attempts);
  EXPECT_EQ(next.records[0].header.lost, received.front().header.lost + lost);
}

// An LRU map makes room by itself: flows_full stays 0, the oldest flow is reported anew. What was evicted is what was
// added and is neither there nor taken out.
TEST_F(Loss, AFullFlowMapForgetsTheOldestFlowAndGoesOn) {
  const auto [first, peer] = fresh_ends();
  const auto say = [&](const Endpoint& from, const Segment& segment) {
    return wire->run(Hook::egress, build({}, from, peer, segment).bytes).records;
  };
  EXPECT_EQ(say(first, {.seq = 1, .flags = syn}).size(), 1U);
  for (int i = 0; i < 2000; i++) {
    const auto [other, unused] = fresh_ends();
    ASSERT_EQ(say(other, {.seq = 1, .flags = syn}).size(), 1U);
  }
  EXPECT_LE(wire->flow_count(), 128U);
  const auto again = say(first, {.seq = 2, .payload = Bytes(1, 1)});
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].event_flags, TW_EVENT_UNKNOWN_FLOW);
  std::uint64_t missing = 0;
  for (const auto& state : wire->cpu_states()) {
    EXPECT_EQ(state.flows_full, 0U);
    missing += state.flows_added - state.flows_removed;
  }
  EXPECT_GE(missing - wire->flow_count(), 2000U - 128U);
}

}  // namespace
}  // namespace tcpwitness::wire_test
