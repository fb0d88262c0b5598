// SPDX-License-Identifier: Apache-2.0
// trace_words.hpp: a timeline entry in words, before it is laid out. Pure.
//
// Numbers in brackets, "(12)", are always event numbers: the first column of the timeline.
#pragma once

#include <string>
#include <vector>

#include "sink/paint.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

struct Span {
  std::string text;
  Colour colour = Colour::none;
};

// One entry, as the two lanes of the timeline and the words beside them.
struct EntryText {
  Span kernel;                   // a transition, an action; for a segment "(STATE)": the socket's state at that moment
  Span wire;                     // an arrow with flags; empty for what the kernel did
  bool kernel_expected = false;  // that state follows from the lines before: a narrow terminal may omit it
  std::vector<Span> details;
  std::string states;  // behind all else: what the ends enter, where it is inferred from the wire alone
};

// "called connect()", "made the first send()"; "" where nothing is known.
[[nodiscard]] std::string_view owner_words(PidSource source);

// "duplicate ACK #2"; every other word as it is.
[[nodiscard]] std::string numbered(std::string_view word, const Analysis& analysis);

// "host unreachable (ICMP type 3, code 13), sent by 10.0.0.254"
[[nodiscard]] std::string icmp_text(const IcmpMessage& icmp);
// "1 in TIME_WAIT, 2 open (2 by curl[42])"
[[nodiscard]] std::string ports_text(const PortsEntry& entry, bool utf8);

struct TraceWords {
  const Names& names;
  bool utf8 = false;

  [[nodiscard]] EntryText render(const StateEntry& entry) const;
  [[nodiscard]] EntryText render(const SegmentEntry& entry) const;
  [[nodiscard]] EntryText render(const RetransmitEntry& entry) const;
  [[nodiscard]] EntryText render(const ResetEntry& entry) const;
  [[nodiscard]] EntryText render(const ErrorEntry& entry) const;
  [[nodiscard]] EntryText render(const DropEntry& entry) const;
  [[nodiscard]] EntryText render(const KeepaliveEntry& entry) const;
  [[nodiscard]] EntryText render(const ProbeEntry& entry) const;
  [[nodiscard]] EntryText render(const OwnerEntry& entry) const;
  [[nodiscard]] EntryText render(const PortsEntry& entry) const;
  [[nodiscard]] EntryText render(const IcmpEntry& entry) const;
  [[nodiscard]] EntryText render(const SampleEntry& entry) const;

  // "connect() by curl[1]", "caused by SYN-ACK (3), 21 us later", "keep-alive timer expired".
  [[nodiscard]] std::string cause(const Cause& cause, const Process& process) const;
  // "--- SYN ------>", "<-- SYN,ACK ---".
  [[nodiscard]] std::string arrow(bool out, std::string_view flags) const;
};

}  // namespace tcpwitness
