// SPDX-License-Identifier: Apache-2.0
//
// Plays the cases of expectations.cpp, and those with more than one connection.

#include <algorithm>

#include "live/expectations.hpp"

namespace tcpwitness::live {
namespace {

std::string test_name(const ::testing::TestParamInfo<Expectation>& info) {
  std::string name = info.param.name + (info.param.variant.empty() ? "" : " " + info.param.variant);
  std::ranges::replace_if(name, [](char letter) { return letter == '-' || letter == ' '; }, '_');
  return name;
}

}  // namespace

class Verdicts : public Live, public ::testing::WithParamInterface<Expectation> {};

TEST_P(Verdicts, AreThese) {
  const Expectation& expected = GetParam();
  for (const Verdict* verdict : {&expected.client, &expected.server}) {
    const std::string lacking = unwritten(*verdict);
    if (!lacking.empty()) GTEST_SKIP() << "rule not written yet: " << lacking;
  }
  const auto story = play(expected.name, {.arguments = expected.arguments});
  if (!story) return;
  expect_verdict(story->client, story->client_life(), expected.client, "client");
  expect_verdict(story->server, story->server_life(), expected.server, "server");
}

INSTANTIATE_TEST_SUITE_P(Cases, Verdicts, ::testing::ValuesIn(expectations()), test_name);

}  // namespace tcpwitness::live
