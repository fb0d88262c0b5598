// SPDX-License-Identifier: Apache-2.0
// wire_bench.cpp: nanoseconds per frame through Conversations: the conversation, its analysis, its bytes.
//
// One bulk flow (two data segments, one ACK, as a receiver does it), the same spread over many conversations at
// once (each frame finds another one's state out of the cache), and short connections of ten frames.
#include <benchmark/benchmark.h>

#include "unit/wire_talk.hpp"

namespace tcpwitness::testing {
namespace {

void finish_rate(benchmark::State& state, std::size_t frames) {
  const auto read = static_cast<double>(state.iterations()) * static_cast<double>(frames);
  state.counters["ns/frame"] =
      benchmark::Counter(read / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetItemsProcessed(static_cast<std::int64_t>(read));
}

void bulk(benchmark::State& state) {
  const auto flows = static_cast<std::uint32_t>(state.range(0));
  std::vector<Talk> talks(flows);
  std::vector<std::uint32_t> sent(flows, 1);
  Conversations conversations({});
  std::vector<Event> events;
  for (std::uint32_t i = 0; i < flows; ++i) {
    for (const Say& s : {Say{0, 0, 0, 0, syn_flag}, Say{1, 0, 1, 0, syn_flag | ack_flag}, Say{0, 1, 1}}) {
      conversations.observe(talks[i].frame(s, static_cast<std::uint16_t>(1024 + i)), events);
    }
  }
  constexpr std::size_t batch = 30'000;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<TcpFrame> frames;
    frames.reserve(batch);
    for (std::size_t i = 0; i < batch / 3; ++i) {
      const std::size_t flow = i % flows;
      const auto port = static_cast<std::uint16_t>(1024 + flow);
      std::uint32_t& next = sent[flow];
      frames.push_back(talks[flow].frame({0, next, 1, 1448}, port));
      frames.push_back(talks[flow].frame({0, next + 1448, 1, 1448}, port));
      next += 2 * 1448;
      frames.push_back(talks[flow].frame({1, 1, next}, port));
    }
    events.clear();
    state.ResumeTiming();
    for (const TcpFrame& frame : frames) conversations.observe(frame, events);
  }
  if (!events.empty()) state.SkipWithError("an ordinary segment became an event");
  finish_rate(state, batch);
}

void short_connections(benchmark::State& state) {
  constexpr std::uint32_t connections = 30'000;
  std::vector<TcpFrame> frames;
  for (std::uint32_t i = 0; i < connections; ++i) {
    Talk talk(i * 7919, i * 104729);
    const auto port = static_cast<std::uint16_t>(1024 + i);
    for (const Say& s :
         {Say{0, 0, 0, 0, syn_flag}, Say{1, 0, 1, 0, syn_flag | ack_flag}, Say{0, 1, 1}, Say{0, 1, 1, 100},
          Say{1, 1, 101}, Say{1, 1, 101, 1000}, Say{0, 101, 1001, 0, fin_flag | ack_flag}, Say{1, 1001, 102},
          Say{1, 1001, 102, 0, fin_flag | ack_flag}, Say{0, 102, 1002}}) {
      frames.push_back(talk.frame(s, port));
    }
  }
  std::vector<Event> events;
  for (auto _ : state) {
    Conversations conversations({});
    for (const TcpFrame& frame : frames) {
      conversations.observe(frame, events);
      if (events.size() >= 256) events.clear();
    }
    conversations.finish(events);
    events.clear();
  }
  finish_rate(state, frames.size());
}

BENCHMARK(bulk)->Arg(1)->Arg(100)->Arg(10'000);
BENCHMARK(short_connections)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tcpwitness::testing
