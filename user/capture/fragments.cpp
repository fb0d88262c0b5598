// SPDX-License-Identifier: Apache-2.0
#include "capture/fragments.hpp"

#include <algorithm>
#include <cstring>

#include "values/keyed_hash.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t max_datagrams = 4096;
constexpr std::size_t max_ranges = 64;
constexpr std::uint32_t max_datagram = 65'535;
constexpr TimeNs expiry_ns = 60'000'000'000;  // RFC 8200, section 4.5

// Adds [begin, end) to ranges that are sorted and apart from each other.
void add_range(std::vector<std::pair<std::uint32_t, std::uint32_t>>& ranges, std::uint32_t begin, std::uint32_t end) {
  auto at = std::lower_bound(ranges.begin(), ranges.end(), begin,
                             [](const auto& range, std::uint32_t value) { return range.second < value; });
  auto behind = at;
  while (behind != ranges.end() && behind->first <= end) {
    begin = std::min(begin, behind->first);
    end = std::max(end, behind->second);
    ++behind;
  }
  ranges.insert(ranges.erase(at, behind), {begin, end});
}

}  // namespace

std::size_t Fragments::Hash::operator()(const Key& key) const noexcept {
  HashWords words{};
  std::memcpy(words.data(), key.source.bytes.data(), 16);
  std::memcpy(words.data() + 2, key.destination.bytes.data(), 16);
  words[4] = key.id;
  words[5] = key.vlan_and_protocol;
  return HashKey::process.hash(words);
}

void Fragments::drop(Datagrams::iterator datagram) {
  by_key_.erase(datagram->key);
  datagrams_.erase(datagram);
}

Fragments::Datagram& Fragments::find(const Key& key, TimeNs now) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    const TimeNs age = now - found->second->began;
    if (age <= expiry_ns && age >= -expiry_ns) return *found->second;
    drop(found->second);
  }
  if (datagrams_.size() >= max_datagrams) drop(datagrams_.begin());
  Datagram& datagram = datagrams_.emplace_back();
  datagram.key = key;
  datagram.began = now;
  by_key_.emplace(key, std::prev(datagrams_.end()));
  return datagram;
}

std::optional<Slice> Fragments::add(const Fragment& fragment, Slice payload, TimeNs now) {
  const std::uint32_t begin = fragment.offset;
  const std::uint32_t end = begin + payload.wire;
  if (payload.wire == 0 || end > max_datagram) return std::nullopt;
  const Key key{fragment.source, fragment.destination, fragment.id,
                std::uint32_t{fragment.vlan_id} << 8U | fragment.protocol};
  Datagram& datagram = find(key, now);
  if (fragment.last) datagram.length = end;
  add_range(datagram.there, begin, end);
  if (begin < head_size && payload.captured > 0) {
    const std::uint32_t count = std::min<std::uint32_t>(payload.captured, head_size - begin);
    std::memcpy(datagram.head.data() + begin, payload.at, count);
    add_range(datagram.captured, begin, begin + count);
  }
  const auto self = by_key_.find(key)->second;
  if (datagram.there.size() > max_ranges) {
    drop(self);
    return std::nullopt;
  }
  if (!datagram.length || datagram.there.front().first != 0 || datagram.there.front().second < *datagram.length)
    return std::nullopt;
  Slice whole{reported_.data(), 0, *datagram.length};
  if (!datagram.captured.empty() && datagram.captured.front().first == 0)
    whole.captured = std::min(datagram.captured.front().second, whole.wire);
  reported_ = datagram.head;
  drop(self);
  return whole;
}

}  // namespace tcpwitness
