/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nat.h: segments that have other addresses on the wire than their socket has.
 *
 * NAT in this namespace (DNAT and REDIRECT in OUTPUT and PREROUTING, SNAT, masquerading) works between the socket and
 * the hooks: at tc egress a segment has the translated addresses, and so has what comes back at ingress. The join is
 * made at egress, where the segment still carries its socket: an alias in the flow map leads from the wire's addresses to
 * the socket's, and from there on both directions are the socket's own. conntrack is not read.
 */
#ifndef TCPWITNESS_NAT_H
#define TCPWITNESS_NAT_H

#include "emit.h"
#include "flow.h"
#include "sock.h"

static __always_inline bool same_tuple(const struct tw_tuple *a, const struct tw_tuple *b)
{
	const __u32 *x = (const __u32 *)a, *y = (const __u32 *)b;
	__u32 differ = 0;

	for (int i = 0; i < (int)(sizeof(*a) / sizeof(*x)); i++)
		differ |= x[i] ^ y[i];
	return !differ;
}

/*
 * The addresses of the socket that sends, in the frame's family (a request of a dual-stack listener has no IPv6 ones).
 * False where it shows none: no socket, a control socket, a listener, or one whose port is cleared on the way to CLOSE.
 */
static __always_inline bool sender_tuple(struct __sk_buff *skb, const struct frame *frame, struct tw_tuple *tuple)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk || !sk->dst_port || !sk->src_port)
		return false;
	tuple->scope = 0;
	tuple->local_port = (__u16)sk->src_port;
	tuple->remote_port = bpf_ntohs(sk->dst_port);
	if (frame->is_ipv4) {
		map_ipv4(tuple->local_addr, sk->src_ip4);
		map_ipv4(tuple->remote_addr, sk->dst_ip4);
	} else {
		__u32 *local = (__u32 *)tuple->local_addr, *remote = (__u32 *)tuple->remote_addr;

		local[0] = sk->src_ip6[0];
		local[1] = sk->src_ip6[1];
		local[2] = sk->src_ip6[2];
		local[3] = sk->src_ip6[3];
		remote[0] = sk->dst_ip6[0];
		remote[1] = sk->dst_ip6[1];
		remote[2] = sk->dst_ip6[2];
		remote[3] = sk->dst_ip6[3];
		if (is_link_local(remote[0]))
			tuple->scope = sk->bound_dev_if;
	}
	return true;
}

/* Then a filter of ports has the same answer for both. */
static __always_inline bool has_ports_of_sender(struct __sk_buff *skb, const struct frame *frame)
{
	struct bpf_sock *sk = skb->sk;

	return !sk || (sk->src_port == frame->tuple.local_port && bpf_ntohs(sk->dst_port) == frame->tuple.remote_port);
}

/* connect() sends its SYN itself, with the socket locked: `current` is who connects. */
static __always_inline void connecting_actor(struct __sk_buff *skb, struct tw_actor *actor)
{
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tp = sk ? tcp_sock_of(sk) : 0;
	struct task_struct *task;

	__builtin_memset(actor, 0, sizeof(*actor));
	if (!tp || tp->inet_conn.icsk_inet.sk.__sk_common.skc_state != TCP_SYN_SENT ||
	    !tp->inet_conn.icsk_inet.sk.sk_lock.owned)
		return;
	task = (struct task_struct *)bpf_get_current_task(); /* the typed one came to tc programs later */
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return;
	actor->tgid = BPF_CORE_READ(task, tgid);
	actor->flags = TW_ACTOR_PRESENT | TW_ACTOR_OWNED;
	BPF_CORE_READ_INTO(&actor->comm, task, group_leader, comm);
}

static __always_inline void emit_translation(struct __sk_buff *skb, const struct frame *frame,
					     const struct tw_tuple *socket)
{
	struct tw_translation *record;

	record = reserve_record(tw_translation, TW_KIND_NAT, bpf_get_socket_cookie(skb), config.netns);
	if (!record)
		return;
	record->tuple = *socket;
	record->wire = frame->tuple;
	connecting_actor(skb, &record->actor);
	record->ack = frame->ack;
	submit_record(record);
}

/* Of one IP packet. Farther apart, two numbers belong to two connections. */
#define MOST_SYN_PAYLOAD 0xffff

/*
 * A SYN-ACK leaves: what its request's SYN counted. It came before anything tied its addresses to a socket, or belongs
 * to an earlier connection on them.
 */
static __always_inline void count_syn_before(struct tw_flow *flow, const struct frame *frame)
{
	struct tw_half *peer = &flow->half[INCOMING];
	__u32 isn = frame->ack - 1;

	if (peer->syn && isn - peer->isn <= MOST_SYN_PAYLOAD)
		return;
	clear_flow(flow);
	peer->seen = 1;
	peer->syn = SYN_SEEN;
	peer->isn = isn;
	peer->nxt = frame->ack;
	peer->ifindex = frame->ifindex;
	peer->segs = 1;
}

/*
 * The socket's addresses are not the frame's: gives the flow the socket's key and an alias. scratch: of the caller's map
 * memory. What was counted before under the wire's addresses (the SYN of a connection that a listener on the same port
 * seemed to take) goes with it.
 */
static __always_inline void tie_translated(const struct frame *frame, const struct tw_tuple *socket,
					   struct tw_flow *scratch)
{
	const struct tw_tuple *wire = &frame->tuple;
	bool syn_ack = (frame->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
	struct tw_flow *flow = bpf_map_lookup_elem(&flows, socket);

	if (flow) {
		if (flow->translated && !same_tuple(&flow->other, wire))
			remove_flow(&flow->other);
		flow->other = *wire;
		flow->translated = 1;
		if (syn_ack)
			count_syn_before(flow, frame);
	} else {
		flow = bpf_map_lookup_elem(&flows, wire);
		if (flow && !flow->alias && !flow->foreign && !flow->strays)
			*scratch = *flow;
		else
			begin_flow(scratch);
		scratch->other = *wire;
		scratch->translated = 1;
		if (syn_ack)
			count_syn_before(scratch, frame);
		put_flow(socket, scratch);
	}
	begin_flow(scratch);
	scratch->alias = 1;
	scratch->other = *socket;
	put_flow(wire, scratch);
	note_translation();
}

#endif
