/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * icmp.h: reads an ICMP error that quotes a segment of TCP: who sent it, its meaning, and whose segment it is. In
 * tuple local is who sent the quoted segment.
 */
#ifndef TCPWITNESS_ICMP_H
#define TCPWITNESS_ICMP_H

#include "parse.h"

#define IPPROTO_ICMP 1
#define IPPROTO_ICMPV6 58

#define ICMP_DEST_UNREACH 3
#define ICMP_FRAG_NEEDED 4
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMPV6_PKT_TOOBIG 2
#define ICMPV6_PARAMPROB 4

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
	if (ip.version_ihl >> 4 != 4 || ip.protocol != IPPROTO_TCP || ip.fragment & bpf_htons(IP_OFFSET))
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

/* at: of the IP header. */
static __always_inline bool read_icmp_v4(struct __sk_buff *skb, __u32 at, struct tw_icmp *out)
{
	struct icmp_header icmp;
	struct ipv4_header ip;

	if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)) || ip.protocol != IPPROTO_ICMP)
		return false;
	at += (ip.version_ihl & 15) * 4;
	if (ip.fragment & bpf_htons(IP_OFFSET) || bpf_skb_load_bytes(skb, at, &icmp, sizeof(icmp)))
		return false;
	if (icmp.type != ICMP_DEST_UNREACH && icmp.type != ICMP_TIME_EXCEEDED && icmp.type != ICMP_PARAMETERPROB)
		return false;
	if (!quote_v4(skb, at + sizeof(icmp), out))
		return false;
	map_ipv4(out->sender, ip.source);
	out->type = icmp.type;
	out->code = icmp.code;
	if (icmp.type == ICMP_DEST_UNREACH && icmp.code == ICMP_FRAG_NEEDED)
		out->mtu = bpf_ntohl(icmp.rest) & 0xffff;
	return true;
}

/* at: of the ICMPv6 header. The sender is left to the caller. */
static __always_inline bool read_icmp_v6(struct __sk_buff *skb, __u32 at, struct tw_icmp *out)
{
	struct icmp_header icmp;

	if (bpf_skb_load_bytes(skb, at, &icmp, sizeof(icmp)))
		return false;
	if (icmp.type == 0 || icmp.type > ICMPV6_PARAMPROB)
		return false;
	if (!quote_v6(skb, at + sizeof(icmp), out))
		return false;
	out->type = icmp.type;
	out->code = icmp.code;
	out->v6 = 1;
	if (icmp.type == ICMPV6_PKT_TOOBIG)
		out->mtu = bpf_ntohl(icmp.rest);
	return true;
}

#endif
