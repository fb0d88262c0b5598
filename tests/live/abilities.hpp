// SPDX-License-Identifier: Apache-2.0
//
// What this kernel can do, asked of the kernel itself and never of the tracer: an expectation that depends on it must
// not change because the tracer has a fault. Never by version number: distributions carry features back.

#pragma once

#include <string>
#include <string_view>

namespace tcpwitness::live {

// Is this word in the kernel's type information: a type, a field, an enumerator?
bool kernel_has_type(const std::string& word);
// How many values this tracepoint passes; 0 where there is none of that name.
size_t tracepoint_arguments(const std::string& name);

// tcx links; before, clsact.
bool has_tcx();
inline std::string tc() { return has_tcx() ? "tcx" : "clsact"; }
// Why this machine sent a RST.
bool has_reset_reasons();
// tcp_retransmit_skb is also called for what could not be sent, with the error.
bool reports_failed_retransmissions();
// tcp_send_reset is also called for a RST that no full socket sends: for a mini-socket, or for want of a socket.
bool reports_every_reset();
// A new connection has its peer's address when it leaves LISTEN; otherwise its first transition is inferred.
bool new_connection_has_its_peer();
// The tracepoints of send() and receive(); otherwise only who takes payload is seen.
bool sees_send();

// Why a witness cannot be had here ("" where both can), as `tcpwitness doctor` prints it.
const std::string& missing_witness();

}  // namespace tcpwitness::live
