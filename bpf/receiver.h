/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * receiver.h: what a socket has of itself, and whether it would take a segment that came in for it.
 *
 * RFC 9293, 3.10.7 in the order of tcp_validate_incoming() and tcp_ack(). What TCP refuses changes nothing at the
 * receiver, so it may change nothing here. Timestamps are not looked at: the kernel's own drop reports those.
 */
#ifndef TCPWITNESS_RECEIVER_H
#define TCPWITNESS_RECEIVER_H

#include "parse.h"
#include "sock.h"

/* What a socket has of itself, and the cookie that joins its witnesses. */
struct lookup {
	__u64 cookie;
	struct tw_socket_view view;
	/* FULL, REQUEST, TIMEWAIT: the receive window as it was last advertised */
	__u32 window_begin;
	__u32 window_end;
	/* FULL */
	__u32 since_received_ms; /* since a segment of the peer was last taken */
	__u32 snd_wnd;           /* the peer's window as the socket has it */
};

static __always_inline __s32 seq_distance(__u32 from, __u32 to)
{
	return (__s32)(to - from);
}

static __always_inline __u32 frame_seq_end(const struct frame *frame)
{
	return frame->seq + frame->payload + ((frame->flags & TCP_SYN) != 0) + ((frame->flags & TCP_FIN) != 0);
}

static __always_inline bool is_connection(const struct lookup *lookup)
{
	return lookup->view.type == TW_SOCKET_FULL || lookup->view.type == TW_SOCKET_REQUEST ||
	       lookup->view.type == TW_SOCKET_TIMEWAIT;
}

/*
 * tcp_rcv_synsent_state_process(): the acknowledgement alone decides. Without one only a SYN is taken, as both connect at
 * once (RFC 9293, 3.10.7.3). answered: the peer's SYN has come before, and may only wait to be processed.
 */
static __always_inline __u8 refused_when_connecting(const struct frame *frame, const struct tw_socket_view *view,
						    bool answered)
{
	if (!(frame->flags & TCP_ACK))
		return answered || is_opening(frame) ? TW_REFUSED_NOT : TW_REFUSED_ACK;
	if (seq_distance(view->snd_una, frame->ack) <= 0 || seq_distance(view->write_seq, frame->ack) > 0)
		return TW_REFUSED_ACK;
	return TW_REFUSED_NOT;
}

/* write_seq and not snd_nxt: over loopback an acknowledgement can come before snd_nxt is set. */
static __always_inline __u8 refused_numbers(const struct frame *frame, const struct lookup *lookup)
{
	const struct tw_socket_view *view = &lookup->view;

	if (seq_distance(lookup->window_end, frame->seq) > 0)
		return TW_REFUSED_BEYOND;
	if (seq_distance(frame_seq_end(frame), lookup->window_begin) > 0)
		return TW_REFUSED_OLD;
	if (frame->flags & TCP_RST)
		return TW_REFUSED_NOT;
	if (!(frame->flags & TCP_ACK)) /* RFC 9293, 3.10.7.4: dropped */
		return TW_REFUSED_ACK;
	if (seq_distance(view->write_seq, frame->ack) > 0)
		return TW_REFUSED_ACK;
	if (!frame->payload && !(frame->flags & TCP_FIN) && seq_distance(frame->ack, view->snd_una) > 0)
		return TW_REFUSED_OLD;
	return TW_REFUSED_NOT;
}

/* Why TCP will not take this incoming segment (enum tw_refused). NOT where it will, and where that cannot be known. */
static __always_inline __u8 refusal(const struct frame *frame, const struct lookup *lookup, bool answered)
{
	const struct tw_socket_view *view = &lookup->view;

	if (!is_connection(lookup))
		return TW_REFUSED_NOT;
	if (view->type == TW_SOCKET_FULL && view->state == TCP_SYN_SENT)
		return refused_when_connecting(frame, view, answered);
	if (frame->flags & TCP_RST || !(frame->flags & TCP_SYN))
		return refused_numbers(frame, lookup);
	/* Both connect at once: the SYN-ACK acknowledges our SYN, and its own number was the SYN's. */
	if (view->type == TW_SOCKET_FULL && view->state == BPF_TCP_SYN_RECV && frame->flags & TCP_ACK &&
	    frame->seq + 1 == view->rcv_nxt)
		return TW_REFUSED_NOT;
	/* TIME_WAIT gives way to a new connection; a request answers its own SYN again. */
	if (view->type == TW_SOCKET_TIMEWAIT && !(frame->flags & TCP_ACK))
		return TW_REFUSED_NOT;
	if (view->type == TW_SOCKET_REQUEST && !(frame->flags & TCP_ACK) && frame->seq + 1 == view->rcv_nxt)
		return TW_REFUSED_NOT;
	return TW_REFUSED_SYN;
}

#endif
