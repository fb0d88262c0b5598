// SPDX-License-Identifier: Apache-2.0
// lives.cpp: the connections of a capture file, one a line: who, how much, and how each ended.
//
//   lives dump.pcap
#include <cstdio>
#include <string>
#include <tcpwitness/capture.hpp>
#include <variant>
#include <vector>

using namespace tcpwitness;

namespace {

void print(const Life& life) {
  std::printf("%s -> %s  %llu bytes sent, %llu received, %.3f s, %s", to_string(life.flow.local).c_str(),
              to_string(life.flow.remote).c_str(), static_cast<unsigned long long>(life.tx_bytes),
              static_cast<unsigned long long>(life.rx_bytes), static_cast<double>(life.duration_ns) / 1e9,
              std::string(name(life.outcome)).c_str());
  for (const Finding& finding : life.findings) std::printf(", %s", std::string(name(finding.rule)).c_str());
  std::printf("\n");
}

// What is left of the reports is nobody's.
void take(Reports& reports) {
  for (const Report& report : reports) {
    if (const auto* life = std::get_if<Life>(&report)) print(*life);
  }
  reports.clear();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: lives FILE\n");
    return 2;
  }
  auto capture = Capture::open(argv[1]);
  if (!capture) {
    std::fprintf(stderr, "lives: %s\n", capture.error().message().c_str());
    return 1;
  }
  const Names names;
  Correlator correlator(capture_settings(), names);
  std::vector<Event> events;
  Reports reports;
  for (bool more = true; more;) {
    more = capture->read(events);
    for (const Event& event : events) correlator.feed(event, reports);
    events.clear();
    take(reports);
  }
  correlator.finish(capture->now(), reports);
  take(reports);
  if (!capture->damage()) return 0;
  std::fprintf(stderr, "lives: %s\n", capture->damage()->message().c_str());
  return 1;
}
