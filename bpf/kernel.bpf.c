/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.bpf.c: the kernel witness. One program for each tracepoint of TCP; nothing but hooks here.
 *
 * tp_btf programs get typed arguments and read the control block directly. A tracepoint that this
 * kernel lacks is left out by the loader (user/probe), never an error.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.h"
#include "maps.h"
#include "sock.h"
#include "stall.h"
#include "times.h"

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

/* So many changes of who uses a socket are reported: two processes that take turns must not flood the ring. */
#define MAX_OWNERS_REPORTED 4

/*
 * Who used a socket last, in one word that is found without a search: the cookie above the process. Two sockets can have
 * the same place: then `owners` is asked.
 */
#define RECENT_USERS 8192
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RECENT_USERS);
	__type(key, __u32);
	__type(value, __u64);
} recent_users SEC(".maps");

static __always_inline __u64 *recent_user(__u64 cookie)
{
	__u32 slot = (__u32)cookie & (RECENT_USERS - 1);

	return bpf_map_lookup_elem(&recent_users, &slot);
}

/* connect() has reported the process: the same one sending and receiving is no news. */
static __always_inline void mark_connector(__u64 cookie, const struct tw_actor *actor)
{
	struct owner_mark mark = {.tgid = actor->tgid};

	__builtin_memcpy(mark.comm, actor->comm, sizeof(mark.comm));
	bpf_map_update_elem(&owners, &cookie, &mark, BPF_ANY);
}

static __always_inline bool is_inet(const struct sock_common *skc)
{
	return skc->skc_family == AF_INET || skc->skc_family == AF_INET6;
}

/* Of the namespace we look at? Cheapest test first. */
static __always_inline bool common_wanted(const struct sock_common *skc)
{
	if (config.netns && sock_netns(skc) != config.netns)
		return false;
	return is_inet(skc);
}

static __always_inline bool is_filtered(void)
{
	return config.some_ports || config.some_hosts;
}

static __always_inline __u64 cookie_of(struct sock *sk)
{
	__u64 cookie = (__u64)sk->__sk_common.skc_cookie.counter;

	return cookie ? cookie : bpf_get_socket_cookie(sk); /* nobody has asked for it yet */
}

/*
 * The TCP socket behind `sk`, if it is of the namespace we look at. Whatever points to something is read through this one:
 * of a hook's own argument Linux 6.18's verifier asks five times, by name among all types of the kernel, whether what it
 * points to can be trusted (btf_nested_type_is_trusted()), some ms each time.
 */
static __always_inline struct tcp_sock *wanted_netns(struct sock *sk)
{
	struct tcp_sock *tp = sk ? (struct tcp_sock *)bpf_skc_to_tcp_sock(sk) : 0;

	return tp && common_wanted(&tp->inet_conn.icsk_inet.sk.__sk_common) ? tp : 0;
}

static __always_inline __u32 netns_of(const struct tcp_sock *tp)
{
	return sock_netns(&tp->inet_conn.icsk_inet.sk.__sk_common);
}

/* The TCP socket behind `sk` if it is one we look at, and its address pair; else NULL. */
static __always_inline struct tcp_sock *wanted_tcp_sock(struct sock *sk, struct tw_tuple *tuple)
{
	struct tcp_sock *tp;

	tp = wanted_netns(sk);
	if (!tp)
		return 0;
	sock_tuple(tp, tuple);
	return flow_wanted(tuple) ? tp : 0;
}

/* The ports that connect() may choose from: inet_sk_get_local_port_range(). */
static __always_inline void port_range(const struct tcp_sock *tp, struct tw_state *record)
{
	const struct inet_sock *inet = &tp->inet_conn.icsk_inet;
	const struct net *net = inet->sk.__sk_common.skc_net.net;
	__u32 own = bpf_core_field_exists(inet->local_port_range) ? BPF_CORE_READ(inet, local_port_range) : 0;
	__u16 first, last;

	if (bpf_core_field_exists(net->ipv4.ip_local_ports.range)) {
		__u32 range = BPF_CORE_READ(net, ipv4.ip_local_ports.range);

		first = (__u16)range;
		last = (__u16)(range >> 16);
	} else if (bpf_core_field_exists(((struct local_ports___pair *)0)->range)) {
		const struct local_ports___pair *ports =
			(const void *)__builtin_preserve_access_index(&net->ipv4.ip_local_ports);

		first = (__u16)BPF_CORE_READ(ports, range[0]);
		last = (__u16)BPF_CORE_READ(ports, range[1]);
	} else {
		first = 0;
		last = 0;
	}
	if (own) {
		__u16 lower = (__u16)own, upper = (__u16)(own >> 16);

		/* Only what lies inside the namespace's. */
		record->port |= TW_PORT_OWN_RANGE;
		if (lower && lower >= first && lower <= last)
			first = lower;
		if (upper && upper >= first && upper <= last)
			last = upper;
	}
	record->first_port = first;
	record->last_port = last;
}

/*
 * inet_twsk_alloc() makes no mini-socket then (TCPTimeWaitOverflow), and the connection is forgotten. Full it is also
 * where this one's is the last that found room.
 */
static __always_inline bool time_wait_is_full(const struct tcp_sock *tp)
{
	const struct net *net = tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net;

	if (!bpf_core_field_exists(net->ipv4.tcp_death_row.tw_refcount))
		return false;
	return BPF_CORE_READ(net, ipv4.tcp_death_row.tw_refcount.refs.counter) - 1 >=
	       BPF_CORE_READ(net, ipv4.tcp_death_row.sysctl_max_tw_buckets);
}

/* How long an orphan waits in FIN_WAIT2. */
static __always_inline __u32 fin_timeout_ms(const struct tcp_sock *tp)
{
	const struct net *net = tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net;
	int own = OPTIONAL(tp->linger2, -1);

	if (own < 0)
		return 0;
	return ticks_to_ms(own ? own : OPTIONAL(net->ipv4.sysctl_tcp_fin_timeout, 0));
}

/* close() and exit let go of the file before the socket is closed; shutdown() is called through it. */
static __always_inline bool is_released(const struct sock *sk)
{
	struct file *file = sk->sk_socket->file;

	if (!file)
		return false;
	if (bpf_core_field_exists(((struct file *)0)->f_ref))
		return BPF_CORE_READ(file, f_ref.refcnt.counter) < 0;
	return BPF_CORE_READ((struct file___counted *)file, f_count.counter) == 0;
}

/*
 * A further subflow of MPTCP is connected by a kernel worker, for the process that connected the first one.
 */
static __always_inline void subflow_actor(const struct tcp_sock *tp, struct tw_actor *actor)
{
	struct mptcp_subflow_context *subflow;
	struct mptcp_sock *whole;
	struct owner_mark *mark;
	struct sock *first;
	__u64 cookie;

	if (!(actor->flags & TW_ACTOR_KTHREAD) || !is_subflow(tp))
		return;
	subflow = (struct mptcp_subflow_context *)BPF_CORE_READ(tp, inet_conn.icsk_ulp_data);
	whole = (struct mptcp_sock *)BPF_CORE_READ(subflow, conn);
	first = BPF_CORE_READ(whole, first);
	cookie = (__u64)BPF_CORE_READ(first, __sk_common.skc_cookie.counter);
	mark = bpf_map_lookup_elem(&owners, &cookie);
	if (!mark)
		return;
	actor->tgid = mark->tgid;
	actor->flags = TW_ACTOR_PRESENT | TW_ACTOR_OWNED;
	__builtin_memcpy(actor->comm, mark->comm, sizeof(mark->comm));
}

/*
 * To which states an ordinary life goes on from each one. No switch: the verifier would follow each of its cases. Volatile, or it
 * gets a section of its own, which libbpf 1.1 does not place in the BTF.
 */
static const volatile __u16 ordinary[16] = {
	[TCP_SYN_SENT] = 1 << TCP_ESTABLISHED,
	[TCP_LISTEN] = 1 << BPF_TCP_SYN_RECV,
	[BPF_TCP_SYN_RECV] = 1 << TCP_ESTABLISHED,
	[TCP_ESTABLISHED] = 1 << TCP_FIN_WAIT1 | 1 << TCP_CLOSE_WAIT,
	[TCP_FIN_WAIT1] = 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSING,
	[TCP_CLOSE_WAIT] = 1 << TCP_LAST_ACK,
	[TCP_FIN_WAIT2] = 1 << TCP_CLOSE,
	[TCP_CLOSING] = 1 << TCP_CLOSE,
	[TCP_LAST_ACK] = 1 << TCP_CLOSE,
};

/* Where the wire is traced a child's digest was begun by its SYN-ACK. */
static __always_inline bool begins_digest(int old_state, int new_state)
{
	return (old_state == TCP_CLOSE && new_state == TCP_SYN_SENT) ||
	       (config.digests == TW_DIGESTS_OF_KERNEL && old_state == TCP_LISTEN && new_state == BPF_TCP_SYN_RECV);
}

/* Who closes or connects, as one process acts in all of a digest: false where it is another one, or none that goes on. */
static __always_inline bool same_actor(struct digest_entry *entry)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (task->flags & (PF_KTHREAD | PF_EXITING))
		return false;
	if (entry->held.actor.flags & TW_ACTOR_PRESENT)
		return entry->held.actor.tgid == (__u32)task->tgid;
	task_actor(task, &entry->held.actor);
	return true;
}

/* A connection whose events can wait. */
static __always_inline struct digest_entry *begin_active_or_child(struct tcp_sock *tp, __u64 cookie, int new_state)
{
	const struct sock *sk = &tp->inet_conn.icsk_inet.sk;
	struct digest_entry *entry;
	struct tw_tuple tuple;

	if (is_subflow(tp))
		return 0;
	if (new_state == TCP_SYN_SENT &&
	    (!sk->sk_lock.owned || bpf_get_current_task_btf()->flags & (PF_KTHREAD | PF_EXITING)))
		return 0;
	sock_tuple(tp, &tuple);
	if (new_state == TCP_SYN_SENT)
		tuple.local_port = sk->__sk_common.skc_num;
	entry = begin_digest(cookie, &tuple);
	if (entry)
		entry->netns = sock_netns(&sk->__sk_common);
	return entry;
}

/*
 * Keeps an ordinary transition for the socket's digest. False: it is to be a record. Bits are written to map memory and
 * read back, as the verifier does not follow its contents. No inline function: the verifier would go through all that
 * its caller does next once for each `return`.
 */
static __noinline bool hold_state(struct tcp_sock *tp, __u64 cookie, int old_state, int new_state)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	const struct sock *sk = &icsk->icsk_inet.sk;
	struct digest_entry *entry = digest_of(cookie);
	struct tw_held_state *held;
	__u8 flags;
	__u32 at;

	if (entry) {
		if (!(ordinary[old_state & 15] & 1 << (new_state & 15)))
			return false;
	} else {
		if (!begins_digest(old_state, new_state))
			return false;
		entry = begin_active_or_child(tp, cookie, new_state);
		if (!entry)
			return false;
	}
	at = entry->counts >> 16;
	/* Two CPUs can make a child of one request each, both with its cookie. */
	if (sk->sk_err || at >= TW_HELD_STATES || (old_state == TCP_LISTEN && at))
		return false;
	held = &entry->held.states[at];
	*(volatile __u8 *)&held->flags = sock_cb_flags(tp);
	flags = *(volatile __u8 *)&held->flags;
	*(volatile __u8 *)&held->details = control_block_details(tp, flags);
	if (flags & TW_CB_REPAIR || (flags & TW_CB_OWNED && !same_actor(entry)))
		return false;
	/* A process can have the socket for long yet, and its end comes when that lets go of it. */
	if (new_state == TCP_CLOSE && !(flags & TW_CB_DEAD))
		return false;
	/* What becomes no mini-socket, as there are too many. */
	if (new_state == TCP_CLOSE && old_state != TCP_LAST_ACK && time_wait_is_full(tp))
		return false;
	/* The mini-socket waits for the peer's FIN, which will be a record of its own. */
	if (old_state == TCP_FIN_WAIT2)
		entry->held.fin_timeout_ms = fin_timeout_ms(tp);
	if (sk->sk_shutdown && flags & TW_CB_OWNED && is_released(sk))
		held->details |= TW_CB_RELEASED;
	held->ts_ns = bpf_ktime_get_ns();
	held->snd_una = tp->snd_una;
	held->snd_nxt = tp->snd_nxt;
	held->write_seq = tp->write_seq;
	held->rcv_nxt = tp->rcv_nxt;
	held->bytes_received = (__u32)tp->bytes_received;
	held->mss = (__u16)tp->mss_cache;
	held->segs_out = OPTIONAL(tp->segs_out, 0) > 0xffff ? 0xffff : (__u16)OPTIONAL(tp->segs_out, 0);
	held->packets_out = tp->packets_out > 0xffff ? 0xffff : (__u16)tp->packets_out;
	held->old_state = (__u8)old_state;
	held->new_state = (__u8)new_state;
	held->actor = flags & TW_CB_OWNED ? TW_ACTOR_PRESENT | TW_ACTOR_OWNED : 0;
	held->port = BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & SOCK_BINDPORT_LOCK ? TW_PORT_BOUND : 0;
	if (new_state == TCP_ESTABLISHED || new_state == BPF_TCP_SYN_RECV) {
		sock_tuple(tp, &entry->tuple);
		entry->netns = sock_netns(&sk->__sk_common);
	}
	if (new_state == TCP_SYN_SENT) {
		__u64 *recent = recent_user(cookie);

		if (recent)
			*recent = cookie << 32 | entry->held.actor.tgid;
	}
	__sync_fetch_and_add(&entry->counts, ONE_STATE);
	return !was_released(entry);
}

/*
 * Two CPUs can make a child of one request each, both with its cookie and its addresses. The one that is too late is
 * closed before it was ever hashed (inet_ehash_nolisten()), and alone keeps the port that it has from its listener until
 * now: who closes otherwise has given it back (tcp_set_state()), unless bind() has chosen it.
 */
static __always_inline bool is_late_child(const struct tcp_sock *tp)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;

	return OPTIONAL(icsk->icsk_bind_hash, 0) &&
	       !(BPF_CORE_READ_BITFIELD(&icsk->icsk_inet.sk, sk_userlocks) & SOCK_BINDPORT_LOCK);
}

static __always_inline void state_changed(struct sock *sk, int old_state, int new_state)
{
	struct tw_tuple tuple;
	struct tw_state *record;
	struct tcp_sock *tp;
	__u64 cookie;

	tp = wanted_netns(sk);
	if (!tp)
		return;
	cookie = cookie_of(sk);
	if (config.digests && !is_filtered() && hold_state(tp, cookie, old_state, new_state))
		return;
	sock_tuple(tp, &tuple);
	if (!flow_wanted(&tuple))
		return;
	if (config.digests && is_filtered() && hold_state(tp, cookie, old_state, new_state))
		return;
	record = reserve_record(tw_state, TW_KIND_STATE, cookie, netns_of(tp));
	if (!record)
		return;
	record->tuple = tuple;
	if (new_state == TCP_SYN_SENT) /* inet_sport is still that of an earlier try, until a port is chosen */
		record->tuple.local_port = tp->inet_conn.icsk_inet.sk.__sk_common.skc_num;
	control_block(tp, &record->cb);
	current_actor(record->cb.flags & TW_CB_OWNED, &record->actor);
	if (record->cb.sk_shutdown && record->cb.flags & TW_CB_OWNED && is_released(&tp->inet_conn.icsk_inet.sk))
		record->cb.details |= TW_CB_RELEASED;
	if (new_state == TCP_CLOSE && (old_state == TCP_FIN_WAIT2 || old_state == TCP_CLOSING) && time_wait_is_full(tp))
		record->cb.details |= TW_CB_TIME_WAIT_FULL;
	record->old_state = (__u8)old_state;
	record->new_state = (__u8)new_state;
	record->port = BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & SOCK_BINDPORT_LOCK ? TW_PORT_BOUND : 0;
	if (old_state == BPF_TCP_SYN_RECV && new_state == TCP_CLOSE && is_late_child(tp))
		record->port |= TW_PORT_KEPT;
	record->fin_timeout_ms = old_state == TCP_FIN_WAIT2 ? fin_timeout_ms(tp) : 0;
	record->first_port = 0;
	record->last_port = 0;
	if (old_state == TCP_SYN_SENT && new_state == TCP_CLOSE)
		port_range(tp, record);
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	if (new_state == TCP_SYN_SENT)
		subflow_actor(tp, &record->actor);
	if (new_state == TCP_SYN_SENT && record->actor.flags & TW_ACTOR_PRESENT)
		mark_connector(record->header.cookie, &record->actor);
	submit_record(record);
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
	control_block(tp, &record->cb);
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

/* The listener's request socket sends its SYN-ACK again; num_timeout is counted before the increment. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(kernel_retransmit_synack, struct sock *sk, struct request_sock *req)
{
	struct tcp_request_sock *treq = (struct tcp_request_sock *)req;
	struct tw_retransmit *record;
	struct tw_tuple tuple;

	if (!common_wanted(&req->__req_common))
		return 0;
	common_tuple(&req->__req_common, 0, &tuple);
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

/* The headers of the segment that is answered by a RST, as far as the kernel still has them. */
struct answered {
	struct tw_tuple tuple;
	__u32 seq, ack, netns;
	__u8 flags;
};

static __always_inline bool read_answered(struct sk_buff *skb, struct answered *out)
{
	unsigned char *head = BPF_CORE_READ(skb, head);
	unsigned char *ip = head + BPF_CORE_READ(skb, network_header);
	unsigned char *tcp = head + BPF_CORE_READ(skb, transport_header);
	__be32 words[4]; /* ports, seq, ack, offset and flags */
	__u8 version;

	if (bpf_probe_read_kernel(&version, 1, ip) || bpf_probe_read_kernel(words, sizeof(words), tcp))
		return false;
	if (version >> 4 == 4) {
		__be32 addrs[2];

		if (bpf_probe_read_kernel(addrs, sizeof(addrs), ip + 12))
			return false;
		map_ipv4(out->tuple.remote_addr, addrs[0]);
		map_ipv4(out->tuple.local_addr, addrs[1]);
	} else if (bpf_probe_read_kernel(out->tuple.remote_addr, 16, ip + 8) ||
		   bpf_probe_read_kernel(out->tuple.local_addr, 16, ip + 24)) {
		return false;
	}
	if (is_link_local(*(__u32 *)out->tuple.remote_addr))
		out->tuple.scope = (__u32)BPF_CORE_READ(skb, skb_iif);
	out->tuple.remote_port = (__u16)(bpf_ntohl(words[0]) >> 16);
	out->tuple.local_port = (__u16)bpf_ntohl(words[0]);
	out->seq = bpf_ntohl(words[1]);
	out->ack = bpf_ntohl(words[2]);
	out->flags = (__u8)(bpf_ntohl(words[3]) >> 16);
	out->netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	return true;
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
		sock_tuple(tp, &answered.tuple);
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
		control_block(tp, &record->cb);
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
	control_block(tp, &record->cb);
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

/*
 * The newest entry of the error queue, and of an ICMP message there who sent it. tcp_v4_err() queues the message while
 * SYN_SENT lasts, before it decides whether the connection ends, or goes on as its process holds the lock (then only
 * SO_ERROR says it). tcp_v6_err() queues it where IPV6_RECVERR is set.
 */
static __always_inline void read_error_queue(struct sock *sk, struct tw_error *record)
{
	struct sock_exterr_skb *queued;
	struct sk_buff *newest;
	unsigned char *ip;

	record->queue_origin = 0;
	record->icmp_errno = 0;
	record->icmp_type = 0;
	record->icmp_code = 0;
	__builtin_memset(record->icmp_sender, 0, sizeof(record->icmp_sender));
	if (!BPF_CORE_READ(sk, sk_error_queue.qlen))
		return;
	newest = BPF_CORE_READ(sk, sk_error_queue.prev);
	queued = (struct sock_exterr_skb *)__builtin_preserve_access_index(&newest->cb);
	record->queue_origin = BPF_CORE_READ(queued, ee.ee_origin);
	if (record->queue_origin != SO_EE_ORIGIN_ICMP && record->queue_origin != SO_EE_ORIGIN_ICMP6)
		return;
	record->icmp_errno = (__u16)BPF_CORE_READ(queued, ee.ee_errno);
	record->icmp_type = BPF_CORE_READ(queued, ee.ee_type);
	record->icmp_code = BPF_CORE_READ(queued, ee.ee_code);
	ip = BPF_CORE_READ(newest, head) + BPF_CORE_READ(newest, network_header);
	if (record->queue_origin == SO_EE_ORIGIN_ICMP6) {
		bpf_probe_read_kernel(record->icmp_sender, 16, ip + 8);
	} else {
		__be32 sender = 0;

		bpf_probe_read_kernel(&sender, sizeof(sender), ip + 12);
		map_ipv4(record->icmp_sender, sender);
	}
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
	control_block(tp, &record->cb);
	submit_record(record);
	return 0;
}

/* A flow whose socket is gone, unless segments of its closing are still to come. */
static __always_inline void let_go(const struct tw_tuple *tuple, struct tw_flow *flow)
{
	if (flow->half[1].fin && !(flow->half[0].fin && flow->half[0].fin_acked && flow->half[1].fin_acked)) {
		flow->orphaned = 1;
		flow->cookie = 0;
	} else {
		forget_flow(tuple, flow);
	}
}

/* The end of an ordinary life. False: its events did not wait, or another CPU has just released them. No inline function, as hold_state(). */
static __noinline bool submit_digest(struct tcp_sock *tp, __u64 cookie, const struct tw_tuple *tuple,
				     const struct tw_flow *flow)
{
	struct digest_entry *entry = digest_of(cookie);
	struct tw_digest *record;
	__u32 held, netns;

	if (!entry)
		return false;
	record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	__sync_fetch_and_add(&entry->released, 1);
	entry->held.state_count = states_of(entry);
	held = events_of(entry) + 1;
	netns = entry->netns;
	if (!record) {
		if (bpf_map_delete_elem(&digests, &cookie))
			return false;
		count_lost_digest(held);
		return true;
	}
	record->tuple = *tuple;
	record->held = entry->held;
	record->destroyed = 1;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	control_block(tp, &record->cb);
	take_flow(flow, record);
	if (bpf_map_delete_elem(&digests, &cookie)) {
		bpf_ringbuf_discard(record, 0);
		return false;
	}
	fill_digest_header(record, cookie, netns, held);
	submit_record(record);
	return true;
}

/* Whether the ring has room for it or not: its flow and its owner are forgotten. */
static __always_inline void destroyed(struct sock *sk)
{
	struct tw_destroy *record;
	struct tw_tuple tuple;
	struct tw_flow *flow;
	struct tcp_sock *tp;
	__u64 cookie;

	tp = wanted_tcp_sock(sk, &tuple);
	if (!tp)
		return;
	cookie = bpf_get_socket_cookie(sk);
	flow = bpf_map_lookup_elem(&flows, &tuple);
	if (config.digests && !is_late_child(tp) && submit_digest(tp, cookie, &tuple, flow)) {
		if (flow)
			let_go(&tuple, flow);
		return;
	}
	record = reserve_record(tw_destroy, TW_KIND_DESTROY, cookie, netns_of(tp));
	if (record) {
		record->tuple = tuple;
		__builtin_memset(record->pad, 0, sizeof(record->pad));
		control_block(tp, &record->cb);
		take_flow(flow, record);
		submit_record(record);
	}
	if (is_late_child(tp)) /* flow and owner are the other one's */
		return;
	if (flow)
		let_go(&tuple, flow);
	bpf_map_delete_elem(&owners, &cookie);
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

/* Is `reason` the one of this name? Older kernels do not know every one. */
#define IS_DROP_REASON(reason, name)                               \
	(bpf_core_enum_value_exists(enum skb_drop_reason, name) && \
	 (reason) == bpf_core_enum_value(enum skb_drop_reason, name))

/*
 * What is dropped for no fault is not reported: buffers of a queue that goes away with its socket, and what old code
 * gives no reason for (a FIN that its TIME_WAIT socket has taken).
 */
static __always_inline bool drop_tells(__u32 reason)
{
	return !IS_DROP_REASON(reason, SKB_DROP_REASON_QUEUE_PURGE) &&
	       !IS_DROP_REASON(reason, SKB_DROP_REASON_NOT_SPECIFIED);
}

/*
 * A raw socket gets a copy of each segment that arrives, and what it does not take, TCP gets all the same. Before 6.11
 * nobody says whose copy it was: one in IPv4 begins with its IP header (raw_rcv()), and TCP's own does not any more.
 */
static __always_inline bool is_copy(struct sk_buff *skb, struct sock *taker, __u32 reason)
{
	if (taker)
		return taker->__sk_common.skc_state != TCP_NEW_SYN_RECV &&
		       taker->__sk_common.skc_state != TCP_TIME_WAIT && taker->sk_type != SOCK_STREAM;
	if (!IS_DROP_REASON(reason, SKB_DROP_REASON_SOCKET_FILTER) &&
	    !IS_DROP_REASON(reason, SKB_DROP_REASON_SOCKET_RCVBUFF))
		return false;
	return skb->protocol == bpf_htons(ETH_P_IP) && skb->transport_header > skb->network_header &&
	       skb->data == skb->head + skb->network_header;
}

/* What the headers of a buffer say. */
struct dropped {
	struct tw_tuple tuple;
	__u32 seq, ack, len;
	__u16 window;
	__u8 flags, ttl;
};

/* The buffer can be at any place of the stack: only the network header is sure, what follows is read behind it. */
static __always_inline bool read_dropped(struct sk_buff *skb, bool outgoing, struct dropped *out)
{
	unsigned char *ip = skb->head + skb->network_header;
	__u32 headers, behind;
	__be32 words[4]; /* ports, seq, ack, offset and flags and window */
	__u8 first[10];

	if (bpf_probe_read_kernel(first, sizeof(first), ip))
		return false;
	if (skb->protocol == bpf_htons(ETH_P_IP) && first[0] >> 4 == 4 && first[9] == IPPROTO_TCP) {
		__be32 addrs[2];

		if (first[6] & 0x1f || first[7]) /* a later fragment has no TCP header */
			return false;
		headers = (first[0] & 0xf) * 4;
		out->ttl = first[8];
		if (bpf_probe_read_kernel(addrs, sizeof(addrs), ip + 12))
			return false;
		map_ipv4(out->tuple.local_addr, addrs[outgoing ? 0 : 1]);
		map_ipv4(out->tuple.remote_addr, addrs[outgoing ? 1 : 0]);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6) && first[0] >> 4 == 6 && first[6] == IPPROTO_TCP) {
		headers = 40;
		out->ttl = first[7];
		if (bpf_probe_read_kernel(out->tuple.local_addr, 16, ip + (outgoing ? 8 : 24)) ||
		    bpf_probe_read_kernel(out->tuple.remote_addr, 16, ip + (outgoing ? 24 : 8)))
			return false;
	} else {
		return false;
	}
	if (bpf_probe_read_kernel(words, sizeof(words), ip + headers))
		return false;
	out->tuple.local_port = outgoing ? (__u16)(bpf_ntohl(words[0]) >> 16) : (__u16)bpf_ntohl(words[0]);
	out->tuple.remote_port = outgoing ? (__u16)bpf_ntohl(words[0]) : (__u16)(bpf_ntohl(words[0]) >> 16);
	out->seq = bpf_ntohl(words[1]);
	out->ack = bpf_ntohl(words[2]);
	out->flags = (__u8)(bpf_ntohl(words[3]) >> 16);
	out->window = (__u16)bpf_ntohl(words[3]);
	headers += (bpf_ntohl(words[3]) >> 28) * 4;
	/* data is before the IP header, at the TCP header or behind it: what is left is counted from where it stands. */
	behind = (__u32)(skb->data - ip);
	out->len = skb->len + behind > headers ? skb->len + behind - headers : 0;
	return true;
}

/*
 * Its device's, its socket's or its route's, or that of the socket that was to take it; 0: the buffer shows none any more
 * (TCP takes them away as it goes).
 */
static __always_inline __u32 dropped_netns(struct sk_buff *skb, struct sock *taker)
{
	struct dst_entry *dst;
	__u32 netns;

	if (taker)
		return BPF_CORE_READ(taker, __sk_common.skc_net.net, ns.inum);
	netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	if (!netns)
		netns = BPF_CORE_READ(skb, sk, __sk_common.skc_net.net, ns.inum);
	if (netns)
		return netns;
	dst = (struct dst_entry *)(skb->_skb_refdst & ~1UL); /* SKB_DST_NOREF */
	return dst ? BPF_CORE_READ(dst, dev, nd_net.net, ns.inum) : 0;
}

/*
 * Before or behind NAT a buffer has other addresses than its socket: the record has the socket's. One on its way out
 * carries the socket; of one that came in the flow map knows.
 */
static __always_inline bool dropped_wanted(struct sock *sk, bool outgoing, __u32 ifindex, struct tw_tuple *tuple)
{
	bool wanted = tuple_wanted(tuple);
	struct tw_flow *flow;

	/* An AF_PACKET socket can stand there too. */
	if (outgoing && sk && is_inet(&sk->__sk_common) && sk->__sk_common.skc_dport && sk->__sk_common.skc_num &&
	    sk->__sk_common.skc_state != TCP_NEW_SYN_RECV) {
		common_tuple(&sk->__sk_common, 0, tuple);
		return wanted || flow_wanted(tuple);
	}
	if (is_link_local(*(__u32 *)tuple->remote_addr))
		tuple->scope = ifindex;
	flow = bpf_map_lookup_elem(&flows, tuple);
	if (flow && flow->alias) {
		*tuple = flow->other;
		return true;
	}
	return wanted || (flow && (flow->translated || flow->hop));
}

/*
 * What was for another host's link address (see is_for_others()) is nobody's here, but for a connection of ours: its
 * peer has an old link address for us.
 */
static __always_inline bool is_dropped_for_others(__u32 reason, const struct tw_tuple *tuple)
{
	const struct tw_flow *flow;

	if (!IS_DROP_REASON(reason, SKB_DROP_REASON_OTHERHOST))
		return false;
	flow = bpf_map_lookup_elem(&flows, tuple);
	return !flow || !flow->owned;
}

/* Of the connection whose buffer it is; 0: the buffer does not show it. (A listener's is not the connection's.) */
static __always_inline __u64 dropped_cookie(const struct sock *sk, const struct sock *taker, bool outgoing)
{
	if (taker && !outgoing && taker->__sk_common.skc_state != TCP_LISTEN)
		return (__u64)taker->__sk_common.skc_cookie.counter;
	if (sk && is_inet(&sk->__sk_common) && sk->__sk_common.skc_state != TCP_LISTEN)
		return (__u64)sk->__sk_common.skc_cookie.counter;
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(kernel_drop, struct sk_buff *skb, void *location, __u32 reason)
{
	struct sock *taker = config.has_drop_sk ? (struct sock *)ctx[3] : 0;
	struct dropped dropped = {};
	struct sock *sk = skb->sk;
	struct tw_drop *record;
	__u32 netns;
	bool outgoing;

	if (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6))
		return 0;
	if (!drop_tells(reason) || is_copy(skb, taker, reason))
		return 0;
	/* The backlog of a CPU is full on arrival, before skb_iif is set. */
	outgoing = skb->skb_iif == 0 && !IS_DROP_REASON(reason, SKB_DROP_REASON_CPU_BACKLOG);
	netns = dropped_netns(skb, taker);
	if (config.netns && netns && netns != config.netns)
		return 0;
	if (!read_dropped(skb, outgoing, &dropped) ||
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
	record->segments = BPF_CORE_READ((struct skb_shared_info *)(skb->head + skb->end), gso_segs);
	__builtin_memset(record->pad_end, 0, sizeof(record->pad_end));
	submit_record(record);
	return 0;
}

#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMP_DEST_UNREACH 3

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

/* The process of a digest uses its socket, for the first time or again. False: its events do not wait, or no more. */
static __always_inline bool hold_owner(const struct tcp_sock *tp, const struct task_struct *task, __u64 cookie,
				       __u8 source, bool got_payload)
{
	struct digest_entry *entry = digest_of(cookie);
	struct tw_held *held;

	if (!entry)
		return false;
	held = &entry->held;
	if (held->actor.flags & TW_ACTOR_PRESENT && held->actor.tgid == (__u32)task->tgid)
		return true;
	if (held->actor.flags & TW_ACTOR_PRESENT || task->flags & PF_EXITING) {
		release_digest(cookie);
		return false;
	}
	if (!claim(entry, CLAIM_OWNER))
		return false;
	task_actor(task, &held->actor);
	held->owner_source = source;
	held->owner_waited_ms = 0;
	if (got_payload && tp->bytes_received)
		held->owner_waited_ms = ticks_to_ms((__u32)bpf_jiffies64() - tp->inet_conn.icsk_ack.lrcvtime);
	held->owner_ns = bpf_ktime_get_ns();
	__sync_fetch_and_add(&entry->counts, ONE_EVENT);
	return !was_released(entry);
}

/* `current` uses the socket: reported the first time, and when another process takes over. */
static __always_inline int owner_seen(struct sock *sk, __u8 source, bool got_payload)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct owner_mark first = {.tgid = task->tgid, .reported = 1};
	struct owner_mark *mark;
	struct tw_owner *record;
	struct tw_tuple tuple;
	struct tcp_sock *tp;
	__u64 cookie, user, *recent;

	if (!sk || sk->sk_protocol != IPPROTO_TCP || sk->sk_type != SOCK_STREAM)
		return 0;
	tp = wanted_netns(sk);
	if (!tp)
		return 0;
	if (source == TW_OWNER_SEND && nagle_holds(tp)) {
		sock_tuple(tp, &tuple);
		note_held(tp, &tuple);
	}
	cookie = cookie_of(sk);
	user = cookie << 32 | first.tgid;
	recent = recent_user(cookie);
	if (recent && *recent == user)
		return 0;
	if (task->flags & PF_KTHREAD)
		return 0;
	if (config.digests && hold_owner(tp, task, cookie, source, got_payload)) {
		if (recent)
			*recent = user;
		return 0;
	}
	mark = bpf_map_lookup_elem(&owners, &cookie);
	if (mark && (mark->tgid == first.tgid || mark->reported >= MAX_OWNERS_REPORTED)) {
		if (recent)
			*recent = user;
		return 0;
	}
	if (recent)
		*recent = user; /* of one that the filters exclude, too: NAT shows before anything is sent */
	sock_tuple(tp, &tuple);
	if (!flow_wanted(&tuple))
		return 0;
	if (mark) {
		mark->tgid = first.tgid;
		mark->reported++;
	} else {
		bpf_map_update_elem(&owners, &cookie, &first, BPF_ANY);
	}
	record = reserve_record(tw_owner, TW_KIND_OWNER, cookie, netns_of(tp));
	if (!record)
		return 0;
	record->tuple = tuple;
	task_actor(task, &record->actor);
	record->source = source;
	record->waited_ms = 0;
	record->fd = -1;
	if (got_payload && tp->bytes_received)
		record->waited_ms = ticks_to_ms((__u32)bpf_jiffies64() - tp->inet_conn.icsk_ack.lrcvtime);
	__builtin_memset(record->pad, 0, sizeof(record->pad));
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

/* Before 6.3: the reader's own context, after it took data out of the receive queue. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(kernel_owner_receive_old, struct sock *sk)
{
	return owner_seen(sk, TW_OWNER_RECEIVE, true);
}
