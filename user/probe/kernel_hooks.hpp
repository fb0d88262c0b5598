// SPDX-License-Identifier: Apache-2.0
// kernel_hooks.hpp: which tracepoint each kernel program needs, and what is lost without it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/features.hpp"
#include "probe/skeleton.hpp"

namespace tcpwitness {

struct KernelProgram {
  std::string_view program;
  std::string_view group;  // of the tracepoint, as in tracefs
  std::string_view tracepoint;
  std::vector<std::string_view> arguments;  // the types that the program reads
  std::string_view lost;                    // what nobody will know without it
};

[[nodiscard]] std::span<const KernelProgram> kernel_programs();

// The program without which there are no kernel events.
inline constexpr const char* kernel_state = "kernel_state";

// Switches off the programs whose tracepoint is missing or has another signature.
void check_tracepoints(const DisabledFeatures& disabled, SwitchedOff& off);

// Does this tracepoint pass a value at this position (after its first ones)? For arguments that came later.
[[nodiscard]] bool has_argument(std::string_view tracepoint, std::size_t position, const DisabledFeatures& disabled);

}  // namespace tcpwitness
