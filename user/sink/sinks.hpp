// SPDX-License-Identifier: Apache-2.0
// sinks.hpp: the sinks there are, and how text is to look.
//
// A sink appends to an Output that outlives it and writes data only: what is for people beside the data
// (ready, summary, hints) is in describe.hpp and goes to stderr. Nothing here looks at the environment
// but style_of().
#pragma once

#include <memory>
#include <vector>

#include "sink/output.hpp"
#include "tcpwitness/pipeline.hpp"
#include "tcpwitness/report.hpp"
#include "values/life_column.hpp"

namespace tcpwitness {

struct TextStyle {
  bool colour = false;
  bool utf8 = false;      // arrows and marks beyond ASCII, and letters beyond ASCII in names
  unsigned width = 0;     // columns of the terminal; 0: not a terminal, nothing is dropped or wrapped
  bool clock = true;      // life: a column with the local time of the end
  bool findings = false;  // life: a line for a finding when it fires, of a connection that may still be open
  // A capture: no process is known and no kernel was seen, so there are no columns for them; events have the numbers
  // of frames.
  bool wire_alone = false;
  bool time_wait = false;             // life: the finding of this name is listed too
  int terminal = -1;                  // whose width may change; -1: it stays
  bool screen = false;                // it can be cleared: of what is printed again and again it shows the newest
  bool wide = false;                  // life: every column, however wide the terminal is
  std::vector<LifeColumn> columns{};  // life: these, in this order; empty: what fits
};

// What a stream and its environment look like. Null: the variable is not set.
struct Terminal {
  bool is_tty = false;
  unsigned columns = 0;
  const char* no_color = nullptr;
  const char* term = nullptr;
  const char* locale = nullptr;          // the first of LC_ALL, LC_CTYPE, LANG that is set and not empty
  const char* columns_wanted = nullptr;  // COLUMNS: laid out for so many where there is no terminal
};

// Colour only on a terminal, never with NO_COLOR (not empty) or TERM=dumb; UTF-8 only on a UTF-8 terminal.
[[nodiscard]] TextStyle choose_style(const Terminal& terminal);
// The same, asking the descriptor and the environment.
[[nodiscard]] TextStyle style_of(int fd);
// The width as it is now: people resize terminals.
[[nodiscard]] unsigned width_now(const TextStyle& style);

// NDJSON: every report is one object on one line.
[[nodiscard]] std::unique_ptr<Sink> make_json(Output& output, const Names& names);
// The same, but a life has its story, and the entries that it is made of are not reported.
[[nodiscard]] std::unique_ptr<Sink> make_story_json(Output& output, const Names& names, bool wire_alone);
// Tables with a header line, one row a connection or an entry of the timeline; gaps are rows too.
[[nodiscard]] std::unique_ptr<Sink> make_life_csv(Output& output);
[[nodiscard]] std::unique_ptr<Sink> make_trace_csv(Output& output, const Names& names, bool wire_alone);
// One line a connection; gaps too. Other reports are ignored.
[[nodiscard]] std::unique_ptr<Sink> make_life_text(Output& output, const TextStyle& style);
// The timeline: entries, findings, lives, gaps. Ready and Summary are ignored.
[[nodiscard]] std::unique_ptr<Sink> make_trace_text(Output& output, const Names& names, const TextStyle& style);

// Each connection when its life is reported: what happened to it, in sentences; and findings that fit none.
[[nodiscard]] std::unique_ptr<Sink> make_story_text(Output& output, const Names& names, const TextStyle& style);

}  // namespace tcpwitness
