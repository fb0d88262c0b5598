// SPDX-License-Identifier: Apache-2.0
// grammar.hpp: which options there are, and which command takes which.
//
// CLI11 collects the texts that were given to each; what they mean is options.cpp's. An option given to a command
// that has no use for it is refused with a sentence that says why, never ignored.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.hpp"

namespace tcpwitness::cli {

// Every option as the texts that were given to it, in order. A flag has one text each time it is given.
struct Texts {
  std::vector<std::string> interface, pid, children, uid, comm, port, host, netns, filter;
  std::vector<std::string> output, columns, duration, count, every, stuck_after, packets, trace, explain, findings;
  std::vector<std::string> problems, finding, outcome, slower_than, summary, compare, by, top;
  std::vector<std::string> wire, kernel, forwarded, ring_size, flows;
  std::vector<std::string> write, snaplen, rotate_size, rotate_every, keep, flight_recorder, on, quiet;
  std::vector<std::string> words;    // what is no option: an expression; of read FILE, then the expression
  std::vector<std::string> names;    // doctor: what is no option: the entry of the catalogue
  std::vector<std::string> program;  // what stands behind "--": a command and its arguments
};

// Whom an option is for. machine: listening, and the doctor, who looks at where one would listen. connections: who
// prints them. listing: ls. summing: summary, and life and read, which can end with one.
enum class For : std::uint8_t {
  all,
  machine,
  listening,
  recording,
  reading,
  timeline,
  connections,
  summing,
  listing,
  doctor
};

struct Spec {
  const char* names;  // CLI11's form; the last one is the long one
  std::vector<std::string> Texts::* texts;
  For whom = For::all;
  bool flag = false;
};
[[nodiscard]] std::span<const Spec> specs();
[[nodiscard]] std::string_view long_name(const Spec& spec);  // "--port"

inline constexpr const char* of_all_processes =
    "a recording is of all processes: give --children, --uid or '-- COMMAND' to life, trace, explain or summary";

// Why the command does not take an option of this kind; "" where it does.
[[nodiscard]] std::string why_not(const Spec& spec, Command command, bool timeline);

}  // namespace tcpwitness::cli
