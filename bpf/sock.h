/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sock.h: from the kernel's socket structures to the records' tuple, control block and actor.
 *
 * Every function takes pointers whose type the verifier knows, and reads them directly. A mini-socket
 * (TIME_WAIT, NEW_SYN_RECV) has no lock, flags or queues: callers look at the state first.
 */
#ifndef TCPWITNESS_SOCK_H
#define TCPWITNESS_SOCK_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "config.h"
#include "kernel_types.h"
#include "tuple.h"

#define SOCK_STREAM 1

/*
 * The TCP socket behind `sk`. bpf_skc_to_tcp_sock() asks for the protocol alone, which a raw socket
 * (socket(AF_INET, SOCK_RAW, IPPROTO_TCP)) has too.
 */
static __always_inline struct tcp_sock *tcp_sock_of(void *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)bpf_skc_to_tcp_sock(sk);

	return tp && tp->inet_conn.icsk_inet.sk.sk_type == SOCK_STREAM ? tp : 0;
}

/*
 * Functions that have `sk`, a hook's own argument, and `tp` of it take both and read `sk` where they can. Linux (since 6.2)
 * reads it directly; what bpf_skc_to_tcp_sock() gives it reads behind a test of the address, 40 bytes of code each time.
 */

/* Where there is no argument. */
static __always_inline const struct sock *sock_of(const struct tcp_sock *tp)
{
	return &tp->inet_conn.icsk_inet.sk;
}

static __always_inline bool is_inet(const struct sock_common *skc)
{
	return skc->skc_family == AF_INET || skc->skc_family == AF_INET6;
}

static __always_inline __u32 sock_netns(const struct sock_common *skc)
{
	return skc->skc_net.net->ns.inum;
}

static __always_inline void common_tuple(const struct sock_common *skc, __u16 local_port, struct tw_tuple *tuple)
{
	tuple->scope = 0;
	if (skc->skc_family == AF_INET6) {
		__u32 *local = (__u32 *)tuple->local_addr, *remote = (__u32 *)tuple->remote_addr;

		for (int i = 0; i < 4; i++) {
			local[i] = skc->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
			remote[i] = skc->skc_v6_daddr.in6_u.u6_addr32[i];
		}
		/* Set by connect() from sin6_scope_id, and by accept() from where the SYN came in. */
		if (is_link_local(remote[0]))
			tuple->scope = (__u32)skc->skc_bound_dev_if;
	} else {
		map_ipv4(tuple->local_addr, skc->skc_rcv_saddr);
		map_ipv4(tuple->remote_addr, skc->skc_daddr);
	}
	tuple->local_port = local_port;
	tuple->remote_port = bpf_ntohs(skc->skc_dport);
}

/* Local port: skc_num, or inet_sport where that is cleared already (on the way to CLOSE). */
static __always_inline void sock_tuple(const struct sock *sk, const struct tcp_sock *tp, struct tw_tuple *tuple)
{
	__u16 local_port = sk->__sk_common.skc_num;

	if (!local_port)
		local_port = bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport);
	common_tuple(&sk->__sk_common, local_port, tuple);
}

static __always_inline __u32 ticks_to_ms(__u32 ticks)
{
	return (__u32)((__u64)ticks * config.tick_us / 1000);
}

static __always_inline __u16 at_most_16_bits(__u32 number)
{
	return number > 0xffff ? 0xffff : (__u16)number;
}

static __always_inline bool sock_flag(unsigned long flags, unsigned int bit)
{
	return flags & (1UL << bit);
}

/* enum tw_cb_flags of a full socket. */
static __always_inline __u8 sock_cb_flags(const struct sock *sk, const struct tcp_sock *tp)
{
	unsigned long flags = sk->__sk_common.skc_flags;
	__u8 out = TW_CB_PRESENT;

	if (sk->sk_lock.owned)
		out |= TW_CB_OWNED;
	if (sock_flag(flags, bpf_core_enum_value(enum sock_flags, SOCK_KEEPOPEN)))
		out |= TW_CB_KEEPOPEN;
	if (sock_flag(flags, bpf_core_enum_value(enum sock_flags, SOCK_DONE)))
		out |= TW_CB_DONE;
	if (sock_flag(flags, bpf_core_enum_value(enum sock_flags, SOCK_DEAD)))
		out |= TW_CB_DEAD;
	if (sock_flag(flags, bpf_core_enum_value(enum sock_flags, SOCK_LINGER)) && OPTIONAL(sk->sk_lingertime, 1) == 0)
		out |= TW_CB_LINGER;
	if (BPF_CORE_READ_BITFIELD(tp, repair))
		out |= TW_CB_REPAIR;
	return out;
}

/*
 * The timers in force: the socket's own, or its namespace's (keepalive_time_when() and its like in tcp.h). 0 where one of
 * the two is missing: it could be the one in force.
 */
static __always_inline void keepalive_timers(const struct tcp_sock *tp, __u32 *time_ms, __u32 *intvl_ms, __u8 *probes)
{
	const struct net *net = tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net;
	__u32 time, intvl;
	__u8 count;

	if (!bpf_core_field_exists(tp->keepalive_time) || !bpf_core_field_exists(tp->keepalive_intvl) ||
	    !bpf_core_field_exists(tp->keepalive_probes) ||
	    !bpf_core_field_exists(net->ipv4.sysctl_tcp_keepalive_time) ||
	    !bpf_core_field_exists(net->ipv4.sysctl_tcp_keepalive_intvl) ||
	    !bpf_core_field_exists(net->ipv4.sysctl_tcp_keepalive_probes)) {
		*time_ms = 0;
		*intvl_ms = 0;
		*probes = 0;
		return;
	}
	time = tp->keepalive_time;
	intvl = tp->keepalive_intvl;
	count = tp->keepalive_probes;
	*time_ms = ticks_to_ms(time ? time : net->ipv4.sysctl_tcp_keepalive_time);
	*intvl_ms = ticks_to_ms(intvl ? intvl : net->ipv4.sysctl_tcp_keepalive_intvl);
	*probes = count ? count : net->ipv4.sysctl_tcp_keepalive_probes;
}

/* Since the last segment of the peer: payload or acknowledgement, whichever is newer. */
static __always_inline __u32 since_received_ms(const struct tcp_sock *tp)
{
	__u32 now = (__u32)bpf_jiffies64();
	__u32 payload = now - tp->inet_conn.icsk_ack.lrcvtime, ack = now - tp->rcv_tstamp;

	return ticks_to_ms(payload < ack ? payload : ack);
}

static __always_inline bool is_subflow(const struct tcp_sock *tp)
{
	return bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp;
}

/*
 * Bits of enum tw_cb_detail. sock_graft() in accept() sets sk_socket, sock_orphan() clears it and marks the socket dead. A
 * subflow of MPTCP has none of its own: the process has its parent's.
 */
static __always_inline __u8 control_block_details(const struct tcp_sock *tp, __u8 flags)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	__u8 details = !icsk->icsk_inet.sk.sk_socket && !(flags & TW_CB_DEAD) && !is_subflow(tp) ? TW_CB_UNACCEPTED : 0;

	if (bpf_core_field_exists(tp->nonagle) && BPF_CORE_READ_BITFIELD(tp, nonagle) & NAGLE_OFF)
		details |= TW_CB_NODELAY;
	if (BPF_CORE_READ_BITFIELD(icsk, icsk_mtup.enabled))
		details |= TW_CB_MTU_PROBING;
	return details;
}

static __always_inline void control_block(const struct sock *sk, const struct tcp_sock *tp, struct tw_control_block *cb)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	__u8 state = sk->__sk_common.skc_state;
	__u32 sacked_out = tp->sacked_out;

	cb->bytes_acked = tp->bytes_acked;
	cb->bytes_received = tp->bytes_received;
	cb->snd_una = tp->snd_una;
	cb->snd_nxt = tp->snd_nxt;
	cb->write_seq = tp->write_seq;
	cb->rcv_nxt = tp->rcv_nxt;
	cb->copied_seq = tp->copied_seq;
	cb->snd_wnd = tp->snd_wnd;
	cb->rcv_wnd = tp->rcv_wnd;
	cb->srtt_us = OPTIONAL(tp->srtt_us, 0) >> 3;
	cb->rto_us = icsk->icsk_rto * config.tick_us;
	cb->snd_cwnd = OPTIONAL(tp->snd_cwnd, 0);
	cb->total_retrans = tp->total_retrans;
	cb->segs_in = OPTIONAL(tp->segs_in, 0);
	cb->segs_out = OPTIONAL(tp->segs_out, 0);
	cb->user_timeout_ms = icsk->icsk_user_timeout;
	cb->dsack_dups = OPTIONAL(tp->dsack_dups, 0);
	cb->since_received_ms = state == TCP_LISTEN ? 0 : since_received_ms(tp);
	cb->sk_err = (__u16)sk->sk_err;
	cb->state = state;
	cb->ca_state = BPF_CORE_READ_BITFIELD(icsk, icsk_ca_state);
	cb->icsk_pending = icsk->icsk_pending;
	cb->icsk_retransmits = icsk->icsk_retransmits;
	cb->icsk_probes_out = icsk->icsk_probes_out;
	cb->sk_shutdown = sk->sk_shutdown;
	cb->flags = sock_cb_flags(sk, tp);
	cb->keepalive_time_ms = 0;
	cb->keepalive_intvl_ms = 0;
	cb->keepalive_probes = 0;
	if (cb->flags & TW_CB_KEEPOPEN)
		keepalive_timers(tp, &cb->keepalive_time_ms, &cb->keepalive_intvl_ms, &cb->keepalive_probes);
	cb->details = control_block_details(tp, cb->flags);
	cb->mss = (__u16)tp->mss_cache;
	cb->sacked_out = sacked_out > 0xff ? 0xff : (__u8)sacked_out;
	cb->packets_out = at_most_16_bits(tp->packets_out);
}

/* A process as users name it: thread-group id and the leader's name. */
static __always_inline void task_actor(const struct task_struct *task, struct tw_actor *actor)
{
	__builtin_memset(actor, 0, sizeof(*actor));
	if (task->flags & PF_KTHREAD) {
		actor->flags = TW_ACTOR_KTHREAD;
		return;
	}
	actor->tgid = task->tgid;
	actor->flags = TW_ACTOR_PRESENT;
	if (task->flags & PF_EXITING) {
		actor->flags |= TW_ACTOR_EXITING;
		actor->exit_code = task->exit_code;
	}
	BPF_CORE_READ_INTO(&actor->comm, task, group_leader, comm);
}

/*
 * `current`, read only where it is evidence: with the socket locked by a process. In softirq it is
 * whoever was interrupted, so the record has no process then.
 */
static __always_inline void current_actor(bool owned, struct tw_actor *actor)
{
	if (!owned) {
		__builtin_memset(actor, 0, sizeof(*actor));
		return;
	}
	task_actor(bpf_get_current_task_btf(), actor);
	actor->flags |= TW_ACTOR_OWNED;
}

#endif
