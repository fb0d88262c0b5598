/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kept_socket.h: a socket has ended and its process has it yet: what its flow has counted until then. The end of the socket
 * itself, with which that goes otherwise (destroy.h), comes when the process lets go of it, which can be hours later.
 */
#ifndef TCPWITNESS_KEPT_SOCKET_H
#define TCPWITNESS_KEPT_SOCKET_H

#include "destroy.h"

/* Where close() or exit ended it, its destruction comes next. Where every segment is an event, the times are known from these. */
static __always_inline bool is_kept(const struct tw_control_block *cb, int old_state, int new_state)
{
	bool open = old_state != TCP_SYN_SENT && old_state != BPF_TCP_SYN_RECV && old_state != TCP_LISTEN;

	return new_state == TCP_CLOSE && open && !(cb->flags & TW_CB_DEAD) && !(cb->details & TW_CB_RELEASED) &&
	       !config.packets_all;
}

/* No inline function: the verifier would go through it once for each way of the transition. */
static __noinline int report_kept(const struct tcp_sock *tp, const struct tw_tuple *tuple, __u64 cookie)
{
	struct tw_flow *flow = bpf_map_lookup_elem(&flows, tuple);
	struct tw_socket *record;

	if (!flow || is_other_ones(tp, flow))
		return 0;
	record = reserve_record(tw_socket, TW_KIND_SOCKET, cookie, netns_of(tp));
	if (!record)
		return 0;
	record->tuple = *tuple;
	record->type = TW_SOCKET_FULL;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	__builtin_memset(&record->cb, 0, sizeof(record->cb)); /* the transition has it */
	record->cb.state = TCP_CLOSE;
	take_flow(flow, record);
	submit_record(record);
	return 0;
}

#endif
