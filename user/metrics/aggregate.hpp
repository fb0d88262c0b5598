// SPDX-License-Identifier: Apache-2.0
// aggregate.hpp: reports added up. Not a sink of text: what comes out is a Snapshot.
//
// Bounded: label sets (label_sets.hpp), drop reasons, and open connections that are followed. Bytes, segments and
// retransmissions of a connection count while it is open, by what has grown since the last look (Interim), and the rest
// at its end: a connection of a week is no step at the end of the week. Of one that was open before the run only
// growth counts.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "metrics/label_sets.hpp"
#include "metrics/series.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness::metrics {

class Aggregate {
 public:
  static constexpr std::size_t most_followed = 262'144;
  static constexpr std::size_t most_reasons = 256;

  explicit Aggregate(LabelSettings settings);

  void take(const Report& report);
  // Into what a Snapshot has allocated already: whoever adds up waits for this.
  void copy_to(Snapshot& snapshot) const;

 private:
  using Rules = std::bitset<rule_count>;
  struct Counted {
    EachWay bytes{};
    EachWay segments{};
    EachWay retransmits{};
    Rules rules;
    std::vector<std::pair<Rule, Confidence>> found;  // reported, and its labels are not known yet
    bool looked_at = false;
    std::uint64_t round = 0;  // of looks, the newest that showed it
  };

  void add(const Ready& ready);
  void add(const Life& life);
  void add(const Interim& interim);
  void add(const FindingReport& found);
  void add(const Entry& entry);
  void end_round(const Interim& interim);
  Series& series_of(std::size_t set);
  Series& find(const Life& life);
  static void begin(const Life& life, Counted& before);
  static void count_growth(const Life& life, Series& series, Counted& before);
  static void count_findings(const Life& life, Series& series, Counted& before);

  LabelSets sets_;
  std::vector<Series> series_;
  std::vector<std::array<std::uint64_t, state_count>> open_;  // of the look that is going on
  std::unordered_map<ConnectionId, Counted> followed_;
  std::uint64_t round_ = 1;
  std::size_t seen_in_round_ = 0;
  bool other_ = false;  // of the last find()
  RunCounts run_;
};

}  // namespace tcpwitness::metrics
