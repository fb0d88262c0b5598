/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow.h: what the wire's segments show of a flow, and which segments are events.
 *
 * One lookup in a bounded map for each segment. The same rules hold for both directions. A segment that would change
 * anything but the counters counts only if its socket, where there is one, takes it (receiver.h).
 * Sequence arithmetic is modulo 2^32 (RFC 9293, section 3.4).
 */
#ifndef TCPWITNESS_FLOW_H
#define TCPWITNESS_FLOW_H

#include "config.h"
#include "maps.h"
#include "parse.h"
#include "receiver.h"
#include "reordering.h"
#include "stacked_copy.h"
#include "times.h"

#define INCOMING 0
#define OUTGOING 1

#define SYN_SEEN 1
#define SYN_ACK_SEEN 2
#define HANDSHAKE_DONE 3

/* How much of the payload lies at or below the highest sequence number seen. */
static __always_inline __u32 payload_again(const struct tw_half *me, const struct frame *frame)
{
	__s32 behind = seq_distance(frame->seq + ((frame->flags & TCP_SYN) != 0), me->nxt);

	if (!me->seen || behind <= 0)
		return 0;
	return (__u32)behind < frame->payload ? (__u32)behind : frame->payload;
}

static __always_inline void count_segment(struct tw_half *me, const struct frame *frame)
{
	__sync_fetch_and_add(&me->segs, frame->segments);
	__sync_fetch_and_add(&me->bytes, frame->payload);
}

/* How many of a GSO or GRO packet's wire segments hold the `again` bytes of it that were seen before. */
static __always_inline __u32 segments_again(const struct frame *frame, __u32 again)
{
	if (frame->segments <= 1 || again >= frame->payload)
		return frame->segments;
	return (again * frame->segments + frame->payload - 1) / frame->payload;
}

/*
 * A keep-alive may carry a byte that was sent before, and TCP may refuse payload: these bytes count, the segment is no
 * retransmission.
 */
static __always_inline void count_again(struct tw_flow *flow, const struct frame *frame, __u32 again,
					bool retransmission)
{
	__u32 segments = retransmission ? segments_again(frame, again) : 0;

	if (frame->outgoing) {
		__sync_fetch_and_add(&flow->half[OUTGOING].retrans_bytes, again);
		__sync_fetch_and_add(&flow->loss.retrans_segs_out, segments);
	} else {
		__sync_fetch_and_add(&flow->half[INCOMING].retrans_bytes, again);
		__sync_fetch_and_add(&flow->loss.retrans_segs_in, segments);
	}
}

static __always_inline void count_reordered(struct tw_loss_counters *loss, const struct frame *frame)
{
	__sync_fetch_and_add(frame->outgoing ? &loss->reordered_segs_out : &loss->reordered_segs_in, frame->segments);
}

/* Another connection on the same addresses, which stay translated, and a socket's of this machine. */
static __always_inline void clear_flow(struct tw_flow *flow)
{
	__builtin_memset(&flow->loss, 0, sizeof(flow->loss));
	__builtin_memset(flow->half, 0, sizeof(flow->half));
	__builtin_memset(&flow->times, 0, sizeof(flow->times));
	flow->firsts = 0;
	flow->orphaned = 0;
	flow->foreign = 0;
	flow->strays = 0;
	flow->held = 0;
	flow->syn_at = 0;
	flow->round_trip = 0;
	flow->cookie = 0;
	flow->syn_held = 0;
}

/*
 * A SYN or SYN-ACK. Another initial sequence number is another connection on the same address pair. Where both sides
 * connect at once each sends a SYN and then a SYN-ACK with the same number: no retransmission.
 */
__noinline __u32 see_syn(struct tw_flow *flow, struct tw_half *me, const struct frame *frame)
{
	__u32 end;
	__u16 event_flags = TW_EVENT_SYN;

	if (!flow || !me || !frame)
		return 0;
	end = frame_seq_end(frame); /* Fast Open: data in the SYN counts, and may be missing the next time */

	if (me->syn && me->isn == frame->seq) {
		if (!(frame->flags & TCP_ACK) || me->syn != SYN_SEEN)
			event_flags |= TW_EVENT_RETRANSMISSION;
		if (seq_distance(me->nxt, end) < 0)
			end = me->nxt;
	} else {
		if (me->seen && !(frame->flags & TCP_ACK))
			clear_flow(flow);
		me->syn = SYN_SEEN;
	}
	if (frame->flags & TCP_ACK) {
		me->syn = SYN_ACK_SEEN;
		me->zero_window = frame->window == 0; /* a firewall that answers first (SYNPROXY), a tarpit */
	}
	me->seen = 1;
	me->isn = frame->seq;
	me->nxt = end;
	return event_flags;
}

/* What carries no new payload, or payload that its receiver may not take. */
#define NOT_NEW (TW_EVENT_KEEPALIVE | TW_EVENT_RETRANSMISSION | TW_EVENT_WINDOW_PROBE)

/* Payload of the last wire segment in it. */
static __always_inline __u32 last_payload(const struct frame *frame)
{
	__u32 before = (frame->segments - 1) * frame->segment_size;

	return before < frame->payload ? frame->payload - before : frame->payload;
}

/*
 * What a retransmission of the newest segment would be known by, if that was a single byte: it is as long, and has the
 * same PSH flag.
 */
static __always_inline __u8 as_single_byte(const struct frame *frame)
{
	return last_payload(frame) == 1 ? TCP_ACK | (frame->flags & TCP_PSH) : 0;
}

/* A keep-alive or a probe comes after silence: a second at least, an RTO (200 ms at least) into a closed window. */
#define PROBE_SILENCE_MS 150

static __always_inline bool is_handshake_done(const struct tw_half *me, const struct tw_half *peer)
{
	return me->syn == HANDSHAKE_DONE || peer->syn == HANDSHAKE_DONE;
}

/*
 * The number before the next one, again: keep-alive (RFC 9293, 3.8.4: SND.UNA - 1) or zero-window probe. That number is
 * acknowledged, so where no socket settles it the ACK that its receiver sent does: an ACK that a one-byte segment has
 * overtaken has the same form. Where no payload was sent it is the number of the SYN, in FIN_WAIT2 that of the FIN,
 * which other segments repeat too: a socket must settle that, or a handshake that is done. Linux sends them empty. The byte
 * of other stacks is any byte; where the newest segment was a single byte, it is that segment again, whose ACK got lost.
 */
static __always_inline bool repeats_last_number(const struct tw_half *me, const struct tw_half *peer,
						const struct frame *frame, const struct lookup *lookup)
{
	if (frame->payload > 1 || frame->flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return false;
	if (frame->outgoing && frame->payload)
		return false;
	if (frame->payload && !peer->zero_window && me->last_one_byte == as_single_byte(frame))
		return false;
	if (lookup->view.type != TW_SOCKET_FULL) {
		if (me->fin || (me->syn && frame->seq == me->isn && !is_handshake_done(me, peer)))
			return false;
		return peer->zero_window || !peer->seen || peer->last_ack == me->nxt;
	}
	if (frame->outgoing)
		return frame->seq + 1 == lookup->view.snd_una;
	return frame->seq + 1 == lookup->view.rcv_nxt && lookup->since_received_ms >= PROBE_SILENCE_MS;
}

/* Payload into a closed window. What was on its way when the window closed asks nothing. */
static __always_inline bool asks_for_room(const struct frame *frame, const struct lookup *lookup)
{
	if (lookup->view.type != TW_SOCKET_FULL)
		return frame->payload == 1; /* RFC 9293, 3.8.6.1 */
	if (frame->outgoing)
		return lookup->snd_wnd == 0;
	return (frame->payload == 1 && frame->seq == lookup->window_end) ||
	       lookup->since_received_ms >= PROBE_SILENCE_MS;
}

/*
 * Does it begin with the byte that a window probe tried, and the receiver refused? Windows and BSD probe with the byte at
 * SND.NXT, and go on from there: with the same probe, or with data. Nothing behind it was sent yet.
 */
static __always_inline bool begins_at_probe(const struct tw_half *me, const struct tw_half *peer,
					    const struct frame *frame)
{
	return me->probe_byte && me->nxt == me->probe_end && frame->seq + 1 == me->probe_end &&
	       seq_distance(me->probe_end, peer->last_ack) < 0;
}

/* A single new byte into a closed window: the receiver need not take it. */
static __always_inline void remember_probe(struct tw_half *me, const struct frame *frame)
{
	me->probe_end = frame->seq + 1;
	me->probe_byte = 1;
}

/* Has the socket received everything before this ACK, although the interface did not show it? */
static __always_inline bool was_exchanged(const struct frame *frame, const struct lookup *lookup)
{
	if (lookup->view.type != TW_SOCKET_FULL)
		return false;
	return frame->outgoing || seq_distance(lookup->view.rcv_nxt, frame->seq) <= 0;
}

/* A copy has nothing new, but for what GRO has merged behind it; its acknowledgement is the first one's. */
static __always_inline __u16 see_duplicate(struct tw_half *me, const struct frame *frame)
{
	__u32 end = frame_seq_end(frame);

	if (seq_distance(me->nxt, end) <= 0)
		return 0;
	me->nxt = end;
	me->last_one_byte = as_single_byte(frame);
	if (!(frame->flags & TCP_FIN))
		return 0;
	me->fin = 1;
	me->fin_end = end;
	return TW_EVENT_FIN;
}

/*
 * Payload, FIN or a bare ACK against the highest sequence number of its direction. The byte of a probe is new until the
 * receiver has acknowledged it, or it was sent as data; it counts once.
 */
__noinline __u32 see_numbers(const struct tw_flow *flow, struct tw_half *me, const struct tw_half *peer,
			     struct frame *frame, const struct lookup *lookup)
{
	bool takes_numbers;
	__u16 event_flags = 0;
	__s32 ahead;
	__u32 end;

	if (!flow || !me || !peer || !frame || !lookup)
		return 0;
	ahead = seq_distance(me->nxt, frame->seq); /* beyond what was seen: a hole before it */
	takes_numbers = frame->payload || frame->flags & TCP_FIN;
	end = frame_seq_end(frame);
	if (!me->seen) {
		me->seen = 1;
		me->nxt = end;
		me->top_id = frame->ip_id + frame->segments - 1;
		return 0;
	}
	if (ahead == -1 && begins_at_probe(me, peer, frame)) {
		ahead = 0;
		if (frame->payload) {
			__sync_fetch_and_add(&me->bytes, -1); /* count_segment() counts it again */
			me->last_one_byte = as_single_byte(frame);
			me->probe_byte = 0;
		}
	}
	if (ahead == -1 && repeats_last_number(me, peer, frame, lookup)) {
		me->probe_pending = 1;
		event_flags |= TW_EVENT_KEEPALIVE;
	}
	if (takes_numbers) {
		if (ahead < 0 && is_reordered(flow, me, frame)) {
			frame->reordered = 1;
			event_flags |= TW_EVENT_OUT_OF_ORDER;
		} else if (ahead < 0) {
			event_flags |= TW_EVENT_RETRANSMISSION;
		} else if (ahead > 0) {
			open_hole(me, frame);
			event_flags |= TW_EVENT_OUT_OF_ORDER;
		}
		if (frame->payload && peer->zero_window && asks_for_room(frame, lookup)) {
			event_flags |= TW_EVENT_WINDOW_PROBE;
			if (!ahead && end == frame->seq + 1)
				remember_probe(me, frame);
		}
	}
	/* A bare ACK may have overtaken the payload before it: that is still to come. */
	if (seq_distance(me->nxt, end) > 0 && (takes_numbers || was_exchanged(frame, lookup))) {
		me->nxt = end;
		me->last_one_byte = as_single_byte(frame);
	}
	if (takes_numbers && ahead >= 0)
		remember_age(me, frame);
	return event_flags;
}

/*
 * Can IP discard it before TCP, although its numbers fit? For a source route, a routing header, an association that
 * nobody has, an unknown option; or because the rest of it never comes. Their contents are not looked at.
 */
static __always_inline bool may_be_discarded(const struct frame *frame)
{
	return !frame->outgoing && (frame->extra_headers || frame->fragment);
}

/*
 * An ACK with a higher number came first: the window of this one is old news (RFC 9293, 3.10.7.4). A SYN leaves
 * last_ack 0, and a segment that TCP refused can leave what was never sent: nothing is overtaken by these.
 */
static __always_inline bool is_overtaken(const struct tw_half *me, const struct tw_half *peer,
					 const struct frame *frame)
{
	return me->last_ack && seq_distance(me->last_ack, frame->ack) < 0 && seq_distance(peer->nxt, me->last_ack) <= 0;
}

/* What this segment means for the other direction: handshake done, FIN acknowledged, probe answered, window. */
__noinline __u32 see_acknowledgement(struct tw_half *me, struct tw_half *peer, const struct frame *frame,
				     __u32 event_flags)
{
	if (!me || !peer || !frame)
		return 0;
	if (me->syn == SYN_SEEN && peer->syn == SYN_ACK_SEEN && seq_distance(peer->isn, frame->ack) > 0) {
		me->syn = HANDSHAKE_DONE;
		event_flags |= TW_EVENT_HANDSHAKE_ACK;
	}
	if (peer->fin && !peer->fin_acked && frame->ack == peer->fin_end) {
		peer->fin_acked = 1;
		event_flags |= TW_EVENT_FIN_ACK;
	}
	if (peer->hole && seq_distance(peer->hole_to, frame->ack) >= 0)
		peer->hole = 0;
	if (me->zero_window && peer->probe_byte && seq_distance(peer->probe_end, frame->ack) >= 0)
		peer->probe_byte = 0;
	if (peer->probe_pending && !(event_flags & TW_EVENT_KEEPALIVE)) {
		peer->probe_pending = 0;
		event_flags |= TW_EVENT_KEEPALIVE_ACK;
	}
	/* A window that nobody may have seen closing is not called closed: if TCP has, its probes show it. */
	if (frame->window == 0 && may_be_discarded(frame))
		return event_flags;
	if (frame->window != 0 && !me->zero_window)
		return event_flags;
	if (is_overtaken(me, peer, frame))
		return event_flags;
	if (frame->window == 0) {
		me->zero_window = 1;
		event_flags |= TW_EVENT_ZERO_WINDOW;
	} else {
		me->zero_window = 0;
		event_flags |= TW_EVENT_WINDOW_OPEN;
	}
	return event_flags;
}

/* Our SYN or SYN-ACK, and what answers it: the round trip. A mere SYN comes again, or crosses ours, and answers nothing. */
static __always_inline void time_handshake(struct tw_flow *flow, struct frame *frame)
{
	if (frame->outgoing)
		flow->syn_at = tick_1024ns_of(frame);
	else if (flow->syn_at && !flow->round_trip && !is_opening(frame))
		flow->round_trip = tick_1024ns_of(frame) - flow->syn_at;
}

/*
 * The SYN found a listener, and no SYN-ACK has left here; yet the peer has one, for this is no SYN. NAT has sent the
 * connection on to another machine (or a container), although a proxy listens on its port.
 */
static __always_inline bool goes_on_without_us(const struct tw_flow *flow, const struct frame *frame)
{
	return !frame->outgoing && !flow->half[OUTGOING].seen && flow->half[INCOMING].syn == SYN_SEEN &&
	       !(frame->flags & (TCP_SYN | TCP_RST));
}

/*
 * What acknowledges the peer's FIN once the socket is gone. Nothing else shows that the mini-socket took that FIN: no
 * tracepoint is behind its TIME_WAIT.
 */
static __always_inline bool ends_mini_socket(const struct tw_flow *flow, const struct frame *frame)
{
	return flow->orphaned && frame->outgoing && flow->half[INCOMING].fin && !flow->half[INCOMING].fin_acked;
}

/*
 * Does this segment carry more than the next bytes, or acknowledge more than the last ones? Then its socket is asked
 * first. Every event is among these; ordinary data and acknowledgements are not. flow: 0 where it is not known.
 */
static __always_inline bool asks_socket(const struct tw_flow *flow, const struct frame *frame)
{
	const struct tw_half *me, *peer;

	if (!flow || config.packets_all || frame->fragment || frame->duplicate || goes_on_without_us(flow, frame))
		return true;
	me = &flow->half[frame->outgoing ? OUTGOING : INCOMING];
	peer = &flow->half[frame->outgoing ? INCOMING : OUTGOING];
	if (!me->seen || frame->seq != me->nxt || frame->flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return true;
	if (frame->window == 0 || me->zero_window || peer->zero_window || peer->probe_pending)
		return true;
	/* Only a cause: no event without a timeline, but for the mini-socket's. */
	if (config.no_timeline)
		return ends_mini_socket(flow, frame);
	return (me->syn == SYN_SEEN && peer->syn == SYN_ACK_SEEN) || (peer->fin && !peer->fin_acked);
}

/*
 * TCP itself sends this without a socket: a RST, the SYN-ACK of a cookie, and before 6.13 over IPv6 an ACK of a mini-socket
 * or a request (tcp_v6_send_response()).
 */
static __always_inline bool is_without_socket(const struct frame *frame)
{
	if (frame->flags & TCP_RST || (frame->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
		return true;
	return !frame->is_ipv4 && !frame->payload && !(frame->flags & (TCP_SYN | TCP_FIN));
}

/* Why the receiver, or the sender here, has nothing to do with this segment (enum tw_refused). */
static __always_inline __u8 why_refused(const struct tw_flow *flow, const struct frame *frame,
					const struct lookup *lookup)
{
	__u8 type = lookup->view.type;

	if (!frame->outgoing)
		return refusal(frame, lookup, flow->half[INCOMING].syn != 0);
	if (!flow->owned || (type != TW_SOCKET_NONE && type != TW_SOCKET_UNKNOWN))
		return TW_REFUSED_NOT;
	return is_without_socket(frame) ? TW_REFUSED_NOT : TW_REFUSED_FOREIGN;
}

/*
 * Takes a segment into its flow; refused: see why_refused(). Returns why it is an event (enum tw_segment_event), 0 for an
 * ordinary one.
 */
static __always_inline __u16 see_segment(struct tw_flow *flow, struct frame *frame, const struct lookup *lookup,
					 __u8 refused)
{
	struct tw_half *me = &flow->half[frame->outgoing ? OUTGOING : INCOMING];
	struct tw_half *peer = &flow->half[frame->outgoing ? INCOMING : OUTGOING];
	__u32 again = payload_again(me, frame); /* before the numbers move */
	/* In a SYN, or before the SYN-ACK, TCP takes none but that of Fast Open: it comes again then. */
	bool too_early = frame->flags & TCP_SYN || (me->syn == SYN_SEEN && !peer->syn);
	bool untaken = too_early || refused > TW_REFUSED_OLD;
	bool again_syn = frame->flags & TCP_SYN && me->syn && me->isn == frame->seq;
	__u16 event_flags = 0;

	if (frame->flags & TCP_RST) {
		event_flags = TW_EVENT_RST |
			      (me->seen && seq_distance(me->nxt, frame->seq) > 0 ? TW_EVENT_OUT_OF_ORDER : 0);
		frame->duplicate = NO_DUPLICATE;
	} else if (frame->duplicate) {
		event_flags = see_duplicate(me, frame);
	} else if (refused > TW_REFUSED_OLD && !again_syn) {
		event_flags = (frame->flags & TCP_SYN ? TW_EVENT_SYN : 0) | (frame->flags & TCP_FIN ? TW_EVENT_FIN : 0);
	} else if (frame->flags & TCP_SYN) {
		event_flags = (__u16)see_syn(flow, me, frame);
	} else {
		event_flags = (__u16)see_numbers(flow, me, peer, frame, lookup);
		if (frame->flags & TCP_ACK && refused == TW_REFUSED_NOT)
			event_flags = (__u16)see_acknowledgement(me, peer, frame, event_flags);
		if (frame->flags & TCP_FIN) {
			me->fin = 1;
			me->fin_end = frame_seq_end(frame);
			event_flags |= TW_EVENT_FIN;
		}
	}
	if (!(event_flags & TW_EVENT_RST))
		remember(me, frame);
	if (!untaken && !frame->duplicate && !(frame->flags & TCP_RST))
		note_times(flow, frame, event_flags & NOT_NEW ? 0 : frame->payload);
	if (event_flags & (TW_EVENT_SYN | TW_EVENT_HANDSHAKE_ACK) && refused <= TW_REFUSED_OLD)
		time_handshake(flow, frame);
	if (frame->outgoing && is_connection(lookup))
		flow->owned = 1;
	count_segment(me, frame);
	if (untaken || frame->duplicate || event_flags & TW_EVENT_RETRANSMISSION)
		count_again(flow, frame, untaken && !frame->duplicate ? frame->payload : again,
			    event_flags & TW_EVENT_RETRANSMISSION && !(event_flags & TW_EVENT_KEEPALIVE));
	if (frame->duplicate) {
		__sync_fetch_and_add(&flow->loss.duplicate_segs_in, segments_again(frame, again));
		__sync_fetch_and_add(&flow->loss.duplicate_buffers_in, 1);
	}
	if (frame->reordered)
		count_reordered(&flow->loss, frame);
	return event_flags;
}

#endif
