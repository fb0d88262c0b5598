// SPDX-License-Identifier: Apache-2.0
// conversations.hpp: the wire witness of a capture: frames in, events out.
//
// What bpf/flow.h does in the kernel for the segments that pass an interface, this does for those in a
// file, and more, because all of them are there: it finds the conversation, analyses the segment in it
// (analysis.hpp), counts it, and makes an event of it where it matters (enum SegmentEvent), or always.
// A conversation is tshark's: an address pair, begun anew by a SYN with another sequence number.
// Memory: the conversations that are open, and a bounded number of those that are over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "tcpwitness/event.hpp"
#include "wire/expiry.hpp"

namespace tcpwitness {

struct ConversationSettings {
  bool all_segments = false;  // every segment is an event, not only those that matter
  // A conversation that is over is kept for its stragglers until so many newer ones are over, or until it was silent
  // for so long (PassedTime). (Only where somebody waits for the end to be reported.)
  std::size_t linger_limit = 8192;
  std::int64_t linger_ns = std::numeric_limits<std::int64_t>::max();
  // So many may be open without having been established; above that the oldest counts as over.
  std::size_t half_open_limit = 262'144;
  // Conversations end by the capture's clock too, and what follows begins another one.
  std::optional<Expiry> expiry;
};

class Conversations {
 public:
  explicit Conversations(ConversationSettings settings);
  ~Conversations();
  Conversations(const Conversations&) = delete;
  Conversations& operator=(const Conversations&) = delete;

  // Appends zero or more events: the ends of older conversations, then this segment (a Segment: local is the
  // conversation's local side, and its direction is that side's).
  void observe(const TcpFrame& frame, std::vector<Event>& out);
  // Appends an IcmpSeen, with the conversation's number (Analysis::conversation) as its cookie, where the segment that
  // it quotes is of one that is known.
  void observe_icmp(const TcpFrame& quoted, std::vector<Event>& out);
  // No frame came, and yet it is `now` (asked for once a second or more often): appends the ends of the conversations
  // that are over for long.
  void advance(TimeNs now, std::vector<Event>& out);
  // The analysis of the newest segment, event or not.
  [[nodiscard]] const Analysis& analysis() const;
  [[nodiscard]] std::uint64_t stream() const;  // of the newest segment: tshark's tcp.stream
  // The end of the file: every conversation that is left ends, about `at_most` of them at a time. False: that was all.
  bool finish(std::vector<Event>& out, std::size_t at_most = SIZE_MAX);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness
