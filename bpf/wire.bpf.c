/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wire.bpf.c: the wire witness. Segments as they arrive (XDP or tc ingress) and as TCP hands them down
 * (tc egress). Every frame passes on untouched, whatever is in it.
 *
 * An ordinary segment costs one parse and one look-up in the flow map. A segment that is an event also
 * asks the socket: the ingress look-up shows the state just before it processed it.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "disconnected.h"
#include "emit_segment.h"
#include "flow.h"
#include "forwarded.h"
#include "held_syn.h"
#include "hold_segment.h"
#include "lookup.h"
#include "maps.h"
#include "nat.h"
#include "own_link.h"
#include "parse.h"
#include "rules.h"
#include "scope.h"
#include "short_way.h"
#include "stall.h"
#include "work.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A flow without a socket is reported this often, then left alone: NAT delivers whole connections that way. */
#define MAX_STRAYS 8

/*
 * An incoming segment without a socket: is it for this machine at all? Remembers a flow that is not,
 * and counts one that may be. An opening SYN or a RST leaves nothing behind.
 */
static __always_inline bool is_foreign(void *ctx, bool xdp, bool raw_ip, struct work *work)
{
	struct frame *frame = &work->frame;
	struct tw_flow *flow = &work->new_flow;

	if (is_opening(frame) || frame->flags & TCP_RST) {
		bool foreign = is_forwarded(ctx, frame);

		if (foreign && is_opening(frame))
			hold_syn(ctx, xdp, raw_ip, work);
		return foreign;
	}
	flow->strays = work->strays + 1;
	flow->foreign = flow->strays > MAX_STRAYS || is_forwarded(ctx, frame);
	put_flow(&frame->tuple, flow);
	return flow->foreign;
}

/* Another namespace's flow, which passes by. */
static __always_inline void leave_alone(struct work *work)
{
	begin_flow(&work->new_flow);
	work->new_flow.foreign = 1;
	put_flow(&work->frame.tuple, &work->new_flow);
}

/*
 * A connection that is older than its flow: its socket has the numbers that were sent before, so that a probe is
 * known for one. Of the peer's only where the segment is a probe itself: what still waits in the backlog
 * of a busy socket is not in its numbers yet.
 */
static __always_inline void take_numbers(struct tw_flow *flow, const struct frame *frame,
					 const struct tw_socket_view *view)
{
	struct tw_half *me = &flow->half[frame->outgoing ? OUTGOING : INCOMING];

	if (view->type != TW_SOCKET_FULL || frame->flags & (TCP_SYN | TCP_RST))
		return;
	if (frame->outgoing)
		me->nxt = view->snd_nxt;
	else if (frame->seq + 1 == view->rcv_nxt && !frame->payload)
		me->nxt = view->rcv_nxt;
	else
		return;
	me->seen = 1;
	me->ifindex = frame->ifindex;
}

static __always_inline bool is_event(const struct tw_flow *flow, const struct frame *frame, __u32 event_flags)
{
	if (config.packets_all || frame->fragment)
		return true;
	if (!config.no_timeline)
		return event_flags || frame->duplicate;
	return event_flags & ~ONLY_A_CAUSE || (event_flags & TW_EVENT_FIN_ACK && frame->outgoing && flow->orphaned);
}

/* What TCP may have taken before, where our keep-alive waits for its answer: that it is none shows in nothing else. */
static __always_inline bool is_old_answer(const struct tw_flow *flow, const struct work *work)
{
	const struct frame *frame = &work->frame;

	return work->refused == TW_REFUSED_OLD && !frame->outgoing && !frame->payload &&
	       flow->half[OUTGOING].probe_pending;
}

/* Does the socket that is to have sent it send it, and no program's raw or packet socket? */
static __always_inline bool comes_from_socket(void *ctx, const struct tw_flow *flow, bool outgoing)
{
	return !outgoing || bpf_get_socket_cookie(ctx) == flow->cookie;
}

static __always_inline bool sent_by_socket(void *ctx, bool outgoing)
{
	return outgoing && ((struct __sk_buff *)ctx)->sk;
}

static __always_inline bool sent_in_close(void *ctx)
{
	struct bpf_sock *sk = ((struct __sk_buff *)ctx)->sk;

	return sk && sk->state == TCP_CLOSE;
}

/* NAT: the other addresses that the segment's socket, or its frame, has. */
static __always_inline bool other_wanted(void *ctx, struct work *work, bool outgoing)
{
	struct tw_flow *flow;

	if (outgoing && !config.some_hosts && has_ports_of_sender(ctx, &work->frame))
		return false;
	if (outgoing)
		return sender_tuple(ctx, &work->frame, &work->sender) && rules_tuple_wanted(&work->sender);
	if (!any_translation())
		return false;
	flow = bpf_map_lookup_elem(&flows, &work->frame.tuple);
	return flow && (flow->alias || flow->translated);
}

/* The flow of a frame, 0: not known. From here on the frame has its socket's addresses where NAT has given it others. */
static __always_inline struct tw_flow *find_flow(void *ctx, struct work *work, bool outgoing)
{
	struct frame *frame = &work->frame;
	struct tw_flow *flow = bpf_map_lookup_elem(&flows, &frame->tuple), *own;

	/* Where a connection begins, the socket that sends shows which it is. */
	if (outgoing && (!flow || flow->foreign || flow->strays || frame->flags & TCP_SYN) &&
	    sender_tuple(ctx, frame, &work->sender) && !same_tuple(&work->sender, &frame->tuple)) {
		__u32 state = ((struct __sk_buff *)ctx)->sk ? ((struct __sk_buff *)ctx)->sk->state : 0;

		frame->translated = 1;
		work->on_wire = frame->tuple;
		if (!(frame->flags & TCP_RST) && state != TCP_TIME_WAIT && state != TCP_CLOSE) {
			emit_translation(ctx, frame, &work->sender);
			tie_translated(frame, &work->sender, &work->new_flow);
		}
		frame->tuple = work->sender;
		return bpf_map_lookup_elem(&flows, &frame->tuple);
	}
	if (!flow || !flow->alias)
		return flow;
	own = bpf_map_lookup_elem(&flows, &flow->other);
	/* A SYN on addresses that were used before: its socket will have a request of its own, maybe another listener's. */
	if (!outgoing && is_opening(frame) && (!own || own->half[INCOMING].isn != frame->seq))
		return 0;
	frame->translated = 1;
	work->on_wire = frame->tuple;
	frame->tuple = flow->other;
	return own;
}

/* The last that is reported of such a flow. */
static __always_inline void pass_on(void *ctx, bool xdp, bool raw_ip, struct work *work, struct tw_flow *flow)
{
	flow->foreign = 1;
	take_wire(flow, &work->wire);
	work->frame.forwarding = TW_FORWARDING_SENT_ON;
	work->frame.event_flags = TW_EVENT_NO_SOCKET;
	emit_segment(ctx, xdp, raw_ip, work);
}

/*
 * The first segment of a flow that is not in the map. A flow is counted only where a socket is. Returns
 * why it is an event, 0 when it is not ours, or waits for its socket's digest.
 */
static __always_inline __u16 meet_flow(void *ctx, bool xdp, bool raw_ip, struct work *work)
{
	struct frame *frame = &work->frame;
	struct tw_flow *flow = &work->new_flow;
	__u8 type = work->lookup.view.type;
	__u16 event_flags;
	bool held;

	begin_flow(flow);
	if (!frame->outgoing && nobody_takes(frame, type) && is_foreign(ctx, xdp, raw_ip, work))
		return 0;
	if (work->syn_held)
		count_syn_before(flow, frame);
	take_numbers(flow, frame, &work->lookup.view);
	work->refused = (__u8)rules_why_refused(flow, work);
	event_flags = (__u16)hide_from_verifier(frame, rules_see_segment(flow, work));
	take_wire(flow, &work->wire);
	work->loss = flow->loss;
	if (!(frame->flags & TCP_SYN))
		event_flags |= TW_EVENT_UNKNOWN_FLOW;
	if (frame->flags & TCP_RST || nobody_takes(frame, type) || type == TW_SOCKET_CONTROL ||
	    (type == TW_SOCKET_TIMEWAIT && !gives_way(frame, &work->lookup.view)))
		return event_flags;
	flow->strays = 0;
	if (frame->translated) { /* the map has forgotten it, and not its alias */
		flow->translated = 1;
		flow->other = work->on_wire;
	}
	held = config.digests && hold_segment(ctx, xdp, work, flow, event_flags);
	return put_flow(&frame->tuple, flow) && held ? 0 : event_flags;
}

/* A RST is compared with what its sender sent before, which was ordinary and no record. */
static __always_inline __u8 ttl_before(const struct tw_flow *flow, const struct frame *frame)
{
	const struct tw_half *me = &flow->half[frame->outgoing ? OUTGOING : INCOMING];

	if (!(frame->flags & TCP_RST) || (me->syn && me->last_seq == me->isn))
		return 0;
	return me->last_ttl;
}

/* A parsed segment that is not ordinary, or of no known flow; from either hook. True: it is to be a record. */
static __always_inline bool see_unusual(void *ctx, bool xdp, bool raw_ip, struct work *work, bool outgoing)
{
	struct frame *frame = &work->frame;
	struct tw_flow *flow;
	bool reported, foreign;
	__u32 event_flags;

	flow = frame->bad_header ? 0 : find_flow(ctx, work, outgoing);
	if (config.forwarded && !frame->bad_header) {
		if (passes_through(ctx, xdp, work, flow, outgoing)) {
			event_flags = see_hop(ctx, work, flow, outgoing);
			frame->event_flags = (__u16)event_flags;
			if (event_flags)
				emit_segment(ctx, xdp, raw_ip, work);
			return false;
		}
		if (frame->for_others)
			return false;
		if (flow && flow->hop) /* a socket's of this machine after all */
			flow->hop = 0;
	}
	work->strays = 0;
	foreign = flow && flow->foreign;
	if (flow && (flow->foreign || flow->strays)) {
		if (foreign && !is_opening(frame) && !sent_by_socket(ctx, outgoing))
			return false;
		work->strays = flow->strays;
		flow = 0; /* not one of ours so far: met anew */
	}
	if (outgoing && !flow && is_of_other_namespace(ctx, work)) {
		if (!foreign)
			leave_alone(work);
		return false;
	}
	if (flow && is_stacked_copy(&flow->half[outgoing ? OUTGOING : INCOMING], frame))
		return false;
	if (config.digests && flow && flow->syn_held && is_opening(frame)) /* it may be another connection's */
		rules_release(work);
	if (!outgoing)
		frame->duplicate = (__u8)came_before_at(flow, work);
	work->refused = TW_REFUSED_NOT;
	work->unasked = 0;
	if (config.digests && !outgoing && rules_is_first_answer(flow, work)) {
		/* Nothing to ask. */
	} else if (asks_socket(flow, frame)) {
		ask_socket(ctx, work, outgoing);
		if (frame->duplicate == DUPLICATE_IF_RECEIVED)
			frame->duplicate = has_received(frame, &work->lookup) ? DUPLICATE : NO_DUPLICATE;
		if (flow)
			work->refused = (__u8)rules_why_refused(flow, work);
	} else {
		work->lookup.view.type = TW_SOCKET_UNKNOWN;
	}
	if (outgoing && work->lookup.view.type == TW_SOCKET_REQUEST && frame->flags & TCP_SYN)
		release_syn(work);
	if (flow) {
		if (goes_on_without_us(flow, frame) && nobody_takes(frame, work->lookup.view.type)) {
			pass_on(ctx, xdp, raw_ip, work, flow);
			return false;
		}
		event_flags = hide_from_verifier(frame, rules_see_segment(flow, work));
		frame->event_flags = event_flags;
		if (!xdp && outgoing && frame->flags & TCP_RST && sent_in_close(ctx))
			note_disconnected(bpf_get_socket_cookie(ctx), &frame->tuple, flow);
		if (!xdp && flow->held && outgoing && frame->payload)
			end_stall(flow, frame, ((struct __sk_buff *)ctx)->sk);
		reported = is_event(flow, frame, event_flags) || work->refused > TW_REFUSED_OLD ||
			   is_old_answer(flow, work);
		if (reported && config.digests && hold_segment(ctx, xdp, work, flow, event_flags))
			reported = false;
		if (reported) {
			take_wire(flow, &work->wire);
			work->loss = flow->loss;
			work->ttl_before = ttl_before(flow, frame);
		}
		/* The mini-socket has both FINs now, or a RST has ended it. */
		if (flow->orphaned &&
		    (both_fins_acked(flow) || (!outgoing && frame->flags & TCP_RST && work->refused <= TW_REFUSED_OLD)))
			forget_flow(&frame->tuple, flow);
		return reported;
	}
	frame->duplicate = NO_DUPLICATE;
	__builtin_memset(&work->wire, 0, sizeof(work->wire));
	__builtin_memset(&work->loss, 0, sizeof(work->loss));
	event_flags = frame->bad_header ? TW_EVENT_BAD_HEADER : meet_flow(ctx, xdp, raw_ip, work);
	frame->event_flags = event_flags;
	return event_flags;
}

static __always_inline void report_unusual(void *ctx, bool xdp, bool raw_ip, struct work *work, bool outgoing)
{
	struct frame *frame = &work->frame;
	__u32 event_flags;

	work->ttl_before = 0;
	if (!work->taken && !see_unusual(ctx, xdp, raw_ip, work, outgoing))
		return;
	event_flags = frame->event_flags;
	if (work->lookup.view.type == TW_SOCKET_NONE)
		event_flags |= TW_EVENT_NO_SOCKET;
	if (frame->fragment)
		event_flags |= TW_EVENT_FRAGMENT;
	frame->event_flags = event_flags;
	emit_segment(ctx, xdp, raw_ip, work);
}

/* Apart from the programs, so that the way of an ordinary segment through them is short. */
static __noinline int see_unusual_out(struct __sk_buff *skb, struct work *work, bool raw_ip)
{
	report_unusual(skb, false, raw_ip, work, true);
	return 0;
}

static __noinline int see_unusual_in(struct __sk_buff *skb, struct work *work, bool raw_ip)
{
	report_unusual(skb, false, raw_ip, work, false);
	return 0;
}

static __noinline int see_unusual_xdp(struct xdp_md *xdp, struct work *work, bool raw_ip)
{
	report_unusual(xdp, true, raw_ip, work, false);
	return 0;
}

/* A parsed segment, from either hook. */
static __always_inline void witness_segment(void *ctx, bool xdp, bool raw_ip, struct work *work, bool outgoing)
{
	struct frame *frame = &work->frame;
	struct tw_flow *flow;
	__u32 taken = 0;

	if (!tuple_wanted(&frame->tuple) && !other_wanted(ctx, work, outgoing) &&
	    !(config.forwarded && hop_wanted(work, outgoing)))
		return;
	set_scope(ctx, frame, outgoing);
	if (is_plain(frame)) {
		flow = bpf_map_lookup_elem(&flows, &frame->tuple);
		if (flow && is_next(flow, frame)) {
			if (frame->flags & TCP_FIN) {
				if (config.digests && comes_from_socket(ctx, flow, outgoing))
					taken = rules_take_fin(flow, work);
				if (taken == TAKEN)
					return;
			} else if (outgoing || came_before_at(flow, work) == NO_DUPLICATE) {
				take_next(flow, frame, frame->payload != 0);
				return;
			}
		}
	}
	work->taken = taken == TAKEN_LATE;
	if (outgoing)
		see_unusual_out(ctx, work, raw_ip);
	else if (xdp)
		see_unusual_xdp(ctx, work, raw_ip);
	else
		see_unusual_in(ctx, work, raw_ip);
}

/* Do the headers, options included, end beyond the bytes at hand? */
static __always_inline bool needs_pull(const struct cursor *at, const struct frame *frame, int parsed)
{
	if (parsed == PARSED_TCP)
		return at->end - at->data < frame->options_offset + frame->options_length;
	return parsed == PARSED_SHORT;
}

static __always_inline int witness_skb(struct __sk_buff *skb, __u8 hook, bool raw_ip)
{
	bool outgoing = hook == TW_HOOK_TC_EGRESS;
	struct cursor at;
	struct work *work;
	int parsed;

	/* Forwarded: it came in on an interface and no socket of ours sends it. */
	bool forwarded = outgoing && !skb->sk && skb->ingress_ifindex;

	if (forwarded && !config.forwarded)
		return TC_ACT_UNSPEC;
	work = begin_work(hook, skb->ifindex, skb->len);
	if (!work)
		return TC_ACT_UNSPEC;
	if (config.forwarded && forwarded)
		work->frame.came_in = skb->ingress_ifindex;
	at = bytes_of(skb, false);
	parsed = parse_frame(&at, &work->frame, outgoing, raw_ip);
	if (needs_pull(&at, &work->frame, parsed) && at.end - at.data < (long)skb->len) {
		if (bpf_skb_pull_data(skb, skb->len < 256 ? skb->len : 256))
			return TC_ACT_UNSPEC;
		at = bytes_of(skb, false);
		parsed = parse_frame(&at, &work->frame, outgoing, raw_ip);
	}
	if (parsed != PARSED_TCP) {
		if (config.forwarded && outgoing)
			see_icmp_out(skb, raw_ip);
		return TC_ACT_UNSPEC;
	}
	if (!outgoing && !raw_ip && is_for_others(skb, false)) {
		if (!config.forwarded)
			return TC_ACT_UNSPEC;
		work->frame.for_others = 1;
	}
	if (skb->vlan_present && !work->frame.vlan_id) /* the inner tag of two, as XDP sees it */
		work->frame.vlan_id = skb->vlan_tci & VLAN_VID_MASK;
	if (skb->gso_segs) {
		work->frame.segments = skb->gso_segs;
		work->frame.segment_size = (__u16)skb->gso_size;
	} else if (work->frame.payload && skb->gso_size) {
		work->frame.segments = uncounted_segments(work->frame.payload, skb->gso_size);
		work->frame.segment_size = (__u16)skb->gso_size;
	}
	witness_segment(skb, false, raw_ip, work, outgoing);
	return TC_ACT_UNSPEC;
}

static __always_inline int witness_xdp(struct xdp_md *xdp, bool raw_ip)
{
	struct cursor at = bytes_of(xdp, true);
	struct work *work = begin_work(TW_HOOK_XDP, xdp->ingress_ifindex, (__u32)(at.end - at.data));

	if (!work || parse_frame(&at, &work->frame, false, raw_ip) != PARSED_TCP)
		return XDP_PASS;
	if (!raw_ip && is_for_others(xdp, true)) {
		if (!config.forwarded)
			return XDP_PASS;
		work->frame.for_others = 1;
	}
	witness_segment(xdp, true, raw_ip, work, false);
	return XDP_PASS;
}

/* TC_ACT_UNSPEC is TCX_NEXT too: whatever comes after us on the hook decides. */
SEC("tc")
int wire_egress(struct __sk_buff *skb)
{
	return witness_skb(skb, TW_HOOK_TC_EGRESS, false);
}

SEC("tc")
int wire_egress_ip(struct __sk_buff *skb)
{
	return witness_skb(skb, TW_HOOK_TC_EGRESS, true);
}

SEC("tc")
int wire_ingress(struct __sk_buff *skb)
{
	return witness_skb(skb, TW_HOOK_TC_INGRESS, false);
}

SEC("tc")
int wire_ingress_ip(struct __sk_buff *skb)
{
	return witness_skb(skb, TW_HOOK_TC_INGRESS, true);
}

SEC("xdp")
int wire_xdp(struct xdp_md *xdp)
{
	return witness_xdp(xdp, false);
}

SEC("xdp")
int wire_xdp_ip(struct xdp_md *xdp)
{
	return witness_xdp(xdp, true);
}
