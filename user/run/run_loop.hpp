// SPDX-License-Identifier: Apache-2.0
// run_loop.hpp: the one loop of a run, whether it follows what happens now (live_run.hpp), reads a file (read.cpp,
// replay.cpp) or plays one (top_file.cpp). Each defines what a turn is, and how it ends.
//
//   over? no -> turn -> over? ... yes -> finish -> write the summary -> exit code
#pragma once

#include "tcpwitness/report.hpp"

namespace tcpwitness {

class Run {
 public:
  virtual ~Run() = default;

  // No more is wanted: as many lives as were asked for are reported, nobody reads, or a signal came.
  [[nodiscard]] virtual bool over() const = 0;
  // Takes what comes next and reports what follows from it. False: that was all, or the run ends here.
  [[nodiscard]] virtual bool turn() = 0;
  // Nothing more is taken: reports what is left, as far as it is wanted, and adds up.
  [[nodiscard]] virtual Summary finish() = 0;
  // The last report. False: the output has failed, now or before.
  [[nodiscard]] virtual bool write(Summary& summary) = 0;

  // Both print to stderr, and return the exit code.
  [[nodiscard]] virtual int failed() const = 0;  // the output did
  [[nodiscard]] virtual int ended(const Summary& summary) const = 0;
};

[[nodiscard]] inline int run_to_end(Run& run) {
  while (!run.over() && run.turn()) {
  }
  Summary summary = run.finish();
  return run.write(summary) ? run.ended(summary) : run.failed();
}

}  // namespace tcpwitness
