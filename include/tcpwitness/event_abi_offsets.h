/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event_abi_offsets.h: where each field of a record lies, padding apart. Both compilers hold the structures of event_abi.h
 * against it: one that moves is another layout, and asks for another TW_ABI_VERSION.
 */
#ifndef TCPWITNESS_EVENT_ABI_OFFSETS_H
#define TCPWITNESS_EVENT_ABI_OFFSETS_H

TW_ASSERT_AT(tw_tuple, local_addr, 0);
TW_ASSERT_AT(tw_tuple, remote_addr, 16);
TW_ASSERT_AT(tw_tuple, local_port, 32);
TW_ASSERT_AT(tw_tuple, remote_port, 34);
TW_ASSERT_AT(tw_tuple, scope, 36);

TW_ASSERT_AT(tw_header, ts_ns, 0);
TW_ASSERT_AT(tw_header, cookie, 8);
TW_ASSERT_AT(tw_header, seq, 16);
TW_ASSERT_AT(tw_header, lost, 20);
TW_ASSERT_AT(tw_header, netns, 24);
TW_ASSERT_AT(tw_header, cpu, 28);
TW_ASSERT_AT(tw_header, kind, 30);
TW_ASSERT_AT(tw_header, version, 31);

TW_ASSERT_AT(tw_control_block, bytes_acked, 0);
TW_ASSERT_AT(tw_control_block, bytes_received, 8);
TW_ASSERT_AT(tw_control_block, snd_una, 16);
TW_ASSERT_AT(tw_control_block, snd_nxt, 20);
TW_ASSERT_AT(tw_control_block, write_seq, 24);
TW_ASSERT_AT(tw_control_block, rcv_nxt, 28);
TW_ASSERT_AT(tw_control_block, copied_seq, 32);
TW_ASSERT_AT(tw_control_block, snd_wnd, 36);
TW_ASSERT_AT(tw_control_block, rcv_wnd, 40);
TW_ASSERT_AT(tw_control_block, srtt_us, 44);
TW_ASSERT_AT(tw_control_block, rto_us, 48);
TW_ASSERT_AT(tw_control_block, snd_cwnd, 52);
TW_ASSERT_AT(tw_control_block, packets_out, 56);
TW_ASSERT_AT(tw_control_block, mss, 58);
TW_ASSERT_AT(tw_control_block, total_retrans, 60);
TW_ASSERT_AT(tw_control_block, segs_in, 64);
TW_ASSERT_AT(tw_control_block, segs_out, 68);
TW_ASSERT_AT(tw_control_block, keepalive_time_ms, 72);
TW_ASSERT_AT(tw_control_block, keepalive_intvl_ms, 76);
TW_ASSERT_AT(tw_control_block, user_timeout_ms, 80);
TW_ASSERT_AT(tw_control_block, dsack_dups, 84);
TW_ASSERT_AT(tw_control_block, since_received_ms, 88);
TW_ASSERT_AT(tw_control_block, sk_err, 92);
TW_ASSERT_AT(tw_control_block, keepalive_probes, 94);
TW_ASSERT_AT(tw_control_block, state, 95);
TW_ASSERT_AT(tw_control_block, ca_state, 96);
TW_ASSERT_AT(tw_control_block, icsk_pending, 97);
TW_ASSERT_AT(tw_control_block, icsk_retransmits, 98);
TW_ASSERT_AT(tw_control_block, sacked_out, 99);
TW_ASSERT_AT(tw_control_block, icsk_probes_out, 100);
TW_ASSERT_AT(tw_control_block, sk_shutdown, 101);
TW_ASSERT_AT(tw_control_block, flags, 102);
TW_ASSERT_AT(tw_control_block, details, 103);

TW_ASSERT_AT(tw_actor, tgid, 0);
TW_ASSERT_AT(tw_actor, exit_code, 4);
TW_ASSERT_AT(tw_actor, comm, 8);
TW_ASSERT_AT(tw_actor, flags, 24);

TW_ASSERT_AT(tw_socket_view, snd_una, 0);
TW_ASSERT_AT(tw_socket_view, snd_nxt, 4);
TW_ASSERT_AT(tw_socket_view, rcv_nxt, 8);
TW_ASSERT_AT(tw_socket_view, write_seq, 12);
TW_ASSERT_AT(tw_socket_view, ack_backlog, 16);
TW_ASSERT_AT(tw_socket_view, max_ack_backlog, 20);
TW_ASSERT_AT(tw_socket_view, syn_qlen, 24);
TW_ASSERT_AT(tw_socket_view, type, 28);
TW_ASSERT_AT(tw_socket_view, state, 29);
TW_ASSERT_AT(tw_socket_view, flags, 30);
TW_ASSERT_AT(tw_socket_view, icsk_pending, 31);
TW_ASSERT_AT(tw_socket_view, icsk_probes_out, 32);
TW_ASSERT_AT(tw_socket_view, num_timeout, 33);
TW_ASSERT_AT(tw_socket_view, keepalive_probes, 34);
TW_ASSERT_AT(tw_socket_view, syncookies, 34);
TW_ASSERT_AT(tw_socket_view, ca_state, 35);
TW_ASSERT_AT(tw_socket_view, keepalive_time_ms, 36);
TW_ASSERT_AT(tw_socket_view, max_syn_backlog, 36);
TW_ASSERT_AT(tw_socket_view, keepalive_intvl_ms, 40);

TW_ASSERT_AT(tw_wire_counters, bytes_in, 0);
TW_ASSERT_AT(tw_wire_counters, bytes_out, 8);
TW_ASSERT_AT(tw_wire_counters, segs_in, 16);
TW_ASSERT_AT(tw_wire_counters, segs_out, 20);
TW_ASSERT_AT(tw_wire_counters, retrans_bytes_in, 24);
TW_ASSERT_AT(tw_wire_counters, retrans_bytes_out, 28);

TW_ASSERT_AT(tw_loss_counters, retrans_segs_in, 0);
TW_ASSERT_AT(tw_loss_counters, retrans_segs_out, 4);
TW_ASSERT_AT(tw_loss_counters, reordered_segs_in, 8);
TW_ASSERT_AT(tw_loss_counters, reordered_segs_out, 12);
TW_ASSERT_AT(tw_loss_counters, stalls, 16);
TW_ASSERT_AT(tw_loss_counters, stall_ms, 20);
TW_ASSERT_AT(tw_loss_counters, duplicate_segs_in, 24);
TW_ASSERT_AT(tw_loss_counters, duplicate_buffers_in, 28);

TW_ASSERT_AT(tw_times, first_ns, 0);
TW_ASSERT_AT(tw_times, acked_ns, 16);
TW_ASSERT_AT(tw_times, asked_ns, 32);
TW_ASSERT_AT(tw_times, since_ms, 40);
TW_ASSERT_AT(tw_times, quiet_ms, 48);
TW_ASSERT_AT(tw_times, paused_ms, 56);

TW_ASSERT_AT(tw_state, header, 0);
TW_ASSERT_AT(tw_state, tuple, 32);
TW_ASSERT_AT(tw_state, actor, 72);
TW_ASSERT_AT(tw_state, fin_timeout_ms, 100);
TW_ASSERT_AT(tw_state, cb, 104);
TW_ASSERT_AT(tw_state, old_state, 208);
TW_ASSERT_AT(tw_state, new_state, 209);
TW_ASSERT_AT(tw_state, port, 210);
TW_ASSERT_AT(tw_state, first_port, 212);
TW_ASSERT_AT(tw_state, last_port, 214);

TW_ASSERT_AT(tw_segment, header, 0);
TW_ASSERT_AT(tw_segment, tuple, 32);
TW_ASSERT_AT(tw_segment, socket, 72);
TW_ASSERT_AT(tw_segment, ifindex, 116);
TW_ASSERT_AT(tw_segment, wire, 120);
TW_ASSERT_AT(tw_segment, loss, 152);
TW_ASSERT_AT(tw_segment, seq, 184);
TW_ASSERT_AT(tw_segment, ack, 188);
TW_ASSERT_AT(tw_segment, len, 192);
TW_ASSERT_AT(tw_segment, ts_val, 196);
TW_ASSERT_AT(tw_segment, ts_ecr, 200);
TW_ASSERT_AT(tw_segment, window, 204);
TW_ASSERT_AT(tw_segment, mss, 206);
TW_ASSERT_AT(tw_segment, event_flags, 208);
TW_ASSERT_AT(tw_segment, vlan_id, 210);
TW_ASSERT_AT(tw_segment, flags, 212);
TW_ASSERT_AT(tw_segment, hook, 213);
TW_ASSERT_AT(tw_segment, ttl, 214);
TW_ASSERT_AT(tw_segment, options, 215);
TW_ASSERT_AT(tw_segment, wscale, 216);
TW_ASSERT_AT(tw_segment, reordered, 217);
TW_ASSERT_AT(tw_segment, segments, 218);
TW_ASSERT_AT(tw_segment, refused, 220);
TW_ASSERT_AT(tw_segment, nat, 221);
TW_ASSERT_AT(tw_segment, forwarding, 222);
TW_ASSERT_AT(tw_segment, duplicate, 223);
TW_ASSERT_AT(tw_segment, came_in, 224);
TW_ASSERT_AT(tw_segment, ttl_before, 228);

TW_ASSERT_AT(tw_frame, wire_len, 0);
TW_ASSERT_AT(tw_frame, captured, 4);
TW_ASSERT_AT(tw_frame, link_type, 6);
TW_ASSERT_AT(tw_frame, vlan_tci, 8);
TW_ASSERT_AT(tw_frame, vlan_proto, 10);

TW_ASSERT_AT(tw_retransmit, header, 0);
TW_ASSERT_AT(tw_retransmit, tuple, 32);
TW_ASSERT_AT(tw_retransmit, seq, 72);
TW_ASSERT_AT(tw_retransmit, end_seq, 76);
TW_ASSERT_AT(tw_retransmit, cb, 80);
TW_ASSERT_AT(tw_retransmit, err, 184);
TW_ASSERT_AT(tw_retransmit, synack, 188);
TW_ASSERT_AT(tw_retransmit, num_timeout, 189);
TW_ASSERT_AT(tw_retransmit, segments, 190);
TW_ASSERT_AT(tw_retransmit, acked, 192);

TW_ASSERT_AT(tw_reset, header, 0);
TW_ASSERT_AT(tw_reset, tuple, 32);
TW_ASSERT_AT(tw_reset, actor, 72);
TW_ASSERT_AT(tw_reset, reason, 100);
TW_ASSERT_AT(tw_reset, cb, 104);
TW_ASSERT_AT(tw_reset, skb_seq, 208);
TW_ASSERT_AT(tw_reset, skb_ack, 212);
TW_ASSERT_AT(tw_reset, direction, 216);
TW_ASSERT_AT(tw_reset, has_socket, 217);
TW_ASSERT_AT(tw_reset, answers_segment, 218);
TW_ASSERT_AT(tw_reset, skb_flags, 219);
TW_ASSERT_AT(tw_reset, sent_ms, 220);

TW_ASSERT_AT(tw_error, header, 0);
TW_ASSERT_AT(tw_error, tuple, 32);
TW_ASSERT_AT(tw_error, icmp_errno, 72);
TW_ASSERT_AT(tw_error, queue_origin, 74);
TW_ASSERT_AT(tw_error, icmp_type, 75);
TW_ASSERT_AT(tw_error, icmp_code, 76);
TW_ASSERT_AT(tw_error, err_soft, 78);
TW_ASSERT_AT(tw_error, icmp_sender, 80);
TW_ASSERT_AT(tw_error, cb, 96);

TW_ASSERT_AT(tw_destroy, header, 0);
TW_ASSERT_AT(tw_destroy, tuple, 32);
TW_ASSERT_AT(tw_destroy, has_wire, 72);
TW_ASSERT_AT(tw_destroy, cb, 80);
TW_ASSERT_AT(tw_destroy, wire, 184);
TW_ASSERT_AT(tw_destroy, loss, 216);
TW_ASSERT_AT(tw_destroy, times, 248);

TW_ASSERT_AT(tw_owner, header, 0);
TW_ASSERT_AT(tw_owner, tuple, 32);
TW_ASSERT_AT(tw_owner, actor, 72);
TW_ASSERT_AT(tw_owner, source, 100);
TW_ASSERT_AT(tw_owner, waited_ms, 104);
TW_ASSERT_AT(tw_owner, fd, 108);

TW_ASSERT_AT(tw_socket, header, 0);
TW_ASSERT_AT(tw_socket, tuple, 32);
TW_ASSERT_AT(tw_socket, type, 72);
TW_ASSERT_AT(tw_socket, has_wire, 73);
TW_ASSERT_AT(tw_socket, cb, 80);
TW_ASSERT_AT(tw_socket, wire, 184);
TW_ASSERT_AT(tw_socket, loss, 216);
TW_ASSERT_AT(tw_socket, times, 248);

TW_ASSERT_AT(tw_drop, header, 0);
TW_ASSERT_AT(tw_drop, tuple, 32);
TW_ASSERT_AT(tw_drop, reason, 72);
TW_ASSERT_AT(tw_drop, seq, 76);
TW_ASSERT_AT(tw_drop, ack, 80);
TW_ASSERT_AT(tw_drop, len, 84);
TW_ASSERT_AT(tw_drop, ifindex, 88);
TW_ASSERT_AT(tw_drop, window, 92);
TW_ASSERT_AT(tw_drop, flags, 94);
TW_ASSERT_AT(tw_drop, ttl, 95);
TW_ASSERT_AT(tw_drop, outgoing, 96);
TW_ASSERT_AT(tw_drop, has_socket, 97);
TW_ASSERT_AT(tw_drop, state, 98);
TW_ASSERT_AT(tw_drop, segments, 100);

TW_ASSERT_AT(tw_held_state, ts_ns, 0);
TW_ASSERT_AT(tw_held_state, snd_una, 8);
TW_ASSERT_AT(tw_held_state, snd_nxt, 12);
TW_ASSERT_AT(tw_held_state, write_seq, 16);
TW_ASSERT_AT(tw_held_state, rcv_nxt, 20);
TW_ASSERT_AT(tw_held_state, bytes_received, 24);
TW_ASSERT_AT(tw_held_state, mss, 28);
TW_ASSERT_AT(tw_held_state, segs_out, 30);
TW_ASSERT_AT(tw_held_state, packets_out, 32);
TW_ASSERT_AT(tw_held_state, old_state, 34);
TW_ASSERT_AT(tw_held_state, new_state, 35);
TW_ASSERT_AT(tw_held_state, flags, 36);
TW_ASSERT_AT(tw_held_state, details, 37);
TW_ASSERT_AT(tw_held_state, actor, 38);
TW_ASSERT_AT(tw_held_state, port, 39);

TW_ASSERT_AT(tw_held_segment, ts_ns, 0);
TW_ASSERT_AT(tw_held_segment, seq, 8);
TW_ASSERT_AT(tw_held_segment, ack, 12);
TW_ASSERT_AT(tw_held_segment, ts_val, 16);
TW_ASSERT_AT(tw_held_segment, ts_ecr, 20);
TW_ASSERT_AT(tw_held_segment, snd_una, 24);
TW_ASSERT_AT(tw_held_segment, snd_nxt, 28);
TW_ASSERT_AT(tw_held_segment, rcv_nxt, 32);
TW_ASSERT_AT(tw_held_segment, write_seq, 36);
TW_ASSERT_AT(tw_held_segment, ack_backlog, 24);
TW_ASSERT_AT(tw_held_segment, max_ack_backlog, 28);
TW_ASSERT_AT(tw_held_segment, syn_qlen, 32);
TW_ASSERT_AT(tw_held_segment, max_syn_backlog, 36);
TW_ASSERT_AT(tw_held_segment, ifindex, 40);
TW_ASSERT_AT(tw_held_segment, len, 44);
TW_ASSERT_AT(tw_held_segment, cookie, 48);
TW_ASSERT_AT(tw_held_segment, window, 52);
TW_ASSERT_AT(tw_held_segment, mss, 54);
TW_ASSERT_AT(tw_held_segment, flags, 56);
TW_ASSERT_AT(tw_held_segment, hook, 57);
TW_ASSERT_AT(tw_held_segment, ttl, 58);
TW_ASSERT_AT(tw_held_segment, options, 59);
TW_ASSERT_AT(tw_held_segment, wscale, 60);
TW_ASSERT_AT(tw_held_segment, type, 61);
TW_ASSERT_AT(tw_held_segment, state, 62);
TW_ASSERT_AT(tw_held_segment, socket_flags, 63);
TW_ASSERT_AT(tw_held_segment, syncookies, 63);

TW_ASSERT_AT(tw_held, owner_ns, 0);
TW_ASSERT_AT(tw_held, actor, 8);
TW_ASSERT_AT(tw_held, fin_timeout_ms, 36);
TW_ASSERT_AT(tw_held, owner_waited_ms, 40);
TW_ASSERT_AT(tw_held, owner_source, 44);
TW_ASSERT_AT(tw_held, state_count, 45);
TW_ASSERT_AT(tw_held, states, 48);
TW_ASSERT_AT(tw_held, segments, 288);

TW_ASSERT_AT(tw_digest, header, 0);
TW_ASSERT_AT(tw_digest, tuple, 32);
TW_ASSERT_AT(tw_digest, held, 72);
TW_ASSERT_AT(tw_digest, destroyed, 616);
TW_ASSERT_AT(tw_digest, has_wire, 617);
TW_ASSERT_AT(tw_digest, cb, 624);
TW_ASSERT_AT(tw_digest, wire, 728);
TW_ASSERT_AT(tw_digest, loss, 760);
TW_ASSERT_AT(tw_digest, times, 792);

TW_ASSERT_AT(tw_sample, header, 0);
TW_ASSERT_AT(tw_sample, tuple, 32);
TW_ASSERT_AT(tw_sample, bytes_acked, 72);
TW_ASSERT_AT(tw_sample, delivery_rate, 80);
TW_ASSERT_AT(tw_sample, snd_una, 88);
TW_ASSERT_AT(tw_sample, snd_nxt, 92);
TW_ASSERT_AT(tw_sample, write_seq, 96);
TW_ASSERT_AT(tw_sample, snd_wnd, 100);
TW_ASSERT_AT(tw_sample, srtt_us, 104);
TW_ASSERT_AT(tw_sample, rttvar_us, 108);
TW_ASSERT_AT(tw_sample, rto_us, 112);
TW_ASSERT_AT(tw_sample, snd_cwnd, 116);
TW_ASSERT_AT(tw_sample, snd_ssthresh, 120);
TW_ASSERT_AT(tw_sample, packets_out, 124);
TW_ASSERT_AT(tw_sample, retrans_out, 128);
TW_ASSERT_AT(tw_sample, lost_out, 132);
TW_ASSERT_AT(tw_sample, sacked_out, 136);
TW_ASSERT_AT(tw_sample, mss, 140);
TW_ASSERT_AT(tw_sample, state, 142);
TW_ASSERT_AT(tw_sample, ca_state, 143);
TW_ASSERT_AT(tw_sample, app_limited, 144);

TW_ASSERT_AT(tw_port_holder, tgid, 0);
TW_ASSERT_AT(tw_port_holder, ports, 4);
TW_ASSERT_AT(tw_port_holder, comm, 8);

TW_ASSERT_AT(tw_ports, header, 0);
TW_ASSERT_AT(tw_ports, tuple, 32);
TW_ASSERT_AT(tw_ports, first_port, 72);
TW_ASSERT_AT(tw_ports, last_port, 74);
TW_ASSERT_AT(tw_ports, time_wait, 76);
TW_ASSERT_AT(tw_ports, open, 80);
TW_ASSERT_AT(tw_ports, listening, 84);
TW_ASSERT_AT(tw_ports, others, 88);
TW_ASSERT_AT(tw_ports, used_holders, 92);
TW_ASSERT_AT(tw_ports, holders, 96);

TW_ASSERT_AT(tw_ports_question, remote_addr, 0);
TW_ASSERT_AT(tw_ports_question, netns, 16);
TW_ASSERT_AT(tw_ports_question, remote_port, 20);

TW_ASSERT_AT(tw_port_seen, local_port, 0);
TW_ASSERT_AT(tw_port_seen, state, 2);

TW_ASSERT_AT(tw_translation, header, 0);
TW_ASSERT_AT(tw_translation, tuple, 32);
TW_ASSERT_AT(tw_translation, wire, 72);
TW_ASSERT_AT(tw_translation, actor, 112);
TW_ASSERT_AT(tw_translation, ack, 140);

TW_ASSERT_AT(tw_icmp, header, 0);
TW_ASSERT_AT(tw_icmp, tuple, 32);
TW_ASSERT_AT(tw_icmp, seq, 72);
TW_ASSERT_AT(tw_icmp, mtu, 76);
TW_ASSERT_AT(tw_icmp, sender, 80);
TW_ASSERT_AT(tw_icmp, type, 96);
TW_ASSERT_AT(tw_icmp, code, 97);
TW_ASSERT_AT(tw_icmp, v6, 98);
TW_ASSERT_AT(tw_icmp, sent, 99);
TW_ASSERT_AT(tw_icmp, came_in, 100);

TW_ASSERT_AT(tw_cpu_state, tried, 0);
TW_ASSERT_AT(tw_cpu_state, lost, 8);
TW_ASSERT_AT(tw_cpu_state, lost_by_kind, 16);
TW_ASSERT_AT(tw_cpu_state, flows_full, 136);
TW_ASSERT_AT(tw_cpu_state, flows_added, 144);
TW_ASSERT_AT(tw_cpu_state, flows_removed, 152);
TW_ASSERT_AT(tw_cpu_state, again, 160);
TW_ASSERT_AT(tw_cpu_state, last_wakeup_ns, 168);
TW_ASSERT_AT(tw_cpu_state, in_state, 176);
TW_ASSERT_AT(tw_cpu_state, in_destroy, 180);

TW_ASSERT_AT(tw_host, prefix_bits, 0);
TW_ASSERT_AT(tw_host, addr, 4);

TW_ASSERT_AT(tw_config, netns, 0);
TW_ASSERT_AT(tw_config, tick_us, 4);
TW_ASSERT_AT(tw_config, wake_bytes, 8);
TW_ASSERT_AT(tw_config, some_hosts, 12);
TW_ASSERT_AT(tw_config, packets_all, 16);
TW_ASSERT_AT(tw_config, has_reset_reason, 17);
TW_ASSERT_AT(tw_config, has_retransmit_err, 18);
TW_ASSERT_AT(tw_config, has_drop_sk, 19);
TW_ASSERT_AT(tw_config, forwarded, 20);
TW_ASSERT_AT(tw_config, digests, 21);
TW_ASSERT_AT(tw_config, no_timeline, 23);
TW_ASSERT_AT(tw_config, snaplen, 24);
TW_ASSERT_AT(tw_config, some_ports, 28);
TW_ASSERT_AT(tw_config, ports, 32);

#endif
