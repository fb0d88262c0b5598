// SPDX-License-Identifier: Apache-2.0
// marks.hpp: what a recording has beside packets and journal entries, in pcapng blocks for local use: how the
// run was set, when time passed, where something is missing, how it ended.
//
// A block's body is "tcpw", a version, a kind, then lines of NAME=TEXT ('\\', line feed and tab written as
// \\, \n, \t). docs/recordings.md lists the names. What is read is checked field by field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tcpwitness/event.hpp"
#include "tcpwitness/pipeline.hpp"
#include "tcpwitness/report.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

inline constexpr std::uint32_t mark_block = 0x80007477;  // pcapng block type, for local use
// For local use, too: a segment at a second place, whose packet stands at the first: its event's number, then its
// record.
inline constexpr std::uint32_t copy_block = 0x80007478;
inline constexpr std::uint16_t record_option = 0x8001;        // option of a packet block, for local use: its tw_segment
inline constexpr TimeNs time_limit = std::int64_t{1} << 62U;  // no time is later: sums of two must not overflow

// Begins every file: what the Correlator was given before its first event.
struct StartMark : RunSettings {
  TimeNs started_ns = 0;       // of the run: the same in all its files
  std::uint32_t part = 1;      // of these files
  std::int64_t offset_ns = 0;  // of the Decoder
  Ready ready;
  std::uint64_t count = 0;  // stopped after so many connections; 0: no limit
  std::uint32_t snaplen = 0;
  bool flight = false;  // only what belongs to findings was kept
  std::vector<std::string> reset_reasons;
  std::vector<std::string> drop_reasons;
};
struct InterfaceMark {
  std::uint32_t index = 0;
  std::string name;
};
// Correlator::advance.
struct TickMark {
  TimeNs now = 0;
};
// Decoder::account; of no CPU (no_cpu): Decoder::skipped, since `from`.
struct AccountMark {
  TimeNs now = 0;
  std::uint32_t cpu = 0;
  std::uint64_t lost = 0;
  TimeNs from = 0;
};
// Something is not here that was there; for people. What of it were events follows from their numbers.
inline constexpr std::string_view left_out_why =
    "belong to no finding: not kept";  // blocks: events, all numbers of them
struct HoleMark {
  std::uint64_t blocks = 0;
  std::string why;
};
// Ends a file. In the last one it is Correlator::finish, and what only the live run could count.
struct EndMark {
  TimeNs now = 0;
  EventId last_id = 0;
  std::string continued{};  // the next file; empty: the run is over
  std::uint64_t malformed = 0;
  std::uint64_t skipped = 0;  // runs that the kernel left out
  std::uint64_t flows_full = 0;
  std::uint64_t unaccounted = 0;
};
// WallClock::set: somebody set the wall clock. All times in marks and events are the run's.
struct ClockMark {
  TimeNs from = 0;
  std::int64_t ahead_ns = 0;
};
// LiveCorrelator::listed.
struct ListedMark {
  TimeNs begun = 0;
};
// Decoder::untraced.
struct UntracedMark {
  TimeNs from = 0;
  TimeNs now = 0;
};
using RecordingMark = std::variant<StartMark, InterfaceMark, TickMark, AccountMark, HoleMark, EndMark, ClockMark,
                                   ListedMark, UntracedMark>;

// A whole block's body.
[[nodiscard]] std::string mark_body(const RecordingMark& mark);
// Nothing: a block for local use by another program.
[[nodiscard]] Result<std::optional<RecordingMark>> read_mark(std::span<const std::byte> body);

}  // namespace tcpwitness
