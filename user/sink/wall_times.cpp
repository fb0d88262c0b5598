// SPDX-License-Identifier: Apache-2.0
#include "sink/wall_times.hpp"

#include <utility>

namespace tcpwitness {
namespace {

template <typename Body>
void show(Body& body, const WallClock& wall) {
  body.ts_ns = wall.of(body.ts_ns);
  if constexpr (std::is_same_v<Body, Interim>) {
    if (body.life) show(*body.life, wall);
  }
  if constexpr (std::is_same_v<Body, Life>) body.start_ts_ns = wall.of(body.start_ts_ns);
  if constexpr (std::is_same_v<Body, GapReport>) {
    const std::int64_t lasted = body.gap.to_ts_ns - body.gap.from_ts_ns;
    body.gap.to_ts_ns = wall.of(body.gap.to_ts_ns);
    body.gap.from_ts_ns = body.gap.to_ts_ns - lasted;
  }
  if constexpr (std::is_same_v<Body, Entry>) {
    auto* keepalive = std::get_if<KeepaliveEntry>(&body.body);
    if (keepalive != nullptr && keepalive->dead_at_ns != 0) keepalive->dead_at_ns = wall.of(keepalive->dead_at_ns);
  }
}

class WallTimes final : public Sink {
 public:
  WallTimes(std::unique_ptr<Sink> sink, const Names& names) : sink_(std::move(sink)), wall_(names.wall) {}

  void write(const Report& report) override {
    if (!wall_.was_set()) return sink_->write(report);
    Report shown = report;
    show_wall_times(shown, wall_);
    sink_->write(shown);
  }
  bool flush() override { return sink_->flush(); }

 private:
  std::unique_ptr<Sink> sink_;
  const WallClock& wall_;
};

}  // namespace

void show_wall_times(Report& report, const WallClock& wall) {
  std::visit([&](auto& body) { show(body, wall); }, report);
}

std::unique_ptr<Sink> with_wall_times(std::unique_ptr<Sink> sink, const Names& names) {
  return std::make_unique<WallTimes>(std::move(sink), names);
}

}  // namespace tcpwitness
