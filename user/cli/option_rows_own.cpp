// SPDX-License-Identifier: Apache-2.0
// option_rows_own.cpp: what only one command or a few have.
#include "cli/option_rows.hpp"

namespace tcpwitness::cli::rows {
namespace {

std::string take_name(std::string_view text, Options& options) {
  options.doctor.findings = true;
  if (text.empty()) return "";
  const Value<std::size_t> index = one_of(text, catalogue_words());
  if (!index) return index.error();
  options.doctor.name = text;
  return "";
}

std::string take_summary(std::string_view /*text*/, Options& options) {
  (options.command == read ? options.read.summary : options.summary.after_lives) = true;
  return "";
}

// What was there is the default.
std::string take_labels(std::string_view text, Options& options) {
  options.serve.labels.clear();
  return add(metric_labels(text), options.serve.labels);
}

}  // namespace

std::vector<Option> own() {
  constexpr const char* packets =
      "segments to show (default: events): those that open, close, reset, retransmit, "
      "probe or stop a connection, or all";
  return {
      {"--trace",
       Kind::flag,
       yes<&Options::read, &ReadOptions::trace>,
       {{{read}, Group::own, "the timeline of every connection, not one line"}},
       Completes::nothing,
       "belongs to 'tcpwitness read --trace FILE'; live, the command is 'trace'"},
      {"--explain",
       Kind::flag,
       yes<&Options::read, &ReadOptions::explain>,
       {{{read}, Group::own, "every connection in plain sentences"}},
       Completes::nothing,
       "belongs to 'tcpwitness read --explain FILE'; live, the command is 'explain'"},
      {"--compare",
       Kind::flag,
       yes<&Options::read, &ReadOptions::compare>,
       {{{read}, Group::own, "kernel beside wire, added up, and why they differ"}},
       Completes::nothing,
       "belongs to 'tcpwitness read --compare FILE'; live, the command is 'compare'"},
      {"--packets",
       Kind::value,
       [](std::string_view text, Options& o) {
         const Value<std::size_t> index = one_of(text, packets_words());
         o.packets_all = index && *index == 1;
         return index ? "" : index.error();
       },
       {{{trace}, Group::own, packets, "events|all", "events", packets_words},
        {{picture},
         Group::own,
         "segments to draw (default: all), or those that open, close, reset, retransmit, probe or stop a connection",
         "events|all",
         "",
         packets_words},
        {{read},
         Group::own,
         "with --trace: segments to show (default: events): those that open, close, reset, retransmit, probe or stop a "
         "connection, or all",
         "events|all",
         "events",
         packets_words},
        {{record},
         Group::own,
         "segments to keep (default: events): those that open, close, reset, retransmit, probe or stop a connection, "
         "or "
         "all",
         "events|all",
         "events",
         packets_words}},
       Completes::words,
       "belongs to the timeline: 'tcpwitness trace --packets all'",
       {{{explain}, "belongs to the timeline, 'tcpwitness trace --packets all': a story sums ordinary segments up"}}},
      {"--picture",
       Kind::value,
       [](std::string_view text, Options& o) {
         o.packets_all = true;
         return put_text(text, o.picture.path, "a file");
       },
       {{{explain}, Group::own, "and draw it: a page (.html), or the ladder alone (.svg)", "FILE"}},
       Completes::file,
       "belongs to 'tcpwitness explain'; 'tcpwitness picture' draws without the words"},
      {"-w,--write",
       Kind::value,
       [](std::string_view text, Options& o) { return put_text(text, o.record.path, "a file"); },
       {{{record},
         Group::own,
         "the file, replaced if it exists; '-': standard output, and no connections are printed. %Y, %m, %d, %H, %M "
         "and %S "
         "are the time (UTC) at which it is begun",
         "FILE"}},
       Completes::file,
       of_recording},
      {"--snaplen",
       Kind::value,
       [](std::string_view text, Options& o) { return put(number(text, snaplen_min, snaplen_max), o.record.snaplen); },
       {{{record}, Group::own, "kept of each segment, headers included, 64 to 1024 (default: 128)", "BYTES", "128"}},
       Completes::nothing,
       of_recording},
      {"--rotate-size",
       Kind::value,
       [](std::string_view text, Options& o) { return put(rotate_size(text), o.record.rotate_bytes); },
       {{{record}, Group::own, "begin a new file after so many bytes, 64K to 1T", "SIZE"}},
       Completes::nothing,
       of_recording},
      {"--rotate-every",
       Kind::value,
       [](std::string_view text, Options& o) { return put(period(text), o.record.rotate_every); },
       {{{record}, Group::own, "begin a new file after so long: 30s, 15m, 2h, 1d", "TIME"}},
       Completes::nothing,
       of_recording},
      {"--keep",
       Kind::value,
       [](std::string_view text, Options& o) { return put(number(text, 1, 1'000'000), o.record.keep); },
       {{{record}, Group::own, "keep only the newest N of these files", "N"}},
       Completes::nothing,
       of_recording},
      {"--max-total",
       Kind::value,
       [](std::string_view text, Options& o) { return put(rotate_size(text), o.record.total_bytes); },
       {{{record}, Group::own, "of all these files together, earlier runs' too: the oldest are removed", "SIZE"}},
       Completes::nothing,
       of_recording},
      {"--max-age",
       Kind::value,
       [](std::string_view text, Options& o) { return put(period(text), o.record.longest); },
       {{{record}, Group::own, "remove these files so long after their last event, earlier runs' too", "TIME"}},
       Completes::nothing,
       of_recording},
      {"--flight-recorder",
       Kind::value,
       [](std::string_view text, Options& o) { return put(seconds(text), o.record.flight); },
       {{{record}, Group::own, "keep the last seconds in memory, and write them only when a finding fires", "SECONDS"}},
       Completes::nothing,
       of_recording},
      {"--on",
       Kind::repeated,
       [](std::string_view text, Options& o) { return add(rules(text), o.record.on); },
       {{{record},
         Group::own,
         "these findings (default: all but time-wait): {words}",
         "RULE[,RULE...]",
         "",
         rule_words}},
       Completes::list,
       of_recording},
      {"--columns",
       Kind::repeated,
       [](std::string_view text, Options& o) { return add(life_columns(text), o.columns); },
       {{{life},
         Group::own,
         "only these columns, in this order: time, pid, comm, local, role, remote, tx, rx, duration, connect, srtt, "
         "retrans, src, closed-by, outcome, findings; phases: accept, request, request-ack, first-byte, server, "
         "waiting, "
         "transfer, stalled, idle, closing",
         "NAME[,NAME...]",
         "",
         column_words},
        {{read},
         Group::own,
         "only these columns, in this order: stream, start, local, role, remote, tx, rx, duration, connect, retrans, "
         "closed-by, outcome, zeek, findings; phases: accept, request, request-ack, first-byte, server, waiting, "
         "transfer, "
         "stalled, idle, closing",
         "NAME[,NAME...]",
         "",
         column_words},
        {{record},
         Group::own,
         "of the table, in this order: see 'tcpwitness life --help'",
         "NAME[,NAME...]",
         "",
         column_words}},
       Completes::list,
       "is for the table of connections: 'tcpwitness life', 'tcpwitness read FILE'"},
      {"--summary",
       Kind::flag,
       take_summary,
       {{{life}, Group::own, "at the end, connections added up"},
        {{read}, Group::own, "connections added up, not one line each"}},
       Completes::nothing,
       of_summary},
      {"--by",
       Kind::repeated,
       [](std::string_view text, Options& o) { return add(group_keys(text), o.summary.by); },
       {{{life, read}, Group::own, "with --summary: by {words} (default: comm)", "KEY[,KEY...]", "", group_key_words},
        {{summary}, Group::own, "by {words} (default: comm)", "KEY[,KEY...]", "", group_key_words}},
       Completes::list,
       of_summary},
      {"--top",
       Kind::value,
       [](std::string_view text, Options& o) { return put(number(text, 1, 1'000'000), o.summary.top); },
       {{{life, read}, Group::own, "with --summary: so many groups (default: 20)", "N", "20"},
        {{summary}, Group::own, "print so many groups (default: 20)", "N", "20"},
        {{compare}, Group::own, "list so many connections that differ (default: 20)", "N", "20"}},
       Completes::nothing,
       of_summary},
      {"--listen",
       Kind::value,
       [](std::string_view text, Options& o) { return put(endpoint(text), o.serve.listen); },
       {{{serve},
         Group::own,
         "listen here (default: 127.0.0.1:9435); port 0: any that is free. There is no authentication",
         "ADDR:PORT",
         "127.0.0.1:9435"}},
       Completes::nothing,
       of_metrics},
      {"--labels",
       Kind::value,
       take_labels,
       {{{serve},
         Group::own,
         "split metrics by listener (port), process (name), remote (/24 or /48) and role, or none (default: "
         "process)",
         "LABEL[,LABEL...]",
         "process",
         metric_label_words}},
       Completes::list,
       of_metrics},
      {"--label-limit",
       Kind::value,
       [](std::string_view text, Options& o) { return put(number(text, 1, 1000), o.serve.label_limit); },
       {{{serve}, Group::own, "so many values of each label, all others are 'other' (default: 100)", "N", "100"}},
       Completes::nothing,
       of_metrics},
      {"--speed",
       Kind::value,
       [](std::string_view text, Options& o) { return put(speed(text), o.top.speed); },
       {{{top}, Group::own, "of a file: so many times as fast as it was, 0.1 to 1000 (default: 1)", "FACTOR"}},
       Completes::nothing,
       "belongs to a file that is played: 'tcpwitness top FILE --speed 10'"},
      {"-q,--quiet",
       Kind::flag,
       yes<&Options::record, &RecordOptions::quiet>,
       {{{record}, Group::own, "print no connections, only record"}},
       Completes::nothing,
       of_recording},
      {"--findings",
       Kind::maybe_name,
       take_name,
       {{{doctor}, Group::own, "the catalogue of outcomes and findings, or one entry", "[NAME]", "", catalogue_words}},
       Completes::words,
       "belongs to the doctor: 'tcpwitness doctor --findings [NAME]'"},
      {"--install",
       Kind::flag,
       yes<&Options::wireshark, &WiresharkOptions::install>,
       {{{wireshark}, Group::own, "into this user's directories of Wireshark and tshark; again: bring up to date"}},
       Completes::nothing,
       "belongs to 'tcpwitness wireshark --install'"},
      {"--uninstall",
       Kind::flag,
       yes<&Options::wireshark, &WiresharkOptions::uninstall>,
       {{{wireshark}, Group::own, "remove them again; what has been changed since stays"}},
       Completes::nothing,
       "belongs to 'tcpwitness wireshark --uninstall'"},
  };
}

}  // namespace tcpwitness::cli::rows
