/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* own_link.h: is a frame for a link address of this namespace? */
#ifndef TCPWITNESS_OWN_LINK_H
#define TCPWITNESS_OWN_LINK_H

#include "maps.h"
#include "parse.h"
#include "work.h"

/*
 * The link addresses of this namespace's interfaces, in the lower six bytes as they stand in a frame. User space keeps
 * them; where there are too many, EVERY_ADDRESS stands for all.
 */
#define PACKET_HOST 0 /* linux/if_packet.h */
#define EVERY_ADDRESS (~0ULL)
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u8);
} own_addresses SEC(".maps");

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

#endif
