// SPDX-License-Identifier: Apache-2.0
//
// See verdict.hpp.

#include "live/verdict.hpp"

#include <cstdlib>
#include <map>

namespace tcpwitness::live {
namespace {

void expect_reported(const Printed& printed, const Json& conn, const ExpectedFinding& reported,
                     const std::string& whose) {
  std::vector<Json> found = printed.findings(conn, reported.rule);
  // What was sent again, and whether in vain, are two.
  if (reported.rule == "retransmission" && found.size() > 1)
    std::erase_if(found, [&](const Json& one) { return one["confidence"] != reported.confidence; });
  ASSERT_EQ(found.size(), 1u) << whose << ": " << reported.rule << " is to be found once";
  const auto confidence = found[0]["confidence"].get<std::string>();
  const auto text = found[0]["text"].get<std::string>();
  if (reported.confidence.empty()) {
    EXPECT_NE(confidence, "inconclusive") << whose << ": " << reported.rule << ": " << text;
  } else {
    EXPECT_EQ(confidence, reported.confidence) << whose << ": " << reported.rule << ": " << text;
  }
  for (const std::string& word : reported.words) {
    EXPECT_NE(text.find(word), std::string::npos) << whose << ": no \"" << word << "\" in: " << text;
  }
}

}  // namespace

void expect_verdict(const Printed& printed, const Json& life, const Verdict& verdict, const std::string& whose) {
  if (verdict.outcome.empty()) {
    EXPECT_TRUE(life.empty()) << whose << ": " << life.dump();
    return;
  }
  ASSERT_FALSE(life.empty()) << whose << ": the connection's life was not reported, or reported twice";
  EXPECT_EQ(life["outcome"], verdict.outcome) << whose;
  EXPECT_EQ(life["incomplete"], false) << whose;
  std::map<std::string, int> expected, found;
  for (const ExpectedFinding& reported : verdict.findings) {
    ++expected[reported.rule];
    expect_reported(printed, life["conn"], reported, whose);
  }
  for (const Json& finding : printed.of("finding", life["conn"])) ++found[finding["rule"].get<std::string>()];
  // A machine that is emulated or busy is slower than the shortest timeout at times, and then its TCP sends again.
  const bool slow = verdict.under_load || std::getenv("TCPWITNESS_MAY_SET_CLOCK") != nullptr;
  const bool again = life.value("retransmits", 0) != 0 || life.value("retransmits_in", 0) != 0;
  if (slow && again && !expected.contains("retransmission")) found.erase("retransmission");
  if (!expected.contains("late") && printed.kernel_was_late(life["conn"])) found.erase("late");
  EXPECT_EQ(found, expected) << whose;
}

}  // namespace tcpwitness::live
