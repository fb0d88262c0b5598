/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * icmp.bpf.c: ICMP errors that quote a segment of TCP. Filters of two raw sockets (user/probe/icmp.cpp), which take no
 * packet: they run for ICMP alone, a moment before the kernel's own handler. What TCP makes of a message (tcp_v4_err(),
 * tcp_v6_err()) has no event, but for connect(): an established connection only keeps the error, a half-open request is
 * dropped.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "emit.h"
#include "icmp.h"
#include "maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define TAKE_NONE 0 /* the socket itself gets nothing */

static __always_inline void submit_icmp(const struct tw_icmp *seen)
{
	struct tw_icmp *record;

	if (!flow_wanted(&seen->tuple))
		return;
	if (config.digests)
		release_ends(&seen->tuple);
	record = reserve_record(tw_icmp, TW_KIND_ICMP, 0, config.netns);
	if (!record)
		return;
	__builtin_memcpy(&record->tuple, &seen->tuple, sizeof(*record) - sizeof(record->header));
	submit_record(record);
}

SEC("socket")
int icmp_v4(struct __sk_buff *skb)
{
	struct tw_icmp seen = {};

	if (read_icmp_v4(skb, 0, &seen))
		submit_icmp(&seen);
	return TAKE_NONE;
}

/* A raw socket of IPv6 has the packet from its ICMPv6 header on. */
SEC("socket")
int icmp_v6(struct __sk_buff *skb)
{
	struct tw_icmp seen = {};

	if (!read_icmp_v6(skb, 0, &seen))
		return TAKE_NONE;
	if (bpf_skb_load_bytes_relative(skb, __builtin_offsetof(struct ipv6_header, source), seen.sender,
					sizeof(seen.sender), BPF_HDR_START_NET))
		return TAKE_NONE;
	if (is_link_local(*(__u32 *)seen.tuple.remote_addr))
		seen.tuple.scope = skb->ifindex;
	submit_icmp(&seen);
	return TAKE_NONE;
}
