// SPDX-License-Identifier: Apache-2.0
// strays.cpp: by address pair and sequence number, the newest first.
#include "correlate/strays.hpp"

#include <algorithm>
#include <utility>

#include "facts/from_peer.hpp"

namespace tcpwitness {
namespace {

bool to_be_reported(const Stray& stray) { return (stray.reset_reported || stray.reset_seen) && !stray.sent_here; }

}  // namespace

Stray* Strays::find(const Flow& flow, std::uint32_t seq) {
  const auto found = std::find_if(strays_.rbegin(), strays_.rend(),
                                  [&](const Stray& stray) { return stray.flow == flow && stray.seq == seq; });
  return found == strays_.rend() ? nullptr : &*found;
}

Stray Strays::take_first() {
  Stray first = strays_.front();
  strays_.pop_front();
  return first;
}

std::optional<Stray> Strays::add(const Event& e, const Segment& g, const Flow& flow) {
  std::optional<Stray> oldest;
  if (strays_.size() >= limit) oldest = take_first();
  Stray stray;
  stray.flow = flow;
  stray.ts_ns = e.ts_ns;
  stray.evidence.add(e.id);
  stray.seq = g.seq;
  stray.ack = g.ack;
  stray.flags = g.flags;
  stray.no_socket = g.socket.type == SocketKind::none;
  stray.on_loopback = g.ifindex == loopback_ifindex;
  strays_.push_back(stray);
  return oldest && to_be_reported(*oldest) ? oldest : std::nullopt;
}

void Strays::reset_seen(const Event& e, const Segment& rst, const Flow& flow) {
  // RFC 9293, 3.10.7.1: a RST takes its sequence number from the segment's ACK, or acknowledges the segment.
  const auto answered = std::find_if(strays_.rbegin(), strays_.rend(), [&](const Stray& stray) {
    return stray.flow == flow && !stray.reset_seen && rst.seq == ((stray.flags & tcp_flag::ack) != 0 ? stray.ack : 0);
  });
  if (answered == strays_.rend()) return;
  answered->evidence.add(e.id);
  answered->reset_seen = true;
}

EventId Strays::reset_reported(const Event& e, const Reset& r, const Flow& flow) {
  Stray* stray = find(flow, r.skb_seq);
  if (stray == nullptr) return 0;
  stray->evidence.add(e.id);
  stray->reset_reported = true;
  stray->reason = r.reason;
  return stray->evidence.ids[0];
}

void Strays::refused(const Flow& flow, std::uint32_t seq, const IcmpMessage& icmp) {
  if (Stray* stray = find(flow, seq)) stray->icmp = icmp;
}

void Strays::sent_here(const Flow& flow, std::uint32_t seq) {
  for (Stray& stray : strays_) {
    if (stray.flow == flow && stray.seq == seq) stray.sent_here = true;
  }
}

std::optional<Stray> Strays::take_syn(const Flow& flow, std::uint32_t isn) {
  const auto found = std::ranges::find_if(strays_, [&](const Stray& stray) {
    const bool syn = (stray.flags & (tcp_flag::syn | tcp_flag::ack)) == tcp_flag::syn;
    return stray.flow == flow && syn && stray.seq == isn;
  });
  if (found == strays_.end()) return std::nullopt;
  const Stray taken = *found;
  strays_.erase(found);
  return taken;
}

std::optional<Stray> Strays::take_dropped(const Endpoint& from, const Drop& d) {
  const auto newest = std::find_if(strays_.rbegin(), strays_.rend(), [&](const Stray& stray) {
    return stray.flow.remote == from && stray.seq == d.seq && stray.flags == d.flags;
  });
  if (newest == strays_.rend()) return std::nullopt;
  const Stray taken = *newest;
  strays_.erase(std::prev(newest.base()));
  return taken;
}

void Strays::forget(EventId segment) {
  std::erase_if(strays_, [&](const Stray& stray) { return stray.evidence.ids[0] == segment; });
}

std::optional<Stray> Strays::due(TimeNs now, std::int64_t hold_ns) {
  while (!strays_.empty() && now - strays_.front().ts_ns > hold_ns) {
    const Stray stray = take_first();
    if (to_be_reported(stray)) return stray;
  }
  return std::nullopt;
}

}  // namespace tcpwitness
