/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * error_queue.h: the ICMP message behind an error of a socket.
 */
#ifndef TCPWITNESS_ERROR_QUEUE_H
#define TCPWITNESS_ERROR_QUEUE_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kernel_types.h"
#include "parse.h"

/*
 * The newest entry of the error queue, and of an ICMP message there who sent it. tcp_v4_err() queues the message while
 * SYN_SENT lasts, before it decides whether the connection ends, or goes on as its process holds the lock (then only
 * SO_ERROR has it). tcp_v6_err() queues it where IPV6_RECVERR is set.
 */
static __always_inline void read_error_queue(struct sock *sk, struct tw_error *record)
{
	struct sock_exterr_skb *queued;
	struct sk_buff *newest;
	unsigned char *ip;

	record->queue_origin = 0;
	record->icmp_errno = 0;
	record->icmp_type = 0;
	record->icmp_code = 0;
	__builtin_memset(record->icmp_sender, 0, sizeof(record->icmp_sender));
	if (!BPF_CORE_READ(sk, sk_error_queue.qlen))
		return;
	newest = BPF_CORE_READ(sk, sk_error_queue.prev);
	queued = (struct sock_exterr_skb *)__builtin_preserve_access_index(&newest->cb);
	record->queue_origin = BPF_CORE_READ(queued, ee.ee_origin);
	if (record->queue_origin != SO_EE_ORIGIN_ICMP && record->queue_origin != SO_EE_ORIGIN_ICMP6)
		return;
	record->icmp_errno = (__u16)BPF_CORE_READ(queued, ee.ee_errno);
	record->icmp_type = BPF_CORE_READ(queued, ee.ee_type);
	record->icmp_code = BPF_CORE_READ(queued, ee.ee_code);
	ip = BPF_CORE_READ(newest, head) + BPF_CORE_READ(newest, network_header);
	if (record->queue_origin == SO_EE_ORIGIN_ICMP6) {
		bpf_probe_read_kernel(record->icmp_sender, 16, ip + __builtin_offsetof(struct ipv6_header, source));
	} else {
		__be32 sender = 0;

		bpf_probe_read_kernel(&sender, sizeof(sender), ip + __builtin_offsetof(struct ipv4_header, source));
		map_ipv4(record->icmp_sender, sender);
	}
}

#endif
