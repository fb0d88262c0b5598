// SPDX-License-Identifier: Apache-2.0
// newest.hpp: the newest few of what waits for an event that is right behind, or never comes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace tcpwitness {

template <typename T, std::size_t limit>
class Newest {
 public:
  // The oldest gives way.
  void push(T item) {
    if (items_.size() >= limit) items_.pop_front();
    items_.push_back(std::move(item));
  }
  // Takes the oldest one that is meant.
  template <typename Meant>
  [[nodiscard]] std::optional<T> take_oldest(Meant meant) {
    return take(std::ranges::find_if(items_, meant));
  }
  // Likewise the newest.
  template <typename Meant>
  [[nodiscard]] std::optional<T> take_newest(Meant meant) {
    const auto found = std::find_if(items_.rbegin(), items_.rend(), meant);
    return take(found == items_.rend() ? items_.end() : std::prev(found.base()));
  }
  // The oldest one that is meant, where it is; nullptr: none.
  template <typename Meant>
  [[nodiscard]] T* find(Meant meant) {
    const auto found = std::ranges::find_if(items_, meant);
    return found == items_.end() ? nullptr : &*found;
  }
  // Forgets the oldest ones, as long as they are meant.
  template <typename Meant>
  void expire(Meant meant) {
    while (!items_.empty() && meant(items_.front())) items_.pop_front();
  }
  [[nodiscard]] bool empty() const { return items_.empty(); }

 private:
  std::optional<T> take(const typename std::deque<T>::iterator& found) {
    if (found == items_.end()) return std::nullopt;
    std::optional<T> taken(std::move(*found));
    items_.erase(found);
    return taken;
  }
  std::deque<T> items_;
};

}  // namespace tcpwitness
