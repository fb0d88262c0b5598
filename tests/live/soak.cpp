// SPDX-License-Identifier: Apache-2.0
//
// Trust: ordinary traffic for a while. Without faults nothing of the fault kinds may be found; with faults injected
// at known moments beside the same traffic each is found, once, on its own connection and with its culprit, and
// nothing else is. Precision and recall are printed. TCPWITNESS_SOAK_SECONDS is how long (default 30).

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>

#include "live/expectations.hpp"
#include "live/traffic.hpp"

namespace tcpwitness::live {
namespace {

// What no healthy traffic brings about on a healthy machine. The others are what really happens under load (a
// tail-loss probe, a window that closes, a process that waits for a CPU) or of how a program ends (iperf3's RST).
const std::set<std::string> fault_rules = {
    "rx-dropped",     "tx-not-sent",     "bad-checksum",     "out-of-window",       "old-timestamp",
    "half-open",      "syncookie",       "close-wait-stuck", "accept-queue-full",   "syn-backlog-full",
    "bytes-disagree", "port-exhaustion", "peer-not-closing", "path-mtu-black-hole", "path-dead"};
const std::set<std::string> fault_outcomes = {"connect-timeout",   "connect-unsent",    "connect-ignored",
                                              "reset-by-outsider", "keepalive-timeout", "retransmit-timeout",
                                              "user-timeout",      "refused",           "unreachable",
                                              "no-local-port",     "fin-wait2-timeout", "unknown"};

// Cases that can be played beside other traffic, for which they change nothing, and whose connection is over when they
// are. The last ones are near misses.
constexpr std::array faults = {
    "drop-input",  "drop-output",       "reject-input", "bad-checksum",    "out-of-window",  "old-timestamp",
    "slow-accept", "slow-handshake",    "synack-lost",  "connect-ignored", "connect-unsent", "reset-orphan",
    "reboot-idle", "keepalive-revived", "half-close",   "old-data",        "out-of-order",   "blind-reset"};

Millis duration() {
  const char* seconds = std::getenv("TCPWITNESS_SOAK_SECONDS");
  return std::chrono::seconds(seconds != nullptr ? std::atoi(seconds) : 30);
}

struct Counted {
  size_t lives = 0;
  std::map<std::string, size_t> outcomes;
  std::map<std::string, size_t> findings;  // all
  std::vector<Json> faults;                // findings and lives of the fault kinds
};

Counted count(const Printed& printed) {
  Counted counted;
  for (const Json& line : printed.all()) {
    if (line["type"] == "life") {
      ++counted.lives;
      const auto outcome = line["outcome"].get<std::string>();
      ++counted.outcomes[outcome];
      if (fault_outcomes.contains(outcome)) counted.faults.push_back(line);
    } else if (line["type"] == "finding") {
      const auto rule = line["rule"].get<std::string>();
      ++counted.findings[rule];
      // Under load what one processor has sent can pass what another has, and come to a socket in TIME_WAIT with the
      // older timestamp: TCP does refuse it.
      const bool passed = line["text"].get<std::string>().contains("TCP_RFC7323_TW_PAWS");
      if (fault_rules.contains(rule) && !passed) counted.faults.push_back(line);
    }
  }
  return counted;
}

void print(const char* whose, const Counted& counted) {
  fmt::print("{}: {} lives:", whose, counted.lives);
  for (const auto& [outcome, times] : counted.outcomes) fmt::print(" {} {}", times, outcome);
  fmt::print("; findings:");
  for (const auto& [rule, times] : counted.findings) fmt::print(" {} {}", times, rule);
  fmt::print("\n");
}

// A FIN can wait for a CPU until its socket has left: then only the wire has shown it when the life is reported. And a
// half-open request is gone with its listener when the traffic ends.
Verdict under_load(Verdict verdict) {
  verdict.under_load = true;
  if (verdict.outcome == "open") verdict.outcome = "unknown";
  for (ExpectedFinding& reported : verdict.findings) {
    if (reported.rule == "time-wait") reported.confidence.clear();
  }
  return verdict;
}

struct Sides {
  Printed client;
  Printed server;
};

}  // namespace

class Soak : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (!Traffic::obstacle().empty()) GTEST_SKIP() << Traffic::obstacle();
  }
  // Both tracers watch all of it: the traffic, and what `meanwhile` does.
  std::optional<Sides> watch(const std::function<void()>& meanwhile);
};

std::optional<Sides> Soak::watch(const std::function<void()>& meanwhile) {
  auto client = Watch::start(lab().client_ns(), {}, {}, "life");
  auto server = Watch::start(lab().server_ns(), {}, {}, "life");
  if (!client || !server) return std::nullopt;
  for (Watch* one : {&*client, &*server}) {
    if (auto ready = one->run().wait_ready(); !ready) {
      ADD_FAILURE() << ready.error();
      return std::nullopt;
    }
  }
  auto traffic = Traffic::start(lab());
  if (!traffic) {
    ADD_FAILURE() << traffic.error();
    return std::nullopt;
  }
  meanwhile();
  EXPECT_EQ((*traffic)->complaint(), "") << "the programs themselves met no trouble";
  traffic->reset();
  lab::pause_for(Millis(300));
  return Sides{client->stop(), server->stop()};
}

TEST_F(Soak, OrdinaryTrafficGivesNoFinding) {
  const auto sides = watch([] { lab::pause_for(duration()); });
  ASSERT_TRUE(sides);
  for (const auto& [whose, printed] : {std::pair{"client", &sides->client}, {"server", &sides->server}}) {
    const Counted counted = count(*printed);
    print(whose, counted);
    EXPECT_GT(counted.lives, 100u);
    EXPECT_GT(counted.outcomes.at("completed"), counted.lives / 10 * 9);
    for (size_t i = 0; i < counted.faults.size() && i < 5; ++i) ADD_FAILURE() << whose << counted.faults[i].dump();
    EXPECT_EQ(counted.faults.size(), 0u) << whose;
  }
}

TEST_F(Soak, EachFaultIsFoundOnceBesideOrdinaryTraffic) {
  std::vector<std::pair<const Expectation*, lab::Played>> injected;
  const auto sides = watch([&] {
    for (const char* name : faults) {
      const auto expected = std::ranges::find(expectations(), name, &Expectation::name);
      ASSERT_NE(expected, expectations().end()) << name;
      lab::pause_for(Millis(500));
      auto played = lab::play(lab(), *lab::find_case(name));
      ASSERT_TRUE(played) << played.error();
      injected.emplace_back(&*expected, std::move(*played));
    }
  });
  ASSERT_TRUE(sides);
  size_t wanted = 0, found = 0, found_twice = 0;
  std::map<std::pair<bool, Json>, Verdict> ours;  // which tracer reported it, and its number there
  for (const auto& [expected, played] : injected) {
    for (const bool at_client : {true, false}) {
      const Printed& printed = at_client ? sides->client : sides->server;
      const Verdict verdict = under_load(at_client ? expected->client : expected->server);
      const Json life = at_client ? printed.life(played.client_at, played.server_at)
                                  : printed.life(played.server_at, played.client_at);
      if (!life.empty()) ours[{at_client, life["conn"]}] = verdict;
      expect_verdict(printed, life, verdict, expected->name + (at_client ? ", client" : ", server"));
      for (const ExpectedFinding& reported : verdict.findings) {
        const size_t times = life.empty() ? 0 : printed.findings(life["conn"], reported.rule).size();
        ++wanted;
        found += times > 0;
        found_twice += times > 1;
      }
    }
  }
  const auto meant = [](const Verdict& verdict, const Json& fault) {
    if (fault["type"] == "life") return fault["outcome"] == verdict.outcome;
    return std::ranges::any_of(verdict.findings,
                               [&](const ExpectedFinding& reported) { return fault["rule"] == reported.rule; });
  };
  size_t false_ones = 0;
  for (const bool at_client : {true, false}) {
    const Counted counted = count(at_client ? sides->client : sides->server);
    print(at_client ? "client" : "server", counted);
    for (const Json& fault : counted.faults) {
      const auto ours_it = fault.contains("conn") ? ours.find({at_client, fault["conn"]}) : ours.end();
      if (ours_it != ours.end() && meant(ours_it->second, fault)) continue;
      if (++false_ones <= 5) ADD_FAILURE() << "no such fault was injected there: " << fault.dump();
    }
  }
  const auto share = [](size_t part, size_t all) {
    return all == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
  };
  fmt::print("{} faults, {} findings wanted: recall {:.1f} %, precision {:.1f} %, {} found twice\n", injected.size(),
             wanted, share(found, wanted), share(found, found + false_ones), found_twice);
  EXPECT_EQ(found, wanted);
  EXPECT_EQ(false_ones, 0u);
  EXPECT_EQ(found_twice, 0u);
}

}  // namespace tcpwitness::live
