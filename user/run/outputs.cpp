// SPDX-License-Identifier: Apache-2.0
#include "run/outputs.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "run/atomic_file.hpp"
#include "sink/filtered.hpp"
#include "sink/picture/picture.hpp"
#include "sink/summary.hpp"
#include "sink/views/compare.hpp"
#include "sink/wall_times.hpp"

namespace tcpwitness {

ReportSettings report_settings(const Options& options) {
  const bool entries = options.entries() || options.command == Command::top;
  if (options.command == Command::serve)
    return {.finding_reports = true, .open_findings = true, .reworded = false, .counted = true};
  return {.timeline = entries,
          .states = options.command == Command::record,
          .finding_reports = options.format == OutputFormat::json || entries || options.report_filter.any() ||
                             options.command == Command::record,
          .explain = entries,
          .compare = options.comparing(),
          .open_findings = options.report_filter.wants_findings_at_once() || options.command == Command::top};
}

namespace {

// Where it goes: stdout, but stderr where a command is run, whose stdout it is. -1: to a file (--append).
int output_descriptor(const Options& options) {
  if (!options.append.empty()) return -1;
  return options.program.empty() ? STDOUT_FILENO : STDERR_FILENO;
}

std::unique_ptr<Sink> make_lines(const Options& options, Output& output, const Names& names, bool wire_alone) {
  switch (options.format) {
    case OutputFormat::json:
      return options.stories() ? make_story_json(output, names, wire_alone) : make_json(output, names);
    case OutputFormat::csv:
      return with_wall_times(options.timeline() ? make_trace_csv(output, names, wire_alone) : make_life_csv(output),
                             names);
    case OutputFormat::text:
      break;
  }
  TextStyle style = style_of(output_descriptor(options));
  style.wire_alone = wire_alone;
  if (options.stories()) return make_story_text(output, names, style);
  if (options.timeline()) return make_trace_text(output, names, style);
  style.findings = options.report_filter.any();
  style.wide = options.wide;
  style.columns = options.columns;
  style.time_wait =
      std::ranges::find(options.report_filter.rules, Rule::time_wait) != options.report_filter.rules.end();
  return with_wall_times(make_life_text(output, style), names);
}

PictureSettings picture_settings(const Options& options, bool wire_alone) {
  PictureSettings settings;
  settings.ladder_alone = options.picture.ladder_alone();
  settings.wire_alone = wire_alone;
  settings.finished = name_what_is_beside;
  return settings;
}

}  // namespace

std::unique_ptr<Sink> make_sink(const Options& options, Output& output, const Names& names, bool wire_alone,
                                Containers* containers) {
  if (options.command == Command::picture) {
    return with_filter(make_picture(options.picture.fd, names, picture_settings(options, wire_alone)),
                       options.report_filter);
  }
  const bool alone = options.summary_alone() || options.comparing();
  const bool table = alone && options.format == OutputFormat::csv;
  std::unique_ptr<Sink> sink = table ? nullptr : make_lines(options, output, names, wire_alone);
  if (options.comparing()) {
    const auto form = static_cast<CompareForm>(options.format);
    TextStyle style = style_of(output_descriptor(options));
    style.screen = style.screen && options.program.empty();  // the command's own words stay
    sink = make_compare(output, form, options.summary.top, style, std::move(sink), options.every.has_value());
  } else if (alone || options.summary.after_lives) {
    SummarySettings settings{.groups = {}, .top = options.summary.top};
    if (!options.summary.by.empty()) settings.groups.by = options.summary.by;
    if (containers != nullptr) {
      settings.groups.container_of = [containers](const Process& process) {
        return containers->of(process.pid, process.comm);
      };
    }
    const auto form = static_cast<SummaryForm>(options.format);
    sink =
        make_summary(output, form, std::move(settings), style_of(output_descriptor(options)), std::move(sink), !alone);
  }
  if (options.drawing()) {
    auto picture = make_picture(options.picture.fd, names, picture_settings(options, wire_alone));
    sink = with_picture(std::move(sink), std::move(picture));
  }
  return with_filter(std::move(sink), options.report_filter);
}

}  // namespace tcpwitness
