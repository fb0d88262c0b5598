// SPDX-License-Identifier: Apache-2.0
// timeline.hpp: the reports on their way out, in ring order.
//
// A segment can wait here for the transition that it causes, or for the kernel's word why it was sent
// again; everything behind it waits too, so order is kept. Where only one process's connections are
// wanted, what belongs to a connection whose process is not known yet is set aside until it is, at most
// `aside_limit` reports of each.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tcpwitness/report.hpp"

namespace tcpwitness {

class Timeline {
 public:
  enum class Wanted : std::uint8_t { undecided, yes, no };
  static constexpr std::size_t aside_limit = 256;

  // filtered: a connection must be decided before its reports leave. of_flow: whether what belongs to none is shown;
  // null: all.
  explicit Timeline(bool filtered, std::function<bool(const Flow&)> of_flow = {})
      : filtered_(filtered), of_flow_(std::move(of_flow)) {}

  // Of a report that belongs to no connection.
  [[nodiscard]] bool wants(const Report& report) const;

  void push(Report report, ConnectionId conn);
  // Waits for transition_of(id, ...), cause_of(id, ...) or flow_of(conn, ...) until `deadline` of event time.
  void push_held(Entry entry, TimeNs deadline);
  // Likewise, and it is not shown unless confirm() comes before: NAT may have given it to another machine.
  void push_doubtful(Entry entry, TimeNs deadline);
  // What the kernel did with it shows that the segment was this machine's. seq: of any of them.
  void confirm(const Flow& flow, std::optional<std::uint32_t> seq);
  // The kernel reported why the held segment `id` was sent again; it waits no longer.
  void cause_of(EventId id, std::string_view cause);
  // The whole address pair of a connection whose held first entry did not have it; it waits no longer.
  void flow_of(ConnectionId conn, const Flow& flow);
  // Gives the held segment `id` its transition; it waits no longer. No effect if it has left already.
  void transition_of(EventId id, const Transition& transition);
  // The held segment `id` turns out to be a connection's; it waits no longer.
  void belongs_to(EventId id, ConnectionId conn, const Flow& flow, const std::optional<Flow>& nat);
  // Takes the held segment `id` out: it will be pushed anew, as another one's. False: it has left already.
  bool take_out(EventId id);
  // Adds a state to segment `id`, the newest.
  void infer(EventId id, const InferredState& state);
  // The connection's process is known (or never will be).
  void decide(ConnectionId conn, bool wanted, Reports& out);
  void discard(ConnectionId conn);

  // Moves out everything that waits for nothing at `now`.
  void release(TimeNs now, Reports& out);
  void flush(Reports& out);
  [[nodiscard]] bool empty() const { return items_.empty(); }  // but for what is set aside

 private:
  struct Item {
    Report report;
    ConnectionId conn = 0;
    EventId id = 0;
    TimeNs deadline = 0;
    bool held = false;
    bool doubtful = false;
    bool taken_out = false;
  };
  // Of an item: how many were pushed before it.
  using Place = std::uint64_t;
  struct Aside {
    Wanted wanted = Wanted::undecided;
    Reports reports;
  };
  void emit(Item& item, Reports& out);
  void pop();
  void let_go(Item& item);
  void clear_doubt(Item& item);
  // Null: it has left.
  Item* at(Place place) { return place - left_ < items_.size() ? &items_[place - left_] : nullptr; }
  Item* held(EventId id);

  struct Doubtful {
    EventId id = 0;
    std::uint32_t seq = 0;
  };
  std::unordered_multimap<Flow, Doubtful> doubtful_;  // of the items that are held so

  bool filtered_;
  std::function<bool(const Flow&)> of_flow_;
  std::deque<Item> items_;
  Place left_ = 0;  // items that were there before the first one
  // Where they are, as long as they are there: under load many wait.
  std::unordered_map<EventId, Place> held_;
  std::unordered_map<ConnectionId, Place> without_port_;  // held for flow_of()
  Place newest_segment_ = 0;
  std::unordered_map<ConnectionId, Aside> aside_;
};

}  // namespace tcpwitness
