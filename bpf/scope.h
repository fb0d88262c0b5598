/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* scope.h: the interface that a link-local address belongs to (RFC 4007). */
#ifndef TCPWITNESS_SCOPE_H
#define TCPWITNESS_SCOPE_H

#include "parse.h"

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

#endif
