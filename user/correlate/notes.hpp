// SPDX-License-Identifier: Apache-2.0
// notes.hpp: what single events add to a connection's facts, beside its states: queues, hops, reactions.
//
// Each is one function of one event, called from the place that handles it. They keep nothing for the
// healthy connection: Anomalies is allocated only where a rule may want to look.
#pragma once

#include "correlate/emitter.hpp"
#include "facts/connection.hpp"
#include "facts/derived.hpp"
#include "facts/measures.hpp"

namespace tcpwitness {

// queues.cpp: a passive connection's SYNs, SYN-ACKs and last ACK beside the queues of the listener.
void note_queues(Connection& c, const Event& e, const Segment& g, bool out);
// The listener has room for the SYN that comes with this view, and answers it with a request socket.
[[nodiscard]] bool has_room(const SocketView& listener);

// drop_events.cpp: a segment that came in, all of which the socket had before.
void note_received_before(Connection& c, const Segment& g, bool out);
void add_drop(Drops& drops, const Event& e, const Drop& d, bool out);

// ttl.cpp: TTL of what comes in, and what comes behind a RST.
void note_ttl(Connection& c, const Event& e, const Segment& g, bool out);

// reactions.cpp: how long the kernel needed for what came in, and the process for what the kernel has.
void note_reaction(Connection& c, const Event& e, const StateChange& s, std::int64_t late_ns);
void note_unaccepted(Connection& c, const Event& e, const ControlBlock& cb, std::int64_t slow_ns);
void note_first_call(Connection& c, const Event& e, const OwnerSeen& o, std::int64_t slow_ns);

// measures.cpp: of a comparison.
void note_measures(Measures& measures, TimeNs ts_ns, const Segment& segment, bool out);
void note_measures(Measures& measures, const SocketDestroyed& destroyed);
void note_measures(Measures& measures, const OwnerSeen& owner);
// It is found, with the counters that it has now.
void note_first_look(Measures& measures, const Connection& found);

// The socket's own view came with the segment and shows that TCP will not take it: it changes nothing.
[[nodiscard]] inline bool refused_by_socket(const Segment& g) { return g.refused > Refusal::old; }
// RFC 5961, 3.2: TCP takes a RST with the number that it waits for, and answers any other one in its window by a
// challenge ACK. What came before may not be processed yet when the socket is asked: one with a higher number is
// refused for sure only beyond all that its sender was seen to send.
[[nodiscard]] inline bool is_challenged(const Segment& g) {
  const SocketView& socket = g.socket;
  const bool asked = (g.flags & tcp_flag::rst) != 0 && !g.outgoing() && socket.type == SocketKind::full;
  if (!asked || socket.state == TcpState::syn_sent || takes_reset(socket.state, socket.rcv_nxt, g.seq)) return false;
  return seq_before(g.seq, socket.rcv_nxt) || g.is(SegmentEvent::out_of_order);
}

// A segment as the analysis of the wire takes it.
[[nodiscard]] inline SeenSegment seen_segment(TimeNs ts_ns, const Segment& g) {
  return {ts_ns, g.seq, g.ack, g.len, g.window, g.flags, g.options, g.wscale, 0};
}
// probes.cpp: keep-alives and zero-window probes, which are entries, too; windows that close and open.
void note_probe(Emitter& emitter, Connection& c, const Event& e, const Segment& g, bool out);
void note_windows(Connection& c, const Event& e, const Segment& g, bool out);
// An answer to our keep-alive that came, and that TCP does not take by its numbers; one for each probe.
void note_refused_answer(Connection& c, const Segment& g, bool out);
// The kernel gives a silent peer up, by its probes or by TCP_USER_TIMEOUT: what seemed to answer its newest probe was
// not taken, or it would count none.
void note_given_up(Connection& c, const ControlBlock& cb);
// The newest answer was none.
void take_back_answer(KeepaliveFacts& k);
// Wireshark's words for a segment; c may be null.
[[nodiscard]] std::vector<std::string_view> analysis_words(const Connection* c, const Segment& g, bool out,
                                                           bool analysed, TimeNs now);

}  // namespace tcpwitness
