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

[[nodiscard]] ResetReason reset_reason(const Names& names, std::uint32_t number);
[[nodiscard]] std::string reset_reason_text(const Names& names, std::uint32_t number);  // without SK_RST_REASON_

[[nodiscard]] DropKind drop_kind(const Names& names, std::uint32_t number);
// What a segment meets before TCP looks at it. (A wrong checksum has a rule of its own.)
[[nodiscard]] bool dropped_before_tcp(DropKind kind);
// What payload such a segment has: it came twice.
[[nodiscard]] bool is_received_before(DropKind kind);
// TCP has looked at its header and takes nothing of it (tcp_validate_incoming()), so not its acknowledgement either.
[[nodiscard]] bool is_refused_by_tcp(DropKind kind);
[[nodiscard]] bool is_fault(DropKind kind);  // a healthy connection meets none of these

}  // namespace tcpwitness
