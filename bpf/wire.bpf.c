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

#include "copies.h"
#include "emit.h"
#include "flow.h"
#include "hop.h"
#include "icmp.h"
#include "maps.h"
#include "nat.h"
#include "parse.h"
#include "sock.h"
#include "stall.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A SYN that the routing table sends onwards, as it came in. */
#define HELD_BYTES 128
struct held_syn {
	__u64 ts_ns;
	__u32 ifindex, seq, payload, bytes;
	__u16 window, vlan_id, options_offset, captured;
	__u8 options_length, ttl, hook, raw_ip;
	__u8 frame[HELD_BYTES];
	__u8 pad[4];
};

/*
 * By the wire's addresses. TPROXY and DNAT give some of them to a socket of this machine, which shows only when its
 * SYN-ACK leaves. All others are forgotten. Bounded: the oldest goes.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct tw_tuple);
	__type(value, struct held_syn);
} held_syns SEC(".maps");

/* Any SYN was held since the start: most machines route nothing. */
static volatile __u32 holds_syns;

/*
 * The work of one program run. Map memory because the verifier does not follow its contents, and the
 * stack is short. Never shared: these hooks run with soft interrupts off, one at a time on a CPU.
 */
struct work {
	struct frame frame;
	struct lookup lookup;
	struct tw_flow new_flow;
	struct tw_wire_counters wire;
	struct tw_loss_counters loss;
	struct tw_tuple sender;  /* the sending socket's addresses */
	struct tw_tuple on_wire; /* frame.translated: the frame's own */
	__u8 options[64];
	struct options found;
	__u8 unasked;  /* the flow map alone knows that the socket takes it; see is_next_mark() */
	__u64 address; /* see plain_address() */
	struct held_syn syn;
	__u8 strays;   /* of this flow, before this segment */
	__u8 refused;  /* enum tw_refused */
	__u8 syn_held; /* the SYN that this SYN-ACK answers had been held */
	__u8 pad[5];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct work);
} works SEC(".maps");

/*
 * The link addresses of this namespace's interfaces, in the lower six bytes as they stand in a frame. User space keeps
 * them; where there are too many, EVERY_ADDRESS stands for all.
 */
#define EVERY_ADDRESS (~0ULL)
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u8);
} own_addresses SEC(".maps");

/*
 * Where a socket of a link-local address has its scope (the value), and its segments leave by another interface (the
 * key): the port of a bridge or bond, the card below VLANs, or loopback.
 */
struct way_out {
	__u32 ifindex;
	__u32 vlan_id;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, struct way_out);
	__type(value, __u32);
} scopes SEC(".maps");

static __always_inline void view_tcp_sock(struct tcp_sock *tp, struct lookup *lookup)
{
	struct tw_socket_view *view = &lookup->view;
	struct inet_connection_sock *icsk = &tp->inet_conn;
	struct sock *sk = &icsk->icsk_inet.sk;

	view->state = sk->__sk_common.skc_state;
	if (view->state == TCP_LISTEN) {
		view->type = TW_SOCKET_LISTENER;
		view->ack_backlog = sk->sk_ack_backlog;
		view->max_ack_backlog = sk->sk_max_ack_backlog;
		view->syn_qlen = icsk->icsk_accept_queue.qlen.counter;
		view->syncookies = OPTIONAL(sk->__sk_common.skc_net.net->ipv4.sysctl_tcp_syncookies, 1);
		view->max_syn_backlog = OPTIONAL(sk->__sk_common.skc_net.net->ipv4.sysctl_max_syn_backlog, 0);
		return;
	}
	view->type = TW_SOCKET_FULL;
	view->snd_una = tp->snd_una;
	view->snd_nxt = tp->snd_nxt;
	view->rcv_nxt = tp->rcv_nxt;
	view->write_seq = tp->write_seq;
	view->flags = sock_cb_flags(tp);
	view->icsk_pending = icsk->icsk_pending;
	view->icsk_probes_out = icsk->icsk_probes_out;
	view->ca_state = BPF_CORE_READ_BITFIELD(icsk, icsk_ca_state);
	lookup->window_begin = tp->rcv_wup;
	lookup->window_end = tp->rcv_wup + tp->rcv_wnd;
	lookup->since_received_ms = since_received_ms(tp);
	lookup->snd_wnd = tp->snd_wnd;
	if (view->flags & TW_CB_KEEPOPEN)
		keepalive_timers(tp, &view->keepalive_time_ms, &view->keepalive_intvl_ms, &view->keepalive_probes);
}

/* A pointer as a number that can be read from, at a helper's cost: map memory forgets its type. */
static __always_inline const void *plain_address(struct work *work, const void *pointer)
{
	*(volatile __u64 *)&work->address = (__u64)(unsigned long)pointer;
	return (const void *)(unsigned long)*(volatile __u64 *)&work->address;
}

/*
 * bpf_skc_to_tcp_request_sock() gives no type to the requests of MPTCP, so none is asked for. The window is that of the
 * SYN-ACK, which is not scaled (tcp_synack_window()): 65535 at most.
 */
static __always_inline void view_request(struct work *work, struct bpf_sock *sk)
{
	const struct tcp_request_sock *treq = plain_address(work, sk);
	struct lookup *lookup = &work->lookup;
	struct tw_socket_view *view = &lookup->view;

	view->type = TW_SOCKET_REQUEST;
	view->state = TCP_NEW_SYN_RECV;
	view->snd_una = BPF_CORE_READ(treq, snt_isn);
	view->snd_nxt = view->snd_una + 1;
	view->write_seq = view->snd_nxt;
	view->rcv_nxt = BPF_CORE_READ(treq, rcv_nxt);
	lookup->window_begin = view->rcv_nxt;
	lookup->window_end = view->rcv_nxt + 65535;
	view->num_timeout = BPF_CORE_READ_BITFIELD_PROBED(&treq->req.req, num_timeout);
	lookup->cookie = (__u64)BPF_CORE_READ(treq, req.req.__req_common.skc_cookie.counter);
}

#define MAX_WINDOW (65535U << 14) /* RFC 7323, section 2.3 */

/* Nor bpf_skc_to_tcp_timewait_sock() to theirs. */
static __always_inline void view_timewait(struct work *work, struct bpf_sock *sk)
{
	const struct tcp_timewait_sock *tw = plain_address(work, sk);
	struct lookup *lookup = &work->lookup;
	struct tw_socket_view *view = &lookup->view;

	view->type = TW_SOCKET_TIMEWAIT;
	view->state = BPF_CORE_READ(tw, tw_sk.tw_substate);
	view->rcv_nxt = BPF_CORE_READ(tw, tw_sk.__tw_common.skc_tw_rcv_nxt);
	view->snd_nxt = BPF_CORE_READ(tw, tw_sk.__tw_common.skc_tw_snd_nxt);
	view->snd_una = view->snd_nxt;
	view->write_seq = view->snd_nxt;
	lookup->window_begin = view->rcv_nxt;
	lookup->window_end = view->rcv_nxt + MAX_WINDOW;
	if (bpf_core_field_exists(tw->tw_rcv_wnd))
		lookup->window_end = view->rcv_nxt + BPF_CORE_READ(tw, tw_rcv_wnd);
	lookup->cookie = (__u64)BPF_CORE_READ(tw, tw_sk.__tw_common.skc_cookie.counter);
}

/*
 * The socket that an incoming segment is for. The namespace is that of the receiving device. IPv4 finds
 * dual-stack listeners too.
 */
static __always_inline void look_up_receiver(void *ctx, struct work *work)
{
	const struct frame *frame = &work->frame;
	struct lookup *lookup = &work->lookup;
	const __u32 *local = (const __u32 *)frame->tuple.local_addr, *remote = (const __u32 *)frame->tuple.remote_addr;
	struct bpf_sock_tuple tuple = {};
	struct tcp_sock *tp;
	struct bpf_sock *sk;

	if (frame->is_ipv4) {
		tuple.ipv4.saddr = remote[3];
		tuple.ipv4.daddr = local[3];
		tuple.ipv4.sport = bpf_htons(frame->tuple.remote_port);
		tuple.ipv4.dport = bpf_htons(frame->tuple.local_port);
		sk = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, remote, 16);
		__builtin_memcpy(tuple.ipv6.daddr, local, 16);
		tuple.ipv6.sport = bpf_htons(frame->tuple.remote_port);
		tuple.ipv6.dport = bpf_htons(frame->tuple.local_port);
		sk = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	if (!sk) {
		lookup->view.type = TW_SOCKET_NONE;
		return;
	}
	lookup->view.type = TW_SOCKET_UNKNOWN;
	if ((tp = (struct tcp_sock *)bpf_skc_to_tcp_sock(sk))) {
		view_tcp_sock(tp, lookup);
		lookup->cookie = tp->inet_conn.icsk_inet.sk.__sk_common.skc_cookie.counter;
	} else if (sk->state == TCP_NEW_SYN_RECV) {
		view_request(work, sk);
	} else if (sk->state == TCP_TIME_WAIT) {
		view_timewait(work, sk);
	}
	/* A listener's cookie is not the connection's. */
	if (lookup->view.type == TW_SOCKET_LISTENER)
		lookup->cookie = 0;
	bpf_sk_release(sk);
}

/*
 * The rules of flow.h, as functions that the verifier goes through once and apart from their callers: inlined, their
 * paths multiply with those of NAT and of the look-up beyond its limit of a million instructions. (Pointer arguments:
 * Linux 5.12, e5069b9c23b3.)
 */
__noinline __u32 rules_see_segment(struct tw_flow *flow, struct work *work)
{
	if (!flow || !work)
		return 0;
	return see_segment(flow, &work->frame, &work->lookup, work->refused);
}

__noinline __u32 rules_tuple_wanted(const struct tw_tuple *tuple)
{
	return tuple && tuple_wanted(tuple);
}

/* flow: 0 where it is new. */
__noinline __u32 rules_came_before(struct tw_flow *flow, struct work *work)
{
	if (!work || work->frame.ifindex == LOOPBACK_IFINDEX)
		return NO_COPY;
	return came_before(flow ? &flow->half[INCOMING] : 0, &work->frame);
}

__noinline __u32 rules_why_refused(struct tw_flow *flow, struct work *work)
{
	if (!flow || !work)
		return TW_REFUSED_NOT;
	return why_refused(flow, &work->frame, &work->lookup);
}

/*
 * A socket that is none of a connection. TCP has one of its own for each CPU, for RSTs and some ACKs: a raw socket
 * (inet_ctl_sock_create()) that no file stands for, as it does for a program's. BPF_PROG_TEST_RUN has one of no type.
 */
static __always_inline __u8 other_socket(struct work *work, struct bpf_sock *sk)
{
	const struct sock *sender = plain_address(work, sk);
	const struct socket *socket = BPF_CORE_READ(sender, sk_socket);

	if (!BPF_CORE_READ(sender, sk_type))
		return TW_SOCKET_UNKNOWN;
	if (socket && !BPF_CORE_READ(socket, file) && BPF_CORE_READ(sender, sk_protocol) == IPPROTO_TCP)
		return TW_SOCKET_CONTROL;
	return TW_SOCKET_NONE;
}

/* The socket that sends. What a program's raw or packet socket sends no socket of a connection has sent. */
static __always_inline void ask_sender(struct __sk_buff *skb, struct work *work)
{
	struct lookup *lookup = &work->lookup;
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tp;

	lookup->view.type = TW_SOCKET_NONE;
	if (!sk)
		return;
	if ((tp = tcp_sock_of(sk))) {
		view_tcp_sock(tp, lookup);
		if (lookup->view.type == TW_SOCKET_LISTENER)
			return;
	} else if (sk->state == TCP_NEW_SYN_RECV) {
		view_request(work, sk);
	} else if (sk->state == TCP_TIME_WAIT) {
		view_timewait(work, sk);
	} else {
		lookup->view.type = other_socket(work, sk);
		return;
	}
	lookup->cookie = bpf_get_socket_cookie(skb);
}

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

/* A flow without a socket is reported this often, then left alone: NAT delivers whole connections that way. */
#define MAX_STRAYS 8

/* Only a SYN that begins a connection: its sender may find a socket where an earlier one did not. */
static __always_inline bool is_opening(const struct frame *frame)
{
	return (frame->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

static __always_inline struct cursor bytes_of(void *ctx, bool xdp)
{
	struct cursor at;

	if (xdp) {
		at.data = (void *)(long)((struct xdp_md *)ctx)->data;
		at.end = (void *)(long)((struct xdp_md *)ctx)->data_end;
	} else {
		at.data = (void *)(long)((struct __sk_buff *)ctx)->data;
		at.end = (void *)(long)((struct __sk_buff *)ctx)->data_end;
	}
	return at;
}

/* The frame's first bytes, as many as there are: how many, 0 where it fails. */
static __always_inline __u32 load_bytes(void *ctx, bool xdp, void *to, __u32 length, __u32 most)
{
	long failed;

	if (length > most)
		length = most;
	/* The helpers want a length from 1. "Not 0" teaches Linux 6.1's verifier nothing; that 0 - 1 is no small number does. */
	length--;
	asm volatile("" : "+r"(length));
	if (length >= most)
		return 0;
	length++;
	if (xdp)
		failed = bpf_probe_read_kernel(to, length, bytes_of(ctx, true).data);
	else
		failed = bpf_skb_load_bytes(ctx, 0, to, length);
	return failed ? 0 : length;
}

/* Its socket, if it has one here, shows with the SYN-ACK. */
static __always_inline void hold_syn(void *ctx, bool xdp, bool raw_ip, struct work *work)
{
	const struct frame *frame = &work->frame;
	struct held_syn *syn = &work->syn;

	syn->ts_ns = bpf_ktime_get_ns();
	syn->ifindex = frame->ifindex;
	syn->seq = frame->seq;
	syn->payload = frame->payload;
	syn->bytes = frame->bytes;
	syn->window = frame->window;
	syn->vlan_id = frame->vlan_id;
	syn->options_offset = frame->options_offset;
	syn->options_length = frame->options_length;
	syn->ttl = frame->ttl;
	syn->hook = frame->hook;
	syn->raw_ip = raw_ip;
	syn->captured = (__u16)load_bytes(ctx, xdp, syn->frame, frame->bytes, HELD_BYTES);
	bpf_map_update_elem(&held_syns, &frame->tuple, syn, BPF_ANY);
	holds_syns = 1;
}

/*
 * An incoming segment that no socket wants: is it for this machine at all? Remembers a flow that is not,
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

/*
 * A connection that is older than its flow: its socket knows the numbers that were sent before, so that a probe is
 * known for one. Of the peer's only where the segment is a probe itself: what is behind a busy socket's backlog it
 * does not know yet.
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

/* No socket, or only a listener, which takes a SYN (or the ACK of a SYN cookie, which has a flow). */
static __always_inline bool nobody_takes(const struct frame *frame, __u8 type)
{
	return type == TW_SOCKET_NONE || (type == TW_SOCKET_LISTENER && !(frame->flags & TCP_SYN));
}

/* Of work->options. Its loop is gone through once for all who call it. */
__noinline __u32 rules_parse_options(struct work *work)
{
	if (work)
		parse_options(&work->frame, work->options, &work->found);
	return 0;
}

/* Takes the bytes anew from ctx: the parser's pointers would keep its paths apart for the verifier. */
static __always_inline void read_options(void *ctx, bool xdp, struct work *work)
{
	struct cursor at = bytes_of(ctx, xdp);
	__u32 length = work->frame.options_length & 63;
	void *start = at.data + work->frame.options_offset;

	__builtin_memset(&work->found, 0, sizeof(work->found));
	if (length == 0 || start + length > at.end)
		return;
	if (bpf_probe_read_kernel(work->options, length, start) == 0)
		rules_parse_options(work);
}

static __always_inline void take_options(const struct options *found, struct tw_segment *record)
{
	record->ts_val = found->ts_val;
	record->ts_ecr = found->ts_ecr;
	record->mss = found->mss;
	record->wscale = found->wscale;
	record->options = found->present;
}

/* Recording: room behind the record for the frame's first bytes. Known to the verifier, for rodata is. */
static __always_inline __u32 room_for_bytes(void)
{
	return config.snaplen ? sizeof(struct tw_frame) + config.snaplen : 0;
}

/* The frame's first bytes, headers as they are at this hook. */
static __always_inline void keep_bytes(void *ctx, bool xdp, bool raw_ip, __u32 length, struct tw_segment *record)
{
	struct tw_frame *kept = (struct tw_frame *)(record + 1);

	kept->wire_len = length;
	kept->link_type = raw_ip ? TW_LINK_RAW_IP : TW_LINK_ETHERNET;
	kept->vlan_tci = 0;
	kept->vlan_proto = 0;
	if (!xdp && ((struct __sk_buff *)ctx)->vlan_present) {
		kept->vlan_tci = (__u16)((struct __sk_buff *)ctx)->vlan_tci;
		kept->vlan_proto = bpf_ntohs((__u16)((struct __sk_buff *)ctx)->vlan_proto);
	}
	kept->captured = (__u16)load_bytes(ctx, xdp, kept + 1, length, config.snaplen);
}

/*
 * The handshake's last ACK and the ACK of a FIN name the cause of a transition, in a timeline. The life of
 * a connection is the same without them: the tracepoint reports the transition itself.
 */
#define ONLY_A_CAUSE (TW_EVENT_HANDSHAKE_ACK | TW_EVENT_FIN_ACK)

/* What is held back of a connection, before a segment of it is reported. Of its other end too, but for a mere SYN or FIN. */
__noinline __u32 rules_release(struct work *work)
{
	struct tw_tuple tuple; /* Linux 6.1 takes no key from an argument's memory */

	if (!work)
		return 0;
	tuple = work->frame.tuple;
	if (work->frame.event_flags & ~(TW_EVENT_SYN | TW_EVENT_FIN | ONLY_A_CAUSE))
		return release_ends(&tuple);
	release_flow(&tuple);
	return 0;
}

static __always_inline void emit_segment(void *ctx, bool xdp, bool raw_ip, struct work *work)
{
	const struct frame *frame = &work->frame;
	struct tw_segment *record;

	if (config.digests)
		rules_release(work);
	record = reserve_record_and(tw_segment, room_for_bytes(), TW_KIND_SEGMENT, work->lookup.cookie, config.netns);
	if (!record)
		return;
	record->tuple = frame->tuple;
	record->socket = work->lookup.view;
	record->wire = work->wire;
	record->loss = work->loss;
	record->ifindex = frame->ifindex;
	record->seq = frame->seq;
	record->ack = frame->ack;
	record->len = frame->payload;
	record->window = frame->window;
	record->event_flags = frame->event_flags;
	record->vlan_id = frame->vlan_id;
	record->flags = frame->flags;
	record->hook = frame->hook;
	record->ttl = frame->ttl;
	record->reordered = frame->reordered;
	record->segments = (__u16)frame->segments;
	record->refused = work->refused;
	record->nat = frame->translated;
	record->forwarding = frame->forwarding;
	record->copied = frame->copied == COPY;
	record->came_in = frame->came_in;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	read_options(ctx, xdp, work);
	take_options(&work->found, record);
	if (config.snaplen)
		keep_bytes(ctx, xdp, raw_ip, frame->bytes, record);
	submit_record(record);
}

/* The bytes of a held SYN are what is left of it. */
static __always_inline void keep_held_bytes(const struct held_syn *syn, struct tw_segment *record)
{
	struct tw_frame *kept = (struct tw_frame *)(record + 1);
	__u32 most = config.snaplen < HELD_BYTES ? config.snaplen : HELD_BYTES;

	kept->wire_len = syn->bytes;
	kept->link_type = syn->raw_ip ? TW_LINK_RAW_IP : TW_LINK_ETHERNET;
	kept->vlan_tci = 0;
	kept->vlan_proto = 0;
	kept->captured = syn->captured < most ? syn->captured : (__u16)most;
	bpf_probe_read_kernel(kept + 1, most, syn->frame);
}

/*
 * A SYN-ACK leaves: was its SYN held? It comes with the addresses and the request of the socket that has taken it, at
 * its own time.
 */
__noinline __u32 release_syn(struct work *work)
{
	struct tw_segment *record;
	struct held_syn *syn;
	struct tw_tuple wire;
	__u32 from;

	if (!work || !holds_syns)
		return 0;
	wire = work->frame.translated ? work->on_wire : work->frame.tuple;
	syn = bpf_map_lookup_elem(&held_syns, &wire);
	if (!syn || work->frame.ack - 1 - syn->seq > syn->payload)
		return 0;
	work->syn = *syn;
	bpf_map_delete_elem(&held_syns, &wire);
	syn = &work->syn;
	work->syn_held = 1;
	record = reserve_record_and(tw_segment, room_for_bytes(), TW_KIND_SEGMENT, work->lookup.cookie, config.netns);
	if (!record)
		return 0;
	__builtin_memset((void *)record + sizeof(record->header), 0, sizeof(*record) - sizeof(record->header));
	record->header.ts_ns = syn->ts_ns;
	record->tuple = work->frame.tuple;
	record->socket = work->lookup.view;
	record->wire.segs_in = 1;
	record->wire.bytes_in = syn->payload;
	record->ifindex = syn->ifindex;
	record->seq = syn->seq;
	record->len = syn->payload;
	record->window = syn->window;
	record->event_flags = TW_EVENT_SYN;
	record->vlan_id = syn->vlan_id;
	record->flags = TCP_SYN;
	record->hook = syn->hook;
	record->ttl = syn->ttl;
	record->segments = 1;
	record->nat = work->frame.translated;
	from = syn->options_offset;
	if (from < HELD_BYTES - OPTIONS_MAX) {
		__u8 own = work->frame.options_length;

		bpf_probe_read_kernel(work->options, OPTIONS_MAX, &syn->frame[from]);
		work->frame.options_length = syn->options_length;
		__builtin_memset(&work->found, 0, sizeof(work->found));
		rules_parse_options(work);
		take_options(&work->found, record);
		work->frame.options_length = own;
	}
	if (config.snaplen)
		keep_held_bytes(syn, record);
	submit_record(record);
	return 0;
}

/* A listener with so much room takes a SYN. Where there is less, each is reported at once. */
#define FEW_REQUESTS 16
static __always_inline bool has_room(const struct tw_socket_view *view)
{
	return view->type == TW_SOCKET_LISTENER && view->syn_qlen < FEW_REQUESTS && view->syncookies != 2 &&
	       2 * view->ack_backlog <= view->max_ack_backlog;
}

/*
 * tcp_timewait_state_process(): TIME_WAIT gives way to a SYN with a newer number, and the listener takes it. (One whose
 * timestamp alone is newer is reported.)
 */
static __always_inline bool gives_way(const struct frame *frame, const struct tw_socket_view *view)
{
	return view->type == TW_SOCKET_TIMEWAIT && view->state == TCP_TIME_WAIT && is_opening(frame) &&
	       seq_distance(view->rcv_nxt, frame->seq) > 0;
}

static __always_inline void hold_in(struct work *work, __u64 cookie, struct tw_held_segment *held)
{
	struct frame *frame = &work->frame;
	const struct tw_socket_view *view = &work->lookup.view;

	if (!(frame->flags & TCP_SYN)) {
		__builtin_memset(&work->found, 0, sizeof(work->found));
		work->found.ts_val = bpf_ntohl(frame->stamp);
		work->found.present = frame->stamp ? TW_OPT_TIMESTAMP : 0;
	}
	held->seq = frame->seq;
	held->ack = frame->ack;
	held->ts_val = work->found.ts_val;
	held->ts_ecr = work->found.ts_ecr;
	if (view->type == TW_SOCKET_LISTENER) {
		held->ack_backlog = view->ack_backlog;
		held->max_ack_backlog = view->max_ack_backlog;
		held->syn_qlen = view->syn_qlen;
		held->max_syn_backlog = view->max_syn_backlog;
		held->syncookies = view->syncookies;
	} else {
		held->snd_una = view->snd_una;
		held->snd_nxt = view->snd_nxt;
		held->rcv_nxt = view->rcv_nxt;
		held->write_seq = view->write_seq;
		held->socket_flags = view->flags;
	}
	held->ifindex = frame->ifindex;
	held->len = frame->payload;
	held->cookie = (__u32)cookie;
	held->window = frame->window;
	held->mss = work->found.mss;
	held->flags = frame->flags;
	held->hook = frame->hook;
	held->ttl = frame->ttl;
	held->options = work->found.present;
	held->wscale = work->found.wscale;
	held->type = view->type;
	held->state = view->state;
	*(volatile __u64 *)&held->ts_ns = frame_time(frame);
}

/* What the request of an ordinary SYN begins; its SYN-ACK leaves. 0: the SYN and this are to be reported. */
static __always_inline struct digest_entry *begin_passive(struct work *work, struct tw_flow *flow)
{
	struct digest_entry *entry;

	if (work->lookup.view.type != TW_SOCKET_REQUEST)
		return 0;
	entry = begin_digest(work->lookup.cookie, &work->frame.tuple);
	if (!entry)
		return 0;
	entry->netns = config.netns;
	flow->cookie = work->lookup.cookie;
	if (flow->syn_held) {
		entry->held.segments[TW_HELD_SYN] = flow->syn;
		entry->held.segments[TW_HELD_SYN].cookie = (__u32)flow->cookie;
		__sync_fetch_and_add(&entry->counts, ONE_EVENT);
		flow->syn_held = 0;
	}
	return entry;
}

/*
 * Keeps an ordinary SYN, SYN-ACK or FIN for the digest of its socket. 0: it is to be reported. flow: in the map, or
 * about to be. A function of its own for the verifier, as the rules are.
 */
__noinline __u32 rules_hold_segment(struct tw_flow *flow, struct work *work, __u32 event_flags)
{
	struct digest_entry *entry = 0;
	struct frame *frame;
	bool known;
	__u32 place;
	__u8 type;

	if (!flow || !work)
		return 0;
	frame = &work->frame;
	type = work->lookup.view.type;
	known = work->unasked || (type == TW_SOCKET_FULL && work->lookup.cookie == flow->cookie);
	event_flags &= ~ONLY_A_CAUSE;
	if (event_flags != TW_EVENT_SYN && event_flags != TW_EVENT_FIN)
		return 0;
	if (frame->segments != 1 || frame->vlan_id || frame->fragment || frame->copied || frame->translated ||
	    frame->forwarding || work->refused)
		return 0;
	if (event_flags == TW_EVENT_FIN) {
		place = frame->outgoing ? TW_HELD_FIN_OUT : TW_HELD_FIN_IN;
		if (known)
			entry = digest_of(flow->cookie);
	} else if (frame->flags & TCP_ACK) {
		place = TW_HELD_SYN_ACK;
		if (frame->outgoing)
			entry = begin_passive(work, flow);
		else if (known)
			entry = digest_of(flow->cookie);
	} else if (!frame->outgoing) {
		if (!has_room(&work->lookup.view) && !gives_way(frame, &work->lookup.view))
			return 0;
		hold_in(work, 0, &flow->syn);
		flow->syn_held = 1;
		return 1;
	} else {
		place = TW_HELD_SYN;
		if (type != TW_SOCKET_FULL)
			return 0;
		entry = digest_of(work->lookup.cookie);
		if (entry) {
			flow->cookie = work->lookup.cookie;
			entry->tuple = frame->tuple;
		}
	}
	if (!entry || entry->held.segments[place & 3].ts_ns || !claim(entry, place & 3))
		return 0;
	hold_in(work, flow->cookie, &entry->held.segments[place & 3]);
	__sync_fetch_and_add(&entry->counts, ONE_EVENT);
	return !was_released(entry);
}

static __always_inline bool hold_segment(void *ctx, bool xdp, struct work *work, struct tw_flow *flow,
					 __u32 event_flags)
{
	if (work->frame.flags & TCP_SYN)
		read_options(ctx, xdp, work);
	return rules_hold_segment(flow, work, event_flags);
}

static __always_inline void ask_socket(void *ctx, struct work *work, bool outgoing)
{
	__builtin_memset(&work->lookup, 0, sizeof(work->lookup));
	if (outgoing)
		ask_sender(ctx, work);
	else
		look_up_receiver(ctx, work);
}

static __always_inline bool is_event(const struct frame *frame, __u32 event_flags)
{
	if (config.packets_all || frame->fragment)
		return true;
	return config.no_timeline ? event_flags & ~ONLY_A_CAUSE : event_flags || frame->copied;
}

static __always_inline bool sent_by_socket(void *ctx, bool outgoing)
{
	return outgoing && ((struct __sk_buff *)ctx)->sk;
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

	/* Where a connection begins, the socket that sends says which it is. */
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

/* Of a link-local address: its socket's, or by the interface. */
static __always_inline void set_scope(void *ctx, struct frame *frame, bool outgoing)
{
	struct bpf_sock *sk = outgoing ? ((struct __sk_buff *)ctx)->sk : 0;
	struct way_out way = {.ifindex = frame->ifindex, .vlan_id = frame->vlan_id};
	__u32 bound, *known;

	if (frame->is_ipv4 || !is_link_local(*(__u32 *)frame->tuple.remote_addr))
		return;
	known = bpf_map_lookup_elem(&scopes, &way);
	frame->tuple.scope = known ? *known : way.ifindex;
	if (!sk || !sk->bound_dev_if)
		return;
	bound = sk->bound_dev_if;
	if (bound != frame->tuple.scope)
		bpf_map_update_elem(&scopes, &way, &bound, BPF_ANY);
	frame->tuple.scope = bound;
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
		frame->copied = (__u8)rules_came_before(flow, work);
		if (frame->copied == COPY_IF_RECEIVED) /* no socket says whether it was */
			frame->copied = NO_COPY;
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
 * What comes in with the very next number for a connection whose events wait: its SYN-ACK, or its FIN. TCP takes it, and
 * its socket need not be asked.
 */
static __always_inline bool is_next_mark(const struct tw_flow *flow, const struct frame *frame)
{
	const struct tw_half *me = &flow->half[INCOMING], *peer = &flow->half[OUTGOING];

	if (frame->copied || frame->fragment || !frame->window || !(frame->flags & TCP_ACK) || frame->flags & TCP_RST)
		return false;
	if (flow->foreign | flow->strays | flow->alias | flow->translated | flow->hop | flow->orphaned)
		return false;
	if (me->zero_window | peer->zero_window | me->probe_pending | peer->probe_pending | me->hole | peer->hole)
		return false;
	if (frame->flags & TCP_SYN)
		return !me->seen && peer->syn == SYN_SEEN && frame->ack == peer->nxt && !frame->payload;
	return frame->flags & TCP_FIN && me->seen && frame->seq == me->nxt && me->syn != SYN_SEEN && !me->fin &&
	       seq_distance(frame->ack, peer->nxt) >= 0;
}

__noinline __u32 rules_knows_mark(struct tw_flow *flow, struct work *work)
{
	if (!flow || !work || !flow->cookie || !is_next_mark(flow, &work->frame))
		return 0;
	__builtin_memset(&work->lookup, 0, sizeof(work->lookup));
	work->lookup.view.type = TW_SOCKET_UNKNOWN;
	work->lookup.cookie = flow->cookie;
	work->unasked = 1;
	return 1;
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

/* A parsed segment that is not ordinary, or of no known flow; from either hook. */
static __always_inline void see_unusual(void *ctx, bool xdp, bool raw_ip, struct work *work, bool outgoing)
{
	struct frame *frame = &work->frame;
	struct tw_flow *flow;
	bool reported;
	__u32 event_flags;

	flow = frame->bad_header ? 0 : find_flow(ctx, work, outgoing);
	if (config.forwarded && !frame->bad_header) {
		if (passes_through(ctx, xdp, work, flow, outgoing)) {
			event_flags = see_hop(ctx, work, flow, outgoing);
			if (!event_flags)
				return;
			frame->event_flags = (__u16)event_flags;
			emit_segment(ctx, xdp, raw_ip, work);
			return;
		}
		if (frame->for_others)
			return;
		if (flow && flow->hop) /* a socket's of this machine after all */
			flow->hop = 0;
	}
	work->strays = 0;
	if (flow && (flow->foreign || flow->strays)) {
		if (flow->foreign && !is_opening(frame) && !sent_by_socket(ctx, outgoing))
			return;
		work->strays = flow->strays;
		flow = 0; /* not one of ours so far: met anew */
	}
	if (flow && is_stacked_copy(&flow->half[outgoing ? OUTGOING : INCOMING], frame))
		return;
	if (config.digests && flow && flow->syn_held && is_opening(frame)) /* it may be another connection's */
		rules_release(work);
	if (!outgoing)
		frame->copied = (__u8)rules_came_before(flow, work);
	work->refused = TW_REFUSED_NOT;
	work->unasked = 0;
	if (config.digests && !outgoing && rules_knows_mark(flow, work)) {
		/* Nothing to ask. */
	} else if (asks_socket(flow, frame)) {
		ask_socket(ctx, work, outgoing);
		if (frame->copied == COPY_IF_RECEIVED)
			frame->copied = has_received(frame, &work->lookup) ? COPY : NO_COPY;
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
			return;
		}
		event_flags = hide_from_verifier(frame, rules_see_segment(flow, work));
		frame->event_flags = event_flags;
		if (!xdp && flow->held && outgoing && frame->payload)
			end_stall(flow, frame, ((struct __sk_buff *)ctx)->sk);
		reported = is_event(frame, event_flags) || work->refused > TW_REFUSED_OLD;
		if (reported && config.digests && hold_segment(ctx, xdp, work, flow, event_flags))
			reported = false;
		if (reported) {
			take_wire(flow, &work->wire);
			work->loss = flow->loss;
		}
		if (flow->orphaned && both_fins_acked(flow))
			forget_flow(&frame->tuple, flow);
		if (!reported)
			return;
	} else {
		frame->copied = NO_COPY;
		__builtin_memset(&work->wire, 0, sizeof(work->wire));
		__builtin_memset(&work->loss, 0, sizeof(work->loss));
		if (frame->bad_header)
			event_flags = TW_EVENT_BAD_HEADER;
		else
			event_flags = meet_flow(ctx, xdp, raw_ip, work);
		if (!event_flags)
			return;
		frame->event_flags = event_flags;
	}
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
	see_unusual(skb, false, raw_ip, work, true);
	return 0;
}

static __noinline int see_unusual_in(struct __sk_buff *skb, struct work *work, bool raw_ip)
{
	see_unusual(skb, false, raw_ip, work, false);
	return 0;
}

static __noinline int see_unusual_xdp(struct xdp_md *xdp, struct work *work, bool raw_ip)
{
	see_unusual(xdp, true, raw_ip, work, false);
	return 0;
}

/* A parsed segment, from either hook. */
static __always_inline void witness_segment(void *ctx, bool xdp, bool raw_ip, struct work *work, bool outgoing)
{
	struct frame *frame = &work->frame;
	struct tw_flow *flow;

	if (!tuple_wanted(&frame->tuple) && !other_wanted(ctx, work, outgoing) &&
	    !(config.forwarded && hop_wanted(work, outgoing)))
		return;
	set_scope(ctx, frame, outgoing);
	if (is_plain(frame)) {
		flow = bpf_map_lookup_elem(&flows, &frame->tuple);
		if (flow && is_next(flow, frame) && (outgoing || rules_came_before(flow, work) == NO_COPY)) {
			take_next(flow, frame);
			return;
		}
	}
	if (outgoing)
		see_unusual_out(ctx, work, raw_ip);
	else if (xdp)
		see_unusual_xdp(ctx, work, raw_ip);
	else
		see_unusual_in(ctx, work, raw_ip);
}

static __always_inline struct work *begin_work(__u8 hook, __u32 ifindex, __u32 bytes)
{
	__u32 zero = 0;
	struct work *work = bpf_map_lookup_elem(&works, &zero);

	if (!work)
		return 0;
	work->frame.hook = hook;
	work->frame.outgoing = hook == TW_HOOK_TC_EGRESS;
	work->frame.ifindex = ifindex;
	work->frame.bytes = bytes;
	work->frame.segments = 1;
	work->frame.vlan_id = 0;
	work->frame.fragment = 0;
	work->frame.reordered = 0;
	work->frame.copied = NO_COPY;
	work->frame.segment_size = 0;
	work->frame.tuple.scope = 0;
	work->syn_held = 0;
	work->frame.translated = 0;
	work->frame.forwarding = TW_FORWARDING_NONE;
	work->frame.came_in = 0;
	work->frame.now_ns = 0;
	work->frame.for_others = 0;
	return work;
}

#define PACKET_HOST 0

/*
 * Is an incoming frame for another link address (a promiscuous interface, a mirror port, a switch that floods), for all or
 * for many? IP drops the first, TCP the others: it is no segment of ours. What a bridge or macvlan forwards to an
 * interface of another namespace is none either, and a hop's at most. But a frame for the interface above this one (a
 * bridge with an address of its own, a macvlan) is another host's only to this one, and may be watched here alone.
 */
static __always_inline bool is_for_others(void *ctx, bool xdp)
{
	struct cursor at = bytes_of(ctx, xdp);
	struct ethernet_header *ethernet = at.data;
	__u64 address = 0, every = EVERY_ADDRESS;

	if (!xdp && ((struct __sk_buff *)ctx)->pkt_type == PACKET_HOST)
		return false;
	if ((void *)(ethernet + 1) > at.end)
		return false;
	__builtin_memcpy(&address, ethernet->addresses, 6);
	return !bpf_map_lookup_elem(&own_addresses, &address) && !bpf_map_lookup_elem(&own_addresses, &every);
}

/* Do the headers, options included, end beyond the bytes at hand? */
static __always_inline bool needs_pull(const struct cursor *at, const struct frame *frame, int parsed)
{
	if (parsed == PARSED_TCP)
		return at->end - at->data < frame->options_offset + frame->options_length;
	return parsed == PARSED_SHORT;
}

/*
 * config.forwarded: an ICMP error leaves, made here or passing by. It has the addresses that its receiver knows, and so
 * has what it quotes: NAT has been undone.
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
	__builtin_memcpy(quoted.local_addr, seen.tuple.remote_addr, sizeof(quoted.local_addr));
	__builtin_memcpy(quoted.remote_addr, seen.tuple.local_addr, sizeof(quoted.remote_addr));
	quoted.local_port = seen.tuple.remote_port;
	quoted.remote_port = seen.tuple.local_port;
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
		work->frame.vlan_id = skb->vlan_tci & 0xfff;
	if (skb->gso_segs) {
		work->frame.segments = skb->gso_segs;
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
