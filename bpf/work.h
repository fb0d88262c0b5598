/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * work.h: what one run of a program on the wire works on: the frame, its flow, its socket.
 */
#ifndef TCPWITNESS_WORK_H
#define TCPWITNESS_WORK_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "flow.h"
#include "maps.h"
#include "parse.h"

/* A SYN that the routing table sends onwards, as it came in. */
#define HELD_BYTES 128
struct held_syn {
	__u64 ts_ns;
	__u32 ifindex, seq, payload, bytes;
	__u16 window, vlan_id, options_offset, captured;
	__u8 options_length, ttl, hook, raw_ip;
	__u8 frame[HELD_BYTES];
	__u8 pad[4];
};

/*
 * The work of one program run. Map memory because the verifier does not follow its contents, and the
 * stack is short. Never shared: these hooks run with soft interrupts off, one at a time on a CPU.
 */
struct work {
	struct frame frame;
	struct lookup lookup;
	struct tw_flow new_flow;
	struct tw_wire_counters wire;
	struct tw_loss_counters loss;
	struct tw_tuple sender;  /* the sending socket's addresses */
	struct tw_tuple on_wire; /* frame.translated: the frame's own */
	__u8 options[64] __attribute__((aligned(4)));
	struct options found;
	__u8 taken;    /* its flow has it already, and it is to be a record; see rules_take_fin() */
	__u8 unasked;  /* known from the flow map alone: the socket takes it; see is_first_answer() */
	__u64 address; /* see plain_address() */
	struct held_syn syn;
	__u8 strays;     /* of this flow, before this segment */
	__u8 refused;    /* enum tw_refused */
	__u8 syn_held;   /* the SYN that this SYN-ACK answers had been held */
	__u8 ttl_before; /* see struct tw_segment */
	__u8 pad[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct work);
} works SEC(".maps");

static __always_inline struct work *begin_work(__u8 hook, __u32 ifindex, __u32 bytes)
{
	__u32 zero = 0;
	struct work *work = bpf_map_lookup_elem(&works, &zero);

	if (!work)
		return 0;
	work->frame.hook = hook;
	work->frame.outgoing = hook == TW_HOOK_TC_EGRESS;
	work->frame.ifindex = ifindex;
	work->frame.bytes = bytes;
	work->frame.segments = 1;
	work->frame.vlan_id = 0;
	work->frame.fragment = 0;
	work->frame.reordered = 0;
	work->frame.duplicate = NO_DUPLICATE;
	work->frame.event_flags = 0;
	work->frame.segment_size = 0;
	work->frame.tuple.scope = 0;
	work->syn_held = 0;
	work->frame.translated = 0;
	work->frame.forwarding = TW_FORWARDING_NONE;
	work->frame.came_in = 0;
	work->frame.now_ns = 0;
	work->frame.for_others = 0;
	return work;
}

/* A pointer as a number that can be read from, at a helper's cost: map memory forgets its type. */
static __always_inline const void *plain_address(struct work *work, const void *pointer)
{
	*(volatile __u64 *)&work->address = (__u64)(unsigned long)pointer;
	return (const void *)(unsigned long)*(volatile __u64 *)&work->address;
}

static __always_inline struct cursor bytes_of(void *ctx, bool xdp)
{
	struct cursor at;

	if (xdp) {
		at.data = (void *)(long)((struct xdp_md *)ctx)->data;
		at.end = (void *)(long)((struct xdp_md *)ctx)->data_end;
	} else {
		at.data = (void *)(long)((struct __sk_buff *)ctx)->data;
		at.end = (void *)(long)((struct __sk_buff *)ctx)->data_end;
	}
	return at;
}

/* The frame's first bytes, as many as there are: how many, 0 where it fails. */
static __always_inline __u32 load_bytes(void *ctx, bool xdp, void *to, __u32 length, __u32 most)
{
	long failed;

	if (length > most)
		length = most;
	/* The helpers need a length from 1. Linux 6.1's verifier takes no bound from "not 0"; that 0 - 1 wraps gives it one. */
	length--;
	asm volatile("" : "+r"(length));
	if (length >= most)
		return 0;
	length++;
	if (xdp)
		failed = bpf_probe_read_kernel(to, length, bytes_of(ctx, true).data);
	else
		failed = bpf_skb_load_bytes(ctx, 0, to, length);
	return failed ? 0 : length;
}

#endif
