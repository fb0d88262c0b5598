// SPDX-License-Identifier: Apache-2.0
// expiry.cpp: what starts a timer, what stops it, and whether it is over.
#include "wire/expiry.hpp"

#include "wire/conversation.hpp"

namespace tcpwitness {

void ExpiryTimers::begin(std::uint32_t slot) {
  if (slot >= timers_.size()) timers_.resize(slot + 1);
  timers_[slot] = {};
}

void ExpiryTimers::observe(std::uint32_t slot, const Conversation& c, unsigned from, const TcpFrame& f) {
  Timers& t = timers_[slot];
  const Stream& me = c.side[from];
  const Stream& peer = c.side[from ^ 1U];
  const auto has = [&](std::uint8_t flag) { return (f.flags & flag) != 0; };
  // Of the first SYN alone: its retransmissions do not put the end off.
  if (from == 0 && me.frames == 1 && has(tcp_flag::syn) && !has(tcp_flag::ack)) t.attempt = f.ts_ns;
  if (!has(tcp_flag::fin) && !has(tcp_flag::rst)) return;
  t.attempt.reset();
  if (!t.closed[from]) {
    t.closed[from] = true;
    if (!has(tcp_flag::rst) && !t.closed[from ^ 1U] && peer.seen) return;  // half of it is open
    t.close = f.ts_ns;
    t.reset.reset();
  } else if (has(tcp_flag::rst) && !t.close && !t.reset) {
    t.reset = f.ts_ns;
  }
}

bool ExpiryTimers::over(std::uint32_t slot, const Conversation& c, TimeNs now) const {
  const Timers& t = timers_[slot];
  const auto passed = [&](const std::optional<TimeNs>& since, std::int64_t limit) {
    return since && now - *since >= limit;
  };
  return (passed(t.attempt, expiry_.attempt_ns) && !c.side[1].seen) || passed(t.close, expiry_.close_ns) ||
         passed(t.reset, expiry_.reset_ns) || passed(c.last_ts_ns, expiry_.inactivity_ns);
}

}  // namespace tcpwitness
