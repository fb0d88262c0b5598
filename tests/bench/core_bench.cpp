// SPDX-License-Identifier: Apache-2.0
// core_bench.cpp: nanoseconds per event through decode, correlation and judgement.
//
// The load is connections over loopback, opened and closed at once, both witnesses on both sides: about
// 30 events a connection pair in the order the kernel gives them. Reports are thrown away, as a filter
// would.
#include <benchmark/benchmark.h>
#include <fcntl.h>

#include <chrono>
#include <ctime>
#include <numeric>

#include "sink/sinks.hpp"
#include "unit/churn.hpp"
#include "unit/digests.hpp"
#include "unit/events.hpp"

namespace tcpwitness::testing {
namespace {

constexpr std::uint64_t churned = 20'000;

void feed_all(benchmark::State& state, const CorrelatorSettings& settings, const std::vector<Event>& events) {
  const Names names;
  for (auto _ : state) {
    Correlator correlator(settings, names);
    Reports reports;
    std::size_t reported = 0;
    for (const Event& event : events) {
      correlator.feed(event, reports);
      if (reports.size() >= 256) {
        reported += reports.size();
        reports.clear();
      }
    }
    correlator.finish(events.back().ts_ns, reports);
    benchmark::DoNotOptimize(reported);
  }
  const auto fed = static_cast<double>(state.iterations()) * static_cast<double>(events.size());
  state.counters["ns/event"] = benchmark::Counter(fed / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetItemsProcessed(static_cast<std::int64_t>(fed));
  // Both of its sockets, from their events to their lives.
  const auto connections = static_cast<double>(state.iterations()) * static_cast<double>(churned);
  state.counters["ns/connection"] =
      benchmark::Counter(connections / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void life_of_churn(benchmark::State& state) {
  feed_all(state, CorrelatorSettings{}, no_timeline(churn_events(churned)));
}

// The same connections, each socket's events in one record.
void digests_of_churn(benchmark::State& state) {
  feed_all(state, CorrelatorSettings{}, DigestWriter().write(no_timeline(churn_events(churned))));
}
void expanded_digests_of_churn(benchmark::State& state) {
  feed_all(state, CorrelatorSettings{}, expanded(DigestWriter().write(no_timeline(churn_events(churned)))));
}

void trace_of_churn(benchmark::State& state) {
  CorrelatorSettings settings;
  settings.timeline = true;
  settings.finding_reports = true;
  feed_all(state, settings, churn_events(churned));
}

void decode_all(benchmark::State& state, const std::vector<Event>& events) {
  std::vector<std::vector<std::byte>> records;
  for (const Event& event : events) {
    std::visit(
        [&](const auto& body) {
          const auto* bytes = reinterpret_cast<const std::byte*>(&body);
          records.emplace_back(bytes, bytes + sizeof body);
        },
        event.body);
  }
  std::vector<Event> out;
  for (auto _ : state) {
    Decoder decoder(0);
    for (const auto& record : records) {
      decoder.decode(record, out);
      if (out.size() >= 256) out.clear();
    }
  }
  const auto fed = static_cast<double>(state.iterations()) * static_cast<double>(records.size());
  state.counters["ns/event"] = benchmark::Counter(fed / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void decode(benchmark::State& state) { decode_all(state, no_timeline(churn_events(2'000))); }
void decode_digests(benchmark::State& state) {
  decode_all(state, DigestWriter().write(no_timeline(churn_events(2'000))));
}

std::vector<SocketDigest> digest_records(std::uint64_t connections) {
  std::vector<SocketDigest> records;
  for (const Event& event : DigestWriter().write(no_timeline(churn_events(connections)))) {
    if (const auto* digest = std::get_if<SocketDigest>(&event.body)) records.push_back(*digest);
  }
  return records;
}

std::chrono::nanoseconds thread_cpu() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// From records to lines, as a live run of an ordinary load has it: a few connections at each look, and what is known of
// them has left the caches by the next one.
void lines_of_churn(benchmark::State& state, bool json) {
  constexpr std::size_t records_a_look = 20;
  constexpr std::size_t many_reports = 256;  // as LiveOutput
  static const std::vector<SocketDigest> records = digest_records(5'000);
  const Names names;
  Output output(::open("/dev/null", O_WRONLY | O_CLOEXEC), Output::Mode::never_waits);
  const std::unique_ptr<Sink> sink = json ? make_json(output, names) : make_life_text(output, TextStyle{});
  std::vector<std::uint64_t> elsewhere((std::size_t{2} << 20U) / sizeof(std::uint64_t));
  Reports reports;
  const auto write = [&] {
    for (const Report& report : reports) sink->write(report);
    reports.clear();
  };
  std::chrono::nanoseconds spent{};
  for (auto _ : state) {
    Decoder decoder(0);
    CorrelatorSettings settings;
    settings.finding_reports = json;  // TIME_WAIT is one of each connection
    Correlator correlator(settings, names);
    std::vector<Event> events;
    std::chrono::nanoseconds in_this{};
    for (std::size_t from = 0; from + records_a_look <= records.size(); from += records_a_look) {
      std::iota(elsewhere.begin(), elsewhere.end(), from);
      benchmark::DoNotOptimize(elsewhere.data());
      const std::chrono::nanoseconds begun = thread_cpu();
      for (std::size_t i = from; i < from + records_a_look; ++i) {
        events.clear();
        decoder.decode(std::as_bytes(std::span(&records[i], 1)), events);
        for (const Event& event : events) correlator.feed(event, reports);
        if (reports.size() >= many_reports) write();
      }
      write();
      in_this += thread_cpu() - begun;
    }
    state.SetIterationTime(std::chrono::duration<double>(in_this).count());
    spent += in_this;
  }
  const auto connections = static_cast<std::size_t>(state.iterations()) * (records.size() / 2);
  state.counters["ns/connection"] = static_cast<double>(spent.count()) / static_cast<double>(connections);
}
void text_of_churn(benchmark::State& state) { lines_of_churn(state, false); }
void json_of_churn(benchmark::State& state) { lines_of_churn(state, true); }

BENCHMARK(text_of_churn)->Unit(benchmark::kMillisecond)->UseManualTime();
BENCHMARK(json_of_churn)->Unit(benchmark::kMillisecond)->UseManualTime();
BENCHMARK(life_of_churn)->Unit(benchmark::kMillisecond);
BENCHMARK(digests_of_churn)->Unit(benchmark::kMillisecond);
BENCHMARK(expanded_digests_of_churn)->Unit(benchmark::kMillisecond);
BENCHMARK(trace_of_churn)->Unit(benchmark::kMillisecond);
BENCHMARK(decode)->Unit(benchmark::kMillisecond);
BENCHMARK(decode_digests)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tcpwitness::testing

BENCHMARK_MAIN();
