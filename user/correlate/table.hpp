// SPDX-License-Identifier: Apache-2.0
// table.hpp: all connections that are known, by socket cookie and by address pair, and what they wait for.
//
// A slot number stays valid until release(). A flow names the newest connection that has it. A
// connection waits for at most one thing, and each kind of waiting has one delay, so the queues are
// in order of time by construction and expiry looks at their heads only.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "facts/connection.hpp"
#include "values/index_table.hpp"

namespace tcpwitness {

using Slot = std::uint32_t;
inline constexpr Slot no_slot = IndexTable::none;

class Table {
 public:
  Table();

  [[nodiscard]] Connection& at(Slot slot) { return chunks_[slot / chunk][slot % chunk]; }
  [[nodiscard]] const Connection& at(Slot slot) const { return chunks_[slot / chunk][slot % chunk]; }

  Slot create(TimeNs now);
  void release(Slot slot);

  // Will be looked for soon, and is likely not to be there.
  void prefetch_places(std::uint64_t cookie, const Flow& flow) const;
  [[nodiscard]] Slot find_cookie(std::uint64_t cookie) const;
  [[nodiscard]] static std::uint32_t hash_of(const Flow& flow) {
    return static_cast<std::uint32_t>(std::hash<Flow>{}(flow));
  }
  [[nodiscard]] Slot find_flow(const Flow& flow) const { return find_flow(flow, hash_of(flow)); }
  [[nodiscard]] Slot find_flow(const Flow& flow, std::uint32_t hash) const;
  // By cookie, else by address pair; no_slot for one that was reported already, and for another socket's.
  [[nodiscard]] Slot find_open(std::uint64_t cookie, const AddressPair& tuple) const;
  void bind_cookie(Slot slot, std::uint64_t cookie);
  // Of a new one; no other has either. `hash`: of the flow.
  void bind_new(Slot slot, std::uint64_t cookie, const Flow& flow, std::uint32_t hash);
  void bind_flow(Slot slot, const Flow& flow);  // takes the flow from an older connection

  void set_delay(Wait wait, std::int64_t delay_ns);
  // Starts (or starts again) to wait, since the time of the event; wait == none only stops.
  void wait(Slot slot, Wait wait, TimeNs since);
  // The next connection whose time is up, taken out of its queue; no_slot when there is none.
  struct Expired {
    Slot slot = no_slot;
    Wait wait = Wait::none;
  };
  [[nodiscard]] Expired expire(TimeNs now) { return now < due_ ? Expired{} : find_expired(now); }

  // Nobody's time is up before.
  [[nodiscard]] TimeNs due() const { return due_; }

  // The one that has waited longest so, and those behind it.
  [[nodiscard]] Slot first(Wait wait) const { return queues_[static_cast<std::size_t>(wait)].head; }
  [[nodiscard]] Slot behind(Slot slot) const { return waiting_[slot].next; }
  // What it waits for, and since when.
  [[nodiscard]] Wait wait_of(Slot slot) const { return waiting_[slot].wait; }
  [[nodiscard]] TimeNs waiting_since(Slot slot) const { return waiting_[slot].since_ns; }
  // How many wait so, and how many connections there are.
  [[nodiscard]] std::size_t waiting(Wait wait) const { return queues_[static_cast<std::size_t>(wait)].count; }
  [[nodiscard]] std::size_t size() const { return slots_ - free_.size(); }

  // Every slot number below this was used at some time; look at Connection::live.
  [[nodiscard]] Slot slots() const { return slots_; }

 private:
  struct Queue {
    Slot head = no_slot;
    Slot tail = no_slot;
    std::int64_t delay_ns = 0;
    std::size_t count = 0;
  };
  // Apart from the connections: while they wait these stay in the caches, as they do not.
  struct Waiting {
    TimeNs since_ns = 0;
    Slot next = no_slot;
    Slot prev = no_slot;
    std::uint32_t flow_hash = 0;  // where its flow is bound
    Wait wait = Wait::none;
  };
  static_assert(static_cast<std::size_t>(Wait::count) <= 32);  // waited_for_
  static constexpr TimeNs never = std::numeric_limits<TimeNs>::max();
  Expired find_expired(TimeNs now);
  void unlink(Slot slot);
  void unbind(Slot slot);
  void note_head(std::size_t queue);
  void prefetch_from(Slot next) const;

  // Chunks never move, so a Connection& stays valid until its release().
  static constexpr Slot chunk = 256;
  std::vector<std::unique_ptr<Connection[]>> chunks_;
  std::vector<Waiting> waiting_;  // by slot
  Slot slots_ = 0;
  std::vector<Slot> free_;
  IndexTable by_cookie_;
  IndexTable by_flow_;
  ConnectionId next_id_ = 1;
  std::array<Queue, static_cast<std::size_t>(Wait::count)> queues_{};
  std::array<TimeNs, static_cast<std::size_t>(Wait::count)>
      heads_due_{};               // when the time of each one's head is up, where it has one
  TimeNs due_ = never;            // nothing's time is up before
  std::uint32_t waited_for_ = 0;  // a bit for each queue that is not empty
};

}  // namespace tcpwitness
