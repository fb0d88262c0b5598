/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * held_syn.h: a SYN that the routing table sends onwards may be for a socket of this machine all the same, which shows only
 * when its SYN-ACK leaves.
 */
#ifndef TCPWITNESS_HELD_SYN_H
#define TCPWITNESS_HELD_SYN_H

#include "emit_segment.h"
#include "work.h"

/*
 * By the wire's addresses. TPROXY and DNAT give some of them to a socket of this machine, which shows only when its
 * SYN-ACK leaves. All others are forgotten. Bounded: the oldest goes.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct tw_tuple);
	__type(value, struct held_syn);
} held_syns SEC(".maps");

/* Any SYN was held since the start: most machines route nothing. */
static volatile __u32 holds_syns;

/* Its socket, if it has one here, shows with the SYN-ACK. */
static __always_inline void hold_syn(void *ctx, bool xdp, bool raw_ip, struct work *work)
{
	const struct frame *frame = &work->frame;
	struct held_syn *syn = &work->syn;

	syn->ts_ns = bpf_ktime_get_ns();
	syn->ifindex = frame->ifindex;
	syn->seq = frame->seq;
	syn->payload = frame->payload;
	syn->bytes = frame->bytes;
	syn->window = frame->window;
	syn->vlan_id = frame->vlan_id;
	syn->options_offset = frame->options_offset;
	syn->options_length = frame->options_length;
	syn->ttl = frame->ttl;
	syn->hook = frame->hook;
	syn->raw_ip = raw_ip;
	syn->captured = (__u16)load_bytes(ctx, xdp, syn->frame, frame->bytes, HELD_BYTES);
	bpf_map_update_elem(&held_syns, &frame->tuple, syn, BPF_ANY);
	holds_syns = 1;
}

/* The bytes of a held SYN are what is left of it. */
static __always_inline void keep_held_bytes(const struct held_syn *syn, struct tw_segment *record)
{
	struct tw_frame *kept = (struct tw_frame *)(record + 1);
	__u32 most = config.snaplen < HELD_BYTES ? config.snaplen : HELD_BYTES;

	kept->wire_len = syn->bytes;
	kept->link_type = syn->raw_ip ? TW_LINK_RAW_IP : TW_LINK_ETHERNET;
	kept->vlan_tci = 0;
	kept->vlan_proto = 0;
	kept->captured = syn->captured < most ? syn->captured : (__u16)most;
	bpf_probe_read_kernel(kept + 1, most, syn->frame);
}

/*
 * A SYN-ACK leaves: was its SYN held? It comes with the addresses and the request of the socket that has taken it, at
 * its own time.
 */
__noinline __u32 release_syn(struct work *work)
{
	struct tw_segment *record;
	struct held_syn *syn;
	struct tw_tuple wire;
	__u32 from;

	if (!work || !holds_syns)
		return 0;
	wire = work->frame.translated ? work->on_wire : work->frame.tuple;
	syn = bpf_map_lookup_elem(&held_syns, &wire);
	if (!syn || work->frame.ack - 1 - syn->seq > syn->payload)
		return 0;
	work->syn = *syn;
	bpf_map_delete_elem(&held_syns, &wire);
	syn = &work->syn;
	work->syn_held = 1;
	record = reserve_record_and(tw_segment, room_for_bytes(), TW_KIND_SEGMENT, work->lookup.cookie, config.netns);
	if (!record)
		return 0;
	__builtin_memset((void *)record + sizeof(record->header), 0, sizeof(*record) - sizeof(record->header));
	record->header.ts_ns = syn->ts_ns;
	record->tuple = work->frame.tuple;
	record->socket = work->lookup.view;
	record->wire.segs_in = 1;
	record->wire.bytes_in = syn->payload;
	record->ifindex = syn->ifindex;
	record->seq = syn->seq;
	record->len = syn->payload;
	record->window = syn->window;
	record->event_flags = TW_EVENT_SYN;
	record->vlan_id = syn->vlan_id;
	record->flags = TCP_SYN;
	record->hook = syn->hook;
	record->ttl = syn->ttl;
	record->segments = 1;
	record->nat = work->frame.translated;
	from = syn->options_offset;
	if (from < HELD_BYTES - OPTIONS_MAX) {
		__u8 own = work->frame.options_length;

		bpf_probe_read_kernel(work->options, OPTIONS_MAX, &syn->frame[from]);
		work->frame.options_length = syn->options_length;
		__builtin_memset(&work->found, 0, sizeof(work->found));
		rules_parse_options(work);
		take_options(&work->found, record);
		work->frame.options_length = own;
	}
	if (config.snaplen)
		keep_held_bytes(syn, record);
	submit_record(record);
	return 0;
}

#endif
