// SPDX-License-Identifier: Apache-2.0
#include "run/file_output.hpp"

#include <unistd.h>

#include <utility>

#include "run/messages.hpp"
#include "run/outputs.hpp"

namespace tcpwitness {

FileOutput::FileOutput(const Options& options, StopSignal& stop, const CaptureFile& file, const Names& names,
                       bool wire_alone, Wanted wanted)
    : stop_(stop),
      wanted_(std::move(wanted)),
      output_(STDOUT_FILENO),
      delivery_(options.report_filter, options.count.value_or(0), output_,
                make_sink(options, output_, names, wire_alone)),
      progress_(file.bytes_total()),
      erases_for_lines_(!wire_alone || ::isatty(STDOUT_FILENO) == 1) {
  output_.stop_waiting_for(stop.fd());
}

void FileOutput::write() {
  if (waiting_.empty()) return;
  if (erases_for_lines_) progress_.erase();
  if (wanted_) return delivery_.write(waiting_, wanted_);
  delivery_.write(waiting_);
}

void FileOutput::deliver() {
  write();
  delivery_.flush();
}

void FileOutput::look_around(std::uint64_t bytes_read, std::uint64_t packets) {
  static_cast<void>(stop_.asked());
  const auto now = Delivery::Clock::now();
  progress_.at(bytes_read, packets, now);
  if (delivery_.due(now)) deliver();
}

int FileOutput::failed() const { return broken_output(output_.error()); }

}  // namespace tcpwitness
