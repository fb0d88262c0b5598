// SPDX-License-Identifier: Apache-2.0
// state_list.hpp: the states of one connection, in their order and in place: each Life has some, and takes no memory
// for them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

#include "tcpwitness/tcp.hpp"

namespace tcpwitness {

// A range of states. Iterators are valid while it lives and is not assigned to.
class StateList {
 public:
  // A connection goes through 8 at most, inferred ones included: simultaneous open and close.
  static constexpr std::size_t most = 10;
  using value_type = TcpState;             // NOLINT(readability-identifier-naming): as containers have it
  using const_iterator = const TcpState*;  // NOLINT(readability-identifier-naming)

  StateList() = default;
  StateList(std::initializer_list<TcpState> states) : StateList(std::span(states.begin(), states.size())) {}
  // What is beyond `most` is left out.
  explicit StateList(std::span<const TcpState> states) : size_(std::min(states.size(), most)) {
    std::ranges::copy(states.first(size_), states_.begin());
  }

  [[nodiscard]] const_iterator begin() const { return states_.data(); }
  [[nodiscard]] const_iterator end() const { return states_.data() + size_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Not empty.
  [[nodiscard]] TcpState back() const { return states_[size_ - 1]; }

  friend bool operator==(const StateList& a, const StateList& b) { return std::ranges::equal(a, b); }
  friend bool operator==(const StateList& a, const std::vector<TcpState>& b) { return std::ranges::equal(a, b); }

 private:
  std::array<TcpState, most> states_{};
  std::size_t size_ = 0;
};

}  // namespace tcpwitness
