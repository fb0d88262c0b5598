// SPDX-License-Identifier: Apache-2.0
// index_table.hpp: an open-addressing hash table from a hash to a slot number of a pool.
//
// The key itself lives in the pool: a slot here is 8 bytes, so a million connections cost 32 MiB for
// both tables. Linear probing; deletion shifts back, so there are no graves and look-ups stay short.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tcpwitness {

class IndexTable {
 public:
  static constexpr std::uint32_t none = 0xffffffffU;

  IndexTable() : slots_(1024) {}

  // The first value with this hash that `same` accepts; none if there is none.
  template <typename Same>
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, Same same) const {
    for (std::size_t i = home(hash);; i = next(i)) {
      const Slot& slot = slots_[i];
      if (slot.value == none) return none;
      if (slot.hash == hash && same(slot.value)) return slot.value;
    }
  }

  // One with this hash is asked for, put in or taken out soon.
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&slots_[home(hash)]); }

  void insert(std::uint32_t hash, std::uint32_t value) {
    if ((count_ + 1) * 8 > slots_.size() * 5) grow();
    place(hash, value);
    ++count_;
  }

  void erase(std::uint32_t hash, std::uint32_t value) {
    std::size_t i = home(hash);
    while (slots_[i].value != none && !(slots_[i].hash == hash && slots_[i].value == value)) i = next(i);
    if (slots_[i].value == none) return;
    --count_;
    // Move back every follower whose home is not between the hole and itself.
    for (std::size_t j = next(i); slots_[j].value != none; j = next(j)) {
      const std::size_t wanted = home(slots_[j].hash);
      const bool stays = i <= j ? (i < wanted && wanted <= j) : (i < wanted || wanted <= j);
      if (stays) continue;
      slots_[i] = slots_[j];
      i = j;
    }
    slots_[i] = Slot{};
  }

  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t value = none;
  };

  [[nodiscard]] std::size_t home(std::uint32_t hash) const { return hash & (slots_.size() - 1); }
  [[nodiscard]] std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }

  void place(std::uint32_t hash, std::uint32_t value) {
    std::size_t i = home(hash);
    while (slots_[i].value != none) i = next(i);
    slots_[i] = Slot{hash, value};
  }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.value != none) place(slot.hash, slot.value);
    }
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

}  // namespace tcpwitness
