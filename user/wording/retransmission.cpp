// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string tries(std::uint32_t number) { return number == 1 ? "1 more was" : fmt::format("{} more were", number); }

std::string seen_words(std::uint32_t sent, std::uint32_t seen) {
  if (seen == sent) return sent == 1 ? "seen on the wire" : "all seen on the wire";
  if (seen == 0) return "not seen as such on the wire";
  return fmt::format("{} of them seen on the wire", seen);
}

// "the kernel retransmitted 2 of 40 segments (5 %): 1 RTO (seen on the wire), 1 tail-loss probe (seen on the wire)"
std::string words(const arguments::Retransmission::ByKernel& of) {
  std::string text;
  std::uint32_t named = 0;
  for (const auto& cause : of.causes) {
    named += cause.count;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", cause.count, name(cause.kind));
    if (of.compared) text += fmt::format(" ({})", seen_words(cause.count, cause.seen));
  }
  if (of.retransmitted > named)
    text += fmt::format("{}{} whose cause was not seen", text.empty() ? "" : ", ", of.retransmitted - named);
  text =
      fmt::format("the kernel retransmitted {}{}", share(of.retransmitted, of.sent), text.empty() ? "" : ": " + text);
  if (of.refused != 0) text += fmt::format("; {} of them never left this machine", of.refused);
  if (of.put_off != 0)
    text += fmt::format("; {} put off: the copy before still waited on this machine", tries(of.put_off));
  if (of.not_tried != 0)
    text += fmt::format("; {} given up before anything was sent (no route, or beyond the peer's window)",
                        tries(of.not_tried));
  if (of.syn_acks != 0) {
    text += fmt::format("; the request socket sent {} that the kernel did not report",
                        counted(of.syn_acks, "more SYN-ACK"));
  }
  if (of.unreported != 0) {
    text +=
        fmt::format("; on the wire {} sent again that the kernel did not report", counted(of.unreported, "segment"));
  }
  if (of.unseen != 0)
    text += fmt::format("; the kernel reported {} that the wire did not show as such", counted(of.unseen, "segment"));
  return text;
}

std::string words(const arguments::Retransmission::ByWire& of) {
  return fmt::format("this side sent {} again{}", share(of.retransmitted, of.sent),
                     of.kernel_there ? "; the kernel reported none" : "");
}

std::string words(const arguments::Retransmission::Spurious& of) {
  return fmt::format("{} retransmitted, and by its D-SACK the peer got {} twice: in vain, or the network made copies",
                     counted(of.retransmitted, "segment"), of.received_twice);
}

// "TCP_OLD_DATA, TCP_OLD_SEQUENCE": they all mean the same here.
std::string reason_names(const arguments::DropReasons& reasons) {
  std::string text;
  for (const arguments::DropReason& reason : reasons) text += (text.empty() ? "" : ", ") + reason.name;
  return text;
}

}  // namespace

std::string words(const arguments::Retransmission& of) {
  if (of.by_kernel) return words(*of.by_kernel);
  if (of.by_wire) return words(*of.by_wire);
  return of.spurious ? words(*of.spurious) : "";
}

std::string words(const arguments::PeerRetransmission& of) {
  using Doubt = arguments::PeerRetransmission::Doubt;
  const bool doubt = of.doubt != Doubt::none;
  std::string text;
  if (of.retransmitted != 0) {
    const std::string again = share(of.retransmitted, of.received);
    text = doubt ? again + " came again from the peer's address" : fmt::format("the peer sent {} again", again);
  }
  if (of.spurious != 0) {
    const std::string_view whose = doubt ? " from the peer's address" : " sent again by the peer";
    text += fmt::format("{}spurious: {}{} had arrived before ({})", text.empty() ? "" : "; ",
                        counted(of.spurious, "segment"), text.empty() ? whose : "", reason_names(of.reasons));
  }
  if (of.out_of_order != 0)
    text += fmt::format("; {} only came out of order", counted(of.out_of_order, "more segment"));
  if (of.doubt == Doubt::beyond_fin)
    text += "; payload came where a FIN had ended the peer's stream, so two have sent from its address";
  if (of.doubt == Doubt::not_yet_sent)
    text += "; an ACK of the peer before it shows it as not sent yet: that ACK came late, or another one had sent it";
  if (of.doubt == Doubt::other_hops)
    text += "; not all of its segments came over as many hops (TTL), so another one can have sent some of them";
  return text;
}

std::string words(const arguments::ForwardedRetransmission& of) {
  std::string text;
  const auto add = [&](std::string_view who, std::uint32_t again, std::uint32_t all) {
    if (again == 0) return;
    text += fmt::format("{}{} sent {} again", text.empty() ? "" : "; ", who, share(again, all));
  };
  add("the client", of.client_retransmitted, of.client_sent);
  add("the server", of.server_retransmitted, of.server_sent);
  return text;
}

}  // namespace tcpwitness
