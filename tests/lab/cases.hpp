// SPDX-License-Identifier: Apache-2.0
//
// One function a case: the situation as a script. What each is about stands in catalogue.cpp; comments beside the
// orders say which segments they bring about, client's on the left (>) and server's on the right (<).

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

// cases_crash.cpp
void kill_clean(Script& s);
void kill_unread(Script& s);
void vanish(Script& s);

// cases_close.cpp
void close_client(Script& s);
void close_server(Script& s);
void close_three(Script& s);
void ack_first(Script& s);
void fin_first(Script& s);
void simultaneous_close(Script& s);
void close_wait_stuck(Script& s);

// cases_timers.cpp
void keepalive_answered(Script& s);
void keepalive_death(Script& s);
void zero_window(Script& s);
void retransmit_timeout(Script& s);
void user_timeout(Script& s);

// cases_reset.cpp
void reset_by_peer(Script& s);
void reset_by_local(Script& s);

// cases_server.cpp
void fork_server(Script& s);
void mapped(Script& s);
void ipv6(Script& s);
void preexisting_before(Script& s);
void preexisting(Script& s);

// cases_transfer.cpp
void retransmission_tail(Script& s);
void retransmission_fast(Script& s);
void retransmission_rto(Script& s);
void bulk(Script& s);

}  // namespace tcpwitness::lab::cases
