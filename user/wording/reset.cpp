// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "values/duration.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

// Of the other end of the connection, which the same run follows.
std::string by_other_end(const arguments::Reset& of) {
  const std::string who =
      of.other.pid != 0 ? process_words(of.other) : fmt::format("the other end (connection {})", of.other_conn);
  if (of.other_gave_up) return fmt::format("RST by the kernel of {}: its keep-alive gave up", who);
  if (of.other_answered) return fmt::format("RST by the kernel of {}, which had closed before", who);
  if (of.other_gave_request_up) return fmt::format("RST by the kernel of {}, in the handshake", who);
  if (!of.unread_bytes) return fmt::format("RST by {}", who);
  return fmt::format("RST by {}: {} with {} unread", who, of.other_died ? "died" : "closed",
                     bytes_in_words(*of.unread_bytes));
}

std::string made_here(const arguments::Reset& of, std::string_view sender) {
  return fmt::format("this machine made the RST: it left for {}{} and came in nowhere{}", side_name(of.side),
                     on_interface(of.interface), sender);
}

}  // namespace

std::string words(const arguments::Reset& of) {
  using How = arguments::Reset::How;
  switch (of.how) {
    case How::firewall_between:
      return fmt::format("a local firewall sent the RST, not {}: it dropped what {} had sent", process_words(of.other),
                         process_words(of.process));
    case How::other_end:
      return by_other_end(of);
    case How::nobody_here:
      return fmt::format("this machine's own TCP sent the RST: {} {}{}",
                         of.refused ? "nothing listens on" : "no socket is left at", to_string(of.remote),
                         by_kernel(of.reason));
    case How::came_in:
      return "the RST came from the peer, or from something on the way in its name";
    case How::taken_unseen:
      return "the kernel received a reset from the peer; no RST was seen between these addresses";
    case How::taken:
      return "the kernel received a reset from the peer";
    case How::firewall_on_arrival:
      return "a local firewall sent the RST in the peer's place: it dropped the SYN that arrived";
    case How::firewall_on_every_syn:
      return "a local firewall sent the RST in the peer's place: it dropped every SYN on its way out";
    case How::firewall_probably:
      return "a local firewall dropped what this side sent, and probably sent the RST in the peer's place";
    case How::other_ttl:
      return fmt::format("the RST came with TTL {}, all else from {} with {}: perhaps something on the way sent it",
                         of.ttl, to_string(of.remote), of.usual_ttl);
    case How::firewall_by_loopback:
      return "a firewall of this machine sent the RST in the peer's place: it came in on the loopback interface, "
             "all else from the peer on another";
    case How::outsider:
      return fmt::format(
          "an outsider sent the RST, not the peer's TCP: it came with TTL {}, all else from {} with {}, and {} later "
          "that went on sending",
          of.ttl, to_string(of.remote), of.usual_ttl, duration_in_words(of.later_ns));
    case How::firewall_here:
      return "no socket of this machine sent the RST: a local firewall did, or a program through a raw socket";
    case How::firewall_here_dropped:
      return "no socket of this machine sent the RST: a local firewall did, which dropped what the peer had sent";
    case How::keepalive_gave_up:
      return fmt::format("this machine's TCP sent the RST: keep-alive gave up{}", by_kernel(of.reason));
    case How::destroyed:
      return fmt::format("another process destroyed the socket (as ss -K does), so this machine sent a RST{}",
                         by_kernel(of.reason));
    case How::process_died:
      return fmt::format("{} died with unread data, so its kernel sent a RST{}", process_words(of.process),
                         by_kernel(of.reason));
    case How::process_closed:
      return fmt::format("{} closed in a way that sends a RST{}", process_words(of.process), by_kernel(of.reason));
    case How::no_room_for_orphan:
      return fmt::format(
          "{} closed, and the kernel had no room to keep what was left to send (net.ipv4.tcp_max_orphans, TCP memory), "
          "so it sent a RST{}",
          process_words(of.process), by_kernel(of.reason));
    case How::listener_closed:
      return fmt::format("{} before accept() had taken the connection, so its kernel sent a RST{}",
                         of.of_closer ? closed_listener(of.process)
                                      : fmt::format("the listener of {} {}", process_words(of.process),
                                                    listener_closed(of.by_another)),
                         by_kernel(of.reason));
    case How::this_side:
      return "the RST came from this side (or something on the way from it)";
    case How::this_tcp:
      return fmt::format("this machine's TCP sent the RST{}", by_kernel(of.reason));
    case How::made_here:
      return made_here(of, "");
    case How::made_here_by_tcp:
      return made_here(of, "; its TCP answered a segment that fits no connection here");
    case How::made_here_by_no_socket:
      return made_here(of, "; no socket sent it, as when a firewall rejects");
    case How::passed:
      return fmt::format("the RST came in{}: {} sent it, or something before it in its name",
                         on_interface(of.interface), side_name(of.side));
    case How::passed_with_other_ttl:
      return fmt::format("the RST came in with TTL {}, all else from {} with {}: perhaps something before it sent it",
                         of.ttl, to_string(of.remote), of.usual_ttl);
  }
  return "";
}

}  // namespace tcpwitness
