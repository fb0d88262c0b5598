// SPDX-License-Identifier: Apache-2.0
// teardown.hpp: the end of a connection: both FINs, the states behind ESTABLISHED, who closed.
#pragma once

#include <cstdint>
#include <optional>

#include "facts/evidence.hpp"
#include "facts/owner.hpp"
#include "facts/recycled.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness {

// One of the two FINs and the segment that acknowledged it.
struct FinFacts {
  Mark sent;
  Mark acked;             // the first segment whose ack covers the FIN
  std::uint32_t end = 0;  // the sequence number after the FIN
  std::uint32_t seq = 0;  // of the FIN itself: end - 1
  bool ahead = false;     // something before it was missing when it came
  bool repeated = false;  // it came again
  Mark beyond;            // a segment with payload where it had ended the stream: no TCP sends both
};

// A segment that came ended it, and no event of the kernel shows that. TCP may never have got it.
struct InferredEnd {
  Mark segment;
  std::uint32_t seq_end = 0;  // the number behind it
  Mark before;                // Teardown::end before it
};

// From the first sign of the end.
struct Teardown : Recycled<Teardown> {
  FinFacts fin_out;
  FinFacts fin_in;
  Mark first;       // the transition out of ESTABLISHED
  Mark close_wait;  // ESTABLISHED -> CLOSE_WAIT
  Mark left_close_wait;
  Mark closing;                           // FIN_WAIT1 -> CLOSING: the peer's FIN came
  Mark time_wait;                         // entered TIME_WAIT (inferred)
  Mark end;                               // the last transition: ... -> CLOSE
  TcpState end_from = TcpState::unknown;  // the state that the socket left
  std::uint8_t end_actor = 0;             // ActorFlag of that event
  std::uint8_t first_actor = 0;           // same of the transition out of ESTABLISHED
  bool end_shown = false;                 // a state event showed it (not only the socket's destruction)
  bool destroyed = false;                 // behind its end: its process makes no report any more
  bool descriptor_requested = false;      // LiveCorrelator::wants_descriptors
  Mark descriptor;                        // the newest event that shows a process with it open in CLOSE_WAIT
  Owner holder;                           // which process, pid 0: several
  std::int32_t fd = -1;                   // and which descriptor of it
  std::uint32_t idle_ms = 0;              // since it last sent data, at that event
  std::uint32_t sent = 0;                 // write_seq when CLOSE_WAIT began
  bool sent_known = false;
  bool by_reset = false;            // only the wire was seen: a RST ended it
  bool mini_fin_wait2 = false;      // became a mini-socket without the peer's FIN
  bool fin_on_mini = false;         // the peer's FIN reached a mini-socket in FIN_WAIT2
  bool time_wait_full = false;      // no TIME_WAIT, as the kernel allows no more; SocketDetail::time_wait_full
  bool time_wait_answered = false;  // the ACK of that FIN left from a mini-socket that was in TIME_WAIT
  std::uint32_t end_pid = 0;        // the process that acted at the end, where it is known
  Owner closer;                     // the process whose call, or whose death, closed this side
  bool no_syn = false;              // SYN_SENT was left without a SYN ever made, and not by close()
  bool port_bound = false;          // then: bind() had chosen the port
  bool own_range = false;           // then: the range is the socket's own (IP_LOCAL_PORT_RANGE)
  bool port_chosen = false;         // then: it had one all the same, or an earlier connect() has left its own
  std::uint16_t first_port = 0;     // then: the ports to choose from
  std::uint16_t last_port = 0;
  Mark fin_wait2;                     // FIN_WAIT1 -> FIN_WAIT2
  std::uint64_t fin_wait2_bytes = 0;  // bytes_received then, or when data was last seen to come
  TimeNs fin_wait2_quiet_ns = 0;      // since when nothing is known to have come
  TimeNs closed_both_ns = 0;          // since when its process is known to have closed both directions
  bool close_wait_found = false;      // a list of the sockets showed that state: it may have begun before
  bool fin_wait2_found = false;       // likewise; or that both directions were closed
  std::int64_t fin_timeout_ns = 0;    // of the orphan that waits in FIN_WAIT2; 0: not known
  InferredEnd inferred_end;
  Mark fin_dropped;                   // the peer's FIN came, and was dropped before TCP: the first time
  Mark fin_wait2_seen;                // the newest event that shows it still there
  Mark fin_wait2_left;                // no packets are seen; the kernel's list did not have it any more before its time
  bool fin_wait2_requested = false;   // LiveCorrelator::wants_fin_wait2
  bool not_closing_reported = false;  // peer-not-closing was reported
  int signal = 0;                     // that ended the process which ended the connection

  // connect() failed for want of a local port.
  [[nodiscard]] bool found_no_port() const { return no_syn && !port_chosen; }
  // write_seq: then, where it is known.
  void enter_close_wait(const Mark& mark, std::optional<std::uint32_t> write_seq) {
    close_wait = mark;
    sent = write_seq.value_or(0);
    sent_known = write_seq.has_value();
  }
  void infer_end(const Mark& segment, std::uint32_t seq_end) { inferred_end = {segment, seq_end, end}; }
  // What its process has closed by then; bytes_received by then.
  void enter_fin_wait2(const Mark& mark, std::uint64_t bytes_received, bool both_directions) {
    fin_wait2 = mark;
    fin_wait2_bytes = bytes_received;
    fin_wait2_quiet_ns = mark.ts_ns;
    if (both_directions) close_both(mark.ts_ns, bytes_received);
  }
  // In FIN_WAIT2: from here on nothing but the peer's FIN can come. False: that was known.
  bool close_both(TimeNs ts, std::uint64_t bytes_received) {
    if (!fin_wait2 || closed_both_ns != 0) return false;
    closed_both_ns = ts;
    fin_wait2_quiet_ns = ts;
    fin_wait2_bytes = bytes_received;
    fin_wait2_requested = not_closing_reported = false;  // another wait begins
    return true;
  }
};

}  // namespace tcpwitness
