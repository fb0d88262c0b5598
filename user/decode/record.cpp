// SPDX-License-Identifier: Apache-2.0
#include "decode/record.hpp"

#include <cstring>

#include "tcpwitness/event_abi.h"

namespace tcpwitness {
namespace {

// A zeroed header where there is none: of no kind.
tw_header header_of(std::span<const std::byte> record) {
  tw_header header{};
  if (record.size() >= sizeof header) std::memcpy(&header, record.data(), sizeof header);
  return header;
}

template <typename Record>
std::optional<Record> record_in(std::span<const std::byte> bytes, tw_kind kind) {
  Record record;
  if (bytes.size() < sizeof record || header_of(bytes).kind != kind) return std::nullopt;
  std::memcpy(&record, bytes.data(), sizeof record);
  return record;
}

}  // namespace

SocketCookie socket_of(std::span<const std::byte> record) { return header_of(record).cookie; }

std::optional<std::uint64_t> time_in(std::span<const std::byte> record) {
  return record.size() < sizeof(tw_header) ? std::nullopt : std::optional<std::uint64_t>(header_of(record).ts_ns);
}

std::optional<SocketCookie> destroyed_socket(std::span<const std::byte> record) {
  const tw_header header = header_of(record);
  if (header.kind == TW_KIND_DESTROY) return header.cookie;
  if (record.size() != sizeof(SocketDigest)) return std::nullopt;
  const auto digest = record_in<SocketDigest>(record, TW_KIND_DIGEST);
  return digest && digest->destroyed != 0 ? std::optional(header.cookie) : std::nullopt;
}

std::optional<Sample> sample_in(std::span<const std::byte> record) { return record_in<Sample>(record, TW_KIND_SAMPLE); }

std::optional<SocketFound> socket_in(std::span<const std::byte> record) {
  return record_in<SocketFound>(record, TW_KIND_SOCKET);
}

std::optional<OwnerSeen> owner_in(std::span<const std::byte> record) {
  return record_in<OwnerSeen>(record, TW_KIND_OWNER);
}

std::uint64_t fingerprint(const Sample& sample) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const std::uint64_t part :
       {std::uint64_t{sample.snd_una}, std::uint64_t{sample.snd_nxt}, std::uint64_t{sample.snd_cwnd},
        std::uint64_t{sample.snd_ssthresh}, std::uint64_t{sample.srtt_us}, std::uint64_t{sample.delivery_rate},
        static_cast<std::uint64_t>(sample.state)}) {
    hash = (hash ^ part) * 1099511628211U;
  }
  return hash;
}

std::string name_of(const Actor& actor) {
  const auto* begin = reinterpret_cast<const char*>(actor.comm);
  return {begin, ::strnlen(begin, sizeof actor.comm)};
}

}  // namespace tcpwitness
