/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * transition.h: a transition of a socket: kept for its digest, or reported at once.
 */
#ifndef TCPWITNESS_TRANSITION_H
#define TCPWITNESS_TRANSITION_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "closing.h"
#include "destroy.h"
#include "emit.h"
#include "hold_state.h"
#include "kept_socket.h"
#include "owner.h"
#include "wanted.h"

/* The ports that connect() may choose from: inet_sk_get_local_port_range(). */
static __always_inline void port_range(const struct tcp_sock *tp, struct tw_state *record)
{
	const struct inet_sock *inet = &tp->inet_conn.icsk_inet;
	const struct net *net = inet->sk.__sk_common.skc_net.net;
	__u32 own = bpf_core_field_exists(inet->local_port_range) ? BPF_CORE_READ(inet, local_port_range) : 0;
	__u16 first, last;

	if (bpf_core_field_exists(net->ipv4.ip_local_ports.range)) {
		__u32 range = BPF_CORE_READ(net, ipv4.ip_local_ports.range);

		first = (__u16)range;
		last = (__u16)(range >> 16);
	} else if (bpf_core_field_exists(((struct local_ports___pair *)0)->range)) {
		const struct local_ports___pair *ports =
			(const void *)__builtin_preserve_access_index(&net->ipv4.ip_local_ports);

		first = (__u16)BPF_CORE_READ(ports, range[0]);
		last = (__u16)BPF_CORE_READ(ports, range[1]);
	} else {
		first = 0;
		last = 0;
	}
	if (own) {
		__u16 lower = (__u16)own, upper = (__u16)(own >> 16);

		/* Only what lies inside the namespace's. */
		record->port |= TW_PORT_OWN_RANGE;
		if (lower && lower >= first && lower <= last)
			first = lower;
		if (upper && upper >= first && upper <= last)
			last = upper;
	}
	record->first_port = first;
	record->last_port = last;
}

/*
 * A further subflow of MPTCP is connected by a kernel worker, for the process that connected the first one.
 */
static __always_inline void subflow_actor(const struct tcp_sock *tp, struct tw_actor *actor)
{
	struct mptcp_subflow_context *subflow;
	struct mptcp_sock *whole;
	struct owner_mark *mark;
	struct sock *first;
	__u64 cookie;

	if (!(actor->flags & TW_ACTOR_KTHREAD) || !is_subflow(tp))
		return;
	subflow = (struct mptcp_subflow_context *)BPF_CORE_READ(tp, inet_conn.icsk_ulp_data);
	whole = (struct mptcp_sock *)BPF_CORE_READ(subflow, conn);
	first = BPF_CORE_READ(whole, first);
	cookie = (__u64)BPF_CORE_READ(first, __sk_common.skc_cookie.counter);
	mark = bpf_map_lookup_elem(&owners, &cookie);
	if (!mark)
		return;
	actor->tgid = mark->tgid;
	actor->flags = TW_ACTOR_PRESENT | TW_ACTOR_OWNED;
	__builtin_memcpy(actor->comm, mark->comm, sizeof(mark->comm));
}

static __always_inline void state_changed(struct sock *sk, int old_state, int new_state)
{
	struct tw_tuple tuple;
	struct tw_state *record;
	struct tcp_sock *tp;
	__u64 cookie;
	bool kept;

	tp = wanted_netns(sk);
	if (!tp)
		return;
	cookie = cookie_of(sk);
	if (config.digests && !is_filtered() && hold_state(sk, tp, cookie, old_state, new_state))
		return;
	sock_tuple(sk, tp, &tuple);
	if (!flow_wanted(&tuple))
		return;
	if (config.digests && is_filtered() && hold_state(sk, tp, cookie, old_state, new_state))
		return;
	if (old_state == TCP_SYN_SENT && new_state == TCP_CLOSE)
		forget_attempt(sk, tp, &tuple);
	record = reserve_record(tw_state, TW_KIND_STATE, cookie, netns_of(tp));
	if (!record)
		return;
	record->tuple = tuple;
	if (new_state == TCP_SYN_SENT) /* inet_sport is still that of an earlier try, until a port is chosen */
		record->tuple.local_port = sk->__sk_common.skc_num;
	control_block(sk, tp, &record->cb);
	current_actor(record->cb.flags & TW_CB_OWNED, &record->actor);
	if (record->cb.sk_shutdown && record->cb.flags & TW_CB_OWNED && is_released(&tp->inet_conn.icsk_inet.sk))
		record->cb.details |= TW_CB_RELEASED;
	if (new_state == TCP_CLOSE && (old_state == TCP_FIN_WAIT2 || old_state == TCP_CLOSING) && time_wait_is_full(tp))
		record->cb.details |= TW_CB_TIME_WAIT_FULL;
	record->old_state = (__u8)old_state;
	record->new_state = (__u8)new_state;
	record->port = BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & SOCK_BINDPORT_LOCK ? TW_PORT_BOUND : 0;
	if (old_state == BPF_TCP_SYN_RECV && new_state == TCP_CLOSE && is_late_child(tp))
		record->port |= TW_PORT_KEPT;
	record->fin_timeout_ms = old_state == TCP_FIN_WAIT2 ? fin_timeout_ms(tp) : 0;
	record->first_port = 0;
	record->last_port = 0;
	if (old_state == TCP_SYN_SENT && new_state == TCP_CLOSE)
		port_range(tp, record);
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	if (new_state == TCP_SYN_SENT)
		subflow_actor(tp, &record->actor);
	if (new_state == TCP_SYN_SENT && record->actor.flags & TW_ACTOR_PRESENT)
		mark_connector(record->header.cookie, &record->actor);
	kept = is_kept(&record->cb, old_state, new_state);
	submit_record(record);
	if (kept)
		report_kept(tp, &tuple, cookie);
}

#endif
