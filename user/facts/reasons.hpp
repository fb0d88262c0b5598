// SPDX-License-Identifier: Apache-2.0
// reasons.hpp: why the kernel sends a RST or drops a segment, as far as it matters here.
//
// Reasons are matched by name, never by number: the running kernel's BTF gives the names, with or without their prefix.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tcpwitness/arguments.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

// The kernel's reset reasons that rules ask for, by name: numbers change between releases.
enum class ResetReason : std::uint8_t {
  unknown,  // the kernel does not say
  other,
  no_socket,
  keepalive_timeout,
  abort_on_data,
  abort_on_close,
  abort_on_linger,
  tcp_state,
  timewait_socket,
  invalid_syn,
};
[[nodiscard]] ResetReason reset_reason(const Names& names, std::uint32_t number);
[[nodiscard]] std::string reset_reason_text(const Names& names, std::uint32_t number);  // without SK_RST_REASON_
[[nodiscard]] std::string_view reset_meaning(ResetReason reason, bool sent);

[[nodiscard]] DropKind drop_kind(const Names& names, std::uint32_t number);
[[nodiscard]] std::string_view drop_meaning(DropKind kind);
[[nodiscard]] bool is_fault(DropKind kind);  // a healthy connection meets none of these

}  // namespace tcpwitness
