// SPDX-License-Identifier: Apache-2.0
#include "sink/filtered.hpp"

#include <deque>
#include <map>
#include <unordered_set>
#include <utility>
#include <variant>

namespace tcpwitness {
namespace {

class FilteredSink final : public Sink {
 public:
  FilteredSink(std::unique_ptr<Sink> sink, const ReportFilter& filter, KeptLimits limits)
      : sink_(std::move(sink)), filter_(filter), limits_(limits) {}

  void write(const Report& report) override {
    if (const auto* life = std::get_if<Life>(&report)) {
      end(*life, report);
    } else if (const auto* found = std::get_if<FindingReport>(&report)) {
      const Rule rule = found->finding.rule;
      if (found->conn == 0 ? filter_.wants_without_connection(rule) : filter_.wants_at_once(rule)) {
        follow(found->conn);
        sink_->write(report);
      }
    } else if (const auto* interim = std::get_if<Interim>(&report)) {
      if (!interim->life || filter_.wants(*interim->life)) sink_->write(report);
    } else if (const auto* summary = std::get_if<Summary>(&report); summary != nullptr && summary->chosen) {
      Summary counted = *summary;  // a finding that fired chose its connection, although it has none at the end
      counted.chosen = printed_;
      sink_->write(Report(std::move(counted)));
    } else if (const auto* entry = std::get_if<Entry>(&report)) {
      followed_.contains(entry->conn) ? sink_->write(report) : keep(*entry);
    } else {
      sink_->write(report);
    }
  }
  bool flush() override { return sink_->flush(); }

 private:
  void end(const Life& life, const Report& report) {
    const bool wanted = followed_.erase(life.conn) != 0 || filter_.wants(life);
    if (wanted) release(life.conn);
    drop(life.conn);
    if (!wanted) return;
    ++printed_;
    sink_->write(report);
  }

  // From now on everything of it passes.
  void follow(ConnectionId conn) {
    if (conn == 0 || !followed_.insert(conn).second) return;
    release(conn);
    drop(conn);
  }

  // What is of no connection is part of none that is chosen.
  void keep(const Entry& entry) {
    if (entry.conn == 0) return;
    auto& entries = kept_[entry.conn];
    entries.push_back(entry);
    ++count_;
    if (entries.size() > limits_.of_one) {
      entries.pop_front();
      --count_;
    }
    if (count_ > limits_.of_all) drop(kept_.begin()->first);
  }
  void release(ConnectionId conn) {
    const auto at = kept_.find(conn);
    if (at == kept_.end()) return;
    for (Entry& entry : at->second) sink_->write(Report(std::move(entry)));
  }
  void drop(ConnectionId conn) {
    const auto at = kept_.find(conn);
    if (at == kept_.end()) return;
    count_ -= at->second.size();
    kept_.erase(at);
  }

  std::unique_ptr<Sink> sink_;
  ReportFilter filter_;
  KeptLimits limits_;
  std::map<ConnectionId, std::deque<Entry>> kept_;
  std::size_t count_ = 0;
  std::uint64_t printed_ = 0;
  std::unordered_set<ConnectionId> followed_;
};

}  // namespace

std::unique_ptr<Sink> with_filter(std::unique_ptr<Sink> sink, const ReportFilter& filter, KeptLimits limits) {
  if (!filter.any()) return sink;
  return std::make_unique<FilteredSink>(std::move(sink), filter, limits);
}

}  // namespace tcpwitness
