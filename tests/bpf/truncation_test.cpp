// SPDX-License-Identifier: Apache-2.0
// truncation_test.cpp: every header stack cut at every length, through every program.
//
// The frame passes and is not touched; there is a record exactly when the whole fixed TCP header was
// there, and it is BAD_HEADER while the frame is shorter than its IP header claims.
#include <fmt/format.h>

#include <cerrno>

#include "bpf/reference.hpp"
#include "bpf/suite.hpp"

namespace tcpwitness::wire_test {
namespace {

class Truncation : public WireSuite<Truncation> {
 public:
  static Settings settings() {
    Settings settings;
    settings.config.packets_all = 1;
    return settings;
  }

 protected:
  // Runs it and holds it to what must be true of any frame. False: the kernel itself refused the frame.
  static bool pass_untouched(Hook hook, const Bytes& frame, std::vector<tw_segment>& records) {
    Outcome outcome = wire->run(hook, frame);
    records = std::move(outcome.records);
    if (outcome.error == -EINVAL) return false;
    EXPECT_EQ(outcome.error, 0);
    EXPECT_EQ(outcome.verdict, passing_verdict(hook));
    EXPECT_EQ(outcome.after, frame);
    return true;
  }
};

constexpr std::size_t shortest = 14;  // BPF_PROG_TEST_RUN takes nothing shorter

TEST_F(Truncation, ARecordNeedsTheWholeTcpHeader) {
  int runs = 0;
  int refused = 0;
  for (const auto& stack : all_stacks()) {
    for (const Hook hook : all_hooks) {
      if (is_raw_ip(hook) != stack.raw_ip) continue;
      const auto [from, to] = fresh_ends(stack.family);
      const Frame whole = build(stack, from, to,
                                {.flags = syn,
                                 .options = joined({option_mss(1460), option_timestamps(1, 2), option_wscale(7)}),
                                 .payload = Bytes(9, 0x55)});
      const std::size_t end = whole.bytes.size() - stack.trailer;
      for (std::size_t length = shortest; length <= whole.bytes.size(); length++) {
        SCOPED_TRACE(fmt::format("{}, {}, {} of {} bytes", stack.name, name_of(hook), length, whole.bytes.size()));
        const Bytes frame(whole.bytes.begin(), whole.bytes.begin() + static_cast<std::ptrdiff_t>(length));
        std::vector<tw_segment> records;
        runs++;
        if (!pass_untouched(hook, frame, records)) {
          refused++;
          EXPECT_FALSE(is_xdp(hook));
          EXPECT_LT(length, whole.ip + (stack.family == Family::ipv4 ? 20U : 40U));
          continue;
        }
        ASSERT_EQ(records.size(), length >= whole.tcp + 20 ? 1U : 0U);
        if (records.empty()) continue;
        EXPECT_EQ(records[0].event_flags & TW_EVENT_BAD_HEADER, length < end ? TW_EVENT_BAD_HEADER : 0);
        EXPECT_EQ(records[0].seq, 0x11223344U);
        EXPECT_EQ(records[0].len, length < end ? 0U : 9U);
        const auto reading = read_frame(frame, stack.raw_ip, is_outgoing(hook));
        ASSERT_TRUE(reading);
        EXPECT_EQ(difference(records[0], *reading), "");
      }
    }
  }
  fmt::print("{} frames, of which the kernel itself refused {} as too short\n", runs, refused);
}

// The program for the wrong layer gets bytes that mean nothing: it may find no TCP, never harm a frame.
TEST_F(Truncation, TheProgramForTheOtherLayerPassesEverything) {
  for (const auto& stack : all_stacks()) {
    for (const Hook hook : all_hooks) {
      if (is_raw_ip(hook) == stack.raw_ip) continue;
      const auto [from, to] = fresh_ends(stack.family);
      const Frame whole = build(stack, from, to, {.flags = syn});
      for (std::size_t length = shortest; length <= whole.bytes.size(); length++) {
        SCOPED_TRACE(fmt::format("{}, {}, {} bytes", stack.name, name_of(hook), length));
        const Bytes frame(whole.bytes.begin(), whole.bytes.begin() + static_cast<std::ptrdiff_t>(length));
        std::vector<tw_segment> records;
        if (!pass_untouched(hook, frame, records)) continue;
        const auto reading = read_frame(frame, is_raw_ip(hook), is_outgoing(hook));
        EXPECT_EQ(records.size(), reading ? 1U : 0U);
      }
    }
  }
}

}  // namespace
}  // namespace tcpwitness::wire_test
