// SPDX-License-Identifier: Apache-2.0
// recording.cpp: any bytes as a recording: blocks, marks, journal entries, records, judgements.
#include <cstddef>
#include <cstdint>
#include <span>

#include "recording/replay.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tcpwitness;
  const auto file = CaptureFile::open(std::as_bytes(std::span(data, size)));
  if (!file) return 0;
  ReplaySettings settings;
  settings.reports.timeline = true;
  settings.reports.finding_reports = true;
  settings.reports.explain = true;
  Replay replay(settings);
  Reports reports;
  CaptureBlock block;
  while ((*file)->next(block)) {
    if (!replay.take(block, reports)) break;
    reports.clear();
  }
  replay.finish(reports);
  return 0;
}
