/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hold_segment.h: an ordinary SYN, SYN-ACK or FIN waits for the digest of its socket (digest.h).
 */
#ifndef TCPWITNESS_HOLD_SEGMENT_H
#define TCPWITNESS_HOLD_SEGMENT_H

#include "digest.h"
#include "emit_segment.h"
#include "rules.h"
#include "short_way.h"
#include "work.h"

/* A listener with so much room takes a SYN. Where there is less, each is reported at once. */
#define FEW_REQUESTS 16
static __always_inline bool has_room(const struct tw_socket_view *view)
{
	return view->type == TW_SOCKET_LISTENER && view->syn_qlen < FEW_REQUESTS && view->syncookies != 2 &&
	       2 * view->ack_backlog <= view->max_ack_backlog;
}

/*
 * tcp_timewait_state_process(): TIME_WAIT gives way to a SYN with a newer number, and the listener takes it. (One whose
 * timestamp alone is newer is reported.)
 */
static __always_inline bool gives_way(const struct frame *frame, const struct tw_socket_view *view)
{
	return view->type == TW_SOCKET_TIMEWAIT && view->state == TCP_TIME_WAIT && is_opening(frame) &&
	       seq_distance(view->rcv_nxt, frame->seq) > 0;
}

/* What is not in its options, and its time at last: with that it is there. */
static __always_inline void hold_frame(struct frame *frame, __u64 cookie, struct tw_held_segment *held)
{
	held->seq = frame->seq;
	held->ack = frame->ack;
	held->ifindex = frame->ifindex;
	held->len = frame->payload;
	held->cookie = (__u32)cookie;
	held->window = frame->window;
	held->flags = frame->flags;
	held->hook = frame->hook;
	held->ttl = frame->ttl;
	*(volatile __u64 *)&held->ts_ns = frame_time(frame);
}

static __always_inline void hold_in(struct work *work, __u64 cookie, struct tw_held_segment *held)
{
	struct frame *frame = &work->frame;
	const struct tw_socket_view *view = &work->lookup.view;

	if (!(frame->flags & TCP_SYN)) {
		__builtin_memset(&work->found, 0, sizeof(work->found));
		work->found.ts_val = bpf_ntohl(frame->tsval);
		work->found.present = frame->tsval ? TW_OPT_TIMESTAMP : 0;
	}
	held->ts_val = work->found.ts_val;
	held->ts_ecr = work->found.ts_ecr;
	if (view->type == TW_SOCKET_LISTENER) {
		held->ack_backlog = view->ack_backlog;
		held->max_ack_backlog = view->max_ack_backlog;
		held->syn_qlen = view->syn_qlen;
		held->max_syn_backlog = view->max_syn_backlog;
		held->syncookies = view->syncookies;
	} else {
		held->snd_una = view->snd_una;
		held->snd_nxt = view->snd_nxt;
		held->rcv_nxt = view->rcv_nxt;
		held->write_seq = view->write_seq;
		held->socket_flags = view->flags;
	}
	held->mss = work->found.mss;
	held->options = work->found.present;
	held->wscale = work->found.wscale;
	held->type = view->type;
	held->state = view->state;
	hold_frame(frame, cookie, held);
}

/* What the request of an ordinary SYN begins; its SYN-ACK leaves. 0: the SYN and this are to be reported. */
static __always_inline struct digest_entry *begin_passive(struct work *work, struct tw_flow *flow)
{
	struct digest_entry *entry;

	if (work->lookup.view.type != TW_SOCKET_REQUEST)
		return 0;
	entry = begin_digest(work->lookup.cookie, &work->frame.tuple, frame_time(&work->frame));
	if (!entry)
		return 0;
	entry->netns = config.netns;
	flow->cookie = work->lookup.cookie;
	if (flow->syn_held) {
		entry->held.segments[TW_HELD_SYN] = flow->syn;
		entry->held.segments[TW_HELD_SYN].cookie = (__u32)flow->cookie;
		__sync_fetch_and_add(&entry->counts, ONE_EVENT);
		flow->syn_held = 0;
	}
	return entry;
}

/*
 * Keeps an ordinary SYN, SYN-ACK or FIN for the digest of its socket. 0: it is to be reported. flow: in the map, or
 * about to be. A function of its own for the verifier, as the rules are.
 */
__noinline __u32 rules_hold_segment(struct tw_flow *flow, struct work *work, __u32 event_flags)
{
	struct digest_entry *entry = 0;
	struct frame *frame;
	bool known;
	__u32 place;
	__u8 type;

	if (!flow || !work)
		return 0;
	frame = &work->frame;
	type = work->lookup.view.type;
	known = work->unasked || (type == TW_SOCKET_FULL && work->lookup.cookie == flow->cookie);
	event_flags &= ~ONLY_A_CAUSE;
	if (event_flags != TW_EVENT_SYN && event_flags != TW_EVENT_FIN)
		return 0;
	if (frame->segments != 1 || frame->vlan_id || frame->fragment || frame->duplicate || frame->translated ||
	    frame->forwarding || work->refused)
		return 0;
	if (event_flags == TW_EVENT_FIN) {
		place = frame->outgoing ? TW_HELD_FIN_OUT : TW_HELD_FIN_IN;
		if (known)
			entry = digest_of(flow->cookie);
	} else if (frame->flags & TCP_ACK) {
		place = TW_HELD_SYN_ACK;
		if (frame->outgoing)
			entry = begin_passive(work, flow);
		else if (known)
			entry = digest_of(flow->cookie);
	} else if (!frame->outgoing) {
		if (!has_room(&work->lookup.view) && !gives_way(frame, &work->lookup.view))
			return 0;
		hold_in(work, 0, &flow->syn);
		flow->syn_held = 1;
		return 1;
	} else {
		place = TW_HELD_SYN;
		if (type != TW_SOCKET_FULL)
			return 0;
		entry = digest_of(work->lookup.cookie);
		if (entry) {
			flow->cookie = work->lookup.cookie;
			entry->tuple = frame->tuple;
		}
	}
	if (!entry || entry->held.segments[place & 3].ts_ns || !claim(entry, place & 3))
		return 0;
	hold_in(work, flow->cookie, &entry->held.segments[place & 3]);
	__sync_fetch_and_add(&entry->counts, ONE_EVENT);
	return !was_released(entry);
}

static __always_inline bool hold_segment(void *ctx, bool xdp, struct work *work, struct tw_flow *flow,
					 __u32 event_flags)
{
	if (work->frame.flags & TCP_SYN)
		read_options(ctx, xdp, work);
	return rules_hold_segment(flow, work, event_flags);
}

/*
 * The SYN-ACK that comes in for a connection whose events wait, and acknowledges what its SYN has sent. TCP takes it, and its
 * socket need not be asked.
 */
static __always_inline bool is_first_answer(const struct tw_flow *flow, const struct frame *frame)
{
	const struct tw_half *me = &flow->half[INCOMING], *peer = &flow->half[OUTGOING];

	if ((frame->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != (TCP_SYN | TCP_ACK) || frame->payload)
		return false;
	if (frame->duplicate || frame->fragment || !frame->window)
		return false;
	if (flow->foreign | flow->strays | flow->alias | flow->translated | flow->hop | flow->orphaned)
		return false;
	return !me->seen && peer->syn == SYN_SEEN && frame->ack == peer->nxt;
}

static __always_inline void leave_unasked(const struct tw_flow *flow, struct work *work)
{
	__builtin_memset(&work->lookup, 0, sizeof(work->lookup));
	work->lookup.view.type = TW_SOCKET_UNKNOWN;
	work->lookup.cookie = flow->cookie;
}

__noinline __u32 rules_is_first_answer(struct tw_flow *flow, struct work *work)
{
	if (!flow || !work || !flow->cookie || !is_first_answer(flow, &work->frame))
		return 0;
	leave_unasked(flow, work);
	work->unasked = 1;
	return 1;
}

/* As TCP sends or takes it: neither its own side has closed before, nor does it acknowledge more than was sent. */
static __always_inline bool is_first_fin(const struct tw_flow *flow, const struct frame *frame)
{
	const struct tw_half *me = &flow->half[frame->outgoing ? OUTGOING : INCOMING];
	const struct tw_half *peer = &flow->half[frame->outgoing ? INCOMING : OUTGOING];

	return !me->fin && me->syn != SYN_SEEN && seq_distance(frame->ack, peer->nxt) >= 0 && frame->segments == 1 &&
	       !frame->vlan_id;
}

/*
 * The short way of an ordinary FIN, which is_next() of its flow, through that into the digest of its socket, which is not
 * asked. 0: it is to go the long way, and nothing was changed but the claim, by which it will be a record. TAKEN_LATE:
 * another CPU has released the digest at this moment, and it is to be a record.
 */
#define TAKEN 1
#define TAKEN_LATE 2
__noinline __u32 rules_take_fin(struct tw_flow *flow, struct work *work)
{
	struct tw_held_segment *held;
	struct digest_entry *entry;
	struct tw_half *me;
	struct frame *frame;
	__u32 place;

	if (!flow || !work || !is_first_fin(flow, &work->frame))
		return 0;
	frame = &work->frame;
	place = frame->outgoing ? TW_HELD_FIN_OUT : TW_HELD_FIN_IN;
	entry = digest_of(flow->cookie);
	if (!entry || entry->held.segments[place & 3].ts_ns || !claim(entry, place & 3))
		return 0;
	if (!frame->outgoing && came_before_at(flow, work) != NO_DUPLICATE)
		return 0;
	take_next(flow, frame, true);
	me = &flow->half[frame->outgoing ? OUTGOING : INCOMING];
	me->fin = 1;
	me->fin_end = me->nxt;
	held = &entry->held.segments[place & 3];
	held->type = TW_SOCKET_UNKNOWN;
	held->options = frame->tsval ? TW_OPT_TIMESTAMP : 0;
	held->ts_val = bpf_ntohl(frame->tsval);
	hold_frame(frame, flow->cookie, held);
	__sync_fetch_and_add(&entry->counts, ONE_EVENT);
	if (!was_released(entry))
		return TAKEN;
	leave_unasked(flow, work);
	take_wire(flow, &work->wire);
	work->loss = flow->loss;
	work->refused = TW_REFUSED_NOT;
	frame->event_flags = TW_EVENT_FIN;
	return TAKEN_LATE;
}

#endif
