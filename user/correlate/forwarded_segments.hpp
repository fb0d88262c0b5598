// SPDX-License-Identifier: Apache-2.0
// forwarded_segments.hpp: what a segment shows of the connection that it passes through this machine on: facts of the
// hop, what came in and has not left yet, and what its sender sent.
//
// Each takes the segment as it is on its hop; out: from the client to the server.
#pragma once

#include "facts/connection.hpp"
#include "facts/hop_numbers.hpp"
#include "tcpwitness/event.hpp"

namespace tcpwitness {

// Counters, flags and the handshake's round trip of the hop. leaves: it goes out on it.
void note_hop(HopFacts& hop, const Event& e, const Segment& g, bool leaves, bool is_client);
// It comes in. left: it was seen only when it left.
void arrives(ForwardedFacts& forwarded, const Event& e, const Segment& g, bool out, bool left);
// The same segment when it came in, if it has not left yet; nullptr: it is not known.
[[nodiscard]] Arrival* find_arrival(ForwardedFacts& forwarded, const Segment& g, bool out);
// It leaves a second time, at once: a copy for a mirror port, or a RST that a stacked device shows again, for that has
// no echo in the flow map (bpf/flow.h).
[[nodiscard]] bool leaves_again(ForwardedFacts& forwarded, const Event& e, const Segment& g, bool out);
// It leaves. True: it is new to the rules of the wire.
// own: with the hop's own addresses, so that its counters are the hop's.
[[nodiscard]] bool departs(ForwardedFacts& forwarded, unsigned hop, const Event& e, Segment& g, bool out, bool own);
// Of each side the newest number that it sends again, until the other one acknowledges it.
void note_again(ForwardedFacts& forwarded, const Event& e, const Segment& g, bool out);
// What the senders sent, by the hop where it came in; by the other one where that has more: its counters began anew.
void take_sent(const ForwardedFacts& forwarded, Segment& g);

}  // namespace tcpwitness
