// SPDX-License-Identifier: Apache-2.0
// forwarded.cpp: what is reported of a connection that passes through this machine: its two hops, and how it ended.
#include <fmt/format.h>

#include "tcpwitness/ending.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string clamp_words(const Hop& from, const Hop& to, std::string_view who) {
  if (from.mss_in == 0 || to.mss_out == 0 || from.mss_in == to.mss_out) return "";
  return fmt::format("{}'s MSS was changed from {} to {} here.", who, from.mss_in, to.mss_out);
}

// "port unreachable (ICMP type 3, code 3), sent by this machine (10.8.0.254)"
std::string message_words(const endings::Message& of) {
  std::string sender = fmt::format("{}, on the way", to_string(of.icmp.sender));
  if (of.by_destination) sender = fmt::format("the destination itself ({})", to_string(of.icmp.sender));
  if (of.icmp.own) sender = fmt::format("this machine ({})", to_string(of.icmp.sender));
  return fmt::format("{}, sent by {}", typed(of.icmp), sender);
}

std::string how_it_ended(const endings::Forwarded& of, const Life& life) {
  using How = endings::Forwarded::How;
  switch (of.how) {
    case How::by_message:
      return fmt::format("The SYN was answered by an ICMP message: {}.", message_words(of.message));
    case How::completed:
      if (life.closed_by == ClosedBy::both) return "Both ends closed at the same time.";
      if (life.closed_by == ClosedBy::none) return "Both ends closed.";
      return fmt::format("Both ends closed, {} first.",
                         life.closed_by == ClosedBy::local ? "the client" : "the server");
    case How::refused:
      return "The SYN was answered by a RST.";
    case How::reset_by_client:
      return "The client ended it with a RST.";
    case How::reset_by_server:
      return "The server ended it with a RST.";
    case How::reset_by_this_machine:
      return "This machine ended it with a RST.";
    case How::reset_by_outsider:
      return "Something that is neither end ended it with a RST.";
    case How::no_answer:
      return "No answer to the SYN came back through this machine.";
    case How::open:
      return "It is still open.";
    case How::handshake:
      return "Its handshake is not finished yet.";
    case How::not_traced:
      return "Its other side is not traced, and this machine dropped its newest segments: whether it goes on is not "
             "known.";
    case How::followed_no_longer:
      return "Nothing more of it passed, and it is followed no longer.";
    case How::not_known:
      break;
  }
  return "How it ended is not known.";
}

}  // namespace

std::string forwarded_words(const endings::Forwarded& of, const Life& life) {
  if (!life.forwarded) return how_it_ended(of, life);
  const Forwarded& f = *life.forwarded;
  std::string text;
  if (f.joined) {
    text = fmt::format("Forwarded between {} (client) and {} (server)",
                       f.client.interface.empty() ? "?" : f.client.interface,
                       f.server.interface.empty() ? "?" : f.server.interface);
    if (life.nat) {
      text += fmt::format(", translated: the server has it as {} to {}", to_string(life.nat->local),
                          to_string(life.nat->remote));
    }
    text += ".";
  } else {
    const Hop& hop = f.client.interface.empty() ? f.server : f.client;
    text = fmt::format("Forwarded; only its hop on {} was seen.", hop.interface);
  }
  text += clamp_words(f.client, f.server, " The client");
  text += clamp_words(f.server, f.client, " The server");
  if (f.untranslated != 0) {
    text += fmt::format(" {} left untranslated: NAT did not know the connection any more.",
                        counted(f.untranslated, "segment"));
  }
  return text + " " + how_it_ended(of, life);
}

}  // namespace tcpwitness
