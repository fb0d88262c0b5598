/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * disconnected.h: sockets that tcp_disconnect() took from their connection: a close with SO_LINGER 0, connect() with
 * AF_UNSPEC. It sets CLOSE, sends the RST, and takes the peer's address from the socket; when that is destroyed nothing in
 * it leads to its flow. The RST does.
 */
#ifndef TCPWITNESS_DISCONNECTED_H
#define TCPWITNESS_DISCONNECTED_H

#include "maps.h"

/* A RST leaves from a socket in CLOSE. */
static __always_inline void note_disconnected(__u64 cookie, const struct tw_tuple *tuple, const struct tw_flow *flow)
{
	struct disconnected was = {.tuple = *tuple, .isn = {flow->half[0].isn, flow->half[1].isn}};

	bpf_map_update_elem(&disconnections, &cookie, &was, BPF_ANY);
}

/* The flow of a socket that is without addresses; 0: not known. `tuple` becomes what they were. */
static __always_inline struct tw_flow *flow_before(__u64 cookie, struct tw_tuple *tuple)
{
	struct disconnected *was = bpf_map_lookup_elem(&disconnections, &cookie);
	struct tw_flow *flow;

	if (!was)
		return 0;
	*tuple = was->tuple;
	flow = bpf_map_lookup_elem(&flows, tuple);
	if (flow && (flow->half[0].isn != was->isn[0] || flow->half[1].isn != was->isn[1]))
		flow = 0;
	bpf_map_delete_elem(&disconnections, &cookie);
	return flow;
}

#endif
