// SPDX-License-Identifier: Apache-2.0
// conversation.hpp: what is kept of one conversation of a capture, and the pool it is kept in.
//
// Side 0 is local, side 1 remote. A conversation that is not simply open is in a list by what may still come, the one
// with the oldest segment first: memory is given back from the heads.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "tcpwitness/address.hpp"
#include "tcpwitness/wire.hpp"
#include "values/index_table.hpp"
#include "values/prefetch.hpp"
#include "wire/acceptance.hpp"
#include "wire/analysis.hpp"
#include "wire/phase_clock.hpp"
#include "wire/sequence_bytes.hpp"

namespace tcpwitness {

// One direction, beside what Acceptance and the analysis keep of it: its totals, and what is pending.
struct Stream {
  SequenceBytes bytes;
  std::uint64_t frames = 0;
  std::uint64_t frame_bytes = 0;
  std::uint64_t duplicate_bytes = 0;  // payload of frames that were captured twice
  std::uint32_t duplicates = 0;       // such frames
  std::uint32_t retransmits = 0;
  std::uint32_t out_of_order = 0;
  std::uint32_t repeated = 0;  // of these
  std::uint32_t copied = 0;    // the number that it sent again last,
  std::uint32_t copies = 0;    // and how often since the other side sent anything
  bool seen : 1 = false;
  bool probe_pending : 1 = false;
};

enum class Listed : std::uint8_t {
  no,
  half_open,  // not established, or its RST may not have been taken
  one_way,    // begun before the capture, and one direction alone was seen: it may be silent for any time
  over,
  reported,  // over, and its end was given out; what comes late is still its own
};

struct Conversation {
  Endpoint local;
  Endpoint remote;
  std::uint32_t hash = 0;
  std::uint32_t scope = 0;  // of link-local addresses: the capture's interface, from 1
  TimeNs last_ts_ns = 0;
  TimeNs last_passed_ns = 0;  // what had passed at its newest segment (PassedTime)
  std::uint64_t stream = 0;
  WireAnalysis analysis;
  Acceptance acceptance;
  PhaseClock clock;
  std::array<Stream, 2> side;
  std::uint32_t next = IndexTable::none;
  std::uint32_t previous = IndexTable::none;
  std::uint32_t older = IndexTable::none;    // the conversation on the same address pair that its SYN found open
  std::uint32_t younger = IndexTable::none;  // and that one's way back
  std::uint8_t completeness = 0;
  std::uint8_t answered_by = 1;  // the side that sent the SYN-ACK
  Listed listed = Listed::no;
  bool live = false;
  bool handshake_done = false;
  bool goes_on = false;        // behind the SYN of the younger one
  bool established = false;    // both sides were seen beyond their SYN
  bool reset = false;          // a RST was believed, and nothing has shown since that it was not taken
  bool reset_unsure = false;   // it had not just the number that its receiver waited for
  bool reset_refused = false;  // the newest segment is a RST that its receiver must refuse
  bool given_up = false;       // it is over because of its silence alone
  bool asked_again = false;    // behind its end came a SYN with its number: a late copy, or a connection begun alike

  [[nodiscard]] const HalfConnection& half(unsigned from) const { return acceptance.half(from); }
  // Neither side's SYN was seen.
  [[nodiscard]] bool midstream() const { return !half(0).syn() && !half(1).syn(); }
  [[nodiscard]] bool closed() const { return half(0).fin_acked() && half(1).fin_acked(); }
  // Nothing of it can follow but stragglers: both have closed, or one that was open was reset.
  [[nodiscard]] bool ended() const { return closed() || (reset && handshake_done); }
  [[nodiscard]] ConversationTotals totals() const;
};

class ConversationTable {
 public:
  static constexpr std::uint32_t none = IndexTable::none;

  [[nodiscard]] Conversation& at(std::uint32_t slot) { return chunks_[slot / chunk][slot % chunk]; }
  [[nodiscard]] std::uint32_t slots() const { return slots_; }

  // The same for both directions.
  [[nodiscard]] static std::uint32_t hash(const Endpoint& a, const Endpoint& b, std::uint32_t scope = 0);
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, const Endpoint& a, const Endpoint& b, std::uint32_t scope = 0);
  std::uint32_t create(std::uint32_t hash, const Endpoint& local, const Endpoint& remote, std::uint32_t scope = 0);
  void release(std::uint32_t slot);
  // The address pair is `younger`'s, whose SYN may yet be refused.
  void supersede(std::uint32_t slot, std::uint32_t younger);
  // No look-up finds it any more.
  void conceal(std::uint32_t slot) { index_.erase(at(slot).hash, slot); }

  // It is looked at soon, and was not for long: its memory comes while other frames are worked on.
  void warm(std::uint32_t slot) const {
    if (slot != none) prefetch(&chunks_[slot / chunk][slot % chunk]);
  }

  // Puts it at the end of that list; `no` takes it out.
  void list(std::uint32_t slot, Listed to);
  [[nodiscard]] std::uint32_t oldest(Listed in) const { return lists_[static_cast<std::size_t>(in)].head; }
  [[nodiscard]] std::size_t count(Listed in) const { return lists_[static_cast<std::size_t>(in)].count; }

 private:
  struct List {
    std::uint32_t head = none;
    std::uint32_t tail = none;
    std::size_t count = 0;
  };
  static constexpr std::uint32_t chunk = 64;
  std::vector<std::unique_ptr<Conversation[]>> chunks_;
  std::vector<std::uint32_t> free_;
  IndexTable index_;
  std::array<List, 5> lists_;
  std::uint32_t slots_ = 0;
};

}  // namespace tcpwitness
