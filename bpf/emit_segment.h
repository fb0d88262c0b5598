/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * emit_segment.h: a segment that is an event, as a record: its options, and for a recording its first bytes.
 */
#ifndef TCPWITNESS_EMIT_SEGMENT_H
#define TCPWITNESS_EMIT_SEGMENT_H

#include "emit.h"
#include "work.h"

/* Of work->options. Its loop is gone through once for all who call it. */
__noinline __u32 rules_parse_options(struct work *work)
{
	if (work)
		parse_options(&work->frame, work->options, &work->found);
	return 0;
}

/* Takes the bytes anew from ctx: the parser's pointers would keep its paths apart for the verifier. */
static __always_inline void read_options(void *ctx, bool xdp, struct work *work)
{
	struct cursor at = bytes_of(ctx, xdp);
	__u32 length = work->frame.options_length & 63;
	void *start = at.data + work->frame.options_offset;

	__builtin_memset(&work->found, 0, sizeof(work->found));
	if (length == 0 || start + length > at.end)
		return;
	if (bpf_probe_read_kernel(work->options, length, start) == 0)
		rules_parse_options(work);
}

static __always_inline void take_options(const struct options *found, struct tw_segment *record)
{
	record->ts_val = found->ts_val;
	record->ts_ecr = found->ts_ecr;
	record->mss = found->mss;
	record->wscale = found->wscale;
	record->options = found->present;
}

/* Recording: room behind the record for the frame's first bytes. Known to the verifier, for rodata is. */
static __always_inline __u32 room_for_bytes(void)
{
	return config.snaplen ? sizeof(struct tw_frame) + config.snaplen : 0;
}

/* The frame's first bytes, headers as they are at this hook. */
static __always_inline void keep_bytes(void *ctx, bool xdp, bool raw_ip, __u32 length, struct tw_segment *record)
{
	struct tw_frame *kept = (struct tw_frame *)(record + 1);

	kept->wire_len = length;
	kept->link_type = raw_ip ? TW_LINK_RAW_IP : TW_LINK_ETHERNET;
	kept->vlan_tci = 0;
	kept->vlan_proto = 0;
	if (!xdp && ((struct __sk_buff *)ctx)->vlan_present) {
		kept->vlan_tci = (__u16)((struct __sk_buff *)ctx)->vlan_tci;
		kept->vlan_proto = bpf_ntohs((__u16)((struct __sk_buff *)ctx)->vlan_proto);
	}
	kept->captured = (__u16)load_bytes(ctx, xdp, kept + 1, length, config.snaplen);
}

/*
 * The handshake's last ACK and the ACK of a FIN name the cause of a transition, in a timeline. The life of
 * a connection is the same without them: the tracepoint reports the transition itself. See ends_mini_socket(), too.
 */
#define ONLY_A_CAUSE (TW_EVENT_HANDSHAKE_ACK | TW_EVENT_FIN_ACK)

/* What is held back of a connection, before a segment of it is reported. Of its other end too, but for a mere SYN or FIN. */
__noinline __u32 rules_release(struct work *work)
{
	struct tw_tuple tuple; /* Linux 6.1 takes no key from an argument's memory */

	if (!work)
		return 0;
	tuple = work->frame.tuple;
	if (work->frame.event_flags & ~(TW_EVENT_SYN | TW_EVENT_FIN | ONLY_A_CAUSE))
		return release_ends(&tuple);
	release_flow(&tuple);
	return 0;
}

static __always_inline void emit_segment(void *ctx, bool xdp, bool raw_ip, struct work *work)
{
	const struct frame *frame = &work->frame;
	struct tw_segment *record;

	if (config.digests)
		rules_release(work);
	record = reserve_record_and(tw_segment, room_for_bytes(), TW_KIND_SEGMENT, work->lookup.cookie, config.netns);
	if (!record)
		return;
	record->tuple = frame->tuple;
	record->socket = work->lookup.view;
	record->wire = work->wire;
	record->loss = work->loss;
	record->ifindex = frame->ifindex;
	record->seq = frame->seq;
	record->ack = frame->ack;
	record->len = frame->payload;
	record->window = frame->window;
	record->event_flags = frame->event_flags;
	record->vlan_id = frame->vlan_id;
	record->flags = frame->flags;
	record->hook = frame->hook;
	record->ttl = frame->ttl;
	record->reordered = frame->reordered;
	record->segments = (__u16)frame->segments;
	record->refused = work->refused;
	record->nat = frame->translated;
	record->forwarding = frame->forwarding;
	record->duplicate = frame->duplicate == DUPLICATE;
	record->came_in = frame->came_in;
	record->ttl_before = work->ttl_before;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	read_options(ctx, xdp, work);
	take_options(&work->found, record);
	if (config.snaplen)
		keep_bytes(ctx, xdp, raw_ip, frame->bytes, record);
	submit_record(record);
}

#endif
