// SPDX-License-Identifier: Apache-2.0
// label_sets.hpp: the combinations of labels that have series of their own. Bounded, whatever names and addresses come.
//
// A label has at most `limit` values, then "other"; there are at most 4 * limit combinations, then all their labels are
// "other". Who comes first is named; nothing is ever taken back, as a counter that goes down is a restart to who reads
// it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tcpwitness/connection.hpp"
#include "values/metric_label.hpp"

namespace tcpwitness::metrics {

struct LabelSettings {
  std::vector<MetricLabel> labels{MetricLabel::process};
  std::size_t limit = 100;
};

// A connection, or what belongs to none.
struct Subject {
  std::uint16_t port = 0;  // of the listener; 0: not known
  std::string_view process;
  Address remote;
  Role role = Role::unknown;
  // May bring a new port or address. Not a segment that nobody wanted: a scan would use up the limit.
  bool admitted = true;
};
[[nodiscard]] Subject subject_of(const Life& life);

class LabelSets {
 public:
  explicit LabelSets(LabelSettings settings);

  struct Found {
    std::size_t index = 0;
    bool other = false;  // a label is "other" as there were too many values
  };
  Found find(const Subject& subject);

  [[nodiscard]] std::size_t size() const { return sets_.size(); }
  // As many values as there are labels.
  [[nodiscard]] const std::vector<std::vector<std::string>>& sets() const { return sets_; }
  [[nodiscard]] const LabelSettings& settings() const { return settings_; }

 private:
  Found add(const Subject& subject);
  std::size_t index_of(std::vector<std::string> values);

  LabelSettings settings_;
  std::unordered_map<std::string, Found> seen_;  // by the bytes of a subject; bounded
  std::unordered_map<std::string, std::size_t> indices_;
  std::vector<std::unordered_set<std::string>> values_;  // of each label
  std::vector<std::vector<std::string>> sets_;
  std::string key_;
};

// Valid UTF-8 without control characters: a scraper refuses all of an answer for one byte of a process's name.
[[nodiscard]] std::string label_value(std::string_view text);
// "192.0.2.0/24", "2001:db8:1::/48".
[[nodiscard]] std::string network_of(const Address& address);

}  // namespace tcpwitness::metrics
