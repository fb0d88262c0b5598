// SPDX-License-Identifier: Apache-2.0
// summary.hpp: what a run comes to: a line for each group of connections, how they ended, and what was found.
//
// The sink adds lives up and prints at the end of the run. Three forms write the same Groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "sink/groups.hpp"
#include "sink/sinks.hpp"

namespace tcpwitness {

struct SummarySettings {
  GroupSettings groups;
  std::size_t top = 20;  // groups that are printed; text adds the others up
};

// Groups, and how long they were watched.
struct Added {
  const Groups& groups;
  std::size_t top = 0;
  std::int64_t watched_ns = 0;  // of a capture: from the first segment to the last
  std::uint64_t unlisted = 0;   // half-open connections that are in no group: they were too many
  // Of the whole run, per second; 0 where no time passed.
  [[nodiscard]] double per_second(std::uint64_t connections) const {
    return watched_ns <= 0 ? 0 : static_cast<double>(connections) * 1e9 / static_cast<double>(watched_ns);
  }
};

void write_summary_text(Output& output, const Added& added, const TextStyle& style);
// A line {"type":"group"} each.
void write_summary_json(Output& output, const Added& added);
// A header and a row each; every group, as a table is there to be computed with.
void write_summary_csv(Output& output, const Added& added);

enum class SummaryForm : std::uint8_t { text, json, csv };

// lines: gets Ready, gaps and the final Summary; with `and_lives` all other reports too. Null: nothing.
[[nodiscard]] std::unique_ptr<Sink> make_summary(Output& output, SummaryForm form, SummarySettings settings,
                                                 const TextStyle& style, std::unique_ptr<Sink> lines, bool and_lives);

}  // namespace tcpwitness
