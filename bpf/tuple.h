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

/* The same connection, as its other end has it. */
static __always_inline void reverse_tuple(const struct tw_tuple *tuple, struct tw_tuple *reversed)
{
	__builtin_memcpy(reversed->local_addr, tuple->remote_addr, sizeof(reversed->local_addr));
	__builtin_memcpy(reversed->remote_addr, tuple->local_addr, sizeof(reversed->remote_addr));
	reversed->local_port = tuple->remote_port;
	reversed->remote_port = tuple->local_port;
	reversed->scope = tuple->scope;
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

/* The networks that were asked for. Written before anything is attached. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct tw_host);
	__type(value, __u8);
} hosts SEC(".maps");

static __always_inline bool host_is_set(const __u8 *addr)
{
	struct tw_host key = {.prefix_bits = 8 * sizeof(key.addr)};

	__builtin_memcpy(key.addr, addr, sizeof(key.addr));
	return bpf_map_lookup_elem(&hosts, &key) != 0;
}

/* Is the address of either end in one of them? Without a host filter, every one is. */
static __always_inline bool host_wanted(const struct tw_tuple *tuple)
{
	return !config.some_hosts || host_is_set(tuple->local_addr) || host_is_set(tuple->remote_addr);
}

static __always_inline bool tuple_wanted(const struct tw_tuple *tuple)
{
	return port_wanted(tuple->local_port, tuple->remote_port) && host_wanted(tuple);
}

#endif
