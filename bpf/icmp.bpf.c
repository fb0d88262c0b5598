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
#include "maps.h"
#include "parse.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define ICMP_DEST_UNREACH 3
#define ICMP_FRAG_NEEDED 4
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMPV6_PKT_TOOBIG 2
#define ICMPV6_PARAMPROB 4

#define TAKE_NONE 0 /* the socket itself gets nothing */

struct icmp_header {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 rest; /* fragmentation needed, packet too big: the next hop's MTU */
};

/* What is quoted of the TCP header: at least its first 8 bytes (RFC 792). */
struct quoted_ports {
	__be16 source;
	__be16 destination;
	__be32 seq;
};

static __always_inline bool quote_v4(struct __sk_buff *skb, __u32 at, struct tw_icmp *out)
{
	struct quoted_ports tcp;
	struct ipv4_header ip;

	if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)))
		return false;
	if (ip.version_ihl >> 4 != 4 || ip.protocol != IPPROTO_TCP || ip.fragment & bpf_htons(0x1fff))
		return false;
	if (bpf_skb_load_bytes(skb, at + (ip.version_ihl & 15) * 4, &tcp, sizeof(tcp)))
		return false;
	map_ipv4(out->tuple.local_addr, ip.source);
	map_ipv4(out->tuple.remote_addr, ip.destination);
	out->tuple.local_port = bpf_ntohs(tcp.source);
	out->tuple.remote_port = bpf_ntohs(tcp.destination);
	out->seq = bpf_ntohl(tcp.seq);
	return true;
}

static __always_inline bool quote_v6(struct __sk_buff *skb, __u32 at, struct tw_icmp *out)
{
	struct quoted_ports tcp;
	struct ipv6_header ip;

	if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)))
		return false;
	if (bpf_ntohl(ip.version_class_flow) >> 28 != 6 || ip.next != IPPROTO_TCP)
		return false;
	if (bpf_skb_load_bytes(skb, at + sizeof(ip), &tcp, sizeof(tcp)))
		return false;
	__builtin_memcpy(out->tuple.local_addr, ip.source, sizeof(ip.source));
	__builtin_memcpy(out->tuple.remote_addr, ip.destination, sizeof(ip.destination));
	out->tuple.local_port = bpf_ntohs(tcp.source);
	out->tuple.remote_port = bpf_ntohs(tcp.destination);
	out->seq = bpf_ntohl(tcp.seq);
	return true;
}

static __always_inline void submit_icmp(const struct tw_icmp *seen)
{
	struct tw_icmp *record;

	if (!flow_wanted(&seen->tuple))
		return;
	record = reserve_record(tw_icmp, TW_KIND_ICMP, 0, config.netns);
	if (!record)
		return;
	__builtin_memcpy(&record->tuple, &seen->tuple, sizeof(*record) - sizeof(record->header));
	submit_record(record);
}

SEC("socket")
int icmp_v4(struct __sk_buff *skb)
{
	struct icmp_header icmp;
	struct tw_icmp seen = {};
	struct ipv4_header ip;
	__u32 at;

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
		return TAKE_NONE;
	at = (ip.version_ihl & 15) * 4;
	if (bpf_skb_load_bytes(skb, at, &icmp, sizeof(icmp)))
		return TAKE_NONE;
	if (icmp.type != ICMP_DEST_UNREACH && icmp.type != ICMP_TIME_EXCEEDED && icmp.type != ICMP_PARAMETERPROB)
		return TAKE_NONE;
	if (!quote_v4(skb, at + sizeof(icmp), &seen))
		return TAKE_NONE;
	map_ipv4(seen.sender, ip.source);
	seen.type = icmp.type;
	seen.code = icmp.code;
	if (icmp.type == ICMP_DEST_UNREACH && icmp.code == ICMP_FRAG_NEEDED)
		seen.mtu = bpf_ntohl(icmp.rest) & 0xffff;
	submit_icmp(&seen);
	return TAKE_NONE;
}

/* A raw socket of IPv6 has the packet from its ICMPv6 header on. */
SEC("socket")
int icmp_v6(struct __sk_buff *skb)
{
	struct icmp_header icmp;
	struct tw_icmp seen = {};

	if (bpf_skb_load_bytes(skb, 0, &icmp, sizeof(icmp)))
		return TAKE_NONE;
	if (icmp.type == 0 || icmp.type > ICMPV6_PARAMPROB)
		return TAKE_NONE;
	if (!quote_v6(skb, sizeof(icmp), &seen))
		return TAKE_NONE;
	if (bpf_skb_load_bytes_relative(skb, __builtin_offsetof(struct ipv6_header, source), seen.sender,
					sizeof(seen.sender), BPF_HDR_START_NET))
		return TAKE_NONE;
	if (is_link_local(*(__u32 *)seen.tuple.remote_addr))
		seen.tuple.scope = skb->ifindex;
	seen.type = icmp.type;
	seen.code = icmp.code;
	seen.v6 = 1;
	if (icmp.type == ICMPV6_PKT_TOOBIG)
		seen.mtu = bpf_ntohl(icmp.rest);
	submit_icmp(&seen);
	return TAKE_NONE;
}
