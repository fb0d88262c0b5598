/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel_types.h: the kernel structures that we read, with only the fields that we read.
 *
 * This is the whole of our dependence on the kernel's layout: CO-RE relocates every field against the
 * running kernel's BTF, so order and offsets here mean nothing. Nothing is generated from the machine
 * that builds. Where a field was renamed, the shim stands at the end with the commit that did it.
 */
#ifndef TCPWITNESS_KERNEL_TYPES_H
#define TCPWITNESS_KERNEL_TYPES_H

#include <linux/types.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	atomic_t refs;
} refcount_t;
typedef struct {
	__s64 counter;
} atomic64_t;

struct ns_common {
	unsigned int inum;
};

/*
 * A number since 6.8 (commit d9f28735af87), two before: there `range` is another type, which to CO-RE is as if there
 * were none.
 */
struct local_ports {
	__u32 range;
};
struct local_ports___pair {
	int range[2];
};

/* In the namespace itself since 6.2 or so. */
struct inet_timewait_death_row {
	refcount_t tw_refcount; /* one more than wait */
	int sysctl_max_tw_buckets;
};

struct netns_ipv4 {
	struct inet_timewait_death_row tcp_death_row;
	struct local_ports ip_local_ports;
	int sysctl_tcp_fin_timeout;
	int sysctl_tcp_keepalive_time;
	int sysctl_tcp_keepalive_intvl;
	__u8 sysctl_tcp_keepalive_probes; /* int before 5.13: CO-RE widens the load */
	__u8 sysctl_tcp_syncookies;       /* the same */
	int sysctl_max_syn_backlog;
};

struct net {
	struct ns_common ns;
	struct netns_ipv4 ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
	__u32 skc_tw_rcv_nxt;
	__u32 skc_tw_snd_nxt;
};

typedef struct {
	int owned;
} socket_lock_t;

struct socket;

struct sk_buff;

struct sk_buff_head {
	struct sk_buff *next;
	struct sk_buff *prev;
	__u32 qlen;
};

struct sock_extended_err {
	__u32 ee_errno;
	__u8 ee_origin;
	__u8 ee_type;
	__u8 ee_code;
};

enum {
	SO_EE_ORIGIN_ICMP = 2,
	SO_EE_ORIGIN_ICMP6 = 3,
};

/* What the error queue keeps in skb->cb. */
struct sock_exterr_skb {
	struct sock_extended_err ee;
};

struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
	struct sk_buff_head sk_error_queue;
	socket_lock_t sk_lock;
	int sk_err;
	__u16 sk_type;
	__u16 sk_protocol;
	__u8 sk_shutdown;
	__u8 sk_userlocks : 4;
	unsigned long sk_lingertime;
	int sk_err_soft;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
};

struct file {
	struct {
		atomic64_t refcnt;
	} f_ref; /* 6.13, commit 90ee6ed776c0: below 0 once the last reference is gone */
};

/* Before 6.13: 0 once the last reference is gone. */
struct file___counted {
	atomic64_t f_count;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct inet_sock {
	struct sock sk;
	__be16 inet_sport;
	__u32 local_port_range; /* 6.3, IP_LOCAL_PORT_RANGE: the last port above, the first below 16 bits; 0: not set */
};

struct request_sock_queue {
	atomic_t qlen;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct request_sock_queue icsk_accept_queue;
	void *icsk_bind_hash;
	__u32 icsk_rto;
	__u8 icsk_ca_state : 5;
	__u8 icsk_retransmits;
	__u8 icsk_pending;
	__u8 icsk_probes_out;
	struct {
		__u32 lrcvtime; /* jiffies */
	} icsk_ack;
	__u32 icsk_user_timeout;
	struct {
		__u32 enabled : 1;
	} icsk_mtup;
	void *icsk_ulp_data;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 snd_wnd;
	__u32 rcv_wnd;
	__u32 rcv_wup; /* rcv_nxt when the window was last advertised */
	__u32 srtt_us; /* << 3 */
	__u32 mdev_us; /* << 2 */
	__u32 snd_cwnd;
	__u32 snd_ssthresh;
	__u32 retrans_out;
	__u32 lost_out;
	__u32 rate_delivered;   /* 4.9: segments, within */
	__u32 rate_interval_us; /* this time */
	__u8 rate_app_limited : 1;
	__u32 snd_sml;
	__u32 mss_cache;
	__u32 packets_out;
	__u32 sacked_out;
	struct {
		struct {
			__u32 v;
		} s[3];
	} rtt_min; /* minmax.h */
	__u32 total_retrans;
	__u32 dsack_dups;
	__u32 rcv_tstamp; /* jiffies */
	__u32 lsndtime;   /* jiffies */
	__u32 segs_in;
	__u32 segs_out;
	unsigned int keepalive_time;
	unsigned int keepalive_intvl;
	__u8 keepalive_probes;
	__u8 repair : 1;
	int linger2;   /* TCP_LINGER2, jiffies; 0: the namespace's tcp_fin_timeout */
	bool is_mptcp; /* with CONFIG_MPTCP: a subflow, or a connection that fell back */
	__u8 nonagle : 4;
};

/* A subflow's icsk_ulp_data (5.6, CONFIG_MPTCP). */
struct mptcp_subflow_context {
	struct sock *conn; /* the MPTCP socket */
};

struct mptcp_sock {
	struct inet_connection_sock sk;
	struct sock *first; /* the subflow that the process connected */
};

/* include/net/tcp.h: of the bits of nonagle. */
#define NAGLE_OFF 1

struct request_sock {
	struct sock_common __req_common;
	__u8 num_retrans;
	__u8 num_timeout : 7;
};

struct inet_request_sock {
	struct request_sock req;
	__u16 acked : 1;
};

struct tcp_request_sock {
	struct inet_request_sock req;
	__u32 rcv_isn;
	__u32 snt_isn;
	__u32 rcv_nxt;
};

struct inet_timewait_sock {
	struct sock_common __tw_common;
	unsigned char tw_substate;
};

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
	__u32 tw_rcv_wnd;
};

struct net_device {
	possible_net_t nd_net;
};

struct dst_entry {
	struct net_device *dev;
};

struct sk_buff {
	struct sock *sk;
	struct net_device *dev;
	unsigned long _skb_refdst;
	unsigned int len;
	unsigned char *data;
	int skb_iif;
	__be16 protocol;
	__u16 transport_header;
	__u16 network_header;
	unsigned int end; /* from head: where struct skb_shared_info lies */
	unsigned char *head;
	char cb[48];
};

struct skb_shared_info {
	__u16 gso_size;
	__u16 gso_segs;
};

struct tcp_skb_cb {
	__u32 seq;
	__u32 end_seq;
	__u16 tcp_gso_segs;
};

struct task_struct {
	unsigned int flags;
	int exit_code;
	int pid;
	int tgid;
	struct task_struct *group_leader;
	char comm[16];
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_map;

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

/* Values are the running kernel's: read with bpf_core_enum_value(). */
enum sock_flags {
	SOCK_DEAD,
	SOCK_DONE,
	SOCK_LINGER = 5,
	SOCK_KEEPOPEN = 3,
};

/* 5.17, commit c504e5c2f964; the numbers change between releases. */
enum skb_drop_reason {
	SKB_DROP_REASON_NOT_SPECIFIED,
	SKB_DROP_REASON_CPU_BACKLOG,
	SKB_DROP_REASON_OTHERHOST,
	SKB_DROP_REASON_QUEUE_PURGE,
	SKB_DROP_REASON_SOCKET_FILTER,
	SKB_DROP_REASON_SOCKET_RCVBUFF,
	SKB_DROP_REASON_IP_OUTNOROUTES,
};

#pragma clang attribute pop

/*
 * A field that a kernel may lack (user/probe/kernel_fields.cpp lists these and what is not known then). Every other field
 * is evidence that a verdict needs: a program that reads one is refused where it is missing.
 */
#define OPTIONAL(field, otherwise) (bpf_core_field_exists(field) ? (field) : (otherwise))

#endif
