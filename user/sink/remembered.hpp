// SPDX-License-Identifier: Apache-2.0
// remembered.hpp: the connections whose life has been reported, the newest so many of them: their last segments come
// after it.
#pragma once

#include <cstddef>
#include <deque>
#include <unordered_set>

#include "tcpwitness/finding.hpp"

namespace tcpwitness {

class Remembered {
 public:
  explicit Remembered(std::size_t most) : most_(most) {}

  void add(ConnectionId conn) {
    if (!known_.insert(conn).second) return;
    order_.push_back(conn);
    if (order_.size() <= most_) return;
    known_.erase(order_.front());
    order_.pop_front();
  }
  [[nodiscard]] bool contains(ConnectionId conn) const { return known_.contains(conn); }

 private:
  std::size_t most_;
  std::unordered_set<ConnectionId> known_;
  std::deque<ConnectionId> order_;  // the oldest first
};

}  // namespace tcpwitness
