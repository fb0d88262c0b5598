/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reordering.h: a segment from behind the highest number: did it come late, or was it sent again? */
#ifndef TCPWITNESS_REORDERING_H
#define TCPWITNESS_REORDERING_H

#include "maps.h"
#include "parse.h"

/* A clock for short times: its ticks are 1024 ns, it wraps after 73 minutes. */
static __always_inline __u32 tick_1024ns(void)
{
	return (__u32)(bpf_ktime_get_ns() >> 10);
}

static __always_inline __u32 tick_1024ns_of(struct frame *frame)
{
	return (__u32)(frame_time(frame) >> 10);
}

/* Wireshark's limit too, where the handshake was not seen. */
#define UNKNOWN_ROUND_TRIP 3000
/* The largest payload of an Ethernet frame; where segments are larger, tw_half.largest has it. */
#define USUAL_SEGMENT 1460
#define MOST_SEGMENTS 0x4000 /* so that a difference of identifications and this number fit in 16 bits */

static __always_inline bool is_in_hole(const struct tw_half *me, const struct frame *frame)
{
	return me->hole && seq_distance(me->hole_from, frame->seq) >= 0 &&
	       seq_distance(frame_seq_end(frame), me->hole_to) >= 0;
}

/* Of each wire segment of it but the last. */
static __always_inline __u32 segment_size_of(const struct frame *frame)
{
	return frame->segment_size ? frame->segment_size : frame->payload;
}

/* What a packet's age is known by, of the newest one that came in order. Most hosts count their identifications up. */
#define COUNTS_UP 4
static __always_inline void remember_age(struct tw_half *me, const struct frame *frame)
{
	__u32 tsval = bpf_ntohl(frame->tsval), size = segment_size_of(frame);

	if ((__u16)(frame->ip_id - me->top_id - 1) > 255 || !frame->ip_id)
		me->ip_id_in_order = 0;
	else if (me->ip_id_in_order < COUNTS_UP)
		me->ip_id_in_order++;
	me->top_id = frame->ip_id + frame->segments - 1;
	if (tsval && (!me->max_tsval || seq_distance(me->max_tsval, tsval) > 0))
		me->max_tsval = tsval;
	if (size > USUAL_SEGMENT && size > me->largest)
		me->largest = size < 0xffff ? (__u16)size : 0xffff;
}

/* How many segments after this one, itself included, were made up to the highest number: no fewer than that. */
static __always_inline __u32 segments_since(const struct tw_half *me, const struct frame *frame)
{
	__u32 size = segment_size_of(frame), segments;

	if (size < me->largest)
		size = me->largest;
	segments = (me->nxt - frame->seq - 1) / (size > USUAL_SEGMENT ? size : USUAL_SEGMENT);
	return segments < MOST_SEGMENTS ? segments : MOST_SEGMENTS;
}

/*
 * 1: the packet is an original that was made before the newest one, -1: behind it, as what is sent again is; 0: it does
 * not show. An original has an identification that leaves room for those of all segments up to the highest number; a
 * retransmission has none of those, also where what was made after it overtook it.
 */
static __always_inline int is_older(const struct tw_half *me, const struct frame *frame)
{
	__s32 later = frame->tsval && me->max_tsval ? seq_distance(me->max_tsval, bpf_ntohl(frame->tsval)) : 0;

	if (me->ip_id_in_order == COUNTS_UP)
		return (__s16)(frame->ip_id - me->top_id + segments_since(me, frame)) <= 0 ? 1 : -1;
	return later < 0 ? 1 : later > 0 ? -1 : 0;
}

/*
 * A segment from behind the highest number: a late original, or a retransmission? Its age shows it, also where what was sent
 * again has filled the hole before. Where that does not show, and it lies in a hole: the receiver asks for what is missing when
 * it sees the hole, so a retransmission takes a round trip at least. Holes that are open together count from the first one.
 */
static __always_inline bool is_reordered(const struct tw_flow *flow, const struct tw_half *me, struct frame *frame)
{
	__u32 limit = flow->round_trip ? flow->round_trip : UNKNOWN_ROUND_TRIP;
	int older = is_older(me, frame);

	if (older || !is_in_hole(me, frame))
		return older > 0;
	return tick_1024ns_of(frame) - me->hole_at < limit;
}

static __always_inline void open_hole(struct tw_half *me, struct frame *frame)
{
	if (!me->hole) {
		me->hole_from = me->nxt - (me->probe_byte && me->nxt == me->probe_end); /* that byte is still to come */
		me->hole_at = tick_1024ns_of(frame);
	}
	me->hole_to = frame->seq;
	me->hole = 1;
}

#endif
