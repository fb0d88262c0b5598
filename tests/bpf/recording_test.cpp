// SPDX-License-Identifier: Apache-2.0
// recording_test.cpp: while recording, a frame's first bytes follow its segment: as they are on the wire, no more than
// the snap length, from every hook and whatever part of the frame is linear.
#include <fmt/format.h>

#include <cstring>

#include "bpf/suite.hpp"

namespace tcpwitness::wire_test {
namespace {

template <std::uint32_t snaplen>
class Recording : public WireSuite<Recording<snaplen>> {
 public:
  static Settings settings() {
    Settings settings;
    settings.config.packets_all = 1;
    settings.config.snaplen = snaplen;
    return settings;
  }

 protected:
  void expect_bytes(Hook hook, const Bytes& frame, const Arrival& arrival) {
    const Outcome outcome = Recording::wire->run(hook, frame, arrival);
    ASSERT_EQ(outcome.error, 0);
    EXPECT_EQ(outcome.after, frame);
    ASSERT_EQ(outcome.whole.size(), 1U);
    const Bytes& record = outcome.whole[0];
    ASSERT_EQ(record.size(), sizeof(tw_segment) + sizeof(tw_frame) + snaplen);
    tw_frame kept;
    std::memcpy(&kept, record.data() + sizeof(tw_segment), sizeof(kept));
    EXPECT_EQ(kept.wire_len, frame.size());
    EXPECT_EQ(kept.captured, std::min<std::size_t>(frame.size(), snaplen));
    EXPECT_EQ(kept.link_type, is_raw_ip(hook) ? TW_LINK_RAW_IP : TW_LINK_ETHERNET);
    EXPECT_EQ(kept.vlan_proto, 0);
    const auto from = record.begin() + sizeof(tw_segment) + sizeof(tw_frame);
    EXPECT_EQ(Bytes(from, from + kept.captured), Bytes(frame.begin(), frame.begin() + kept.captured));
  }

  void expect_bytes_of_every_stack() {
    for (const auto& stack : all_stacks()) {
      for (const Hook hook : all_hooks) {
        if (is_raw_ip(hook) != stack.raw_ip) continue;
        for (const std::size_t payload : {0U, 9U, 300U, 1200U}) {
          const auto [us, them] = fresh_ends(stack.family);
          const Frame frame =
              is_outgoing(hook)
                  ? build(stack, us, them, {.flags = syn, .options = option_mss(1460), .payload = Bytes(payload, 0x55)})
                  : build(stack, them, us,
                          {.flags = syn, .options = option_mss(1460), .payload = Bytes(payload, 0x55)});
          SCOPED_TRACE(fmt::format("{}, {}, {} bytes", stack.name, name_of(hook), frame.bytes.size()));
          expect_bytes(hook, frame.bytes, {});
        }
      }
    }
  }
};

using RecordingLeast = Recording<TW_SNAPLEN_MIN>;
TEST_F(RecordingLeast, KeepsTheFirstBytesOfEveryFrame) { expect_bytes_of_every_stack(); }
using RecordingUsual = Recording<128>;
TEST_F(RecordingUsual, KeepsTheFirstBytesOfEveryFrame) { expect_bytes_of_every_stack(); }
using RecordingMost = Recording<TW_SNAPLEN_MAX>;
TEST_F(RecordingMost, KeepsTheFirstBytesOfEveryFrame) { expect_bytes_of_every_stack(); }

TEST_F(RecordingUsual, KeepsBytesThatAreNotInTheLinearPart) {
  for (const Hook hook : {Hook::egress, Hook::ingress}) {
    const auto [us, them] = fresh_ends();
    const Bytes payload(500, 0x77);
    const Frame frame = is_outgoing(hook) ? build({}, us, them, {.flags = syn, .payload = payload})
                                          : build({}, them, us, {.flags = syn, .payload = payload});
    SCOPED_TRACE(name_of(hook));
    expect_bytes(hook, frame.bytes, {.linear = 20});
  }
}

}  // namespace
}  // namespace tcpwitness::wire_test
