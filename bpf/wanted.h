/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wanted.h: which sockets the kernel witness reports: TCP, of the namespace, the ports and the addresses that were asked for.
 */
#ifndef TCPWITNESS_WANTED_H
#define TCPWITNESS_WANTED_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "config.h"
#include "maps.h"
#include "sock.h"

/* Of the namespace we look at? Cheapest test first. */
static __always_inline bool common_wanted(const struct sock_common *skc)
{
	if (config.netns && sock_netns(skc) != config.netns)
		return false;
	return is_inet(skc);
}

static __always_inline bool is_filtered(void)
{
	return config.some_ports || config.some_hosts;
}

static __always_inline __u64 cookie_of(struct sock *sk)
{
	__u64 cookie = (__u64)sk->__sk_common.skc_cookie.counter;

	return cookie ? cookie : bpf_get_socket_cookie(sk); /* nobody has asked for it yet */
}

static __always_inline __u32 netns_of(const struct tcp_sock *tp)
{
	return sock_netns(&tp->inet_conn.icsk_inet.sk.__sk_common);
}

/*
 * The TCP socket behind `sk`, if it is of the namespace we look at. Whatever points to something is read through this one:
 * of a hook's own argument Linux 6.18's verifier asks five times, by name among all types of the kernel, whether what it
 * points to can be trusted (btf_nested_type_is_trusted()), some ms each time.
 */
static __always_inline struct tcp_sock *wanted_netns(struct sock *sk)
{
	struct tcp_sock *tp = sk ? (struct tcp_sock *)bpf_skc_to_tcp_sock(sk) : 0;

	if (!tp || (config.netns && netns_of(tp) != config.netns))
		return 0;
	return is_inet(&sk->__sk_common) ? tp : 0;
}

/* The TCP socket behind `sk` if it is one we look at, and its address pair; else NULL. */
static __always_inline struct tcp_sock *wanted_tcp_sock(struct sock *sk, struct tw_tuple *tuple)
{
	struct tcp_sock *tp;

	tp = wanted_netns(sk);
	if (!tp)
		return 0;
	sock_tuple(sk, tp, tuple);
	return flow_wanted(tuple) ? tp : 0;
}

#endif
