/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * digest.h: the ordinary events of a socket wait here, and go out as one record (struct tw_digest).
 *
 * A socket's entry is begun by its first transition, or by its SYN-ACK, and handed over when it is destroyed. Whatever is
 * not ordinary releases it first: reserve_record() does so by the cookie, who has only addresses calls release_ends(). From
 * then on the socket has no entry, and each event is a record. What grows old is released by snapshot.bpf.c.
 *
 * Transitions are written with the socket locked, one after the other; segments, and who uses the socket, each have a
 * place of their own and one writer. Whoever writes looks at `released` afterwards: where another CPU releases the entry
 * at the same moment, the event becomes a record too, and user space drops the second one of the same time.
 */
#ifndef TCPWITNESS_DIGEST_H
#define TCPWITNESS_DIGEST_H

#include "maps.h"
#include "times.h"

struct digest_entry {
	__u64 begun_ns;
	struct tw_tuple tuple; /* no local port: connect() has not chosen it yet */
	__u32 netns;
	__u32 counts; /* events that it stands for, in units of ONE_EVENT, and its transitions, which become held.state_count */
	__u32 released; /* how often: above 0 it is over */
	__u32 claimed;  /* parts that have their writer, a bit each: claim() */
	struct tw_held held;
};

/* Of digest_entry.counts, added by one atomic operation, behind which its writer looks at `released`. */
#define STATES_SHIFT 16
#define ONE_EVENT 1U
#define ONE_STATE (1U << STATES_SHIFT | ONE_EVENT)

/* By cookie. A hash with its memory allocated at once: what was freed last is used first, and is in the cache. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct digest_entry);
} digests SEC(".maps");

/* What an entry begins as. Never written. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct digest_entry);
} blank_digest SEC(".maps");

/* Which process was last seen using a socket, by cookie. */
struct owner_mark {
	__u32 tgid;
	__u32 reported;         /* changes reported so far: two processes taking turns must not flood the ring */
	__u8 comm[TW_COMM_LEN]; /* of who connected */
};

/*
 * A bounded hash, not socket storage: creating and freeing that costs more than all else we do for a
 * short connection (its memory goes through RCU). An evicted mark costs one repeated event.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct owner_mark);
} owners SEC(".maps");

/* The entry of a socket whose events still wait; 0: it has none. */
static __always_inline struct digest_entry *digest_of(__u64 cookie)
{
	struct digest_entry *entry;

	if (!config.digests || !cookie)
		return 0;
	entry = bpf_map_lookup_elem(&digests, &cookie);
	return entry && !entry->released ? entry : 0;
}

/* Of digest_entry.counts, which is read once: another CPU may be adding to it. */
static __always_inline __u32 events_of(__u32 counts)
{
	return (__u16)counts;
}

static __always_inline __u8 states_of(__u32 counts)
{
	__u32 states = counts >> STATES_SHIFT;

	return states > TW_HELD_STATES ? TW_HELD_STATES : (__u8)states;
}

/* No event waits in it from now on. Returns the counts of those that do. */
static __always_inline __u32 close_digest(struct digest_entry *entry)
{
	__sync_fetch_and_add(&entry->released, 1);
	return *(const volatile __u32 *)&entry->counts;
}

/* What waits in it, into its record. */
static __always_inline void take_held(const struct digest_entry *entry, __u32 counts, struct tw_digest *record)
{
	record->held = entry->held;
	record->held.state_count = states_of(counts);
	__builtin_memset(record->pad, 0, sizeof(record->pad));
}

static __always_inline bool was_released(const struct digest_entry *entry)
{
	return *(const volatile __u32 *)&entry->released != 0;
}

#define CLAIM_OWNER 4U /* above the places in held.segments */

/*
 * Two CPUs can have the same part at the same moment, as copies of one segment: false for the second one, whose event is a
 * record.
 */
static __always_inline bool claim(struct digest_entry *entry, __u32 part)
{
	return !(__sync_fetch_and_or(&entry->claimed, 1U << part) & 1U << part);
}

/* now_ns: of its first event. 0: there is no room, or another CPU has begun it. */
static __always_inline struct digest_entry *begin_digest(__u64 cookie, const struct tw_tuple *tuple, __u64 now_ns)
{
	__u32 zero = 0;
	struct digest_entry *entry = bpf_map_lookup_elem(&blank_digest, &zero);

	if (!cookie || !entry || bpf_map_update_elem(&digests, &cookie, entry, BPF_NOEXIST))
		return 0;
	entry = bpf_map_lookup_elem(&digests, &cookie);
	if (!entry)
		return 0;
	entry->begun_ns = now_ns;
	entry->tuple = *tuple;
	return entry;
}

/* A digest that found no room in the ring, counted as what it stands for. */
static __always_inline void count_lost_digest(__u32 held)
{
	struct tw_cpu_state *cpu = this_cpu_state();

	if (!cpu)
		return;
	__sync_fetch_and_add(&cpu->tried, held);
	__sync_fetch_and_add(&cpu->lost, held);
	__sync_fetch_and_add(&cpu->lost_by_kind[TW_KIND_DIGEST], held);
}

static __always_inline void fill_digest_header(struct tw_digest *record, __u64 cookie, __u32 netns, __u32 held)
{
	struct tw_cpu_state *cpu = this_cpu_state();

	record->header.ts_ns = bpf_ktime_get_ns();
	record->header.cookie = cookie;
	record->header.netns = netns;
	record->header.cpu = (__u16)bpf_get_smp_processor_id();
	record->header.kind = TW_KIND_DIGEST;
	record->header.version = TW_ABI_VERSION;
	record->header.seq = 0;
	record->header.lost = 0;
	record->counted = (__u8)held;
	if (!cpu)
		return;
	__sync_fetch_and_add(&cpu->tried, held);
	record->header.seq = (__u32)cpu->tried;
	record->header.lost = (__u32)cpu->lost;
}

/* What the wire counted: into a tw_destroy or tw_digest. flow: 0 where there is none. */
#define take_flow(flow, record)                                                         \
	({                                                                              \
		(record)->has_wire = (flow) != 0;                                       \
		if (flow) {                                                             \
			take_wire(flow, &(record)->wire);                               \
			(record)->loss = (flow)->loss;                                  \
			take_times(flow, &(record)->times);                             \
		} else {                                                                \
			__builtin_memset(&(record)->wire, 0, sizeof((record)->wire));   \
			__builtin_memset(&(record)->loss, 0, sizeof((record)->loss));   \
			__builtin_memset(&(record)->times, 0, sizeof((record)->times)); \
		}                                                                       \
	})

/* The socket goes on, and its events are records from now on. */
__noinline __u32 release_digest(__u64 cookie)
{
	struct digest_entry *entry = bpf_map_lookup_elem(&digests, &cookie);
	struct owner_mark mark = {};
	struct tw_digest *record;
	struct tw_flow *flow;
	__u32 counts, netns;

	if (!entry || entry->released)
		return 0;
	/* First its place in the ring, so that what others write now comes behind it. */
	record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	counts = close_digest(entry);
	if (!events_of(counts)) { /* its first one, which may just be written, is to be a record */
		bpf_map_delete_elem(&digests, &cookie);
		if (record)
			bpf_ringbuf_discard(record, 0);
		return 0;
	}
	netns = entry->netns;
	mark.tgid = entry->held.actor.flags & TW_ACTOR_PRESENT ? entry->held.actor.tgid : 0;
	mark.reported = entry->held.owner_ns != 0;
	__builtin_memcpy(mark.comm, entry->held.actor.comm, sizeof(mark.comm));
	if (!record) {
		if (!bpf_map_delete_elem(&digests, &cookie))
			count_lost_digest(events_of(counts));
		return 0;
	}
	record->tuple = entry->tuple;
	take_held(entry, counts, record);
	record->destroyed = 0;
	__builtin_memset(&record->cb, 0, sizeof(record->cb));
	flow = bpf_map_lookup_elem(&flows, &entry->tuple);
	if (flow && flow->cookie == cookie)
		flow->cookie = 0; /* no events of it wait any more */
	take_flow(flow, record);
	if (bpf_map_delete_elem(&digests, &cookie)) { /* another CPU was faster */
		bpf_ringbuf_discard(record, 0);
		return 0;
	}
	fill_digest_header(record, cookie, netns, events_of(counts));
	bpf_ringbuf_submit(record, 0);
	if (mark.tgid)
		bpf_map_update_elem(&owners, &cookie, &mark, BPF_ANY);
	return 0;
}

#endif
