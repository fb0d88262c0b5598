/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hop.h: connections that only pass through this machine (tw_config.forwarded): a router, a bridge, a NAT gateway.
 *
 * Each has two flows in the map, one a hop: as it comes in from the client's side and as it leaves for the server's. The
 * keys differ even without NAT, for local is the destination of what comes in and the source of what leaves. The rules of
 * flow.h hold for each; no socket is asked.
 *
 * Which two belong together is shown by a segment that passes: forwarding and NAT change addresses, ports, hop limit and
 * checksums, and neither the sequence numbers nor the window nor the IPv4 identification. So each arrival of an unknown
 * flow is noted under those, and what leaves looks itself up. conntrack is not read.
 */
#ifndef TCPWITNESS_HOP_H
#define TCPWITNESS_HOP_H

#include "emit.h"
#include "flow.h"

/* What a segment keeps on its way through. */
struct arrival {
	__u32 seq;
	__u32 ack;
	__u16 ip_id;
	__u16 window;
};

/*
 * Bounded: of the newest arrivals, each for the microseconds until it leaves. The loader makes it small when it is not
 * used.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct arrival);
	__type(value, struct tw_tuple);
} arrivals SEC(".maps");

static __always_inline struct arrival arrival_of(const struct frame *frame)
{
	struct arrival arrival = {.seq = frame->seq, .ack = frame->ack, .ip_id = frame->ip_id, .window = frame->window};

	return arrival;
}

static __always_inline void note_arrival(const struct frame *frame)
{
	struct arrival arrival = arrival_of(frame);

	bpf_map_update_elem(&arrivals, &arrival, &frame->tuple, BPF_ANY);
}

/*
 * NAT that has forgotten a connection gives it other addresses with the next segment. Noting each would cost more than
 * all else; after so long a silence it is seldom needed.
 */
#define SILENCE_MS 100

static __always_inline bool after_silence(const struct tw_flow *flow)
{
	__u32 ticks = (__u32)bpf_jiffies64() - flow->half[INCOMING].last_tick;

	return (__u64)ticks * config.tick_us > SILENCE_MS * 1000;
}

/* The addresses with which an outgoing segment came in; 0: that is not known. */
static __always_inline const struct tw_tuple *came_with(const struct frame *frame)
{
	struct arrival arrival = arrival_of(frame);

	return bpf_map_lookup_elem(&arrivals, &arrival);
}

static __always_inline void emit_hops(const struct frame *frame, const struct tw_tuple *from)
{
	/* Not as rare as a socket's: each SYN of a flood can make one. */
	struct tw_translation *record =
		reserve_record_unless(SHED_REST, tw_translation, 0, TW_KIND_NAT, 0, config.netns);

	if (!record)
		return;
	record->tuple = *from;
	record->wire = frame->tuple;
	__builtin_memset(&record->actor, 0, sizeof(record->actor));
	record->ack = frame->ack;
	submit_record(record);
}

/* The flow of the hop on which a segment came in, where its arrival itself was not counted. */
static __always_inline void begin_arrival_hop(struct tw_flow *flow, const struct frame *frame)
{
	struct tw_half *sender = &flow->half[INCOMING];

	begin_flow(flow);
	flow->hop = 1;
	sender->segs = frame->segments;
	sender->bytes = frame->payload;
	remember(sender, frame);
	sender->ifindex = frame->came_in;
	sender->last_ttl = 0; /* one more than here, where it was routed */
	sender->seen = 1;
	sender->nxt = frame_seq_end(frame);
	if (frame->flags & TCP_SYN) {
		sender->isn = frame->seq;
		sender->syn = frame->flags & TCP_ACK ? SYN_ACK_SEEN : SYN_SEEN;
	}
}

/*
 * A SYN whose SYN-ACK takes another way: its sender goes on, so it has had one. Nothing else shows that the connection is
 * open.
 */
static __always_inline __u32 answers_unseen(struct tw_flow *flow, const struct frame *frame)
{
	struct tw_half *me = &flow->half[frame->outgoing ? OUTGOING : INCOMING];
	const struct tw_half *peer = &flow->half[frame->outgoing ? INCOMING : OUTGOING];

	if (me->syn != SYN_SEEN || peer->seen || !(frame->flags & TCP_ACK) || frame->flags & (TCP_SYN | TCP_RST))
		return 0;
	me->syn = HANDSHAKE_DONE;
	return TW_EVENT_HANDSHAKE_ACK;
}

/*
 * A forwarded segment leaves with addresses that are not known as a hop's, or begins a connection: finds the hop on which
 * it came in. scratch and from: of the caller's map memory.
 */
static __always_inline void tie_hops(const struct frame *frame, struct tw_tuple *from, struct tw_flow *scratch)
{
	const struct tw_tuple *found = came_with(frame);
	struct tw_flow *near;

	if (!found)
		return;
	*from = *found;
	near = bpf_map_lookup_elem(&flows, from);
	if (near && near->alias)
		return; /* a socket's of this machine */
	if (near && near->half[INCOMING].seen) {
		near->hop = 1;
		near->foreign = 0;
		near->strays = 0;
	} else {
		begin_arrival_hop(scratch, frame);
		put_flow(from, scratch);
	}
	emit_hops(frame, from);
}

#endif
