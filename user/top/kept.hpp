// SPDX-License-Identifier: Apache-2.0
// kept.hpp: the events of connections, for the timeline and the story of the one that somebody opens. Bounded: of one
// connection its first events and its newest, of all together a number; those of connections that are over go first.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "tcpwitness/report.hpp"

namespace tcpwitness::top {

struct KeptLimit {
  std::size_t first = 100;  // events of one connection
  std::size_t last = 400;
  std::size_t all = 20'000;  // about 40 MB
  std::size_t lives = 2'000;
};

class Kept {
 public:
  explicit Kept(KeptLimit limit = {}) : limit_(limit) {}

  // Entry, FindingReport, Life.
  void take(const Report& report);
  // What is looked at stays.
  void watch(ConnectionId conn) { watched_ = conn; }

  struct Of {
    std::vector<Report> first;
    std::deque<Report> last;
    std::uint64_t left_out = 0;  // between them
    std::uint64_t version = 0;   // grows with each that is added
  };
  // Null: none is kept.
  [[nodiscard]] const Of* find(ConnectionId conn) const;
  // Of one that is over, and that has words.
  [[nodiscard]] const Life* life(ConnectionId conn) const;
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  void add(ConnectionId conn, const Report& report);
  void make_room();
  void forget(ConnectionId conn);

  KeptLimit limit_;
  std::map<ConnectionId, Of> connections_;
  std::deque<ConnectionId> over_;
  std::unordered_map<ConnectionId, std::unique_ptr<Life>> lives_;
  std::deque<ConnectionId> lives_order_;
  std::size_t count_ = 0;
  ConnectionId watched_ = 0;
};

}  // namespace tcpwitness::top
