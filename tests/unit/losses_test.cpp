// SPDX-License-Identifier: Apache-2.0
// What a loss can have taken: of connections that were there, and of what began in its time.
#include "correlate/losses.hpp"

#include <gtest/gtest.h>

namespace tcpwitness {
namespace {

Gap until(TimeNs ts) {
  Gap gap{};
  gap.to_ts_ns = ts;
  return gap;
}

TEST(Losses, NoneReachAnyTime) {
  const Losses losses;
  EXPECT_FALSE(losses.any());
  EXPECT_FALSE(losses.reach(0));
  EXPECT_FALSE(losses.reach(-1, 1'000));
}

TEST(Losses, ReachWhatBeganBeforeTheirEnd) {
  Losses losses;
  losses.add(until(500));
  losses.add(until(300));  // of another CPU
  EXPECT_TRUE(losses.reach(500));
  EXPECT_FALSE(losses.reach(501));
  EXPECT_TRUE(losses.reach(501, 1));
}

TEST(Losses, ConcernConnectionsThatWereThereAlready) {
  Losses losses;
  losses.add(until(500));
  Connection c;
  EXPECT_TRUE(losses.may_concern(c));
  losses.begins(c, 501, true);
  EXPECT_FALSE(losses.may_concern(c));
  losses.add(until(600));
  EXPECT_TRUE(losses.since_begun(c));
  losses.begins(c, 601, true);
  c.incomplete = true;
  EXPECT_FALSE(losses.since_begun(c));
  EXPECT_TRUE(losses.may_concern(c));
}

TEST(Losses, CanHaveTheBeginningOfWhatWasNotSeenToBegin) {
  Losses losses;
  losses.add(until(500));
  Connection later;
  losses.begins(later, 501, true);
  EXPECT_FALSE(losses.may_concern(later)) << "its first event came behind the loss";
  Connection during;
  losses.begins(during, 500, true);
  EXPECT_TRUE(losses.may_concern(during));
  Connection joined;
  losses.begins(joined, 9'000, false);
  EXPECT_TRUE(losses.may_concern(joined)) << "its beginning can be among what was lost";
}

}  // namespace
}  // namespace tcpwitness
