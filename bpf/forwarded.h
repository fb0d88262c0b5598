/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* forwarded.h: segments and ICMP errors that go through this machine; hop.h joins their two hops. */
#ifndef TCPWITNESS_FORWARDED_H
#define TCPWITNESS_FORWARDED_H

#include "emit.h"
#include "hop.h"
#include "icmp.h"
#include "lookup.h"
#include "nat.h"
#include "rules.h"

/* Does the routing table send this segment onwards? Then it is not this machine's connection. */
static __always_inline bool is_forwarded(void *ctx, const struct frame *frame)
{
	const __u32 *local = (const __u32 *)frame->tuple.local_addr, *remote = (const __u32 *)frame->tuple.remote_addr;
	struct bpf_fib_lookup fib = {};
	long answer;

	fib.ifindex = frame->ifindex;
	fib.l4_protocol = IPPROTO_TCP;
	if (frame->is_ipv4) {
		fib.family = AF_INET;
		fib.ipv4_src = remote[3];
		fib.ipv4_dst = local[3];
	} else {
		fib.family = AF_INET6;
		__builtin_memcpy(fib.ipv6_src, remote, 16);
		__builtin_memcpy(fib.ipv6_dst, local, 16);
	}
	answer = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	return answer != BPF_FIB_LKUP_RET_NOT_FWDED && answer != BPF_FIB_LKUP_RET_FWD_DISABLED && answer >= 0;
}

/* The addresses of a forwarded connection's other hop may be the ones that are wanted. */
static __always_inline bool hop_wanted(struct work *work, bool outgoing)
{
	struct frame *frame = &work->frame;
	struct tw_flow *flow = bpf_map_lookup_elem(&flows, &frame->tuple);
	const struct tw_tuple *from;

	if (flow && flow->hop)
		return true;
	if (outgoing) {
		from = frame->came_in ? came_with(frame) : 0;
		return from && rules_tuple_wanted(from);
	}
	if (is_opening(frame))
		note_arrival(frame);
	return false;
}

/* Does it go through this machine? Asks the socket where that must be known. */
static __always_inline bool passes_through(void *ctx, bool xdp, struct work *work, const struct tw_flow *flow,
					   bool outgoing)
{
	struct frame *frame = &work->frame;
	bool hop = flow && flow->hop;

	if (outgoing)
		return frame->came_in || (hop && !sender_tuple(ctx, frame, &work->sender));
	if (hop && !(is_opening(frame) && flow->half[INCOMING].isn != frame->seq)) {
		/* The one before may have stayed here, and NAT may have forgotten what was silent. */
		if (is_opening(frame) || after_silence(flow))
			note_arrival(frame);
		return true;
	}
	if (flow && !hop && (flow->foreign ? !is_opening(frame) : !flow->strays))
		return false; /* a socket's, or known to be nobody's */
	ask_socket(ctx, work, false);
	if (work->lookup.view.type != TW_SOCKET_NONE && work->lookup.view.type != TW_SOCKET_LISTENER)
		return false;
	note_arrival(frame); /* NAT may send on what seems to be for this machine */
	if (!nobody_takes(frame, work->lookup.view.type) || frame->flags & TCP_RST)
		return false;
	if (frame->for_others)
		return false; /* the interface receives what is for others */
	return hop || is_forwarded(ctx, frame);
}

#define EVERY_SEGMENT (1U << 16) /* beyond enum tw_segment_event */

/* A segment of one hop. flow: find_flow()'s. Returns why it is an event. */
static __always_inline __u32 see_hop(void *ctx, struct work *work, struct tw_flow *flow, bool outgoing)
{
	struct frame *frame = &work->frame;
	struct tw_flow *state;
	__u32 event_flags;

	if (flow && !flow->hop)
		flow = 0;
	if (flow && is_stacked_copy(&flow->half[outgoing ? OUTGOING : INCOMING], frame))
		return 0;
	if (!outgoing) {
		frame->duplicate = (__u8)came_before_at(flow, work);
		if (frame->duplicate == DUPLICATE_IF_RECEIVED) /* no socket shows whether it was */
			frame->duplicate = NO_DUPLICATE;
	}
	if (frame->came_in && !(frame->flags & TCP_RST) && (!flow || is_opening(frame)))
		tie_hops(frame, &work->on_wire, &work->new_flow);
	if (outgoing && !frame->came_in) { /* made here: by whom? */
		ask_socket(ctx, work, true);
	} else {
		__builtin_memset(&work->lookup, 0, sizeof(work->lookup));
		work->lookup.view.type = TW_SOCKET_UNKNOWN;
	}
	work->refused = TW_REFUSED_NOT;
	frame->forwarding = TW_FORWARDING_HOP;
	if (!flow) {
		begin_flow(&work->new_flow);
		work->new_flow.hop = 1;
	}
	state = flow ? flow : &work->new_flow;
	event_flags = hide_from_verifier(frame, rules_see_segment(state, work));
	event_flags |= answers_unseen(state, frame);
	take_wire(state, &work->wire);
	work->loss = state->loss;
	if (!flow) {
		if (!(frame->flags & TCP_SYN))
			event_flags |= TW_EVENT_UNKNOWN_FLOW;
		if (!(frame->flags & TCP_RST))
			put_flow(&frame->tuple, &work->new_flow);
	}
	if (frame->fragment)
		event_flags |= TW_EVENT_FRAGMENT;
	/* Whom the wire alone judges has no other word of a transition than its cause: all events are reported. */
	return config.packets_all ? event_flags | EVERY_SEGMENT : event_flags;
}

/*
 * config.forwarded: an ICMP error leaves, made here or passing by. Its addresses are those of its receiver's
 * connection, and so are those of what it quotes: NAT has been undone.
 */
static __noinline int see_icmp_out(struct __sk_buff *skb, bool raw_ip)
{
	__u32 at = raw_ip ? 0 : sizeof(struct ethernet_header);
	struct tw_icmp seen = {}, *record;
	struct tw_tuple quoted = {};
	struct ipv6_header ip;
	struct tw_flow *flow;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (!read_icmp_v4(skb, at, &seen))
			return 0;
	} else {
		if (skb->protocol != bpf_htons(ETH_P_IPV6) || bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)))
			return 0;
		if (ip.next != IPPROTO_ICMPV6 || !read_icmp_v6(skb, at + sizeof(ip), &seen))
			return 0;
		__builtin_memcpy(seen.sender, ip.source, sizeof(ip.source));
	}
	reverse_tuple(&seen.tuple, &quoted);
	if (!rules_tuple_wanted(&quoted)) {
		flow = bpf_map_lookup_elem(&flows, &quoted);
		if (!flow || !flow->hop)
			return 0;
	}
	/* Each SYN of a flood can make one. */
	record = reserve_record_unless(SHED_REST, tw_icmp, 0, TW_KIND_ICMP, 0, config.netns);
	if (!record)
		return 0;
	__builtin_memcpy(&record->tuple, &seen.tuple, sizeof(*record) - sizeof(record->header));
	record->tuple = quoted;
	record->sent = TW_ICMP_LEFT;
	record->came_in = skb->ingress_ifindex;
	submit_record(record);
	return 0;
}

#endif
