/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event_abi.h: the only contract between the BPF programs and the C++ consumer.
 *
 * Both compilers read this file. Every record is asserted to have one size and one layout on both
 * sides; a change of layout changes TW_ABI_VERSION. Fields are fixed width, naturally aligned, with
 * explicit zeroed padding. Integers are in host order unless the name ends in `_be`; units are the
 * end of the name. Records are reserved in the ring at their own size, never at a union's.
 */
#ifndef TCPWITNESS_EVENT_ABI_H
#define TCPWITNESS_EVENT_ABI_H

#ifdef __cplusplus
#include <linux/types.h>

#include <cstddef>
#define TW_ASSERT(cond) static_assert(cond, #cond)
#else
#define TW_ASSERT(cond) _Static_assert(cond, #cond)
#endif
#define TW_ASSERT_SIZE(type, bytes) TW_ASSERT(sizeof(struct type) == (bytes))
#define TW_ASSERT_AT(type, field, bytes) TW_ASSERT(__builtin_offsetof(struct type, field) == (bytes))

#define TW_ABI_VERSION 4
#define TW_COMM_LEN 16
#define TW_NO_CPU 0xffff
#define TW_PORT_BYTES 8192 /* a bit for each port */

/* What a record is. Also the index of the per-kind loss counters. */
enum tw_kind {
	TW_KIND_NONE = 0,
	TW_KIND_STATE = 1,      /* sock:inet_sock_set_state */
	TW_KIND_SEGMENT = 2,    /* XDP, tc ingress, tc egress */
	TW_KIND_RETRANSMIT = 3, /* tcp:tcp_retransmit_skb, tcp:tcp_retransmit_synack */
	TW_KIND_RESET = 4,      /* tcp:tcp_send_reset, tcp:tcp_receive_reset */
	TW_KIND_ERROR = 5,      /* sock:inet_sk_error_report */
	TW_KIND_DESTROY = 6,    /* tcp:tcp_destroy_sock */
	TW_KIND_OWNER = 7,      /* a process seen using a socket, see enum tw_owner_source */
	TW_KIND_SOCKET = 8,     /* iter/tcp: a socket that exists at the start, or still at the end */
	TW_KIND_DROP = 9,       /* skb:kfree_skb: a TCP segment that the kernel threw away */
	TW_KIND_PORTS = 10,     /* iter/tcp and iter/task_file, when connect() found no local port: who has them */
	TW_KIND_NAT = 11,       /* tc egress: a socket whose segments leave with other addresses (NAT) */
	TW_KIND_ICMP = 12,      /* raw sockets of ICMP: an error that quotes a segment of TCP */
	TW_KIND_DIGEST = 13,    /* the ordinary events of one socket together, see struct tw_digest */
	TW_KIND_SAMPLE = 14,    /* iter/tcp: how an open connection sends, looked at from time to time (--sample) */
	TW_KIND_COUNT = 15,
};

/* Where a segment was seen. */
enum tw_hook {
	TW_HOOK_XDP = 1,
	TW_HOOK_TC_INGRESS = 2,
	TW_HOOK_TC_EGRESS = 3,
};

/*
 * Why a segment is an event (bits of tw_segment.event_flags). Seen from the wire alone: they come from the
 * flow's own counters in the bounded map, never from the socket. A segment with no bit set is an
 * ordinary one, shown only under --packets all.
 */
enum tw_segment_event {
	TW_EVENT_SYN = 1 << 0,
	TW_EVENT_FIN = 1 << 1,
	TW_EVENT_RST = 1 << 2,
	TW_EVENT_HANDSHAKE_ACK = 1 << 3, /* first segment of the SYN's sender after the SYN-ACK */
	TW_EVENT_FIN_ACK = 1 << 4,       /* first segment that acknowledges the other side's FIN */
	TW_EVENT_KEEPALIVE =
		1 << 5, /* <= 1 old byte at (highest seq sent) - 1: keep-alive or zero-window probe (flow.h) */
	TW_EVENT_KEEPALIVE_ACK = 1 << 6,  /* first segment back after such a probe */
	TW_EVENT_ZERO_WINDOW = 1 << 7,    /* advertises window 0 */
	TW_EVENT_WINDOW_OPEN = 1 << 8,    /* first window above 0 after a zero window */
	TW_EVENT_RETRANSMISSION = 1 << 9, /* payload, SYN or FIN at or below the highest sequence number seen */
	TW_EVENT_OUT_OF_ORDER = 1 << 10,  /* starts beyond the highest sequence number seen; `reordered`: late */
	TW_EVENT_UNKNOWN_FLOW = 1 << 11,  /* first segment of a flow whose SYN we did not see */
	TW_EVENT_WINDOW_PROBE = 1 << 12,  /* a zero-window probe: payload into a closed window */
	TW_EVENT_NO_SOCKET = 1 << 13,     /* ingress: no socket wanted it; egress: no socket sent it */
	TW_EVENT_FRAGMENT = 1 << 14,      /* IP fragment: the TCP header is only in the first one */
	TW_EVENT_BAD_HEADER = 1 << 15,    /* TCP data offset or IP length contradict the frame */
};

/*
 * Why the socket of an event segment does not take it (tw_segment.refused). Such a segment changed nothing at the
 * receiver. Only known where the socket is: a capture has 0 everywhere.
 */
enum tw_refused {
	TW_REFUSED_NOT = 0, /* taken, or not known */
	TW_REFUSED_OLD = 1, /* all of it lies before the window, or it acknowledges less than is acknowledged already */
	TW_REFUSED_BEYOND = 2,  /* begins behind the end of the window (RFC 9293, 3.10.7.4) */
	TW_REFUSED_ACK = 3,     /* acknowledges what was never sent, or nothing */
	TW_REFUSED_SYN = 4,     /* a SYN for a connection that is open already: a challenge ACK (RFC 5961, 4) */
	TW_REFUSED_FOREIGN = 5, /* egress: not this connection's socket sent it, but a raw or packet socket */
};

/* Whose connection a segment is, where it is not a socket's of this machine (tw_segment.forwarding). */
enum tw_forwarding {
	TW_FORWARDING_NONE = 0,
	TW_FORWARDING_SENT_ON = 1, /* after all: TCP did not take the SYN, and its flow goes on */
	TW_FORWARDING_HOP = 2,     /* tw_config.forwarded: it comes in for that, or leaves so */
};

/* What the look-up found for an ingress segment, or what sent an egress one (tw_socket_view.type). */
enum tw_socket_type {
	TW_SOCKET_NONE = 0,     /* looked up, nothing there (ingress); sent without a socket (egress) */
	TW_SOCKET_FULL = 1,     /* struct tcp_sock with a peer */
	TW_SOCKET_LISTENER = 2, /* struct tcp_sock in LISTEN */
	TW_SOCKET_REQUEST = 3,  /* struct tcp_request_sock: NEW_SYN_RECV */
	TW_SOCKET_TIMEWAIT = 4, /* struct tcp_timewait_sock: TIME_WAIT or FIN_WAIT2 substate */
	TW_SOCKET_CONTROL = 5,  /* the kernel's per-CPU control socket (RST, TIME_WAIT ACK) */
	TW_SOCKET_UNKNOWN = 6,  /* not looked up, or of a kind we cannot read (MPTCP request) */
};

/* How we know that a process uses a socket (tw_owner.source). `current` acts in all but the last. */
enum tw_owner_source {
	TW_OWNER_SEND = 1,     /* sock:sock_send_length */
	TW_OWNER_RECEIVE = 2,  /* sock:sock_recv_length, or tcp:tcp_rcv_space_adjust where that is missing */
	TW_OWNER_SNAPSHOT = 3, /* iter/task_file: has a descriptor open, at start or when that is asked */
};

enum tw_direction_of_reset {
	TW_RESET_SENT = 1,
	TW_RESET_RECEIVED = 2,
};

/* Bits of tw_control_block.flags. */
enum tw_cb_flags {
	TW_CB_OWNED = 1 << 0,    /* sk_lock.owned: `current` holds the socket */
	TW_CB_KEEPOPEN = 1 << 1, /* SOCK_KEEPOPEN: SO_KEEPALIVE is on */
	TW_CB_DONE = 1 << 2,     /* SOCK_DONE: the peer's FIN was processed */
	TW_CB_DEAD = 1 << 3,     /* SOCK_DEAD: orphaned, no process has it open */
	TW_CB_REPAIR = 1 << 4,   /* TCP_REPAIR */
	TW_CB_LINGER = 1 << 5,   /* SOCK_LINGER, and sk_lingertime is 0: close() sends a RST */
	TW_CB_ACTIVE = 1 << 6,   /* snapshot: it connected, for bytes_acked counts a SYN beyond the payload sent */
	TW_CB_PRESENT = 1 << 7,  /* the block was read; without this bit all else is zero */
};

/* Bits of tw_control_block.details. */
enum tw_cb_detail {
	TW_CB_UNACCEPTED = 1 << 0,  /* waits for accept(): no process has it and none had (no sk_socket, not DEAD) */
	TW_CB_NODELAY = 1 << 1,     /* tcp_sock.nonagle: TCP_NODELAY is set */
	TW_CB_MTU_PROBING = 1 << 2, /* icsk_mtup.enabled: the kernel looks for the path's MTU itself */
	TW_CB_RELEASED = 1 << 3, /* state change by a process: nobody has a descriptor of it any more (close(), exit) */
	TW_CB_TIME_WAIT_FULL =
		1 << 4, /* to CLOSE from FIN_WAIT2 or CLOSING: as many wait as tcp_max_tw_buckets allows */
};

/* Bits of tw_actor.flags. */
enum tw_actor_flags {
	TW_ACTOR_PRESENT = 1 << 0, /* `current` was read: a process, not a kernel thread or the idle task */
	TW_ACTOR_OWNED = 1 << 1,   /* the socket is locked by a process, so `current` acts for it */
	TW_ACTOR_EXITING = 1 << 2, /* PF_EXITING: inside do_exit() */
	TW_ACTOR_KTHREAD = 1 << 3, /* PF_KTHREAD: never an owner */
};

/* Address pair from this socket's own point of view; IPv4 is ::ffff:a.b.c.d. Also the key of the flow map. */
struct tw_tuple {
	__u8 local_addr[16];  /* network order */
	__u8 remote_addr[16]; /* network order */
	__u16 local_port;
	__u16 remote_port;
	__u32 scope; /* IPv6 link-local addresses (RFC 4007): the interface that they belong to; else 0 */
};
TW_ASSERT_SIZE(tw_tuple, 40);

/* Begins every record. */
struct tw_header {
	__u64 ts_ns; /* CLOCK_MONOTONIC (bpf_ktime_get_ns), as TCP's timers; may run backwards inside the ring, never sort by it */
	__u64 cookie; /* socket cookie; 0: none or not known */
	__u32 seq;    /* records this CPU has tried to emit, this one included (modulo 2^32) */
	__u32 lost;   /* of those, how many found no room in the ring so far (modulo 2^32) */
	__u32 netns;  /* inode number of the network namespace; 0: not known */
	__u16 cpu;    /* TW_NO_CPU: read from an iterator, not from the ring */
	__u8 kind;    /* enum tw_kind */
	__u8 version; /* TW_ABI_VERSION */
};
TW_ASSERT_SIZE(tw_header, 32);

/* The TCP control block at the moment of the event: struct tcp_sock and what it is built on. */
struct tw_control_block {
	__u64 bytes_acked; /* tcp_sock.bytes_acked: ours that the peer acknowledged (an active opener's SYN counts 1, each FIN
                        counts 1) */
	__u64 bytes_received; /* tcp_sock.bytes_received: in order from the peer (its FIN counts 1) */
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 snd_wnd; /* bytes, already scaled */
	__u32 rcv_wnd; /* bytes */
	__u32 srtt_us;
	__u32 rto_us;        /* icsk_rto */
	__u32 snd_cwnd;      /* segments */
	__u16 packets_out;   /* segments that are out, 65535 for more */
	__u16 mss;           /* tcp_sock.mss_cache: payload of a full-size segment */
	__u32 total_retrans; /* segments retransmitted in the connection's life */
	__u32 segs_in;
	__u32 segs_out;
	__u32 keepalive_time_ms; /* idle time before the first probe: socket option or sysctl; 0 without KEEPOPEN */
	__u32 keepalive_intvl_ms;
	__u32 user_timeout_ms;   /* TCP_USER_TIMEOUT, 0: none */
	__u32 dsack_dups;        /* segments that the peer got twice, by its D-SACK (4.20, RFC 2883) */
	__u32 since_received_ms; /* since a segment of the peer was last taken (keepalive_time_elapsed()) */
	__u16 sk_err;            /* errno that the process will see, 0: none */
	__u8 keepalive_probes;   /* probes before giving up; 0 without KEEPOPEN */
	__u8 state;              /* sk_state */
	__u8 ca_state;           /* enum tcp_ca_state: 0 Open 1 Disorder 2 CWR 3 Recovery 4 Loss */
	__u8 icsk_pending;       /* timer: 1 RTO, 3 zero-window probe, 5 tail-loss probe, 6 reorder */
	__u8 icsk_retransmits;   /* RTO retransmissions in a row */
	__u8 sacked_out;         /* segments beyond snd_una that the peer has by its SACK, 255 for more */
	__u8 icsk_probes_out;    /* unanswered keep-alive or zero-window probes */
	__u8 sk_shutdown;        /* 1 RCV_SHUTDOWN, 2 SEND_SHUTDOWN */
	__u8 flags;              /* enum tw_cb_flags */
	__u8 details;            /* enum tw_cb_detail */
};
TW_ASSERT_SIZE(tw_control_block, 104);

/* `current` at the moment of the event. Valid only where the flags are set: see "Who is current" in docs/architecture.md. */
struct tw_actor {
	__u32 tgid;             /* process id in the initial PID namespace */
	__u32 exit_code;        /* task_struct.exit_code while EXITING: low 7 bits are the signal */
	__u8 comm[TW_COMM_LEN]; /* of the thread-group leader, not terminated if full */
	__u8 flags;             /* enum tw_actor_flags */
	__u8 pad[3];
};
TW_ASSERT_SIZE(tw_actor, 28);

/* The socket just before the kernel processed an ingress segment, or the one that sent an egress segment. */
struct tw_socket_view {
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 rcv_nxt;
	__u32 write_seq;
	__u32 ack_backlog; /* LISTENER: accept queue */
	__u32 max_ack_backlog;
	__u32 syn_qlen; /* LISTENER: requests in NEW_SYN_RECV */
	__u8 type;      /* enum tw_socket_type */
	__u8 state;     /* sk_state; TIMEWAIT: tw_substate */
	__u8 flags;     /* enum tw_cb_flags, without ACTIVE */
	__u8 icsk_pending;
	__u8 icsk_probes_out;
	__u8 num_timeout; /* REQUEST: SYN-ACK retransmissions by timer */
	union {
		__u8 keepalive_probes; /* 0 without KEEPOPEN */
		__u8 syncookies;       /* LISTENER: net.ipv4.tcp_syncookies */
	};
	__u8 ca_state;
	union {
		__u32 keepalive_time_ms;
		__u32 max_syn_backlog; /* LISTENER: net.ipv4.tcp_max_syn_backlog */
	};
	__u32 keepalive_intvl_ms;
};
TW_ASSERT_SIZE(tw_socket_view, 44);

/* Totals of a flow as its interface saw it, this segment included. They restart if the bounded map evicted the flow. */
struct tw_wire_counters {
	__u64 bytes_in; /* TCP payload, retransmissions included; the byte that window probes try counts once */
	__u64 bytes_out;
	__u32 segs_in; /* wire segments: a GSO or GRO packet counts as its segments */
	__u32 segs_out;
	__u32 retrans_bytes_in; /* payload at or below the highest sequence number seen, or that TCP may not have taken */
	__u32 retrans_bytes_out;
};
TW_ASSERT_SIZE(tw_wire_counters, 32);

/* The rest of a flow's totals: zero for a healthy connection. */
struct tw_loss_counters {
	__u32 retrans_segs_in; /* wire segments that carry any of it, or a SYN or FIN again; not what is only out of order */
	__u32 retrans_segs_out;
	__u32 reordered_segs_in; /* wire segments that filled a hole sooner than a retransmission can (see flow.h) */
	__u32 reordered_segs_out;
	__u32 stalls;            /* small writes that Nagle's algorithm held back until a late, bare ACK came */
	__u32 stall_ms;          /* how long all of them together */
	__u32 duplicate_segs_in; /* wire segments that the network delivered twice (see duplicates.h); in segs_in, too */
	__u32 duplicate_buffers_in; /* the same in buffers of GSO or GRO, which is what the kernel drops */
};
TW_ASSERT_SIZE(tw_loss_counters, 32);

/*
 * When payload passed the interface, and how long none did. Index 0: incoming, 1: outgoing. 0: not seen. What keep-alives
 * and SYNs carry, what is sent again, and what TCP does not take, is none.
 */
struct tw_times {
	__u64 first_ns[2]; /* the first payload */
	__u64 acked_ns[2]; /* the first segment that acknowledges all of it, which goes the other way */
	__u64 asked_ns;    /* the newest payload of the side that sent first, before the other side's first */
	__u32 since_ms[2]; /* from the newest payload to this record; in ticks of the kernel's clock */
	/* Pauses of at least TW_QUIET_MS between payloads, once both sides have sent. */
	__u32 quiet_ms[2];  /* that payload of this way ended, behind payload of the other way */
	__u32 paused_ms[2]; /* between two payloads of this way */
};
TW_ASSERT_SIZE(tw_times, 64);
#define TW_QUIET_MS 1000

struct tw_state {
	struct tw_header header;
	struct tw_tuple tuple;
	struct tw_actor actor;
	__u32 fin_timeout_ms; /* from FIN_WAIT2: tcp_fin_time() without its lower bound of 3.5 RTO */
	struct tw_control_block cb;
	__u8 old_state;
	__u8 new_state;
	__u8 port; /* enum tw_port_choice */
	__u8 pad[1];
	__u16 first_port; /* SYN_SENT -> CLOSE: the ports that connect() may choose from */
	__u16 last_port;
};
TW_ASSERT_SIZE(tw_state, 216);

/* Bits of tw_state.port. */
enum tw_port_choice {
	TW_PORT_BOUND = 1 << 0,     /* the process chose the local port by bind() (SOCK_BINDPORT_LOCK) */
	TW_PORT_OWN_RANGE = 1 << 1, /* first_port and last_port are the socket's own (IP_LOCAL_PORT_RANGE) */
	TW_PORT_KEPT = 1 << 2,      /* SYN_RECV to CLOSE with its port: another child of its request came first */
};

struct tw_segment {
	struct tw_header header;
	struct tw_tuple tuple; /* local is the source on egress, the destination on ingress; see nat */
	struct tw_socket_view socket;
	__u32 ifindex;
	struct tw_wire_counters wire;
	struct tw_loss_counters loss;
	__u32 seq;
	__u32 ack;
	__u32 len;    /* payload bytes on the wire (from the IP length; skb->len for oversized GSO packets) */
	__u32 ts_val; /* TCP timestamp option, if TW_OPT_TIMESTAMP */
	__u32 ts_ecr;
	__u16 window;      /* as in the header, unscaled */
	__u16 mss;         /* MSS option; 0: absent */
	__u16 event_flags; /* enum tw_segment_event */
	__u16 vlan_id;     /* 0: untagged */
	__u8 flags;        /* TCP flags as in the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128 */
	__u8 hook;         /* enum tw_hook */
	__u8 ttl;          /* or IPv6 hop limit */
	__u8 options;      /* enum tw_options */
	__u8 wscale;       /* window scale option's shift, if TW_OPT_WSCALE */
	__u8 reordered;    /* 1: TW_EVENT_OUT_OF_ORDER means late: it filled a hole sooner than a retransmission can */
	__u16 segments;    /* wire segments in this GSO or GRO packet, 1: an ordinary one */
	__u8 refused;      /* enum tw_refused */
	__u8 nat;          /* the frame had the addresses of tw_translation.wire; tuple is the socket's */
	__u8 forwarding;   /* enum tw_forwarding */
	__u8 duplicate;    /* 1: the network has delivered it before (see duplicates.h); nobody sent it again */
	__u32 came_in;     /* HOP at egress: the interface it came in on; 0: this machine made it */
	__u8 ttl_before; /* of a RST: that of the newest segment of its flow and direction, if that is no SYN; 0: none */
	__u8 pad[3];
};
TW_ASSERT_SIZE(tw_segment, 232);

/*
 * While recording (tw_config.snaplen), each tw_segment is followed in the same record by this and snaplen bytes of
 * room, of which `captured` hold the frame's beginning as it stood at the hook. The rest of the room is not written.
 */
struct tw_frame {
	__u32 wire_len;   /* of the whole frame as the hook had it: a GSO or GRO packet counts as one */
	__u16 captured;   /* bytes that follow, at most tw_config.snaplen */
	__u16 link_type;  /* TW_LINK_* */
	__u16 vlan_tci;   /* a VLAN tag that the device took out of the frame, or will put in; see vlan_proto */
	__u16 vlan_proto; /* its EtherType; 0: there is none */
};
TW_ASSERT_SIZE(tw_frame, 12);
#define TW_LINK_ETHERNET 1 /* LINKTYPE_ETHERNET */
#define TW_LINK_RAW_IP 101 /* LINKTYPE_RAW */
/* Options and all of an IPv6 TCP header fit in the least; the most keeps a record a small part of the least ring. */
#define TW_SNAPLEN_MIN 64
#define TW_SNAPLEN_MAX 1024

enum tw_options {
	TW_OPT_TIMESTAMP = 1 << 0,
	TW_OPT_WSCALE = 1 << 1,
	TW_OPT_SACK_PERMITTED = 1 << 2,
	TW_OPT_SACK = 1 << 3,
	TW_OPT_MPTCP = 1 << 4,
	TW_OPT_FASTOPEN = 1 << 5,
};

struct tw_retransmit {
	struct tw_header header;
	struct tw_tuple tuple;
	__u32 seq;
	__u32 end_seq;              /* first sequence number after the segment: a SYN or FIN counts one */
	struct tw_control_block cb; /* for a SYN-ACK only state and snd/rcv numbers are set */
	__s32 err; /* 0 left, above 0 the qdisc refused it, -1 netfilter, -16 put off; -128: this kernel does not report it */
	__u8 synack;      /* 1: tcp_retransmit_synack */
	__u8 num_timeout; /* synack: retransmissions before this one */
	__u16 segments;   /* wire segments in this buffer (tcp_skb_pcount()) */
	__u8 acked;       /* synack: the handshake's ACK has come, and more is waited for (inet_rsk(req)->acked) */
	__u8 pad[7];
};
TW_ASSERT_SIZE(tw_retransmit, 200);
#define TW_RETRANSMIT_ERR_UNKNOWN (-128)

struct tw_reset {
	struct tw_header header;
	struct tw_tuple tuple; /* from the socket, or from the segment that is answered when there is none */
	struct tw_actor actor;
	__u32 reason;               /* enum sk_rst_reason of the running kernel; TW_REASON_UNKNOWN before 6.10 */
	struct tw_control_block cb; /* not PRESENT when no full socket is involved */
	__u32 skb_seq;              /* SENT in answer to a segment: that segment's numbers */
	__u32 skb_ack;
	__u8 direction; /* enum tw_direction_of_reset */
	__u8 has_socket;
	__u8 answers_segment; /* SENT: skb_seq and skb_ack are valid (passive reset); 0: an active reset */
	__u8 skb_flags;       /* TCP flags of the answered segment */
	__u32 sent_ms;        /* RECEIVED: since payload was last sent (lsndtime) */
};
TW_ASSERT_SIZE(tw_reset, 224);
#define TW_REASON_UNKNOWN 0xffffffffu

struct tw_error {
	struct tw_header header;
	struct tw_tuple tuple;
	/* The newest entry of the socket's error queue. Only one of origin ICMP is an ICMP message; completions of
	 * MSG_ZEROCOPY and transmit timestamps wait there too. */
	__u16 icmp_errno;  /* what the ICMP message means; 0: the entry is none */
	__u8 queue_origin; /* SO_EE_ORIGIN_*; 0: the queue is empty */
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 pad[1];
	__u16 err_soft;       /* sk_err_soft: kept until a timer gives up, or SO_ERROR is asked */
	__u8 icmp_sender[16]; /* who sent the ICMP message, network order */
	struct tw_control_block cb;
};
TW_ASSERT_SIZE(tw_error, 200);

struct tw_destroy {
	struct tw_header header;
	struct tw_tuple tuple;
	__u8 has_wire; /* the wire's counters below are set */
	__u8 pad[7];
	struct tw_control_block cb;
	struct tw_wire_counters wire;
	struct tw_loss_counters loss;
	struct tw_times times;
};
TW_ASSERT_SIZE(tw_destroy, 312);

struct tw_owner {
	struct tw_header header;
	struct tw_tuple tuple;
	struct tw_actor actor;
	__u8 source; /* enum tw_owner_source */
	__u8 pad[3];
	__u32 waited_ms; /* RECEIVE, the first one: since the newest payload came (icsk_ack.lrcvtime);
                      SNAPSHOT: since payload was sent (lsndtime) */
	__s32 fd;        /* SNAPSHOT: the descriptor; else -1 */
};
TW_ASSERT_SIZE(tw_owner, 112);

struct tw_socket {
	struct tw_header header;
	struct tw_tuple tuple;
	__u8 type;     /* enum tw_socket_type: FULL, LISTENER, REQUEST, TIMEWAIT; NONE: these are all, as of ts_ns */
	__u8 has_wire; /* the wire's counters below are set */
	__u8 pad[6];
	struct tw_control_block cb;
	struct tw_wire_counters wire;
	struct tw_loss_counters loss;
	struct tw_times times;
};
TW_ASSERT_SIZE(tw_socket, 312);

/* A segment that was thrown away, and why. On its way out if `outgoing`, else before TCP or in it. */
struct tw_drop {
	struct tw_header header; /* cookie: of the socket that the buffer carries, or that was to take it, if any */
	struct tw_tuple tuple;   /* local is the source of an outgoing segment, the destination of an incoming one */
	__u32 reason;            /* enum skb_drop_reason of the running kernel; above 16 bits: another subsystem's */
	__u32 seq;
	__u32 ack;
	__u32 len;     /* bytes that the buffer holds behind its TCP header: payload */
	__u32 ifindex; /* came in on; 0: outgoing */
	__u16 window;  /* as in the header, unscaled */
	__u8 flags;    /* TCP flags */
	__u8 ttl;      /* or hop limit */
	__u8 outgoing;
	__u8 has_socket; /* the buffer carried a socket whose state follows */
	__u8 state;      /* sk_state */
	__u8 pad;
	__u16 segments; /* in a buffer that GRO or GSO made (gso_segs); 0: it is one segment */
	__u8 pad_end[2];
};
TW_ASSERT_SIZE(tw_drop, 104);

/* A transition that was held back; see struct tw_state and struct tw_control_block. */
struct tw_held_state {
	__u64 ts_ns;
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq;
	__u32 rcv_nxt;
	__u32 bytes_received; /* modulo 2^32 */
	__u16 mss;
	__u16 segs_out;    /* 65535 for more */
	__u16 packets_out; /* 65535 for more */
	__u8 old_state;
	__u8 new_state;
	__u8 flags;   /* enum tw_cb_flags */
	__u8 details; /* enum tw_cb_detail */
	__u8 actor;   /* enum tw_actor_flags; who it was is tw_held.actor */
	__u8 port;    /* enum tw_port_choice */
};
TW_ASSERT_SIZE(tw_held_state, 40);

/* A segment that was held back; see struct tw_segment. What is not here was 0, and `segments` 1. */
struct tw_held_segment {
	__u64 ts_ns; /* 0: there was none */
	__u32 seq;
	__u32 ack;
	__u32 ts_val;
	__u32 ts_ecr;
	__extension__ union {
		struct { /* of type FULL, REQUEST and TIMEWAIT */
			__u32 snd_una;
			__u32 snd_nxt;
			__u32 rcv_nxt;
			__u32 write_seq;
		};
		struct { /* LISTENER */
			__u32 ack_backlog;
			__u32 max_ack_backlog;
			__u32 syn_qlen;
			__u32 max_syn_backlog;
		};
	};
	__u32 ifindex;
	__u32 len;
	__u32 cookie; /* its low 32 bits; another number: what is left of another socket, and no segment of this one */
	__u16 window;
	__u16 mss;
	__u8 flags;
	__u8 hook; /* enum tw_hook */
	__u8 ttl;
	__u8 options;
	__u8 wscale;
	__u8 type;  /* enum tw_socket_type; UNKNOWN: known from the flow map alone: the socket takes it */
	__u8 state; /* sk_state */
	union {
		__u8 socket_flags; /* enum tw_cb_flags */
		__u8 syncookies;
	};
};
TW_ASSERT_SIZE(tw_held_segment, 64);

/* Which segments a socket's digest can hold; index of tw_held.segments. */
enum tw_held_place {
	TW_HELD_SYN = 0, /* of whoever connects */
	TW_HELD_SYN_ACK = 1,
	TW_HELD_FIN_OUT = 2,
	TW_HELD_FIN_IN = 3,
	TW_HELD_SEGMENTS = 4,
};

#define TW_HELD_STATES 6

/* tw_config.digests */
enum tw_digests {
	TW_DIGESTS_NONE = 0,
	TW_DIGESTS = 1,           /* of both witnesses */
	TW_DIGESTS_OF_KERNEL = 2, /* the wire is not traced */
};

/* What is held back of one socket. */
struct tw_held {
	__u64 owner_ns;        /* of the tw_owner; 0: there was none */
	struct tw_actor actor; /* the one process that acts in all of it; none PRESENT: no process does */
	__u32 fin_timeout_ms;  /* of the transition from FIN_WAIT2 */
	__u32 owner_waited_ms;
	__u8 owner_source;
	__u8 state_count;
	__u8 pad[2];
	struct tw_held_state states[TW_HELD_STATES];       /* in their order */
	struct tw_held_segment segments[TW_HELD_SEGMENTS]; /* by enum tw_held_place */
};
TW_ASSERT_SIZE(tw_held, 544);

/*
 * The ordinary events of one socket, together (tw_config.digests). They wait in the kernel until the socket is destroyed,
 * until anything out of the ordinary happens to it, or for a second; what happens then is a record of its own behind this
 * one.
 */
struct tw_digest {
	struct tw_header header; /* of the newest event in it; ts_ns too where it is destroyed */
	struct tw_tuple tuple;
	struct tw_held held;
	__u8 destroyed; /* the rest is that of tw_destroy; 0: the socket goes on, and the rest is 0 */
	__u8 has_wire;
	__u8 counted; /* records that it was counted as: one that another CPU adds meanwhile is in it, and a record too */
	__u8 pad[5];
	struct tw_control_block cb;
	struct tw_wire_counters wire; /* set where has_wire, destroyed or not */
	struct tw_loss_counters loss;
	struct tw_times times;
};
TW_ASSERT_SIZE(tw_digest, 856);

/*
 * How an open connection sends: what tcp_get_info() would show. A look at all of them, from time to time, on demand; no event
 * is missing where there is none.
 */
struct tw_sample {
	struct tw_header header;
	struct tw_tuple tuple;
	__u64 bytes_acked;
	__u64 delivery_rate; /* bytes a second, as tcp_compute_delivery_rate() has it; 0: not measured yet */
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq;
	__u32 snd_wnd; /* bytes */
	__u32 srtt_us;
	__u32 rttvar_us;
	__u32 rto_us;
	__u32 snd_cwnd;     /* segments */
	__u32 snd_ssthresh; /* segments; TW_NO_SSTHRESH: none yet */
	__u32 packets_out;  /* segments */
	__u32 retrans_out;
	__u32 lost_out;
	__u32 sacked_out;
	__u16 mss;
	__u8 state;       /* sk_state */
	__u8 ca_state;    /* as in tw_control_block */
	__u8 app_limited; /* 1: the process had too little to send to measure more */
	__u8 pad[7];
};
TW_ASSERT_SIZE(tw_sample, 152);
#define TW_NO_SSTHRESH 0x7fffffff /* TCP_INFINITE_SSTHRESH */

/* Which process has how many of the ports. */
struct tw_port_holder {
	__u32 tgid;
	__u32 ports;
	__u8 comm[TW_COMM_LEN]; /* of the thread-group leader, not terminated if full */
};
TW_ASSERT_SIZE(tw_port_holder, 24);

/* Who has the local ports of one namespace towards one destination. Counted on demand, in user space, from two iterators. */
#define TW_MAX_PORT_HOLDERS 4
struct tw_ports {
	struct tw_header header;
	struct tw_tuple tuple; /* the destination; no local end */
	__u16 first_port;      /* the range that was looked at */
	__u16 last_port;
	__u32 time_wait; /* ports of it that only wait in TIME_WAIT */
	__u32 open;      /* that a socket in another state has, to this destination */
	__u32 listening; /* that a listener has, whatever the destination */
	__u32 others;    /* of `open`: of processes that are not listed, or of none any more */
	__u32 used_holders;
	struct tw_port_holder holders[TW_MAX_PORT_HOLDERS]; /* of `open`, the most first */
};
TW_ASSERT_SIZE(tw_ports, 192);

/* The question of snapshot.bpf.c's iterators over ports, and what they find: no records, only on the way to tw_ports. */
struct tw_ports_question {
	__u8 remote_addr[16]; /* network order */
	__u32 netns;
	__u16 remote_port;
	__u8 pad[2];
};
TW_ASSERT_SIZE(tw_ports_question, 24);

struct tw_port_seen {
	__u16 local_port;
	__u8 state; /* sk_state */
	__u8 pad[1];
};
TW_ASSERT_SIZE(tw_port_seen, 4);

/*
 * NAT on this machine: the segments of a socket leave with other addresses than it has (DNAT and REDIRECT in OUTPUT and
 * PREROUTING, SNAT, masquerading). Once a connection, before the segment that shows it.
 *
 * header.cookie 0 (tw_config.forwarded): no socket. The two hops of a forwarded connection: the same segment came in with
 * `tuple` and leaves with `wire`, translated or not; local is the destination of the first and the source of the second.
 */
struct tw_translation {
	struct tw_header header;
	struct tw_tuple tuple; /* the socket's */
	struct tw_tuple wire;  /* as on the wire, local is this machine's side */
	struct tw_actor actor; /* of the SYN: who connects, where the socket was locked by a process */
	__u32 ack;             /* of the segment that shows it */
};
TW_ASSERT_SIZE(tw_translation, 144);

enum tw_icmp_way {
	TW_ICMP_CAME = 0, /* it came in for this machine: local is who sent the quoted segment */
	TW_ICMP_SENT =
		1, /* this machine sends it, about a segment that came in: tuple is that segment's, local its destination */
	TW_ICMP_LEFT =
		2, /* tw_config.forwarded: it left this machine for the quoted segment's sender; tuple as in SENT */
};

/*
 * An ICMP error that quotes a segment of TCP. What TCP makes of it only other records show: it can be forged, or too
 * old.
 */
struct tw_icmp {
	struct tw_header header;
	struct tw_tuple tuple;
	__u32 seq; /* of the quoted segment */
	__u32 mtu; /* fragmentation needed, packet too big: the next hop's MTU; else 0 */
	__u8 sender[16];
	__u8 type;
	__u8 code;
	__u8 v6;       /* ICMPv6: its types and codes are others */
	__u8 sent;     /* enum tw_icmp_way */
	__u32 came_in; /* LEFT: the interface on which it came in; 0: this machine made it */
};
TW_ASSERT_SIZE(tw_icmp, 104);

/* Per-CPU accounting of the ring, read by the consumer at the end: tried == received + lost. */
struct tw_cpu_state {
	__u64 tried;
	__u64 lost;
	__u64 lost_by_kind[TW_KIND_COUNT];
	__u64 flows_full; /* flows that found no room in the flow map: their ordinary segments went uncounted */
	/* Entries of the flow map that programs made and took out: what else is missing there was evicted. */
	__u64 flows_added;
	__u64 flows_removed;
	__u64 again; /* runs that the kernel skipped, and whose second program (..._again) did the work */
	__u64 last_wakeup_ns;
	__u32 in_state; /* kernel_state runs on this CPU */
	__u32 in_destroy;
};
TW_ASSERT_SIZE(tw_cpu_state, 184);

/*
 * One host filter, the key of an LPM map: addresses whose first prefix_bits bits equal addr (IPv4-mapped form, so IPv4
 * /24 is 120 bits).
 */
struct tw_host {
	__u32 prefix_bits;
	__u8 addr[16];
};
TW_ASSERT_SIZE(tw_host, 20);

/* What is fixed at load (rodata of every BPF object). */
struct tw_config {
	__u32 netns;             /* only sockets of this namespace; 0: all */
	__u32 tick_us;           /* microseconds per jiffy */
	__u32 wake_bytes;        /* wake the consumer early when this many bytes wait in the ring */
	__u32 some_hosts;        /* 0: all; else one end has to be in the map `hosts` */
	__u8 packets_all;        /* every segment is an event */
	__u8 has_reset_reason;   /* tcp_send_reset has a third argument (6.10) */
	__u8 has_retransmit_err; /* tcp_retransmit_skb has a third argument (6.15) */
	__u8 has_drop_sk;        /* kfree_skb has a fourth argument: who was to take it (6.11, commit ba8de796baf4) */
	__u8 forwarded;          /* connections that only pass through this machine are reported too */
	__u8 digests; /* enum tw_digests; with no_timeline: ordinary events of a socket are held back, see struct tw_digest */
	__u8 pad[1];
	__u8 no_timeline;          /* no timeline is printed: leave out ACKs that only name the cause of a transition */
	__u32 snaplen;             /* recording: keep so many bytes of each frame that is an event; 0: none */
	__u32 some_ports;          /* 0: all */
	__u8 ports[TW_PORT_BYTES]; /* of either end: bit (port & 7) of byte (port >> 3) */
};
TW_ASSERT_SIZE(tw_config, 8224);

#include "tcpwitness/event_abi_offsets.h"

#endif
