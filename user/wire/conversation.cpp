// SPDX-License-Identifier: Apache-2.0
// conversation.cpp: the index of conversations by address pair, their pool and lists.
#include "wire/conversation.hpp"

#include <compare>
#include <cstring>
#include <utility>

#include "values/keyed_hash.hpp"

namespace tcpwitness {
namespace {

// An endpoint as two words and its port, in an order of their own: a conversation has the same hash from both ends.
struct Words {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::uint64_t port = 0;
  auto operator<=>(const Words&) const = default;
};

Words words_of(const Endpoint& endpoint) {
  Words words;
  std::memcpy(&words.high, endpoint.address.bytes.data(), sizeof words.high);
  std::memcpy(&words.low, endpoint.address.bytes.data() + sizeof words.high, sizeof words.low);
  words.port = endpoint.port;
  return words;
}

StreamTotals totals_of(const Stream& stream) {
  StreamTotals totals;
  totals.frames = stream.frames;
  totals.frame_bytes = stream.frame_bytes;
  totals.payload_bytes = stream.bytes.payload() + stream.duplicate_bytes;
  totals.retransmitted_bytes = stream.bytes.retransmitted();
  totals.sequence_bytes = stream.bytes.range();
  totals.missing_bytes = stream.bytes.missing();
  totals.retransmits = stream.retransmits;
  totals.out_of_order = stream.out_of_order;
  totals.repeated = stream.repeated;
  totals.duplicate_frames = stream.duplicates;
  totals.duplicate_bytes = stream.duplicate_bytes;
  return totals;
}

}  // namespace

ConversationTotals Conversation::totals() const {
  return {stream, totals_of(side[0]), totals_of(side[1]), clock.times(), completeness};
}

std::uint32_t ConversationTable::hash(const Endpoint& a, const Endpoint& b, std::uint32_t scope) {
  Words first = words_of(a);
  Words second = words_of(b);
  if (second < first) std::swap(first, second);
  return HashKey::process.hash({first.high, first.low, second.high, second.low, first.port << 16 | second.port, scope});
}

std::uint32_t ConversationTable::find(std::uint32_t hash, const Endpoint& a, const Endpoint& b, std::uint32_t scope) {
  return index_.find(hash, [&](std::uint32_t slot) {
    const Conversation& c = at(slot);
    return c.scope == scope && ((c.local == a && c.remote == b) || (c.local == b && c.remote == a));
  });
}

std::uint32_t ConversationTable::create(std::uint32_t hash, const Endpoint& local, const Endpoint& remote,
                                        std::uint32_t scope) {
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
  c.scope = scope;
  c.live = true;
  index_.insert(hash, slot);
  return slot;
}

void ConversationTable::supersede(std::uint32_t slot, std::uint32_t younger) {
  at(slot).younger = younger;
  at(younger).older = slot;
}

void ConversationTable::release(std::uint32_t slot) {
  Conversation& c = at(slot);
  if (c.younger != none) at(c.younger).older = none;
  if (c.older != none) at(c.older).younger = none;
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
