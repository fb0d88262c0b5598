/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * times.h: when payload passed: a request, its answer, the ACKs of both, and the pauses (struct tw_times).
 *
 * An ordinary segment costs the test of one byte once both sides have sent and have the other's ACK, and one with payload a
 * look at the clock that counts ticks.
 */
#ifndef TCPWITNESS_TIMES_H
#define TCPWITNESS_TIMES_H

#include "maps.h"
#include "receiver.h"
#include "sock.h"

/* Until both sides have sent, and have the other's ACK. */
static __always_inline void see_firsts(struct tw_flow *flow, struct frame *frame, __u32 payload, __u32 me)
{
	struct tw_times *times = &flow->times;
	__u32 peer = 1 - me;

	if (payload && !times->first_ns[me]) {
		times->first_ns[me] = frame_time(frame);
		flow->half[me].first_end = frame_seq_end(frame);
	}
	if (!times->first_ns[peer]) {
		if (payload)
			times->asked_ns = frame_time(frame);
	} else if (frame->flags & TCP_ACK && !times->acked_ns[peer] &&
		   seq_distance(flow->half[peer].first_end, frame->ack) >= 0) {
		times->acked_ns[peer] = frame_time(frame);
		flow->firsts = times->acked_ns[0] && times->acked_ns[1];
	}
}

static __always_inline void see_pause(struct tw_flow *flow, __u32 me)
{
	__u32 now = (__u32)bpf_jiffies64();
	__u32 since = flow->half[me].payload_tick, other = flow->half[1 - me].payload_tick;

	flow->half[me].payload_tick = now;
	if (!since || !other) /* the wait for the first answer is no pause */
		return;
	since = now - since;
	other = now - other;
	if ((__u64)since * config.tick_us < TW_QUIET_MS * 1000ULL ||
	    (__u64)other * config.tick_us < TW_QUIET_MS * 1000ULL)
		return;
	if (other < since)
		flow->times.quiet_ms[me] += ticks_to_ms(other);
	else
		flow->times.paused_ms[me] += ticks_to_ms(since);
}

/* A function of its own for the verifier, whose paths it would multiply. */
__noinline __u32 see_times(struct tw_flow *flow, struct frame *frame, __u32 payload)
{
	__u32 me;

	if (!flow || !frame)
		return 0;
	me = frame->outgoing ? 1 : 0;
	if (!flow->firsts)
		see_firsts(flow, frame, payload, me);
	if (payload)
		see_pause(flow, me);
	return 0;
}

/* A segment that TCP takes. payload: bytes of it that count. */
static __always_inline void note_times(struct tw_flow *flow, struct frame *frame, __u32 payload)
{
	if (payload || !flow->firsts)
		see_times(flow, frame, payload);
}

static __always_inline void take_times(const struct tw_flow *flow, struct tw_times *times)
{
	__u32 now = (__u32)bpf_jiffies64();

	*times = flow->times;
	for (int i = 0; i < 2; i++)
		times->since_ms[i] = flow->half[i].payload_tick ? ticks_to_ms(now - flow->half[i].payload_tick) : 0;
}

#endif
