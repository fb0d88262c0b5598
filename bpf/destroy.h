/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * destroy.h: the end of a socket: its digest, or a record of its own, with what its flow has counted.
 */
#ifndef TCPWITNESS_DESTROY_H
#define TCPWITNESS_DESTROY_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "closing.h"
#include "digest.h"
#include "disconnected.h"
#include "emit.h"
#include "flow.h"
#include "wanted.h"

/*
 * A flow whose socket is gone, unless segments of its closing are still to come: only where its FIN was acknowledged, and
 * nothing went wrong, has it left a mini-socket.
 */
static __always_inline void let_go(const struct sock *sk, const struct tw_tuple *tuple, struct tw_flow *flow)
{
	if (flow->half[OUTGOING].fin_acked && !both_fins_acked(flow) && !sk->sk_err) {
		flow->orphaned = 1;
		flow->cookie = 0;
	} else {
		forget_flow(tuple, flow);
	}
}

/*
 * Its address pair can be another connection's by now: where a RST ended it, its process can keep the descriptor for long.
 * The first number of either direction shows that: where one of the two is this socket's, the flow is. Both counters begin
 * behind the SYN, but that of what the socket has sent counts its own where it connected. What was restored (TCP_REPAIR)
 * has counted nothing, and its flow has no SYN. One that never left SYN_SENT has no number of its peer.
 */
static __always_inline bool is_other_ones(const struct tcp_sock *tp, const struct tw_flow *flow)
{
	const struct tw_half *in = &flow->half[INCOMING], *out = &flow->half[OUTGOING];
	__u32 first_in = tp->rcv_nxt - (__u32)tp->bytes_received - 1;
	__u32 first_out = tp->snd_una - (__u32)tp->bytes_acked;

	if (BPF_CORE_READ_BITFIELD(tp, repair) || !(in->syn | out->syn) || (!tp->rcv_nxt && !out->syn))
		return false;
	/* Fast Open: tcp_fastopen_add_skb() leaves a FIN in the SYN out of bytes_received. */
	if (in->syn && first_in - in->isn <= 1)
		return false;
	return !(out->syn && first_out - out->isn <= 1);
}

/*
 * connect() has failed. The socket stays with its process, and is without addresses when that lets go of it
 * (tcp_disconnect()): nobody could find the flow then. close() shuts it down first, and destroys it with its addresses.
 */
static __noinline int forget_attempt(const struct sock *sk, const struct tcp_sock *tp, const struct tw_tuple *tuple)
{
	struct tw_flow *flow = bpf_map_lookup_elem(&flows, tuple);

	if (!flow || flow->half[INCOMING].syn || (!sk->sk_err && sk->sk_shutdown) || is_other_ones(tp, flow))
		return 0;
	forget_flow(tuple, flow);
	return 0;
}

/*
 * The end of an ordinary life. False: its events did not wait, or another CPU has just released them. No inline function,
 * as hold_state() in hold_state.h.
 */
static __noinline bool submit_digest(const struct sock *sk, const struct tcp_sock *tp, __u64 cookie,
				     const struct tw_tuple *tuple, const struct tw_flow *flow)
{
	struct digest_entry *entry = digest_of(cookie);
	struct tw_digest *record;
	__u32 held, counts, netns;

	if (!entry)
		return false;
	record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	counts = close_digest(entry);
	held = events_of(counts) + 1; /* its end */
	netns = entry->netns;
	if (!record) {
		if (bpf_map_delete_elem(&digests, &cookie))
			return false;
		count_lost_digest(held);
		return true;
	}
	record->tuple = *tuple;
	take_held(entry, counts, record);
	record->destroyed = 1;
	control_block(sk, tp, &record->cb);
	take_flow(flow, record);
	if (bpf_map_delete_elem(&digests, &cookie)) {
		bpf_ringbuf_discard(record, 0);
		return false;
	}
	fill_digest_header(record, cookie, netns, held);
	submit_record(record);
	return true;
}

/* Whether the ring has room for it or not: its flow and its owner are forgotten. */
static __always_inline void destroyed(struct sock *sk)
{
	struct tw_destroy *record;
	struct tw_tuple tuple;
	struct tw_flow *flow;
	struct tcp_sock *tp;
	__u64 cookie;

	tp = wanted_netns(sk);
	if (!tp)
		return;
	sock_tuple(sk, tp, &tuple);
	if (!tuple.remote_port) {
		cookie = bpf_get_socket_cookie(sk);
		flow = flow_before(cookie, &tuple);
		if (!flow_wanted(&tuple)) {
			bpf_map_delete_elem(&owners, &cookie);
			return;
		}
	} else {
		if (!flow_wanted(&tuple))
			return;
		cookie = bpf_get_socket_cookie(sk);
		flow = bpf_map_lookup_elem(&flows, &tuple);
		if (flow && is_other_ones(tp, flow))
			flow = 0;
	}
	if (config.digests && !is_late_child(tp) && submit_digest(sk, tp, cookie, &tuple, flow)) {
		if (flow)
			let_go(sk, &tuple, flow);
		return;
	}
	record = reserve_record(tw_destroy, TW_KIND_DESTROY, cookie, netns_of(tp));
	if (record) {
		record->tuple = tuple;
		__builtin_memset(record->pad, 0, sizeof(record->pad));
		control_block(sk, tp, &record->cb);
		take_flow(flow, record);
		submit_record(record);
	}
	if (is_late_child(tp)) /* flow and owner are the other one's */
		return;
	if (flow)
		let_go(sk, &tuple, flow);
	bpf_map_delete_elem(&owners, &cookie);
}

#endif
