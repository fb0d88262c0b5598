// SPDX-License-Identifier: Apache-2.0
// help.hpp: the help pages, as they are printed. A test holds them against the options that exist.
#pragma once

#include <string_view>

namespace tcpwitness::cli {

inline constexpr std::string_view help_main =
    R"(tcpwitness hears every TCP connection from two witnesses, the kernel and the wire,
and says how each explains the other.

Usage: tcpwitness [life] [OPTIONS]     one line for every connection, when it ends
       tcpwitness trace [OPTIONS]      the timeline: what crossed the wire, what the
                                       kernel concluded, and what caused it
       tcpwitness COMMAND --help       more about one of them
       tcpwitness --version

Examples:
  sudo tcpwitness                      every connection of this machine
  sudo tcpwitness --port 443 -d 60     one minute of HTTPS
  sudo tcpwitness trace --comm curl    follow curl, segment by segment
  sudo tcpwitness -o json | jq 'select(.type == "life" and .outcome != "completed")'

)";

inline constexpr std::string_view help_life =
    R"(tcpwitness life: one line for every connection, when it ends, with both witnesses in it.
This is what tcpwitness does when no command is given.

Usage: tcpwitness [life] [OPTIONS]

Examples:
  sudo tcpwitness                      every connection of this machine
  sudo tcpwitness -p 4242              those of one process
  sudo tcpwitness --host 10.0.0.0/8 --port 5432,6432 -c 100
                                       the next 100 of a database, then stop
  sudo tcpwitness -o json -d 10 >lives.ndjson

)";

inline constexpr std::string_view help_trace =
    R"(tcpwitness trace: a timeline of every connection. Kernel and wire are interleaved and
numbered, sequence numbers are relative, and each transition names its cause.

Usage: tcpwitness trace [OPTIONS]

Examples:
  sudo tcpwitness trace --port 8080    every event on one port
  sudo tcpwitness trace --comm curl --packets all
                                       all of curl's segments, ordinary data too
  sudo tcpwitness trace -i eth0 --host 192.0.2.7 -o json

Trace options:
      --packets events|all    which segments to show (events): events are those that
                              open, close, reset, retransmit, probe or stop a connection

)";

inline constexpr std::string_view help_shared =
    R"(What to trace:
  -i, --interface IFACE       only this interface (all that are up); repeatable
  -p, --pid PID               only connections of this process
      --comm NAME             only connections of processes of this name
      --port PORT             only this port, at either end; repeatable, at most 16
      --host ADDR[/BITS]      only this address or network, at either end; repeatable,
                              at most 8
      --netns PATH|NAME       in this network namespace (the current one)

What to print:
  -o, --output text|json      for people, or one JSON object a line (text)
  -d, --duration SECONDS      stop after so long (until Ctrl-C)
  -c, --count COUNT           stop after so many connections
      --stuck-after SECONDS   a finding where the peer has closed and the process here
                              has not, for so long (10)

How to listen:
      --wire MODE             auto, xdp, xdp-native, xdp-generic, tc or none (auto: never
                              a hook that would slow the machine down)
      --kernel on|off         hear the kernel's tracepoints (on)
      --ring-size SIZE        of the buffer between kernel and tracer: a power of two,
                              64K to 1G (8M)
      --flows N               flows to count segments of at a time (65536)

  -h, --help                  this page
      --version               the version

Ctrl-C drains what was heard, tells what is still open and exits with 0. A failure exits
with 1, a senseless command line with 2. Data goes to stdout, all else to stderr.
)";

}  // namespace tcpwitness::cli
