// SPDX-License-Identifier: Apache-2.0
#include "recording/copies.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace tcpwitness {
namespace {

constexpr std::size_t seen_limit = 8192;
constexpr std::size_t copies_limit = 65536;
constexpr std::uint32_t smallest_whole = 1000;  // shorter ones are not taken apart
constexpr TimeNs together = 1'000'000'000;      // no segment is longer on its way through this machine

constexpr std::size_t ethernet_bytes = 14;
constexpr std::size_t tag_bytes = 4;
constexpr std::size_t ipv4_bytes = 20;
constexpr std::size_t ipv6_bytes = 40;
constexpr std::size_t port_bytes = 4;

std::uint32_t number(std::span<const std::byte> bytes, std::size_t at) {  // two bytes in network order
  return std::to_integer<std::uint32_t>(bytes[at]) << 8U | std::to_integer<std::uint32_t>(bytes[at + 1]);
}

// Empty where it is no IP.
std::span<const std::byte> ip_of(const FrameBytes& frame) {
  std::span<const std::byte> bytes = frame.bytes;
  if (frame.head.link_type != TW_LINK_ETHERNET) return bytes;
  if (bytes.size() < ethernet_bytes) return {};
  std::uint32_t type = number(bytes, ethernet_bytes - 2);
  bytes = bytes.subspan(ethernet_bytes);
  while ((type == 0x8100 || type == 0x88a8) && bytes.size() >= tag_bytes) {
    type = number(bytes, 2);
    bytes = bytes.subspan(tag_bytes);
  }
  return type == 0x0800 || type == 0x86dd ? bytes : std::span<const std::byte>{};
}

}  // namespace

std::optional<Copies::Identity> Copies::identify(const Segment& segment, const FrameBytes& frame) {
  const std::span<const std::byte> ip = ip_of(frame);
  if (ip.empty()) return std::nullopt;
  Identity identity;
  const unsigned version = std::to_integer<unsigned>(ip[0]) >> 4U;
  std::size_t header = 0;
  std::size_t addresses = 0;
  if (version == 4 && ip.size() >= ipv4_bytes && ip[9] == std::byte{6}) {
    header = (std::to_integer<std::size_t>(ip[0]) & 0xfU) * 4;
    addresses = 12;
    identity.ip_id = number(ip, 4);
  } else if (version == 6 && ip.size() >= ipv6_bytes && ip[6] == std::byte{6}) {
    header = ipv6_bytes;
    addresses = 8;
  } else {
    return std::nullopt;  // a tunnel, or headers between
  }
  if (header < ipv4_bytes || ip.size() < header + port_bytes) return std::nullopt;
  const std::size_t address_bytes = version == 4 ? 8 : 32;
  std::ranges::copy(ip.subspan(addresses, address_bytes), identity.ends.begin());
  std::ranges::copy(ip.subspan(header, port_bytes), identity.ends.begin() + 32);
  identity.seq = segment.seq;
  identity.ack = segment.ack;
  identity.len = segment.len;
  identity.ts_val = segment.ts_val;
  identity.ts_ecr = segment.ts_ecr;
  identity.window_and_flags = std::uint32_t{segment.window} << 8U | segment.flags;
  return identity;
}

Copies::Place* Copies::place_of(Seen& seen, std::uint32_t ifindex, bool out) {
  for (Place& place : seen.places) {
    if (place.count == 0) place = {.ifindex = ifindex, .out = out};
    if (place.ifindex == ifindex && place.out == out) return &place;
  }
  return nullptr;
}

// Pieces come in order, and none twice: what was sent again is no piece.
const Copies::Packet* Copies::whole_of(const Identity& piece, TimeNs at) {
  if (piece.len == 0) return nullptr;
  for (Whole& whole : wholes_) {
    if (whole.next != piece.seq || piece.len > whole.left || at - whole.at > together) continue;
    const Identity& one = whole.identity;
    if (one.ends != piece.ends || one.ack != piece.ack || one.ts_val != piece.ts_val || one.ts_ecr != piece.ts_ecr)
      continue;
    whole.next += piece.len;
    whole.left -= piece.len;
    return &whole.packet;
  }
  return nullptr;
}

void Copies::note_whole(const Identity& identity, const Packet& packet, TimeNs at) {
  if (identity.len < smallest_whole) return;
  wholes_[next_whole_++ % wholes_.size()] = {
      .identity = identity, .next = identity.seq, .left = identity.len, .packet = packet, .at = at};
}

Copies::Packet Copies::copy(const Event& event, const Packet& packet) {
  copies_[event.id % copies_limit] = {.id = event.id, .packet = packet.id};
  return packet;
}

std::optional<Copies::Packet> Copies::first(const Segment& segment, const FrameBytes& frame, const Event& event) {
  if (seen_.empty()) {
    seen_.resize(seen_limit);
    copies_.resize(copies_limit);
  }
  const auto identity = identify(segment, frame);
  if (!identity) return std::nullopt;
  const std::string_view bytes(reinterpret_cast<const char*>(&*identity), sizeof *identity);
  Seen& seen = seen_[std::hash<std::string_view>{}(bytes) % seen_limit];
  if (!(seen.identity == *identity) || event.ts_ns - seen.at > together) seen = {.identity = *identity};
  seen.at = event.ts_ns;
  const bool out = segment.outgoing();
  Place* place = place_of(seen, segment.ifindex, out);
  if (place == nullptr) return std::nullopt;
  const std::uint32_t count = ++place->count;
  if (count > seen.packets) {
    const Packet* whole = out ? nullptr : whole_of(*identity, event.ts_ns);
    if (whole != nullptr) {
      seen.newest[seen.packets++ % seen.newest.size()] = *whole;  // of this piece at the next place, too
      return copy(event, *whole);
    }
    const Packet packet{.id = event.id, .ifindex = segment.ifindex};
    seen.newest[seen.packets++ % seen.newest.size()] = packet;
    if (out) note_whole(*identity, packet, event.ts_ns);
    return std::nullopt;
  }
  if (seen.packets - count >= seen.newest.size()) return std::nullopt;
  return copy(event, seen.newest[(count - 1) % seen.newest.size()]);
}

EventId Copies::shown(EventId id) const {
  if (copies_.empty()) return id;
  const Copy& copy = copies_[id % copies_limit];
  return copy.id == id ? copy.packet : id;
}

}  // namespace tcpwitness
