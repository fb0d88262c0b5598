// SPDX-License-Identifier: Apache-2.0
// top_scene.hpp: lives for the live view, made up.
#pragma once

#include <string>
#include <utility>

#include "golden/reports.hpp"
#include "top/items.hpp"
#include "top/keys.hpp"
#include "top/layout.hpp"
#include "top/model.hpp"
#include "top/view.hpp"

namespace tcpwitness::test {

inline constexpr TimeNs second = 1'000'000'000;

struct LifeOf {
  ConnectionId conn = 1;
  std::uint32_t pid = 100;
  std::string comm = "curl";
  std::string remote = "10.0.0.2";
  std::uint16_t port = 80;
  std::uint64_t tx = 0;
  std::uint64_t rx = 0;
  std::uint32_t retransmits = 0;
  std::uint32_t retransmits_in = 0;
  Outcome outcome = Outcome::completed;
  bool preexisting = false;
  std::optional<Rule> finding{};
  TimeNs start = golden::midnight;
  TimeNs end = golden::midnight + second;
};

inline Life life_of(const LifeOf& what) {
  Life life;
  life.conn = what.conn;
  life.start_ts_ns = what.start;
  life.ts_ns = what.end;
  life.flow = golden::flow("10.0.0.1", static_cast<std::uint16_t>(40'000 + what.conn), what.remote.c_str(), what.port);
  life.role = Role::active;
  life.process = {.pid = what.pid, .comm = what.comm, .source = PidSource::connect};
  life.outcome = what.outcome;
  life.preexisting = what.preexisting;
  life.tx_bytes = what.tx;
  life.rx_bytes = what.rx;
  life.retransmits = what.retransmits;
  life.retransmits_in = what.retransmits_in;
  life.states = {TcpState::syn_sent, TcpState::established};
  if (what.finding) life.findings.push_back({.rule = *what.finding, .confidence = Confidence::certain});
  return life;
}

// A model that is fed second by second.
class Scene {
 public:
  explicit Scene(top::Limits limits = {}) : model(limits) { tick(0); }
  Scene& open(LifeOf what) {
    what.outcome = Outcome::open;
    what.end = now;
    model.take(Interim{.ts_ns = now, .life = life_of(what)});
    return *this;
  }
  Scene& end(LifeOf what) {
    what.end = now;
    model.take(Report(life_of(what)));
    return *this;
  }
  Scene& found(ConnectionId conn, Rule rule, std::string text) {
    FindingReport report;
    report.conn = conn;
    report.ts_ns = now;
    report.flow = life_of({.conn = conn}).flow;
    report.finding = {
        .rule = rule, .confidence = Confidence::certain, .arguments = arguments::OwnWords{std::move(text)}};
    model.take(Report(report));
    return *this;
  }
  Scene& lost(std::uint64_t events) {
    model.take(GapReport{.ts_ns = now, .gap = {.lost = events, .cpu = 1, .from_ts_ns = now - 1, .to_ts_ns = now}});
    return *this;
  }
  // The interval is over.
  Scene& tick(TimeNs after = second) {
    now += after;
    model.take(Interim{.ts_ns = now, .life = {}});
    return *this;
  }

  TimeNs now = golden::midnight;
  top::Model model;
};

// Two busy services, a client that is refused, a slow reader, names that are none.
inline Scene busy() {
  Scene scene;
  ConnectionId next = 10;
  for (std::uint64_t s = 1; s <= 20; ++s) {
    for (std::uint64_t i = 0; i < 3 + s % 5; ++i)
      scene.end({.conn = next++,
                 .pid = 4242,
                 .comm = "nginx",
                 .remote = "192.0.2.7",
                 .port = 443,
                 .tx = 1000 * s,
                 .rx = 150});
    if (s % 4 == 0)
      scene.end({.conn = next++,
                 .pid = 77,
                 .comm = "curl",
                 .remote = "198.51.100.9",
                 .port = 8080,
                 .outcome = Outcome::refused});
    if (s == 18) {
      scene.end({.conn = next++,
                 .pid = 901,
                 .comm = "\x1b[31mred\x1b[0m",
                 .remote = "10.9.9.9",
                 .port = 25,
                 .tx = 7,
                 .outcome = Outcome::reset_by_peer,
                 .finding = Rule::reset_origin});
      scene.found(next - 1, Rule::reset_origin, "the peer reset it, 3 ms after the last byte");
      scene.end({.conn = next++,
                 .pid = 902,
                 .comm = "\u6f22\u5b57\u202e\u05d0",
                 .remote = "2001:db8::1234:5678:9abc:def0",
                 .port = 5432,
                 .rx = 20'000});
    }
    scene.open({.conn = 1,
                .pid = 500,
                .comm = "postgres",
                .remote = "10.0.0.8",
                .port = 5432,
                .tx = 5'000'000 * s,
                .rx = 90'000 * s,
                .retransmits = static_cast<std::uint32_t>(s / 3),
                .retransmits_in = static_cast<std::uint32_t>(s / 5)});
    scene.open({.conn = 2,
                .pid = 501,
                .comm = "node",
                .remote = "10.0.0.9",
                .port = 6379,
                .tx = 100,
                .preexisting = true,
                .finding = s > 5 ? std::optional(Rule::zero_window) : std::nullopt});
    if (s == 6) scene.found(2, Rule::zero_window, "node[501] has not read for 4 s, its window is closed");
    if (s == 15) scene.lost(1234);
    scene.tick();
  }
  return scene;
}

inline std::string plain(const top::Frame& frame) {
  std::string text;
  for (const top::Row& row : frame) {
    std::string line = row.text();
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace tcpwitness::test
