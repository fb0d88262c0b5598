/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * snapshot.bpf.c: what exists without an event of its own: before we started, and still at the end. Iterators
 * over the TCP sockets of the namespace, over its ports, and over the processes that hold a socket open; and what goes
 * over the maps.
 *
 * Records go to the iterator's own file, not to the ring: a machine with a hundred thousand sockets
 * must not overflow it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "config.h"
#include "digest.h"
#include "emit.h"
#include "maps.h"
#include "sock.h"
#include "times.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void fill_header(struct tw_header *header, __u8 kind, __u64 cookie, __u32 netns)
{
	__builtin_memset(header, 0, sizeof(*header));
	header->ts_ns = bpf_ktime_get_ns();
	header->cookie = cookie;
	header->netns = netns;
	header->cpu = TW_NO_CPU;
	header->kind = kind;
	header->version = TW_ABI_VERSION;
}

/*
 * bytes_acked counts an active opener's SYN (tcp_snd_una_update), bytes_sent does not: more sequence numbers sent
 * than payload and FIN take means that the SYN is in them.
 */
static __always_inline bool is_active(const struct tcp_sock *tp, __u8 state)
{
	bool open = state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT;
	/* FIN_WAIT1, LAST_ACK, CLOSING: it is the last in the queue, and may wait behind data. */
	bool fin_sent = !open && (state == TCP_FIN_WAIT2 || tp->snd_nxt == tp->write_seq);
	__u64 payload = tp->bytes_sent - tp->bytes_retrans;

	return tp->bytes_acked + (__u32)(tp->snd_nxt - tp->snd_una) > payload + fin_sent;
}

SEC("iter/tcp")
int snapshot_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tw_socket record = {};
	struct tw_flow *flow;
	struct tcp_sock *tp;

	/* Nothing is to be reported of a TIME_WAIT that began before us, and a busy machine has a hundred thousand. */
	if (!skc || skc->skc_state == TCP_TIME_WAIT || (config.netns && sock_netns(skc) != config.netns))
		return 0;
	fill_header(&record.header, TW_KIND_SOCKET, (__u64)bpf_get_socket_cookie(skc), sock_netns(skc));
	tp = (struct tcp_sock *)bpf_skc_to_tcp_sock(skc);
	if (tp) {
		sock_tuple(sock_of(tp), tp, &record.tuple);
		control_block(sock_of(tp), tp, &record.cb);
		if (is_active(tp, record.cb.state))
			record.cb.flags |= TW_CB_ACTIVE;
		record.type = record.cb.state == TCP_LISTEN ? TW_SOCKET_LISTENER : TW_SOCKET_FULL;
	} else {
		common_tuple(skc, skc->skc_num, &record.tuple);
		record.cb.state = skc->skc_state;
		record.type = TW_SOCKET_REQUEST;
	}
	if (!flow_wanted(&record.tuple))
		return 0;
	if (config.digests) /* what is known of it goes before */
		release_digest(record.header.cookie);
	flow = bpf_map_lookup_elem(&flows, &record.tuple);
	if (flow) {
		record.has_wire = 1;
		take_wire(flow, &record.wire);
		record.loss = flow->loss;
		take_times(flow, &record.times);
	}
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* tcp_compute_delivery_rate() */
static __always_inline __u64 delivery_rate(const struct tcp_sock *tp)
{
	__u64 interval_us = OPTIONAL(tp->rate_interval_us, 0);

	return interval_us ? (__u64)OPTIONAL(tp->rate_delivered, 0) * tp->mss_cache * 1000000 / interval_us : 0;
}

/* How each open connection sends. */
SEC("iter/tcp")
int snapshot_samples(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tw_sample record = {};
	struct tcp_sock *tp;

	if (!skc || skc->skc_state == TCP_TIME_WAIT || skc->skc_state == TCP_LISTEN ||
	    skc->skc_state == TCP_NEW_SYN_RECV || (config.netns && sock_netns(skc) != config.netns))
		return 0;
	fill_header(&record.header, TW_KIND_SAMPLE, (__u64)bpf_get_socket_cookie(skc), sock_netns(skc));
	tp = (struct tcp_sock *)bpf_skc_to_tcp_sock(skc);
	if (!tp)
		return 0;
	sock_tuple(sock_of(tp), tp, &record.tuple);
	if (!flow_wanted(&record.tuple))
		return 0;
	record.bytes_acked = tp->bytes_acked;
	record.delivery_rate = delivery_rate(tp);
	record.snd_una = tp->snd_una;
	record.snd_nxt = tp->snd_nxt;
	record.write_seq = tp->write_seq;
	record.snd_wnd = tp->snd_wnd;
	record.srtt_us = OPTIONAL(tp->srtt_us, 0) >> 3;
	record.rttvar_us = OPTIONAL(tp->mdev_us, 0) >> 2;
	record.rto_us = tp->inet_conn.icsk_rto * config.tick_us;
	record.snd_cwnd = OPTIONAL(tp->snd_cwnd, 0);
	record.snd_ssthresh = OPTIONAL(tp->snd_ssthresh, TW_NO_SSTHRESH);
	record.packets_out = tp->packets_out;
	record.retrans_out = OPTIONAL(tp->retrans_out, 0);
	record.lost_out = OPTIONAL(tp->lost_out, 0);
	record.sacked_out = tp->sacked_out;
	record.mss = (__u16)tp->mss_cache;
	record.state = skc->skc_state;
	record.ca_state = BPF_CORE_READ_BITFIELD(&tp->inet_conn, icsk_ca_state);
	if (bpf_core_field_exists(tp->rate_app_limited))
		record.app_limited = BPF_CORE_READ_BITFIELD(tp, rate_app_limited);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/*
 * Programs that user space runs (BPF_PROG_RUN) rather than reads: not every kernel lets iterators over maps be made, some
 * are built or confined so that they get EPERM.
 */

#define DIGEST_WAITS_NS 1000000000ULL

/* A run of a program goes over the whole map, and gives way after so many that it hands over. */
#define RELEASES_PER_RUN 256

/* No local variables: the verifier would follow each of their values. */
__u64 release_not_after_ns; /* digests that have begun then or before */
__u32 releases_left;

static long release_one(struct bpf_map *map, const __u64 *key, const struct digest_entry *entry, void *unused)
{
	__u64 cookie = *key;

	if (entry->released || entry->begun_ns > release_not_after_ns)
		return 0;
	release_digest(cookie);
	return --releases_left == 0;
}

/* Returns 1 where more may wait. */
static __always_inline int release_digests(__u64 not_after_ns)
{
	release_not_after_ns = not_after_ns;
	releases_left = RELEASES_PER_RUN;
	bpf_for_each_map_elem(&digests, release_one, 0, 0);
	return releases_left == 0;
}

/* What has waited long. */
SEC("raw_tp")
int release_old(void *ctx)
{
	return release_digests(bpf_ktime_get_ns() - DIGEST_WAITS_NS);
}

/* At the end of a run. */
SEC("raw_tp")
int release_all(void *ctx)
{
	return release_digests(~0ULL);
}

static long release_one_opening(struct bpf_map *map, const struct tw_tuple *key, struct tw_flow *flow, void *unused)
{
	struct tw_tuple tuple;

	if (!flow->syn_held)
		return 0;
	tuple = *key;
	release_opening(&tuple, flow);
	return --releases_left == 0;
}

/* At the end of a run: SYNs that a listener has not answered. */
SEC("raw_tp")
int release_openings(void *ctx)
{
	releases_left = RELEASES_PER_RUN;
	bpf_for_each_map_elem(&flows, release_one_opening, 0, 0);
	return releases_left == 0;
}

/* What is asked for while the run goes on. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tw_ports_question);
} ports_question SEC(".maps");

static __always_inline const struct tw_ports_question *asked(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ports_question, &zero);
}

static __always_inline bool is_destination(const struct tw_tuple *tuple, const struct tw_ports_question *asked)
{
	const __u32 *one = (const __u32 *)tuple->remote_addr, *other = (const __u32 *)asked->remote_addr;

	return one[0] == other[0] && one[1] == other[1] && one[2] == other[2] && one[3] == other[3] &&
	       tuple->remote_port == asked->remote_port;
}

/* Which local ports are taken towards one destination. */
SEC("iter/tcp")
int snapshot_ports(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	const struct tw_ports_question *asked_for = asked();
	struct tw_port_seen seen = {};
	struct tw_tuple tuple __attribute__((aligned(8))) = {};

	if (!skc || !asked_for || sock_netns(skc) != asked_for->netns)
		return 0;
	common_tuple(skc, skc->skc_num, &tuple);
	if (skc->skc_state != TCP_LISTEN && !is_destination(&tuple, asked_for))
		return 0;
	seen.local_port = tuple.local_port;
	seen.state = skc->skc_state;
	bpf_seq_write(ctx->meta->seq, &seen, sizeof(seen));
	return 0;
}

/* Who still waits for the peer's FIN: sockets, and the mini-sockets of those that their process has closed. */
SEC("iter/tcp")
int snapshot_fin_wait2(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tw_socket record = {};
	struct tcp_timewait_sock *tw;
	struct tcp_sock *tp;

	if (!skc || (skc->skc_state != TCP_FIN_WAIT2 && skc->skc_state != TCP_TIME_WAIT) ||
	    (config.netns && sock_netns(skc) != config.netns))
		return 0;
	fill_header(&record.header, TW_KIND_SOCKET, (__u64)skc->skc_cookie.counter, sock_netns(skc));
	tp = (struct tcp_sock *)bpf_skc_to_tcp_sock(skc);
	if (tp) {
		sock_tuple(sock_of(tp), tp, &record.tuple);
		control_block(sock_of(tp), tp, &record.cb);
		record.type = TW_SOCKET_FULL;
	} else {
		/* By its address: bpf_skc_to_tcp_timewait_sock() gives no type to those of MPTCP. */
		tw = (struct tcp_timewait_sock *)skc;
		if (BPF_CORE_READ(tw, tw_sk.tw_substate) != TCP_FIN_WAIT2)
			return 0;
		common_tuple(skc, skc->skc_num, &record.tuple);
		record.cb.state = TCP_FIN_WAIT2;
		record.type = TW_SOCKET_TIMEWAIT;
	}
	if (flow_wanted(&record.tuple))
		bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* A file's socket, as far as the record of its owner has it. */
struct owned {
	struct tw_tuple tuple;
	__u64 cookie;
	__u32 netns, sent_tick;
	__u8 state;
};

static __always_inline bool read_tcp(struct sock *sk, struct owned *out)
{
	struct tcp_sock *tp = tcp_sock_of(sk);

	if (!tp || !is_inet(&sk->__sk_common))
		return false;
	out->cookie = bpf_get_socket_cookie(sk);
	out->netns = sock_netns(&sk->__sk_common);
	out->state = sk->__sk_common.skc_state;
	out->sent_tick = tp->lsndtime;
	sock_tuple(sock_of(tp), tp, &out->tuple);
	return true;
}

/*
 * Of MPTCP the first subflow. Nothing gives it as a pointer that the verifier knows, so each field is copied; its cookie is
 * there once the sockets have been listed.
 */
static __always_inline bool read_first_subflow(struct sock *whole, struct owned *out)
{
	struct mptcp_subflow_context *subflow;
	struct sock_common *skc;
	struct tcp_sock *tp;

	if (!bpf_core_field_exists(((struct mptcp_sock *)0)->first))
		return false;
	skc = (struct sock_common *)BPF_CORE_READ((struct mptcp_sock *)whole, first);
	if (!skc)
		return false;
	tp = (struct tcp_sock *)skc;
	subflow = (struct mptcp_subflow_context *)BPF_CORE_READ(tp, inet_conn.icsk_ulp_data);
	if (!subflow || BPF_CORE_READ(subflow, conn) != whole)
		return false; /* before 5.12 it can have been freed */
	out->cookie = (__u64)BPF_CORE_READ(skc, skc_cookie.counter);
	out->netns = BPF_CORE_READ(skc, skc_net.net, ns.inum);
	out->state = BPF_CORE_READ(skc, skc_state);
	out->sent_tick = BPF_CORE_READ(tp, lsndtime);
	if (BPF_CORE_READ(skc, skc_family) == AF_INET6) {
		BPF_CORE_READ_INTO(&out->tuple.local_addr, skc, skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&out->tuple.remote_addr, skc, skc_v6_daddr);
		if (is_link_local(*(__u32 *)out->tuple.remote_addr))
			out->tuple.scope = (__u32)BPF_CORE_READ(skc, skc_bound_dev_if);
	} else {
		map_ipv4(out->tuple.local_addr, BPF_CORE_READ(skc, skc_rcv_saddr));
		map_ipv4(out->tuple.remote_addr, BPF_CORE_READ(skc, skc_daddr));
	}
	out->tuple.local_port = BPF_CORE_READ(skc, skc_num);
	out->tuple.remote_port = bpf_ntohs(BPF_CORE_READ(skc, skc_dport));
	return out->cookie;
}

/* state: only sockets in it; 0: all. */
static __always_inline void tell_owner(struct bpf_iter__task_file *ctx, __u8 state, const struct tw_ports_question *to)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct tw_owner record = {};
	struct owned owned = {};
	struct socket *socket;
	struct sock *sk;

	if (!task || !file || task->tgid != task->pid)
		return;
	socket = (struct socket *)bpf_sock_from_file(file);
	if (!socket)
		return;
	sk = socket->sk;
	if (!sk)
		return;
	if (sk->sk_protocol == IPPROTO_MPTCP) {
		if (!read_first_subflow(sk, &owned))
			return;
	} else if (sk->sk_protocol != IPPROTO_TCP || !read_tcp(sk, &owned)) {
		return;
	}
	if (state && owned.state != state)
		return;
	if ((config.netns && owned.netns != config.netns) || (to && owned.netns != to->netns))
		return;
	fill_header(&record.header, TW_KIND_OWNER, owned.cookie, owned.netns);
	record.tuple = owned.tuple;
	task_actor(task, &record.actor);
	record.source = TW_OWNER_SNAPSHOT;
	record.fd = (__s32)ctx->fd;
	record.waited_ms = ticks_to_ms((__u32)bpf_jiffies64() - owned.sent_tick);
	if (to ? is_destination(&record.tuple, to) : flow_wanted(&record.tuple))
		bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
}

SEC("iter/task_file")
int snapshot_owners(struct bpf_iter__task_file *ctx)
{
	tell_owner(ctx, 0, 0);
	return 0;
}

/* Which descriptor a process should have closed. */
SEC("iter/task_file")
int snapshot_close_wait(struct bpf_iter__task_file *ctx)
{
	tell_owner(ctx, TCP_CLOSE_WAIT, 0);
	return 0;
}

/* Who has the local ports that snapshot_ports found. */
SEC("iter/task_file")
int snapshot_port_owners(struct bpf_iter__task_file *ctx)
{
	const struct tw_ports_question *asked_for = asked();

	if (asked_for)
		tell_owner(ctx, 0, asked_for);
	return 0;
}
