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
       tcpwitness explain [OPTIONS]    the story of every connection in plain sentences,
                                       from the first SYN to the last FIN or RST
       tcpwitness record -w FILE       both witnesses into a file that Wireshark opens
       tcpwitness read FILE            a capture or a recording: its connections, or with
                                       --trace their timeline, with --explain their
                                       stories; needs no root
       tcpwitness doctor               what this machine can do for the tracer; with
                                       --findings what each finding means
       tcpwitness COMMAND --help       more about one of them
       tcpwitness --version

Examples:
  sudo tcpwitness                      every connection of this machine
  sudo tcpwitness --port 443 -d 60     one minute of HTTPS
  sudo tcpwitness trace --comm curl    follow curl, segment by segment
  sudo tcpwitness explain --port 5432  what happens to the connections of a database
  tcpwitness read dump.pcap            what was in a capture
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

inline constexpr std::string_view help_explain =
    R"(tcpwitness explain: the story of every connection in plain sentences, told when it is over
(or the run is): who connected where, what was lost and sent again and why, who closed or
broke it off, how it ended, and what both witnesses conclude from that.

Usage: tcpwitness explain [OPTIONS]

Examples:
  sudo tcpwitness explain --comm curl  what happens to curl's connections
  sudo tcpwitness explain --port 5432 -c 1
                                       the next connection of a database, then stop
  sudo tcpwitness explain --host 192.0.2.7 -o json | jq -r '.story[]?.text'

An uneventful time is one sentence. A story has at most 60 sentences, the first 40 and the
last 20; what is left out is counted. '-o json' has an object for each connection with
its "explanation" and its "story"; a table (csv) has no room for one.

)";

inline constexpr std::string_view help_record =
    R"(tcpwitness record: writes what both witnesses say to a pcapng file while it happens: the
segments as packets, the kernel's events between them. Wireshark opens it, and 'tcpwitness
read' judges it as the live run did. Prints a line for every connection meanwhile.

Usage: tcpwitness record -w FILE [OPTIONS]

Examples:
  sudo tcpwitness record -w today.pcapng --port 443
  sudo tcpwitness record -w log.pcapng --rotate-size 100M --keep 10 -q
                                       the newest gigabyte, for ever
  sudo tcpwitness record -w - | wireshark -k -i -
  sudo tcpwitness record -w crash.pcapng --flight-recorder 30 --on reset-origin,half-open
                                       only when something breaks: it, and what led to it

Record options:
  -w, --write FILE            the file, replaced if it is there; '-': standard output, and
                              no connections are printed
      --snaplen BYTES         kept of each segment, headers included, 64 to 1024 (128)
      --packets events|all    which segments to keep (events): events are those that
                              open, close, reset, retransmit, probe or stop a connection
      --rotate-size SIZE      begin a new file after so much, 64K to 1T
      --rotate-every TIME     begin a new file after so long: 30s, 15m, 2h, 1d
      --keep N                only the newest N of these files
      --flight-recorder SECONDS
                              keep the last seconds in memory, and write them only when a
                              finding fires
      --on RULE[,RULE...]     these findings (all but time-wait): keepalive, zero-window,
                              retransmission, time-wait, close-wait-stuck, reset-origin,
                              half-open, stray-segment, rx-dropped, tx-not-sent,
                              bad-checksum, out-of-window, old-timestamp,
                              accept-queue-full, syn-backlog-full, syncookie,
                              slow-handshake, slow-accept, late, bytes-disagree,
                              port-exhaustion, peer-not-closing,
                              write-after-peer-closed,
                              path-mtu-black-hole, path-dead, delayed-ack-stall,
                              forward-dropped, asymmetric-route, syn-flood
  -q, --quiet                 print no connections, only record

)";

inline constexpr std::string_view help_read =
    R"(tcpwitness read: the connections of a capture, or of a recording by 'tcpwitness record'.
Reads pcap and pcapng, gzip and zstd too. Of a capture the wire alone speaks; a recording
has both witnesses and is judged as the live run was. Needs no root.

Usage: tcpwitness read [OPTIONS] FILE [EXPRESSION]

Examples:
  tcpwitness read dump.pcap            one line for every connection in it
  tcpwitness read --trace dump.pcap    its timeline, with the frame numbers of Wireshark
  tcpwitness read --explain dump.pcap  its stories, in plain sentences
  tcpwitness read dump.pcap.gz tcp port 443 and not host 192.0.2.7
                                       only frames that match, as tcpdump selects them
  sudo tcpdump -i eth0 -U -w - tcp | tcpwitness read -
                                       connections as they end, heard elsewhere
  tcpwitness read dump.pcap -o csv >connections.csv

What to read:
  FILE                        a file, or '-' for standard input
  EXPRESSION                  for each frame, as 'man pcap-filter' has it; quote what the
                              shell would take for itself
      --filter EXPRESSION     the same as an option
      --port PORT             only connections with this port at either end; repeatable,
                              at most 16
      --host ADDR[/BITS]      only connections with this address or network at either end;
                              repeatable, at most 8
  -p, --pid PID               of a recording: only connections of this process
      --comm NAME             of a recording: only those of processes of this name

What to print:
      --trace                 the timeline of every connection, not one line
      --explain               the story of every connection in plain sentences
      --packets events|all    with --trace: which segments to show (events): those that
                              open, close, reset, retransmit, probe or stop a connection,
                              or all
  -o, --output text|json|csv  for people, one JSON object a line, or a table for a
                              spreadsheet (text)
  -c, --count COUNT           stop after so many connections
      --stuck-after SECONDS   of a recording: a finding where the peer has closed and the
                              process here has not, for so long (as when it was recorded)

  -h, --help                  this page
      --version               the version

Ctrl-C stops reading, tells what is still open and exits with 0. A file that cannot be
read, or is damaged, exits with 1 after all that was good in it; a senseless command line
with 2. Data goes to stdout, all else to stderr.
)";

inline constexpr std::string_view help_doctor =
    R"(tcpwitness doctor: what this machine can do for the tracer: the kernel, the privileges,
each hook of both witnesses and what is lost without it, the interfaces and the hook that
each would get, and whether an earlier run left anything behind. Hooks are attached for a
moment and let go of; nothing stays. Without root it says what could not be looked at.

Usage: tcpwitness doctor [OPTIONS]
       tcpwitness doctor --findings [NAME]

Examples:
  sudo tcpwitness doctor               both witnesses, every interface
  tcpwitness doctor --findings         every outcome and finding: what it means, what it
                                       rests on, what to do about it
  tcpwitness doctor --findings zero-window
                                       one of them

What to look at:
  -i, --interface IFACE       only this interface (all that are up); repeatable
      --netns PATH|NAME       in this network namespace (the current one)

What to print:
      --findings [NAME]       the catalogue of outcomes and findings, or one entry of it
  -o, --output text|json      for people, or one JSON object a line (text)

  -h, --help                  this page
      --version               the version

Exits with 0 where both witnesses can work and with 1 where one cannot; a senseless
command line with 2.
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
  -o, --output text|json|csv  for people, one JSON object a line, or a table for a
                              spreadsheet (text)
  -d, --duration SECONDS      stop after so long (until Ctrl-C)
  -c, --count COUNT           stop after so many connections
      --stuck-after SECONDS   a finding where the peer has closed and the process here
                              has not, for so long (10)

How to listen:
      --wire MODE             auto, xdp, xdp-native, xdp-generic, tc or none (auto: never
                              a hook that would slow the machine down)
      --kernel on|off         hear the kernel's tracepoints (on)
      --forwarded             connections too that only pass through this machine (router,
                              bridge, NAT gateway): two hops, packets only, no process
      --ring-size SIZE        of the buffer between kernel and tracer: a power of two,
                              64K to 1G (8M)
      --flows N               flows to count segments of at a time (65536)

  -h, --help                  this page
      --version               the version

Ctrl-C drains what was heard, tells what is still open and exits with 0. A failure exits
with 1, a senseless command line with 2. Data goes to stdout, all else to stderr.
)";

}  // namespace tcpwitness::cli
