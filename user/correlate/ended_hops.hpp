// SPDX-License-Identifier: Apache-2.0
// ended_hops.hpp: the addresses of forwarded connections that are over: what comes late belongs to them, and begins
// none.
//
// Their flows are taken out of the flow map at once, so that a late segment (a FIN that is sent again, the RST behind
// it) looks like one of an unknown connection. Bounded: the newest, each for as long as conntrack keeps
// TIME_WAIT (nf_conntrack_proto_tcp.c).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>

#include "tcpwitness/address.hpp"
#include "tcpwitness/event.hpp"

namespace tcpwitness {

class EndedHops {
 public:
  static constexpr std::int64_t lasts_ns = 120'000'000'000;

  explicit EndedHops(std::size_t limit = 65'536) : limit_(limit) {}

  void add(const Flow& key, TimeNs now) {
    expire(now);
    if (order_.size() >= limit_) drop_oldest();
    const std::size_t hash = std::hash<Flow>{}(key);
    newest_[hash] = now;
    order_.push_back({hash, now});
  }
  [[nodiscard]] bool contains(const Flow& key, TimeNs now) {
    if (newest_.empty()) return false;
    expire(now);
    return newest_.contains(std::hash<Flow>{}(key));
  }
  // Its addresses are another connection's.
  void begun_again(const Flow& key) {
    if (!newest_.empty()) newest_.erase(std::hash<Flow>{}(key));
  }
  [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
  struct Ended {
    std::size_t hash = 0;
    TimeNs ts_ns = 0;
  };
  void expire(TimeNs now) {
    while (!order_.empty() && now - order_.front().ts_ns > lasts_ns) drop_oldest();
  }
  void drop_oldest() {
    const auto found = newest_.find(order_.front().hash);
    if (found != newest_.end() && found->second == order_.front().ts_ns) newest_.erase(found);
    order_.pop_front();
  }

  std::size_t limit_;
  std::unordered_map<std::size_t, TimeNs> newest_;
  std::deque<Ended> order_;
};

}  // namespace tcpwitness
