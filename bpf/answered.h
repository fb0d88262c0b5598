/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * answered.h: the segment that is answered by a RST.
 */
#ifndef TCPWITNESS_ANSWERED_H
#define TCPWITNESS_ANSWERED_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "kernel_types.h"
#include "parse.h"
#include "tuple.h"

/* The headers of the segment that is answered by a RST, as far as the kernel still has them. */
struct answered {
	struct tw_tuple tuple;
	__u32 seq, ack, netns;
	__u8 flags;
};

static __always_inline bool read_answered(struct sk_buff *skb, struct answered *out)
{
	unsigned char *head = BPF_CORE_READ(skb, head);
	unsigned char *ip = head + BPF_CORE_READ(skb, network_header);
	unsigned char *tcp = head + BPF_CORE_READ(skb, transport_header);
	__be32 words[4]; /* ports, seq, ack, offset and flags */
	__u8 version;

	if (bpf_probe_read_kernel(&version, 1, ip) || bpf_probe_read_kernel(words, sizeof(words), tcp))
		return false;
	if (version >> 4 == 4) {
		__be32 addrs[2];

		if (bpf_probe_read_kernel(addrs, sizeof(addrs), ip + __builtin_offsetof(struct ipv4_header, source)))
			return false;
		map_ipv4(out->tuple.remote_addr, addrs[0]);
		map_ipv4(out->tuple.local_addr, addrs[1]);
	} else if (bpf_probe_read_kernel(out->tuple.remote_addr, 16,
					 ip + __builtin_offsetof(struct ipv6_header, source)) ||
		   bpf_probe_read_kernel(out->tuple.local_addr, 16,
					 ip + __builtin_offsetof(struct ipv6_header, destination))) {
		return false;
	}
	if (is_link_local(*(__u32 *)out->tuple.remote_addr))
		out->tuple.scope = (__u32)BPF_CORE_READ(skb, skb_iif);
	out->tuple.remote_port = (__u16)(bpf_ntohl(words[0]) >> 16);
	out->tuple.local_port = (__u16)bpf_ntohl(words[0]);
	out->seq = bpf_ntohl(words[1]);
	out->ack = bpf_ntohl(words[2]);
	out->flags = (__u8)(bpf_ntohl(words[3]) >> 16);
	out->netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	return true;
}

#endif
