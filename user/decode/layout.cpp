// SPDX-License-Identifier: Apache-2.0
// layout.cpp: the values of event.hpp lie in memory as the records of event_abi.h do, and their names have its numbers.
//
// The decoder makes a value of a record by one copy, and user space never names a constant of the ABI again: what holds
// both together stands here, and costs nothing.
#include <cstddef>

#include "tcpwitness/event.hpp"
#include "tcpwitness/event_abi.h"

namespace tcpwitness {
namespace {

#define TW_SAME_SIZE(value, record) static_assert(sizeof(value) == sizeof(record))
#define TW_SAME(value, record, field) \
  static_assert(offsetof(value, field) == offsetof(record, field) && sizeof(value::field) == sizeof(record::field))
#define TW_NAMES(name, constant) static_assert(static_cast<unsigned>(name) == static_cast<unsigned>(constant))

TW_SAME_SIZE(AddressPair, tw_tuple);
TW_SAME(AddressPair, tw_tuple, local_addr);
TW_SAME(AddressPair, tw_tuple, remote_addr);
TW_SAME(AddressPair, tw_tuple, local_port);
TW_SAME(AddressPair, tw_tuple, remote_port);
TW_SAME(AddressPair, tw_tuple, scope);

TW_SAME_SIZE(RecordHeader, tw_header);
TW_SAME(RecordHeader, tw_header, ts_ns);
TW_SAME(RecordHeader, tw_header, cookie);
TW_SAME(RecordHeader, tw_header, seq);
TW_SAME(RecordHeader, tw_header, lost);
TW_SAME(RecordHeader, tw_header, netns);
TW_SAME(RecordHeader, tw_header, cpu);
TW_SAME(RecordHeader, tw_header, kind);
TW_SAME(RecordHeader, tw_header, version);

TW_SAME_SIZE(Actor, tw_actor);
TW_SAME(Actor, tw_actor, tgid);
TW_SAME(Actor, tw_actor, exit_code);
TW_SAME(Actor, tw_actor, comm);
TW_SAME(Actor, tw_actor, flags);

TW_SAME_SIZE(ControlBlock, tw_control_block);
TW_SAME(ControlBlock, tw_control_block, bytes_acked);
TW_SAME(ControlBlock, tw_control_block, bytes_received);
TW_SAME(ControlBlock, tw_control_block, snd_una);
TW_SAME(ControlBlock, tw_control_block, snd_nxt);
TW_SAME(ControlBlock, tw_control_block, write_seq);
TW_SAME(ControlBlock, tw_control_block, rcv_nxt);
TW_SAME(ControlBlock, tw_control_block, copied_seq);
TW_SAME(ControlBlock, tw_control_block, snd_wnd);
TW_SAME(ControlBlock, tw_control_block, rcv_wnd);
TW_SAME(ControlBlock, tw_control_block, srtt_us);
TW_SAME(ControlBlock, tw_control_block, rto_us);
TW_SAME(ControlBlock, tw_control_block, snd_cwnd);
TW_SAME(ControlBlock, tw_control_block, packets_out);
TW_SAME(ControlBlock, tw_control_block, mss);
TW_SAME(ControlBlock, tw_control_block, total_retrans);
TW_SAME(ControlBlock, tw_control_block, segs_in);
TW_SAME(ControlBlock, tw_control_block, segs_out);
TW_SAME(ControlBlock, tw_control_block, keepalive_time_ms);
TW_SAME(ControlBlock, tw_control_block, keepalive_intvl_ms);
TW_SAME(ControlBlock, tw_control_block, user_timeout_ms);
TW_SAME(ControlBlock, tw_control_block, dsack_dups);
TW_SAME(ControlBlock, tw_control_block, since_received_ms);
TW_SAME(ControlBlock, tw_control_block, sk_err);
TW_SAME(ControlBlock, tw_control_block, keepalive_probes);
TW_SAME(ControlBlock, tw_control_block, state);
TW_SAME(ControlBlock, tw_control_block, ca_state);
TW_SAME(ControlBlock, tw_control_block, icsk_pending);
TW_SAME(ControlBlock, tw_control_block, icsk_retransmits);
TW_SAME(ControlBlock, tw_control_block, sacked_out);
TW_SAME(ControlBlock, tw_control_block, icsk_probes_out);
TW_SAME(ControlBlock, tw_control_block, sk_shutdown);
TW_SAME(ControlBlock, tw_control_block, flags);
TW_SAME(ControlBlock, tw_control_block, details);

TW_SAME_SIZE(SocketView, tw_socket_view);
TW_SAME(SocketView, tw_socket_view, snd_una);
TW_SAME(SocketView, tw_socket_view, snd_nxt);
TW_SAME(SocketView, tw_socket_view, rcv_nxt);
TW_SAME(SocketView, tw_socket_view, write_seq);
TW_SAME(SocketView, tw_socket_view, ack_backlog);
TW_SAME(SocketView, tw_socket_view, max_ack_backlog);
TW_SAME(SocketView, tw_socket_view, syn_qlen);
TW_SAME(SocketView, tw_socket_view, type);
TW_SAME(SocketView, tw_socket_view, state);
TW_SAME(SocketView, tw_socket_view, flags);
TW_SAME(SocketView, tw_socket_view, icsk_pending);
TW_SAME(SocketView, tw_socket_view, icsk_probes_out);
TW_SAME(SocketView, tw_socket_view, num_timeout);
TW_SAME(SocketView, tw_socket_view, keepalive_probes);
TW_SAME(SocketView, tw_socket_view, syncookies);
TW_SAME(SocketView, tw_socket_view, ca_state);
TW_SAME(SocketView, tw_socket_view, keepalive_time_ms);
TW_SAME(SocketView, tw_socket_view, max_syn_backlog);
TW_SAME(SocketView, tw_socket_view, keepalive_intvl_ms);

TW_SAME_SIZE(WireCounters, tw_wire_counters);
TW_SAME(WireCounters, tw_wire_counters, bytes_in);
TW_SAME(WireCounters, tw_wire_counters, bytes_out);
TW_SAME(WireCounters, tw_wire_counters, segs_in);
TW_SAME(WireCounters, tw_wire_counters, segs_out);
TW_SAME(WireCounters, tw_wire_counters, retrans_bytes_in);
TW_SAME(WireCounters, tw_wire_counters, retrans_bytes_out);

TW_SAME_SIZE(LossCounters, tw_loss_counters);
TW_SAME(LossCounters, tw_loss_counters, retrans_segs_in);
TW_SAME(LossCounters, tw_loss_counters, retrans_segs_out);
TW_SAME(LossCounters, tw_loss_counters, reordered_segs_in);
TW_SAME(LossCounters, tw_loss_counters, reordered_segs_out);
TW_SAME(LossCounters, tw_loss_counters, stalls);
TW_SAME(LossCounters, tw_loss_counters, stall_ms);
TW_SAME(LossCounters, tw_loss_counters, duplicate_segs_in);
TW_SAME(LossCounters, tw_loss_counters, duplicate_buffers_in);

TW_SAME_SIZE(FlowTimes, tw_times);
TW_SAME(FlowTimes, tw_times, first_ns);
TW_SAME(FlowTimes, tw_times, acked_ns);
TW_SAME(FlowTimes, tw_times, asked_ns);
TW_SAME(FlowTimes, tw_times, since_ms);
TW_SAME(FlowTimes, tw_times, quiet_ms);
TW_SAME(FlowTimes, tw_times, paused_ms);

TW_SAME_SIZE(StateChange, tw_state);
TW_SAME(StateChange, tw_state, header);
TW_SAME(StateChange, tw_state, tuple);
TW_SAME(StateChange, tw_state, actor);
TW_SAME(StateChange, tw_state, fin_timeout_ms);
TW_SAME(StateChange, tw_state, cb);
TW_SAME(StateChange, tw_state, old_state);
TW_SAME(StateChange, tw_state, new_state);
TW_SAME(StateChange, tw_state, port);
TW_SAME(StateChange, tw_state, first_port);
TW_SAME(StateChange, tw_state, last_port);

static_assert(offsetof(Segment, analysis) == sizeof(tw_segment));  // what is beyond the record begins there
TW_SAME(Segment, tw_segment, header);
TW_SAME(Segment, tw_segment, tuple);
TW_SAME(Segment, tw_segment, socket);
TW_SAME(Segment, tw_segment, ifindex);
TW_SAME(Segment, tw_segment, wire);
TW_SAME(Segment, tw_segment, loss);
TW_SAME(Segment, tw_segment, seq);
TW_SAME(Segment, tw_segment, ack);
TW_SAME(Segment, tw_segment, len);
TW_SAME(Segment, tw_segment, ts_val);
TW_SAME(Segment, tw_segment, ts_ecr);
TW_SAME(Segment, tw_segment, window);
TW_SAME(Segment, tw_segment, mss);
TW_SAME(Segment, tw_segment, event_flags);
TW_SAME(Segment, tw_segment, vlan_id);
TW_SAME(Segment, tw_segment, flags);
TW_SAME(Segment, tw_segment, hook);
TW_SAME(Segment, tw_segment, ttl);
TW_SAME(Segment, tw_segment, options);
TW_SAME(Segment, tw_segment, wscale);
TW_SAME(Segment, tw_segment, reordered);
TW_SAME(Segment, tw_segment, segments);
TW_SAME(Segment, tw_segment, refused);
TW_SAME(Segment, tw_segment, nat);
TW_SAME(Segment, tw_segment, forwarding);
TW_SAME(Segment, tw_segment, duplicate);
TW_SAME(Segment, tw_segment, came_in);
TW_SAME(Segment, tw_segment, ttl_before);

TW_SAME_SIZE(Retransmit, tw_retransmit);
TW_SAME(Retransmit, tw_retransmit, header);
TW_SAME(Retransmit, tw_retransmit, tuple);
TW_SAME(Retransmit, tw_retransmit, seq);
TW_SAME(Retransmit, tw_retransmit, end_seq);
TW_SAME(Retransmit, tw_retransmit, cb);
TW_SAME(Retransmit, tw_retransmit, err);
TW_SAME(Retransmit, tw_retransmit, synack);
TW_SAME(Retransmit, tw_retransmit, num_timeout);
TW_SAME(Retransmit, tw_retransmit, segments);
TW_SAME(Retransmit, tw_retransmit, acked);

TW_SAME_SIZE(Reset, tw_reset);
TW_SAME(Reset, tw_reset, header);
TW_SAME(Reset, tw_reset, tuple);
TW_SAME(Reset, tw_reset, actor);
TW_SAME(Reset, tw_reset, reason);
TW_SAME(Reset, tw_reset, cb);
TW_SAME(Reset, tw_reset, skb_seq);
TW_SAME(Reset, tw_reset, skb_ack);
TW_SAME(Reset, tw_reset, direction);
TW_SAME(Reset, tw_reset, has_socket);
TW_SAME(Reset, tw_reset, answers_segment);
TW_SAME(Reset, tw_reset, skb_flags);
TW_SAME(Reset, tw_reset, sent_ms);

TW_SAME_SIZE(SocketError, tw_error);
TW_SAME(SocketError, tw_error, header);
TW_SAME(SocketError, tw_error, tuple);
TW_SAME(SocketError, tw_error, icmp_errno);
TW_SAME(SocketError, tw_error, queue_origin);
TW_SAME(SocketError, tw_error, icmp_type);
TW_SAME(SocketError, tw_error, icmp_code);
TW_SAME(SocketError, tw_error, err_soft);
TW_SAME(SocketError, tw_error, icmp_sender);
TW_SAME(SocketError, tw_error, cb);

TW_SAME_SIZE(SocketDestroyed, tw_destroy);
TW_SAME(SocketDestroyed, tw_destroy, header);
TW_SAME(SocketDestroyed, tw_destroy, tuple);
TW_SAME(SocketDestroyed, tw_destroy, has_wire);
TW_SAME(SocketDestroyed, tw_destroy, cb);
TW_SAME(SocketDestroyed, tw_destroy, wire);
TW_SAME(SocketDestroyed, tw_destroy, loss);
TW_SAME(SocketDestroyed, tw_destroy, times);

TW_SAME_SIZE(OwnerSeen, tw_owner);
TW_SAME(OwnerSeen, tw_owner, header);
TW_SAME(OwnerSeen, tw_owner, tuple);
TW_SAME(OwnerSeen, tw_owner, actor);
TW_SAME(OwnerSeen, tw_owner, source);
TW_SAME(OwnerSeen, tw_owner, waited_ms);
TW_SAME(OwnerSeen, tw_owner, fd);

TW_SAME_SIZE(SocketFound, tw_socket);
TW_SAME(SocketFound, tw_socket, header);
TW_SAME(SocketFound, tw_socket, tuple);
TW_SAME(SocketFound, tw_socket, type);
TW_SAME(SocketFound, tw_socket, has_wire);
TW_SAME(SocketFound, tw_socket, cb);
TW_SAME(SocketFound, tw_socket, wire);
TW_SAME(SocketFound, tw_socket, loss);
TW_SAME(SocketFound, tw_socket, times);

TW_SAME_SIZE(Drop, tw_drop);
TW_SAME(Drop, tw_drop, header);
TW_SAME(Drop, tw_drop, tuple);
TW_SAME(Drop, tw_drop, reason);
TW_SAME(Drop, tw_drop, seq);
TW_SAME(Drop, tw_drop, ack);
TW_SAME(Drop, tw_drop, len);
TW_SAME(Drop, tw_drop, ifindex);
TW_SAME(Drop, tw_drop, window);
TW_SAME(Drop, tw_drop, flags);
TW_SAME(Drop, tw_drop, ttl);
TW_SAME(Drop, tw_drop, outgoing);
TW_SAME(Drop, tw_drop, has_socket);
TW_SAME(Drop, tw_drop, state);
TW_SAME(Drop, tw_drop, segments);

TW_SAME_SIZE(PortHolder, tw_port_holder);
TW_SAME(PortHolder, tw_port_holder, tgid);
TW_SAME(PortHolder, tw_port_holder, ports);
TW_SAME(PortHolder, tw_port_holder, comm);

TW_SAME_SIZE(PortsFound, tw_ports);
TW_SAME(PortsFound, tw_ports, header);
TW_SAME(PortsFound, tw_ports, tuple);
TW_SAME(PortsFound, tw_ports, first_port);
TW_SAME(PortsFound, tw_ports, last_port);
TW_SAME(PortsFound, tw_ports, time_wait);
TW_SAME(PortsFound, tw_ports, open);
TW_SAME(PortsFound, tw_ports, listening);
TW_SAME(PortsFound, tw_ports, others);
TW_SAME(PortsFound, tw_ports, used_holders);
TW_SAME(PortsFound, tw_ports, holders);

TW_SAME_SIZE(Translation, tw_translation);
TW_SAME(Translation, tw_translation, header);
TW_SAME(Translation, tw_translation, tuple);
TW_SAME(Translation, tw_translation, wire);
TW_SAME(Translation, tw_translation, actor);
TW_SAME(Translation, tw_translation, ack);

TW_SAME_SIZE(IcmpSeen, tw_icmp);
TW_SAME(IcmpSeen, tw_icmp, header);
TW_SAME(IcmpSeen, tw_icmp, tuple);
TW_SAME(IcmpSeen, tw_icmp, seq);
TW_SAME(IcmpSeen, tw_icmp, mtu);
TW_SAME(IcmpSeen, tw_icmp, sender);
TW_SAME(IcmpSeen, tw_icmp, type);
TW_SAME(IcmpSeen, tw_icmp, code);
TW_SAME(IcmpSeen, tw_icmp, v6);
TW_SAME(IcmpSeen, tw_icmp, sent);
TW_SAME(IcmpSeen, tw_icmp, came_in);

TW_SAME_SIZE(Sample, tw_sample);
TW_SAME(Sample, tw_sample, header);
TW_SAME(Sample, tw_sample, tuple);
TW_SAME(Sample, tw_sample, bytes_acked);
TW_SAME(Sample, tw_sample, delivery_rate);
TW_SAME(Sample, tw_sample, snd_una);
TW_SAME(Sample, tw_sample, snd_nxt);
TW_SAME(Sample, tw_sample, write_seq);
TW_SAME(Sample, tw_sample, snd_wnd);
TW_SAME(Sample, tw_sample, srtt_us);
TW_SAME(Sample, tw_sample, rttvar_us);
TW_SAME(Sample, tw_sample, rto_us);
TW_SAME(Sample, tw_sample, snd_cwnd);
TW_SAME(Sample, tw_sample, snd_ssthresh);
TW_SAME(Sample, tw_sample, packets_out);
TW_SAME(Sample, tw_sample, retrans_out);
TW_SAME(Sample, tw_sample, lost_out);
TW_SAME(Sample, tw_sample, sacked_out);
TW_SAME(Sample, tw_sample, mss);
TW_SAME(Sample, tw_sample, state);
TW_SAME(Sample, tw_sample, ca_state);
TW_SAME(Sample, tw_sample, app_limited);

TW_SAME_SIZE(HeldState, tw_held_state);
TW_SAME(HeldState, tw_held_state, ts_ns);
TW_SAME(HeldState, tw_held_state, snd_una);
TW_SAME(HeldState, tw_held_state, snd_nxt);
TW_SAME(HeldState, tw_held_state, write_seq);
TW_SAME(HeldState, tw_held_state, rcv_nxt);
TW_SAME(HeldState, tw_held_state, bytes_received);
TW_SAME(HeldState, tw_held_state, mss);
TW_SAME(HeldState, tw_held_state, segs_out);
TW_SAME(HeldState, tw_held_state, packets_out);
TW_SAME(HeldState, tw_held_state, old_state);
TW_SAME(HeldState, tw_held_state, new_state);
TW_SAME(HeldState, tw_held_state, flags);
TW_SAME(HeldState, tw_held_state, details);
TW_SAME(HeldState, tw_held_state, actor);
TW_SAME(HeldState, tw_held_state, port);

TW_SAME_SIZE(HeldSegment, tw_held_segment);
TW_SAME(HeldSegment, tw_held_segment, ts_ns);
TW_SAME(HeldSegment, tw_held_segment, seq);
TW_SAME(HeldSegment, tw_held_segment, ack);
TW_SAME(HeldSegment, tw_held_segment, ts_val);
TW_SAME(HeldSegment, tw_held_segment, ts_ecr);
TW_SAME(HeldSegment, tw_held_segment, snd_una);
TW_SAME(HeldSegment, tw_held_segment, snd_nxt);
TW_SAME(HeldSegment, tw_held_segment, rcv_nxt);
TW_SAME(HeldSegment, tw_held_segment, write_seq);
TW_SAME(HeldSegment, tw_held_segment, ack_backlog);
TW_SAME(HeldSegment, tw_held_segment, max_ack_backlog);
TW_SAME(HeldSegment, tw_held_segment, syn_qlen);
TW_SAME(HeldSegment, tw_held_segment, max_syn_backlog);
TW_SAME(HeldSegment, tw_held_segment, ifindex);
TW_SAME(HeldSegment, tw_held_segment, len);
TW_SAME(HeldSegment, tw_held_segment, cookie);
TW_SAME(HeldSegment, tw_held_segment, window);
TW_SAME(HeldSegment, tw_held_segment, mss);
TW_SAME(HeldSegment, tw_held_segment, flags);
TW_SAME(HeldSegment, tw_held_segment, hook);
TW_SAME(HeldSegment, tw_held_segment, ttl);
TW_SAME(HeldSegment, tw_held_segment, options);
TW_SAME(HeldSegment, tw_held_segment, wscale);
TW_SAME(HeldSegment, tw_held_segment, type);
TW_SAME(HeldSegment, tw_held_segment, state);
TW_SAME(HeldSegment, tw_held_segment, socket_flags);
TW_SAME(HeldSegment, tw_held_segment, syncookies);

TW_SAME_SIZE(HeldEvents, tw_held);
TW_SAME(HeldEvents, tw_held, owner_ns);
TW_SAME(HeldEvents, tw_held, actor);
TW_SAME(HeldEvents, tw_held, fin_timeout_ms);
TW_SAME(HeldEvents, tw_held, owner_waited_ms);
TW_SAME(HeldEvents, tw_held, owner_source);
TW_SAME(HeldEvents, tw_held, state_count);
TW_SAME(HeldEvents, tw_held, states);
TW_SAME(HeldEvents, tw_held, segments);

TW_SAME_SIZE(SocketDigest, tw_digest);
TW_SAME(SocketDigest, tw_digest, header);
TW_SAME(SocketDigest, tw_digest, tuple);
TW_SAME(SocketDigest, tw_digest, held);
TW_SAME(SocketDigest, tw_digest, destroyed);
TW_SAME(SocketDigest, tw_digest, has_wire);
TW_SAME(SocketDigest, tw_digest, counted);
TW_SAME(SocketDigest, tw_digest, cb);
TW_SAME(SocketDigest, tw_digest, wire);
TW_SAME(SocketDigest, tw_digest, loss);
TW_SAME(SocketDigest, tw_digest, times);

TW_NAMES(EventKind::state, TW_KIND_STATE);
TW_NAMES(EventKind::segment, TW_KIND_SEGMENT);
TW_NAMES(EventKind::retransmit, TW_KIND_RETRANSMIT);
TW_NAMES(EventKind::reset, TW_KIND_RESET);
TW_NAMES(EventKind::error, TW_KIND_ERROR);
TW_NAMES(EventKind::destroy, TW_KIND_DESTROY);
TW_NAMES(EventKind::owner, TW_KIND_OWNER);
TW_NAMES(EventKind::socket, TW_KIND_SOCKET);
TW_NAMES(EventKind::drop, TW_KIND_DROP);
TW_NAMES(EventKind::ports, TW_KIND_PORTS);
TW_NAMES(EventKind::translation, TW_KIND_NAT);
TW_NAMES(EventKind::icmp, TW_KIND_ICMP);
TW_NAMES(EventKind::sample, TW_KIND_SAMPLE);
TW_NAMES(event_kind_count, TW_KIND_COUNT);

TW_NAMES(HookPoint::xdp, TW_HOOK_XDP);
TW_NAMES(HookPoint::ingress, TW_HOOK_TC_INGRESS);
TW_NAMES(HookPoint::egress, TW_HOOK_TC_EGRESS);

TW_NAMES(SegmentEvent::syn, TW_EVENT_SYN);
TW_NAMES(SegmentEvent::fin, TW_EVENT_FIN);
TW_NAMES(SegmentEvent::rst, TW_EVENT_RST);
TW_NAMES(SegmentEvent::handshake_ack, TW_EVENT_HANDSHAKE_ACK);
TW_NAMES(SegmentEvent::fin_ack, TW_EVENT_FIN_ACK);
TW_NAMES(SegmentEvent::keepalive, TW_EVENT_KEEPALIVE);
TW_NAMES(SegmentEvent::keepalive_ack, TW_EVENT_KEEPALIVE_ACK);
TW_NAMES(SegmentEvent::zero_window, TW_EVENT_ZERO_WINDOW);
TW_NAMES(SegmentEvent::window_open, TW_EVENT_WINDOW_OPEN);
TW_NAMES(SegmentEvent::retransmission, TW_EVENT_RETRANSMISSION);
TW_NAMES(SegmentEvent::out_of_order, TW_EVENT_OUT_OF_ORDER);
TW_NAMES(SegmentEvent::unknown_flow, TW_EVENT_UNKNOWN_FLOW);
TW_NAMES(SegmentEvent::window_probe, TW_EVENT_WINDOW_PROBE);
TW_NAMES(SegmentEvent::no_socket, TW_EVENT_NO_SOCKET);
TW_NAMES(SegmentEvent::fragment, TW_EVENT_FRAGMENT);
TW_NAMES(SegmentEvent::bad_header, TW_EVENT_BAD_HEADER);

TW_NAMES(TcpOption::timestamp, TW_OPT_TIMESTAMP);
TW_NAMES(TcpOption::window_scale, TW_OPT_WSCALE);
TW_NAMES(TcpOption::sack_permitted, TW_OPT_SACK_PERMITTED);
TW_NAMES(TcpOption::sack, TW_OPT_SACK);
TW_NAMES(TcpOption::mptcp, TW_OPT_MPTCP);
TW_NAMES(TcpOption::fast_open, TW_OPT_FASTOPEN);

TW_NAMES(SocketKind::none, TW_SOCKET_NONE);
TW_NAMES(SocketKind::full, TW_SOCKET_FULL);
TW_NAMES(SocketKind::listener, TW_SOCKET_LISTENER);
TW_NAMES(SocketKind::request, TW_SOCKET_REQUEST);
TW_NAMES(SocketKind::time_wait, TW_SOCKET_TIMEWAIT);
TW_NAMES(SocketKind::control, TW_SOCKET_CONTROL);
TW_NAMES(SocketKind::unknown, TW_SOCKET_UNKNOWN);

TW_NAMES(Refusal::none, TW_REFUSED_NOT);
TW_NAMES(Refusal::old, TW_REFUSED_OLD);
TW_NAMES(Refusal::beyond_window, TW_REFUSED_BEYOND);
TW_NAMES(Refusal::unsent_ack, TW_REFUSED_ACK);
TW_NAMES(Refusal::syn, TW_REFUSED_SYN);
TW_NAMES(Refusal::not_tcp, TW_REFUSED_FOREIGN);

TW_NAMES(Forwarding::none, TW_FORWARDING_NONE);
TW_NAMES(Forwarding::sent_on, TW_FORWARDING_SENT_ON);
TW_NAMES(Forwarding::hop, TW_FORWARDING_HOP);

TW_NAMES(OwnerSource::send, TW_OWNER_SEND);
TW_NAMES(OwnerSource::receive, TW_OWNER_RECEIVE);
TW_NAMES(OwnerSource::snapshot, TW_OWNER_SNAPSHOT);

TW_NAMES(ResetDirection::sent, TW_RESET_SENT);
TW_NAMES(ResetDirection::received, TW_RESET_RECEIVED);

TW_NAMES(IcmpWay::came, TW_ICMP_CAME);
TW_NAMES(IcmpWay::sent, TW_ICMP_SENT);
TW_NAMES(IcmpWay::left, TW_ICMP_LEFT);

TW_NAMES(SocketFlag::locked, TW_CB_OWNED);
TW_NAMES(SocketFlag::keepalive, TW_CB_KEEPOPEN);
TW_NAMES(SocketFlag::fin_received, TW_CB_DONE);
TW_NAMES(SocketFlag::orphaned, TW_CB_DEAD);
TW_NAMES(SocketFlag::repair, TW_CB_REPAIR);
TW_NAMES(SocketFlag::linger, TW_CB_LINGER);
TW_NAMES(SocketFlag::connected, TW_CB_ACTIVE);
TW_NAMES(SocketFlag::present, TW_CB_PRESENT);

TW_NAMES(SocketDetail::unaccepted, TW_CB_UNACCEPTED);
TW_NAMES(SocketDetail::no_delay, TW_CB_NODELAY);
TW_NAMES(SocketDetail::mtu_probing, TW_CB_MTU_PROBING);
TW_NAMES(SocketDetail::released, TW_CB_RELEASED);
TW_NAMES(SocketDetail::time_wait_full, TW_CB_TIME_WAIT_FULL);

TW_NAMES(ActorFlag::present, TW_ACTOR_PRESENT);
TW_NAMES(ActorFlag::owned, TW_ACTOR_OWNED);
TW_NAMES(ActorFlag::exiting, TW_ACTOR_EXITING);
TW_NAMES(ActorFlag::kernel_thread, TW_ACTOR_KTHREAD);

TW_NAMES(PortChoice::bound, TW_PORT_BOUND);
TW_NAMES(PortChoice::own_range, TW_PORT_OWN_RANGE);
TW_NAMES(PortChoice::kept, TW_PORT_KEPT);

TW_NAMES(reset_reason_unknown, TW_REASON_UNKNOWN);
static_assert(retransmit_error_unknown == TW_RETRANSMIT_ERR_UNKNOWN);
TW_NAMES(comm_length, TW_COMM_LEN);
TW_NAMES(no_ssthresh, TW_NO_SSTHRESH);
TW_NAMES(max_port_holders, TW_MAX_PORT_HOLDERS);
TW_NAMES(no_cpu, TW_NO_CPU);
TW_NAMES(held_state_limit, TW_HELD_STATES);
TW_NAMES(held_place::syn, TW_HELD_SYN);
TW_NAMES(held_place::syn_ack, TW_HELD_SYN_ACK);
TW_NAMES(held_place::fin_out, TW_HELD_FIN_OUT);
TW_NAMES(held_place::fin_in, TW_HELD_FIN_IN);
TW_NAMES(held_place::count, TW_HELD_SEGMENTS);
static_assert(TW_QUIET_MS == 1000);  // as in FlowTimes

}  // namespace
}  // namespace tcpwitness
