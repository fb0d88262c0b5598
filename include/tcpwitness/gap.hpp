// SPDX-License-Identifier: Apache-2.0
// gap.hpp: what took the events of a Gap, where it was not a full ring on a CPU.
#pragma once

#include <cstdint>

#include "tcpwitness/event.hpp"

namespace tcpwitness {

// In place of a Gap's CPU, as no_cpu is for what the kernel skipped: reading a recording, nothing was lost.
inline constexpr std::uint32_t gap_left_out = no_cpu - 1;     // by a flight recorder: it belongs to no finding
inline constexpr std::uint32_t gap_not_in_file = no_cpu - 2;  // in another file of the run, or not written
inline constexpr std::uint32_t gap_untraced = no_cpu - 3;     // an interface was not: how many, nobody knows (0)

// The ring found no room; the kernel skipped a program; a flight recorder left them out; another file has them; an
// interface was not traced.
enum class GapCause : std::uint8_t { ring_full, skipped, left_out, not_in_file, untraced };

// Why those events are not there.
[[nodiscard]] inline GapCause cause_of(const Gap& gap) {
  if (gap.skipped()) return GapCause::skipped;
  if (gap.cpu == gap_left_out) return GapCause::left_out;
  if (gap.cpu == gap_untraced) return GapCause::untraced;
  return gap.cpu == gap_not_in_file ? GapCause::not_in_file : GapCause::ring_full;
}

}  // namespace tcpwitness
