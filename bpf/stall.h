/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stall.h: small writes that wait for an ACK which the peer delays (Nagle's algorithm beside RFC 1122's delayed ACKs).
 *
 * When send() returns, the kernel's own rule decides whether Nagle's algorithm holds the rest back; the flow then knows
 * which number waits. The segment that begins there ends the wait. An ordinary segment costs the test of one byte.
 */
#ifndef TCPWITNESS_STALL_H
#define TCPWITNESS_STALL_H

#include "flow.h"
#include "kernel_types.h"

/* Longer than the fastest round trip by so much: Linux delays an ACK by 40 ms, others by up to 200 ms. */
#define LATE_ACK_US 20000

/* tcp_nagle_check(), and nothing else that could hold it: no window, no congestion window, no whole segment. */
static __always_inline bool nagle_holds(const struct tcp_sock *tp)
{
	__u32 unsent = tp->write_seq - tp->snd_nxt;
	__s32 room = (__s32)(tp->snd_una + tp->snd_wnd - tp->snd_nxt); /* below 0: the peer has shrunk its window */

	if (!bpf_core_field_exists(tp->nonagle) || !bpf_core_field_exists(tp->snd_cwnd) ||
	    !bpf_core_field_exists(tp->snd_sml) || !bpf_core_field_exists(tp->rtt_min))
		return false;
	if (!unsent || unsent >= tp->mss_cache || BPF_CORE_READ_BITFIELD(tp, nonagle))
		return false;
	if (!tp->packets_out || tp->packets_out >= tp->snd_cwnd || room < (__s32)unsent)
		return false;
	if (seq_distance(tp->snd_una, tp->snd_sml) <= 0 || seq_distance(tp->snd_sml, tp->snd_nxt) < 0)
		return false;
	/* Behind a second full-sized segment an ACK is not delayed (RFC 1122, 4.2.3.2): the path is waited for, or a processor. */
	return seq_distance(tp->snd_sml, tp->snd_nxt) < 2 * (__s32)tp->mss_cache;
}

/* send() has returned. */
static __always_inline void note_held(const struct tcp_sock *tp, const struct tw_tuple *tuple)
{
	struct tw_flow *flow = bpf_map_lookup_elem(&flows, tuple);

	if (!flow || flow->held)
		return;
	flow->held_seq = tp->snd_nxt;
	flow->held_at = tick_1024ns();
	flow->held_bytes_in = (__u32)flow->half[0].bytes;
	flow->held_retrans = flow->loss.retrans_segs_out;
	flow->held = 1;
}

/*
 * Payload leaves while something is held. A stall is what waited for a bare ACK: no payload came in meanwhile, nothing
 * was lost, no process sends it (the ACK's arrival does), and the wait is longer than the path can be blamed for.
 */
static __always_inline void end_stall(struct tw_flow *flow, const struct frame *frame, struct bpf_sock *sk)
{
	__u32 waited = tick_1024ns() - flow->held_at;
	struct tcp_sock *tp;

	if (seq_distance(flow->held_seq, frame->seq) < 0)
		return; /* sent again, what was before it */
	flow->held = 0;
	if (frame->seq != flow->held_seq || (__u32)flow->half[0].bytes != flow->held_bytes_in ||
	    flow->loss.retrans_segs_out != flow->held_retrans || !sk)
		return;
	tp = tcp_sock_of(sk);
	if (!tp || tp->inet_conn.icsk_inet.sk.sk_lock.owned)
		return;
	if (!bpf_core_field_exists(tp->rtt_min))
		return;
	if (waited < tp->rtt_min.s[0].v || waited - tp->rtt_min.s[0].v < LATE_ACK_US)
		return;
	flow->loss.stalls++;
	flow->loss.stall_ms += (waited + 500) / 977; /* of 1024 ns each */
}

#endif
