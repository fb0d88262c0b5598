// SPDX-License-Identifier: Apache-2.0
// wording.hpp: the sentence of each kind of arguments. sentence() (tcpwitness/finding.hpp) chooses among them.
//
// A sentence is a function of the arguments alone: no connection, no settings, no clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tcpwitness/arguments.hpp"
#include "tcpwitness/connection.hpp"

namespace tcpwitness {

namespace endings {
struct Forwarded;
}

[[nodiscard]] std::string words(const arguments::ZeroWindow& of);               // zero_window.cpp
[[nodiscard]] std::string words(const arguments::Retransmission& of);           // retransmission.cpp
[[nodiscard]] std::string words(const arguments::PeerRetransmission& of);       // retransmission.cpp
[[nodiscard]] std::string words(const arguments::ForwardedRetransmission& of);  // retransmission.cpp
[[nodiscard]] std::string words(const arguments::PathMtuBlackHole& of);         // path.cpp
[[nodiscard]] std::string words(const arguments::ForwardedPathMtu& of);         // path.cpp
[[nodiscard]] std::string words(const arguments::PathDead& of);                 // path.cpp
[[nodiscard]] std::string words(const arguments::DelayedAckStall& of);          // path.cpp
[[nodiscard]] std::string words(const arguments::Keepalive& of);                // keepalive.cpp
[[nodiscard]] std::string words(const arguments::ForwardedKeepalive& of);       // keepalive.cpp
[[nodiscard]] std::string words(const arguments::HalfOpen& of);                 // keepalive.cpp
[[nodiscard]] std::string words(const arguments::TimeWait& of);                 // closing.cpp
[[nodiscard]] std::string words(const arguments::CloseWaitStuck& of);           // closing.cpp
[[nodiscard]] std::string words(const arguments::PeerNotClosing& of);           // closing.cpp
[[nodiscard]] std::string words(const arguments::WriteAfterPeerClosed& of);     // closing.cpp
[[nodiscard]] std::string words(const arguments::BytesDisagree& of);            // closing.cpp
[[nodiscard]] std::string words(const arguments::Reset& of);                    // reset.cpp
[[nodiscard]] std::string words(const arguments::RxDropped& of);                // drops.cpp
[[nodiscard]] std::string words(const arguments::TxNotSent& of);                // drops.cpp
[[nodiscard]] std::string words(const arguments::Refused& of);                  // drops.cpp
[[nodiscard]] std::string words(const arguments::ForwardDropped& of);           // drops.cpp
[[nodiscard]] std::string words(const arguments::DroppedSyn& of);               // drops.cpp
[[nodiscard]] std::string words(const arguments::AcceptQueueFull& of);          // listener.cpp
[[nodiscard]] std::string words(const arguments::SynBacklogFull& of);           // listener.cpp
[[nodiscard]] std::string words(const arguments::SynCookie& of);                // listener.cpp
[[nodiscard]] std::string words(const arguments::SlowHandshake& of);            // slow.cpp
[[nodiscard]] std::string words(const arguments::ForwardedHandshake& of);       // slow.cpp
[[nodiscard]] std::string words(const arguments::SlowAccept& of);               // slow.cpp
[[nodiscard]] std::string words(const arguments::Late& of);                     // slow.cpp
[[nodiscard]] std::string words(const arguments::PortExhaustion& of);           // ports.cpp
[[nodiscard]] std::string words(const arguments::AsymmetricRoute& of);          // crowd.cpp
[[nodiscard]] std::string words(const arguments::StraySegment& of);             // crowd.cpp
[[nodiscard]] std::string words(const arguments::More& of);                     // crowd.cpp
[[nodiscard]] std::string words(const arguments::SynFlood& of);                 // crowd.cpp
[[nodiscard]] std::string words(const arguments::OpenSocketState& of);          // open_socket.cpp

// What explanation() (tcpwitness/ending.hpp) is made of.
[[nodiscard]] std::string forwarded_words(const endings::Forwarded& of, const Life& life);  // forwarded.cpp
[[nodiscard]] std::string waiting_words(const Phases& phases, Role role);                   // waiting.cpp
// "host unreachable (ICMP type 3, code 1)"
[[nodiscard]] std::string typed(const IcmpMessage& icmp);  // parts.cpp

// parts.cpp: what several of them have in common
[[nodiscard]] std::string process_words(const arguments::NamedProcess& process);

// "nginx gets ECONNRESET". EPIPE is of a peer's RST behind its FIN: recv() has given 0 by then, and a send() may never
// come.
[[nodiscard]] std::string gets_error(std::string_view who, std::int32_t error);
[[nodiscard]] std::string_view side_name(arguments::Side side);  // "the client"
[[nodiscard]] arguments::Side other(arguments::Side side);
// "behind eth1"; "on the server's side" where the interface is not known.
[[nodiscard]] std::string behind(const std::string& interface, arguments::Side side);
[[nodiscard]] std::string on_interface(const std::string& interface);  // " on eth1", or ""
[[nodiscard]] std::string by_kernel(const std::string& reason);        // " (the kernel says NO_SOCKET)", or ""
[[nodiscard]] std::string closed_listener(const arguments::NamedProcess& process);  // "nginx[80] closed the listener"
// Of a listener: "closed", or "was closed by another process" (ss -K, the last worker that held it).
[[nodiscard]] std::string_view listener_closed(bool by_another);
// "3 segments", and where the whole is known and more than a handful: "3 of 400 segments (0.75 %)".
[[nodiscard]] std::string share(std::uint32_t part, std::uint32_t whole);
// "dropped by netfilter, the kernel's firewall (NETFILTER_DROP); ..."
[[nodiscard]] std::string reasons_words(const arguments::DropReasons& reasons);
// "38 NEIGH_FAILED, 2 NETFILTER_DROP"
[[nodiscard]] std::string reasons_counted(const arguments::DropReasons& reasons);

}  // namespace tcpwitness
