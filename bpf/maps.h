/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * maps.h: the state shared by the programs. Each object declares these maps; the loader makes all of them use those of
 * shared.bpf.c, so there is one ring and one flow map.
 */
#ifndef TCPWITNESS_MAPS_H
#define TCPWITNESS_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "tcpwitness/event_abi.h"
#include "tuple.h"

/* Every event of every program: ring order is causal order. Sized by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tw_cpu_state);
} cpu_states SEC(".maps");

/*
 * One direction of a flow. Its bytes are written by segments of that direction, except fin_acked and the clearing of
 * probe_pending, hole and probe_byte, which the other direction writes: no field is a bit field, so two CPUs
 * never lose each other's write. What each segment writes stands together in the first 64 bytes, and the two directions
 * 128 bytes apart: two CPUs do not write to one cache line.
 */
struct tw_half {
	__u64 bytes; /* see struct tw_wire_counters */
	__u32 segs;
	__u32 retrans_bytes;
	__u32 nxt;      /* highest sequence number seen, plus one */
	__u32 ifindex;  /* where this direction is seen: a stacked device shows the same segment again */
	__u32 last_seq; /* the newest frame, by which its copy on a stacked device is known */
	__u32 last_end;
	__u32 last_ack;
	__u32 last_tick;    /* jiffies */
	__u32 payload_tick; /* likewise, of the newest payload; see times.h */
	__u32 max_tsval;    /* the newest of TCP's timestamps, host order; 0: none */
	__u16 last_id;      /* IPv4 identification */
	__u16 last_segments;
	__u16 top_id; /* of the segment with the highest number */
	__u8 last_ttl;
	__u8 ip_id_in_order; /* so often in a row its IPv4 identification counted up; see is_older() */
	__u8 last_one_byte;  /* the newest new segment was one byte: its flags */
	__u8 seen;
	__u8 syn; /* 1 SYN, 2 SYN-ACK, 3 SYN and its handshake ACK */
	__u8 fin;
	__u8 fin_acked;
	__u8 zero_window;
	__u8 probe_pending;
	__u8 hole;
	/* Not of an ordinary segment. */
	__u32 isn;       /* of its SYN, where syn is set */
	__u32 fin_end;   /* sequence number after the FIN */
	__u32 first_end; /* after the first payload */
	__u32 hole_from; /* sequence numbers of which some are missing, where hole is set */
	__u32 hole_to;
	__u32 hole_at;   /* since when; see tick_1024ns() */
	__u32 probe_end; /* after the byte that a window probe tried, where probe_byte is set */
	__u16 largest;   /* payload of the largest wire segment, where it is more than USUAL_SEGMENT */
	__u8 probe_byte; /* a window probe tried a new byte: neither acknowledged nor sent as data yet */
	__u8 apart[33];
};
_Static_assert(__builtin_offsetof(struct tw_half, isn) == 64, "what a segment writes");
_Static_assert(sizeof(struct tw_half) == 128, "one direction's cache lines are not the other's");

/*
 * What the wire shows of a flow without asking the socket. A flow has the key that its socket has: where NAT gives its
 * segments other addresses, a second entry (an alias) leads from those to it.
 */
struct tw_flow {
	struct tw_half half[2]; /* [0] incoming, [1] outgoing */
	struct tw_loss_counters loss;
	__u8 orphaned;   /* its socket is gone: the last ACK removes the flow */
	__u8 foreign;    /* not this machine's: forwarded, or ever again without a socket */
	__u8 strays;     /* segments reported although no socket wanted them; then there is no half, and no more */
	__u8 held;       /* Nagle's algorithm holds back what begins at held_seq; set by kernel.bpf.c */
	__u8 owned;      /* a TCP socket of this machine was seen sending */
	__u8 alias;      /* NAT: the key is the wire's, the flow is under `other`; nothing else is set */
	__u8 translated; /* NAT: the key is the socket's, and on the wire it is `other` */
	__u8 hop;        /* one side of a forwarded connection: see hop.h */
	__u8 firsts;     /* the first payload of both sides, and its ACK, were seen; see times.h */
	__u8 syn_held;   /* tw_config.digests: `syn` has not been reported */
	__u8 pad[6];
	__u64 cookie;     /* tw_config.digests: of the socket whose events may wait; see digest.h */
	__u32 syn_at;     /* our newest SYN or SYN-ACK; see tick_1024ns() */
	__u32 round_trip; /* of the handshake, same unit; 0: not seen */
	__u32 held_seq;
	__u32 held_at;
	__u32 held_bytes_in; /* wire counters at that time, modulo 2^32 */
	__u32 held_retrans;
	struct tw_tuple other;
	struct tw_held_segment syn; /* that came in for a listener, until its SYN-ACK leaves */
	struct tw_times times;      /* since_ms is made of payload_tick where it is read */
};
/* A function of its own: the verifier would go through its hundred instructions on each path. */
__noinline __u32 begin_flow(struct tw_flow *flow)
{
	if (flow)
		__builtin_memset(flow, 0, sizeof(*flow));
	return 0;
}

static __always_inline void take_wire(const struct tw_flow *flow, struct tw_wire_counters *wire)
{
	wire->bytes_in = flow->half[0].bytes;
	wire->bytes_out = flow->half[1].bytes;
	wire->segs_in = flow->half[0].segs;
	wire->segs_out = flow->half[1].segs;
	wire->retrans_bytes_in = flow->half[0].retrans_bytes;
	wire->retrans_bytes_out = flow->half[1].retrans_bytes;
}

static __always_inline bool both_fins_acked(const struct tw_flow *flow)
{
	return flow->half[0].fin && flow->half[0].fin_acked && flow->half[1].fin && flow->half[1].fin_acked;
}

/* Bounded: the least recently used flow goes when a new one finds no room. Sized by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct tw_tuple);
	__type(value, struct tw_flow);
} flows SEC(".maps");

/* What a socket has lost that its RST still had; see disconnected.h. */
struct disconnected {
	struct tw_tuple tuple;
	__u32 isn[2]; /* of the flow's halves: the addresses can be another connection's when the socket is destroyed */
};

/* By cookie. Bounded: a socket that is closed so is destroyed at once. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct disconnected);
} disconnections SEC(".maps");

/* NAT gave the segments of any socket other addresses, since the start. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} translations SEC(".maps");

static __always_inline bool any_translation(void)
{
	__u32 zero = 0, *any = bpf_map_lookup_elem(&translations, &zero);

	return any && *any;
}

static __always_inline void note_translation(void)
{
	__u32 zero = 0, *any = bpf_map_lookup_elem(&translations, &zero);

	if (any && !*any)
		*any = 1;
}

/* Do a socket's addresses pass the filters, or those that its segments have on the wire? */
static __always_inline bool flow_wanted(const struct tw_tuple *tuple)
{
	const struct tw_flow *flow;

	if (tuple_wanted(tuple))
		return true;
	if (!any_translation())
		return false;
	flow = bpf_map_lookup_elem(&flows, tuple);
	return flow && flow->translated; /* it is there because one of the two matches the filters */
}

static __always_inline struct tw_cpu_state *this_cpu_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&cpu_states, &zero);
}

/* New, or in place of the one there. False where it found no room. Counted, as the map does not report what it evicts. */
static __always_inline bool put_flow(const struct tw_tuple *key, const struct tw_flow *flow)
{
	struct tw_cpu_state *cpu = this_cpu_state();
	long err = bpf_map_update_elem(&flows, key, flow, BPF_NOEXIST);

	if (!err && cpu)
		__sync_fetch_and_add(&cpu->flows_added, 1);
	if (err)
		err = bpf_map_update_elem(&flows, key, flow, BPF_EXIST);
	if (err && cpu)
		__sync_fetch_and_add(&cpu->flows_full, 1);
	return !err;
}

static __always_inline void remove_flow(const struct tw_tuple *key)
{
	struct tw_cpu_state *cpu = this_cpu_state();

	if (!bpf_map_delete_elem(&flows, key) && cpu)
		__sync_fetch_and_add(&cpu->flows_removed, 1);
}

/* The flow of a socket is over: its alias goes with it. */
static __always_inline void forget_flow(const struct tw_tuple *key, const struct tw_flow *flow)
{
	if (flow->translated)
		remove_flow(&flow->other);
	remove_flow(key);
}

#endif
