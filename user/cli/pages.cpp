// SPDX-License-Identifier: Apache-2.0
#include "cli/pages.hpp"

namespace tcpwitness::cli {
namespace {

constexpr const char* live_ending =
    "Ctrl-C stops, lists open connections and exits with 0. A failure exits with 1, a usage error with 2. Data goes to "
    "stdout, all else to stderr.";

std::vector<Section> sections(const char* own) {
  return {{own, {Group::own}},
          {"Selection options", {Group::selection}},
          {"Output options", {Group::output}},
          {"Capture options", {Group::capture}}};
}

Page life_page() {
  return {Command::life,
          "life",
          "[life] [OPTIONS]",
          "one line for every connection, when it ends",
          "one line for every connection, when it ends. This is the command when none is given.",
          {"[life] [OPTIONS] [EXPRESSION] [-- COMMAND]"},
          {{"sudo tcpwitness", "every connection of this machine"},
           {"sudo tcpwitness -p 4242", "those of one process"},
           {"sudo tcpwitness -p 4242 --children", "those of nginx's master and its workers"},
           {"sudo tcpwitness 'tcp and not port 22'", "a pcap-filter expression"},
           {"sudo tcpwitness --host 10.0.0.0/8 --port 5432,6432 -c 100", "the next 100 of a database, then stop"},
           {"sudo tcpwitness -o json -d 10 >lives.ndjson", ""},
           {"sudo tcpwitness --problems", "only what went wrong, when it does"},
           {"sudo tcpwitness --summary -d 60", "and at the end what they come to"}},
          {},
          sections("Life options"),
          live_ending};
}

Page trace_page() {
  return {Command::trace,
          "trace",
          "trace [OPTIONS]",
          "the timeline: segments, state transitions, and what caused each",
          "a timeline of every connection. Kernel events and segments are interleaved and numbered, sequence numbers "
          "are relative, and each transition names its cause.",
          {"trace [OPTIONS] [EXPRESSION] [-- COMMAND]"},
          {{"sudo tcpwitness trace --port 8080", "every event on one port"},
           {"sudo tcpwitness trace --comm curl --packets all", "all of curl's segments, ordinary data too"},
           {"sudo tcpwitness trace -i eth0 --host 192.0.2.7 -o json", ""}},
          {},
          sections("Trace options"),
          live_ending};
}

Page explain_page() {
  return {
      Command::explain,
      "explain",
      "explain [OPTIONS]",
      "every connection in plain sentences",
      "every connection in plain sentences, printed when it ends (or the run does): who connected where, what was "
      "lost and retransmitted and why, who closed or reset it, and how it ended.",
      {"explain [OPTIONS] [EXPRESSION] [-- COMMAND]"},
      {{"sudo tcpwitness explain -- curl URL", "run curl, and say what happened"},
       {"sudo tcpwitness explain --comm curl", "what happens to curl's connections"},
       {"sudo tcpwitness explain --port 5432 -c 1", "the next one of a database, then stop"},
       {"sudo tcpwitness explain --host 192.0.2.7 -o json | jq -r '.story[]?.text'", ""}},
      {"At most 60 sentences are printed of a connection, the first 40 and the last 20; what is left out is counted. "
       "'-o json' has an object for each connection with its \"explanation\" and its \"story\"; csv has neither."},
      sections("Explain options"),
      live_ending};
}

Page summary_page() {
  return {Command::summary,
          "summary",
          "summary [OPTIONS]",
          "added up by process, address, listener or outcome, when the run ends",
          "connections added up, printed when the run ends: how many, bytes, retransmissions each way, how long they "
          "took to connect and how long they lived, how they ended and what was found.",
          {"summary [OPTIONS] [EXPRESSION] [-- COMMAND]"},
          {{"sudo tcpwitness summary -d 60", "one minute, by process"},
           {"sudo tcpwitness summary --by listener,remote --port 5432", "who uses the database, and how long"},
           {"sudo tcpwitness summary --by outcome -o json -d 10", ""},
           {"tcpwitness read --summary dump.pcap", "the same of a capture"}},
          {"A container is the cgroup of the process (docker:0123456789ab, nginx.service), looked up when it is first "
           "seen; "
           "unknown where it was gone by then.",
           "BAD counts connections that ended badly or have a finding other than time-wait. RETR% is of the segments "
           "sent, and of those received. Times are the median, the 95th and the 99th percentile, at most "
           "0.8 % wrong."},
          sections("Summary options"),
          live_ending};
}

Page compare_page() {
  return {
      Command::compare,
      "compare",
      "compare [OPTIONS]",
      "what the kernel counted beside what the interface carried, and why they differ",
      "what the kernel counted beside what the interface carried: payload bytes, segments and retransmissions each "
      "way, and where each difference went: dropped before TCP, refused by it, never left, sent again. Handshake "
      "and round-trip times of both, and how long segments took to reach TCP and the process. Printed when the run "
      "ends, for all connections together; with --every again and again, with the connections that go on.",
      {"compare [OPTIONS] [EXPRESSION] [-- COMMAND]"},
      {{"sudo tcpwitness compare --comm curl -c 1", "the next connection of curl"},
       {"sudo tcpwitness compare --port 443 -d 60", "one minute of HTTPS, added up"},
       {"sudo tcpwitness compare --every 5", "the totals so far, every 5 seconds"},
       {"sudo tcpwitness compare -o json | jq 'select(.type == \"comparison\")'", "each connection by itself"},
       {"tcpwitness read --compare rec.pcapng", "the same of a recording"}},
      {"Both count wire segments: a buffer of GSO or GRO counts as the segments in it, so these are no difference. A "
       "number with a sign is the wire's count minus the kernel's. SYN and SYN-ACK are the listener's, and what is "
       "sent in TIME_WAIT is counted by no socket: both are usual. What was open before is counted from the "
       "start on. A connection is not compared where one side's counts are not whole: events lost, packets only."},
      sections("Compare options"),
      live_ending};
}

Page picture_page() {
  return {
      Command::picture,
      "picture",
      "picture -o FILE.html",
      "a page for the browser: ladder diagram, sequence graph, index",
      "draws connections, live or from a capture or a recording: one page that needs no network, with a ladder diagram "
      "of "
      "each connection (process, kernel, wire, peer), a time-sequence graph with the kernel's cause of each "
      "retransmission, and a timeline of all of them. A path that ends in .svg gets the ladders alone, for documents.",
      {"picture -o FILE.html [OPTIONS] [EXPRESSION] [-- COMMAND]", "picture -o FILE.html [OPTIONS] FILE [EXPRESSION]"},
      {{"sudo tcpwitness picture -o out.html -d 10 --port 443", "ten seconds of HTTPS"},
       {"sudo tcpwitness picture -o out.html -- curl URL", "what a command's connections do"},
       {"tcpwitness picture dump.pcap -o out.html", "what is in a capture"},
       {"tcpwitness picture rec.pcapng --problems -o out.svg", "ladders of what went wrong, for a ticket"}},
      {"The first word is a file where one of that name exists, or where it ends as captures do (.pcap, .pcapng, .cap, "
       ".gz, .zst). All events of at most 20,000 connections and 200,000 events are drawn; what is left out is "
       "counted."},
      sections("Picture options"),
      "Ctrl-C stops, and draws what there is. A failure exits with 1, a usage error with 2."};
}

Page serve_page() {
  return {Command::serve,
          "serve",
          "serve [OPTIONS]",
          "metrics for Prometheus: outcomes, findings, times, bytes, drops",
          "metrics of all connections for Prometheus, at http://127.0.0.1:9435/metrics: how connections end, findings, "
          "who sent resets, how long it took to connect and to answer, bytes, segments and retransmissions each way, "
          "drops by reason, what is open, and what this program costs and loses.",
          {"serve [OPTIONS] [EXPRESSION]"},
          {{"sudo tcpwitness serve", "on 127.0.0.1:9435, by process"},
           {"sudo tcpwitness serve --labels listener --port 443,8443", "two services, by port"},
           {"sudo tcpwitness serve 'not port 9435'", "without the scraping itself"},
           {"sudo tcpwitness serve --listen '[::1]:9100' --labels none", ""},
           {"curl -s http://127.0.0.1:9435/metrics", "the metrics"}},
          {"metrics.md in /usr/share/doc/tcpwitness (docs/ of the source) describes each metric, and grafana.json "
           "there is a dashboard. A label has "
           "at most --label-limit values, then 'other'. With --netns the connections are of that namespace, and the "
           "address to listen on is of the one in which tcpwitness was started."},
          sections("Serve options"),
          "Ctrl-C stops, and exits with 0. A failure, and a port that is taken, exits with 1, a usage error with 2. "
          "Nothing goes to stdout."};
}

Page ls_page() {
  return {
      Command::ls,
      "ls",
      "ls [OPTIONS]",
      "the sockets that are open now, and what is wrong with each",
      "the sockets that are open now, each with its owner, its queues and what is wrong with it from the kernel's "
      "current state: peer has closed and the process has not, accept queue full, window closed, retransmitting, "
      "probes unanswered. Traces nothing, and attaches nothing but for --uid and --children, which follow forks and "
      "exits of processes meanwhile.",
      {"ls [OPTIONS] [EXPRESSION]"},
      {{"sudo tcpwitness ls", "all of them, listeners first"},
       {"sudo tcpwitness ls --problems", "only what is wrong"},
       {"sudo tcpwitness ls --every 2 'port 5432'", "again and again"},
       {"sudo tcpwitness ls -o json | jq 'select(.send_queue > 0)'", ""}},
      {"RECV-Q are bytes that the process has not read, of a listener connections that wait for accept(); SEND-Q are "
       "bytes that the peer has not acknowledged, of a listener how many may wait; '-' where that is not known. IDLE "
       "is since the last segment from the peer. What waits for the peer's FIN without a "
       "process (FIN_WAIT2) is listed, what waits in TIME_WAIT is not."},
      {{"Selection options", {Group::selection}}, {"Output options", {Group::output}}},
      "Exits with 0, on a failure with 1, on a usage error with 2. Data goes to stdout, all else to stderr."};
}

Page top_page() {
  return {Command::top,
          "top",
          "top [OPTIONS]",
          "live in the terminal: rates, and tables by process, remote, listener and connection",
          "what happens now, live in the terminal: new connections, bytes, retransmissions each way, resets and lost "
          "events as they change, tables by process, remote address, listener and single connection, findings when "
          "they fire. Of a connection its timeline with causes, and its story. '?' lists the keys; they are those of "
          "htop and iftop.",
          {"top [OPTIONS] [EXPRESSION]", "top [OPTIONS] FILE [EXPRESSION]"},
          {{"sudo tcpwitness top", "everything on this machine"},
           {"sudo tcpwitness top --comm nginx 'port 443'", "nginx's connections on one port"},
           {"sudo tcpwitness top --problems", "only what goes wrong"},
           {"tcpwitness top rec.pcapng --speed 10", "a recording, ten times as fast"}},
          {"Where the first word is the name of a file, that is played: a recording by 'tcpwitness record', or a "
           "capture. Needs a terminal that can move its cursor; NO_COLOR is respected."},
          sections("Top options"),
          "q, F10 or Ctrl-C quits and exits with 0. A failure exits with 1, a usage error, or no terminal, with 2."};
}

Page record_page() {
  return {Command::record,
          "record",
          "record -w FILE",
          "packets and kernel events into a pcapng",
          "writes segments as packets, and kernel events between them, to a pcapng file. Wireshark opens it, and "
          "'tcpwitness read' reaches the same verdicts as the live run. Prints a line for every connection meanwhile.",
          {"record -w FILE [OPTIONS] [EXPRESSION] [-- COMMAND]"},
          {{"sudo tcpwitness record -w today.pcapng --port 443", ""},
           {"sudo tcpwitness record -w log.pcapng --rotate-size 100M --keep 10 -q", "keeps the newest 1 GB"},
           {"sudo tcpwitness record -w - | wireshark -k -i -", ""},
           {"sudo tcpwitness record -w crash.pcapng --flight-recorder 30 \\\n  --on reset-origin,half-open",
            "only around these findings"}},
          {},
          sections("Record options"),
          live_ending};
}

Page read_page() {
  return {
      Command::read,
      "read",
      "read FILE",
      "the same from a capture or a recording, no root needed",
      "the connections of a capture, or of a recording by 'tcpwitness record'. Reads pcap and pcapng, gzip and zstd "
      "too. A capture holds packets only; a recording holds kernel events too, and its verdicts are those of the "
      "live run. Needs no root.",
      {"read [OPTIONS] FILE [EXPRESSION]"},
      {{"tcpwitness read dump.pcap", "one line for every connection in it"},
       {"tcpwitness read --trace dump.pcap", "its timeline, with frame numbers"},
       {"tcpwitness read --explain dump.pcap", "its stories, in plain sentences"},
       {"tcpwitness read dump.pcap.gz tcp port 443 and not host 192.0.2.7", "only frames that match, as in tcpdump"},
       {"sudo tcpdump -i eth0 -U -w - tcp | tcpwitness read -", "connections as they end"},
       {"tcpwitness read dump.pcap -o csv >connections.csv", ""}},
      {},
      {{"Input options", {Group::selection}}, {"Output options", {Group::own, Group::output}}},
      "Ctrl-C stops, lists open connections and exits with 0. A file that cannot be read, or is damaged, exits with "
      "1 after all that was good in it; a usage error with 2. Data goes to stdout, all else to stderr."};
}

Page doctor_page() {
  return {
      Command::doctor,
      "doctor",
      "doctor",
      "what works on this machine; with --findings what each finding means",
      "what works on this machine: the kernel, the privileges, each hook and what is lost without it, the interfaces "
      "and the hook that each would get, and whether an earlier run left anything behind. Hooks are attached for a "
      "moment and removed again. Without root it says what could not be checked.",
      {"doctor [OPTIONS]", "doctor --findings [NAME]"},
      {{"sudo tcpwitness doctor", "the kernel and every interface"},
       {"tcpwitness doctor --findings", "every outcome and finding: what it means, its evidence, what to do about it"},
       {"tcpwitness doctor --findings zero-window", "one of them"}},
      {},
      {{"Capture options", {Group::selection}}, {"Output options", {Group::own, Group::output}}},
      "Exits with 0 where kernel events and packets can both be traced, with 1 where one of them cannot, and with 2 "
      "on a usage error."};
}

Page wireshark_page() {
  return {Command::wireshark,
          "wireshark",
          "wireshark",
          "fields, columns and colours for recordings in Wireshark; --install",
          "recordings in Wireshark and tshark: the kernel's rows get fields for display filters, a transition leads to "
          "the frame that caused it, findings stand in Expert Information, and 'tcpwitness: kernel and wire' is among "
          "the interfaces. Without --install and --uninstall it says what is installed, and where.",
          {"wireshark [--install|--uninstall]"},
          {{"tcpwitness wireshark --install", "as the user who runs Wireshark"},
           {"wireshark -C tcpwitness today.pcapng", "with the profile: columns, colours, buttons"},
           {"tshark -2 -r today.pcapng -Y 'tcpwitness.state == \"CLOSE_WAIT\"'", ""},
           {"tshark -r today.pcapng -q -z expert", "the findings"},
           {"sudo tshark -i tcpwitness -f 'port 443' -a duration:10", "record, and see it at once"}},
          {"Three things are installed: a dissector in Lua, a profile named tcpwitness, and an interface (extcap). The "
           "directories are those that 'tshark -G folders' names. A file that is not of tcpwitness, or that "
           "was changed since, is never replaced or removed."},
          {{"Wireshark options", {Group::own}}},
          "Exits with 0; with 1 where a file could not be written, belongs to somebody else or was changed; on a usage "
          "error with "
          "2."};
}

}  // namespace

std::span<const Page> pages() {
  static const std::vector<Page> all{life_page(),    trace_page(),  explain_page(),  summary_page(), compare_page(),
                                     picture_page(), serve_page(),  ls_page(),       top_page(),     record_page(),
                                     read_page(),    doctor_page(), wireshark_page()};
  return all;
}

const Page& page_of(Command command) { return pages()[static_cast<std::size_t>(command)]; }

std::vector<std::string_view> command_names() {
  std::vector<std::string_view> names;
  for (const Page& page : pages()) names.emplace_back(page.name);
  return names;
}

std::span<const Example> program_examples() {
  static const std::vector<Example> all{
      {"sudo tcpwitness", "every connection of this machine"},
      {"sudo tcpwitness --port 443 -d 60", "one minute of HTTPS"},
      {"sudo tcpwitness 'port 443 and net 10/8'", "a pcap-filter expression"},
      {"sudo tcpwitness explain -- curl URL", "run curl, and say what happened"},
      {"sudo tcpwitness explain --port 5432", "the connections of a database"},
      {"sudo tcpwitness --problems", "only what went wrong, when it does"},
      {"sudo tcpwitness summary -d 60", "one minute, a line for each process"},
      {"tcpwitness read dump.pcap", "what was in a capture"},
      {"sudo tcpwitness -o json |\n  jq 'select(.type == \"life\" and .outcome != \"completed\")'", ""}};
  return all;
}

}  // namespace tcpwitness::cli
