// SPDX-License-Identifier: Apache-2.0
// event.hpp: one thing that the kernel or the wire did, as a value with a number and a time.
//
// The bodies are the ABI records themselves: there is no second set of structures to keep in step.
// Events come in ring order, which is causal; ts_ns can run backwards by milliseconds and nothing
// sorts by it. A capture or recording produces the same events as the ring does. A SocketDigest stands for several
// events (decode/digest.hpp); its number is that of the first of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "tcpwitness/address.hpp"
#include "tcpwitness/event_abi.h"
#include "tcpwitness/wire.hpp"

namespace tcpwitness {

using EventId = std::uint64_t;  // 1, 2, ... within a run; what evidence points to

using StateChange = tw_state;
using Retransmit = tw_retransmit;
using Reset = tw_reset;
using SocketError = tw_error;
using SocketDestroyed = tw_destroy;
using OwnerSeen = tw_owner;
using SocketFound = tw_socket;
using Drop = tw_drop;
using PortsFound = tw_ports;
using Translation = tw_translation;
using IcmpSeen = tw_icmp;
using SocketDigest = tw_digest;
using Sample = tw_sample;
using ControlBlock = tw_control_block;
using SocketView = tw_socket_view;
using Actor = tw_actor;

// ---- What records say, in TCP's terms: rules and outputs ask these, never the constants of the ABI ----

enum class EventKind : std::uint8_t {
  state = TW_KIND_STATE,
  segment = TW_KIND_SEGMENT,
  retransmit = TW_KIND_RETRANSMIT,
  reset = TW_KIND_RESET,
  error = TW_KIND_ERROR,
  destroy = TW_KIND_DESTROY,
  owner = TW_KIND_OWNER,
  socket = TW_KIND_SOCKET,
  drop = TW_KIND_DROP,
  ports = TW_KIND_PORTS,
  translation = TW_KIND_NAT,
  icmp = TW_KIND_ICMP,
  sample = TW_KIND_SAMPLE,
};
inline constexpr std::size_t event_kind_count = TW_KIND_COUNT;

// Of this machine; of a capture: of the conversation's local side.
enum class Direction : std::uint8_t { in, out };

// Where a segment was seen.
enum class HookPoint : std::uint8_t { xdp = TW_HOOK_XDP, ingress = TW_HOOK_TC_INGRESS, egress = TW_HOOK_TC_EGRESS };

// Why a segment is an event; see enum tw_why for each.
enum class Why : std::uint16_t {
  syn = TW_WHY_SYN,
  fin = TW_WHY_FIN,
  rst = TW_WHY_RST,
  handshake_ack = TW_WHY_HANDSHAKE_ACK,
  fin_ack = TW_WHY_FIN_ACK,
  keepalive = TW_WHY_KEEPALIVE,
  keepalive_ack = TW_WHY_KEEPALIVE_ACK,
  zero_window = TW_WHY_ZERO_WINDOW,
  window_open = TW_WHY_WINDOW_OPEN,
  retransmission = TW_WHY_RETRANSMISSION,
  out_of_order = TW_WHY_OUT_OF_ORDER,
  unknown_flow = TW_WHY_UNKNOWN_FLOW,
  window_probe = TW_WHY_WINDOW_PROBE,
  no_socket = TW_WHY_NO_SOCKET,
  fragment = TW_WHY_FRAGMENT,
  bad_header = TW_WHY_BAD_HEADER,
};

enum class TcpOption : std::uint8_t {
  timestamp = TW_OPT_TIMESTAMP,
  window_scale = TW_OPT_WSCALE,
  sack_permitted = TW_OPT_SACK_PERMITTED,
  sack = TW_OPT_SACK,
  mptcp = TW_OPT_MPTCP,
  fast_open = TW_OPT_FASTOPEN,
};

// What the look-up for an incoming segment found, or what sent an outgoing one; see enum tw_socket_type.
enum class SocketKind : std::uint8_t {
  none = TW_SOCKET_NONE,
  full = TW_SOCKET_FULL,
  listener = TW_SOCKET_LISTENER,
  request = TW_SOCKET_REQUEST,
  time_wait = TW_SOCKET_TIMEWAIT,
  control = TW_SOCKET_CONTROL,
  unknown = TW_SOCKET_UNKNOWN,
};

// Why the socket does not take a segment; see enum tw_refused.
enum class Refusal : std::uint8_t {
  none = TW_REFUSED_NOT,
  old = TW_REFUSED_OLD,
  beyond_window = TW_REFUSED_BEYOND,
  unsent_ack = TW_REFUSED_ACK,
  syn = TW_REFUSED_SYN,
  not_tcp = TW_REFUSED_FOREIGN,
};

// How a process is known to use a socket.
enum class OwnerSource : std::uint8_t {
  send = TW_OWNER_SEND,
  receive = TW_OWNER_RECEIVE,
  snapshot = TW_OWNER_SNAPSHOT,
};

inline constexpr std::uint32_t reset_reason_unknown = TW_REASON_UNKNOWN;
inline constexpr int retransmit_error_unknown = TW_RETRANSMIT_ERR_UNKNOWN;
inline constexpr std::size_t comm_length = TW_COMM_LEN;
inline constexpr std::uint32_t no_ssthresh = TW_NO_SSTHRESH;  // of a Sample: not set yet
inline constexpr std::uint32_t max_port_holders = TW_MAX_PORT_HOLDERS;

// A segment: the record, and what the whole conversation says of it where all of it is seen.
struct Segment : tw_segment {
  Analysis analysis{};
  SackBlocks sack{};  // of a capture

  [[nodiscard]] HookPoint hook_point() const { return static_cast<HookPoint>(hook); }
  [[nodiscard]] Direction direction() const {
    return hook_point() == HookPoint::egress ? Direction::out : Direction::in;
  }
  [[nodiscard]] bool outgoing() const { return direction() == Direction::out; }
  // Of a capture, which has no hook.
  void set_direction(Direction direction) {
    hook = static_cast<std::uint8_t>(direction == Direction::out ? HookPoint::egress : HookPoint::ingress);
  }
  [[nodiscard]] bool is(Why reason) const { return (why & static_cast<std::uint16_t>(reason)) != 0; }
  [[nodiscard]] bool has(TcpOption option) const { return (options & static_cast<std::uint8_t>(option)) != 0; }
  [[nodiscard]] SocketKind socket_kind() const { return static_cast<SocketKind>(socket.type); }
  [[nodiscard]] Refusal refusal() const { return static_cast<Refusal>(refused); }
  // Of a forwarded connection: on one of its two hops.
  [[nodiscard]] bool on_a_hop() const { return passing == TW_PASSING_HOP; }
};

// Of a socket's control block.
[[nodiscard]] inline bool was_read(const ControlBlock& cb) { return (cb.flags & TW_CB_PRESENT) != 0; }
[[nodiscard]] inline bool fin_received(const ControlBlock& cb) { return (cb.flags & TW_CB_DONE) != 0; }
[[nodiscard]] inline bool is_orphaned(const ControlBlock& cb) { return (cb.flags & TW_CB_DEAD) != 0; }
[[nodiscard]] inline bool in_repair(const ControlBlock& cb) { return (cb.flags & TW_CB_REPAIR) != 0; }
[[nodiscard]] inline bool is_locked_by_process(const ControlBlock& cb) { return (cb.flags & TW_CB_OWNED) != 0; }
[[nodiscard]] inline bool is_unaccepted(const ControlBlock& cb) { return (cb.more & TW_CB_UNACCEPTED) != 0; }

// Of Actor::flags, as `current` was at an event: a process; it holds the socket's lock; it is ending.
[[nodiscard]] inline bool actor_present(std::uint8_t flags) { return (flags & TW_ACTOR_PRESENT) != 0; }
[[nodiscard]] inline bool actor_owned(std::uint8_t flags) { return (flags & TW_ACTOR_OWNED) != 0; }
[[nodiscard]] inline bool actor_exiting(std::uint8_t flags) { return (flags & TW_ACTOR_EXITING) != 0; }
[[nodiscard]] inline bool actor_kernel_thread(std::uint8_t flags) { return (flags & TW_ACTOR_KTHREAD) != 0; }

// Reading a capture: no further segment of this conversation will come (its ports were used again, it was over for
// long, or the file ended).
struct ConversationEnd {
  std::uint32_t conversation = 0;  // as in Analysis; from now on another one can have it
  Flow flow;
  ConversationTotals totals;
  bool cut = false;  // the file ended, not the conversation
};

// Events that are not there: exact count, between two times. On one CPU: its records found no room in the ring. On none
// (TW_NO_CPU): transitions that interrupted another one, and whose program the kernel skipped.
struct Gap {
  std::uint64_t lost = 0;
  std::uint32_t cpu = 0;
  TimeNs from_ts_ns = 0;
  TimeNs to_ts_ns = 0;
  [[nodiscard]] bool skipped() const { return cpu == TW_NO_CPU; }
};

struct Event {
  EventId id = 0;
  TimeNs ts_ns = 0;
  std::variant<Gap, StateChange, Segment, Retransmit, Reset, SocketError, SocketDestroyed, OwnerSeen, SocketFound, Drop,
               PortsFound, Translation, IcmpSeen, SocketDigest, ConversationEnd, Sample>
      body;  // the smallest first: it is what an event is made with
};

}  // namespace tcpwitness
