/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * emit.h: the only place that touches the ring.
 *
 * A record is reserved at its own size, its header filled, then submitted. The kernel wakes whoever waits for the ring by
 * the first record after the consumer has read all (flags 0); the consumer waits for that only where nothing comes, and
 * otherwise for its timer. A record that finds no room, or gives way where the ring fills, is counted on its CPU and by
 * its kind, and every later record of that CPU carries the count, so that no loss is silent. Additions are
 * atomic because an interrupt can emit in the middle of another emit on the same CPU.
 */
#ifndef TCPWITNESS_EMIT_H
#define TCPWITNESS_EMIT_H

#include "config.h"
#include "digest.h"
#include "maps.h"

#define WAKEUP_PAUSE_NS 500000ULL

/*
 * One record of so many looks how full the ring is: that costs the cache line that the consumer writes. A power of two.
 */
#define RECORDS_PER_LOOK 16

/*
 * What gives way first where the consumer does not keep up, so that the end of each connection is the last to be lost.
 * It is counted as lost as if there were no room.
 */
enum shed {
	SHED_NOTHING,
	SHED_SEGMENTS, /* the ring is full to three quarters: TW_KIND_SEGMENT */
	SHED_REST,     /* to seven eighths: everything but the next */
	SHED_NEVER,    /* TW_KIND_DESTROY, and what is rare */
};

/* How full the ring was when this CPU has looked. Each object has its own. */
struct pressure {
	__u32 tried; /* records since */
	__u32 shed;  /* enum shed */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pressure);
} pressures SEC(".maps");

/*
 * May a record that `by` leaves out go into the ring? One of RECORDS_PER_LOOK records looks, and all while something gives
 * way. A function of its own for the verifier, which looks at it once.
 */
__noinline __u32 ring_admits(__u32 by)
{
	__u32 zero = 0;
	struct pressure *pressure = bpf_map_lookup_elem(&pressures, &zero);
	__u64 filled;

	if (!pressure)
		return 0;
	if (config.wake_bytes && (pressure->tried++ % RECORDS_PER_LOOK == 0 || pressure->shed)) {
		filled = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
		pressure->shed = SHED_NOTHING;
		if (filled > 3ULL * config.wake_bytes)
			pressure->shed = SHED_SEGMENTS;
		if (filled > 7ULL * config.wake_bytes / 2)
			pressure->shed = SHED_REST;
	}
	return pressure->shed < by;
}

/* The first enum shed that leaves out a kind; what is rare or shows how a connection ends has the last room. */
static __always_inline __u32 shed_by(__u8 kind)
{
	if (kind == TW_KIND_SEGMENT)
		return SHED_SEGMENTS;
	return kind == TW_KIND_DESTROY || kind == TW_KIND_DIGEST || kind == TW_KIND_NAT || kind == TW_KIND_ICMP
		       ? SHED_NEVER
		       : SHED_REST;
}

static __always_inline void *begin_record(struct tw_cpu_state *cpu, struct tw_header *header, __u8 kind, __u64 cookie,
					  __u32 netns)
{
	__sync_fetch_and_add(&cpu->tried, 1);
	if (!header) {
		__sync_fetch_and_add(&cpu->lost, 1);
		if (kind < TW_KIND_COUNT)
			__sync_fetch_and_add(&cpu->lost_by_kind[kind], 1);
		return 0;
	}
	header->ts_ns = bpf_ktime_get_ns();
	header->cookie = cookie;
	header->seq = (__u32)cpu->tried;
	header->lost = (__u32)cpu->lost;
	header->netns = netns;
	header->cpu = (__u16)bpf_get_smp_processor_id();
	header->kind = kind;
	header->version = TW_ABI_VERSION;
	return header;
}

/*
 * Room for one record of `type` and `more` bytes behind it (a constant for the verifier), its header filled, or NULL
 * (counted). Every other byte is the caller's to write. by: what leaves it out, see shed_by(). What is held back of the
 * socket goes before it.
 */
#define reserve_record_unless(by, type, more, kind, cookie, netns)                                       \
	({                                                                                               \
		struct tw_cpu_state *cpu_;                                                               \
		struct type *record_ = 0;                                                                \
		__u64 cookie_ = (cookie);                                                                \
		if (config.digests && cookie_)                                                           \
			release_digest(cookie_);                                                         \
		cpu_ = this_cpu_state();                                                                 \
		if (cpu_) {                                                                              \
			if ((by) == SHED_NEVER || ring_admits(by))                                       \
				record_ = bpf_ringbuf_reserve(&events, sizeof(struct type) + (more), 0); \
			begin_record(cpu_, (struct tw_header *)record_, kind, cookie_, netns);           \
		}                                                                                        \
		record_;                                                                                 \
	})
#define reserve_record_and(type, more, kind, cookie, netns) \
	reserve_record_unless(shed_by(kind), type, more, kind, cookie, netns)
#define reserve_record(type, kind, cookie, netns) reserve_record_and(type, 0, kind, cookie, netns)

/* A ring that fills must not wait for the timer: above wake_bytes wake the consumer, at most every 0.5 ms per CPU. */
static __always_inline void submit_record(void *record)
{
	__u64 flags = 0;
	struct tw_header *header = record;

	if (header->seq % RECORDS_PER_LOOK == 0) {
		struct tw_cpu_state *cpu = this_cpu_state();

		if (cpu && header->ts_ns - cpu->last_wakeup_ns > WAKEUP_PAUSE_NS &&
		    bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > config.wake_bytes) {
			cpu->last_wakeup_ns = header->ts_ns;
			flags = BPF_RB_FORCE_WAKEUP;
		}
	}
	bpf_ringbuf_submit(record, flags);
}

/* A SYN for a listener (through a TIME_WAIT socket, too) waits in its flow until the SYN-ACK leaves; see struct tw_flow. */
static __always_inline void release_opening(const struct tw_tuple *tuple, struct tw_flow *flow)
{
	const struct tw_held_segment *syn = &flow->syn;
	struct tw_segment *record;

	if (!flow->syn_held)
		return;
	flow->syn_held = 0;
	record = reserve_record(tw_segment, TW_KIND_SEGMENT, 0, config.netns);
	if (!record)
		return;
	__builtin_memset((void *)record + sizeof(record->header), 0, sizeof(*record) - sizeof(record->header));
	record->header.ts_ns = syn->ts_ns;
	record->tuple = *tuple;
	record->socket.type = syn->type;
	record->socket.state = syn->state;
	if (syn->type == TW_SOCKET_LISTENER) {
		record->socket.ack_backlog = syn->ack_backlog;
		record->socket.max_ack_backlog = syn->max_ack_backlog;
		record->socket.syn_qlen = syn->syn_qlen;
		record->socket.max_syn_backlog = syn->max_syn_backlog;
		record->socket.syncookies = syn->syncookies;
	} else {
		record->socket.snd_una = syn->snd_una;
		record->socket.snd_nxt = syn->snd_nxt;
		record->socket.rcv_nxt = syn->rcv_nxt;
		record->socket.write_seq = syn->write_seq;
		record->socket.flags = syn->socket_flags;
	}
	record->wire.segs_in = 1;
	record->wire.bytes_in = syn->len;
	record->ifindex = syn->ifindex;
	record->seq = syn->seq;
	record->ack = syn->ack;
	record->len = syn->len;
	record->ts_val = syn->ts_val;
	record->ts_ecr = syn->ts_ecr;
	record->window = syn->window;
	record->mss = syn->mss;
	record->event_flags = TW_EVENT_SYN;
	record->flags = syn->flags;
	record->hook = syn->hook;
	record->ttl = syn->ttl;
	record->options = syn->options;
	record->wscale = syn->wscale;
	record->segments = 1;
	submit_record(record);
}

static __always_inline void release_flow(const struct tw_tuple *tuple)
{
	struct tw_flow *flow = bpf_map_lookup_elem(&flows, tuple);

	if (!flow)
		return;
	release_opening(tuple, flow);
	if (flow->cookie)
		release_digest(flow->cookie);
}

/* Of something that is reported of these addresses: what is held back of the connection, whose other end can be here too. */
static __noinline __attribute__((unused)) int release_ends(const struct tw_tuple *tuple)
{
	struct tw_tuple other = {};

	release_flow(tuple);
	reverse_tuple(tuple, &other);
	release_flow(&other);
	return 0;
}

#endif
