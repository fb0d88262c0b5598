// SPDX-License-Identifier: Apache-2.0
// crowd.hpp: what comes in such numbers that no single one of it means anything: a SYN flood, a scan.
//
// Of each kind the first of a second are reported one by one, the rest is added up. Memory is bounded: addresses are
// counted, not kept.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "facts/evidence.hpp"
#include "tcpwitness/address.hpp"
#include "tcpwitness/arguments.hpp"

namespace tcpwitness {

// How many different ones, within about 4 per cent (HyperLogLog with 1,024 registers).
class Distinct {
 public:
  void add(std::uint32_t hash);
  [[nodiscard]] std::uint64_t count() const;

 private:
  static constexpr unsigned index_bits = 10;
  std::array<std::uint8_t, 1U << index_bits> ranks_{};
};

// One kind within one second or so.
class Crowd {
 public:
  void add(EventId id, TimeNs ts, const Flow& flow, std::uint64_t count = 1);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] TimeNs since() const { return since_ns_; }
  [[nodiscard]] const Flow& first() const { return first_; }
  [[nodiscard]] std::vector<EventId> evidence() const { return evidence_.list(); }
  [[nodiscard]] arguments::Crowd numbers() const;

 private:
  static constexpr std::size_t shown = 3;
  std::uint64_t size_ = 0;
  TimeNs since_ns_ = 0;
  TimeNs until_ns_ = 0;
  Flow first_;
  Evidence evidence_;
  Distinct from_;
  Distinct to_;
  std::array<Address, shown> examples_{};
  std::size_t examples_count_ = 0;
};

// How many of them were dropped, by reason.
using ByReason = std::vector<std::pair<std::uint32_t, std::uint64_t>>;
void add_reason(ByReason& reasons, std::uint32_t reason, std::uint64_t count = 1);

// SYNs for no connection here, beyond those that are reported one by one.
struct MoreDroppedSyns {
  Crowd crowd;
  ByReason reasons;
  TimeNs begun_ns = 0;  // when the first one was added
};

// The connections that were asked for within a second.
struct Attempts {
  Crowd crowd;
  std::uint64_t answered = 0;   // by a SYN-ACK of a request socket; forwarded: by any
  std::uint64_t cookies = 0;    // by one of no socket
  std::uint64_t completed = 0;  // any that became ESTABLISHED meanwhile
  std::uint64_t refused = 0;    // forwarded: by a RST
  ByReason dropped{};           // SYN-ACKs that this machine dropped
  bool forwarded = false;       // through this machine
};

}  // namespace tcpwitness
