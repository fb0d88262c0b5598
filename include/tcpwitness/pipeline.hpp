// SPDX-License-Identifier: Apache-2.0
// pipeline.hpp: the stages and what flows between them.
//
//   Source --bytes--> Decoder --Event--> Correlator (correlate, judge) --Report--> Sink
//
// Every arrow is a value; no stage depends on its successor: whoever uses them joins them. Nothing here does
// I/O (but a Sink), owns a thread or reads a clock: time comes from events and from advance().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tcpwitness/event.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

// Turns records (event_abi.h) into events: checks kind, version and size, numbers them, moves them to the run's clock,
// and turns growing loss counters into Gap events placed where the loss happened. The events own what they hold: the
// record may go. Not for two threads at once, as nothing of this file is. The library has no source of records: the
// program tcpwitness reads them from the ring of its BPF programs. Who reads captures needs none of it (capture.hpp).
class Decoder {
 public:
  // offset_ns: the run's clock minus the records' (CLOCK_MONOTONIC), see wall_clock.hpp. started_ns: no event is older;
  // a gap that a CPU's very first record reports begins there. 0: not known.
  explicit Decoder(std::int64_t offset_ns, TimeNs started_ns = 0) : offset_ns_(offset_ns), started_ns_(started_ns) {}

  // Appends zero to two events (a gap, the event). A malformed record is counted and yields none.
  void decode(std::span<const std::byte> record, std::vector<Event>& out);

  // Losses that no later record reported: per-CPU totals as read from the kernel at the end.
  void account(std::uint32_t cpu, std::uint64_t lost_total, TimeNs now, std::vector<Event>& out);

  // Events that no record stands for: runs of programs that the kernel skipped, in all so far, since the time `from`.
  void skipped(std::uint64_t total, TimeNs from, TimeNs now, std::vector<Event>& out);
  // Since `from` an interface may not have been traced.
  void untraced(TimeNs from, TimeNs now, std::vector<Event>& out) const;

  // Malformed records, so far.
  [[nodiscard]] std::uint64_t malformed() const { return malformed_; }
  // Events, as the kernel counts them: a digest is as many as it was counted as.
  [[nodiscard]] std::uint64_t received() const { return received_; }
  // Events that are in its Gaps, all of them, and without those that the kernel skipped.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] std::uint64_t lost_in_ring() const { return lost_ - skipped_; }

 private:
  struct Cpu {
    std::uint32_t lost = 0;  // as reported by the newest record
    TimeNs last_ts_ns = 0;
  };
  [[nodiscard]] TimeNs gap_start(TimeNs last_ts_ns, TimeNs now) const;

  std::int64_t offset_ns_;
  TimeNs started_ns_;
  EventId next_id_ = 1;
  std::vector<Cpu> cpus_;
  std::uint64_t malformed_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t skipped_ = 0;
};

// Which reports are made.
struct ReportSettings {
  bool timeline = false;         // make Entry reports (trace)
  bool states = false;           // without a timeline: make Entry reports of state changes, each at once (record)
  bool finding_reports = false;  // make FindingReport reports
  bool explain = false;          // fill Life.explanation
  bool compare = false;          // fill Life.comparison
  bool open_findings = false;    // FindingReports of open connections within seconds
  bool reworded = true;          // with open_findings: once more at the end if its sentence is another one by then
  bool counted = false;          // Entry reports of drops and keep-alives, without a timeline too
};

// What is known of a run before its first event. A recording keeps it, so that its reading judges the same.
struct RunSettings {
  bool has_kernel = true;                             // the kernel witness is attached
  bool has_wire = true;                               // the wire witness is attached
  bool every_segment = false;                         // no segment is left out: the whole conversation can be analysed
  bool forwarded = false;                             // connections that only pass through this machine, too
  bool every_interface = true;                        // no interface was left out: what passes here shows twice
  std::int64_t hold_ns = 40'000'000;                  // how long an incoming segment waits for the transition it causes
  std::int64_t close_wait_stuck_ns = 10'000'000'000;  // CLOSE_WAIT for longer is a finding
  std::uint32_t pid = 0;                              // only connections of this process; 0: all
  std::string comm;                                   // only connections of processes with this name; "": all
};

struct CorrelatorSettings : ReportSettings, RunSettings {
  bool capture = false;                            // reading a capture: a connection ends at its ConversationEnd
  std::int64_t slow_handshake_ns = 1'000'000'000;  // SYN to SYN-ACK, or SYN-ACK to ACK
  std::int64_t slow_accept_ns = 1'000'000'000;     // waited for accept(), or with payload for the first read
  std::int64_t late_ns = 100'000'000;              // from a segment's arrival to the transition that it causes
  // A SYN flood costs no more memory than this many connections that are only half-open; without the kernel, a flood of
  // anything no more than that many connections. A connection that is accepted after all is reported all the same.
  std::size_t half_open_limit = 65'536;
  std::size_t wire_alone_limit = 1'000'000;
  // Forwarded connections: all, and those of them that nobody has answered yet. Beyond it the oldest gives way.
  std::size_t forwarded_limit = 131'072;
  std::size_t forwarded_attempt_limit = 32'768;
  // Conditions, null: none. The second is asked of the socket's addresses and of what NAT makes of them: it
  // is enough that one form meets it, but both must meet one that excludes ("not port 80").
  std::function<bool(const Process&)> of_process;
  std::function<bool(const Flow&)> of_flow;
  bool flow_excludes = false;
};

// Correlates events into connections, explains each witness by the other, and judges. Movable; a moved-from one may
// only be destroyed or assigned to. It trusts no event: whatever is in a record or a capture, it neither fails nor
// grows without bound.
class Correlator {
 public:
  // `names` is kept by reference, and must live as long as this.
  Correlator(CorrelatorSettings settings, const Names& names);
  ~Correlator();
  Correlator(Correlator&&) noexcept;
  Correlator& operator=(Correlator&&) noexcept;

  // Events in ring order. Reports are appended to out.
  void feed(const Event& event, Reports& out);
  // Time passes: releases held entries, fires findings that need time, expires what is over.
  // now never runs backwards (an earlier value is taken as the latest known).
  void advance(TimeNs now, Reports& out);
  // Before this time advance() has nothing new, unless an event is fed.
  [[nodiscard]] TimeNs due() const;
  // The run is over: reports the connections that are still open.
  void finish(TimeNs now, Reports& out);

  // There is a wanted connection that has not ended.
  [[nodiscard]] bool any_open() const;

  // The wanted connections that have not ended, each as if the run ended here. (Their counters are those of the newest
  // SocketFound.) Not those that are only half-open, nor forwarded ones.
  void so_far(TimeNs now, const std::function<void(Life)>& take);
  // One of them, with its words. Empty: it has ended, or is not wanted.
  [[nodiscard]] std::optional<Life> so_far_of(ConnectionId conn, TimeNs now);
  // Lives reported and events seen so far; the rest is for the caller to fill in.
  [[nodiscard]] Summary summary() const;

 protected:
  friend class Prefetch;  // of this library alone, like Impl
  class Impl;
  std::unique_ptr<Impl> impl_;
};

using Witness = Correlator;  // former names, until the next release
using WitnessSettings = CorrelatorSettings;

// The last stage: prints, stores or counts reports.
class Sink {
 public:
  virtual ~Sink() = default;
  // Takes one report, in their order. It keeps no reference to it.
  virtual void write(const Report& report) = 0;
  // Hands everything written so far to the operating system. False: nobody reads any more (EPIPE) or the disk is full.
  [[nodiscard]] virtual bool flush() = 0;
};

}  // namespace tcpwitness
