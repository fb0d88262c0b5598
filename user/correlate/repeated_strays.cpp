// SPDX-License-Identifier: Apache-2.0
// repeated_strays.cpp: alike is what has the same addresses, the same kind and the same fate.
#include "correlate/repeated_strays.hpp"

#include <algorithm>

#include "tcpwitness/tcp.hpp"

namespace tcpwitness {
namespace {

// A first retransmission timeout (RFC 6298, 2.1: 1 s) and what it is late by, and then twice the time since the first
// one.
TimeNs over(const Stray& stray) {
  constexpr std::int64_t timeout_ns = 1'500'000'000;
  return stray.last_ns + 2 * (stray.last_ns - stray.ts_ns) + timeout_ns;
}

bool alike(const Stray& a, const Stray& b) {
  constexpr std::uint8_t kind = tcp_flag::syn | tcp_flag::ack | tcp_flag::fin;
  return a.flow == b.flow && (a.flags & kind) == (b.flags & kind) && a.no_socket == b.no_socket &&
         a.reset_seen == b.reset_seen && a.reset_reported == b.reset_reported && a.reason == b.reason;
}

}  // namespace

std::optional<Stray> RepeatedStrays::add(const Stray& stray) {
  std::optional<Stray> oldest;
  auto known = std::ranges::find_if(strays_, [&](const Stray& one) { return alike(one, stray); });
  if (known == strays_.end()) {
    if (strays_.size() >= limit) {
      oldest = strays_.front();
      strays_.pop_front();
    }
    known = strays_.insert(strays_.end(), stray);
    known->last_ns = stray.ts_ns;
  } else {
    ++known->count;
    known->last_ns = stray.ts_ns;
    for (const EventId id : stray.evidence.list()) known->evidence.add(id);
  }
  due_ns_ = strays_.size() == 1 ? over(*known) : std::min(due_ns_, over(*known));
  return oldest;
}

std::optional<Stray> RepeatedStrays::due(TimeNs now, bool finished) {
  if (strays_.empty() || (!finished && now < due_ns_)) return std::nullopt;
  const auto first = std::ranges::find_if(strays_, [&](const Stray& stray) { return finished || now >= over(stray); });
  if (first != strays_.end()) {
    const Stray stray = *first;
    strays_.erase(first);
    return stray;
  }
  due_ns_ = over(*std::ranges::min_element(strays_, {}, over));
  return std::nullopt;
}

}  // namespace tcpwitness
