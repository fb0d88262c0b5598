// SPDX-License-Identifier: Apache-2.0
// Properties that hold for every story: loss makes nothing more certain, replay gives the same reports,
// and interleaving two connections changes neither.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

// The story without its event at `index`, as the decoder would report the loss: a gap before the next record.
std::vector<Event> lose(const std::vector<Event>& events, std::size_t index) {
  std::vector<Event> left;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i != index) {
      left.push_back(events[i]);
      continue;
    }
    const TimeNs from = i > 0 ? events[i - 1].ts_ns : events[i].ts_ns;
    const TimeNs to = i + 1 < events.size() ? events[i + 1].ts_ns : events[i].ts_ns;
    left.push_back(Event{events[i].id, to, Gap{1, 0, from, to}});
  }
  return left;
}

std::vector<Event> drop(std::vector<Event> events, std::size_t index) {
  events.erase(events.begin() + static_cast<std::ptrdiff_t>(index));
  return events;
}

TEST(Loss, NeverRaisesTheConfidenceOfAFinding) {
  for (const Story& story : all_stories()) {
    const auto before = confidences(run(story.events).reports);
    for (std::size_t i = 0; i < story.events.size(); ++i) {
      for (const auto& [rule, confidence] : confidences(run(lose(story.events, i)).reports)) {
        const auto known = before.find(rule);
        const Confidence allowed = known != before.end() ? known->second : Confidence::inconclusive;
        EXPECT_LE(confidence, allowed) << story.name << " without event " << i + 1 << ": " << name(rule);
      }
    }
  }
}

TEST(Loss, NeverGivesAnotherOutcomeThanTheTrueOneOrIgnorance) {
  for (const Story& story : all_stories()) {
    for (std::size_t i = 0; i < story.events.size(); ++i) {
      const RunResult reported = run(lose(story.events, i));
      for (const Life& life : reported.lives()) {
        EXPECT_TRUE(may_say(story, life.outcome))
            << story.name << " without event " << i + 1 << ": " << name(life.outcome);
        EXPECT_TRUE(life.incomplete) << story.name << " without event " << i + 1;
      }
    }
  }
}

TEST(Removal, WithoutAGapNeverRaisesConfidenceEither) {
  for (const Story& story : all_stories()) {
    const auto before = confidences(run(story.events).reports);
    for (std::size_t i = 0; i < story.events.size(); ++i) {
      for (const auto& [rule, confidence] : confidences(run(drop(story.events, i)).reports)) {
        const auto known = before.find(rule);
        // A finding that only the missing event had prevented may appear, but never as certain.
        const Confidence allowed = known != before.end() ? known->second : Confidence::likely;
        EXPECT_LE(confidence, allowed) << story.name << " without event " << i + 1 << ": " << name(rule);
      }
    }
  }
}

TEST(Removal, WithoutAGapNeverGivesAWrongOutcomeEither) {
  for (const Story& story : all_stories()) {
    for (std::size_t i = 0; i < story.events.size(); ++i) {
      for (const Life& life : run(drop(story.events, i)).lives()) {
        EXPECT_TRUE(may_say(story, life.outcome))
            << story.name << " without event " << i + 1 << ": " << name(life.outcome);
      }
    }
  }
}

TEST(Loss, OfSeveralEventsNeverRaisesConfidence) {
  std::mt19937 random(20260731);
  for (const Story& story : all_stories()) {
    const auto before = confidences(run(story.events).reports);
    for (int round = 0; round < 50; ++round) {
      std::vector<Event> left = story.events;
      for (std::size_t i = 0; i < left.size(); ++i) {
        if (random() % 4 == 0) left = lose(left, i);
      }
      const RunResult reported = run(left);
      const bool any = reported.summary.lost != 0;
      for (const auto& [rule, confidence] : confidences(reported.reports)) {
        const auto known = before.find(rule);
        EXPECT_LE(confidence, known != before.end() ? known->second : Confidence::inconclusive) << story.name;
      }
      for (const Life& life : reported.lives()) {
        EXPECT_TRUE(!any || may_say(story, life.outcome)) << story.name << ": " << name(life.outcome);
      }
    }
  }
}

// Everything that a sink can see of a report, as text.
std::string words(const Report& report) {
  std::string text = fmt::format("{}", report.index());
  if (const Life* life = std::get_if<Life>(&report)) {
    text += fmt::format(" life {} {} {} {} {} {} {}", life->conn, name(life->outcome), life->tx_bytes, life->rx_bytes,
                        life->duration_ns, life->process.pid, life->explanation);
    for (const TcpState state : life->states) text += fmt::format(" {}", name(state));
    for (const Finding& finding : life->findings)
      text += fmt::format(" [{} {}]", name(finding.rule), sentence(finding));
  }
  if (const Entry* entry = std::get_if<Entry>(&report)) {
    text += fmt::format(" entry {} {} {} {}", entry->conn, entry->id, entry->ts_ns, entry->body.index());
    if (const auto* segment = std::get_if<SegmentEntry>(&entry->body)) {
      text += fmt::format(" {} {} {}", segment->rel_seq, segment->rel_ack,
                          segment->transition ? segment->transition->id : 0);
    }
    if (const auto* state = std::get_if<StateEntry>(&entry->body)) {
      text += fmt::format(" {} {} {} {}", name(state->from), name(state->to), state->cause.id, state->cause.what);
    }
  }
  if (const auto* finding = std::get_if<FindingReport>(&report)) text += sentence(finding->finding);
  return text;
}

// Connections of several stories at once, each on its own ports and cookie, merged at random but each in order.
std::vector<Event> interleaved(std::uint32_t seed, std::vector<Outcome>& outcomes) {
  std::mt19937 random(seed);
  const std::vector<Story> stories = all_stories();
  std::vector<std::vector<Event>> parts;
  std::uint16_t number = 0;
  for (int i = 0; i < 12; ++i) {
    Story story = stories[random() % stories.size()];
    outcomes.push_back(story.outcome);
    ++number;
    for (Event& event : story.events) {
      std::visit(
          [&](auto& body) {
            if constexpr (requires { body.tuple; }) {
              if (body.header.cookie != 0) body.header.cookie += 1000U * number;
              const bool client = body.tuple.local_port == 40000 || body.tuple.local_port == 0;
              auto& port = client ? body.tuple.local_port : body.tuple.remote_port;
              if (port != 0) port = static_cast<std::uint16_t>(port + number);
              // Servers of different stories listen on different ports, so every listener has its own.
              auto& service = client ? body.tuple.remote_port : body.tuple.local_port;
              if (service != 0) service = static_cast<std::uint16_t>(service + number);
            }
          },
          event.body);
    }
    parts.push_back(std::move(story.events));
  }
  std::vector<Event> merged;
  std::vector<std::size_t> at(parts.size());
  for (;;) {
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (at[i] < parts[i].size()) left.push_back(i);
    }
    if (left.empty()) break;
    // The earliest next event, or now and then another one: rings run backwards by some milliseconds.
    std::size_t pick = left[0];
    for (const std::size_t i : left) {
      if (parts[i][at[i]].ts_ns < parts[pick][at[pick]].ts_ns) pick = i;
    }
    if (random() % 8 == 0) {
      const std::size_t other = left[random() % left.size()];
      if (parts[other][at[other]].ts_ns - parts[pick][at[pick]].ts_ns < 5 * ms) pick = other;
    }
    merged.push_back(parts[pick][at[pick]++]);
    merged.back().id = merged.size();
  }
  return merged;
}

TEST(Replay, SameEventsGiveTheSameReports) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    std::vector<Outcome> outcomes;
    const std::vector<Event> events = interleaved(seed, outcomes);
    for (const CorrelatorSettings& settings : {life_settings(), trace_settings()}) {
      const RunResult first = run(events, settings);
      const RunResult second = run(events, settings);
      ASSERT_EQ(first.reports.size(), second.reports.size());
      for (std::size_t i = 0; i < first.reports.size(); ++i) {
        EXPECT_EQ(words(first.reports[i]), words(second.reports[i]));
      }
    }
  }
}

TEST(Interleaving, ChangesNoOutcome) {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    std::vector<Outcome> outcomes;
    const std::vector<Event> events = interleaved(seed, outcomes);
    std::map<Outcome, int> expected;
    std::map<Outcome, int> got;
    for (const Outcome outcome : outcomes) ++expected[outcome];
    for (const Life& life : run(events).lives()) ++got[life.outcome];
    EXPECT_EQ(got, expected) << "seed " << seed;
  }
}

TEST(Interleaving, LifeAndTraceTellTheSameLives) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    std::vector<Outcome> outcomes;
    const std::vector<Event> events = interleaved(seed, outcomes);
    std::vector<std::string> life, trace;
    for (const Life& each : run(events, life_settings()).lives()) life.push_back(words(each));
    for (const Life& each : run(events, trace_settings()).lives()) trace.push_back(words(each));
    EXPECT_EQ(life, trace) << "seed " << seed;
  }
}

TEST(Arbitrary, RecordsNeverCrashTheCore) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    Decoder decoder(0);
    std::vector<Event> events;
    const std::vector<Story> stories = all_stories();
    for (const Event& event : stories[random() % stories.size()].events) {
      std::visit(
          [&](auto body) {
            if constexpr (requires { body.header; }) {
              std::span<std::byte> bytes = std::as_writable_bytes(std::span(&body, 1));
              if constexpr (std::is_same_v<decltype(body), Segment>) bytes = bytes.first(sizeof(tw_segment));
              for (int flips = static_cast<int>(random() % 4); flips > 0; --flips) {
                // Version and kind stay, so that most records reach the rules.
                const std::size_t at = random() % bytes.size();
                if (at >= 28 && at < 32) continue;
                bytes[at] = static_cast<std::byte>(random());
              }
              decoder.decode(bytes, events);
            }
          },
          event.body);
    }
    (void)run(events, trace_settings());
    CorrelatorSettings wire = trace_settings();
    wire.has_kernel = false;
    (void)run(events, wire);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
