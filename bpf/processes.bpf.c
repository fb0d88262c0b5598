/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * processes.bpf.c: which processes descend from one that is followed, and of which user a process was that is gone. Loaded
 * only where --children, a command or --uid asks for it: /proc has no entry any more for a child that lived for milliseconds.
 * A fork comes before anything that the child does, so whoever reads a connection's events finds its process here.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kernel_types.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The one whose children are all followed, as it is known in its own PID namespace; pid 0: nobody's. */
const volatile __u64 parent_ns_dev;
const volatile __u64 parent_ns_ino;
const volatile __u32 parent_pid;

/* By process id in the initial PID namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u8);
} followed SEC(".maps");

/* The real user of processes that have ended. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
} ended SEC(".maps");

static __always_inline bool is_parent(void)
{
	struct bpf_pidns_info own = {};

	if (!parent_pid || bpf_get_ns_current_pid_tgid(parent_ns_dev, parent_ns_ino, &own, sizeof(own)))
		return false;
	return own.tgid == parent_pid;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 from = bpf_get_current_pid_tgid() >> 32;
	__u32 to = child->tgid;
	__u8 yes = 1;

	if (from == to)
		return 0; /* a thread */
	if (bpf_map_lookup_elem(&followed, &from) || is_parent())
		bpf_map_update_elem(&followed, &to, &yes, BPF_ANY);
	else
		bpf_map_delete_elem(&followed, &to); /* its number was another one's */
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 process = id >> 32;
	__u32 user = bpf_get_current_uid_gid();

	if (process == (__u32)id) /* not one of its other threads */
		bpf_map_update_elem(&ended, &process, &user, BPF_ANY);
	return 0;
}
