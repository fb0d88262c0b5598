/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hold_state.h: an ordinary transition waits in the digest of its socket (digest.h).
 */
#ifndef TCPWITNESS_HOLD_STATE_H
#define TCPWITNESS_HOLD_STATE_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "closing.h"
#include "digest.h"
#include "owner.h"
#include "sock.h"

#define STATE_MASK 15 /* above TCP_MAX_STATES: the bound that the verifier sees */

/*
 * To which states an ordinary life goes on from each one. No switch: the verifier would follow each of its cases. Volatile,
 * or it gets a section of its own, which libbpf 1.1 does not place in the BTF.
 */
static const volatile __u16 ordinary[STATE_MASK + 1] = {
	[TCP_SYN_SENT] = 1 << TCP_ESTABLISHED,
	[TCP_LISTEN] = 1 << BPF_TCP_SYN_RECV,
	[BPF_TCP_SYN_RECV] = 1 << TCP_ESTABLISHED,
	[TCP_ESTABLISHED] = 1 << TCP_FIN_WAIT1 | 1 << TCP_CLOSE_WAIT,
	[TCP_FIN_WAIT1] = 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSING,
	[TCP_CLOSE_WAIT] = 1 << TCP_LAST_ACK,
	[TCP_FIN_WAIT2] = 1 << TCP_CLOSE,
	[TCP_CLOSING] = 1 << TCP_CLOSE,
	[TCP_LAST_ACK] = 1 << TCP_CLOSE,
};

/* Where the wire is traced a child's digest was begun by its SYN-ACK. */
static __always_inline bool begins_digest(int old_state, int new_state)
{
	return (old_state == TCP_CLOSE && new_state == TCP_SYN_SENT) ||
	       (config.digests == TW_DIGESTS_OF_KERNEL && old_state == TCP_LISTEN && new_state == BPF_TCP_SYN_RECV);
}

/* Who closes or connects, as one process acts in all of a digest: false where it is another one, or none that goes on. */
static __always_inline bool same_actor(struct digest_entry *entry)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (task->flags & (PF_KTHREAD | PF_EXITING))
		return false;
	if (entry->held.actor.flags & TW_ACTOR_PRESENT)
		return entry->held.actor.tgid == (__u32)task->tgid;
	task_actor(task, &entry->held.actor);
	return true;
}

/* A connection whose events can wait. */
static __always_inline struct digest_entry *begin_active_or_child(const struct sock *sk, const struct tcp_sock *tp,
								  __u64 cookie, int new_state, __u64 now_ns)
{
	struct digest_entry *entry;
	struct tw_tuple tuple;

	if (is_subflow(tp))
		return 0;
	if (new_state == TCP_SYN_SENT &&
	    (!sk->sk_lock.owned || bpf_get_current_task_btf()->flags & (PF_KTHREAD | PF_EXITING)))
		return 0;
	sock_tuple(sk, tp, &tuple);
	if (new_state == TCP_SYN_SENT)
		tuple.local_port = sk->__sk_common.skc_num;
	entry = begin_digest(cookie, &tuple, now_ns);
	if (entry)
		entry->netns = netns_of(tp);
	return entry;
}

/*
 * Keeps an ordinary transition for the socket's digest. False: it is to be a record. Bits are written to map memory and
 * read back, as the verifier does not follow its contents. No inline function: the verifier would go through all that
 * its caller does next once for each `return`.
 */
static __noinline bool hold_state(const struct sock *sk, const struct tcp_sock *tp, __u64 cookie, int old_state,
				  int new_state)
{
	struct digest_entry *entry = digest_of(cookie);
	__u64 now_ns = bpf_ktime_get_ns();
	struct tw_held_state *held;
	__u8 flags;
	__u32 at;

	if (entry) {
		if (!(ordinary[old_state & STATE_MASK] & 1 << (new_state & STATE_MASK)))
			return false;
	} else {
		if (!begins_digest(old_state, new_state))
			return false;
		entry = begin_active_or_child(sk, tp, cookie, new_state, now_ns);
		if (!entry)
			return false;
	}
	at = entry->counts >> STATES_SHIFT;
	/* Two CPUs can make a child of one request each, both with its cookie. */
	if (sk->sk_err || at >= TW_HELD_STATES || (old_state == TCP_LISTEN && at))
		return false;
	held = &entry->held.states[at];
	*(volatile __u8 *)&held->flags = sock_cb_flags(sk, tp);
	flags = *(volatile __u8 *)&held->flags;
	*(volatile __u8 *)&held->details = control_block_details(tp, flags);
	if (flags & TW_CB_REPAIR || (flags & TW_CB_OWNED && !same_actor(entry)))
		return false;
	/* A process can have the socket for long yet, and its end comes when that lets go of it. */
	if (new_state == TCP_CLOSE && !(flags & TW_CB_DEAD))
		return false;
	/* What becomes no mini-socket, as there are too many. */
	if (new_state == TCP_CLOSE && old_state != TCP_LAST_ACK && time_wait_is_full(tp))
		return false;
	/* The mini-socket waits for the peer's FIN, which will be a record of its own. */
	if (old_state == TCP_FIN_WAIT2)
		entry->held.fin_timeout_ms = fin_timeout_ms(tp);
	if (sk->sk_shutdown && flags & TW_CB_OWNED && is_released(sock_of(tp)))
		held->details |= TW_CB_RELEASED;
	held->ts_ns = now_ns;
	held->snd_una = tp->snd_una;
	held->snd_nxt = tp->snd_nxt;
	held->write_seq = tp->write_seq;
	held->rcv_nxt = tp->rcv_nxt;
	held->bytes_received = (__u32)tp->bytes_received;
	held->mss = (__u16)tp->mss_cache;
	held->segs_out = at_most_16_bits(OPTIONAL(tp->segs_out, 0));
	held->packets_out = at_most_16_bits(tp->packets_out);
	held->old_state = (__u8)old_state;
	held->new_state = (__u8)new_state;
	held->actor = flags & TW_CB_OWNED ? TW_ACTOR_PRESENT | TW_ACTOR_OWNED : 0;
	held->port = BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & SOCK_BINDPORT_LOCK ? TW_PORT_BOUND : 0;
	if (new_state == TCP_ESTABLISHED || new_state == BPF_TCP_SYN_RECV) {
		sock_tuple(sk, tp, &entry->tuple);
		entry->netns = netns_of(tp);
	}
	if (new_state == TCP_SYN_SENT) {
		__u64 *recent = recent_user(cookie);

		if (recent)
			*recent = cookie << 32 | entry->held.actor.tgid;
	}
	__sync_fetch_and_add(&entry->counts, ONE_STATE);
	return !was_released(entry);
}

#endif
