// SPDX-License-Identifier: Apache-2.0
// option_rows_selection.cpp: which connections, processes and interfaces.
#include "cli/option_rows.hpp"

namespace tcpwitness::cli::rows {

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

}  // namespace tcpwitness::cli::rows
