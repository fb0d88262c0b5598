/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tuple.h: address pairs in their one form, and the filters on them.
 */
#ifndef TCPWITNESS_TUPLE_H
#define TCPWITNESS_TUPLE_H

#include <bpf/bpf_endian.h>

#include "config.h"

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

static __always_inline void map_ipv4(__u8 *to, __be32 addr)
{
	__u32 *words = (__u32 *)to;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = addr;
}

/* fe80::/10: an address of one link, which another link may have too. `first`: its first four bytes. */
static __always_inline bool is_link_local(__u32 first)
{
	return (first & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

static __always_inline bool port_is_set(__u64 port)
{
	/* It has 16 bits, which the verifier has forgotten where the register was spilled (before 6.8). */
	asm volatile("%0 &= 0xffff" : "+r"(port));
	return config.ports[port >> 3] & (1 << (port & 7));
}

/* Is the port of either end one that was asked for? Without a port filter, every one is. */
static __always_inline bool port_wanted(__u16 a, __u16 b)
{
	return !config.some_ports || port_is_set(a) || port_is_set(b);
}

/* Are the first prefix_bits of addr those of the filter? addr is 4-aligned, both in network order. */
static __always_inline bool prefix_matches(const volatile struct tw_host *host, const __u8 *addr)
{
	const __u32 *have = (const __u32 *)addr;
	const volatile __u32 *want = (const volatile __u32 *)host->addr;
	__u32 bits = host->prefix_bits;

	for (int i = 0; i < 4; i++) {
		__u32 mask;

		if (bits == 0)
			return true;
		mask = bits >= 32 ? 0xffffffff : __builtin_bswap32(~(0xffffffffU >> bits));
		if ((have[i] & mask) != want[i])
			return false;
		bits = bits >= 32 ? bits - 32 : 0;
	}
	return true;
}

static __always_inline bool host_wanted(const struct tw_tuple *tuple)
{
	if (config.host_count == 0)
		return true;
	for (__u32 i = 0; i < TW_MAX_HOSTS; i++) {
		if (i >= config.host_count)
			break;
		if (prefix_matches(&config.hosts[i], tuple->local_addr) ||
		    prefix_matches(&config.hosts[i], tuple->remote_addr))
			return true;
	}
	return false;
}

static __always_inline bool tuple_wanted(const struct tw_tuple *tuple)
{
	return port_wanted(tuple->local_port, tuple->remote_port) && host_wanted(tuple);
}

#endif
