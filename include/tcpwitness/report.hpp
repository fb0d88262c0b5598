// SPDX-License-Identifier: Apache-2.0
// report.hpp: everything that leaves the core for a sink, as values.
//
// A sink is a function of reports; it depends on no stage before it. Timeline entries are in
// ring order.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "tcpwitness/connection.hpp"
#include "tcpwitness/event.hpp"
#include "tcpwitness/finding.hpp"
#include "tcpwitness/icmp.hpp"
#include "tcpwitness/wall_clock.hpp"

namespace tcpwitness {

// Names that only the running system has. Whoever joins the stages owns them: they outlive the Correlator and the
// sinks.
struct Names {
  std::vector<std::string> reset_reasons;                     // by number, from BTF; "" where there is none
  std::vector<std::string> drop_reasons;                      // the same, of enum skb_drop_reason
  std::unordered_map<std::uint32_t, std::string> interfaces;  // by index
  WallClock wall{};                                           // what the wall clock showed at a time of the run
  // The name, or "reason 17" / "if3" where it is not known.
  [[nodiscard]] std::string reset_reason(std::uint32_t number) const;
  // "NETFILTER_DROP"; "subsystem 3, reason 2" where another subsystem than the network core numbers it.
  [[nodiscard]] std::string drop_reason(std::uint32_t number) const;
  [[nodiscard]] std::string interface(std::uint32_t index) const;
};

// A hook of the run, or why it is not attached.
struct Hook {
  std::string name;    // program: "kernel_state", "wire_ingress"; "kernel", "wire": a whole witness that is off
  std::string target;  // tracepoint or interface; "": of a whole witness
  std::string mode;    // "tp_btf", "xdp-generic", "xdp-native", "tcx", "clsact", "iter", "off"
  std::string why;     // why this mode; what is lost when off
};

// What a run reads, when it does not trace.
struct CaptureSource {
  std::string path;    // "-": standard input
  std::string format;  // "pcapng", "pcap, gzip", ...
  struct Interface {
    std::string name;  // "" where the file has none
    std::uint16_t link_type = 0;
  };
  std::vector<Interface> interfaces;
};

// The first report: what the run traces, or reads.
struct Ready {
  TimeNs ts_ns = 0;
  std::string version;
  std::string kernel;
  std::vector<Hook> hooks;
  std::uint64_t ring_bytes = 0;
  std::optional<CaptureSource> capture;
};

// A witness that was wanted and could not be attached.
[[nodiscard]] inline bool is_missing_witness(const Hook& hook) { return hook.target.empty() && hook.mode == "off"; }
[[nodiscard]] inline std::vector<Hook> missing_witnesses(const Ready& ready) {
  std::vector<Hook> missing;
  for (const Hook& hook : ready.hooks) {
    if (is_missing_witness(hook)) missing.push_back(hook);
  }
  return missing;
}

// What made a state change happen.
struct Cause {
  enum class Kind : std::uint8_t { unknown, segment, call, timer, icmp, reset };
  Kind kind = Kind::unknown;
  EventId id = 0;             // segment, icmp: that event; reset: the kernel's report of a RST that no packet shows
  std::int64_t delay_ns = 0;  // of the event with that id: from its arrival to the transition, never negative (clamped)
  std::string_view what;      // "SYN-ACK", "FIN", "RST", "ACK of FIN"; "connect", "close", "exit", "kill (signal 9)";
                              // "keep-alive", "retransmission", "user timeout", "2MSL"; static storage
  int signal = 0;             // call == exit by signal
};
[[nodiscard]] std::string_view name(Cause::Kind kind);

// The transition that a segment led to (incoming) or that sent it (outgoing).
struct Transition {
  EventId id = 0;
  TcpState from{};
  TcpState to{};
  std::int64_t delay_ns = 0;  // incoming: segment to transition; outgoing: transition to segment
};

// A state that an end must have entered, as nobody but the wire was seen: this segment shows it.
struct InferredState {
  bool peer = false;  // the remote end
  TcpState from{};    // unknown: this is its first event
  TcpState to{};
  bool operator==(const InferredState&) const = default;
};

// A transition of a socket.
struct StateEntry {
  TcpState from{};
  TcpState to{};
  bool inferred = false;  // not shown by the tracepoint (NEW_SYN_RECV, TIME_WAIT): concluded from wire and socket
  Process process;        // of this call; pid 0 where current is no evidence
  Cause cause;
  std::optional<ControlBlock> cb;
};

// A segment, as an interface or a capture has it.
struct SegmentEntry {
  Segment segment{};
  std::uint32_t rel_seq = 0;  // relative to the sender's ISN (SYN is 0); absolute where the ISN is unknown
  std::uint32_t rel_ack = 0;
  bool relative = false;
  // Wireshark's words: "retransmission", "keep-alive", "zero window", ...; behind "retransmission" the kernel's cause,
  // where the kernel reported it: "fast retransmission", "RTO", "tail-loss probe", ...
  std::vector<std::string_view> analysis;
  std::optional<Transition> transition;
  std::vector<InferredState> inferred;  // in the order in which each end enters them
  std::optional<std::uint32_t>
      window_bytes;  // segment.window scaled; empty where the scale is not known (SYN not seen)
};

// The kernel sends a segment again.
struct RetransmitEntry {
  RetransmitKind cause = RetransmitKind::unknown;
  std::uint32_t rel_seq = 0;  // relative to this side's ISN (SYN is 0); absolute where it is unknown
  bool relative = false;
  EventId segment = 0;    // the same segment as the wire saw it leave; 0: not seen
  std::uint32_t len = 0;  // sequence numbers
  int err = 0;            // retransmit_error_unknown where it is not reported
  std::uint32_t rto_us = 0;
  std::uint32_t attempt = 0;  // of this segment, 1 is the first retransmission
};

// The kernel sends a RST, or processes one.
struct ResetEntry {
  // What the wire shows of a RST that the kernel processed.
  enum class Wire : std::uint8_t { not_asked, shows_it, not_watched, shows_data_after_close, shows_none };
  bool sent = false;
  bool has_socket = false;
  bool in_fin_wait2 = false;  // sent by a mini-socket that waited for the peer's FIN
  ResetReason kind{};         // why it was sent
  Wire wire{};                // of one that was taken
  std::string reason;         // the kernel's name; "" where it is not reported
  Process process;
  EventId segment = 0;  // the RST on the wire, or the segment that provoked it; 0: not seen
};
// In words: "the process closed with unread data"; "" where the RST on the wire shows it. Static storage.
[[nodiscard]] std::string_view meaning(const ResetEntry& entry);

// An ICMP error that came in and quotes a segment that this side sent. What TCP made of it other entries show. Or one
// that this machine sent about a segment that came in, or that passed through this machine (forwarded).
struct IcmpEntry {
  IcmpMessage icmp;
  bool sent = false;
  bool passed = false;
  std::uint32_t rel_seq = 0;  // of the quoted segment, relative to its sender's ISN; absolute where it is unknown
  bool relative = false;
  std::uint32_t mtu = 0;  // the next hop's, where the message has it
};

// The process will get an error, or its socket's error queue has something.
struct ErrorEntry {
  int error = 0;                  // errno; 0: the socket has none: see queue
  IcmpMessage icmp;               // the newest entry of the socket's error queue, where that is one
  std::uint8_t queue_origin = 0;  // of that entry, SO_EE_ORIGIN_*; 0: the queue is empty
  bool own_abort = false;         // set by this side's own disconnect, after the end: nothing that the peer did
};

// Who has the local ports towards one destination: counted when connect() found none.
struct PortsEntry {
  std::uint16_t first = 0;  // the range that was looked at
  std::uint16_t last = 0;
  std::uint32_t time_wait = 0;
  std::uint32_t open = 0;
  std::uint32_t listening = 0;
  std::uint32_t others = 0;  // of `open`: of processes that are not listed, or of none
  struct Holder {
    Process process;
    std::uint32_t ports = 0;
  };
  std::vector<Holder> holders;  // the most first
};

// A segment that the kernel dropped.
struct DropEntry {
  bool out = false;           // it was to leave
  bool repeated = false;      // all of it had been received before: nothing is lost
  std::string reason;         // the kernel's name
  DropKind kind{};            // what that means, as far as rules ask for it
  std::uint32_t rel_seq = 0;  // as in SegmentEntry
  std::uint32_t rel_ack = 0;
  bool relative = false;
  std::uint32_t len = 0;  // payload bytes
  std::uint8_t flags = 0;
  EventId segment = 0;  // the same segment as the wire saw it; 0: not seen
};

// A keep-alive probe or the answer to it, or the end of waiting.
struct KeepaliveEntry {
  enum class What : std::uint8_t { sent, received, answered, gave_up };
  What what{};
  std::uint32_t probe = 0;   // this one's number in the unanswered run, from 1
  std::uint32_t probes = 0;  // configured limit; 0: not known
  std::uint32_t time_ms = 0;
  std::uint32_t intvl_ms = 0;
  TimeNs dead_at_ns = 0;  // when the kernel will declare the peer dead if nothing comes; 0: not known
  EventId segment = 0;
};

// A zero-window probe.
struct ProbeEntry {
  bool sent = false;
  std::uint32_t probe = 0;
  std::uint32_t unsent_bytes = 0;  // write_seq - snd_nxt: what waits
  EventId segment = 0;
};

// A process was seen using the connection for the first time, or still has it open in CLOSE_WAIT.
struct OwnerEntry {
  Process process;
  std::int32_t fd = -1;  // which descriptor is still open; -1: it was seen using it
};

// How the connection sent at some moment: nothing happened, somebody looked.
struct SampleEntry {
  Sample sample{};
};

// One line of a timeline. `id` is the event's, which findings and other entries point to.
struct Entry {
  ConnectionId conn = 0;  // 0: belongs to no connection (stray)
  EventId id = 0;
  TimeNs ts_ns = 0;
  Flow flow;
  std::variant<StateEntry, SegmentEntry, RetransmitEntry, ResetEntry, ErrorEntry, DropEntry, KeepaliveEntry, ProbeEntry,
               OwnerEntry, PortsEntry, IcmpEntry, SampleEntry>
      body;
  std::optional<Flow> nat{};  // as in Life
};

// A finding when it is made, which its connection's Life has again; or one that belongs to no connection (conn 0).
struct FindingReport {
  ConnectionId conn = 0;
  TimeNs ts_ns = 0;
  Flow flow;
  Finding finding;
  std::optional<Flow> nat{};  // as in Life
};

// Events were lost here.
struct GapReport {
  TimeNs ts_ns = 0;
  Gap gap;
};

// What is counted of a run that goes on. Of the kernel's counters: so far.
struct Totals {
  std::uint64_t events = 0;      // received
  std::uint64_t lost = 0;        // found no room in the ring
  std::uint64_t skipped = 0;     // the kernel did not run the program
  std::uint64_t malformed = 0;   // could not be decoded
  std::uint64_t flows_full = 0;  // flows that gave way, and of which segments went uncounted
  std::uint64_t unlisted = 0;    // half-open connections that were too many to be reported one by one
};

// A connection that goes on, as it is now. Empty: these were all.
struct Interim {
  TimeNs ts_ns = 0;
  std::optional<Life> life;
  std::optional<Totals> totals{};  // with the last of them, where they are asked for
};

// What was written while recording.
struct RecordingTotals {
  std::string file;          // the newest
  std::uint32_t files = 0;   // begun, those included that --keep has removed
  std::uint64_t blocks = 0;  // in all of them
  std::uint64_t bytes = 0;
  std::uint64_t lost_blocks = 0;       // could not be written
  std::uint64_t dropped_early = 0;     // events that a flight recorder had no memory for
  std::optional<std::uint64_t> fired;  // of a flight recorder: findings that it wrote for
  bool failed = false;                 // something could not be created or written at some time
};

// What was read of a capture.
struct CaptureTotals {
  std::uint64_t frames = 0;
  std::uint64_t segments = 0;  // TCP segments in them that were selected
  std::uint64_t conversations = 0;
  std::uint64_t dropped = 0;  // packets that were dropped when it was captured, as far as it counts them (pcapng)
  std::uint64_t cut = 0;      // TCP segments that it holds too little of: their header ends before its window
  bool filtered = false;      // by an expression, ports or hosts
  std::string damage;         // why the file could not be read to its end; "" where it could
};

// The last report: what there was. Counts of the whole run.
struct Summary {
  TimeNs ts_ns = 0;
  std::uint64_t connections = 0;                         // lives reported
  std::optional<std::uint64_t> chosen{};                 // of these, printed: where not all are
  std::array<std::uint64_t, event_kind_count> events{};  // by EventKind
  std::uint64_t lost = 0;                                // records that found no room
  std::uint64_t drops = 0;                               // segments that a rule counts as a fault when dropped
  std::uint64_t malformed = 0;                           // records that could not be decoded
  std::uint64_t flows_full = 0;
  std::uint64_t unaccounted = 0;  // |tried - received - lost|: not zero is a bug in us
  std::uint64_t unwritten = 0;    // lines of output that a slow reader has cost
  std::uint64_t untracked = 0;    // segments that would have begun a connection while too many were half-open
  std::uint64_t missed = 0;       // lives that lack a transition which is in no counter of losses
  std::uint64_t unlisted = 0;     // half-open connections that were too many to be reported one by one
  std::uint64_t given_up = 0;  // forwarded connections that were followed no longer, as nothing passed or room lacked
  std::vector<Hook> missing;   // witnesses that were wanted and could not be attached
  std::optional<RecordingTotals> recording;
  std::optional<CaptureTotals> capture;
};

// Each owns what it holds; views are of static storage or of Names.
using Report = std::variant<Ready, Entry, FindingReport, Life, GapReport, Summary, Interim>;
using Reports = std::vector<Report>;

}  // namespace tcpwitness
