// SPDX-License-Identifier: Apache-2.0
// decoder.cpp: records of the ring become events.
//
// A record is believed only if its kind, version and size agree; anything else is counted as
// malformed. Every record carries its CPU's running loss count: when the count has grown, a Gap is
// placed before the record that reports it. Producers nest on one CPU (a softirq interrupts process
// context between its count and its reservation), so an older count can come after a newer one: only
// the maximum moves, modulo 2^32.
#include <cstring>

#include "decode/digest.hpp"
#include "decode/frame_bytes.hpp"
#include "tcpwitness/event_abi.h"
#include "tcpwitness/gap.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {
namespace {

// More CPUs than any Linux machine has: a larger number is a broken record, not memory to allocate.
constexpr std::uint32_t max_cpus = 8192;

// The bytes of a record, as the value that they are. (layout.cpp: it has the record's layout.)
template <typename T>
struct Bytes {
  const std::byte* from;
  operator T() const {  // NOLINT(google-explicit-constructor)
    T value;            // NOLINT(cppcoreguidelines-pro-type-member-init): all of it comes next
    std::memcpy(&value, from, sizeof value);
    return value;
  }
};

// Copies the record out of the ring as its own type, once and in place; false where the size is not the type's.
template <typename T>
bool take(std::span<const std::byte> record, Event& event) {
  if (record.size() != sizeof(T)) return false;
  event.body.emplace<T>(Bytes<T>{record.data()});
  return true;
}

// Its value has more than the record.
bool take_segment(std::span<const std::byte> record, Event& event) {
  if (frame_bytes(record)) record = record.first(sizeof(tw_segment));
  if (record.size() != sizeof(tw_segment)) return false;
  Segment& segment = event.body.emplace<Segment>();
  std::memcpy(static_cast<void*>(&segment), record.data(), sizeof(tw_segment));
  segment.seen_at(segment.hook);
  return true;
}

bool take_body(std::span<const std::byte> record, std::uint8_t kind, Event& event) {
  switch (kind) {
    case TW_KIND_STATE:
      return take<StateChange>(record, event);
    case TW_KIND_SEGMENT:
      return take_segment(record, event);
    case TW_KIND_RETRANSMIT:
      return take<Retransmit>(record, event);
    case TW_KIND_RESET:
      return take<Reset>(record, event);
    case TW_KIND_ERROR:
      return take<SocketError>(record, event);
    case TW_KIND_DESTROY:
      return take<SocketDestroyed>(record, event);
    case TW_KIND_OWNER:
      return take<OwnerSeen>(record, event);
    case TW_KIND_SOCKET:
      return take<SocketFound>(record, event);
    case TW_KIND_DROP:
      return take<Drop>(record, event);
    case TW_KIND_PORTS:
      return take<PortsFound>(record, event);
    case TW_KIND_NAT:
      return take<Translation>(record, event);
    case TW_KIND_ICMP:
      return take<IcmpSeen>(record, event);
    case TW_KIND_SAMPLE:
      return take<Sample>(record, event);
    case TW_KIND_DIGEST:
      return take<SocketDigest>(record, event) && well_formed(*std::get_if<SocketDigest>(&event.body));
    default:
      return false;
  }
}

// How many events a record stands for, each with a number of its own.
std::size_t stands_for(const Event& event) {
  const auto* digest = std::get_if<SocketDigest>(&event.body);
  return digest == nullptr ? 1 : events_in(*digest);
}

// How many records the kernel has counted it as.
std::size_t counted_as(const Event& event) {
  const auto* digest = std::get_if<SocketDigest>(&event.body);
  return digest == nullptr ? 1 : digest->counted;
}

}  // namespace

// From the CPU's record before; from the start of the run where there is none.
TimeNs Decoder::gap_start(TimeNs last_ts_ns, TimeNs now) const {
  if (last_ts_ns != 0) return last_ts_ns;
  return started_ns_ != 0 ? started_ns_ : now;
}

void Decoder::decode(std::span<const std::byte> record, std::vector<Event>& out) {
  tw_header header;
  if (record.size() < sizeof header) {
    ++malformed_;
    return;
  }
  std::memcpy(&header, record.data(), sizeof header);
  Event& event = out.emplace_back();
  const bool from_ring = header.cpu != TW_NO_CPU;
  if (header.version != TW_ABI_VERSION || (from_ring && header.cpu >= max_cpus) ||
      !take_body(record, header.kind, event)) {
    out.pop_back();
    ++malformed_;
    return;
  }
  // Modulo 2^64: a recording's numbers may be anything.
  event.ts_ns = static_cast<TimeNs>(header.ts_ns + static_cast<std::uint64_t>(offset_ns_));
  const std::size_t numbers = stands_for(event);
  if (!from_ring) {  // the snapshot: it is in no CPU's account
    event.id = next_id_;
    next_id_ += numbers;
    return;
  }
  received_ += counted_as(event);

  if (header.cpu >= cpus_.size()) cpus_.resize(header.cpu + 1U);
  Cpu& cpu = cpus_[header.cpu];
  const TimeNs last_ts_ns = cpu.last_ts_ns;
  if (event.ts_ns > cpu.last_ts_ns) cpu.last_ts_ns = event.ts_ns;
  const auto grown = static_cast<std::int32_t>(header.lost - cpu.lost);
  const EventId gap_id = grown > 0 ? next_id_++ : 0;
  event.id = next_id_;
  next_id_ += numbers;
  if (grown > 0) {
    Gap gap;
    gap.lost = static_cast<std::uint64_t>(grown);
    gap.cpu = header.cpu;
    gap.from_ts_ns = gap_start(last_ts_ns, event.ts_ns);
    gap.to_ts_ns = event.ts_ns;
    lost_ += gap.lost;
    cpu.lost = header.lost;
    const TimeNs ts_ns = event.ts_ns;
    out.insert(out.end() - 1, Event{gap_id, ts_ns, gap});
  }
}

void Decoder::account(std::uint32_t cpu_number, std::uint64_t lost_total, TimeNs now, std::vector<Event>& out) {
  if (cpu_number >= max_cpus) return;
  if (cpu_number >= cpus_.size()) cpus_.resize(cpu_number + 1U);
  Cpu& cpu = cpus_[cpu_number];
  // Records carry 32 bits of the count; what they did not report is the difference modulo 2^32.
  const auto grown = static_cast<std::int32_t>(static_cast<std::uint32_t>(lost_total) - cpu.lost);
  if (grown <= 0) return;
  Gap gap;
  gap.lost = static_cast<std::uint64_t>(grown);
  gap.cpu = cpu_number;
  gap.from_ts_ns = gap_start(cpu.last_ts_ns, now);
  gap.to_ts_ns = now;
  lost_ += gap.lost;
  cpu.lost = static_cast<std::uint32_t>(lost_total);
  out.push_back(Event{next_id_++, now, gap});
}

void Decoder::skipped(std::uint64_t total, TimeNs from, TimeNs now, std::vector<Event>& out) {
  if (total <= skipped_) return;
  Gap gap;
  gap.lost = total - skipped_;
  gap.cpu = TW_NO_CPU;
  gap.from_ts_ns = from;
  gap.to_ts_ns = now;
  lost_ += gap.lost;
  skipped_ = total;
  // Before the records that were read with it, which are older than `now`; no number of its own.
  out.push_back(Event{next_id_, from, gap});
}

void Decoder::untraced(TimeNs from, TimeNs now, std::vector<Event>& out) const {
  Gap gap;
  gap.cpu = gap_untraced;
  gap.from_ts_ns = from;
  gap.to_ts_ns = now;
  out.push_back(Event{next_id_, now, gap});
}

}  // namespace tcpwitness
