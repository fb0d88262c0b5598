// SPDX-License-Identifier: Apache-2.0
// copies.hpp: the same segment at several places: out and in of loopback, in by one interface and out by another.
//
// A recording has each segment as one packet, or whoever reads it takes the second for a retransmission. A segment
// that was sent again is no copy: it comes twice at the same place. What left as one large segment can come in as
// pieces of it (GSO behind the hook): each is a copy of the whole. Memory is fixed; what was forgotten, or is not known
// for certain to be the same, is a packet of its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "decode/frame_bytes.hpp"
#include "tcpwitness/event.hpp"

namespace tcpwitness {

class Copies {
 public:
  struct Packet {
    EventId id = 0;
    std::uint32_t ifindex = 0;
  };

  // The packet that this is a copy of. Nothing: it is one itself. Of every segment once, in their order.
  [[nodiscard]] std::optional<Packet> first(const Segment& segment, const FrameBytes& frame, const Event& event);

  // The packet that stands for the event: itself, where it is no copy (or was one too long ago).
  [[nodiscard]] EventId shown(EventId id) const;

 private:
  // What a segment keeps on its way. Not the TTL, the checksum, the link layer.
  struct Identity {
    std::array<std::byte, 36> ends{};  // addresses and ports as in the frame
    std::uint32_t ip_id = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint32_t len = 0;
    std::uint32_t ts_val = 0;
    std::uint32_t ts_ecr = 0;
    std::uint32_t window_and_flags = 0;
    bool operator==(const Identity&) const = default;
  };
  struct Place {
    std::uint32_t ifindex = 0;
    bool out = false;
    std::uint32_t count = 0;  // of this segment there
  };
  struct Seen {
    Identity identity;
    TimeNs at = 0;
    std::uint32_t packets = 0;  // the n-th at a place is a copy of the n-th packet
    std::array<Packet, 4> newest{};
    std::array<Place, 4> places{};
  };
  struct Copy {
    EventId id = 0;
    EventId packet = 0;
  };
  // A large segment that left, and what of it has not come in yet.
  struct Whole {
    Identity identity;
    std::uint32_t next = 0;
    std::uint32_t left = 0;
    Packet packet;
    TimeNs at = 0;
  };
  static std::optional<Identity> identify(const Segment& segment, const FrameBytes& frame);
  static Place* place_of(Seen& seen, std::uint32_t ifindex, bool out);
  [[nodiscard]] const Packet* whole_of(const Identity& piece, TimeNs at);
  void note_whole(const Identity& identity, const Packet& packet, TimeNs at);
  Packet copy(const Event& event, const Packet& packet);

  std::vector<Seen> seen_;    // by hash; the newer takes the place of the older
  std::vector<Copy> copies_;  // by number, likewise
  std::array<Whole, 32> wholes_{};
  std::size_t next_whole_ = 0;
};

}  // namespace tcpwitness
