// SPDX-License-Identifier: Apache-2.0
// ladder_items.hpp: what a ladder is drawn of: the entries of both ends in one order, a segment's departure and its
// arrival as one.
#pragma once

#include <vector>

#include "sink/picture/connection.hpp"

namespace tcpwitness::picture {

// What is drawn of an entry.
struct Item {
  const Entry* entry = nullptr;
  const Entry* arrival = nullptr;  // of an outgoing segment: the same at the other end
  bool far = false;                // of the peer's socket
};

// nullptr: it is no segment.
[[nodiscard]] inline const SegmentEntry* segment_of(const Entry& entry) {
  return std::get_if<SegmentEntry>(&entry.body);
}
[[nodiscard]] inline bool leaves(const Segment& segment) { return segment.outgoing(); }

// peer: the other end, where the same run follows it; null: it does not.
[[nodiscard]] std::vector<Item> items_of(const Connection& connection, const Connection* peer);

}  // namespace tcpwitness::picture
