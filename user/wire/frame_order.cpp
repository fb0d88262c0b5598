// SPDX-License-Identifier: Apache-2.0
#include "wire/frame_order.hpp"

#include <algorithm>
#include <iterator>

#include "tcpwitness/tcp.hpp"

namespace tcpwitness {
namespace {

// Segments that this order makes a repetition, an acknowledgement of what is to come, or a SYN behind its answer.
class Oddities {
 public:
  void observe(const TcpFrame& g) {
    if (g.icmp || (g.flags & tcp_flag::rst) != 0) return;
    Sent* peer = find(g.destination, g.source);
    const bool ack = (g.flags & tcp_flag::ack) != 0;
    const bool asks = (g.flags & tcp_flag::syn) != 0 && !ack;
    if (peer != nullptr && (asks || (ack && seq_before(peer->next, g.ack)))) ++count_;
    const std::uint32_t end = g.seq + seq_length(g.len, g.flags);
    Sent* me = find(g.source, g.destination);
    const bool answered = peer != nullptr && peer->acks && !seq_before(peer->ack, end);
    if (end != g.seq && (answered || (me != nullptr && seq_before(g.seq, me->next)))) ++count_;
    if (me == nullptr) me = &sent_.emplace_back(g.source, g.destination, end, g.ack, ack);
    if (seq_before(me->next, end)) me->next = end;
    if (ack && (!me->acks || seq_before(me->ack, g.ack))) me->ack = g.ack;
    me->acks = me->acks || ack;
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  struct Sent {
    Endpoint from;
    Endpoint to;
    std::uint32_t next;
    std::uint32_t ack;
    bool acks;
  };
  Sent* find(const Endpoint& from, const Endpoint& to) {
    const auto found = std::ranges::find_if(sent_, [&](const Sent& one) { return one.from == from && one.to == to; });
    return found != sent_.end() ? &*found : nullptr;
  }

  std::vector<Sent> sent_;
  std::size_t count_ = 0;
};

std::size_t oddities(const std::vector<TcpFrame>& frames) {
  Oddities seen;
  for (const TcpFrame& frame : frames) seen.observe(frame);
  return seen.count();
}

}  // namespace

void FrameOrder::hold(const TcpFrame& frame) {
  straight_ = false;
  disorder_ = disorder_ || frame.ts_ns < newest_ns_;
  newest_ns_ = std::max(newest_ns_, frame.ts_ns);
  held_.push_back(frame);
}

void FrameOrder::arrange() {
  if (disorder_ && rule_ != Rule::file) {
    std::vector<TcpFrame> sorted = held_;
    // Each behind those of its time or before: they are nearly in order. (Clang refuses libstdc++ 12's stable_sort().)
    for (auto it = sorted.begin(); it != sorted.end(); ++it) {
      std::rotate(std::ranges::upper_bound(sorted.begin(), it, it->ts_ns, {}, &TcpFrame::ts_ns), it, std::next(it));
    }
    if (rule_ == Rule::none) {
      const std::size_t by_file = oddities(held_);
      const std::size_t by_time = oddities(sorted);
      if (by_file != by_time) rule_ = by_file < by_time ? Rule::file : Rule::time;
    }
    if (rule_ == Rule::time) held_ = std::move(sorted);
  }
  straight_ = rule_ != Rule::time;
  disorder_ = rule_ == Rule::time;
}

}  // namespace tcpwitness
