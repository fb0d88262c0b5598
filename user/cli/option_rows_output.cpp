// SPDX-License-Identifier: Apache-2.0
// option_rows_output.cpp: what is printed, how, and how long.
#include "cli/option_rows.hpp"

namespace tcpwitness::cli::rows {
namespace {

std::string take_format(std::string_view text, Options& options) {
  if (options.command == picture) return put_text(text, options.picture.path, "a file");
  const Value<std::size_t> index = one_of(text, format_words());
  if (!index) return index.error();
  options.wide = format_words()[*index] == "wide";  // the table, with all columns
  options.format = options.wide ? OutputFormat::text : static_cast<OutputFormat>(*index);
  return "";
}

}  // namespace

std::vector<Option> output() {
  return {
      {"-o,--output",
       Kind::value,
       take_format,
       {{lives | Commands{read}, Group::output,
         "text, json (an object a line), csv, or wide: the table with all columns (default: text)", "FORMAT", "text",
         format_words},
        {{trace, summary, compare, ls},
         Group::output,
         "text, json (an object a line) or csv (default: text)",
         "FORMAT",
         "text",
         [] { return some_formats(3); }},
        {{picture}, Group::output, "what is written: a page (.html), or the ladders alone (.svg)", "FILE"},
        {{explain, doctor},
         Group::output,
         "text, or one JSON object a line (default: text)",
         "text|json",
         "text",
         [] { return some_formats(2); }}},
       Completes::words},
      {"--append",
       Kind::value,
       [](std::string_view text, Options& o) { return put_text(text, o.append, "a file"); },
       {{lives | Commands{trace, explain, summary, compare}, Group::output,
         "append what is printed to a file, which SIGHUP opens again (after a log rotation); a recording begins its "
         "next file "
         "then",
         "FILE"}},
       Completes::file,
       "is for what a live run prints: 'tcpwitness life --append FILE'"},
      {"--problems",
       Kind::flag,
       yes<&Options::report_filter, &ReportFilter::problems>,
       {{lives | Commands{trace, explain, top}, Group::output,
         "only connections that ended badly or have a finding other than time-wait; findings when they fire"},
        {{read, summary, compare, picture},
         Group::output,
         "only connections that ended badly or have a finding other than time-wait"},
        {{ls}, Group::output, "only sockets with a finding"}}},
      {"--finding",
       Kind::repeated,
       [](std::string_view text, Options& o) { return add(rules(text), o.report_filter.rules); },
       {{connections, Group::output, "only connections with one of these findings", "RULE[,RULE...]", "", rule_words},
        {{ls}, Group::output, "only sockets with one of these findings", "RULE[,RULE...]", "", rule_words}},
       Completes::list},
      {"--outcome",
       Kind::repeated,
       [](std::string_view text, Options& o) { return add(outcomes(text), o.report_filter.outcomes); },
       {{connections, Group::output, "only connections that ended so", "NAME[,NAME...]", "", outcome_words}},
       Completes::list},
      {"--slower-than",
       Kind::value,
       [](std::string_view text, Options& o) {
         const auto time = short_time(text);
         if (!time) return time.error();
         o.report_filter.slower_than_ns = time->count();
         return std::string();
       },
       {{connections, Group::output,
         "only connections that took longer to connect, or to the first byte of the answer: 200ms, 1.5s", "TIME"}}},
      {"--longer-than",
       Kind::value,
       [](std::string_view text, Options& o) {
         const auto time = period(text);
         if (!time) return time.error();
         o.report_filter.longer_than_ns = time->count();
         return std::string();
       },
       {{connections, Group::output, "only connections that lasted longer: 30s, 15m, 2h, 1d", "TIME"}}},
      {"--larger-than",
       Kind::value,
       [](std::string_view text, Options& o) { return put(amount(text), o.report_filter.larger_than); },
       {{connections, Group::output, "only connections that carried more bytes, both directions together: 64K, 10M, 1G",
         "SIZE"}}},
      {"--every",
       Kind::value,
       [](std::string_view text, Options& o) { return put(seconds(text), o.every); },
       {{{ls}, Group::output, "again and again, until Ctrl-C", "SECONDS"},
        {{compare}, Group::own, "print again and again, until Ctrl-C or -d", "SECONDS"},
        {{top}, Group::own, "look at open connections and draw so often (default: 1)", "SECONDS"}},
       Completes::nothing,
       "prints again and again: 'tcpwitness ls --every SECONDS', 'tcpwitness compare --every SECONDS'"},
      {"-d,--duration",
       Kind::value,
       [](std::string_view text, Options& o) { return put(seconds(text), o.duration); },
       {{live, Group::output, "stop after so long (default: at Ctrl-C)", "SECONDS"},
        {{ls}, Group::output, "with --every: stop after so long", "SECONDS"}},
       Completes::nothing,
       "",
       {{{read}, "ends live tracing; a file ends by itself, and --count sooner"}}},
      {"-c,--count",
       Kind::value,
       [](std::string_view text, Options& o) { return put(number(text, 1, 1'000'000'000'000), o.count); },
       {{connections, Group::output, "stop after so many connections", "COUNT"},
        {{ls}, Group::output, "with --every: stop after so many lists", "COUNT"}}},
      {"--stuck-after",
       Kind::value,
       [](std::string_view text, Options& o) { return put(seconds(text), o.stuck_after); },
       {{live, Group::output, "report CLOSE_WAIT older than SECONDS (default: 10)", "SECONDS"},
        {{ls}, Group::output, "report CLOSE_WAIT and FIN_WAIT2 older than SECONDS (default: 10)", "SECONDS"},
        {{read},
         Group::output,
         "recordings: report CLOSE_WAIT older than SECONDS (default: as when it was recorded)",
         "SECONDS"}}},
  };
}

}  // namespace tcpwitness::cli::rows
