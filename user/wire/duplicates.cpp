// SPDX-License-Identifier: Apache-2.0
#include "wire/duplicates.hpp"

#include "tcpwitness/tcp.hpp"

namespace tcpwitness {

std::optional<std::uint32_t> Duplicates::seen_before(const TcpFrame& f) {
  constexpr std::int64_t moment_ns = 10'000'000;
  constexpr std::int64_t at_once_ns = 20'000;
  constexpr std::int64_t syn_ns = 1'000'000;  // no timer of a SYN is so short
  // From one place of a merged capture to the other. No TCP sends again so soon: some have one identification for all.
  constexpr std::int64_t path_ns = 150'000'000;
  const std::uint32_t mixed = (f.seq ^ (f.ack * 3U) ^ f.source.port ^ (std::uint32_t{f.ip_id} << 16U)) * 0x9e3779b1U;
  Packet& p = (*packets_)[mixed >> 23U];
  static_assert(size == 1U << 9U);
  const std::int64_t later = f.ts_ns - p.ts_ns;
  const bool identified = f.ip_id != 0;
  const bool sent_on = f.ttl < p.ttl;  // by a router
  const bool moved = f.interface != p.interface;
  // Two links can have the same link-local addresses, and their hosts send the same.
  const bool one_network = !f.source.address.is_link_local();
  const bool elsewhere = moved && one_network;
  const bool syn = (f.flags & tcp_flag::syn) != 0;
  std::int64_t within_ns = syn && (!moved || one_network) ? syn_ns : at_once_ns;
  if (identified || sent_on || elsewhere) within_ns = moment_ns;
  // Where the clocks of a merged capture differ, the one behind the router can stand first.
  if (identified && f.ttl != p.ttl) within_ns = path_ns;
  const bool same = p.used && p.seq == f.seq && p.ack == f.ack && p.len == f.len && p.ip_id == f.ip_id &&
                    p.flags == f.flags && p.window == f.window && p.checksum == f.checksum && p.source == f.source &&
                    p.destination == f.destination && later >= 0 && later <= within_ns &&
                    (identified || elsewhere || f.ttl <= p.ttl);
  if (same) {
    p.ts_ns = f.ts_ns;  // a third one follows the second
    return p.interface;
  }
  p = {f.source, f.destination, f.ts_ns,    f.seq,   f.ack, f.len, f.interface,
       f.window, f.ip_id,       f.checksum, f.flags, f.ttl, true};
  return std::nullopt;
}

}  // namespace tcpwitness
