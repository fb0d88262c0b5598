/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * parse.h: the only place that parses headers. From a frame's first byte to the TCP header.
 *
 * A cursor over [data, end) of the frame; every step checks its bounds before it reads, every loop has
 * a fixed bound. What does not fit is not TCP for us: the frame passes untouched in any case.
 *
 * Results go to a struct frame in map memory, whose contents the verifier does not follow: the ways
 * through the headers meet again after each step instead of multiplying.
 */
#ifndef TCPWITNESS_PARSE_H
#define TCPWITNESS_PARSE_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tuple.h"

#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88a8

#define VLAN_VID_MASK 0x0fff

#define IP_OFFSET 0x1fff /* ipv4_header.fragment: where it begins, in 8 bytes */
#define IP_MF 0x2000
#define IP6_OFFSET 0xfff8 /* ipv6_extension.fragment: likewise, in bytes */
#define IP6_MF 0x0001

#define NEXT_HOP_BY_HOP 0
#define NEXT_ROUTING 43
#define NEXT_FRAGMENT 44
#define NEXT_AUTHENTICATION 51
#define NEXT_DESTINATION 60
#define NEXT_MOBILITY 135

#define MAX_VLAN_TAGS 2
#define MAX_EXTENSION_HEADERS 6

struct ethernet_header {
	__u8 addresses[12];
	__be16 type;
};
struct vlan_tag {
	__be16 tci;
	__be16 type;
};
struct ipv4_header {
	__u8 version_ihl;
	__u8 tos;
	__be16 total_length;
	__be16 id;
	__be16 fragment;
	__u8 ttl;
	__u8 protocol;
	__be16 checksum;
	__be32 source;
	__be32 destination;
};
struct ipv6_header {
	__be32 version_class_flow;
	__be16 payload_length;
	__u8 next;
	__u8 hop_limit;
	__be32 source[4];
	__be32 destination[4];
};
struct ipv6_extension {
	__u8 next;
	__u8 length;     /* in 8 bytes beyond the first 8; AH: in 4 bytes beyond the first 8 */
	__be16 fragment; /* fragment header: offset and more-fragments */
	__be32 rest;
};
struct tcp_header {
	__be16 source;
	__be16 destination;
	__be32 seq;
	__be32 ack;
	__u8 offset; /* high 4 bits, in 4 bytes */
	__u8 flags;
	__be16 window;
	__be16 checksum;
	__be16 urgent;
};

/* The bytes at hand. */
struct cursor {
	void *data;
	void *end;
};

/* A frame at a hook, and what of it has been parsed. In map memory, one for each CPU. */
struct frame {
	struct tw_tuple tuple; /* local is the source of an outgoing segment, the destination of an incoming one */
	__u32 bytes;           /* length of the frame on the wire; can exceed the bytes at hand */
	__u32 ifindex;
	__u32 segments; /* GSO or GRO: how many wire segments this is; at least 1 */
	__u32 seq, ack, payload;
	__u32 tsval;   /* of TCP's timestamp option where it stands in its usual place, else 0; network order */
	__u32 hidden;  /* see hide_from_verifier() */
	__u32 came_in; /* outgoing and forwarded: the interface it came in on */
	__u64 now_ns;  /* see frame_time() */
	__u16 window;
	__u16 vlan_id;
	__u16 ip_id;          /* IPv4 identification; 0 for IPv6 */
	__u16 options_offset; /* from the first byte */
	__u16 event_flags;    /* enum tw_segment_event */
	__u16 segment_size;   /* GSO or GRO: payload of each wire segment but the last; 0: it is one */
	__u8 options_length;
	__u8 flags;
	__u8 ttl;
	__u8 is_ipv4;
	__u8 fragment;
	__u8 bad_header;
	__u8 extra_headers; /* IPv4 options, or IPv6 extension headers: IP may discard it for their contents */
	__u8 hook;          /* enum tw_hook */
	__u8 outgoing;
	__u8 reordered;  /* as in struct tw_segment */
	__u8 duplicate;  /* enum duplicate */
	__u8 translated; /* tuple is the socket's, the frame had others */
	__u8 forwarding;
	__u8 for_others; /* config.forwarded: see is_for_others() */
};

/* When this run began, read where it is first asked for: a clock costs as much as a look-up. */
static __always_inline __u64 frame_time(struct frame *frame)
{
	if (!frame->now_ns)
		frame->now_ns = bpf_ktime_get_ns();
	return frame->now_ns;
}

/* Is the packet one that the network delivers again? See duplicates.h. */
enum duplicate {
	NO_DUPLICATE = 0,
	DUPLICATE = 1,
	DUPLICATE_IF_RECEIVED = 2, /* if its socket has the first one already */
};

/* The same number, whose bounds the verifier has forgotten: paths that differ only in it become one. */
static __always_inline __u32 hide_from_verifier(struct frame *frame, __u32 number)
{
	*(volatile __u32 *)&frame->hidden = number;
	return *(volatile __u32 *)&frame->hidden;
}

/* No header chain that we follow is longer. Never by masking: an offset that wraps would come back to planted bytes. */
#define MAX_HEADERS 0xfff

/* How far parsing got. */
enum parsed {
	PARSED_OTHER = 0, /* not TCP, or nothing that we can parse */
	PARSED_TCP = 1,
	PARSED_SHORT = 2, /* the linear part ends inside the headers: pull and try again */
};

static __always_inline void copy_ipv6(__u8 *to, const __be32 *from)
{
	__u32 *words = (__u32 *)to;

	for (int i = 0; i < 4; i++)
		words[i] = from[i];
}

/* What an IP length leaves behind `headers` of its bytes; 0: it has no length; 1: too short for any TCP header. */
static __always_inline __u32 left_after(__u32 length, __u32 headers)
{
	if (length == 0)
		return 0;
	return length > headers ? length - headers : 1;
}

#define TCPOPT_EOL 0
#define TCPOPT_NOP 1
#define TCPOPT_MSS 2
#define TCPOLEN_MSS 4
#define TCPOPT_WINDOW 3
#define TCPOLEN_WINDOW 3
#define TCPOPT_SACK_PERM 4
#define TCPOLEN_SACK_PERM 2
#define TCPOPT_SACK 5
#define TCPOPT_TIMESTAMP 8
#define TCPOLEN_TIMESTAMP 10
#define TCPOPT_MPTCP 30
#define TCPOPT_FASTOPEN 34

/* Four bytes of a TCP header's options, as they begin a timestamp. */
#define PADDED_TIMESTAMP(first, second) \
	bpf_htonl((first) << 24 | (second) << 16 | TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP)

/*
 * TCP's timestamp: where RFC 7323, appendix A, recommends it, and behind what Linux puts before it in a SYN. Elsewhere it is
 * not looked for.
 */
static __always_inline __u32 usual_timestamp(const struct cursor *at, const struct tcp_header *tcp)
{
	const __be32 *options = (const void *)(tcp + 1);

	if ((void *)(options + 3) > at->end)
		return 0;
	if (options[0] == PADDED_TIMESTAMP(TCPOPT_NOP, TCPOPT_NOP))
		return options[1];
	return options[1] == PADDED_TIMESTAMP(TCPOPT_SACK_PERM, TCPOLEN_SACK_PERM) ? options[2] : 0;
}

/*
 * The TCP header at `offset`; `after_ip` is what follows it there by the IP header (TCP header and
 * payload), 0 when it has no length (oversized GSO packet, jumbogram).
 */
static __always_inline int parse_tcp(const struct cursor *at, struct frame *frame, bool outgoing, __u32 offset,
				     __u32 after_ip)
{
	struct tcp_header *tcp = at->data + offset;
	__u32 header_length, room;

	if ((void *)(tcp + 1) > at->end)
		return PARSED_SHORT;
	frame->tuple.local_port = bpf_ntohs(outgoing ? tcp->source : tcp->destination);
	frame->tuple.remote_port = bpf_ntohs(outgoing ? tcp->destination : tcp->source);
	frame->seq = bpf_ntohl(tcp->seq);
	frame->ack = bpf_ntohl(tcp->ack);
	frame->flags = tcp->flags;
	frame->window = bpf_ntohs(tcp->window);
	frame->tsval = usual_timestamp(at, tcp);
	header_length = (tcp->offset >> 4) * 4;
	room = frame->bytes - offset;
	if (after_ip == 0)
		after_ip = room;
	frame->bad_header = header_length < sizeof(*tcp) || header_length > after_ip || after_ip > room;
	frame->payload = frame->bad_header ? 0 : after_ip - header_length;
	frame->options_offset = (__u16)(offset + sizeof(*tcp));
	frame->options_length = frame->bad_header ? 0 : (__u8)(header_length - sizeof(*tcp));
	return PARSED_TCP;
}

static __always_inline int parse_ipv4(const struct cursor *at, struct frame *frame, bool outgoing, __u32 offset)
{
	struct ipv4_header *ip = at->data + offset;
	__u32 header_length;
	__u16 fragment;

	if ((void *)(ip + 1) > at->end)
		return PARSED_SHORT;
	header_length = (ip->version_ihl & 0xf) * 4;
	if (ip->version_ihl >> 4 != 4 || header_length < sizeof(*ip) || ip->protocol != IPPROTO_TCP)
		return PARSED_OTHER;
	fragment = bpf_ntohs(ip->fragment);
	if (fragment & IP_OFFSET)
		return PARSED_OTHER; /* not the first fragment: what stands here is payload, not ports */
	frame->fragment = (fragment & IP_MF) != 0;
	frame->ttl = ip->ttl;
	frame->ip_id = bpf_ntohs(ip->id);
	frame->is_ipv4 = 1;
	frame->extra_headers = header_length > sizeof(*ip);
	map_ipv4(frame->tuple.local_addr, outgoing ? ip->source : ip->destination);
	map_ipv4(frame->tuple.remote_addr, outgoing ? ip->destination : ip->source);
	return parse_tcp(at, frame, outgoing, offset + header_length,
			 hide_from_verifier(frame, left_after(bpf_ntohs(ip->total_length), header_length)));
}

static __always_inline int parse_ipv6(const struct cursor *at, struct frame *frame, bool outgoing, __u32 offset)
{
	struct ipv6_header *ip = at->data + offset;
	__u32 start, length;
	__u8 next;

	if ((void *)(ip + 1) > at->end)
		return PARSED_SHORT;
	if ((bpf_ntohl(ip->version_class_flow) >> 28) != 6)
		return PARSED_OTHER;
	frame->ttl = ip->hop_limit;
	frame->ip_id = 0;
	frame->is_ipv4 = 0;
	frame->extra_headers = ip->next != IPPROTO_TCP;
	copy_ipv6(frame->tuple.local_addr, outgoing ? ip->source : ip->destination);
	copy_ipv6(frame->tuple.remote_addr, outgoing ? ip->destination : ip->source);
	next = ip->next;
	length = bpf_ntohs(ip->payload_length); /* 0: a jumbogram, the frame's length counts */
	offset += sizeof(*ip);
	start = offset;
	for (int i = 0; i < MAX_EXTENSION_HEADERS; i++) {
		struct ipv6_extension *extension = at->data + offset;
		__u32 size;

		if (next == IPPROTO_TCP)
			break;
		if (next != NEXT_HOP_BY_HOP && next != NEXT_ROUTING && next != NEXT_FRAGMENT &&
		    next != NEXT_AUTHENTICATION && next != NEXT_DESTINATION && next != NEXT_MOBILITY)
			return PARSED_OTHER;
		if ((void *)(extension + 1) > at->end)
			return PARSED_SHORT;
		size = (extension->length + 1) * 8;
		if (next == NEXT_FRAGMENT) {
			__u16 fragment = bpf_ntohs(extension->fragment);

			if (fragment & IP6_OFFSET)
				return PARSED_OTHER;
			frame->fragment = fragment & IP6_MF;
			size = 8;
		} else if (next == NEXT_AUTHENTICATION) {
			size = (extension->length + 2) * 4;
		}
		next = extension->next;
		offset = hide_from_verifier(frame, offset + size);
		if (offset > MAX_HEADERS)
			return PARSED_OTHER;
		/* Put away on the stack after its bound is known, not before: Linux 6.1 then does not know it when it comes back. */
		asm volatile("" : "+r"(offset));
	}
	if (next != IPPROTO_TCP)
		return PARSED_OTHER;
	return parse_tcp(at, frame, outgoing, offset, hide_from_verifier(frame, left_after(length, offset - start)));
}

/* From the first byte of the frame. */
static __always_inline int parse_frame(const struct cursor *at, struct frame *frame, bool outgoing, bool raw_ip)
{
	struct ethernet_header *ethernet = at->data;
	__u32 offset = sizeof(*ethernet);
	__be16 type;

	if (raw_ip) {
		__u8 *first = at->data;

		if ((void *)(first + 1) > at->end)
			return PARSED_SHORT;
		return *first >> 4 == 4 ? parse_ipv4(at, frame, outgoing, 0) : parse_ipv6(at, frame, outgoing, 0);
	}
	if ((void *)(ethernet + 1) > at->end)
		return PARSED_SHORT;
	type = ethernet->type;
	for (int i = 0; i < MAX_VLAN_TAGS; i++) {
		struct vlan_tag *tag = at->data + offset;

		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 1) > at->end)
			return PARSED_SHORT;
		frame->vlan_id = bpf_ntohs(tag->tci) & VLAN_VID_MASK;
		type = tag->type;
		offset += sizeof(*tag);
	}
	if (type == bpf_htons(ETH_P_IP))
		return parse_ipv4(at, frame, outgoing, offset);
	if (type == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(at, frame, outgoing, offset);
	return PARSED_OTHER;
}

/* Big-endian reads from the copy of the options; `at` is masked so that the verifier sees its bound. */
#define OPTIONS_MAX 40
static __always_inline __u32 option_u32(const __u8 *bytes, __u32 at)
{
	return (__u32)bytes[at & 63] << 24 | (__u32)bytes[(at + 1) & 63] << 16 | (__u32)bytes[(at + 2) & 63] << 8 |
	       bytes[(at + 3) & 63];
}

/* As in struct tw_segment; 0 where an option is missing. */
struct options {
	__u32 ts_val, ts_ecr;
	__u16 mss;
	__u8 wscale, present; /* enum tw_options */
};

/* What Linux puts into a SYN or SYN-ACK: MSS, SACK permitted, timestamp, NOP, window scale. */
#define USUAL_SYN_OPTIONS 20
static __always_inline bool parse_usual_syn(const __u8 *bytes, struct options *found)
{
	const __be32 *words = (const void *)bytes;
	__u32 mss = bpf_ntohl(words[0]), scale = bpf_ntohl(words[4]);

	if (mss >> 16 != (TCPOPT_MSS << 8 | TCPOLEN_MSS) ||
	    words[1] != PADDED_TIMESTAMP(TCPOPT_SACK_PERM, TCPOLEN_SACK_PERM) ||
	    scale >> 8 != (TCPOPT_NOP << 16 | TCPOPT_WINDOW << 8 | TCPOLEN_WINDOW))
		return false;
	found->mss = (__u16)mss;
	found->ts_val = bpf_ntohl(words[2]);
	found->ts_ecr = bpf_ntohl(words[3]);
	found->wscale = (__u8)scale;
	found->present = TW_OPT_SACK_PERMITTED | TW_OPT_TIMESTAMP | TW_OPT_WSCALE;
	return true;
}

/*
 * Options of RFC 9293 3.1, RFC 7323, RFC 2018, RFC 8684, RFC 7413; `bytes` holds 64, frame->options_length of them count.
 * Written to the record as they are found, past a compiler barrier: kept in a register, the set of options found would be
 * one more state for the verifier to follow on every path.
 */
static __always_inline void parse_options(struct frame *frame, const __u8 *bytes, struct options *found)
{
	__u32 length = frame->options_length;
	__u32 next = 0;

	if (length == USUAL_SYN_OPTIONS && parse_usual_syn(bytes, found))
		return;
	for (int i = 0; i < OPTIONS_MAX; i++) {
		__u32 at = hide_from_verifier(frame, next);
		__u8 kind, size;

		if (at >= length || at >= OPTIONS_MAX)
			return;
		kind = bytes[at & 63];
		if (kind == TCPOPT_EOL)
			return;
		if (kind == TCPOPT_NOP) {
			next = at + 1;
			continue;
		}
		size = bytes[(at + 1) & 63];
		if (size < 2 || at + size > length)
			return;
		if (kind == TCPOPT_MSS && size == TCPOLEN_MSS) {
			found->mss = (__u16)(bytes[(at + 2) & 63] << 8 | bytes[(at + 3) & 63]);
		} else if (kind == TCPOPT_WINDOW && size == TCPOLEN_WINDOW) {
			found->wscale = bytes[(at + 2) & 63];
			found->present |= TW_OPT_WSCALE;
		} else if (kind == TCPOPT_SACK_PERM && size == TCPOLEN_SACK_PERM) {
			found->present |= TW_OPT_SACK_PERMITTED;
		} else if (kind == TCPOPT_SACK) {
			found->present |= TW_OPT_SACK;
		} else if (kind == TCPOPT_TIMESTAMP && size == TCPOLEN_TIMESTAMP) {
			found->ts_val = option_u32(bytes, at + 2);
			found->ts_ecr = option_u32(bytes, at + 6);
			found->present |= TW_OPT_TIMESTAMP;
		} else if (kind == TCPOPT_MPTCP) {
			found->present |= TW_OPT_MPTCP;
		} else if (kind == TCPOPT_FASTOPEN) {
			found->present |= TW_OPT_FASTOPEN;
		}
		asm volatile("" ::: "memory");
		next = at + size;
	}
}

/* What virtio-net and tun deliver joined (SKB_GSO_DODGY): the size of its segments is known, and nobody has counted them. */
static __always_inline __u32 uncounted_segments(__u32 payload, __u32 size)
{
	return (payload + size - 1) / size;
}

/* Only a SYN that begins a connection: its sender may find a socket where an earlier one did not. */
static __always_inline bool is_opening(const struct frame *frame)
{
	return (frame->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

#endif
