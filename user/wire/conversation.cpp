// SPDX-License-Identifier: Apache-2.0
// conversation.cpp: the index of conversations by address pair, their pool and lists.
#include "wire/conversation.hpp"

#include <cstring>

namespace tcpwitness {
namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash_of(const Endpoint& endpoint) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, endpoint.address.bytes.data(), sizeof high);
  std::memcpy(&low, endpoint.address.bytes.data() + sizeof high, sizeof low);
  return mix(high ^ 0xa0761d6478bd642fU ^ endpoint.port, low ^ 0xe7037ed1a0b428dbU);
}

StreamTotals totals_of(const Stream& stream) {
  StreamTotals totals;
  totals.frames = stream.frames;
  totals.frame_bytes = stream.frame_bytes;
  totals.payload_bytes = stream.bytes.payload();
  totals.retransmitted_bytes = stream.bytes.retransmitted();
  totals.sequence_bytes = stream.bytes.range();
  totals.missing_bytes = stream.bytes.missing();
  return totals;
}

}  // namespace

ConversationTotals Conversation::totals() const {
  return {stream, totals_of(side[0]), totals_of(side[1]), completeness};
}

std::uint32_t ConversationTable::hash(const Endpoint& a, const Endpoint& b) {
  return static_cast<std::uint32_t>(mix(hash_of(a) + hash_of(b), 0x8ebc6af09c88c6e3U));
}

std::uint32_t ConversationTable::find(std::uint32_t hash, const Endpoint& a, const Endpoint& b) {
  return index_.find(hash, [&](std::uint32_t slot) {
    const Conversation& c = at(slot);
    return (c.local == a && c.remote == b) || (c.local == b && c.remote == a);
  });
}

std::uint32_t ConversationTable::create(std::uint32_t hash, const Endpoint& local, const Endpoint& remote) {
  std::uint32_t slot = 0;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
  } else {
    slot = slots_++;
    if (slot / chunk >= chunks_.size()) chunks_.push_back(std::make_unique<Conversation[]>(chunk));
  }
  Conversation& c = at(slot);
  c = Conversation{};
  c.local = local;
  c.remote = remote;
  c.hash = hash;
  c.live = true;
  index_.insert(hash, slot);
  return slot;
}

void ConversationTable::release(std::uint32_t slot) {
  Conversation& c = at(slot);
  list(slot, Listed::no);
  index_.erase(c.hash, slot);
  c.live = false;
  for (Stream& stream : c.side) stream.bytes = {};
  free_.push_back(slot);
}

void ConversationTable::list(std::uint32_t slot, Listed to) {
  Conversation& c = at(slot);
  if (c.listed != Listed::no) {
    List& from = lists_[static_cast<std::size_t>(c.listed)];
    if (c.listed == to && from.tail == slot) return;
    (c.previous == none ? from.head : at(c.previous).next) = c.next;
    (c.next == none ? from.tail : at(c.next).previous) = c.previous;
    --from.count;
  }
  c.listed = to;
  if (to == Listed::no) return;
  List& into = lists_[static_cast<std::size_t>(to)];
  c.previous = into.tail;
  c.next = none;
  (into.tail == none ? into.head : at(into.tail).next) = slot;
  into.tail = slot;
  ++into.count;
}

}  // namespace tcpwitness
