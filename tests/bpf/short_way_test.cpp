// SPDX-License-Identifier: Apache-2.0
// short_way_test.cpp: the short way of an ordinary segment (is_next() in bpf/flow.h) counts what the long way counts.
//
// Two programs get the same random conversation: one that takes the short way where it can (tw_config.no_timeline), one
// that never does. They report the same events, but for those that only name a cause, with the same counters.
#include <chrono>
#include <cstring>
#include <random>
#include <thread>

#include "bpf/conversation.hpp"

namespace tcpwitness::wire_test {
namespace {

constexpr std::uint16_t only_a_cause = TW_EVENT_HANDSHAKE_ACK | TW_EVENT_FIN_ACK | TW_EVENT_NO_SOCKET;

class ShortWay : public BpfTest, public testing::WithParamInterface<Scene> {
 protected:
  static constexpr std::uint16_t steps = 300;

  void SetUp() override {
    BpfTest::SetUp();
    if (IsSkipped()) return;
    Settings settings;
    auto loaded = WireProgram::load(settings);
    ASSERT_TRUE(loaded) << loaded.error().message();
    long_ = std::move(*loaded);
    settings.config.no_timeline = 1;
    loaded = WireProgram::load(settings);
    ASSERT_TRUE(loaded) << loaded.error().message();
    short_ = std::move(*loaded);
    const auto [high_port, known_port] = fresh_ends(GetParam().family);
    end_[0] = high_port;
    end_[1] = known_port;
    next_[0] = GetParam().first_seq;
    next_[1] = GetParam().first_seq + 0x12345678;
  }
  void TearDown() override {
    short_.reset();
    long_.reset();
  }

  // Through both programs; one more record where it is an event.
  void say(int side, Segment segment, bool copy = false) {
    if (!copy) ++ip_id_[side];
    if ((segment.flags & ack) != 0 && segment.ack_number == 0) segment.ack_number = next_[1 - side];
    const Frame frame =
        build({.family = GetParam().family, .ip_id = ip_id_[side]}, end_[side], end_[1 - side], segment);
    const Hook hook = side == 0 ? Hook::egress : GetParam().arriving;
    const Outcome all = long_->run(hook, frame.bytes);
    const Outcome some = short_->run(hook, frame.bytes);
    ASSERT_EQ(all.error, 0);
    ASSERT_EQ(some.error, 0);
    const bool reported = !all.records.empty() && (all.records[0].event_flags & ~only_a_cause) != 0;
    ASSERT_EQ(some.records.size(), reported ? 1U : 0U)
        << "why " << (all.records.empty() ? 0 : all.records[0].event_flags) << " seq " << segment.seq;
    if (!reported) return;
    ++events_;
    const tw_segment& one = all.records[0];
    const tw_segment& other = some.records[0];
    EXPECT_EQ(one.event_flags & ~only_a_cause, other.event_flags & ~only_a_cause);
    EXPECT_EQ(one.reordered, other.reordered);
    EXPECT_EQ(one.duplicate, other.duplicate);
    EXPECT_EQ(std::memcmp(&one.wire, &other.wire, sizeof(one.wire)), 0);
    EXPECT_EQ(std::memcmp(&one.loss, &other.loss, sizeof(one.loss)), 0);
    sent_ = one.wire.bytes_out;
    received_ = one.wire.bytes_in;
  }
  void send(int side, std::size_t bytes, std::uint8_t flags = ack) {
    say(side, {.seq = next_[side], .ack_number = 0, .flags = flags, .payload = Bytes(bytes, 0x42)});
    next_[side] += static_cast<std::uint32_t>(bytes) + ((flags & (syn | fin)) != 0 ? 1 : 0);
  }

  std::unique_ptr<WireProgram> long_, short_;
  Endpoint end_[2];
  std::uint32_t next_[2]{};
  std::uint16_t ip_id_[2]{};
  std::uint64_t sent_ = 0, received_ = 0;
  int events_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Wire, ShortWay,
                         testing::Values(Scene{.name = "Tc"},
                                         Scene{.name = "XdpIpv6", .arriving = Hook::xdp, .family = Family::ipv6},
                                         Scene{.name = "Wraps", .first_seq = 0xffffff00}),
                         scene_name);

TEST_P(ShortWay, CountsWhatTheLongWayCounts) {
  std::mt19937 random(4711);  // NOLINT(cert-msc51-cpp): the same conversation each time
  const auto below = [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
  send(0, 0, syn);
  // A long round trip: what fills a hole comes within it for both programs, however the test itself is interrupted.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  send(1, 0, syn | ack);
  send(0, 0);
  for (std::uint16_t step = 0; step < steps && !HasFatalFailure(); ++step) {
    const int side = static_cast<int>(below(2));
    const std::uint32_t now = next_[side];
    switch (below(24)) {
      case 0:  // sent again
        say(side, {.seq = now - 1 - below(50), .ack_number = 0, .payload = Bytes(1 + below(80), 0x42)});
        break;
      case 1:  // a keep-alive or probe
        say(side, {.seq = now - 1, .ack_number = 0, .payload = Bytes(below(2), 0)});
        break;
      case 2:  // a hole, and what fills it
        next_[side] += 40;
        send(side, 100);
        if (below(2) != 0) say(side, {.seq = now, .ack_number = 0, .payload = Bytes(40, 0x42)});
        break;
      case 3:
        say(side, {.seq = now, .ack_number = 0, .flags = ack, .window = 0});
        if (below(2) != 0) send(1 - side, 1, ack | psh);
        break;
      case 4:  // the network delivers it twice
        if (side == 1) {
          const Segment twice{.seq = now, .ack_number = 0, .payload = Bytes(10, 0x42)};
          say(side, twice);
          say(side, twice, true);
          next_[side] += 10;
        }
        break;
      case 5:
        say(side, {.seq = now, .ack_number = next_[1 - side] - below(200)});
        break;
      case 6:
        send(side, 1, ack | psh);
        break;
      case 7:
      case 8:
      case 9:
      case 10:
        say(side, {.seq = now, .ack_number = 0});
        break;
      default:
        send(side, 1 + below(1400), below(2) != 0 ? ack : ack | psh);
        break;
    }
  }
  send(0, 0, ack | fin);
  send(1, 5);  // half closed
  send(1, 0, ack | fin);
  send(0, 0);
  say(0, {.seq = next_[0], .ack_number = 0, .flags = rst | ack});
  EXPECT_GT(events_, 50);
  EXPECT_GT(sent_, 10'000U);
  EXPECT_GT(received_, 10'000U);
}

}  // namespace
}  // namespace tcpwitness::wire_test
