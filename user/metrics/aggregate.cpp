// SPDX-License-Identifier: Apache-2.0
#include "metrics/aggregate.hpp"

#include <algorithm>
#include <variant>

#include "metrics/catalogue.hpp"

namespace tcpwitness::metrics {
namespace {

struct Totalled {
  EachWay bytes{};
  EachWay segments{};
  EachWay retransmits{};
};

Totalled totals_of(const Life& life) {
  Totalled now;
  now.bytes = {life.tx_bytes, life.rx_bytes};
  if (life.wire) now.segments = {life.wire->tx_segments, life.wire->rx_segments};
  now.retransmits = {life.retransmits, life.retransmits_in.value_or(0)};
  return now;
}

// A counter never goes down, whatever a later look shows.
void grow(EachWay& counter, const EachWay& now, EachWay& before) {
  for (std::size_t way = 0; way < now.size(); ++way) {
    if (now.at(way) <= before.at(way)) continue;
    counter.at(way) += now.at(way) - before.at(way);
    before.at(way) = now.at(way);
  }
}

}  // namespace

Aggregate::Aggregate(LabelSettings settings) : sets_(std::move(settings)) {
  if (sets_.settings().labels.empty()) series_of(sets_.find({}).index);  // counts from 0 on
}

void Aggregate::take(const Report& report) {
  std::visit(
      [this](const auto& one) {
        using Kind = std::remove_cvref_t<decltype(one)>;
        if constexpr (!std::is_same_v<Kind, GapReport> && !std::is_same_v<Kind, Summary>) add(one);
      },
      report);
}

Series& Aggregate::series_of(std::size_t set) {
  if (series_.size() <= set) series_.resize(set + 1);
  return series_[set];
}

Series& Aggregate::find(const Life& life) {
  const LabelSets::Found found = sets_.find(subject_of(life));
  other_ = found.other;
  return series_of(found.index);
}

void Aggregate::add(const Ready& ready) {
  for (const Hook& hook : ready.hooks) {
    if (!is_missing_witness(hook)) continue;
    (hook.name == "wire" ? run_.wire : run_.kernel) = false;
  }
}

// What it carried before the run is not of the run.
void Aggregate::begin(const Life& life, Counted& before) {
  if (before.looked_at) return;
  before.looked_at = true;
  if (!life.preexisting) return;
  const Totalled now = totals_of(life);
  before.bytes = now.bytes;
  before.retransmits[transmit] = now.retransmits[transmit];
}

void Aggregate::count_growth(const Life& life, Series& series, Counted& before) {
  const Totalled now = totals_of(life);
  grow(series.bytes, now.bytes, before.bytes);
  grow(series.segments, now.segments, before.segments);
  grow(series.retransmits, now.retransmits, before.retransmits);
}

void Aggregate::count_findings(const Life& life, Series& series, Counted& before) {
  const auto count = [&](Rule rule, Confidence confidence) {
    const auto index = static_cast<std::size_t>(rule);
    if (before.rules.test(index)) return;
    before.rules.set(index);
    ++series.findings.at(index).at(static_cast<std::size_t>(confidence));
  };
  for (const auto& [rule, confidence] : before.found) count(rule, confidence);
  before.found.clear();
  if (life.outcome == Outcome::open) return;  // not final: what is sure is reported
  for (const Finding& finding : life.findings) count(finding.rule, finding.confidence);
}

void Aggregate::add(const Life& life) {
  Series& series = find(life);
  const auto at = followed_.find(life.conn);
  Counted before;
  if (at != followed_.end()) {
    before = std::move(at->second);
    followed_.erase(at);
  }
  begin(life, before);
  count_growth(life, series, before);
  count_findings(life, series, before);
  if (life.outcome == Outcome::open) return;  // the run ends, not the connection
  run_.overflow += other_ ? 1 : 0;
  ++series.outcomes.at(static_cast<std::size_t>(life.outcome));
  for (const Finding& finding : life.findings) {
    if (finding.reset) ++series.resets.at(static_cast<std::size_t>(*finding.reset));
  }
  if (life.handshake_ns) series.connect_time.add(*life.handshake_ns, short_bounds());
  if (life.phases.first_byte) series.first_byte.add(*life.phases.first_byte, short_bounds());
  if (!life.preexisting) series.lifetime.add(life.duration_ns, long_bounds());
}

void Aggregate::add(const Interim& interim) {
  if (!interim.life) return end_round(interim);
  const Life& life = *interim.life;
  Series& series = find(life);
  const auto set = static_cast<std::size_t>(&series - series_.data());
  if (open_.size() <= set) open_.resize(set + 1);
  if (!life.states.empty()) ++open_[set].at(static_cast<std::size_t>(life.states.back()));
  auto at = followed_.find(life.conn);
  if (at == followed_.end()) {
    if (followed_.size() >= most_followed) return;  // counts at its end
    at = followed_.emplace(life.conn, Counted{}).first;
  }
  Counted& before = at->second;
  begin(life, before);
  before.round = round_;
  ++seen_in_round_;
  count_growth(life, series, before);
  count_findings(life, series, before);
}

void Aggregate::end_round(const Interim& interim) {
  open_.resize(series_.size());
  for (std::size_t set = 0; set < series_.size(); ++set) {
    series_[set].open = open_[set];
    open_[set] = {};
  }
  if (interim.totals) run_.totals = *interim.totals;
  // Of whom no end came: no longer wanted, or one of too many.
  constexpr std::size_t spare = 1024;
  if (followed_.size() > seen_in_round_ + spare)
    std::erase_if(followed_, [&](const auto& each) { return each.second.round + 1 < round_; });
  seen_in_round_ = 0;
  ++round_;
}

void Aggregate::add(const FindingReport& found) {
  const Finding& finding = found.finding;
  if (found.conn == 0) {
    const Subject subject{.port = found.flow.local.port,
                          .process = "",
                          .remote = found.flow.remote.address,
                          .role = Role::passive,
                          .admitted = false};
    Series& series = series_of(sets_.find(subject).index);
    ++series.findings.at(static_cast<std::size_t>(finding.rule)).at(static_cast<std::size_t>(finding.confidence));
    return;
  }
  if (followed_.size() >= most_followed && !followed_.contains(found.conn)) return;
  Counted& before = followed_[found.conn];
  before.round = std::max(before.round, round_);
  auto& list = before.found;
  if (list.size() < rule_count) list.emplace_back(finding.rule, finding.confidence);
}

void Aggregate::add(const Entry& entry) {
  if (const auto* drop = std::get_if<DropEntry>(&entry.body)) {
    const bool room = run_.drops.size() < most_reasons || run_.drops.contains(drop->reason);
    ++run_.drops[room ? drop->reason : "other"].at(drop->out ? transmit : receive);
  } else if (const auto* probe = std::get_if<KeepaliveEntry>(&entry.body)) {
    if (probe->what == KeepaliveEntry::What::sent) ++run_.probes[transmit];
    if (probe->what == KeepaliveEntry::What::received) ++run_.probes[receive];
    if (probe->what == KeepaliveEntry::What::answered) ++run_.answers;
  }
}

void Aggregate::copy_to(Snapshot& snapshot) const {
  snapshot.labels.clear();
  for (const MetricLabel label : sets_.settings().labels) snapshot.labels.emplace_back(name(label));
  snapshot.sets = sets_.sets();
  snapshot.series = series_;
  snapshot.run = run_;
}

}  // namespace tcpwitness::metrics
