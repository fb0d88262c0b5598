// SPDX-License-Identifier: Apache-2.0
// table.cpp: the two indexes, the pool behind them, and the waiting queues.
#include "correlate/table.hpp"

#include <algorithm>
#include <bit>
#include <memory>
#include <utility>

#include "values/prefetch.hpp"

namespace tcpwitness {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t s = 1'000 * ms;

// A capture's clock may show anything.
TimeNs after(TimeNs ts, std::int64_t delay_ns) {
  TimeNs sum = 0;
  return __builtin_add_overflow(ts, delay_ns, &sum) ? std::numeric_limits<TimeNs>::max() : sum;
}

std::uint32_t cookie_hash(std::uint64_t cookie) {
  cookie *= 0x9e3779b97f4a7c15U;
  return static_cast<std::uint32_t>(cookie >> 32);
}

}  // namespace

Table::Table() {
  // The kernel's own times (tcp.h): a SYN with tcp_syn_retries 6 gives up after 127 s;
  // a request with tcp_synack_retries 5 waits at most 32 s between two of its SYN-ACKs.
  set_delay(Wait::settle, 25 * ms);
  set_delay(Wait::late_report, 100 * ms);  // looked at again until LifeReports has waited long enough
  set_delay(Wait::unanswered_syn, 5 * s);
  set_delay(Wait::request, 70 * s);
  set_delay(Wait::fin_wait2, 1 * s);
  set_delay(Wait::close_wait, 10 * s);
  set_delay(Wait::ports, 1000 * ms);
  set_delay(Wait::wire_connect, 130 * s);
  set_delay(Wait::gone, 0);
  // nf_conntrack_proto_tcp.c: SYN_SENT; FIN_WAIT, the longest of a closing connection; ESTABLISHED.
  set_delay(Wait::forwarded_attempt, 130 * s);
  set_delay(Wait::forwarded_closing, 120 * s);
  set_delay(Wait::forwarded_open, s * 5 * 86'400);
  set_delay(Wait::forwarded_count, 25 * s);  // the look comes within 10
  set_delay(Wait::forwarded_ended, 200 * ms);
  set_delay(Wait::unsent_syn, 3 * s + 250 * ms);  // mcast_solicit times retrans_time: no neighbour
  set_delay(Wait::outsider, 3 * s);
  set_delay(Wait::tombstone, 100 * ms);
  set_delay(Wait::time_wait, 61 * s);
}

Slot Table::create(TimeNs now) {
  Slot slot = 0;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
    if (!free_.empty()) prefetch(&at(free_.back()));  // for the next one
  } else {
    slot = slots_++;
    if (slot / chunk >= chunks_.size()) chunks_.push_back(std::make_unique<Connection[]>(chunk));
    waiting_.emplace_back();
  }
  Connection& c = at(slot);
  std::destroy_at(&c);
  std::construct_at(&c);
  c.live = true;
  c.id = next_id_++;
  c.start_ts_ns = now;
  c.last_ts_ns = now;
  return slot;
}

void Table::release(Slot slot) {
  unlink(slot);
  unbind(slot);
  Connection& c = at(slot);
  c.live = false;
  c.teardown.reset();
  c.anomalies.reset();
  c.recent.reset();
  c.inferred.reset();
  c.seldom.reset();
  free_.push_back(slot);
}

void Table::prefetch_places(std::uint64_t cookie, const Flow& flow) const {
  by_cookie_.prefetch(cookie_hash(cookie));
  by_flow_.prefetch(hash_of(flow));
}

Slot Table::find_cookie(std::uint64_t cookie) const {
  if (cookie == 0) return no_slot;
  return by_cookie_.find(cookie_hash(cookie), [&](Slot slot) { return at(slot).cookie == cookie; });
}

Slot Table::find_flow(const Flow& flow, std::uint32_t hash) const {
  return by_flow_.find(hash, [&](Slot slot) { return at(slot).flow == flow; });
}

Slot Table::find_open(std::uint64_t cookie, const AddressPair& tuple) const {
  Slot slot = find_cookie(cookie);
  if (slot == no_slot) {
    slot = find_flow(to_flow(tuple));
    // Another socket's: a flow is used again.
    if (slot != no_slot && cookie != 0 && at(slot).cookie != 0) return no_slot;
  }
  return slot != no_slot && at(slot).reported ? no_slot : slot;
}

void Table::bind_cookie(Slot slot, std::uint64_t cookie) {
  Connection& c = at(slot);
  if (cookie == 0 || (c.bound.cookie && c.cookie == cookie)) return;
  if (const Slot older = find_cookie(cookie); older != no_slot) {
    by_cookie_.erase(cookie_hash(cookie), older);
    at(older).bound.cookie = false;
  }
  if (c.bound.cookie) by_cookie_.erase(cookie_hash(c.cookie), slot);
  c.cookie = cookie;
  c.bound.cookie = true;
  by_cookie_.insert(cookie_hash(cookie), slot);
}

void Table::bind_flow(Slot slot, const Flow& flow) {
  Connection& c = at(slot);
  if (c.bound.flow && c.flow == flow) return;
  const std::uint32_t hash = hash_of(flow);
  if (const Slot older = find_flow(flow, hash); older != no_slot) {
    by_flow_.erase(hash, older);
    at(older).bound.flow = false;
  }
  if (c.bound.flow) by_flow_.erase(waiting_[slot].flow_hash, slot);
  c.flow = flow;
  c.bound.flow = true;
  waiting_[slot].flow_hash = hash;
  by_flow_.insert(hash, slot);
}

void Table::bind_new(Slot slot, std::uint64_t cookie, const Flow& flow, std::uint32_t hash) {
  Connection& c = at(slot);
  c.cookie = cookie;
  c.bound.cookie = true;
  c.flow = flow;
  c.bound.flow = true;
  waiting_[slot].flow_hash = hash;
  by_cookie_.insert(cookie_hash(cookie), slot);
  by_flow_.insert(hash, slot);
}

void Table::unbind(Slot slot) {
  Connection& c = at(slot);
  if (c.bound.cookie) by_cookie_.erase(cookie_hash(c.cookie), slot);
  if (c.bound.flow) by_flow_.erase(waiting_[slot].flow_hash, slot);
  c.bound.cookie = false;
  c.bound.flow = false;
}

void Table::set_delay(Wait wait, std::int64_t delay_ns) { queues_[static_cast<std::size_t>(wait)].delay_ns = delay_ns; }

void Table::wait(Slot slot, Wait wait, TimeNs since) {
  constexpr int most_steps = 1000;
  unlink(slot);
  if (wait == Wait::none) return;
  Queue& queue = queues_[static_cast<std::size_t>(wait)];
  // Behind all that began before it: what the kernel held back comes up to a second and a half late.
  Slot before = queue.tail;
  for (int steps = 0; before != no_slot && waiting_[before].since_ns > since && steps < most_steps; ++steps)
    before = waiting_[before].prev;
  const Slot behind = before == no_slot ? queue.head : waiting_[before].next;
  Waiting& of = waiting_[slot];
  of.since_ns = since;
  of.next = behind;
  of.prev = before;
  of.wait = wait;
  (before == no_slot ? queue.head : waiting_[before].next) = slot;
  (behind == no_slot ? queue.tail : waiting_[behind].prev) = slot;
  ++queue.count;
  if (before == no_slot) note_head(static_cast<std::size_t>(wait));
}

void Table::unlink(Slot slot) {
  Waiting& of = waiting_[slot];
  if (of.wait == Wait::none) return;
  const auto wait = static_cast<std::size_t>(std::exchange(of.wait, Wait::none));
  Queue& queue = queues_[wait];
  (of.prev == no_slot ? queue.head : waiting_[of.prev].next) = of.next;
  (of.next == no_slot ? queue.tail : waiting_[of.next].prev) = of.prev;
  --queue.count;
  if (of.prev == no_slot) note_head(wait);
}

void Table::note_head(std::size_t queue) {
  const Queue& of = queues_[queue];
  const std::uint32_t bit = std::uint32_t{1} << queue;
  if (of.head == no_slot) {
    waited_for_ &= ~bit;
    return;
  }
  waited_for_ |= bit;
  heads_due_[queue] = after(waiting_[of.head].since_ns, of.delay_ns);
  due_ = std::min(due_, heads_due_[queue]);
}

// One that waits is in no cache by the time that it is due. Of the next one its parts are fetched, for it came itself
// when the one before it was due; of the one behind it that itself.
void Table::prefetch_from(Slot next) const {
  if (next == no_slot) return;
  const Connection& c = at(next);
  if (c.teardown) prefetch(c.teardown.get());
  if (c.seldom) prefetch(c.seldom.get());
  if (c.reported) {  // to be forgotten
    by_cookie_.prefetch(cookie_hash(c.cookie));
    by_flow_.prefetch(waiting_[next].flow_hash);
  } else {  // to be judged, and what became of its other end
    by_flow_.prefetch(hash_of(c.flow.reversed()));
  }
  if (const Slot after = waiting_[next].next; after != no_slot) {
    prefetch(&at(after));
    prefetch(&waiting_[after]);
  }
}

Table::Expired Table::find_expired(TimeNs now) {
  TimeNs first_due = never;
  for (std::uint32_t queues = waited_for_; queues != 0; queues &= queues - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(queues));
    if (now < heads_due_[i]) {
      first_due = std::min(first_due, heads_due_[i]);
      continue;
    }
    const Slot head = queues_[i].head;
    unlink(head);
    prefetch_from(queues_[i].head);
    return {head, static_cast<Wait>(i)};
  }
  due_ = first_due;
  return {};
}

}  // namespace tcpwitness
