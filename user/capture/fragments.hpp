// SPDX-License-Identifier: Apache-2.0
// fragments.hpp: IP fragments put together as far as headers go: the first bytes of the datagram and its length.
//
// The datagram is reported at the fragment that completes it, in whatever order they came. Memory is bounded: a number
// of datagrams under way, of which the oldest go first, a number of holes in each, and a minute of the capture's time.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "capture/slice.hpp"
#include "tcpwitness/wire.hpp"

namespace tcpwitness {

struct Fragment {
  Address source;
  Address destination;
  std::uint32_t id = 0;
  std::uint16_t vlan_id = 0;
  std::uint8_t protocol = 0;
  std::uint32_t offset = 0;  // of its payload in the datagram's, bytes
  bool last = false;         // no more fragments behind it
};

class Fragments {
 public:
  // The whole datagram's payload where this fragment completes it; its bytes stay valid until the next call.
  std::optional<Slice> add(const Fragment& fragment, Slice payload, TimeNs now);

 private:
  static constexpr std::size_t head_size = 256;  // tunnel headers and a TCP header with all its options

  struct Key {
    Address source;
    Address destination;
    std::uint32_t id = 0;
    std::uint32_t vlan_and_protocol = 0;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  using Range = std::pair<std::uint32_t, std::uint32_t>;  // [first, second)
  struct Datagram {
    Key key;
    TimeNs began = 0;
    std::optional<std::uint32_t> length;
    std::vector<Range> there;     // on the wire; sorted, apart from each other
    std::vector<Range> captured;  // of the head
    std::array<std::byte, head_size> head{};
  };
  using Datagrams = std::list<Datagram>;  // in the order in which they began

  Datagram& find(const Key& key, TimeNs now);
  void drop(Datagrams::iterator datagram);

  Datagrams datagrams_;
  std::unordered_map<Key, Datagrams::iterator, Hash> by_key_;
  std::array<std::byte, head_size> reported_{};
};

}  // namespace tcpwitness
