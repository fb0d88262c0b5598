/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dropped.h: a buffer that the kernel drops: its segment, its connection, and whether the drop is a fault.
 */
#ifndef TCPWITNESS_DROPPED_H
#define TCPWITNESS_DROPPED_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "flow.h"
#include "icmp.h"
#include "parse.h"
#include "wanted.h"

/* Is `reason` the one of this name? Older kernels lack some. */
#define IS_DROP_REASON(reason, name)                               \
	(bpf_core_enum_value_exists(enum skb_drop_reason, name) && \
	 (reason) == bpf_core_enum_value(enum skb_drop_reason, name))

/*
 * What is dropped for no fault is not reported: buffers of a queue that goes away with its socket, and what old code
 * gives no reason for (a FIN that its TIME_WAIT socket has taken).
 */
static __always_inline bool drop_tells(__u32 reason)
{
	return !IS_DROP_REASON(reason, SKB_DROP_REASON_QUEUE_PURGE) &&
	       !IS_DROP_REASON(reason, SKB_DROP_REASON_NOT_SPECIFIED);
}

/*
 * A raw socket gets a copy of each segment that arrives, and what it does not take, TCP gets all the same. Before 6.11
 * there is nothing about whose copy it was: one in IPv4 begins with its IP header (raw_rcv()), and TCP's own does not any
 * more.
 */
static __always_inline bool is_copy(struct sk_buff *skb, struct sock *taker, __u32 reason)
{
	if (taker)
		return taker->__sk_common.skc_state != TCP_NEW_SYN_RECV &&
		       taker->__sk_common.skc_state != TCP_TIME_WAIT && taker->sk_type != SOCK_STREAM;
	if (!IS_DROP_REASON(reason, SKB_DROP_REASON_SOCKET_FILTER) &&
	    !IS_DROP_REASON(reason, SKB_DROP_REASON_SOCKET_RCVBUFF))
		return false;
	return skb->protocol == bpf_htons(ETH_P_IP) && skb->transport_header > skb->network_header &&
	       skb->data == skb->head + skb->network_header;
}

/* What the headers of a buffer contain. */
struct dropped {
	struct tw_tuple tuple;
	__u32 seq, ack, len;
	__u16 window;
	__u8 flags, ttl;
};

/*
 * The buffer can be at any place of the stack: only the network header is sure, what follows is read behind it. Returns
 * the length of the IP headers; 0: it is no segment of TCP.
 */
static __always_inline __u32 read_dropped_ip(struct sk_buff *skb, bool outgoing, struct dropped *out, __u32 *total)
{
	const void *ip = skb->head + skb->network_header;
	struct ipv4_header v4;
	struct ipv6_header v6;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_probe_read_kernel(&v4, sizeof(v4), ip) || v4.version_ihl >> 4 != 4 ||
		    v4.protocol != IPPROTO_TCP)
			return 0;
		if (v4.fragment & bpf_htons(IP_OFFSET)) /* a later fragment has no TCP header */
			return 0;
		out->ttl = v4.ttl;
		map_ipv4(out->tuple.local_addr, outgoing ? v4.source : v4.destination);
		map_ipv4(out->tuple.remote_addr, outgoing ? v4.destination : v4.source);
		*total = bpf_ntohs(v4.total_length);
		return (v4.version_ihl & 0xf) * 4;
	}
	if (skb->protocol != bpf_htons(ETH_P_IPV6) || bpf_probe_read_kernel(&v6, sizeof(v6), ip))
		return 0;
	if (bpf_ntohl(v6.version_class_flow) >> 28 != 6 || v6.next != IPPROTO_TCP)
		return 0;
	out->ttl = v6.hop_limit;
	copy_ipv6(out->tuple.local_addr, outgoing ? v6.source : v6.destination);
	copy_ipv6(out->tuple.remote_addr, outgoing ? v6.destination : v6.source);
	*total = v6.payload_length ? sizeof(v6) + bpf_ntohs(v6.payload_length) : 0;
	return sizeof(v6);
}

/* words: of the TCP header, the first four. Returns the length of it. */
static __always_inline __u32 read_tcp_words(const __be32 *words, struct dropped *out)
{
	out->seq = bpf_ntohl(words[1]);
	out->ack = bpf_ntohl(words[2]);
	out->flags = (__u8)(bpf_ntohl(words[3]) >> 16);
	out->window = (__u16)bpf_ntohl(words[3]);
	return (bpf_ntohl(words[3]) >> 28) * 4;
}

static __always_inline bool read_dropped(struct sk_buff *skb, bool outgoing, struct dropped *out)
{
	const void *ip = skb->head + skb->network_header;
	__u32 total = 0; /* by the IP header; 0: it has no length (an oversized packet) */
	__u32 headers = read_dropped_ip(skb, outgoing, out, &total), length;
	__be32 words[4]; /* ports, seq, ack, offset and flags and window */

	if (!headers || bpf_probe_read_kernel(words, sizeof(words), ip + headers))
		return false;
	out->tuple.local_port = outgoing ? (__u16)(bpf_ntohl(words[0]) >> 16) : (__u16)bpf_ntohl(words[0]);
	out->tuple.remote_port = outgoing ? (__u16)bpf_ntohl(words[0]) : (__u16)(bpf_ntohl(words[0]) >> 16);
	headers += read_tcp_words(words, out);
	/* data is before the IP header, at the TCP header or behind it: what is left is counted from where it stands. */
	length = skb->len + (__u32)((const void *)skb->data - ip);
	/* A short frame has been filled up to Ethernet's least length, which IP has not cut off yet. */
	if (!outgoing && total && length > total)
		length = total;
	out->len = length > headers ? length - headers : 0;
	return true;
}

/*
 * TCP has made it, and IP found no route (ip_queue_xmit(), inet6_csk_xmit()): it has a TCP header and no IP header yet.
 * A buffer with these ports in front and no protocol is nowhere else.
 */
static __always_inline bool read_unrouted(struct sk_buff *skb, struct sock *sk, struct dropped *out)
{
	__be32 words[4]; /* ports, seq, ack, offset and flags and window */
	__u32 headers;

	if (skb->protocol || !sk || !is_inet(&sk->__sk_common) || sk->__sk_common.skc_state == TCP_NEW_SYN_RECV ||
	    sk->__sk_common.skc_state == TCP_TIME_WAIT || sk->__sk_common.skc_state == TCP_LISTEN)
		return false;
	if (sk->sk_protocol != IPPROTO_TCP || skb->data != skb->head + skb->transport_header ||
	    bpf_probe_read_kernel(words, sizeof(words), skb->data))
		return false;
	common_tuple(&sk->__sk_common, sk->__sk_common.skc_num, &out->tuple);
	if (!out->tuple.local_port ||
	    bpf_ntohl(words[0]) != ((__u32)out->tuple.local_port << 16 | out->tuple.remote_port))
		return false;
	headers = read_tcp_words(words, out);
	out->len = skb->len > headers ? skb->len - headers : 0;
	return true;
}

/* The name that IPv4 has for it; IPv6 gives none. */
static __always_inline __u32 unrouted_reason(__u32 reason)
{
	if (IS_DROP_REASON(reason, SKB_DROP_REASON_NOT_SPECIFIED) &&
	    bpf_core_enum_value_exists(enum skb_drop_reason, SKB_DROP_REASON_IP_OUTNOROUTES))
		return bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_IP_OUTNOROUTES);
	return reason;
}

/*
 * Its device's, its socket's or its route's, or that of the socket that was to take it; 0: the buffer shows none any more
 * (TCP takes them away as it goes).
 */
static __always_inline __u32 dropped_netns(struct sk_buff *skb, struct sock *taker)
{
	struct dst_entry *dst;
	__u32 netns;

	if (taker)
		return BPF_CORE_READ(taker, __sk_common.skc_net.net, ns.inum);
	netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	if (!netns)
		netns = BPF_CORE_READ(skb, sk, __sk_common.skc_net.net, ns.inum);
	if (netns)
		return netns;
	dst = (struct dst_entry *)(skb->_skb_refdst & ~1UL); /* SKB_DST_NOREF */
	return dst ? BPF_CORE_READ(dst, dev, nd_net.net, ns.inum) : 0;
}

/*
 * Before or behind NAT a buffer has other addresses than its socket: the record has the socket's. One on its way out
 * carries the socket; of one that came in the flow map has it.
 */
static __always_inline bool dropped_wanted(struct sock *sk, bool outgoing, __u32 ifindex, struct tw_tuple *tuple)
{
	bool wanted = tuple_wanted(tuple);
	struct tw_flow *flow;

	/* An AF_PACKET socket can stand there too. */
	if (outgoing && sk && is_inet(&sk->__sk_common) && sk->__sk_common.skc_dport && sk->__sk_common.skc_num &&
	    sk->__sk_common.skc_state != TCP_NEW_SYN_RECV) {
		common_tuple(&sk->__sk_common, sk->__sk_common.skc_num, tuple);
		return wanted || flow_wanted(tuple);
	}
	if (is_link_local(*(__u32 *)tuple->remote_addr))
		tuple->scope = ifindex;
	flow = bpf_map_lookup_elem(&flows, tuple);
	if (flow && flow->alias) {
		*tuple = flow->other;
		return true;
	}
	return wanted || (flow && (flow->translated || flow->hop));
}

/*
 * What was for another host's link address (see is_for_others()) is nobody's here, but for a connection of ours: its
 * peer has an old link address for us.
 */
static __always_inline bool is_dropped_for_others(__u32 reason, const struct tw_tuple *tuple)
{
	const struct tw_flow *flow;

	if (!IS_DROP_REASON(reason, SKB_DROP_REASON_OTHERHOST))
		return false;
	flow = bpf_map_lookup_elem(&flows, tuple);
	return !flow || !flow->owned;
}

/* Of the connection whose buffer it is; 0: the buffer does not show it. (A listener's is not the connection's.) */
static __always_inline __u64 dropped_cookie(const struct sock *sk, const struct sock *taker, bool outgoing)
{
	if (taker && !outgoing && taker->__sk_common.skc_state != TCP_LISTEN)
		return (__u64)taker->__sk_common.skc_cookie.counter;
	if (sk && is_inet(&sk->__sk_common) && sk->__sk_common.skc_state != TCP_LISTEN)
		return (__u64)sk->__sk_common.skc_cookie.counter;
	return 0;
}

#endif
