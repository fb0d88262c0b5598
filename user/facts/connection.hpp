// SPDX-License-Identifier: Apache-2.0
// connection.hpp: what is known of one connection while it lives: facts, no judgements.
//
// Correlation writes it, the rules in judge/ read it. It is kept small, because there may be a million
// idle ones: what only some connections need (Teardown, Anomalies, Recent) is allocated when it happens.
// A fact is set only by an event that shows it; nothing here follows from silence.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "facts/anomalies.hpp"
#include "facts/evidence.hpp"
#include "facts/from_peer.hpp"
#include "facts/inferred_ends.hpp"
#include "facts/owner.hpp"
#include "facts/recent.hpp"
#include "facts/recycled.hpp"
#include "facts/teardown.hpp"
#include "tcpwitness/connection.hpp"
#include "tcpwitness/event.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

// What a connection waits for; each has one fixed delay, see table.hpp.
enum class Wait : std::uint8_t {
  none,
  settle,             // ended: stragglers of the end may still come
  late_report,        // settled, but for a report of the kernel that must come
  unanswered_syn,     // a SYN came, no SYN-ACK yet; looked at again while the peer may still repeat it
  request,            // half-open request socket
  fin_wait2,          // the peer has not closed: looked at once a second, for peer-not-closing and the orphan's timeout
  close_wait,         // close-wait-stuck
  ports,              // connect() found no local port: who has them?
  wire_connect,       // wire alone: SYN without an answer
  gone,               // a list of all sockets has not shown it any more
  forwarded_attempt,  // its handshake is not over
  forwarded_closing,  // an end has closed, or one direction alone comes through here
  forwarded_open,
  forwarded_count,  // its time is up, unless its newest counters show that something came
  forwarded_ended,  // over, and the last counters of its hops are asked for
  unsent_syn,       // given up, and no interface has shown its SYN: the kernel may still report why it never left
  outsider,         // ended by a RST that may be somebody else's, or by an ICMP error: does the other side go on?
  tombstone,        // reported; late events must not bring it back
  time_wait,        // reported, and its mini-socket may still answer (timeline only)
  count,
};

// The window scale option of one side's SYN.
inline constexpr std::uint8_t wscale_unknown = 0xff;  // its SYN was not seen, or was cut
inline constexpr std::uint8_t wscale_absent = 0xfe;

// What few connections have.
struct SeldomFacts : Recycled<SeldomFacts> {
  std::optional<Flow> nat;
  std::optional<PayloadTimes> payload;  // as they were when the socket went away, or was looked at
};

// By what the table finds it.
struct Bound {
  bool cookie : 1 = false;
  bool flow : 1 = false;
};

// How it was opened.
struct Opening {
  bool preexisting : 1 = false;  // before the run began
  bool established : 1 = false;
  bool answered : 1 = false;     // a SYN-ACK was seen
  bool by_write : 1 = false;     // Fast Open (RFC 7413): connect() sent nothing, the first write its SYN
  bool restored : 1 = false;     // connect() under TCP_REPAIR: no handshake, the connection was another socket's
  bool port_reused : 1 = false;  // its SYN found another connection on its address pair
};

// Which witness has shown anything of it.
struct SeenBy {
  bool kernel : 1 = false;
  bool wire : 1 = false;
};

// How far its state is known by the kernel's transitions.
struct TransitionFacts {
  bool from_snapshot : 1 = false;  // the state comes from the list of sockets; no state event yet
  bool in_step : 1 = false;        // a state event has shown it: the next one begins there
  bool inconsistent : 1 = false;   // one does not follow from the state we knew
  bool rival : 1 = false;          // another child of its request was closed, and is destroyed next
};

// How far the newest wire counters can be believed.
struct TotalsFacts {
  bool final : 1 = false;           // nothing can follow them
  bool at_destruction : 1 = false;  // they came with the socket's destruction
  bool has_fragments : 1 = false;   // IP fragments: what is behind the first one has no numbers
  bool restarted : 1 = false;       // the flow map forgot the flow meanwhile: they are not all
};

// The initial sequence numbers (ISN), where a SYN, a SYN-ACK or the kernel has shown them.
struct InitialNumbers {
  std::uint32_t local = 0;
  std::uint32_t remote = 0;
  bool has_local : 1 = false;
  bool has_remote : 1 = false;
};

// What looking one up and forgetting it needs comes first: one that waits is in no cache, and comes line by line.
struct Connection {
  ConnectionId id = 0;
  std::uint64_t cookie = 0;
  Flow flow;
  std::unique_ptr<Teardown> teardown;
  std::unique_ptr<Anomalies> anomalies;
  std::unique_ptr<Recent> recent;
  std::unique_ptr<InferredEnds> inferred;
  std::unique_ptr<SeldomFacts> seldom;
  std::uint16_t error = 0;                   // errno
  std::uint16_t last_window_local = 0xffff;  // as last advertised (unscaled), SYN excluded
  std::uint16_t last_window_peer = 0xffff;
  std::uint8_t wscale_local = wscale_unknown;
  std::uint8_t wscale_peer = wscale_unknown;
  std::array<TcpState, 10> states{};
  std::uint8_t state_count = 0;
  FromPeer from_peer;
  TcpState state = TcpState::unknown;
  Role role = Role::unknown;
  Outcome reported_as = Outcome::unknown;  // once reported
  ClosedBy closed_by = ClosedBy::none;
  // No facts of the connection, but of what this run keeps and knows of it.
  bool live : 1 = false;        // slot in use
  bool reported : 1 = false;    // its Life was reported
  bool expired : 1 = false;     // because its time was up, not because its end was seen
  bool incomplete : 1 = false;  // events of it may be missing
  SeenBy seen_by;
  Bound bound;
  Opening opening;
  TransitionFacts transitions;
  TotalsFacts totals;
  std::int64_t handshake_ns = -1;
  InitialNumbers isn;
  std::uint32_t gap_serial = 0;  // gaps seen when it began
  std::uint32_t netns = 0;
  TimeNs start_ts_ns = 0;
  TimeNs last_ts_ns = 0;
  Mark syn;      // the SYN that began it
  Mark syn_ack;  // the first one
  Owner owner;
  WireCounters wire{};  // newest
  ControlBlock cb{};    // newest

  Teardown& ensure_teardown() {
    if (!teardown) teardown = std::make_unique<Teardown>();
    return *teardown;
  }
  Anomalies& ensure_anomalies() {
    if (!anomalies) anomalies = std::make_unique<Anomalies>();
    return *anomalies;
  }
  // The flow's totals, newest.
  void take_counters(const WireCounters& counters, const LossCounters& loss) {
    constexpr LossCounters nothing{};
    wire = counters;
    if (anomalies || std::memcmp(&loss, &nothing, sizeof loss) != 0) ensure_anomalies().loss = loss;
  }
  void take_counters(EventId event, const WireCounters& counters, const LossCounters& loss) {
    if (loss.stalls > (anomalies ? anomalies->loss.stalls : 0)) ensure_anomalies().stalls.add(event);
    take_counters(counters, loss);
  }
  // A segment's window in bytes; -1: the SYNs that settle its scale were not seen.
  [[nodiscard]] std::int64_t window_bytes(const Segment& g, bool out) const;
  void set_nat(const Flow& translated) {
    if (!seldom) seldom = std::make_unique<SeldomFacts>();
    seldom->nat = translated;
  }
  void set_payload(const std::optional<PayloadTimes>& times) {
    if (!times && !seldom) return;
    if (!seldom) seldom = std::make_unique<SeldomFacts>();
    seldom->payload = times;
  }
  // As on the wire, where that is not `flow`; forwarded: on the server's side.
  [[nodiscard]] std::optional<Flow> on_the_wire() const { return seldom ? seldom->nat : std::nullopt; }
  [[nodiscard]] ForwardedFacts* forwarded() const { return inferred ? inferred->forwarded.get() : nullptr; }
  [[nodiscard]] bool ended() const { return teardown && teardown->end; }
  [[nodiscard]] bool has_cb() const { return was_read(cb); }
  void enter(TcpState to) {
    if (state_count < states.size()) states[state_count++] = to;
    state = to;
  }
};

}  // namespace tcpwitness
