/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * duplicates.h: packets that the network delivers twice (a bridge loop, a bond that sends on every port, a mirror port, a
 * Wi-Fi retry, a router that duplicates). Nobody sent them again.
 *
 * A packet is known by its numbers and its IPv4 identification: what TCP sends again has an identification of its own. A
 * copy comes within COPY_LIMIT_US, or whenever it likes where the host is known to count them up. Where there is no
 * identification (IPv6, or 0, or the same in every packet) it is known by TCP's timestamp, if the first packet came in
 * order and had a number to take: then nothing was lost before it, and the sender can have sent it again only by a timer,
 * which is longer than STAMP_LIMIT_US, or because it got lost behind this hook, which takes a round trip. So either the
 * socket has the first one already, or the copy comes at once (AT_ONCE_US). A SYN or SYN-ACK that comes again so soon is a
 * copy in any case: the timer behind it is longer, and the other SYN that makes a listener answer again is a copy itself,
 * or has another timestamp. Lengths are not compared: GRO merges a copy with the new segment behind it.
 *
 * The table is bounded and shared by all flows. What it has forgotten is no copy. The loopback device, where there is no
 * network, is not asked about: each question costs a place in memory that no cache has.
 */
#ifndef TCPWITNESS_DUPLICATES_H
#define TCPWITNESS_DUPLICATES_H

#include "flow.h"

#define LOOPBACK_IFINDEX 1
#define MOST_PACKETS 4096    /* a power of two */
#define COPY_LIMIT_US 100000 /* half the least RTO: a host may give all packets one identification */
#define STAMP_LIMIT_US 1000
#define AT_ONCE_US 20

struct packet {
	__u32 seq;
	__u32 mark; /* of everything else that it is known by */
	__u32 tick; /* jiffies */
	__u32 at;   /* see tick_1024ns(); 0: it has an identification, or did not come in order */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MOST_PACKETS);
	__type(key, __u32);
	__type(value, struct packet);
} packets SEC(".maps");

static __always_inline __u64 pair(__u32 high, __u32 low)
{
	return (__u64)high << 32 | low;
}

static __always_inline bool takes_numbers(const struct frame *frame)
{
	return frame->payload || frame->flags & (TCP_SYN | TCP_FIN);
}

/* me: its direction, 0 where the flow is new. An identification that two packets share is none. */
static __always_inline bool is_identified(const struct tw_half *me, const struct frame *frame)
{
	return frame->ip_id && !(me && me->last_id == frame->ip_id && me->last_seq != frame->seq);
}

static __always_inline __u32 mark_of(const struct frame *frame, bool identified)
{
	const __u32 *local = (const __u32 *)frame->tuple.local_addr, *remote = (const __u32 *)frame->tuple.remote_addr;
	__u32 ports = (__u32)frame->tuple.local_port << 16 | frame->tuple.remote_port;
	__u32 kind = takes_numbers(frame) | (__u32)(identified ? 0 : frame->ttl) << 8;
	__u64 mark = pair(frame->ack, frame->tsval) * 0x9e3779b97f4a7c15ULL;

	mark ^= pair(local[3], remote[3]) * 0xc2b2ae3d27d4eb4fULL;
	mark ^= pair(ports, (__u32)frame->window << 16 | frame->ip_id) * 0xd6e8feb86659fd93ULL;
	mark = (mark ^ mark >> 32 ^ kind) * 0x9e3779b97f4a7c15ULL;
	return (__u32)(mark >> 32);
}

/* How sure it is that an incoming packet is a copy (struct frame's duplicate). Remembers it where it is none. */
static __always_inline __u32 came_before(const struct tw_half *me, struct frame *frame)
{
	bool identified = is_identified(me, frame);
	__u32 mark = mark_of(frame, identified), tick = (__u32)bpf_jiffies64(), at = 0, slot;
	struct packet *packet;

	if (!identified && (!frame->tsval || !takes_numbers(frame)))
		return NO_DUPLICATE;
	if (!identified)
		at = tick_1024ns_of(frame) | 1;
	slot = (mark ^ frame->seq) & (MOST_PACKETS - 1);
	packet = bpf_map_lookup_elem(&packets, &slot);
	if (!packet)
		return NO_DUPLICATE;
	if (packet->seq == frame->seq && packet->mark == mark) {
		if (identified &&
		    ((me && me->ip_id_in_order == COUNTS_UP) || tick - packet->tick <= COPY_LIMIT_US / config.tick_us))
			return DUPLICATE;
		if (packet->at && at - packet->at <= (frame->flags & TCP_SYN ? STAMP_LIMIT_US : AT_ONCE_US))
			return DUPLICATE;
		if (packet->at && at - packet->at <= STAMP_LIMIT_US)
			return DUPLICATE_IF_RECEIVED;
	}
	packet->seq = frame->seq;
	packet->mark = mark;
	packet->tick = tick;
	packet->at = me && me->seen && frame->seq != me->nxt ? 0 : at;
	return NO_DUPLICATE;
}

/* Does the socket have all of it? Then it has not been lost behind the hook. */
static __always_inline bool has_received(const struct frame *frame, const struct lookup *lookup)
{
	return is_connection(lookup) && seq_distance(frame_seq_end(frame), lookup->view.rcv_nxt) >= 0;
}

#endif
