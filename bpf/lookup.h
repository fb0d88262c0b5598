/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lookup.h: the socket of a segment: the one that is to receive it, or that sends it, and how it stands just before.
 */
#ifndef TCPWITNESS_LOOKUP_H
#define TCPWITNESS_LOOKUP_H

#include <bpf/bpf_core_read.h>

#include "sock.h"
#include "work.h"

static __always_inline void view_tcp_sock(struct tcp_sock *tp, struct lookup *lookup)
{
	struct tw_socket_view *view = &lookup->view;
	struct inet_connection_sock *icsk = &tp->inet_conn;
	struct sock *sk = &icsk->icsk_inet.sk;

	view->state = sk->__sk_common.skc_state;
	if (view->state == TCP_LISTEN) {
		view->type = TW_SOCKET_LISTENER;
		view->ack_backlog = sk->sk_ack_backlog;
		view->max_ack_backlog = sk->sk_max_ack_backlog;
		view->syn_qlen = icsk->icsk_accept_queue.qlen.counter;
		view->syncookies = OPTIONAL(sk->__sk_common.skc_net.net->ipv4.sysctl_tcp_syncookies, 1);
		view->max_syn_backlog = OPTIONAL(sk->__sk_common.skc_net.net->ipv4.sysctl_max_syn_backlog, 0);
		return;
	}
	view->type = TW_SOCKET_FULL;
	view->snd_una = tp->snd_una;
	view->snd_nxt = tp->snd_nxt;
	view->rcv_nxt = tp->rcv_nxt;
	view->write_seq = tp->write_seq;
	view->flags = sock_cb_flags(sk, tp);
	view->icsk_pending = icsk->icsk_pending;
	view->icsk_probes_out = icsk->icsk_probes_out;
	view->ca_state = BPF_CORE_READ_BITFIELD(icsk, icsk_ca_state);
	lookup->window_begin = tp->rcv_wup;
	lookup->window_end = tp->rcv_wup + tp->rcv_wnd;
	/* What began inside the window may have ended beyond it (tcp_receive_window()). */
	if (seq_distance(lookup->window_end, view->rcv_nxt) > 0)
		lookup->window_end = view->rcv_nxt;
	lookup->since_received_ms = since_received_ms(tp);
	lookup->snd_wnd = tp->snd_wnd;
	if (view->flags & TW_CB_KEEPOPEN)
		keepalive_timers(tp, &view->keepalive_time_ms, &view->keepalive_intvl_ms, &view->keepalive_probes);
}

#define MAX_UNSCALED_WINDOW 65535U
#define MAX_WINDOW (MAX_UNSCALED_WINDOW << 14) /* RFC 7323, section 2.3 */

/*
 * bpf_skc_to_tcp_request_sock() gives no type to the requests of MPTCP, so none is asked for. The window is that of the
 * SYN-ACK, which is not scaled (tcp_synack_window()).
 */
static __always_inline void view_request(struct work *work, struct bpf_sock *sk)
{
	const struct tcp_request_sock *treq = plain_address(work, sk);
	struct lookup *lookup = &work->lookup;
	struct tw_socket_view *view = &lookup->view;

	view->type = TW_SOCKET_REQUEST;
	view->state = TCP_NEW_SYN_RECV;
	view->snd_una = BPF_CORE_READ(treq, snt_isn);
	view->snd_nxt = view->snd_una + 1;
	view->write_seq = view->snd_nxt;
	view->rcv_nxt = BPF_CORE_READ(treq, rcv_nxt);
	lookup->window_begin = view->rcv_nxt;
	lookup->window_end = view->rcv_nxt + MAX_UNSCALED_WINDOW;
	view->num_timeout = BPF_CORE_READ_BITFIELD_PROBED(&treq->req.req, num_timeout);
	lookup->cookie = (__u64)BPF_CORE_READ(treq, req.req.__req_common.skc_cookie.counter);
}

/* Nor bpf_skc_to_tcp_timewait_sock() to theirs. */
static __always_inline void view_timewait(struct work *work, struct bpf_sock *sk)
{
	const struct tcp_timewait_sock *tw = plain_address(work, sk);
	struct lookup *lookup = &work->lookup;
	struct tw_socket_view *view = &lookup->view;

	view->type = TW_SOCKET_TIMEWAIT;
	view->state = BPF_CORE_READ(tw, tw_sk.tw_substate);
	view->rcv_nxt = BPF_CORE_READ(tw, tw_sk.__tw_common.skc_tw_rcv_nxt);
	view->snd_nxt = BPF_CORE_READ(tw, tw_sk.__tw_common.skc_tw_snd_nxt);
	view->snd_una = view->snd_nxt;
	view->write_seq = view->snd_nxt;
	lookup->window_begin = view->rcv_nxt;
	lookup->window_end = view->rcv_nxt + MAX_WINDOW;
	if (bpf_core_field_exists(tw->tw_rcv_wnd))
		lookup->window_end = view->rcv_nxt + BPF_CORE_READ(tw, tw_rcv_wnd);
	lookup->cookie = (__u64)BPF_CORE_READ(tw, tw_sk.__tw_common.skc_cookie.counter);
}

/*
 * The socket that an incoming segment is for. The namespace is that of the receiving device. IPv4 finds
 * dual-stack listeners too.
 */
static __always_inline void look_up_receiver(void *ctx, struct work *work)
{
	const struct frame *frame = &work->frame;
	struct lookup *lookup = &work->lookup;
	const __u32 *local = (const __u32 *)frame->tuple.local_addr, *remote = (const __u32 *)frame->tuple.remote_addr;
	struct bpf_sock_tuple tuple = {};
	struct tcp_sock *tp;
	struct bpf_sock *sk;

	if (frame->is_ipv4) {
		tuple.ipv4.saddr = remote[3];
		tuple.ipv4.daddr = local[3];
		tuple.ipv4.sport = bpf_htons(frame->tuple.remote_port);
		tuple.ipv4.dport = bpf_htons(frame->tuple.local_port);
		sk = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, remote, 16);
		__builtin_memcpy(tuple.ipv6.daddr, local, 16);
		tuple.ipv6.sport = bpf_htons(frame->tuple.remote_port);
		tuple.ipv6.dport = bpf_htons(frame->tuple.local_port);
		sk = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	if (!sk) {
		lookup->view.type = TW_SOCKET_NONE;
		return;
	}
	lookup->view.type = TW_SOCKET_UNKNOWN;
	if ((tp = (struct tcp_sock *)bpf_skc_to_tcp_sock(sk))) {
		view_tcp_sock(tp, lookup);
		lookup->cookie = tp->inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter;
	} else if (sk->state == TCP_NEW_SYN_RECV) {
		view_request(work, sk);
	} else if (sk->state == TCP_TIME_WAIT) {
		view_timewait(work, sk);
	}
	/* A listener's cookie is not the connection's. */
	if (lookup->view.type == TW_SOCKET_LISTENER)
		lookup->cookie = 0;
	bpf_sk_release(sk);
}

/*
 * A socket that is none of a connection. TCP has one of its own for each CPU, for RSTs and some ACKs: a raw socket
 * (inet_ctl_sock_create()) that no file stands for, as it does for a program's. BPF_PROG_TEST_RUN has one of no type.
 */
static __always_inline __u8 other_socket(struct work *work, struct bpf_sock *sk)
{
	const struct sock *sender = plain_address(work, sk);
	const struct socket *socket = BPF_CORE_READ(sender, sk_socket);

	if (!BPF_CORE_READ(sender, sk_type))
		return TW_SOCKET_UNKNOWN;
	if (socket && !BPF_CORE_READ(socket, file) && BPF_CORE_READ(sender, sk_protocol) == IPPROTO_TCP)
		return TW_SOCKET_CONTROL;
	return TW_SOCKET_NONE;
}

/*
 * Does a socket of another namespace send it? A device above this one (VLAN, macvlan) can have been moved there; the
 * segments keep their socket on their way through both.
 */
static __always_inline bool is_of_other_namespace(struct __sk_buff *skb, struct work *work)
{
	struct bpf_sock *sk = skb->sk;
	const struct sock_common *skc;

	if (!config.netns || !sk)
		return false;
	skc = plain_address(work, sk);
	return BPF_CORE_READ(skc, skc_net.net, ns.inum) != config.netns;
}

/* The socket that sends. What a program's raw or packet socket sends no socket of a connection has sent. */
static __always_inline void ask_sender(struct __sk_buff *skb, struct work *work)
{
	struct lookup *lookup = &work->lookup;
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tp;

	lookup->view.type = TW_SOCKET_NONE;
	if (!sk)
		return;
	if ((tp = tcp_sock_of(sk))) {
		view_tcp_sock(tp, lookup);
		if (lookup->view.type == TW_SOCKET_LISTENER)
			return;
	} else if (sk->state == TCP_NEW_SYN_RECV) {
		view_request(work, sk);
	} else if (sk->state == TCP_TIME_WAIT) {
		view_timewait(work, sk);
	} else {
		lookup->view.type = other_socket(work, sk);
		return;
	}
	lookup->cookie = bpf_get_socket_cookie(skb);
}

static __always_inline void ask_socket(void *ctx, struct work *work, bool outgoing)
{
	__builtin_memset(&work->lookup, 0, sizeof(work->lookup));
	if (outgoing)
		ask_sender(ctx, work);
	else
		look_up_receiver(ctx, work);
}

/* No socket, or only a listener, which takes a SYN (or the ACK of a SYN cookie, which has a flow). */
static __always_inline bool nobody_takes(const struct frame *frame, __u8 type)
{
	return type == TW_SOCKET_NONE || (type == TW_SOCKET_LISTENER && !(frame->flags & TCP_SYN));
}

#endif
