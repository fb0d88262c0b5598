// SPDX-License-Identifier: Apache-2.0
//
// One function a case: the situation as a script. What each is about stands in catalogue.cpp; comments beside the
// orders name the segments they bring about, client's on the left (>) and server's on the right (<).

#pragma once

#include "lab/script.hpp"

namespace tcpwitness::lab::cases {

// cases_connect.cpp
void refused(Script& s);
void no_answer(Script& s);
void handshake(Script& s);
void stray(Script& s);
void stray_listener(Script& s);
void half_open_synack(Script& s);
void accept_queue_full(Script& s);
void no_local_port(Script& s);
void port_in_use(Script& s);
void unreachable(Script& s);
void connect_cancelled(Script& s);

// cases_listen.cpp
void accept_overflow(Script& s);
void syn_backlog_full(Script& s);
void syncookie(Script& s);
void slow_accept(Script& s);
void slow_handshake(Script& s);
void synack_lost(Script& s);

// cases_firewall.cpp
void drop_input(Script& s);
void drop_input_ipv6(Script& s);
void drop_output(Script& s);
void reject_input(Script& s);
void reject_icmp(Script& s);
void reject_established(Script& s);
void reject_output(Script& s);
void connect_ignored(Script& s);
void connect_unsent(Script& s);
void connect_unsent_queue(Script& s);
void queue_overflow(Script& s);

// cases_refusal.cpp
void bad_checksum(Script& s);
void out_of_window(Script& s);
void old_timestamp(Script& s);
void old_data(Script& s);
void out_of_order(Script& s);
void blind_reset(Script& s);

// cases_crash.cpp
void kill_clean(Script& s);
void kill_unread(Script& s);
void vanish(Script& s);
void reboot_idle(Script& s);

// cases_close.cpp
void close_client(Script& s);
void close_server(Script& s);
void close_three(Script& s);
void ack_first(Script& s);
void fin_first(Script& s);
void simultaneous_close(Script& s);
void half_close(Script& s);
void port_reuse(Script& s);
void close_wait_stuck(Script& s);
void half_close_long(Script& s);
void fin_wait2_timeout(Script& s);
void write_after_peer_closed(Script& s);

// cases_timers.cpp
void keepalive_answered(Script& s);
void keepalive_death(Script& s);
void keepalive_revived(Script& s);
void keepalive_user_timeout(Script& s);
void probe_timeout(Script& s);
void zero_window(Script& s);
void retransmit_timeout(Script& s);
void user_timeout(Script& s);

// cases_reset.cpp
void reset_by_peer(Script& s);
void reset_by_local(Script& s);
void reset_orphan(Script& s);
void third_machine_before(Script& s);
void reset_routed(Script& s);
void reset_suspected(Script& s);
void reset_injected(Script& s);

// cases_server.cpp
void fork_server(Script& s);
void mapped(Script& s);
void ipv6(Script& s);
void late(Script& s);
void preexisting_before(Script& s);
void preexisting(Script& s);

// cases_transfer.cpp
void retransmission_tail(Script& s);
void retransmission_fast(Script& s);
void retransmission_rto(Script& s);
void retransmission_spurious(Script& s);
void path_dead(Script& s);
void path_mtu_black_hole(Script& s);
void delayed_ack_stall(Script& s);
void delayed_ack_nodelay(Script& s);
void two_paths_before(Script& s);
void two_paths(Script& s);
void asymmetric_route_before(Script& s);
void asymmetric_route(Script& s);
void bulk(Script& s);

}  // namespace tcpwitness::lab::cases
