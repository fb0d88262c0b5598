// SPDX-License-Identifier: Apache-2.0
// common.hpp: what the composition roots share: the outside of a run (errors, clock, signals) and its sink.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "cli/options.hpp"
#include "run/containers.hpp"
#include "service/journal_stream.hpp"
#include "sink/sinks.hpp"
#include "tcpwitness/pipeline.hpp"
#include "tcpwitness/report.hpp"
#include "tcpwitness/result.hpp"
#include "values/run_clock.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

// A line for a person on stderr, wrapped where that is a terminal, with its priority where it is the journal. Waits a
// moment at most: where nobody reads it, it is lost.
void say(std::string_view text, Priority priority = Priority::information);
// As long as this is not null, it takes what is to be said: there is a screen on the terminal.
void say_through(std::function<void(std::string_view)> take);

// Says it on stderr and returns exit code 1.
[[nodiscard]] int fail(const Error& error);
// Of what was asked for: exit code 2.
[[nodiscard]] int refuse(const Error& error);

// The same of standard output, with the errno of Output::error(). A reader that closed its pipe is no failure.
[[nodiscard]] int broken_output(int error);

// CLOCK_REALTIME.
[[nodiscard]] TimeNs realtime_ns();
// CLOCK_MONOTONIC, CLOCK_BOOTTIME and CLOCK_REALTIME at the same moment.
[[nodiscard]] RunClock::Reading read_clocks();

// SIGINT, SIGTERM and SIGHUP as a descriptor; a closed pipe as an error of write().
[[nodiscard]] Result<UniqueFd> take_signals();

// Takes the signals that have come. True: SIGHUP, and no other.
[[nodiscard]] bool take_hangups(int signals);
// There is a terminal, whose end SIGHUP means.
[[nodiscard]] bool has_terminal();

// From now on such a signal ends the process at once, whatever it waits for. (One that comes together with the first is
// the same: a terminal and sudo both pass it on.)
void end_at_next_signal(int signals);

// The lives of a run: all, and those of them that the options choose. --count is of the latter.
class Lives {
 public:
  explicit Lives(const Choice& choice) : choice_(choice) {}
  void add(const Report& report) {
    const auto* life = std::get_if<Life>(&report);
    if (life == nullptr) return;
    ++all_;
    if (choice_.wants(*life)) ++chosen_;
  }
  [[nodiscard]] std::uint64_t all() const { return all_; }
  [[nodiscard]] std::uint64_t chosen() const { return chosen_; }
  void sum_up(Summary& summary) const {
    summary.connections = all_;
    if (choice_.any()) summary.chosen = chosen_;
  }

 private:
  const Choice& choice_;
  std::uint64_t all_ = 0;
  std::uint64_t chosen_ = 0;
};

// The reports that what the options ask for is made of.
[[nodiscard]] ReportSettings report_settings(const Options& options);

// What the options ask for, on stdout. wire_alone: a capture; nothing is known of processes and the kernel. containers:
// for --by container.
[[nodiscard]] std::unique_ptr<Sink> make_sink(const Options& options, Output& output, const Names& names,
                                              bool wire_alone = false, Containers* containers = nullptr);

// Where it goes: stdout, but stderr where a command is run, whose stdout it is. -1: to a file (--append).
[[nodiscard]] int output_descriptor(const Options& options);

}  // namespace tcpwitness
