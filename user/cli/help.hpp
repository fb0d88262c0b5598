// SPDX-License-Identifier: Apache-2.0
// help.hpp: the help pages, as they are printed. A test holds them against the options that exist.
#pragma once

#include <string_view>

namespace tcpwitness::cli {

inline constexpr std::string_view help_main =
    R"(tcpwitness traces TCP connections from kernel tracepoints and from packets,
and explains each by the other.

Usage: tcpwitness [life] [OPTIONS]   one line for every connection, when it ends
       tcpwitness trace [OPTIONS]    the timeline: segments, state transitions,
                                     and what caused each
       tcpwitness explain [OPTIONS]  every connection in plain sentences
       tcpwitness summary [OPTIONS]  added up by process, address, listener or
                                     outcome, when the run ends
       tcpwitness compare [OPTIONS]  what the kernel counted beside what the
                                     interface carried, and why they differ
       tcpwitness ls [OPTIONS]       the sockets that are open now, and what is
                                     wrong with each
       tcpwitness record -w FILE     packets and kernel events into a pcapng
       tcpwitness read FILE          the same from a capture or a recording, no
                                     root needed
       tcpwitness doctor             what works on this machine; with --findings
                                     what each finding means
       tcpwitness COMMAND --help     more about one command
       tcpwitness --version

Examples:
  sudo tcpwitness                      every connection of this machine
  sudo tcpwitness --port 443 -d 60     one minute of HTTPS
  sudo tcpwitness 'port 443 and net 10/8'
                                       a pcap-filter expression
  sudo tcpwitness explain -- curl URL  run curl, and say what happened
  sudo tcpwitness explain --port 5432  the connections of a database
  sudo tcpwitness --problems           only what went wrong, when it does
  sudo tcpwitness summary -d 60        one minute, a line for each process
  tcpwitness read dump.pcap            what was in a capture
  sudo tcpwitness -o json |
    jq 'select(.type == "life" and .outcome != "completed")'

)";

inline constexpr std::string_view help_life =
    R"(tcpwitness life: one line for every connection, when it ends. This is the
command when none is given.

Usage: tcpwitness [life] [OPTIONS] [EXPRESSION] [-- COMMAND]

Examples:
  sudo tcpwitness                      every connection of this machine
  sudo tcpwitness -p 4242              those of one process
  sudo tcpwitness -p 4242 --children   those of nginx's master and its workers
  sudo tcpwitness 'tcp and not port 22'
                                       a pcap-filter expression
  sudo tcpwitness --host 10.0.0.0/8 --port 5432,6432 -c 100
                                       the next 100 of a database, then stop
  sudo tcpwitness -o json -d 10 >lives.ndjson
  sudo tcpwitness --problems           only what went wrong, when it does
  sudo tcpwitness --summary -d 60      and at the end what they come to

Life options:
      --columns NAME[,NAME...]
                              only these columns, in this order: time, pid, comm,
                              local, role, remote, tx, rx, duration, connect,
                              srtt, retrans, src, closed-by, outcome, findings;
                              phases: accept, request-ack, first-byte, server,
                              waiting, transfer, stalled, idle, closing
      --summary               at the end, connections added up
      --by KEY[,KEY...]       with --summary: by comm, pid, local, remote,
                              listener, netns, container, outcome, finding
                              (default: comm)
      --top N                 with --summary: so many groups (default: 20)

)";

inline constexpr std::string_view help_trace =
    R"(tcpwitness trace: a timeline of every connection. Kernel events and segments
are interleaved and numbered, sequence numbers are relative, and each
transition names its cause.

Usage: tcpwitness trace [OPTIONS] [EXPRESSION] [-- COMMAND]

Examples:
  sudo tcpwitness trace --port 8080    every event on one port
  sudo tcpwitness trace --comm curl --packets all
                                       all of curl's segments, ordinary data too
  sudo tcpwitness trace -i eth0 --host 192.0.2.7 -o json

Trace options:
      --packets events|all    segments to show (default: events): those that
                              open, close, reset, retransmit, probe or stop a
                              connection, or all

)";

inline constexpr std::string_view help_explain =
    R"(tcpwitness explain: every connection in plain sentences, printed when it ends
(or the run does): who connected where, what was lost and retransmitted and
why, who closed or reset it, and how it ended.

Usage: tcpwitness explain [OPTIONS] [EXPRESSION] [-- COMMAND]

Examples:
  sudo tcpwitness explain -- curl URL  run curl, and say what happened
  sudo tcpwitness explain --comm curl  what happens to curl's connections
  sudo tcpwitness explain --port 5432 -c 1
                                       the next one of a database, then stop
  sudo tcpwitness explain --host 192.0.2.7 -o json | jq -r '.story[]?.text'

At most 60 sentences are printed of a connection, the first 40 and the last
20; what is left out is counted. '-o json' has an object for each connection
with its "explanation" and its "story"; csv has neither.

)";

inline constexpr std::string_view help_summary =
    R"(tcpwitness summary: connections added up, printed when the run ends: how many,
bytes, retransmissions each way, how long they took to connect and how long
they lived, how they ended and what was found.

Usage: tcpwitness summary [OPTIONS] [EXPRESSION] [-- COMMAND]

Examples:
  sudo tcpwitness summary -d 60        one minute, by process
  sudo tcpwitness summary --by listener,remote --port 5432
                                       who uses the database, and how long
  sudo tcpwitness summary --by outcome -o json -d 10
  tcpwitness read --summary dump.pcap  the same of a capture

Summary options:
      --by KEY[,KEY...]       by comm, pid, local, remote, listener, netns,
                              container, outcome, finding (default: comm)
      --top N                 print so many groups (default: 20)

A container is the cgroup of the process (docker:0123456789ab, nginx.service),
looked up when it is first seen; unknown where it was gone by then.

BAD counts connections that ended badly or have a finding other than
time-wait. RETR% is of the segments sent, and of those received. Times are the
median and what 95 and 99 of a hundred do not exceed, at most 0.8 % wrong.

)";

inline constexpr std::string_view help_compare =
    R"(tcpwitness compare: what the kernel counted beside what the interface carried:
payload bytes, segments and retransmissions each way, and where each difference
went: dropped before TCP, refused by it, never left, sent again. Handshake and
round-trip times of both, and how long segments took to reach TCP and the
process. Printed when the run ends, for all connections together; with --every
again and again, with the connections that go on.

Usage: tcpwitness compare [OPTIONS] [EXPRESSION] [-- COMMAND]

Examples:
  sudo tcpwitness compare --comm curl -c 1
                                       the next connection of curl
  sudo tcpwitness compare --port 443 -d 60
                                       one minute of HTTPS, added up
  sudo tcpwitness compare --every 5    as it is by then, every 5 seconds
  sudo tcpwitness compare -o json | jq 'select(.type == "comparison")'
                                       each connection by itself
  tcpwitness read --compare rec.pcapng the same of a recording

Compare options:
      --every SECONDS         print again and again, until Ctrl-C or -d
      --top N                 list so many connections that differ (default: 20)

Both count wire segments: a buffer of GSO or GRO counts as the segments in it,
so these are no difference. A number with a sign is the wire's count minus the
kernel's. SYN and SYN-ACK are the listener's, and what is sent in TIME_WAIT is
counted by no socket: both are usual. What was open before is counted from the
start on. A connection is not compared where one side's counts are not whole:
events lost, packets only.

)";

inline constexpr std::string_view help_ls =
    R"(tcpwitness ls: the sockets that are open now, each with its owner, its queues
and what is wrong with it from the kernel's current state: peer has closed and
the process has not, accept queue full, window closed, retransmitting, probes
unanswered. Traces nothing, and attaches nothing but for --uid and --children,
which follow forks and exits of processes meanwhile.

Usage: tcpwitness ls [OPTIONS] [EXPRESSION]

Examples:
  sudo tcpwitness ls                   all of them, listeners first
  sudo tcpwitness ls --problems        only what is wrong
  sudo tcpwitness ls --every 2 'port 5432'
                                       again and again
  sudo tcpwitness ls -o json | jq 'select(.send_queue > 0)'

RECV-Q are bytes that the process has not read, of a listener connections that
wait for accept(); SEND-Q are bytes that the peer has not acknowledged, of a
listener how many may wait; '-' where that is not known. IDLE is since the last
segment from the peer. Sockets in TIME_WAIT are not listed.

Selection options:
  -p, --pid PID               only sockets of this process
      --children              with --pid: and of its descendants (workers)
      --uid UID|NAME          only sockets of processes of this user
      --comm NAME             only sockets of processes of this name
      --port PORT[-PORT]      only these ports, at either end; repeatable
      --host ADDR[/BITS]      only this address or network, at either end;
                              repeatable, at most 8
      --netns PATH|NAME       in this network namespace (default: current)
  EXPRESSION                  only what matches, see 'man pcap-filter'

Output options:
  -o, --output FORMAT         text, json (an object a line), csv, or wide: the
                              table with all columns (default: text)
      --problems              only sockets with a finding
      --finding RULE[,RULE...]
                              only sockets with one of these findings
      --every SECONDS         again and again, until Ctrl-C
  -d, --duration SECONDS      with --every: stop after so long
  -c, --count COUNT           with --every: stop after so many lists
      --stuck-after SECONDS   report CLOSE_WAIT and FIN_WAIT2 older than SECONDS
                              (default: 10)

  -h, --help                  this page
      --version               the version
)";

inline constexpr std::string_view help_record =
    R"(tcpwitness record: writes segments as packets, and kernel events between them,
to a pcapng file. Wireshark opens it, and 'tcpwitness read' reaches the same
verdicts as the live run. Prints a line for every connection meanwhile.

Usage: tcpwitness record -w FILE [OPTIONS] [EXPRESSION]

Examples:
  sudo tcpwitness record -w today.pcapng --port 443
  sudo tcpwitness record -w log.pcapng --rotate-size 100M --keep 10 -q
                                       keeps the newest 1 GB
  sudo tcpwitness record -w - | wireshark -k -i -
  sudo tcpwitness record -w crash.pcapng --flight-recorder 30 \
    --on reset-origin,half-open        only around these findings

Record options:
  -w, --write FILE            the file, replaced if it exists; '-': standard
                              output, and no connections are printed
      --snaplen BYTES         kept of each segment, headers included, 64 to 1024
                              (default: 128)
      --packets events|all    segments to keep (default: events): those that
                              open, close, reset, retransmit, probe or stop a
                              connection, or all
      --rotate-size SIZE      begin a new file after so many bytes, 64K to 1T
      --rotate-every TIME     begin a new file after so long: 30s, 15m, 2h, 1d
      --keep N                keep only the newest N of these files
      --flight-recorder SECONDS
                              keep the last seconds in memory, and write them
                              only when a finding fires
      --on RULE[,RULE...]     these findings (default: all but time-wait):
                              keepalive, zero-window, retransmission, time-wait,
                              close-wait-stuck, reset-origin, half-open,
                              stray-segment, rx-dropped, tx-not-sent,
                              bad-checksum, out-of-window, old-timestamp,
                              accept-queue-full, syn-backlog-full, syncookie,
                              slow-handshake, slow-accept, late, bytes-disagree,
                              port-exhaustion, peer-not-closing,
                              write-after-peer-closed, path-mtu-black-hole,
                              path-dead, delayed-ack-stall, forward-dropped,
                              asymmetric-route, syn-flood
      --columns NAME[,NAME...]
                              of the table, in this order: see 'life --help'
  -q, --quiet                 print no connections, only record

)";

inline constexpr std::string_view help_read =
    R"(tcpwitness read: the connections of a capture, or of a recording by
'tcpwitness record'. Reads pcap and pcapng, gzip and zstd too. A capture holds
packets only; a recording holds kernel events too, and its verdicts are those
of the live run. Needs no root.

Usage: tcpwitness read [OPTIONS] FILE [EXPRESSION]

Examples:
  tcpwitness read dump.pcap            one line for every connection in it
  tcpwitness read --trace dump.pcap    its timeline, with frame numbers
  tcpwitness read --explain dump.pcap  its stories, in plain sentences
  tcpwitness read dump.pcap.gz tcp port 443 and not host 192.0.2.7
                                       only frames that match, as in tcpdump
  sudo tcpdump -i eth0 -U -w - tcp | tcpwitness read -
                                       connections as they end
  tcpwitness read dump.pcap -o csv >connections.csv

Input options:
  FILE                        a file, or '-' for standard input
  EXPRESSION                  for each frame, see 'man pcap-filter'; quote it
                              where the shell needs that
      --filter EXPRESSION     the same as an option
      --port PORT[-PORT]      only connections with one of these ports at
                              either end; repeatable
      --host ADDR[/BITS]      only connections with this address or network at
                              either end; repeatable, at most 8
  -p, --pid PID               recordings: only connections of this process
      --comm NAME             recordings: only those of processes of this name

Output options:
      --trace                 the timeline of every connection, not one line
      --explain               every connection in plain sentences
      --packets events|all    with --trace: segments to show (default: events):
                              those that open, close, reset, retransmit, probe
                              or stop a connection, or all
  -o, --output FORMAT         text, json (an object a line), csv, or wide: the
                              table with all columns (default: text)
      --problems              only connections that ended badly or have a finding
                              other than time-wait
      --finding RULE[,RULE...]
                              only connections with one of these findings
      --outcome NAME[,NAME...]
                              only connections that ended so
      --slower-than TIME      only connections that took longer to connect, or to
                              the first byte of the answer: 200ms, 1.5s
      --columns NAME[,NAME...]
                              only these columns, in this order: stream, start,
                              local, role, remote, tx, rx, duration, connect,
                              retrans, closed-by, outcome, zeek, findings;
                              phases: accept, request-ack, first-byte, server,
                              waiting, transfer, stalled, idle, closing
      --summary               connections added up, not one line each
      --compare               kernel beside wire, added up, and why they differ
      --by KEY[,KEY...]       with --summary: comm, pid, local, remote, listener,
                              netns, outcome or finding (default: comm)
      --top N                 with --summary: so many groups (default: 20)
  -c, --count COUNT           stop after so many connections
      --stuck-after SECONDS   recordings: report CLOSE_WAIT older than SECONDS
                              (default: as when it was recorded)

  -h, --help                  this page
      --version               the version

Ctrl-C stops, lists open connections and exits with 0. A file that cannot be
read, or is damaged, exits with 1 after all that was good in it; a usage error
with 2. Data goes to stdout, all else to stderr.
)";

inline constexpr std::string_view help_doctor =
    R"(tcpwitness doctor: what works on this machine: the kernel, the privileges,
each hook and what is lost without it, the interfaces and the hook that each
would get, and whether an earlier run left anything behind. Hooks are attached
for a moment and removed again. Without root it says what could not be
checked.

Usage: tcpwitness doctor [OPTIONS]
       tcpwitness doctor --findings [NAME]

Examples:
  sudo tcpwitness doctor               the kernel and every interface
  tcpwitness doctor --findings         every outcome and finding: what it means,
                                       its evidence, what to do about it
  tcpwitness doctor --findings zero-window
                                       one of them

Capture options:
  -i, --interface IFACE       only this interface (default: all up); repeatable
      --netns PATH|NAME       in this network namespace (default: current)

Output options:
      --findings [NAME]       the catalogue of outcomes and findings, or one
                              entry
  -o, --output text|json      text, or one JSON object a line (default: text)

  -h, --help                  this page
      --version               the version

Exits with 0 where kernel events and packets can both be traced, with 1 where
one of them cannot, and with 2 on a usage error.
)";

// In place of help_selection: record chooses in the kernel, and of all processes.
inline constexpr std::string_view help_record_selection =
    R"(Selection options:
  -i, --interface IFACE       only this interface (default: all up); repeatable
  -p, --pid PID               print only connections of this process
      --comm NAME             print only connections of processes of this name
      --port PORT             only these ports, at either end; repeatable, at most
                              16
      --host ADDR[/BITS]      only this address or network, at either end;
                              repeatable, at most 8
      --netns PATH|NAME       in this network namespace (default: current)
  EXPRESSION                  only these ports and networks, as in 'tcp port 443
                              and net 10/8', see 'man pcap-filter': what is
                              recorded is compared in the kernel

)";

inline constexpr std::string_view help_selection =
    R"(Selection options:
  -i, --interface IFACE       only this interface (default: all up); repeatable
  -p, --pid PID               only connections of this process
      --children              with --pid: and of its descendants (workers)
      --uid UID|NAME          only connections of processes of this user
      --comm NAME             only connections of processes of this name
      --port PORT[-PORT]      only these ports, at either end; repeatable
      --host ADDR[/BITS]      only this address or network, at either end;
                              repeatable, at most 8
      --netns PATH|NAME       in this network namespace (default: current)
  EXPRESSION                  only connections that match, see 'man pcap-filter':
                              addresses, networks, ports, with and, or, not. A
                              few ports and networks are compared in the kernel;
                              with anything else all are followed and some shown
  -- COMMAND [ARGUMENT...]    run a command, follow it and its children, end with
                              it and return its exit code; what is reported goes
                              to stderr, and stdout is the command's own

)";

inline constexpr std::string_view help_shared =
    R"(Output options:
  -o, --output FORMAT         text, json (an object a line), csv, or wide: the
                              table with all columns (default: text)
      --problems              only connections that ended badly or have a finding
                              other than time-wait; findings when they fire
      --finding RULE[,RULE...]
                              only connections with one of these findings
      --outcome NAME[,NAME...]
                              only connections that ended so
      --slower-than TIME      only connections that took longer to connect, or to
                              the first byte of the answer: 200ms, 1.5s
  -d, --duration SECONDS      stop after so long (default: at Ctrl-C)
  -c, --count COUNT           stop after so many connections
      --stuck-after SECONDS   report CLOSE_WAIT older than SECONDS (default: 10)

Capture options:
      --wire MODE             auto, xdp, xdp-native, xdp-generic, tc or none
                              (default: auto, no hook that slows the machine)
      --kernel on|off         attach to the kernel's tracepoints (default: on)
      --forwarded             also connections that this machine forwards
                              (router, bridge, NAT gateway): two hops, packets
                              only
      --ring-size SIZE        of the ring buffer: a power of two, 64K to 1G
                              (default: 8M)
      --flows N               flow-map capacity (default: 65536)

  -h, --help                  this page
      --version               the version

Ctrl-C stops, lists open connections and exits with 0. A failure exits with 1,
a usage error with 2. Data goes to stdout, all else to stderr.
)";

}  // namespace tcpwitness::cli
