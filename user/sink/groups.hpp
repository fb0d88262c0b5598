// SPDX-License-Identifier: Apache-2.0
// groups.hpp: connections added up by what they have in common.
//
// A pure function of lives. Bounded: beyond `limit` groups, new ones share one, which is called "(other)".
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sink/quantiles.hpp"
#include "tcpwitness/connection.hpp"
#include "tcpwitness/report.hpp"
#include "values/group_key.hpp"

namespace tcpwitness {

struct GroupSettings {
  std::vector<GroupKey> by{GroupKey::comm};
  std::size_t limit = 4096;
  std::function<std::string(const Process&)> container_of{};  // for GroupKey::container; "": not known
};

// Segments of one direction, and how many of them were retransmitted. segments: as the wire carried them.
struct Retransmitted {
  std::uint64_t retransmitted = 0;
  std::uint64_t segments = 0;
  // Per cent; empty where the wire counted nothing.
  [[nodiscard]] std::optional<double> share() const;
};

struct Group {
  std::vector<std::string> key;  // as many as there are GroupKeys; empty: not known
  std::uint64_t connections = 0;
  std::uint64_t problems = 0;  // connections with a bad outcome or a finding other than time-wait
  std::uint64_t open = 0;      // of `connections`: not over yet
  std::uint64_t incomplete = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_bytes = 0;
  Retransmitted tx;
  Retransmitted rx;
  Quantiles connect;   // handshake_ns, of those that have it
  Quantiles lifetime;  // of those that were seen from beginning to end
};

// How often an outcome or a finding came, and one connection that has it.
struct Example {
  std::uint64_t connections = 0;
  ConnectionId conn = 0;  // the newest
  Flow flow;
  Process process;
};

class Groups {
 public:
  explicit Groups(GroupSettings settings) : settings_(std::move(settings)) {}

  void take(const Life& life);
  void take(const FindingReport& found);  // counts where it is of no connection; the others are in their lives

  // Most connections first.
  [[nodiscard]] std::vector<const Group*> ordered() const;
  [[nodiscard]] const Group& total() const { return total_; }
  [[nodiscard]] const std::map<Outcome, Example>& outcomes() const { return outcomes_; }
  // But for time-wait.
  [[nodiscard]] const std::map<Rule, Example>& findings() const { return findings_; }
  // Of no connection: segments that none wanted, floods. `connections` counts the reports.
  [[nodiscard]] const std::map<Rule, Example>& strays() const { return strays_; }
  [[nodiscard]] const GroupSettings& settings() const { return settings_; }

 private:
  Group& find(const std::vector<std::string>& key);

  GroupSettings settings_;
  std::unordered_map<std::string, Group> groups_;
  Group total_;
  std::map<Outcome, Example> outcomes_;
  std::map<Rule, Example> findings_;
  std::map<Rule, Example> strays_;
};

}  // namespace tcpwitness
