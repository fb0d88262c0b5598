/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owner.h: which process uses a socket: reported at the first use, and when another process takes over.
 */
#ifndef TCPWITNESS_OWNER_H
#define TCPWITNESS_OWNER_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "digest.h"
#include "emit.h"
#include "stall.h"
#include "wanted.h"

/* So many changes of who uses a socket are reported: two processes that take turns must not flood the ring. */
#define MAX_OWNERS_REPORTED 4

/*
 * Who used a socket last, in one word that is found without a search: the cookie above the process. Two sockets can have
 * the same place: then `owners` is asked.
 */
#define RECENT_USERS 8192
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RECENT_USERS);
	__type(key, __u32);
	__type(value, __u64);
} recent_users SEC(".maps");

static __always_inline __u64 *recent_user(__u64 cookie)
{
	__u32 slot = (__u32)cookie & (RECENT_USERS - 1);

	return bpf_map_lookup_elem(&recent_users, &slot);
}

/* connect() has reported the process: the same one sending and receiving is no news. */
static __always_inline void mark_connector(__u64 cookie, const struct tw_actor *actor)
{
	struct owner_mark mark = {.tgid = actor->tgid};

	__builtin_memcpy(mark.comm, actor->comm, sizeof(mark.comm));
	bpf_map_update_elem(&owners, &cookie, &mark, BPF_ANY);
}

/* The process of a digest uses its socket, for the first time or again. False: its events do not wait, or no more. */
static __always_inline bool hold_owner(const struct tcp_sock *tp, const struct task_struct *task, __u64 cookie,
				       __u8 source, bool got_payload)
{
	struct digest_entry *entry = digest_of(cookie);
	struct tw_held *held;

	if (!entry)
		return false;
	held = &entry->held;
	if (held->actor.flags & TW_ACTOR_PRESENT && held->actor.tgid == (__u32)task->tgid)
		return true;
	if (held->actor.flags & TW_ACTOR_PRESENT || task->flags & PF_EXITING) {
		release_digest(cookie);
		return false;
	}
	if (!claim(entry, CLAIM_OWNER))
		return false;
	task_actor(task, &held->actor);
	held->owner_source = source;
	held->owner_waited_ms = 0;
	if (got_payload && tp->bytes_received)
		held->owner_waited_ms = ticks_to_ms((__u32)bpf_jiffies64() - tp->inet_conn.icsk_ack.lrcvtime);
	held->owner_ns = bpf_ktime_get_ns();
	__sync_fetch_and_add(&entry->counts, ONE_EVENT);
	return !was_released(entry);
}

/* `current` uses the socket: reported the first time, and when another process takes over. */
static __always_inline int owner_seen(struct sock *sk, __u8 source, bool got_payload)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct owner_mark first = {.tgid = task->tgid, .reported = 1};
	struct owner_mark *mark;
	struct tw_owner *record;
	struct tw_tuple tuple;
	struct tcp_sock *tp;
	__u64 cookie, user, *recent;

	if (!sk || sk->sk_protocol != IPPROTO_TCP || sk->sk_type != SOCK_STREAM)
		return 0;
	tp = wanted_netns(sk);
	if (!tp)
		return 0;
	if (source == TW_OWNER_SEND && nagle_holds(tp)) {
		sock_tuple(sk, tp, &tuple);
		note_held(tp, &tuple);
	}
	cookie = cookie_of(sk);
	user = cookie << 32 | first.tgid;
	recent = recent_user(cookie);
	if (recent && *recent == user)
		return 0;
	if (task->flags & PF_KTHREAD)
		return 0;
	if (config.digests && hold_owner(tp, task, cookie, source, got_payload)) {
		if (recent)
			*recent = user;
		return 0;
	}
	mark = bpf_map_lookup_elem(&owners, &cookie);
	if (mark && (mark->tgid == first.tgid || mark->reported >= MAX_OWNERS_REPORTED)) {
		if (recent)
			*recent = user;
		return 0;
	}
	if (recent)
		*recent = user; /* of one that the filters exclude, too: NAT shows before anything is sent */
	sock_tuple(sk, tp, &tuple);
	if (!flow_wanted(&tuple))
		return 0;
	if (mark) {
		mark->tgid = first.tgid;
		mark->reported++;
	} else {
		bpf_map_update_elem(&owners, &cookie, &first, BPF_ANY);
	}
	record = reserve_record(tw_owner, TW_KIND_OWNER, cookie, netns_of(tp));
	if (!record)
		return 0;
	record->tuple = tuple;
	task_actor(task, &record->actor);
	record->source = source;
	record->waited_ms = 0;
	record->fd = -1;
	if (got_payload && tp->bytes_received)
		record->waited_ms = ticks_to_ms((__u32)bpf_jiffies64() - tp->inet_conn.icsk_ack.lrcvtime);
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	submit_record(record);
	return 0;
}

#endif
