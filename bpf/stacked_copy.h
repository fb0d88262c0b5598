/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stacked_copy.h: the same frame on the next interface of a stack (VLAN, bond, bridge). */
#ifndef TCPWITNESS_STACKED_COPY_H
#define TCPWITNESS_STACKED_COPY_H

#include "config.h"
#include "maps.h"
#include "parse.h"
#include "reordering.h"

/* What a copy of this frame on a stacked device is known by. */
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

#define STACKED_COPY_LIMIT_US 10000

/*
 * A stacked device (VLAN, bond, bridge) shows the frame that its lower device has shown, or shows first, within one
 * call of the kernel. So such a copy is the newest frame of its direction, on another interface: the same numbers, hop
 * limit and IPv4 identification, at once. Where one of the two interfaces has it in pieces (segmentation) or merged
 * (GRO), one contains the other, and each piece's identification is one more. A retransmission over another path has
 * the same numbers alone. A RST is never taken for one: it has no sequence number of its own, and an outsider's may
 * come by another way. A queue of the upper device (a qdisc on a bridge, a VLAN) lets the lower one have the frame when newer
 * ones have passed above: then its age shows that TCP did not send it again.
 */
static __always_inline bool was_queued_above(const struct tw_half *me, const struct frame *frame)
{
	if (!frame->outgoing || !(frame->payload || frame->flags & TCP_FIN) || frame->flags & TCP_SYN ||
	    seq_distance(frame_seq_end(frame), me->nxt) < 0)
		return false;
	if (me->ip_id_in_order == COUNTS_UP)
		return is_older(me, frame) > 0;
	/* A burst has one stamp, and what is sent again a later one. */
	return frame->tsval && me->max_tsval && seq_distance(me->max_tsval, bpf_ntohl(frame->tsval)) <= 0;
}

static __always_inline bool is_stacked_copy(const struct tw_half *me, const struct frame *frame)
{
	__u32 end = frame_seq_end(frame);

	if (!me->seen || me->ifindex == frame->ifindex || frame->flags & TCP_RST)
		return false;
	if (was_queued_above(me, frame))
		return true;
	if (me->last_ttl != frame->ttl || me->last_ack != frame->ack)
		return false;
	if ((__u64)((__u32)bpf_jiffies64() - me->last_tick) * config.tick_us > STACKED_COPY_LIMIT_US)
		return false;
	if (seq_distance(me->last_seq, frame->seq) >= 0 && seq_distance(end, me->last_end) >= 0)
		return (__u16)(frame->ip_id - me->last_id) < me->last_segments;
	/* Merged of frames that a hook before GRO (native XDP) saw one by one. */
	return frame->segments > me->last_segments && seq_distance(end, me->nxt) >= 0;
}

#endif
