// SPDX-License-Identifier: Apache-2.0
// others_test.cpp: frames for another link address, which a promiscuous interface, a mirror port or a switch that
// floods brings: IP drops them, so they are no segments of the connection whose addresses they have.
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "bpf/conversation.hpp"

namespace tcpwitness::wire_test {
namespace {

constexpr std::uint8_t another_host = 0xfe;
constexpr std::uint8_t multicast = 0x01;
constexpr std::uint8_t broadcast = 0xff;

class Others : public BpfTest, public testing::WithParamInterface<Hook> {
 protected:
  // Loaded once for the cases in a row that want the same: where a machine is emulated it takes a third of a minute.
  static void TearDownTestSuite() {
    wire.reset();
    with_hops.reset();
  }
  void load(bool forwarded) {
    if (wire != nullptr && with_hops == forwarded) return;
    wire.reset();  // its namespace is left before another is entered
    tw_config config{};
    config.forwarded = forwarded ? 1 : 0;
    auto loaded = WireProgram::load({.config = config});
    ASSERT_TRUE(loaded) << loaded.error().message();
    wire = std::move(*loaded);
    with_hops = forwarded;
  }
  // A connection to our port 443 that nobody has seen.
  void another_peer() {
    std::tie(own_, peer_) = fresh_ends();
    std::swap(own_.port, peer_.port);
  }
  Outcome comes_in(const Segment& segment) {
    return wire->run(GetParam(), build({.ip_id = ++id_}, peer_, own_, segment).bytes);
  }
  Outcome leaves(const Segment& segment) {
    return wire->run(Hook::egress, build({.ip_id = ++id_}, own_, peer_, segment).bytes);
  }
  // first: of the destination's six bytes.
  Outcome passes_by(const Segment& segment, std::uint8_t first) {
    Bytes frame = build({.ip_id = ++id_}, peer_, own_, segment).bytes;
    std::fill_n(frame.begin(), 6, std::uint8_t{0xff});
    frame[0] = first;
    Outcome outcome = wire->run(GetParam(), frame);
    EXPECT_EQ(outcome.verdict, passing_verdict(GetParam()));
    EXPECT_EQ(outcome.after, frame);
    return outcome;
  }
  void begin_no_flow(bool forwarded) {
    ASSERT_NO_FATAL_FAILURE(load(forwarded));
    another_peer();
    const Listener listener;
    ASSERT_TRUE(listener.ok());
    const std::size_t before = wire->flow_count();
    EXPECT_TRUE(passes_by({.seq = 100, .flags = syn}, another_host).records.empty());
    EXPECT_TRUE(passes_by({.seq = 101, .payload = Bytes(50)}, another_host).records.empty());
    EXPECT_EQ(wire->flow_count(), before);
    EXPECT_EQ(comes_in({.seq = 100, .flags = syn}).records.size(), 1U);
    EXPECT_EQ(wire->flow_count(), before + 1);
  }
  static inline std::unique_ptr<WireProgram> wire;
  static inline std::optional<bool> with_hops;
  Endpoint own_{};
  Endpoint peer_{};
  std::uint16_t id_ = 0;  // what has the same one is a copy
};
std::string hook_name(const testing::TestParamInfo<Hook>& info) { return std::string(name_of(info.param)); }
INSTANTIATE_TEST_SUITE_P(Wire, Others, testing::Values(Hook::ingress, Hook::xdp), hook_name);

// Before: the window was reported closed, the number taken, and the peer's own segment a retransmission.
TEST_P(Others, ChangeNothingOfTheFlow) {
  for (const std::uint8_t to : {another_host, multicast, broadcast}) {
    ASSERT_NO_FATAL_FAILURE(load(false));
    another_peer();
    const Listener listener;
    ASSERT_TRUE(listener.ok());
    ASSERT_EQ(comes_in({.seq = 100, .flags = syn}).records.size(), 1U);
    ASSERT_EQ(leaves({.seq = 500, .ack_number = 101, .flags = syn | ack}).records.size(), 1U);
    ASSERT_EQ(comes_in({.seq = 101, .ack_number = 501}).records.size(), 1U);
    EXPECT_TRUE(passes_by({.seq = 101, .ack_number = 501, .window = 0}, to).records.empty());
    EXPECT_TRUE(passes_by({.seq = 101, .ack_number = 501, .payload = Bytes(50)}, to).records.empty());
    EXPECT_TRUE(passes_by({.seq = 151, .ack_number = 501, .flags = fin | ack}, to).records.empty());
    EXPECT_TRUE(passes_by({.seq = 151, .ack_number = 501, .flags = rst}, to).records.empty());
    EXPECT_TRUE(passes_by({.seq = 70000, .flags = syn}, to).records.empty());
    EXPECT_TRUE(comes_in({.seq = 101, .ack_number = 501, .payload = Bytes(50)}).records.empty());
    const auto again = comes_in({.seq = 101, .ack_number = 501, .payload = Bytes(50)});
    ASSERT_EQ(again.records.size(), 1U);
    EXPECT_EQ(again.records[0].wire.segs_in, 4U);
    EXPECT_EQ(again.records[0].wire.bytes_in, 100U);
    EXPECT_EQ(again.records[0].loss.retrans_segs_in, 1U);
  }
}

TEST_P(Others, BeginNoFlow) { begin_no_flow(false); }

// With --forwarded too, although what passes a bridge comes with another host's address.
TEST_P(Others, ChangeNothingOfASocketsFlowWhereHopsAreFollowed) {
  ASSERT_NO_FATAL_FAILURE(load(true));
  another_peer();
  const Listener listener;
  ASSERT_TRUE(listener.ok());
  ASSERT_EQ(comes_in({.seq = 100, .flags = syn}).records.size(), 1U);
  ASSERT_EQ(leaves({.seq = 500, .ack_number = 101, .flags = syn | ack}).records.size(), 1U);
  ASSERT_EQ(comes_in({.seq = 101, .ack_number = 501}).records.size(), 1U);
  EXPECT_TRUE(passes_by({.seq = 101, .ack_number = 501, .window = 0}, another_host).records.empty());
  EXPECT_TRUE(passes_by({.seq = 151, .ack_number = 501, .flags = fin | ack}, another_host).records.empty());
  const auto fin_seen = comes_in({.seq = 101, .ack_number = 501, .flags = fin | ack});
  ASSERT_EQ(fin_seen.records.size(), 1U);
  EXPECT_EQ(fin_seen.records[0].event_flags, TW_EVENT_FIN);
  EXPECT_EQ(fin_seen.records[0].wire.segs_in, 3U);
}

TEST_P(Others, BeginNoFlowWhereHopsAreFollowed) { begin_no_flow(true); }

}  // namespace
}  // namespace tcpwitness::wire_test
