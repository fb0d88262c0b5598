// SPDX-License-Identifier: Apache-2.0
#include "top/kept.hpp"

namespace tcpwitness::top {

void Kept::take(const Report& report) {
  if (const auto* entry = std::get_if<Entry>(&report)) {
    if (entry->conn != 0) add(entry->conn, report);
  } else if (const auto* finding = std::get_if<FindingReport>(&report)) {
    if (connections_.contains(finding->conn)) add(finding->conn, report);
  } else if (const auto* life = std::get_if<Life>(&report)) {
    if (connections_.contains(life->conn)) {
      add(life->conn, report);
      over_.push_back(life->conn);
    }
    if (life->explanation.empty()) return;  // an ordinary one among very many
    if (lives_order_.size() >= limit_.lives) {
      lives_.erase(lives_order_.front());
      lives_order_.pop_front();
    }
    lives_[life->conn] = std::make_unique<Life>(*life);
    lives_order_.push_back(life->conn);
  }
}

void Kept::add(ConnectionId conn, const Report& report) {
  Of& of = connections_[conn];
  ++of.version;
  ++count_;
  if (of.first.size() < limit_.first) {
    of.first.push_back(report);
  } else {
    of.last.push_back(report);
    if (of.last.size() > limit_.last) {
      of.last.pop_front();
      ++of.left_out;
      --count_;
    }
  }
  if (count_ > limit_.all) make_room();
}

void Kept::make_room() {
  while (count_ > limit_.all && !over_.empty()) {
    const ConnectionId oldest = over_.front();
    over_.pop_front();
    if (oldest != watched_) forget(oldest);
  }
  for (auto at = connections_.begin(); count_ > limit_.all && at != connections_.end();) {
    const ConnectionId conn = at->first;
    ++at;
    if (conn != watched_) forget(conn);
  }
}

void Kept::forget(ConnectionId conn) {
  const auto at = connections_.find(conn);
  if (at == connections_.end()) return;
  count_ -= at->second.first.size() + at->second.last.size();
  connections_.erase(at);
}

const Kept::Of* Kept::find(ConnectionId conn) const {
  const auto at = connections_.find(conn);
  return at == connections_.end() ? nullptr : &at->second;
}

const Life* Kept::life(ConnectionId conn) const {
  const auto at = lives_.find(conn);
  return at == lives_.end() ? nullptr : at->second.get();
}

}  // namespace tcpwitness::top
