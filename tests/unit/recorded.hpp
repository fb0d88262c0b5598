// SPDX-License-Identifier: Apache-2.0
// recorded.hpp: a story reported to a live Correlator and to a Recorder at once, as run/live.cpp does, and the file
// that comes of it read again.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "recording/recorder.hpp"
#include "recording/replay.hpp"
#include "unit/run.hpp"
#include "unit/sink_capture.hpp"

namespace tcpwitness::testing {

// Interfaces have their names from the packets' blocks, and the stories' segments bring no packets.
inline const Names& recorded_names() {
  static const Names names = [] {
    Names made = kernel_names();
    made.interfaces.clear();
    return made;
  }();
  return names;
}

using Bytes = std::vector<std::byte>;

inline RecorderSettings into(const std::string& path) {
  RecorderSettings settings;
  settings.path = path;
  return settings;
}

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "tw-recording-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }

 private:
  std::filesystem::path path_;
};

inline Bytes bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Reports as the JSON that a user sees.
inline std::string as_json(const Reports& reports, const Names& names) {
  return test::captured([&](Output& output) { return make_json(output, names); }, reports);
}

// What the ring held for an event: its record, a frame behind a segment.
inline Bytes ring_record(const Event& event, std::uint32_t lost) {
  Bytes record;
  std::visit(
      [&](auto body) {
        if constexpr (requires { body.header; }) {
          body.header.lost = lost;
          std::span<const std::byte> bytes = std::as_bytes(std::span(&body, 1));
          if constexpr (std::is_same_v<decltype(body), Segment>) bytes = bytes.first(sizeof(tw_segment));
          record.assign(bytes.begin(), bytes.end());
          if constexpr (std::is_same_v<decltype(body), Segment>) {
            const tw_frame frame{.wire_len = 54 + body.len,
                                 .captured = 54,
                                 .link_type = TW_LINK_ETHERNET,
                                 .vlan_tci = 0,
                                 .vlan_proto = 0};
            const auto head = std::as_bytes(std::span(&frame, 1));
            record.insert(record.end(), head.begin(), head.end());
            record.resize(record.size() + 128);
          }
        }
      },
      event.body);
  return record;
}

struct SimulatedRun {
  Reports reports;
  RecordingTotals totals;
  std::vector<std::string> said;
};

// Ticks come every 50 ms of the story, as long after its end as a stuck CLOSE_WAIT takes.
inline SimulatedRun record_story(const std::vector<Event>& events, RecorderSettings recorder_settings,
                                 const CorrelatorSettings& settings = life_settings(),
                                 std::int64_t after_ns = 100 * ms) {
  SimulatedRun run;
  StartMark start;
  start.started_ns = events.front().ts_ns - ms;
  start.ready.ts_ns = start.started_ns;
  start.ready.version = "9.9";
  start.ready.kernel = "6.18";
  static_cast<RunSettings&>(start) = static_cast<const RunSettings&>(settings);
  start.snaplen = 128;
  start.reset_reasons = recorded_names().reset_reasons;
  start.drop_reasons = recorded_names().drop_reasons;
  {
    Decoder decoder(0, start.started_ns);
    LiveCorrelator correlator(settings, recorded_names());
    Recorder recorder(std::move(recorder_settings), start, recorded_names(),
                      [&](const std::string& text) { run.said.push_back(text); });
    std::vector<Event> decoded;
    TimeNs now = start.started_ns;
    std::uint32_t lost = 0;
    std::uint64_t skipped = 0;
    const auto report_from = [&](std::size_t reported) {
      for (; reported < run.reports.size(); ++reported) recorder.report(run.reports[reported]);
    };
    const auto tick_until = [&](TimeNs until) {
      for (; now + 50 * ms <= until; now += 50 * ms) {
        const std::size_t reported = run.reports.size();
        correlator.advance(now + 50 * ms, run.reports);
        recorder.advanced(now + 50 * ms, run.reports.size() > reported);
        report_from(reported);
        recorder.flush(now + 50 * ms);
      }
    };
    for (const Event& event : events) {
      tick_until(event.ts_ns);
      if (const Gap* gap = std::get_if<Gap>(&event.body); gap != nullptr && gap->skipped()) {
        // What the kernel skipped has no record; the sockets are listed afterwards.
        const std::size_t reported = run.reports.size();
        decoded.clear();
        decoder.skipped(skipped += gap->lost, gap->from_ts_ns, gap->to_ts_ns, decoded);
        for (const Event& one : decoded) correlator.feed(one, run.reports);
        recorder.skipped(skipped, gap->from_ts_ns, gap->to_ts_ns);
        report_from(reported);
        const std::size_t since = run.reports.size();
        correlator.listed(gap->to_ts_ns, run.reports);
        recorder.listed(gap->to_ts_ns);
        report_from(since);
        continue;
      }
      if (const Gap* gap = std::get_if<Gap>(&event.body)) {
        lost += static_cast<std::uint32_t>(gap->lost);
        continue;
      }
      const Bytes record = ring_record(event, lost);
      decoded.clear();
      decoder.decode(record, decoded);
      const std::size_t reported = run.reports.size();
      for (const Event& one : decoded) correlator.feed(one, run.reports);
      recorder.record(record, decoded, std::span(run.reports).subspan(reported));
      report_from(reported);
    }
    tick_until(events.back().ts_ns + after_ns);
    decoded.clear();
    decoder.account(0, lost, now, decoded);
    recorder.accounted(now, 0, lost);
    for (const Event& one : decoded) correlator.feed(one, run.reports);
    const std::size_t reported = run.reports.size();
    correlator.finish(now, run.reports);
    report_from(reported);
    run.totals = recorder.finish(EndMark{.now = now});
  }
  return run;
}

struct ReadAgain {
  Reports reports;
  std::optional<Error> error;  // of the file or of what was in it
  bool opened = false;
  bool ended = false;
  std::uint64_t missing = 0;
  std::uint64_t left_out = 0;
  std::uint64_t lost = 0;  // of the summary
  std::string continued;
  std::string json;
};

inline ReadAgain read_again(std::span<const std::byte> bytes,
                            ReplaySettings settings = {.reports = {.finding_reports = true, .explain = true}}) {
  ReadAgain read;
  const auto file = CaptureFile::open(bytes);
  if (!file) {
    read.error = file.error();
    return read;
  }
  read.opened = true;
  Replay replay(std::move(settings));
  CaptureBlock block;
  while ((*file)->next(block)) {
    if (auto taken = replay.take(block, read.reports); !taken) {
      read.error = taken.error();
      break;
    }
  }
  if (!read.error) read.error = (*file)->damage();
  replay.finish(read.reports);
  read.ended = replay.ended();
  read.missing = replay.missing();
  read.left_out = replay.left_out();
  read.lost = replay.summary().lost;
  read.continued = replay.continued();
  read.json = as_json(read.reports, replay.names());
  return read;
}

}  // namespace tcpwitness::testing
