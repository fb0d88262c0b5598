// SPDX-License-Identifier: Apache-2.0
// payload.hpp: payload bytes, without the sequence numbers of SYN and FIN.
#pragma once

#include <cstdint>

#include "facts/connection.hpp"

namespace tcpwitness {

// By the kernel's newest word, or else by the wire's.
[[nodiscard]] std::uint64_t sent_payload(const Connection& c);
[[nodiscard]] std::uint64_t received_payload(const Connection& c);
// By the newer one of both, where the connection is open and nobody has looked at its socket in the end.
[[nodiscard]] std::uint64_t newest_sent_payload(const Connection& c);
[[nodiscard]] std::uint64_t newest_received_payload(const Connection& c);
// The process closed (or died) before it had read everything.
[[nodiscard]] bool unread_data(const ControlBlock& cb);

}  // namespace tcpwitness
