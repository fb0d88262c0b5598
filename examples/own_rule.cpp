// SPDX-License-Identifier: Apache-2.0
// own_rule.cpp: a rule of one's own, over the timeline of each connection: the server sent payload, and then none for
// longer than a limit.
//
//   own_rule dump.pcap [SECONDS]
//
// What a rule sees are reports: the entries of a connection's timeline in their order, then its life. Nothing is kept
// of a connection whose life was reported, so memory is that of the open ones.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <tcpwitness/capture.hpp>
#include <vector>

using namespace tcpwitness;

namespace {

class SilentServer {
 public:
  explicit SilentServer(TimeNs limit_ns) : limit_ns_(limit_ns) {}

  void take(const Report& report) {
    if (const auto* entry = std::get_if<Entry>(&report)) take(*entry);
    if (const auto* life = std::get_if<Life>(&report)) take(*life);
  }

 private:
  struct Silence {
    TimeNs last_ns = 0;  // the newest payload from the peer
    EventId last = 0;
    TimeNs longest_ns = 0;
    EventId since = 0;  // its evidence: the segment before the silence
  };

  void take(const Entry& entry) {
    const auto* body = std::get_if<SegmentEntry>(&entry.body);
    const bool from_peer = body != nullptr && !body->segment.outgoing() && body->segment.len != 0;
    if (!from_peer) return;
    Silence& silence = silences_[entry.conn];
    if (silence.last != 0 && entry.ts_ns - silence.last_ns > silence.longest_ns) {
      silence.longest_ns = entry.ts_ns - silence.last_ns;
      silence.since = silence.last;
    }
    silence.last_ns = entry.ts_ns;
    silence.last = entry.id;
  }

  void take(const Life& life) {
    const auto found = silences_.find(life.conn);
    if (found == silences_.end()) return;
    if (life.role == Role::active && found->second.longest_ns > limit_ns_) {
      std::printf("%s -> %s: silent for %.3f s (event %llu), ended as %s\n", to_string(life.flow.local).c_str(),
                  to_string(life.flow.remote).c_str(), static_cast<double>(found->second.longest_ns) / 1e9,
                  static_cast<unsigned long long>(found->second.since), std::string(name(life.outcome)).c_str());
    }
    silences_.erase(found);
  }

  TimeNs limit_ns_;
  std::map<ConnectionId, Silence> silences_;
};

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 2 ? std::strtod(argv[2], nullptr) : 1;
  if (argc < 2 || seconds <= 0) {
    std::fprintf(stderr, "usage: own_rule FILE [SECONDS]\n");
    return 2;
  }
  auto capture = Capture::open(argv[1], true);
  if (!capture) {
    std::fprintf(stderr, "own_rule: %s\n", capture.error().message().c_str());
    return 1;
  }
  const Names names;
  CorrelatorSettings settings = capture_settings();
  settings.timeline = true;
  Correlator correlator(settings, names);
  SilentServer rule(static_cast<TimeNs>(seconds * 1e9));
  std::vector<Event> events;
  Reports reports;
  const auto judge = [&] {
    for (const Report& report : reports) rule.take(report);
    reports.clear();
  };
  for (bool more = true; more;) {
    more = capture->read(events);
    for (const Event& event : events) correlator.feed(event, reports);
    events.clear();
    judge();
  }
  correlator.finish(capture->now(), reports);
  judge();
  if (!capture->damage()) return 0;
  std::fprintf(stderr, "own_rule: %s\n", capture->damage()->message().c_str());
  return 1;
}
