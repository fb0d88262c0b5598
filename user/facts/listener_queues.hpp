// SPDX-License-Identifier: Apache-2.0
// listener_queues.hpp: a SYN and the last ACK beside the queues of the listener.
#pragma once

#include <cstdint>

#include "facts/evidence.hpp"

namespace tcpwitness {

// Which queue of the listener has no room for a SYN.
enum class FullQueue : std::uint8_t {
  none,
  accept,
  syn,     // above the limit: every Linux refuses
  syn_at,  // at the limit: Linux before 6.8 or so refuses
  sysctl,  // three quarters of net.ipv4.tcp_max_syn_backlog: refused unless the peer is known from before
};

// What the listener's queues looked like at one segment's arrival.
struct QueueView {
  std::uint32_t accept_queue = 0;
  std::uint32_t syn_queue = 0;
  std::uint32_t limit = 0;
  std::uint32_t max_syn_backlog = 0;
};

// A connection's SYNs and its last ACK beside the queues of its listener. A SYN is known to be unanswered when another
// one comes before any SYN-ACK has left; the newest one may still be answered.
struct QueueFacts {
  Evidence accept_full;               // SYNs that met a full accept queue and got no answer
  Evidence syn_full;                  // SYNs that met a full SYN queue, and room to accept, and got no answer
  Evidence ack_full;                  // last ACKs that met a full accept queue, and no request socket
  QueueView at_accept;                // at the newest of accept_full and ack_full
  QueueView at_syn;                   // at the newest of syn_full
  FullQueue worst = FullQueue::none;  // of syn_full: the least sure kind
  Mark newest;                        // SYN, if it met a full queue
  FullQueue newest_full = FullQueue::none;
  QueueView at_newest;
  bool cookie_syn = false;     // `newest` is the one that a cookie answered
  Mark cookie;                 // a SYN-ACK that no socket sent
  Mark cookie_ack;             // an ACK that found only the listener
  bool cookie_cause = false;   // the SYN before it met a full SYN queue
  bool cookie_always = false;  // net.ipv4.tcp_syncookies is 2
};

}  // namespace tcpwitness
