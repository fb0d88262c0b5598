// SPDX-License-Identifier: Apache-2.0
// less_seen.hpp: a recording of which less was seen: events lost at random, or one of the two witnesses not there.
//
// A lost event is reported as in a file: by its missing number. What is wrong then comes as sentences, for
// whoever tests it: stories and every case of the lab.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "property/weaker.hpp"
#include "recording/replay.hpp"
#include "tcpwitness/event_abi.h"

namespace tcpwitness::testing {

// What a recording has, step by step, apart from the file.
struct Steps {
  struct Step {
    EventId id = 0;  // 0: a mark
    std::vector<std::byte> record;
    RecordingMark mark;
    [[nodiscard]] bool event() const { return id != 0; }
    [[nodiscard]] bool segment() const { return event() && header().kind == TW_KIND_SEGMENT; }
    [[nodiscard]] RecordHeader header() const {
      RecordHeader head{};
      std::memcpy(&head, record.data(), std::min(record.size(), sizeof head));
      return head;
    }
  };
  std::vector<Step> list;
  [[nodiscard]] std::size_t events() const {
    return static_cast<std::size_t>(std::ranges::count_if(list, &Step::event));
  }
};

inline Result<Steps> steps_of(std::span<const std::byte> file) {
  const auto capture = CaptureFile::open(file);
  if (!capture) return std::unexpected(capture.error());
  Steps stream;
  CaptureBlock block;
  while ((*capture)->next(block)) {
    const auto step = read_step(block);
    if (!step) return std::unexpected(step.error());
    if (!*step) continue;
    if (const auto* mark = std::get_if<RecordingMark>(&**step)) {
      stream.list.push_back({.id = 0, .record = {}, .mark = *mark});
    } else {
      const auto& event = std::get<RecordedEvent>(**step);
      stream.list.push_back({.id = event.id, .record = {event.record.begin(), event.record.end()}, .mark = {}});
    }
  }
  if (const auto& damage = (*capture)->damage()) return std::unexpected(*damage);
  return stream;
}

struct Judged {
  Reports reports;
  std::optional<Error> error;
  std::uint64_t missing = 0;
};

inline Judged judged(const Steps& stream) {
  Judged result;
  Replay replay({.reports = {.finding_reports = true, .explain = true}});
  for (const Steps::Step& step : stream.list) {
    const RecordingStep taken =
        step.event() ? RecordingStep{RecordedEvent{.id = step.id, .record = step.record}} : RecordingStep{step.mark};
    if (auto done = replay.take(taken, 0, result.reports); !done) {
      result.error = done.error();
      break;
    }
  }
  replay.finish(result.reports);
  result.missing = replay.missing();
  return result;
}

// ---- Less of it ----

// Without the events that `lost` names, by their place among the events. time: without all that stood between the
// first and the last of them and the next event either, as where nothing could be written.
template <typename Lost>
Steps without(const Steps& stream, Lost lost, bool time = false) {
  Steps left;
  std::size_t number = 0;
  for (const Steps::Step& step : stream.list) {
    const bool end = !step.event() && std::holds_alternative<EndMark>(step.mark);
    const bool begun = number != 0;
    const bool gone = step.event() ? lost(number) : time && !end && begun && lost(number - 1);
    if (!gone) left.list.push_back(step);
    if (step.event()) ++number;
  }
  return left;
}

inline Steps without(const Steps& stream, std::size_t first, std::size_t last, bool time = false) {
  return without(stream, [&](std::size_t number) { return number >= first && number < last; }, time);
}

// Each event is lost with the same probability.
inline Steps thinned(const Steps& stream, std::mt19937& random, unsigned percent) {
  return without(stream, [&](std::size_t) { return random() % 100 < percent; });
}

// As if the run had been made without a witness: it has events of the other only, without a gap, and with its name.
template <typename Keep>
Steps seen_only_by(const Steps& stream, bool kernel, bool wire, Keep keep) {
  Steps left;
  EventId id = 0;
  for (const Steps::Step& step : stream.list) {
    if (step.event() && !keep(step)) continue;
    left.list.push_back(step);
    Steps::Step& kept = left.list.back();
    if (kept.event()) kept.id = ++id;
    if (auto* start = std::get_if<StartMark>(&kept.mark)) {
      start->has_kernel = kernel;
      start->has_wire = wire;
    }
    if (auto* end = std::get_if<EndMark>(&kept.mark)) end->last_id = id;
  }
  return left;
}
inline Steps kernel_alone(const Steps& stream) {
  Steps left = seen_only_by(stream, true, false, [](const Steps::Step& step) { return !step.segment(); });
  // The wire's counters of a flow come with the kernel's events.
  const auto forget = [](Steps::Step& step, std::size_t has_wire) {
    if (has_wire < step.record.size()) step.record[has_wire] = std::byte{0};
  };
  for (Steps::Step& step : left.list) {
    if (!step.event()) continue;
    if (step.header().kind == TW_KIND_DESTROY) forget(step, offsetof(SocketDestroyed, has_wire));
    if (step.header().kind == TW_KIND_SOCKET) forget(step, offsetof(SocketFound, has_wire));
  }
  return left;
}
inline Steps wire_alone(const Steps& stream) {
  return seen_only_by(stream, false, true, [](const Steps::Step& step) { return step.segment(); });
}

// ---- The property ----

struct Tried {
  std::size_t streams = 0;
  std::size_t removed = 0;  // events, in all of them
  std::vector<std::string> wrong;
};

inline std::string words_of(const Finding& finding) {
  return fmt::format("{} is {}: {}", name(finding.rule), name(finding.confidence), sentence(finding));
}

inline void try_without(const Verdicts& whole, const Steps& less, std::size_t events, const std::string& what,
                        Tried& tried) {
  ++tried.streams;
  tried.removed += events - less.events();
  const Judged again = judged(less);
  const auto say = [&](const std::string& wrong) { tried.wrong.push_back(fmt::format("without {}: {}", what, wrong)); };
  if (again.error) say(again.error->message());
  if (again.missing != events - less.events()) say(fmt::format("{} events are missing", again.missing));
  const Verdicts reported = verdicts(again.reports);
  for (const Finding& finding : surer(whole, reported)) say(words_of(finding));
  for (const auto& [flow, outcome] : otherwise(whole, reported))
    say(fmt::format("the outcome with {} is {}", to_string(flow.remote), name(outcome)));
}

// Each event by itself, events at random, and windows: of a rotation, a flight recorder, a disk that was full for a
// while. None of it creates or strengthens a finding, or makes another outcome of it.
inline Tried lose_at_random(const Steps& stream, std::uint32_t seed) {
  constexpr std::size_t few = 400;      // events of a stream in which each can be lost once
  constexpr std::size_t work = 50'000;  // events to replay for each rate: a long stream has fewer rounds
  Tried tried;
  const Verdicts whole = verdicts(judged(stream).reports);
  const std::size_t events = stream.events();
  const std::size_t rounds = std::clamp<std::size_t>(events == 0 ? 0 : work / events, 10, 200);
  for (std::size_t i = 0; events <= few && i < events; ++i)
    try_without(whole, without(stream, i, i + 1), events, fmt::format("event {}", i + 1), tried);
  std::mt19937 random(seed);
  for (const unsigned percent : {3U, 10U, 30U, 60U, 90U}) {
    for (std::size_t round = 1; round <= rounds; ++round) {
      const Steps less = thinned(stream, random, percent);
      try_without(whole, less, events, fmt::format("{} % of the events (round {})", percent, round), tried);
    }
  }
  for (std::size_t round = 0; round < rounds && events > 1; ++round) {
    const std::size_t first = random() % events;
    const std::size_t last = first + 1 + random() % (events - first);
    const bool time = round % 2 != 0;
    try_without(whole, without(stream, first, last, time), events,
                fmt::format("events {} to {}{}", first + 1, last, time ? " and their time" : ""), tried);
  }
  return tried;
}

// What the look-up that comes with a segment shows of the kernel, and what both ends of are on the wire.
inline bool wire_suffices(Rule rule) {
  return rule == Rule::keepalive || rule == Rule::zero_window || rule == Rule::accept_queue_full ||
         rule == Rule::syn_backlog_full || rule == Rule::syncookie || rule == Rule::slow_handshake;
}
inline bool kernel_suffices(Rule rule) {
  return rule == Rule::retransmission || rule == Rule::time_wait || rule == Rule::close_wait_stuck ||
         rule == Rule::reset_origin || rule == Rule::tx_not_sent || rule == Rule::accept_queue_full ||
         rule == Rule::slow_accept || rule == Rule::stray_segment || rule == Rule::port_exhaustion ||
         rule == Rule::write_after_peer_closed;
}

// With one witness taken away nothing becomes more certain, and what needs that witness is not certain at all. What
// the other witness had prevented may be found now, but not as certain.
inline Tried keep_one_witness(const Steps& stream) {
  Tried tried;
  const Verdicts whole = verdicts(judged(stream).reports);
  const auto judge_alone = [&](const Steps& less, const std::string& who, bool (*suffices)(Rule)) {
    ++tried.streams;
    tried.removed += stream.events() - less.events();
    const Judged again = judged(less);
    const auto say = [&](const std::string& wrong) { tried.wrong.push_back(fmt::format("{} alone: {}", who, wrong)); };
    if (again.error) say(again.error->message());
    if (again.missing != 0) say(fmt::format("{} events are missing", again.missing));
    const Verdicts reported = verdicts(again.reports);
    for (const Finding& finding : surer(whole, reported, Confidence::likely)) {
      // Beside the wire this one can be a suspicion of somebody on the path; alone it only names the peer's address.
      const bool plain = finding.rule == Rule::reset_origin && finding.confidence == Confidence::likely;
      if (!plain) say(words_of(finding));
    }
    for (const auto& [flow, finding] : reported.findings) {
      if (finding.confidence == Confidence::certain && !suffices(finding.rule)) say(words_of(finding));
    }
  };
  judge_alone(kernel_alone(stream), "the kernel", kernel_suffices);
  judge_alone(wire_alone(stream), "the wire", wire_suffices);
  return tried;
}

}  // namespace tcpwitness::testing
