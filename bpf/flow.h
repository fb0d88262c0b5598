/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow.h: what the wire knows of a flow from its segments alone, and which segments are events.
 *
 * One lookup in a bounded map for each segment. Nothing here asks the socket: the same rules hold for
 * both directions. Sequence arithmetic is modulo 2^32 (RFC 9293, section 3.4).
 */
#ifndef TCPWITNESS_FLOW_H
#define TCPWITNESS_FLOW_H

#include "config.h"
#include "maps.h"
#include "parse.h"

#define INCOMING 0
#define OUTGOING 1

#define SYN_SEEN 1
#define SYN_ACK_SEEN 2
#define HANDSHAKE_DONE 3

static __always_inline __s32 seq_distance(__u32 from, __u32 to)
{
	return (__s32)(to - from);
}

static __always_inline __u32 frame_seq_end(const struct frame *frame)
{
	return frame->seq + frame->payload + ((frame->flags & TCP_SYN) != 0) + ((frame->flags & TCP_FIN) != 0);
}

/* How much of the payload lies at or below the highest sequence number seen. */
static __always_inline __u32 payload_again(const struct tw_half *me, const struct frame *frame)
{
	__s32 behind = seq_distance(frame->seq + ((frame->flags & TCP_SYN) != 0), me->nxt);

	if (!me->seen || behind <= 0)
		return 0;
	return (__u32)behind < frame->payload ? (__u32)behind : frame->payload;
}

static __always_inline void count_segment(struct tw_wire_counters *wire, const struct frame *frame)
{
	if (frame->outgoing) {
		__sync_fetch_and_add(&wire->segs_out, frame->segments);
		__sync_fetch_and_add(&wire->bytes_out, frame->payload);
	} else {
		__sync_fetch_and_add(&wire->segs_in, frame->segments);
		__sync_fetch_and_add(&wire->bytes_in, frame->payload);
	}
}

/* How many of a GSO or GRO packet's wire segments hold the `again` bytes of it that were seen before. */
static __always_inline __u32 segments_again(const struct frame *frame, __u32 again)
{
	if (frame->segments <= 1 || again >= frame->payload)
		return frame->segments;
	return (again * frame->segments + frame->payload - 1) / frame->payload;
}

/* A keep-alive may carry a byte that was sent before: that byte counts, the segment is no retransmission. */
static __always_inline void count_again(struct tw_flow *flow, const struct frame *frame, __u32 again, bool probe)
{
	__u32 segments = probe ? 0 : segments_again(frame, again);

	if (frame->outgoing) {
		__sync_fetch_and_add(&flow->wire.retrans_bytes_out, again);
		__sync_fetch_and_add(&flow->loss.retrans_segs_out, segments);
	} else {
		__sync_fetch_and_add(&flow->wire.retrans_bytes_in, again);
		__sync_fetch_and_add(&flow->loss.retrans_segs_in, segments);
	}
}

static __always_inline void count_reordered(struct tw_loss_counters *loss, const struct frame *frame)
{
	__sync_fetch_and_add(frame->outgoing ? &loss->reordered_segs_out : &loss->reordered_segs_in, frame->segments);
}

/* A clock for short times: in 1024 ns, wraps after 73 minutes. */
static __always_inline __u32 micros(void)
{
	return (__u32)(bpf_ktime_get_ns() >> 10);
}

/* Wireshark's limit too, where the handshake was not seen. */
#define UNKNOWN_ROUND_TRIP 3000

/*
 * A segment from behind the highest number that lies in a hole: a late original, or a retransmission of what was lost
 * before it came here? The receiver asks for what is missing when it sees the hole, so a retransmission takes a
 * round trip at least. Holes that are open together count from the first one.
 */
static __always_inline bool is_reordered(const struct tw_flow *flow, const struct tw_half *me,
					 const struct frame *frame)
{
	__u32 limit = flow->round_trip ? flow->round_trip : UNKNOWN_ROUND_TRIP;

	if (!me->hole || seq_distance(me->hole_from, frame->seq) < 0 ||
	    seq_distance(frame_seq_end(frame), me->hole_to) < 0)
		return false;
	return micros() - me->hole_at < limit;
}

static __always_inline void open_hole(struct tw_half *me, const struct frame *frame)
{
	if (!me->hole) {
		me->hole_from = me->nxt;
		me->hole_at = micros();
	}
	me->hole_to = frame->seq;
	me->hole = 1;
}

/* A SYN or SYN-ACK. Another initial sequence number is another connection on the same address pair. */
static __always_inline __u16 see_syn(struct tw_flow *flow, struct tw_half *me, const struct frame *frame)
{
	__u32 end = frame_seq_end(frame); /* Fast Open: data in the SYN counts, and may be missing the next time */
	__u16 why = TW_WHY_SYN;

	if (me->syn && me->isn == frame->seq) {
		why |= TW_WHY_RETRANSMISSION;
		if (seq_distance(me->nxt, end) < 0)
			end = me->nxt;
	} else {
		if (me->seen && !(frame->flags & TCP_ACK))
			__builtin_memset(flow, 0, sizeof(*flow));
		me->syn = SYN_SEEN;
	}
	if (frame->flags & TCP_ACK)
		me->syn = SYN_ACK_SEEN;
	me->seen = 1;
	me->isn = frame->seq;
	me->nxt = end;
	return why;
}

/* Payload, FIN or a bare ACK against the highest sequence number of its direction. */
static __always_inline __u16 see_numbers(const struct tw_flow *flow, struct tw_half *me, const struct tw_half *peer,
					 struct frame *frame)
{
	__s32 ahead = seq_distance(me->nxt, frame->seq); /* beyond what was seen: a hole before it */
	__u32 end = frame_seq_end(frame);
	__u16 why = 0;

	if (!me->seen) {
		me->seen = 1;
		me->nxt = end;
		return 0;
	}
	if (ahead == -1 && frame->payload <= 1 && !(frame->flags & (TCP_SYN | TCP_FIN | TCP_RST))) {
		me->probe_pending = 1;
		why |= TW_WHY_KEEPALIVE;
	}
	if (frame->payload || frame->flags & TCP_FIN) {
		if (ahead < 0 && is_reordered(flow, me, frame)) {
			frame->reordered = 1;
			why |= TW_WHY_OUT_OF_ORDER;
		} else if (ahead < 0) {
			why |= TW_WHY_RETRANSMISSION;
		} else if (ahead > 0) {
			open_hole(me, frame);
			why |= TW_WHY_OUT_OF_ORDER;
		}
		if (frame->payload && peer->zero_window)
			why |= TW_WHY_WINDOW_PROBE;
	}
	if (seq_distance(me->nxt, end) > 0)
		me->nxt = end;
	return why;
}

/* What this segment says to the other direction: handshake done, FIN acknowledged, probe answered, window. */
static __always_inline __u16 see_acknowledgement(struct tw_half *me, struct tw_half *peer, const struct frame *frame,
						 __u16 why)
{
	if (me->syn == SYN_SEEN && peer->syn == SYN_ACK_SEEN) {
		me->syn = HANDSHAKE_DONE;
		why |= TW_WHY_HANDSHAKE_ACK;
	}
	if (peer->fin && !peer->fin_acked && seq_distance(peer->fin_end, frame->ack) >= 0) {
		peer->fin_acked = 1;
		why |= TW_WHY_FIN_ACK;
	}
	if (peer->hole && seq_distance(peer->hole_to, frame->ack) >= 0)
		peer->hole = 0;
	if (peer->probe_pending && !(why & TW_WHY_KEEPALIVE)) {
		peer->probe_pending = 0;
		why |= TW_WHY_KEEPALIVE_ACK;
	}
	if (frame->window == 0) {
		me->zero_window = 1;
		why |= TW_WHY_ZERO_WINDOW;
	} else if (me->zero_window) {
		me->zero_window = 0;
		why |= TW_WHY_WINDOW_OPEN;
	}
	return why;
}

/* What an echo of this frame is known by. */
static __always_inline void remember(struct tw_half *me, const struct frame *frame)
{
	me->ifindex = frame->ifindex;
	me->last_seq = frame->seq;
	me->last_end = frame_seq_end(frame);
	me->last_ack = frame->ack;
	me->last_tick = (__u32)bpf_jiffies64();
	me->last_id = frame->ip_id;
	me->last_segments = (__u16)frame->segments;
	me->last_ttl = frame->ttl;
}

#define ECHO_LIMIT_US 10000

/*
 * A stacked device (VLAN, bond, bridge) shows the frame that its lower device has shown, or shows first, within one
 * call of the kernel. So an echo is the newest frame of its direction, on another interface: the same numbers, hop
 * limit and IPv4 identification, at once. Where one of the two interfaces has it in pieces (segmentation) or merged
 * (GRO), one contains the other, and each piece's identification is one more. A retransmission over another path has
 * the same numbers alone. A RST is never taken for an echo: it has no sequence number of its own, and an outsider's may
 * come by another way.
 */
static __always_inline bool is_echo(const struct tw_half *me, const struct frame *frame)
{
	__u32 end = frame_seq_end(frame);

	if (!me->seen || me->ifindex == frame->ifindex || frame->flags & TCP_RST)
		return false;
	if (me->last_ttl != frame->ttl || me->last_ack != frame->ack)
		return false;
	if (((__u32)bpf_jiffies64() - me->last_tick) * config.tick_us > ECHO_LIMIT_US)
		return false;
	if (seq_distance(me->last_seq, frame->seq) >= 0 && seq_distance(end, me->last_end) >= 0)
		return (__u16)(frame->ip_id - me->last_id) < me->last_segments;
	/* Merged of frames that a hook before GRO (native XDP) saw one by one. */
	return frame->segments > me->last_segments && seq_distance(end, me->nxt) >= 0;
}

/* Our SYN or SYN-ACK, and what answers it: the round trip. */
static __always_inline void time_handshake(struct tw_flow *flow, const struct frame *frame)
{
	if (frame->outgoing)
		flow->syn_at = micros();
	else if (flow->syn_at && !flow->round_trip)
		flow->round_trip = micros() - flow->syn_at;
}

/* Takes a segment into its flow. Returns why it is an event (enum tw_why), 0 for an ordinary one. */
static __always_inline __u16 see_segment(struct tw_flow *flow, struct frame *frame)
{
	struct tw_half *me = &flow->half[frame->outgoing ? OUTGOING : INCOMING];
	struct tw_half *peer = &flow->half[frame->outgoing ? INCOMING : OUTGOING];
	__u32 again = payload_again(me, frame); /* before the numbers move */
	__u16 why = 0;

	if (frame->flags & TCP_RST) {
		why = TW_WHY_RST;
	} else if (frame->flags & TCP_SYN) {
		why = see_syn(flow, me, frame);
	} else {
		why = see_numbers(flow, me, peer, frame);
		if (frame->flags & TCP_ACK)
			why = see_acknowledgement(me, peer, frame, why);
		if (frame->flags & TCP_FIN) {
			me->fin = 1;
			me->fin_end = frame_seq_end(frame);
			why |= TW_WHY_FIN;
		}
	}
	if (!(why & TW_WHY_RST))
		remember(me, frame);
	if (why & (TW_WHY_SYN | TW_WHY_HANDSHAKE_ACK))
		time_handshake(flow, frame);
	count_segment(&flow->wire, frame);
	if (why & TW_WHY_RETRANSMISSION)
		count_again(flow, frame, again, why & TW_WHY_KEEPALIVE);
	if (frame->reordered)
		count_reordered(&flow->loss, frame);
	return why;
}

static __always_inline bool both_fins_acked(const struct tw_flow *flow)
{
	return flow->half[0].fin && flow->half[0].fin_acked && flow->half[1].fin && flow->half[1].fin_acked;
}

#endif
