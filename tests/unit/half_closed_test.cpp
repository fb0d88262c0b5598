// SPDX-License-Identifier: Apache-2.0
// Sockets that wait while one side has closed: when the run is asked to look for them.
#include "correlate/half_closed.hpp"

#include <gtest/gtest.h>

#include "unit/correlation_parts.hpp"

namespace tcpwitness {
namespace {

using testing::ms;
using testing::Parts;
using testing::s;

CorrelatorSettings stuck_after(std::int64_t ns) {
  CorrelatorSettings settings;
  settings.close_wait_stuck_ns = ns;
  return settings;
}

Slot waiting(Parts& parts, Wait wait, TcpState state) {
  const Slot slot = parts.lives.create(parts.in.now, true);
  parts.in.table.at(slot).state = state;
  parts.in.table.wait(slot, wait, parts.in.now);
  return slot;
}

TEST(HalfClosed, DescriptorsAreAskedForOnceASecondBeforeTheFinding) {
  Parts parts(stuck_after(10 * s));
  EXPECT_EQ(parts.half_closed.descriptors_due(), HalfClosed::no_time);
  parts.in.now = 100 * s;
  waiting(parts, Wait::close_wait, TcpState::close_wait);
  EXPECT_EQ(parts.half_closed.descriptors_due(), 109 * s);
  parts.in.now = 109 * s - 1;
  EXPECT_FALSE(parts.half_closed.wants_descriptors());
  parts.in.now = 109 * s;
  EXPECT_TRUE(parts.half_closed.wants_descriptors());
  EXPECT_FALSE(parts.half_closed.wants_descriptors());
  EXPECT_EQ(parts.half_closed.descriptors_due(), HalfClosed::no_time);
}

// What is found of the others is old when their time comes.
TEST(HalfClosed, ThoseWhoseTimeIsLaterAreLookedAtAgain) {
  Parts parts(stuck_after(10 * s));
  parts.in.now = 100 * s;
  const Slot first = waiting(parts, Wait::close_wait, TcpState::close_wait);
  parts.in.now = 101 * s;
  const Slot next = waiting(parts, Wait::close_wait, TcpState::close_wait);
  parts.in.now = 105 * s;
  const Slot later = waiting(parts, Wait::close_wait, TcpState::close_wait);
  parts.in.now = 109 * s;
  EXPECT_TRUE(parts.half_closed.wants_descriptors());
  EXPECT_TRUE(parts.in.table.at(next).ensure_teardown().descriptor_requested) << "one look for both";
  EXPECT_FALSE(parts.in.table.at(later).ensure_teardown().descriptor_requested);
  for (const Slot over : {first, next}) parts.in.table.wait(over, Wait::none, 0);
  parts.in.now = 114 * s;
  EXPECT_TRUE(parts.half_closed.wants_descriptors());
}

TEST(HalfClosed, WhoGoesOnSendingIsLookedAtAgain) {
  Parts parts;
  const Slot slot = waiting(parts, Wait::close_wait, TcpState::close_wait);
  Connection& c = parts.in.table.at(slot);
  c.ensure_teardown().descriptor = {1, 1};
  c.teardown->descriptor_requested = true;
  parts.in.table.wait(slot, Wait::none, 0);
  parts.half_closed.close_wait_over(slot);  // these rules find nothing
  EXPECT_FALSE(c.teardown->descriptor_requested);
  EXPECT_EQ(parts.in.table.wait_of(slot), Wait::close_wait);
}

TEST(HalfClosed, AListOfSocketsIsAskedForASecondBeforeFinWait2IsAFinding) {
  Parts parts(stuck_after(10 * s));
  parts.in.now = 100 * s;
  const Slot slot = waiting(parts, Wait::fin_wait2, TcpState::fin_wait2);
  Teardown& teardown = parts.in.table.at(slot).ensure_teardown();
  teardown.fin_wait2 = {1, parts.in.now};
  teardown.fin_wait2_quiet_ns = parts.in.now;
  parts.in.now = 108 * s;
  parts.half_closed.watch_fin_wait2(slot);
  EXPECT_FALSE(parts.half_closed.wants_fin_wait2());
  parts.in.now = 109 * s;
  parts.half_closed.watch_fin_wait2(slot);
  EXPECT_TRUE(parts.half_closed.wants_fin_wait2());
  EXPECT_FALSE(parts.half_closed.wants_fin_wait2());
}

TEST(HalfClosed, OneListAnswersForAllThatWaitLong) {
  Parts parts(stuck_after(10 * s));
  const auto waits_since = [&](TimeNs since) {
    parts.in.now = since;
    const Slot slot = waiting(parts, Wait::fin_wait2, TcpState::fin_wait2);
    parts.in.table.at(slot).ensure_teardown().enter_fin_wait2({1, since}, 0, false);
    return slot;
  };
  const Slot first = waits_since(100 * s);
  const Slot second = waits_since(100 * s + 10 * ms);
  parts.in.now = 109 * s;
  parts.half_closed.watch_fin_wait2(first);
  EXPECT_TRUE(parts.half_closed.wants_fin_wait2());
  parts.in.now = 109 * s + 10 * ms;
  parts.half_closed.watch_fin_wait2(second);
  EXPECT_FALSE(parts.half_closed.wants_fin_wait2());
}

}  // namespace
}  // namespace tcpwitness
