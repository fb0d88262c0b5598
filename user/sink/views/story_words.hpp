// SPDX-License-Identifier: Apache-2.0
// story_words.hpp: one event of a connection as a sentence of its story. Pure, but for what the plot remembers.
//
// Where the kernel shows what a segment led to, both are one sentence, reported with the transition. A sentence says
// only what was seen; what is concluded says "inferred".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tcpwitness/report.hpp"

namespace tcpwitness {

// Sentences alike are summed up when there are many in a row.
enum class Topic : std::uint8_t { none, loss, keepalive, window, probe, drop, icmp };

// What the newest sentence is about, for one that goes on with it.
enum class About : std::uint8_t {
  nothing,
  connecting,  // connect()
  syn_out,
  syn_in,
  syn_ack,
  established,
  closing,  // a call that makes a FIN, or the FIN out
  fin_in,
  fin_acked,   // the peer's, by this side
  again,       // a segment that was sent again
  came_again,  // one of the peer
  keepalive,
  reset,     // a RST that left, or the kernel's report of it
  reset_in,  // the kernel's report of one that came, which no packet shows
  icmp,      // an ICMP message that came
};

struct Phrase {
  std::string text;      // "": nothing
  bool goes_on = false;  // with the sentence before
  Topic topic = Topic::none;
  About about = About::nothing;
};

// What has been reported of a connection so far, as far as later sentences refer to it.
struct StoryState {
  void note_syn_ack(TimeNs at, bool out, std::uint32_t seq) {
    syn_ack_ns = at;
    syn_ack_out = out;
    syn_ack_seq = seq;
  }
  // Of the same side, with another initial number.
  [[nodiscard]] bool is_other_syn_ack(bool out, std::uint32_t seq) const {
    return syn_ack_ns != 0 && syn_ack_out == out && syn_ack_seq != seq;
  }

  TimeNs syn_ns = 0;  // the first of each, 0: not seen
  TimeNs syn_ack_ns = 0;
  std::uint32_t syn_ack_seq = 0;
  bool syn_ack_out = false;
  TimeNs fin_out_ns = 0;
  TimeNs fin_in_ns = 0;
  std::uint32_t first_fin_end = 0;
  TimeNs sentence_ns = 0;  // of the newest sentence's event
  TimeNs probe_ns = 0;
  std::array<TimeNs, 2> closed_ns{};  // zero window of this side, of the peer
  EventId deferred = 0;               // a segment that is reported with its transition
  TimeNs deferred_ns = 0;
  std::uint8_t deferred_ttl = 0;
  std::uint8_t deferred_flags = 0;
  EventId again = 0;  // the segment that left again
  std::uint32_t ifindex = 0;
  About about = About::nothing;
  Role role = Role::unknown;
  bool forwarded = false;  // neither end is this machine
  bool wire = false;       // has events of this connection
  bool kernel = false;     // the same
  bool first = true;
  bool fin_reported = false;   // the peer's
  std::array<bool, 2> seen{};  // a segment of this side, of the peer
  bool rst_sent = false;       // reported, and the kernel's word of it not yet
  Process who;
  Flow flow;

  // Payload from the first event on: all that is known, and what of it was reported.
  struct Bytes {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
  };
  struct Count {
    bool begun = false;
    Bytes base;
    Bytes now;
  };
  Count by_wire;
  Count by_kernel;
  Bytes known;
  Bytes rendered;
};

struct StoryWords {
  const Names& names;
  bool utf8 = false;
  bool wire_alone = false;  // a capture: it was taken anywhere, nobody in it is "this side"

  // Looks at the event's numbers first: what was sent and received up to it, itself not included.
  void count(const Entry& entry, StoryState& so_far) const;
  [[nodiscard]] Phrase phrase(const Entry& entry, StoryState& so_far) const;

  // "this side sent 50 bytes, and 70 bytes came in": what passed the interface, or what the kernel counts without it.
  [[nodiscard]] std::string passed(const StoryState& so_far, std::uint64_t sent, std::uint64_t received) const;

  // "this side", "the peer"; of a capture "the client", "the server" or the address.
  [[nodiscard]] std::string us(const StoryState& so_far) const;
  [[nodiscard]] std::string them(const StoryState& so_far) const;

 private:
  [[nodiscard]] Phrase phrase(const Entry& entry, const StateEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase phrase(const Entry& entry, const RetransmitEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase phrase(const Entry& entry, const ResetEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase phrase(const Entry& entry, const ErrorEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase phrase(const Entry& entry, const DropEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase phrase(const Entry& entry, const KeepaliveEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase phrase(const Entry& entry, const ProbeEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase phrase(const Entry& entry, const OwnerEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase phrase(const Entry& entry, const PortsEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase phrase(const Entry& entry, const IcmpEntry& body, StoryState& so_far) const;

  [[nodiscard]] Phrase syn_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase syn_ack_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase rst_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase fin_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase again_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase window_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase handshake_ack_phrase(const Entry& entry, bool out, const StoryState& so_far) const;
  [[nodiscard]] Phrase fin_ack_phrase(const Entry& entry, bool out, const StoryState& so_far) const;
  [[nodiscard]] Phrase misplaced_phrase(const Segment& segment, StoryState& so_far) const;
  [[nodiscard]] Phrase established_phrase(const StateEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase fin_wait2_phrase(const Entry& entry, const StateEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase time_wait_phrase(const Entry& entry, const StateEntry& body, StoryState& so_far) const;
  [[nodiscard]] Phrase closed_phrase(const Entry& entry, const StateEntry& body, StoryState& so_far) const;

  // As the subject of a sentence: a process name keeps its own spelling.
  [[nodiscard]] std::string who(const Process& process, const StoryState& so_far) const;
  [[nodiscard]] std::string moved(bool out, std::string_view what, const StoryState& so_far) const;
  [[nodiscard]] std::string moved_again(bool out, std::string_view what, const StoryState& so_far) const;
  [[nodiscard]] std::string through(std::uint32_t ifindex, bool out, StoryState& so_far) const;
  [[nodiscard]] std::string called(const StateEntry& body, const StoryState& so_far) const;
};

// Of a topic, when many in a row are summed up: "12 more keep-alive probes, 12 of them answered".
[[nodiscard]] std::string summed_up(Topic topic, std::uint64_t count, std::uint64_t went_on);

}  // namespace tcpwitness
