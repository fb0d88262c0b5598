/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * closing.h: how a socket closes, as far as its control block does not show it.
 */
#ifndef TCPWITNESS_CLOSING_H
#define TCPWITNESS_CLOSING_H

#include <bpf/bpf_core_read.h>

#include "sock.h"

/*
 * inet_twsk_alloc() makes no mini-socket then (TCPTimeWaitOverflow), and the connection is forgotten. Full it is also
 * where this one's is the last that found room.
 */
static __always_inline bool time_wait_is_full(const struct tcp_sock *tp)
{
	const struct net *net = tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net;

	if (!bpf_core_field_exists(net->ipv4.tcp_death_row.tw_refcount))
		return false;
	return BPF_CORE_READ(net, ipv4.tcp_death_row.tw_refcount.refs.counter) - 1 >=
	       BPF_CORE_READ(net, ipv4.tcp_death_row.sysctl_max_tw_buckets);
}

/* How long an orphan waits in FIN_WAIT2. */
static __always_inline __u32 fin_timeout_ms(const struct tcp_sock *tp)
{
	const struct net *net = tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net;
	int own = OPTIONAL(tp->linger2, -1);

	if (own < 0)
		return 0;
	return ticks_to_ms(own ? own : OPTIONAL(net->ipv4.sysctl_tcp_fin_timeout, 0));
}

/* close() and exit let go of the file before the socket is closed; shutdown() is called through it. */
static __always_inline bool is_released(const struct sock *sk)
{
	struct file *file = sk->sk_socket->file;

	if (!file)
		return false;
	if (bpf_core_field_exists(((struct file *)0)->f_ref))
		return BPF_CORE_READ(file, f_ref.refcnt.counter) < 0;
	return BPF_CORE_READ((struct file___counted *)file, f_count.counter) == 0;
}

/*
 * Two CPUs can make a child of one request each, both with its cookie and its addresses. The one that is too late is
 * closed before it was ever hashed (inet_ehash_nolisten()), and alone keeps the port that it has from its listener until
 * now: who closes otherwise has given it back (tcp_set_state()), unless bind() has chosen it.
 */
static __always_inline bool is_late_child(const struct tcp_sock *tp)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;

	return OPTIONAL(icsk->icsk_bind_hash, 0) &&
	       !(BPF_CORE_READ_BITFIELD(&icsk->icsk_inet.sk, sk_userlocks) & SOCK_BINDPORT_LOCK);
}

#endif
