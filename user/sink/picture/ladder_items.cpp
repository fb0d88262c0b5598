// SPDX-License-Identifier: Apache-2.0
// ladder_items.cpp: see ladder_items.hpp.
#include "sink/picture/ladder_items.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace tcpwitness::picture {
namespace {

using Same = std::tuple<bool, std::uint32_t, std::uint32_t, std::uint32_t, std::uint8_t>;
Same same(const Segment& segment, bool of_far) {
  return {of_far, segment.seq, segment.ack, segment.len, segment.flags};
}
// A segment that arrives is the oldest one with these numbers that has left the other end and not arrived yet.
void join_ends(std::vector<Item>& items) {
  std::multimap<Same, std::size_t> under_way;
  std::vector<bool> arrived(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const SegmentEntry* segment = segment_of(*items[i].entry);
    if (segment == nullptr) continue;
    if (leaves(segment->segment)) {
      under_way.emplace(same(segment->segment, items[i].far), i);
      continue;
    }
    const auto at = under_way.lower_bound(same(segment->segment, !items[i].far));
    if (at == under_way.end() || at->first != same(segment->segment, !items[i].far)) continue;
    items[at->second].arrival = items[i].entry;
    arrived[i] = true;
    under_way.erase(at);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!arrived[i]) items[kept++] = items[i];
  }
  items.resize(kept);
}

}  // namespace

std::vector<Item> items_of(const Connection& connection, const Connection* peer) {
  std::vector<Item> items;
  items.reserve(connection.entries.size() + (peer != nullptr ? peer->entries.size() : 0));
  for (const Entry& entry : connection.entries) items.push_back({.entry = &entry});
  if (peer == nullptr) return items;
  for (const Entry& entry : peer->entries) items.push_back({.entry = &entry, .far = true});
  // Of one number in the order in which they were reported, this side's first.
  std::ranges::sort(items, {}, [](const Item& item) { return std::tuple(item.entry->id, item.far, item.entry); });
  join_ends(items);
  return items;
}

}  // namespace tcpwitness::picture
