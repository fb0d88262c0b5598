// SPDX-License-Identifier: Apache-2.0
#include "sink/groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "judge/catalogue.hpp"
#include "sink/format.hpp"
#include "sink/listener.hpp"
#include "values/report_filter.hpp"

namespace tcpwitness {
namespace {

std::string ip_of(const Endpoint& endpoint) {
  Buffer text;
  append_ip(text, endpoint.address);
  return {text.data(), text.size()};
}

// The finding that a table names first stands for a connection; see Rank.
std::string finding_of(const Life& life) {
  const Finding* first = nullptr;
  for (const Finding& finding : life.findings) {
    if (!is_problem(finding.rule)) continue;
    if (first == nullptr || entry_of(finding.rule).rank < entry_of(first->rule).rank) first = &finding;
  }
  return first != nullptr ? std::string(name(first->rule)) : "";
}

std::string text_of(GroupKey key, const Life& life, const GroupSettings& settings) {
  switch (key) {
    case GroupKey::comm:
      return life.forwarded ? "forwarded" : life.process.comm;
    case GroupKey::pid:
      return life.process.pid != 0 ? fmt::format("{}", life.process.pid) : "";
    case GroupKey::local:
      return ip_of(life.flow.local);
    case GroupKey::remote:
      return ip_of(life.flow.remote);
    case GroupKey::listener:
      return std::string(endpoint_text(listener_of(life)).view());
    case GroupKey::netns:
      return life.netns != 0 ? fmt::format("{}", life.netns) : "";
    case GroupKey::container:
      if (life.forwarded) return "forwarded";
      return settings.container_of && life.process.pid != 0 ? settings.container_of(life.process) : "";
    case GroupKey::outcome:
      return std::string(name(life.outcome));
    case GroupKey::finding:
      return finding_of(life);
  }
  return "";
}

bool has_problem(const Life& life) {
  return is_problem(life.outcome) ||
         std::ranges::any_of(life.findings, [](const Finding& finding) { return is_problem(finding.rule); });
}

void add(Group& group, const Life& life) {
  group.connections++;
  group.problems += has_problem(life) ? 1 : 0;
  group.open += life.outcome == Outcome::open ? 1 : 0;
  group.incomplete += life.incomplete ? 1 : 0;
  group.tx_bytes += life.tx_bytes;
  group.rx_bytes += life.rx_bytes;
  group.tx.retransmitted += life.retransmits;
  group.rx.retransmitted += life.retransmits_in.value_or(0);
  if (life.wire) {
    group.tx.segments += life.wire->tx_segments;
    group.rx.segments += life.wire->rx_segments;
  } else if (life.conversation) {
    group.tx.segments += life.conversation->out.frames;
    group.rx.segments += life.conversation->in.frames;
  }
  if (life.handshake_ns) group.connect.add(*life.handshake_ns);
  if (!life.preexisting && life.outcome != Outcome::open) group.lifetime.add(life.duration_ns);
}

void add(Example& example, const Life& life) {
  example.connections++;
  example.conn = life.conn;
  example.flow = life.flow;
  example.process = life.process;
}

}  // namespace

std::optional<double> Retransmitted::share() const {
  if (segments == 0) return std::nullopt;
  return 100.0 * static_cast<double>(retransmitted) / static_cast<double>(std::max(segments, retransmitted));
}

void Groups::take(const Life& life) {
  std::vector<std::string> key;
  key.reserve(settings_.by.size());
  for (const GroupKey part : settings_.by) key.push_back(text_of(part, life, settings_));
  add(find(key), life);
  add(total_, life);
  add(outcomes_[life.outcome], life);
  std::set<Rule> rules;
  for (const Finding& finding : life.findings) {
    if (is_problem(finding.rule) && rules.insert(finding.rule).second) add(findings_[finding.rule], life);
  }
}

void Groups::take(const FindingReport& found) {
  if (found.conn != 0) return;
  Example& example = strays_[found.finding.rule];
  ++example.connections;
  example.flow = found.flow;
}

Group& Groups::find(const std::vector<std::string>& key) {
  std::string joined;
  for (const std::string& part : key) joined.append(part).push_back('\0');
  const auto at = groups_.find(joined);
  if (at != groups_.end()) return at->second;
  const bool full = groups_.size() >= settings_.limit;
  Group& group = groups_[full ? std::string("(other)") : joined];
  if (group.key.empty()) group.key = full ? std::vector<std::string>(key.size(), "(other)") : key;
  return group;
}

std::vector<const Group*> Groups::ordered() const {
  std::vector<const Group*> list;
  list.reserve(groups_.size());
  for (const auto& [key, group] : groups_) list.push_back(&group);
  std::ranges::sort(list, [](const Group* a, const Group* b) {
    return a->connections != b->connections ? a->connections > b->connections : a->key < b->key;
  });
  return list;
}

}  // namespace tcpwitness
