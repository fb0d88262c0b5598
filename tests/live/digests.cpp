// SPDX-License-Identifier: Apache-2.0
// digests.cpp: a life is the same whether the kernel hands over its ordinary events together or one by one.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "lab/catalogue.hpp"
#include "lab/one_processor.hpp"
#include "lab/performance.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

// What does not depend on when a program ran.
const std::vector<std::string> compared{"role",      "pid",         "comm",        "pid_source",    "outcome",
                                        "closed_by", "error",       "preexisting", "incomplete",    "tx_bytes",
                                        "rx_bytes",  "retransmits", "states",      "duplicates_in", "retransmits_in",
                                        "witnesses", "wire",        "nat"};

std::string ends_of(const Json& report) { return report["local"].dump() + report["remote"].dump(); }

// By addresses, as the numbers of connections need not agree.
std::map<std::string, std::vector<Json>> lives_by_ends(const Printed& printed) {
  std::map<std::string, std::vector<Json>> lives;
  for (const Json& life : printed.of("life")) {
    Json kept;
    for (const std::string& key : compared) {
      if (life.contains(key)) kept[key] = life[key];
    }
    for (const char* key : {"handshake_ns", "srtt_us", "phases"}) kept[key] = life.contains(key);
    if (life.contains("phases")) {
      kept["phases"] = Json::array();
      for (const auto& [name, value] : life["phases"].items()) kept["phases"].push_back(name);
    }
    if (life.contains("peer")) kept["peer"] = life["peer"].value("pid", 0);
    lives[ends_of(life)].push_back(std::move(kept));
  }
  return lives;
}

std::map<std::string, std::vector<std::string>> findings_by_ends(const Printed& printed) {
  std::map<std::string, std::vector<std::string>> findings;
  for (const Json& finding : printed.of("finding")) {
    if (!finding.contains("local")) continue;
    findings[ends_of(finding)].push_back(finding["rule"].get<std::string>() + " " +
                                         finding["confidence"].get<std::string>());
  }
  for (auto& [ends, rules] : findings) std::ranges::sort(rules);
  return findings;
}

}  // namespace

class Digests : public Live, public ::testing::WithParamInterface<std::string> {};

TEST_P(Digests, TellTheLifeThatEachEventTells) {
  // On two processors both directions of a connection pass side by side, and two tracers can see them in either order.
  const lab::OneProcessor in_one_order;
  ASSERT_TRUE(in_one_order.kept());
  const lab::Case* what = lab::find_case(GetParam());
  ASSERT_NE(what, nullptr);
  auto performance = lab::Performance::open(lab(), *what);
  ASSERT_TRUE(performance) << performance.error();
  const auto start = [](const std::string& netns, const std::vector<std::string>& through) {
    return TracerRun::start({"life", "-o", "json", "--netns", netns}, through);
  };
  const std::vector<std::string> none{"TCPWITNESS_WITHOUT=digests"};
  auto client = start(lab().client_ns(), {});
  auto server = start(lab().server_ns(), {});
  auto client_events = start(lab().client_ns(), none);
  auto server_events = start(lab().server_ns(), none);
  for (const auto* run : {&client, &server, &client_events, &server_events}) ASSERT_TRUE(*run && (**run)->wait_ready());
  const auto played = (*performance)->finish();
  ASSERT_TRUE(played) << played.error();
  // All at one moment, for timers go on.
  for (const auto* run : {&client, &server, &client_events, &server_events}) ::kill((**run)->pid(), SIGINT);
  for (const auto& [together, single] : {std::pair{&client, &client_events}, {&server, &server_events}}) {
    const Ended ended = (**together)->wait(Millis(30'000));
    const Ended ended_single = (**single)->wait(Millis(30'000));
    const Printed life(ended.out);
    const Printed reference(ended_single.out);
    expect_sound(ended, life);
    expect_sound(ended_single, reference);
    EXPECT_EQ(lives_by_ends(life), lives_by_ends(reference));
    EXPECT_EQ(findings_by_ends(life), findings_by_ends(reference));
    EXPECT_EQ(life.summary()["events"], reference.summary()["events"]);
  }
}

INSTANTIATE_TEST_SUITE_P(OfTheLab, Digests, ::testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const lab::Case& one : lab::catalogue()) names.emplace_back(one.name);
                           return names;
                         }()),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace tcpwitness::live
