// SPDX-License-Identifier: Apache-2.0
// timeline.cpp: the queue in front of the sinks.
#include "correlate/timeline.hpp"

#include <algorithm>
#include <utility>

namespace tcpwitness {

void Timeline::push(Report report, ConnectionId conn) {
  const auto* entry = std::get_if<Entry>(&report);
  if (entry != nullptr && std::holds_alternative<SegmentEntry>(entry->body)) newest_segment_ = left_ + items_.size();
  items_.push_back({std::move(report), conn, 0, 0, false, false});
}

void Timeline::push_held(Entry entry, TimeNs deadline) {
  const ConnectionId conn = entry.conn;
  const EventId id = entry.id;
  const Place place = left_ + items_.size();
  held_[id] = place;
  if (entry.flow.local.port == 0 && std::holds_alternative<StateEntry>(entry.body)) without_port_[conn] = place;
  if (std::holds_alternative<SegmentEntry>(entry.body)) newest_segment_ = place;
  items_.push_back({std::move(entry), conn, id, deadline, true, false});
}

void Timeline::push_doubtful(Entry entry, TimeNs deadline) {
  const auto* segment = std::get_if<SegmentEntry>(&entry.body);
  doubtful_.emplace(entry.flow, Doubtful{entry.id, segment != nullptr ? segment->segment.seq : 0});
  push_held(std::move(entry), deadline);
  items_.back().doubtful = true;
}

void Timeline::confirm(const Flow& flow, std::optional<std::uint32_t> seq) {
  const auto [first, last] = doubtful_.equal_range(flow);
  for (auto one = first; one != last;) {
    if (seq && one->second.seq != *seq) {
      ++one;
      continue;
    }
    if (Item* item = held(one->second.id)) item->held = item->doubtful = false;
    one = doubtful_.erase(one);
  }
}

void Timeline::let_go(Item& item) {
  clear_doubt(item);
  item.held = false;
}

void Timeline::clear_doubt(Item& item) {
  if (!std::exchange(item.doubtful, false)) return;
  const auto [first, last] = doubtful_.equal_range(std::get<Entry>(item.report).flow);
  const auto same = std::find_if(first, last, [&](const auto& one) { return one.second.id == item.id; });
  if (same != last) doubtful_.erase(same);
}

void Timeline::transition_of(EventId id, const Transition& transition) {
  Item* item = held(id);
  if (item == nullptr) return;
  if (auto* segment = std::get_if<SegmentEntry>(&std::get<Entry>(item->report).body)) segment->transition = transition;
  let_go(*item);
}

void Timeline::belongs_to(EventId id, ConnectionId conn, const Flow& flow, const std::optional<Flow>& nat) {
  Item* item = held(id);
  if (item == nullptr) return;
  let_go(*item);  // before it has another flow
  Entry& entry = std::get<Entry>(item->report);
  item->conn = entry.conn = conn;
  entry.flow = flow;
  entry.nat = nat;
  if (auto* segment = std::get_if<SegmentEntry>(&entry.body)) {
    segment->segment.unmark(SegmentEvent::no_socket);
    segment->segment.socket.type = SocketKind::unknown;  // it was asked for with other addresses than the socket's
    segment->segment.nat = 1;
  }
}

bool Timeline::take_out(EventId id) {
  Item* item = held(id);
  if (item == nullptr) return false;
  let_go(*item);
  item->taken_out = true;
  while (!items_.empty() && items_.front().taken_out) pop();
  return true;
}

void Timeline::infer(EventId id, const InferredState& state) {
  Item* item = at(newest_segment_);
  if (item == nullptr) return;
  auto* entry = std::get_if<Entry>(&item->report);
  auto* segment = entry != nullptr && entry->id == id ? std::get_if<SegmentEntry>(&entry->body) : nullptr;
  if (segment != nullptr) segment->inferred.push_back(state);
}

void Timeline::cause_of(EventId id, std::string_view cause) {
  Item* item = held(id);
  if (item == nullptr) return;
  if (auto* segment = std::get_if<SegmentEntry>(&std::get<Entry>(item->report).body)) {
    // The kernel has sent it again: not a segment that came late.
    const auto late = std::ranges::find(segment->analysis, "out-of-order");
    if (late != segment->analysis.end()) *late = "retransmission";
    const auto place = std::ranges::find(segment->analysis, "retransmission");
    if (!cause.empty() && std::ranges::find(segment->analysis, cause) == segment->analysis.end()) {
      segment->analysis.insert(place == segment->analysis.end() ? place : std::next(place), cause);
    }
  }
  let_go(*item);
}

void Timeline::flow_of(ConnectionId conn, const Flow& flow) {
  const auto found = without_port_.find(conn);
  Item* item = found != without_port_.end() ? at(found->second) : nullptr;
  if (item == nullptr || !item->held || item->conn != conn) return;
  std::get<Entry>(item->report).flow = flow;
  let_go(*item);
}

Timeline::Item* Timeline::held(EventId id) {
  const auto found = held_.find(id);
  Item* item = found != held_.end() ? at(found->second) : nullptr;
  return item != nullptr && item->held ? item : nullptr;
}

void Timeline::pop() {
  const auto forget = [&](auto& places, auto key) {
    const auto found = places.find(key);
    if (found != places.end() && found->second == left_) places.erase(found);
  };
  const Item& item = items_.front();
  if (item.id != 0) {
    forget(held_, item.id);
    forget(without_port_, item.conn);
  }
  items_.pop_front();
  ++left_;
}

void Timeline::decide(ConnectionId conn, bool wanted, Reports& out) {
  if (!filtered_) return;
  Aside& aside = aside_[conn];
  aside.wanted = wanted ? Wanted::yes : Wanted::no;
  if (wanted) std::move(aside.reports.begin(), aside.reports.end(), std::back_inserter(out));
  aside.reports = {};
}

void Timeline::discard(ConnectionId conn) {
  if (filtered_) aside_.erase(conn);
}

void Timeline::emit(Item& item, Reports& out) {
  if (item.taken_out) return;
  if (item.doubtful) {
    clear_doubt(item);
    return;
  }
  if (!filtered_ || item.conn == 0) {
    if (item.conn != 0 || wants(item.report)) out.push_back(std::move(item.report));
    return;
  }
  Aside& aside = aside_[item.conn];
  if (aside.wanted == Wanted::yes) {
    out.push_back(std::move(item.report));
  } else if (aside.wanted == Wanted::undecided && aside.reports.size() < aside_limit) {
    aside.reports.push_back(std::move(item.report));
  }
}

bool Timeline::wants(const Report& report) const {
  if (!of_flow_) return true;
  if (const auto* entry = std::get_if<Entry>(&report)) return of_flow_(entry->flow);
  if (const auto* found = std::get_if<FindingReport>(&report)) return of_flow_(found->flow);
  return true;
}

void Timeline::release(TimeNs now, Reports& out) {
  while (!items_.empty() && (!items_.front().held || items_.front().deadline <= now)) {
    emit(items_.front(), out);
    pop();
  }
}

void Timeline::flush(Reports& out) {
  while (!items_.empty()) {
    emit(items_.front(), out);
    pop();
  }
}

}  // namespace tcpwitness
