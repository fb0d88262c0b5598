// SPDX-License-Identifier: Apache-2.0
// option_table.cpp: the options; see option_table.hpp.
#include "cli/option_table.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "cli/values.hpp"

namespace tcpwitness::cli {
namespace {

using enum Command;

constexpr Commands lives{life, record};  // live, a table of connections
constexpr Commands printed{life, trace, explain, summary, compare, picture};
constexpr Commands followed = printed | Commands{serve};
constexpr Commands viewed = followed | Commands{top};
constexpr Commands live = viewed | Commands{record};                     // hooks are attached
constexpr Commands connections = printed | Commands{top, record, read};  // one by one
constexpr Commands sockets = live | Commands{read, ls};
constexpr Commands all = sockets | Commands{doctor, wireshark};

constexpr const char* of_recording = "belongs to a recording: 'tcpwitness record -w FILE'";
constexpr const char* of_summary = "belongs to a summary: 'tcpwitness summary', or life and read with --summary";
constexpr const char* of_metrics = "belongs to metrics: 'tcpwitness serve'";
constexpr const char* not_of_recording =
    "is not for a recording, which is of all processes: give it to life, trace, explain or summary";

// ---- Where values go ----

template <typename T, typename To>
std::string put(Value<T> value, To& to) {
  if (!value) return value.error();
  if constexpr (std::is_arithmetic_v<To>) {
    to = static_cast<To>(*value);
  } else {
    to = *std::move(value);
  }
  return "";
}

template <typename T>
void add_new(std::vector<T>& list, T value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(std::move(value));
}

// Each value of a list once.
template <typename T>
std::string add(Value<std::vector<T>> values, std::vector<T>& to) {
  if (!values) return values.error();
  for (T& value : *values) add_new(to, std::move(value));
  return "";
}

std::string put_text(std::string_view text, std::string& to, const char* what_it_is_not) {
  if (text.empty()) return fmt::format("'' is not {}", what_it_is_not);
  to = text;
  return "";
}

std::string take_format(std::string_view text, Options& options) {
  if (options.command == picture) return put_text(text, options.picture.path, "a file");
  const Value<std::size_t> index = one_of(text, format_words());
  if (!index) return index.error();
  options.wide = format_words()[*index] == "wide";  // the table, with all columns
  options.format = options.wide ? OutputFormat::text : static_cast<OutputFormat>(*index);
  return "";
}

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

template <auto Member>
std::string yes(std::string_view /*text*/, Options& options) {
  std::invoke(Member, options) = true;
  return "";
}
template <auto Part, auto Member>
std::string yes(std::string_view /*text*/, Options& options) {
  std::invoke(Member, std::invoke(Part, options)) = true;
  return "";
}

// ---- The table ----

std::vector<Option> selection() {
  return {
      {"FILE",
       Kind::word,
       nullptr,
       {{{read}, Group::selection, "a file, or '-' for standard input"},
        {{picture}, Group::selection, "a capture or a recording, or '-' for standard input; without it, live"},
        {{top},
         Group::selection,
         "a recording or a capture, played as it was: where the first word is the name of a file"}},
       Completes::file},
      {"-i,--interface",
       Kind::repeated,
       [](std::string_view text, Options& o) {
         auto name = interface(text);
         if (!name) return name.error();
         add_new(o.interfaces, *std::move(name));
         return std::string();
       },
       {{live | Commands{doctor}, Group::selection, "see packets of this interface only (default: all up); repeatable",
         "IFACE"}},
       Completes::interface},
      {"-p,--pid",
       Kind::value,
       [](std::string_view text, Options& o) { return put(number(text, 1, pid_max), o.pid); },
       {{viewed, Group::selection, "only connections of this process", "PID"},
        {{record}, Group::selection, "print only connections of this process", "PID"},
        {{ls}, Group::selection, "only sockets of this process", "PID"},
        {{read}, Group::selection, "recordings: only connections of this process", "PID"}},
       Completes::pid},
      {"--children",
       Kind::flag,
       yes<&Options::children>,
       {{viewed | Commands{ls}, Group::selection, "with --pid: and of its descendants (workers)"}},
       Completes::nothing,
       "",
       {{{record}, not_of_recording}}},
      {"--uid",
       Kind::value,
       [](std::string_view text, Options& o) {
         return put_text(text, o.user, "a user: a number, or a name as in 'getent passwd'");
       },
       {{viewed, Group::selection, "only connections of processes of this user", "UID|NAME"},
        {{ls}, Group::selection, "only sockets of processes of this user", "UID|NAME"}},
       Completes::user,
       "",
       {{{record}, not_of_recording}}},
      {"--comm",
       Kind::value,
       [](std::string_view text, Options& o) { return put(comm(text), o.comm); },
       {{viewed, Group::selection, "only connections of processes of this name", "NAME"},
        {{record}, Group::selection, "print only connections of processes of this name", "NAME"},
        {{ls}, Group::selection, "only sockets of processes of this name", "NAME"},
        {{read}, Group::selection, "recordings: only those of processes of this name", "NAME"}},
       Completes::comm},
      {"--port",
       Kind::repeated,
       [](std::string_view text, Options& o) { return add(ports(text), o.ports); },
       {{viewed | Commands{record, ls}, Group::selection, "only these ports, at either end; repeatable", "PORT[-PORT]"},
        {{read},
         Group::selection,
         "only connections with one of these ports at either end; repeatable",
         "PORT[-PORT]"}}},
      {"--host",
       Kind::repeated,
       [](std::string_view text, Options& o) {
         auto prefix = host(text);
         if (!prefix) return prefix.error();
         o.hosts.push_back(*prefix);
         return std::string();
       },
       {{live | Commands{ls}, Group::selection, "only this address or network, at either end; repeatable",
         "ADDR[/BITS]"},
        {{read},
         Group::selection,
         "only connections with this address or network at either end; repeatable",
         "ADDR[/BITS]"}}},
      {"--netns",
       Kind::value,
       [](std::string_view text, Options& o) {
         return put_text(text, o.netns, "a namespace: a name as in 'ip netns', or a path");
       },
       {{live | Commands{ls, doctor}, Group::selection, "in this network namespace (default: current)", "PATH|NAME"}},
       Completes::netns},
      {"EXPRESSION",
       Kind::word,
       nullptr,
       {{viewed, Group::selection,
         "only connections that match, see 'man pcap-filter': addresses, networks, ports, with and, or, not. Ports "
         "and networks alone are matched in the kernel; anything else is applied to what is shown, and costs as much "
         "as "
         "no filter"},
        {{record},
         Group::selection,
         "only these ports and networks, as in 'tcp port 443 and net 10/8', see 'man pcap-filter': they are "
         "matched in the kernel"},
        {{ls}, Group::selection, "only what matches, see 'man pcap-filter'"},
        {{read}, Group::selection, "for each frame, see 'man pcap-filter'; quote it where the shell needs that"}}},
      {"--filter",
       Kind::value,
       [](std::string_view text, Options& o) {
         return put_text(text, o.read.filter, "an expression: 'tcp port 80 and host 192.0.2.1', say");
       },
       {{{read}, Group::selection, "the same as an option", "EXPRESSION"}},
       Completes::nothing,
       "selects from a file: 'tcpwitness read FILE --filter EXPRESSION'; live, --port and --host select"},
      {"-- COMMAND [ARGUMENT...]",
       Kind::word,
       nullptr,
       {{printed, Group::selection,
         "run a command, follow it and its children, end with it and return its exit code; what is reported goes to "
         "stderr, and stdout is the command's own"},
        {{record},
         Group::selection,
         "run a command, record all that happens meanwhile (not only its own), end with it and return its exit code"}}},
  };
}

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
       {{printed | Commands{top, record}, Group::output,
         "only connections that ended badly or have a finding other than time-wait; findings when they fire"},
        {{read}, Group::output, "only connections that ended badly or have a finding other than time-wait"},
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

std::vector<Option> capture() {
  return {
      {"--wire",
       Kind::value,
       [](std::string_view text, Options& o) { return put(wire(text), o.wire); },
       {{live, Group::capture,
         "auto, xdp, xdp-native, xdp-generic, tc or none (default: auto, which slows no interface)", "MODE", "auto",
         wire_words}},
       Completes::words},
      {"--kernel",
       Kind::value,
       [](std::string_view text, Options& o) {
         const Value<std::size_t> index = one_of(text, on_off_words());
         o.kernel = index && *index == 0;
         return index ? "" : index.error();
       },
       {{live, Group::capture, "attach to the kernel's tracepoints (default: on)", "on|off", "on", on_off_words}},
       Completes::words},
      {"--forwarded",
       Kind::flag,
       yes<&Options::forwarded>,
       {{live, Group::capture,
         "also connections that this machine forwards (router, bridge, NAT gateway): two hops, packets only"}}},
      {"--ring-size",
       Kind::value,
       [](std::string_view text, Options& o) {
         return put(ring_size(text, static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))), o.ring_bytes);
       },
       {{live, Group::capture, "of the ring buffer: a power of two, 64K to 1G (default: 8M)", "SIZE", "8M"}}},
      {"--sample",
       Kind::value,
       [](std::string_view text, Options& o) {
         if (text == "off") return put(Value<std::chrono::nanoseconds>(std::chrono::nanoseconds(0)), o.sample);
         return put(short_time(text), o.sample);
       },
       {{{record, picture},
         Group::capture,
         "how often to sample open connections (cwnd, RTT and more, as ss -i): 50ms, 1s or off (default: 100ms; never "
         "more than 1 % of a core)",
         "TIME"},
        {{trace, explain},
         Group::capture,
         "with '-o json': sample open connections (cwnd, RTT and more, as ss -i) this often: 100ms, 1s (default: off)",
         "TIME"}},
       Completes::nothing,
       "is for the events of a connection: 'tcpwitness trace', 'record', 'picture'"},
      {"--flows",
       Kind::value,
       [](std::string_view text, Options& o) { return put(number(text, flows_min, flows_max), o.flows); },
       {{live, Group::capture, "flow-map capacity (default: 65536)", "N", "65536"}}},
  };
}

std::vector<Option> general() {
  return {
      {"--config",
       Kind::value,
       nullptr,
       {{all, Group::general,
         "read options from a file: 'port = 443', 'problems = true', a line each, named as here; the command line "
         "takes "
         "precedence",
         "FILE"}},
       Completes::file},
      {"-h,--help", Kind::flag, nullptr, {{all, Group::general, "this page"}}},
      {"--version", Kind::flag, nullptr, {{all, Group::general, "the version"}}},
  };
}

std::vector<Option> make_table() {
  std::vector<Option> table;
  for (auto part : {selection, own, output, capture, general}) std::ranges::move(part(), std::back_inserter(table));
  return table;
}

// The long names of the options that a command takes, but for --help and --version.
std::string taken_by(Command command) {
  std::vector<std::string_view> names;
  for (const Option& option : option_table()) {
    const Usage* usage = option.usage(command);
    if (usage != nullptr && !option.is_word() && usage->group != Group::general) names.push_back(option.long_name());
  }
  const std::string_view last = names.back();
  names.pop_back();
  return fmt::format("{} and {}", fmt::join(names, ", "), last);
}

}  // namespace

std::string_view Option::long_name() const {
  const std::string_view all_names(names);
  return is_word() ? all_names : all_names.substr(all_names.find("--"));
}

std::string_view Option::short_name() const {
  const std::string_view all_names(names);
  return is_word() || all_names.starts_with("--") ? "" : all_names.substr(0, 2);
}

const Usage* Option::usage(Command command) const {
  const auto has = [&](const Usage& usage) { return usage.commands.has(command); };
  const auto found = std::ranges::find_if(usages, has);
  return found == usages.end() ? nullptr : &*found;
}

std::span<const Option> option_table() {
  static const std::vector<Option> table = make_table();
  return table;
}

std::string why_not(const Option& option, Command command) {
  if (option.usage(command) != nullptr) return "";
  const std::string_view name = option.long_name();
  for (const Refusal& refusal : option.refusals) {
    if (refusal.commands.has(command)) return fmt::format("{} {}", name, refusal.why);
  }
  if (command == doctor) {
    return fmt::format("{} is for connections, and the doctor looks at the machine: it takes {}", name,
                       taken_by(doctor));
  }
  if (command == wireshark) return fmt::format("{} is for connections: wireshark takes {}", name, taken_by(wireshark));
  if (command == ls) {
    return fmt::format("{} is for connections that are followed, and ls looks at them once: it takes {}", name,
                       taken_by(ls));
  }
  if (command == serve && *option.belongs == '\0') {
    return fmt::format("{} is for connections one by one, and serve gives metrics of all: it takes {}", name,
                       taken_by(serve));
  }
  if (command == top && *option.belongs == '\0')
    return fmt::format("{} is for what is printed, and top draws: it takes {}", name, taken_by(top));
  if (*option.belongs != '\0') return fmt::format("{} {}", name, option.belongs);
  return fmt::format("{} is for live tracing; to select from a file: --port, --host or an expression", name);
}

}  // namespace tcpwitness::cli
