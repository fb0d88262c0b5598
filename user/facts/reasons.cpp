// SPDX-License-Identifier: Apache-2.0
#include "facts/reasons.hpp"

#include <algorithm>
#include <initializer_list>

namespace tcpwitness {
namespace {

constexpr std::string_view reason_prefix = "SK_RST_REASON_";

std::string_view strip(std::string_view reason) {
  if (reason.starts_with(reason_prefix)) reason.remove_prefix(reason_prefix.size());
  return reason;
}

}  // namespace

ResetReason reset_reason(const Names& names, std::uint32_t number) {
  if (number == reset_reason_unknown) return ResetReason::unknown;
  if (number >= names.reset_reasons.size() || names.reset_reasons[number].empty()) return ResetReason::other;
  const std::string_view reason = strip(names.reset_reasons[number]);
  if (reason == "NO_SOCKET") return ResetReason::no_socket;
  if (reason == "TCP_KEEPALIVE_TIMEOUT") return ResetReason::keepalive_timeout;
  if (reason == "TCP_ABORT_ON_DATA") return ResetReason::abort_on_data;
  if (reason == "TCP_ABORT_ON_CLOSE") return ResetReason::abort_on_close;
  if (reason == "TCP_ABORT_ON_LINGER") return ResetReason::abort_on_linger;
  if (reason == "TCP_ABORT_ON_MEMORY") return ResetReason::abort_on_memory;
  if (reason == "TCP_STATE") return ResetReason::tcp_state;
  if (reason == "TCP_TIMEWAIT_SOCKET") return ResetReason::timewait_socket;
  if (reason == "INVALID_SYN") return ResetReason::invalid_syn;
  return ResetReason::other;
}

std::string reset_reason_text(const Names& names, std::uint32_t number) {
  if (number == reset_reason_unknown) return "";
  return std::string(strip(names.reset_reason(number)));
}

// include/net/dropreason-core.h. Names that came, went or were renamed between 5.17 and 6.18 stand side by side.
DropKind drop_kind(const Names& names, std::uint32_t number) {
  if (number >= names.drop_reasons.size()) return DropKind::other;
  const std::string_view reason = names.drop_reasons[number];
  const auto is = [&](std::initializer_list<std::string_view> some) {
    return std::ranges::find(some, reason) != some.end();
  };
  if (is({"NETFILTER_DROP"})) return DropKind::firewall;
  if (is({"BPF_CGROUP_EGRESS", "SOCKET_FILTER", "SECURITY_HOOK", "XFRM_POLICY", "TC_EGRESS", "TC_INGRESS", "XDP",
          "TAP_FILTER", "TAP_TXFILTER", "VLAN_FILTER"}))
    return DropKind::filter;
  if (is({"QDISC_DROP", "QDISC_OVERLIMIT", "QDISC_CONGESTED", "FULL_RING", "CPU_BACKLOG", "CAKE_FLOOD", "FQ_BAND_LIMIT",
          "FQ_HORIZON_LIMIT", "FQ_FLOW_LIMIT", "DUALPI2_STEP_DROP"}))
    return DropKind::queue;
  if (is({"NEIGH_FAILED", "NEIGH_CREATEFAIL", "NEIGH_QUEUEFULL", "NEIGH_DEAD", "NEIGH_HH_FILLFAIL"}))
    return DropKind::neighbour;
  if (is({"IP_OUTNOROUTES", "IP_INNOROUTES", "IP_INADDRERRORS", "IP_RPFILTER", "IP_LOCAL_SOURCE", "IP_INVALID_SOURCE",
          "IP_INVALID_DEST", "IP_LOCALNET"}))
    return DropKind::routing;
  if (is({"TCP_CSUM", "IP_CSUM", "SKB_CSUM"})) return DropKind::bad_checksum;
  if (is({"TCP_INVALID_SEQUENCE", "TCP_INVALID_END_SEQUENCE", "TCP_OVERWINDOW"})) return DropKind::out_of_window;
  if (is({"TCP_RFC7323_PAWS", "TCP_RFC7323_TW_PAWS"})) return DropKind::old_timestamp;
  if (is({"TCP_RFC7323_TSECR", "TCP_ACK_UNSENT_DATA"})) return DropKind::never_sent;
  if (is({"TCP_OLD_DATA", "TCP_OFOMERGE", "TCP_OFO_DROP"})) return DropKind::old_payload;
  if (is({"TCP_OLD_SEQUENCE"})) return DropKind::old_sequence;
  if (is({"TCP_OLD_ACK", "TCP_RFC7323_PAWS_ACK"})) return DropKind::old_data;
  if (is({"NO_SOCKET"})) return DropKind::no_socket;
  if (is({"TCP_LISTEN_OVERFLOW"})) return DropKind::accept_queue;
  if (is({"SOCKET_RCVBUFF", "SOCKET_BACKLOG", "PROTO_MEM", "NOMEM", "TCP_OFOMERGE_MEM", "TCP_OFO_QUEUE_PRUNE",
          "PFMEMALLOC"}))
    return DropKind::memory;
  if (is({"TCP_INVALID_SYN"})) return DropKind::refused_syn;
  if (is({"TCP_RESET"})) return DropKind::refused_rst;
  if (is({"TCP_AUTH_HDR", "TCP_MD5NOTFOUND", "TCP_MD5UNEXPECTED", "TCP_MD5FAILURE", "TCP_AONOTFOUND",
          "TCP_AOUNEXPECTED", "TCP_AOKEYNOTFOUND", "TCP_AOFAILURE"}))
    return DropKind::not_signed;
  if (is({"TCP_MINTTL"})) return DropKind::few_hops_left;
  if (is({"TCP_TOO_OLD_ACK", "TCP_INVALID_ACK_SEQUENCE"})) return DropKind::refused_ack;
  if (is({"TCP_FLAGS"})) return DropKind::no_flags;
  if (is({"TCP_CLOSE", "TCP_ABORT_ON_DATA"})) return DropKind::closed;
  if (is({"PKT_TOO_BIG"})) return DropKind::too_big;
  if (is({"PKT_TOO_SMALL", "IP_INHDR", "HDR_TRUNC"})) return DropKind::damaged;
  return DropKind::other;
}

bool dropped_before_tcp(DropKind kind) {
  return kind == DropKind::firewall || kind == DropKind::filter || kind == DropKind::queue ||
         kind == DropKind::routing || kind == DropKind::memory;
}

bool is_received_before(DropKind kind) { return kind == DropKind::old_payload || kind == DropKind::old_sequence; }

bool is_refused_by_tcp(DropKind kind) {
  switch (kind) {
    case DropKind::out_of_window:
    case DropKind::old_timestamp:
    case DropKind::never_sent:
    case DropKind::old_data:
    case DropKind::old_sequence:
    case DropKind::refused_syn:
    case DropKind::refused_ack:
    case DropKind::no_flags:
      return true;
    default:
      return false;
  }
}

bool is_fault(DropKind kind) {
  switch (kind) {
    case DropKind::firewall:
    case DropKind::filter:
    case DropKind::queue:
    case DropKind::neighbour:
    case DropKind::routing:
    case DropKind::bad_checksum:
    case DropKind::out_of_window:
    case DropKind::old_timestamp:
    case DropKind::never_sent:
    case DropKind::accept_queue:
    case DropKind::memory:
    case DropKind::not_signed:
    case DropKind::few_hops_left:
    case DropKind::too_big:
    case DropKind::damaged:
      return true;
    case DropKind::other:
    case DropKind::old_data:
    case DropKind::old_payload:
    case DropKind::old_sequence:
    case DropKind::no_socket:
    case DropKind::refused_syn:
    case DropKind::refused_rst:
    case DropKind::refused_ack:
    case DropKind::no_flags:
    case DropKind::closed:
      break;
  }
  return false;
}

}  // namespace tcpwitness
