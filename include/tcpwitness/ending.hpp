// SPDX-License-Identifier: Apache-2.0
// ending.hpp: how a connection ended, as values: beside what Life has, all that explanation() needs.
//
// One struct for what each outcome can rest on. It is complete in itself: it can be worded after the connection is
// gone. Names, units and "not known" are as in arguments.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tcpwitness/arguments.hpp"
#include "tcpwitness/connection.hpp"

namespace tcpwitness {
namespace endings {

// connect() failed, or the write that sent the SYN, with Life.error.
struct ConnectFailed {
  std::int64_t after_ns = 0;                      // since it was called; by_write: since the SYN
  std::optional<std::int64_t> closed_later_ns{};  // the error ended nothing: the process closed the socket later
  bool by_write = false;                          // Fast Open (RFC 7413): connect() had returned before
};

// Who closed this side, and whether by its death.
struct Closer {
  arguments::NamedProcess process{};
  bool died = false;
  int signal = 0;  // died: that killed it; 0: it exited
};

// An ICMP message and its sender.
struct Message {
  IcmpMessage icmp{};
  bool by_destination = false;
};

// completed
struct Completed {
  enum class How : std::uint8_t {
    both_at_once,
    answered_by_reset,  // what came behind the first FIN
    peer_first,
    time_wait_full,  // this side first; no room to wait in TIME_WAIT (tcp_max_tw_buckets)
    peer_not_seen,   // this side first; the peer's FIN was not seen
    time_wait,       // this side first
    both,
  };
  How how{};
  Closer closer{};  // where it died
};

// connect-timeout
struct ConnectTimeout {
  std::uint32_t retransmitted = 0;                     // SYNs that were retransmitted
  std::vector<std::int64_t> retransmitted_after_ns{};  // when each left, counted from the first SYN
  bool syn_ack_seen = false;                           // and TCP never took it
  arguments::DropReasons dropped_on_arrival{};         // the SYNs, on this machine
  arguments::DropReasons dropped{};                    // SYNs on their way out
  std::uint32_t dropped_syns = 0;                      // of `dropped`
  ConnectFailed failed{};
};

// connect-unsent
struct ConnectUnsent {
  bool not_made = false;  // connect() failed before there was one; nothing below is known then
  std::uint32_t syns = 0;
  arguments::DropReasons dropped{};  // empty: no neighbour, by the kernel's own message
  ConnectFailed failed{};
};

// connect-ignored
struct ConnectIgnored {
  bool reset = false;                // the answer was a RST
  arguments::DropReasons dropped{};  // SYN-ACKs
  ConnectFailed failed{};
};

// refused, unreachable: a firewall of this machine refused what its listener was asked, or its answer.
struct RefusedByMessage {
  bool syn = false;  // otherwise the SYN-ACK
  IcmpMessage icmp{};
};

// refused
struct Refused {
  enum class How : std::uint8_t {
    firewall_of_listener,  // of this machine, where the listener is
    by_this_machine,       // passive: a RST
    by_reset,
    by_own_reset,  // of this machine's TCP, to which the address belongs
    by_message,
    by_either,            // what answered was not seen
    firewall_on_arrival,  // of this machine, where the SYN arrived
    firewall_unsent,      // of this machine, before the SYN left
  };
  How how{};
  Message message{};  // by_message
  ConnectFailed failed{};
};

// reset-by-outsider
struct ResetByOutsider {
  std::uint8_t ttl = 0;        // of the RST
  std::uint8_t usual_ttl = 0;  // of all else from the peer
  std::int64_t later_ns = 0;   // until the peer went on
};

// reset-by-peer
struct ResetByPeer {
  enum class How : std::uint8_t { forgotten, in_handshake, taken_unseen, reset, broke_off };
  How how{};
};

// reset-by-local
struct ResetByLocal {
  enum class How : std::uint8_t {
    in_handshake,
    firewall_between,
    firewall_in_peers_name,
    destroyed,         // by another process (ss -K)
    gone,              // the mini-socket in FIN_WAIT2, before its time was over
    data_after_close,  // the mini-socket in FIN_WAIT2 answered it
    request_gone,      // the half-open request, with its listener
    listener_closed,   // before accept() had taken the connection
    not_seen,          // the RST
    sent,
  };
  struct Reason {
    std::string name{};  // the kernel's
    ResetReason kind{};
  };
  How how{};
  std::optional<Reason> reason{};     // sent
  std::int64_t reset_after_ns = 0;    // gone, data_after_close: since the close
  std::int64_t should_wait_ns = 0;    // gone: in FIN_WAIT2
  arguments::NamedProcess process{};  // listener_closed: whose listener; or, where that is not known, who closed it
  bool by_another = false;            // likewise: by a process that is not its own
  bool of_closer = false;             // likewise: `process` is who closed it
};

// keepalive-timeout
struct KeepaliveTimeout {
  std::uint32_t unanswered = 0;
  bool probes_seen = false;
  bool unsent = false;  // neither a probe nor the RST left by any interface
  std::uint32_t time_ms = 0;
  std::uint32_t interval_ms = 0;  // 0: neither timer is known
  bool reset_sent = false;
  std::uint32_t user_timeout_ms = 0;  // TCP_USER_TIMEOUT, where that was over before the last probe
  std::uint32_t answers_dropped = 0;  // arrived, and never reached TCP
  std::uint32_t answers_refused = 0;  // reached TCP, which did not take them
};

// retransmit-timeout, user-timeout
struct RetransmitTimeout {
  enum class How : std::uint8_t { unacknowledged, window_closed, window_silent, never_left, syn_ack };
  How how{};
  std::uint32_t waiting_bytes = 0;  // 0: the FIN
  std::uint32_t tries = 0;          // unacknowledged, syn_ack: retransmissions of what waited; 0: not known
  bool reset_sent = false;
  std::uint32_t user_timeout_ms = 0;
  bool error_of_path = false;        // Life.error is the newest one of the path
  std::optional<Message> message{};  // error_of_path: that it came by
};

// aborted
struct Aborted {
  enum class How : std::uint8_t { reset_sent, in_repair, reset_not_seen };
  How how{};
  Closer closer{};
};

// no-local-port
struct NoLocalPort {
  bool bound = false;            // the process had bound first_port
  std::uint16_t first_port = 0;  // of the range
  std::uint16_t last_port = 0;   // 0: the range is not known
};

// unreachable
struct Unreachable {
  enum class How : std::uint8_t { request_ended, by_message, not_seen };  // request_ended: a half-open one, here
  How how{};
  Message message{};
  ConnectFailed failed{};
};

// connect-cancelled
struct ConnectCancelled {
  enum class Answer : std::uint8_t {
    none,
    dropped_on_arrival,
    not_taken,
    dropped,
    no_syn,
    unsent,
    reset_dropped,
    unseen,  // packets are watched, and no interface has shown its SYN
  };
  bool destroyed = false;  // by another process (ss -K)
  Closer closer{};
  Answer answer{};
  arguments::DropReasons dropped_on_arrival{};  // the SYNs, on this machine
  std::uint32_t unsent_syns = 0;
  arguments::DropReasons unsent{};  // why none of them left
};

// fin-wait2-timeout
struct FinWait2Timeout {
  arguments::NamedProcess closer{};
  std::int64_t waited_ns = 0;
  std::optional<std::int64_t> reset_after_ns{};  // what the peer sent after the close got a RST
  bool fin_dropped = false;                      // the peer's FIN came, and TCP did not get it
};

// syn-dropped
struct SynDropped {
  std::uint32_t syns = 0;
  arguments::DropReasons dropped{};
};

// open, unknown: of a SYN that came no answer was seen.
struct UnansweredSyn {
  arguments::DropReasons dropped{};  // SYN-ACKs
  std::uint32_t with_room = 0;       // SYNs that met a listener with room; 0: it is not known
};

// open
struct StillOpen {
  enum class How : std::uint8_t {
    established,
    half_closed_in_capture,
    last_ack_not_in_capture,
    close_wait,
    fin_wait2,
    no_transition,
    in_state
  };
  How how{};
  TcpState state{};
  arguments::NamedProcess process{};
};

// unknown
struct Unknown {
  enum class How : std::uint8_t {
    in_repair,
    time_wait_full,
    events_lost,
    connect_failed,
    handshake,
    accept_queue_full,  // the handshake's last ACK came, and was dropped
    error,
    one_way,       // a capture that holds one direction only, in which that side closes
    fin_wait2,     // whether the peer's FIN came to the mini-socket is not known: no packets were seen
    fin_given_up,  // closed with SO_LINGER 0 behind both FINs, before this side's was acknowledged
    nothing,
  };
  How how{};
  Closer closer{};                    // in_repair, fin_given_up
  arguments::NamedProcess process{};  // time_wait_full, fin_wait2
  ConnectFailed failed{};             // connect_failed
};

// Any outcome of a connection through this machine.
struct Forwarded {
  enum class How : std::uint8_t {
    by_message,
    completed,
    refused,
    reset_by_client,
    reset_by_server,
    reset_by_this_machine,
    reset_by_outsider,
    no_answer,
    open,
    handshake,
    not_traced,  // its other side, and what came newest was dropped here
    followed_no_longer,
    not_known,
  };
  How how{};
  Message message{};  // by_message
};

}  // namespace endings

using AnyEnding =
    std::variant<endings::Unknown, endings::Completed, endings::ConnectTimeout, endings::ConnectUnsent,
                 endings::ConnectIgnored, endings::RefusedByMessage, endings::Refused, endings::ResetByOutsider,
                 endings::ResetByPeer, endings::ResetByLocal, endings::KeepaliveTimeout, endings::RetransmitTimeout,
                 endings::Aborted, endings::NoLocalPort, endings::Unreachable, endings::ConnectCancelled,
                 endings::FinWait2Timeout, endings::SynDropped, endings::UnansweredSyn, endings::StillOpen,
                 endings::Forwarded>;

// How a connection ended; std::visit, std::get_if and std::holds_alternative take it.
struct Ending : AnyEnding {
  using AnyEnding::variant;
};

// How a connection ended, in words: at most some sentences, made of Life.ending and of Life itself; "" where there is
// no ending. It needs nothing of the run.
[[nodiscard]] std::string explanation(const Life& life);

}  // namespace tcpwitness
