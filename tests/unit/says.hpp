// SPDX-License-Identifier: Apache-2.0
// says.hpp: the words of a finding, how sure it is, and what a gap or a deaf witness makes of it.
#pragma once

#include <gtest/gtest.h>

#include "unit/stories.hpp"

namespace tcpwitness::testing {

inline std::string finding_text(const std::optional<Finding>& finding) {
  return finding ? sentence(*finding) : "(no finding)";
}

// What the rule filled in; a failure where it is of another kind.
template <typename Found>
Found found(const std::optional<Finding>& finding) {
  const Found* arguments = finding ? std::get_if<Found>(&finding->arguments) : nullptr;
  EXPECT_NE(arguments, nullptr) << finding_text(finding);
  return arguments != nullptr ? *arguments : Found{};
}

inline bool says(const std::optional<Finding>& finding, std::string_view words) {
  return finding && sentence(*finding).find(words) != std::string::npos;
}

// The same events with a gap in the middle of them.
inline std::vector<Event> with_gap(std::vector<Event> events) {
  const std::size_t middle = events.size() / 2;
  const TimeNs at = events[middle].ts_ns;
  events.insert(events.begin() + static_cast<std::ptrdiff_t>(middle), Event{events[middle].id, at, Gap{1, 0, at, at}});
  return events;
}

inline std::vector<Event> without_wire(std::vector<Event> events) {
  std::erase_if(events, [](const Event& e) { return std::holds_alternative<Segment>(e.body); });
  return events;
}
// What comes in does so by an interface that is not traced.
inline std::vector<Event> without_arrivals(std::vector<Event> events) {
  std::erase_if(events, [](const Event& e) {
    const auto* g = std::get_if<Segment>(&e.body);
    return g != nullptr && !g->outgoing();
  });
  const auto forget = [](WireCounters& wire) {
    wire.segs_in = 0;
    wire.bytes_in = 0;
  };
  for (Event& event : events) {
    if (auto* segment = std::get_if<Segment>(&event.body)) forget(segment->wire);
    if (auto* destroyed = std::get_if<SocketDestroyed>(&event.body)) forget(destroyed->wire);
    if (auto* found = std::get_if<SocketFound>(&event.body)) forget(found->wire);
  }
  return events;
}

inline CorrelatorSettings kernel_settings() {
  CorrelatorSettings settings = life_settings();
  settings.has_wire = false;
  return settings;
}

template <typename Body>
std::vector<Event> without(std::vector<Event> events) {
  std::erase_if(events, [](const Event& e) { return std::holds_alternative<Body>(e.body); });
  return events;
}

// Of this rule: `confidence` as it is, inconclusive under a gap.
inline void expect_downgraded_by_a_gap(const Story& story, Rule rule, Confidence confidence) {
  const auto sure = run(story.events).finding(rule);
  ASSERT_TRUE(sure.has_value()) << story.name;
  EXPECT_EQ(sure->confidence, confidence) << story.name << ": " << sentence(*sure);
  EXPECT_FALSE(sure->evidence.empty()) << story.name;
  const auto unsure = run(with_gap(story.events)).finding(rule);
  EXPECT_TRUE(!unsure || unsure->confidence == Confidence::inconclusive) << story.name;
}

}  // namespace tcpwitness::testing
