/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rules.h: flow.h and receiver.h for the programs on the wire. */
#ifndef TCPWITNESS_RULES_H
#define TCPWITNESS_RULES_H

#include "duplicates.h"
#include "flow.h"
#include "work.h"

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
	if (!work)
		return NO_DUPLICATE;
	return came_before(flow ? &flow->half[INCOMING] : 0, &work->frame);
}

/* How sure it is that this packet, which came in, is a copy. */
static __always_inline __u32 came_before_at(struct tw_flow *flow, struct work *work)
{
	return work->frame.ifindex == LOOPBACK_IFINDEX ? NO_DUPLICATE : rules_came_before(flow, work);
}

__noinline __u32 rules_why_refused(struct tw_flow *flow, struct work *work)
{
	if (!flow || !work)
		return TW_REFUSED_NOT;
	return why_refused(flow, &work->frame, &work->lookup);
}

#endif
