// SPDX-License-Identifier: Apache-2.0
// own_rule.cpp: a rule of one's own, over the timeline of each connection: the server sent payload, and then none for
// longer than a limit, or none any more until the connection ended.
//
//   own_rule dump.pcap [SECONDS]
//
// What a rule sees are reports: the entries of a connection's timeline in their order, then its life. What it finds is a
// Finding with words of its own, and the numbers of the events that carry it. Nothing is kept of a connection whose life
// was reported, so memory is that of the open ones.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <tcpwitness/capture.hpp>
#include <variant>
#include <vector>

using namespace tcpwitness;

namespace {

// New payload, not what was sent before.
bool is_new_payload(const Segment& segment) {
  return segment.len != 0 && !segment.is(SegmentEvent::retransmission) && !segment.is(SegmentEvent::keepalive);
}

class SilentServer {
 public:
  explicit SilentServer(TimeNs limit_ns) : limit_ns_(limit_ns) {}

  // A finding with the life of a connection that this server kept waiting.
  std::optional<Finding> take(const Report& report) {
    if (const auto* entry = std::get_if<Entry>(&report)) take(*entry);
    if (const auto* life = std::get_if<Life>(&report)) return judge(*life);
    return std::nullopt;
  }

 private:
  struct Server {
    TimeNs last_ns = 0;  // its newest payload
    EventId last = 0;
    TimeNs longest_ns = 0;  // its longest silence
    EventId since = 0;      // the segment before that
  };

  static void note(Server& server, TimeNs now) {
    if (server.last == 0 || now - server.last_ns <= server.longest_ns) return;
    server.longest_ns = now - server.last_ns;
    server.since = server.last;
  }

  void take(const Entry& entry) {
    const auto* body = std::get_if<SegmentEntry>(&entry.body);
    if (entry.conn == 0 || body == nullptr || body->segment.outgoing() || !is_new_payload(body->segment)) return;
    Server& server = servers_[entry.conn];
    note(server, entry.ts_ns);
    server.last_ns = entry.ts_ns;
    server.last = entry.id;
  }

  std::optional<Finding> judge(const Life& life) {
    const auto found = servers_.extract(life.conn);
    if (found.empty() || life.role != Role::active) return std::nullopt;
    Server& server = found.mapped();
    note(server, life.ts_ns);
    if (server.longest_ns <= limit_ns_) return std::nullopt;
    std::string words(64, '\0');
    const double seconds = static_cast<double>(server.longest_ns) / 1e9;
    words.resize(static_cast<std::size_t>(
        std::snprintf(words.data(), words.size(), "the server sent nothing for %.3f s", seconds)));
    Finding finding;
    finding.confidence = life.incomplete ? Confidence::inconclusive : Confidence::certain;
    finding.arguments = arguments::OwnWords{words};
    finding.evidence = {server.since};
    return finding;
  }

  TimeNs limit_ns_;
  std::map<ConnectionId, Server> servers_;
};

void print(const Life& life, const Finding& finding) {
  std::printf("%s -> %s (%s): %s, ended as %s\n", to_string(life.flow.local).c_str(),
              to_string(life.flow.remote).c_str(), std::string(name(finding.confidence)).c_str(),
              sentence(finding).c_str(), std::string(name(life.outcome)).c_str());
}

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
    for (const Report& report : reports) {
      if (const auto finding = rule.take(report)) print(std::get<Life>(report), *finding);
    }
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
