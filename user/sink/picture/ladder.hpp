// SPDX-License-Identifier: Apache-2.0
// ladder.hpp: the ladder diagram of a connection, laid out: rows from top to bottom, each with its height. Pure.
//
// Lanes from left to right: process, kernel, the wire, the peer. Where the run follows both ends, the peer has lanes of
// its own, and a segment is an arrow from where it left to where it arrived. Time flows down but not to scale: every
// event has a row, short waits make it higher, long silence is folded, with its length.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sink/picture/connection.hpp"

namespace tcpwitness::picture {

enum class Look : std::uint8_t { plain, quiet, good, warn, bad };

// What a segment is drawn as. Each differs in form and in words, not in colour alone.
enum class Stroke : std::uint8_t { acknowledgement, data, control, reset, again, probe, closed_window };

struct Arrow {
  bool out = true;           // from this end to the peer
  bool at_peer_end = false;  // seen at the peer's end alone
  bool closed = false;       // its sender has no room
  bool dropped = false;      // the kernel threw it away: it does not reach the other side
  Stroke stroke = Stroke::acknowledgement;
  bool dropped_there = false;  // by the peer's
  std::string words;           // above it: flags, numbers, analysis
  std::string dropped_by;      // "NETFILTER_DROP: a firewall rule dropped it"
  std::int64_t took_ns = -1;   // until it was seen at the other end; -1: it was not seen there
};

// One end's part of a row.
struct Part {
  std::string process;  // who called what
  std::string kernel;   // a transition, an action, or the state that the kernel had
  Look look = Look::plain;
  TcpState entered = TcpState::unknown;  // a transition: the new state
  bool inferred = false;
};

struct Row {
  enum class Kind : std::uint8_t { event, silence, ordinary };
  Kind kind = Kind::event;
  double y = 0;  // of its middle
  double height = 0;
  double below = 0;  // of that, room for words below the arrow
  double top = 0;
  EventId id = 0;
  EventId also = 0;  // the same segment at the other end, or the drop of it
  std::int64_t offset_ns = 0;
  Part local;
  Part peer;
  std::vector<Arrow> arrow;  // at most one
  std::string note;          // beside a kernel's part, where no arrow is: the cause in words
  Look note_look = Look::quiet;
  EventId cause = 0;  // the segment, or the transition, that this goes back to
};

// A finding, beside the rows that it rests on.
struct Remark {
  double y = 0;  // of its top
  double height = 0;
  Rule rule{};
  Confidence confidence{};
  std::vector<std::string> lines;
  std::vector<EventId> evidence;
};

// "5", or "5/6" where the row is two events: causes and evidence name either.
[[nodiscard]] std::string number_text(const Row& row);

struct Ladder {
  std::string title;      // who, from where to where
  std::string outcome;    // how it ended
  std::string peer_name;  // over the peer's lane
  bool both_ends = false;
  bool inferred = false;           // a capture: states of both ends, concluded from the wire
  std::size_t number_columns = 0;  // of the longest event number
  std::vector<Row> rows;
  std::vector<Remark> remarks;
  double height = 0;
};

struct LadderSettings {
  bool fold_ordinary = false;  // long runs of ordinary data are one row
  bool wire_alone = false;     // a capture
};

// peer: the other end, where the same run follows it; null: it does not.
[[nodiscard]] Ladder lay_out(const Connection& connection, const Connection* peer, const Names& names,
                             const LadderSettings& settings);

}  // namespace tcpwitness::picture
