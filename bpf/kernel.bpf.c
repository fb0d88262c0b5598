/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.bpf.c: the kernel witness. One program for each tracepoint of TCP; nothing but hooks here. What they read and
 * keep is beside it, by subject: transition.h, owner.h, answered.h, error_queue.h, destroy.h, dropped.h.
 *
 * tp_btf programs get typed arguments and read the control block directly. A tracepoint that this
 * kernel lacks is left out by the loader (user/probe), never an error.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "answered.h"
#include "destroy.h"
#include "dropped.h"
#include "emit.h"
#include "error_queue.h"
#include "maps.h"
#include "owner.h"
#include "sock.h"
#include "transition.h"
#include "wanted.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * The kernel skips a tracing program on a CPU where it runs already: a softirq that interrupts a close() ends up to a
 * few hundred more sockets. Behind each program that this happens to a second one (..._again) is attached, which takes
 * what finds the first one busy.
 */
static __always_inline void set_busy(__u32 *busy, __u32 value)
{
	*(volatile __u32 *)busy = value;
}

static __always_inline bool is_busy(const __u32 *busy)
{
	return *(const volatile __u32 *)busy != 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(kernel_state, struct sock *sk, int old_state, int new_state)
{
	struct tw_cpu_state *cpu = this_cpu_state();

	if (!cpu)
		return 0;
	set_busy(&cpu->in_state, 1);
	state_changed(sk, old_state, new_state);
	set_busy(&cpu->in_state, 0);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(kernel_state_again, struct sock *sk, int old_state, int new_state)
{
	struct tw_cpu_state *cpu = this_cpu_state();

	if (!cpu || !is_busy(&cpu->in_state))
		return 0;
	cpu->again++;
	state_changed(sk, old_state, new_state);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(kernel_retransmit, struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_skb_cb *numbers = (const struct tcp_skb_cb *)skb->cb;
	struct tw_retransmit *record;
	struct tw_tuple tuple;
	struct tcp_sock *tp;

	tp = wanted_tcp_sock(sk, &tuple);
	if (!tp)
		return 0;
	record = reserve_record(tw_retransmit, TW_KIND_RETRANSMIT, bpf_get_socket_cookie(sk), netns_of(tp));
	if (!record)
		return 0;
	record->tuple = tuple;
	control_block(sk, tp, &record->cb);
	record->seq = BPF_CORE_READ(numbers, seq);
	record->end_seq = BPF_CORE_READ(numbers, end_seq);
	record->err = config.has_retransmit_err ? (__s32)ctx[2] : TW_RETRANSMIT_ERR_UNKNOWN;
	record->synack = 0;
	record->num_timeout = 0;
	record->segments = BPF_CORE_READ(numbers, tcp_gso_segs);
	record->acked = 0;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	submit_record(record);
	return 0;
}

/* The listener's request socket sends its SYN-ACK again. num_timeout: how often before this time. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(kernel_retransmit_synack, struct sock *sk, struct request_sock *req)
{
	struct tcp_request_sock *treq = (struct tcp_request_sock *)req;
	struct tw_retransmit *record;
	struct tw_tuple tuple;

	if (!common_wanted(&req->__req_common))
		return 0;
	common_tuple(&req->__req_common, req->__req_common.skc_num, &tuple);
	if (!flow_wanted(&tuple))
		return 0;
	record = reserve_record(tw_retransmit, TW_KIND_RETRANSMIT, (__u64)req->__req_common.skc_cookie.counter,
				sock_netns(&req->__req_common));
	if (!record)
		return 0;
	__builtin_memset(&record->cb, 0, sizeof(record->cb));
	record->tuple = tuple;
	record->seq = BPF_CORE_READ(treq, snt_isn);
	record->end_seq = record->seq + 1;
	record->cb.snd_una = record->seq;
	record->cb.snd_nxt = record->end_seq;
	record->cb.rcv_nxt = BPF_CORE_READ(treq, rcv_nxt);
	record->cb.state = TCP_NEW_SYN_RECV;
	record->err = TW_RETRANSMIT_ERR_UNKNOWN;
	record->synack = 1;
	record->num_timeout = BPF_CORE_READ_BITFIELD(req, num_timeout);
	record->segments = 1;
	record->acked = BPF_CORE_READ_BITFIELD_PROBED(&treq->req, acked);
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	submit_record(record);
	return 0;
}

/*
 * sk: NULL when no socket wanted the segment; may be a listener or a mini-socket. skb: the segment that
 * is answered, NULL for an active reset.
 */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(kernel_send_reset, struct sock *sk, struct sk_buff *skb)
{
	struct answered answered = {};
	struct tcp_sock *tp = 0;
	struct tw_reset *record;
	bool answers = skb && read_answered(skb, &answered);
	__u64 cookie = 0;
	__u32 netns = answered.netns;

	if (sk) {
		netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
		tp = (struct tcp_sock *)bpf_skc_to_tcp_sock(sk);
		if (sk->__sk_common.skc_state != TCP_LISTEN)
			cookie = (__u64)sk->__sk_common.skc_cookie.counter;
	}
	if (config.netns && netns != config.netns)
		return 0;
	if (tp && !answers)
		sock_tuple(sk, tp, &answered.tuple);
	else if (!answers)
		return 0;
	if (!flow_wanted(&answered.tuple))
		return 0;
	if (config.digests)
		release_ends(&answered.tuple);
	record = reserve_record(tw_reset, TW_KIND_RESET, cookie, netns);
	if (!record)
		return 0;
	record->tuple = answered.tuple;
	if (tp)
		control_block(sk, tp, &record->cb);
	else
		__builtin_memset(&record->cb, 0, sizeof(record->cb));
	current_actor(record->cb.flags & TW_CB_OWNED, &record->actor);
	record->reason = config.has_reset_reason ? (__u32)ctx[2] : TW_REASON_UNKNOWN;
	record->skb_seq = answered.seq;
	record->skb_ack = answered.ack;
	record->skb_flags = answered.flags;
	record->direction = TW_RESET_SENT;
	record->has_socket = sk != 0;
	record->answers_segment = answers;
	record->sent_ms = 0;
	submit_record(record);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(kernel_receive_reset, struct sock *sk)
{
	struct tw_reset *record;
	struct tw_tuple tuple;
	struct tcp_sock *tp;

	tp = wanted_tcp_sock(sk, &tuple);
	if (!tp)
		return 0;
	record = reserve_record(tw_reset, TW_KIND_RESET, bpf_get_socket_cookie(sk), netns_of(tp));
	if (!record)
		return 0;
	record->tuple = tuple;
	control_block(sk, tp, &record->cb);
	__builtin_memset(&record->actor, 0, sizeof(record->actor));
	record->reason = TW_REASON_UNKNOWN;
	record->skb_seq = 0;
	record->skb_ack = 0;
	record->skb_flags = 0;
	record->direction = TW_RESET_RECEIVED;
	record->has_socket = 1;
	record->answers_segment = 0;
	record->sent_ms = ticks_to_ms((__u32)bpf_jiffies64() - tp->lsndtime);
	submit_record(record);
	return 0;
}

SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(kernel_error, struct sock *sk)
{
	struct tw_error *record;
	struct tw_tuple tuple;
	struct tcp_sock *tp;

	tp = wanted_tcp_sock(sk, &tuple);
	if (!tp)
		return 0;
	record = reserve_record(tw_error, TW_KIND_ERROR, bpf_get_socket_cookie(sk), netns_of(tp));
	if (!record)
		return 0;
	record->tuple = tuple;
	read_error_queue(sk, record);
	record->err_soft = (__u16)sk->sk_err_soft;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	control_block(sk, tp, &record->cb);
	submit_record(record);
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(kernel_destroy, struct sock *sk)
{
	struct tw_cpu_state *cpu = this_cpu_state();

	if (!cpu)
		return 0;
	set_busy(&cpu->in_destroy, 1);
	destroyed(sk);
	set_busy(&cpu->in_destroy, 0);
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(kernel_destroy_again, struct sock *sk)
{
	struct tw_cpu_state *cpu = this_cpu_state();

	if (!cpu || !is_busy(&cpu->in_destroy))
		return 0;
	cpu->again++;
	destroyed(sk);
	return 0;
}

/* 0: it is one segment. */
static __always_inline __u16 segments_in(const struct sk_buff *skb, __u32 payload)
{
	struct skb_shared_info *shared = (struct skb_shared_info *)(skb->head + skb->end);
	__u16 segments = BPF_CORE_READ(shared, gso_segs);
	__u16 size = BPF_CORE_READ(shared, gso_size);

	return segments || !size ? segments : (__u16)uncounted_segments(payload, size);
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(kernel_drop, struct sk_buff *skb, void *location, __u32 reason)
{
	struct sock *taker = config.has_drop_sk ? (struct sock *)ctx[3] : 0;
	struct dropped dropped = {};
	struct sock *sk = skb->sk;
	struct tw_drop *record;
	__u32 netns;
	bool outgoing, unrouted;

	if (skb->protocol && skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6))
		return 0;
	unrouted = read_unrouted(skb, sk, &dropped);
	if (unrouted)
		reason = unrouted_reason(reason);
	else if (!skb->protocol)
		return 0;
	if (!drop_tells(reason) || is_copy(skb, taker, reason))
		return 0;
	/* The backlog of a CPU is full on arrival, before skb_iif is set. */
	outgoing = unrouted || (skb->skb_iif == 0 && !IS_DROP_REASON(reason, SKB_DROP_REASON_CPU_BACKLOG));
	netns = dropped_netns(skb, taker);
	if (config.netns && netns && netns != config.netns)
		return 0;
	if ((!unrouted && !read_dropped(skb, outgoing, &dropped)) ||
	    !dropped_wanted(sk, outgoing, (__u32)skb->skb_iif, &dropped.tuple) ||
	    is_dropped_for_others(reason, &dropped.tuple))
		return 0;
	if (config.digests)
		release_ends(&dropped.tuple);
	/* By its cookie, too: a SYN that never gets to the interface has no flow. */
	record = reserve_record(tw_drop, TW_KIND_DROP, dropped_cookie(sk, taker, outgoing), netns);
	if (!record)
		return 0;
	record->tuple = dropped.tuple;
	record->reason = reason;
	record->seq = dropped.seq;
	record->ack = dropped.ack;
	record->len = dropped.len;
	record->ifindex = (__u32)skb->skb_iif;
	record->window = dropped.window;
	record->flags = dropped.flags;
	record->ttl = dropped.ttl;
	record->outgoing = outgoing;
	record->has_socket = sk && is_inet(&sk->__sk_common); /* an AF_PACKET socket can stand there too */
	record->state = record->has_socket ? sk->__sk_common.skc_state : 0;
	record->pad = 0;
	record->segments = segments_in(skb, dropped.len);
	__builtin_memset(record->pad_end, 0, sizeof(record->pad_end));
	submit_record(record);
	return 0;
}

/* An ICMP error of this machine about a segment that came in (a firewall that rejects, no route). IPv4 since 6.11. */
SEC("tp_btf/icmp_send")
int BPF_PROG(kernel_icmp_sent, struct sk_buff *skb, int type, int code)
{
	struct dropped about = {};
	struct tw_icmp *record;
	__u32 netns;

	if (type != ICMP_DEST_UNREACH && type != ICMP_TIME_EXCEEDED && type != ICMP_PARAMETERPROB)
		return 0;
	if (skb->protocol != bpf_htons(ETH_P_IP) || !skb->skb_iif)
		return 0;
	netns = dropped_netns(skb, 0);
	if (config.netns && netns != config.netns)
		return 0;
	if (!read_dropped(skb, false, &about) || !dropped_wanted(0, false, (__u32)skb->skb_iif, &about.tuple))
		return 0;
	if (config.digests)
		release_ends(&about.tuple);
	record = reserve_record(tw_icmp, TW_KIND_ICMP, 0, netns);
	if (!record)
		return 0;
	record->tuple = about.tuple;
	record->seq = about.seq;
	record->mtu = 0;
	__builtin_memset(record->sender, 0, sizeof(record->sender));
	record->type = (__u8)type;
	record->code = (__u8)code;
	record->v6 = 0;
	record->sent = TW_ICMP_SENT;
	record->came_in = 0;
	submit_record(record);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(kernel_owner_send, struct sock *sk)
{
	return owner_seen(sk, TW_OWNER_SEND, false);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(kernel_owner_receive, struct sock *sk, int length)
{
	return owner_seen(sk, TW_OWNER_RECEIVE, length > 0);
}

/*
 * Before 6.3: after the reader took data out of the receive queue, in its own context. What reads in a softirq (a parser of
 * kTLS or of a sockmap: tcp_read_sock()) is no process, and does not own the socket.
 */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(kernel_owner_receive_old, struct sock *sk)
{
	if (!sk->sk_lock.owned)
		return 0;
	return owner_seen(sk, TW_OWNER_RECEIVE, true);
}
