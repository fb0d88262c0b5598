/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* short_way.h: the way of an ordinary segment through its flow. */
#ifndef TCPWITNESS_SHORT_WAY_H
#define TCPWITNESS_SHORT_WAY_H

#include "flow.h"

/*
 * The short way, of what see_segment() would only count: the next bytes, or an acknowledgement, of a flow in which nothing
 * is open. Its first FIN too, where that waits for a digest (rules_take_fin()). Everything else goes the long way.
 * is_plain(): by its header alone.
 */
static __always_inline bool is_plain(const struct frame *frame)
{
	if (config.packets_all || !config.no_timeline || config.forwarded)
		return false;
	return (frame->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK && frame->window && !frame->fragment &&
	       !frame->bad_header;
}

static __always_inline bool is_next(const struct tw_flow *flow, const struct frame *frame)
{
	const struct tw_half *me = &flow->half[frame->outgoing ? OUTGOING : INCOMING];
	const struct tw_half *peer = &flow->half[frame->outgoing ? INCOMING : OUTGOING];

	if (!me->seen || me->nxt != frame->seq || me->ifindex != frame->ifindex)
		return false;
	if (flow->foreign | flow->strays | flow->alias | flow->translated | flow->hop | flow->held | flow->orphaned)
		return false;
	if (me->zero_window | peer->zero_window | me->probe_pending | peer->probe_pending | me->hole | peer->hole)
		return false;
	if (me->syn == SYN_SEEN && (peer->syn != SYN_ACK_SEEN || seq_distance(peer->isn, frame->ack) <= 0))
		return false;
	return peer->seen; /* see goes_on_without_us() */
}

static __always_inline void take_next(struct tw_flow *flow, struct frame *frame, bool takes_numbers)
{
	struct tw_half *me = &flow->half[frame->outgoing ? OUTGOING : INCOMING];
	struct tw_half *peer = &flow->half[frame->outgoing ? INCOMING : OUTGOING];

	/* The handshake's last ACK, or that of a FIN: an event in a timeline only. */
	if ((me->syn == SYN_SEEN || peer->fin != peer->fin_acked) &&
	    see_acknowledgement(me, peer, frame, 0) & TW_EVENT_HANDSHAKE_ACK)
		time_handshake(flow, frame);
	note_times(flow, frame, frame->payload);
	if (takes_numbers) {
		me->nxt = frame_seq_end(frame);
		me->last_one_byte = as_single_byte(frame);
		remember_age(me, frame);
	}
	remember(me, frame);
	count_segment(me, frame);
}

#endif
