// SPDX-License-Identifier: Apache-2.0
// closing.cpp: how a connection ends, and what was carried by then.
#include <fmt/format.h>

#include "values/address_text.hpp"
#include "values/duration.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string difference(std::string_view verb, const arguments::BytesDisagree::Difference& of) {
  if (of.kernel > of.wire_most) {
    return fmt::format("the kernel {} {} bytes and the wire showed only {}: {} went another way", verb, of.kernel,
                       of.wire_most, of.kernel - of.wire_most);
  }
  return fmt::format("the wire showed {} bytes and the kernel {} only {}: {} too many", of.wire_least, verb, of.kernel,
                     of.wire_least - of.kernel);
}

std::string lasted(bool at_least, std::int64_t ns) { return (at_least ? "at least " : "") + duration_in_words(ns); }

}  // namespace

std::string words(const arguments::TimeWait& of) {
  return fmt::format(
      "{} {}, so {} is in TIME_WAIT for up to {}: until then only a newer SYN (RFC 6191) can use {} to {}",
      of.closer.pid != 0 ? process_words(of.closer) : "this side",
      of.with_peer ? "and the peer both closed before the other's FIN came" : "closed first",
      of.closer.pid == 0 && !of.with_peer ? "it" : "this side", duration_in_words(of.lasts_ns),
      endpoint_text(of.local).view(), endpoint_text(of.remote).view());
}

std::string words(const arguments::CloseWaitStuck& of) {
  const std::string who = of.several ? "more than one process" : process_words(of.process);
  if (of.closed) {
    return fmt::format("the peer's FIN arrived and {} closed only {} later", process_words(of.process),
                       lasted(of.at_least, of.lasted_ns));
  }
  if (of.ended) {
    return fmt::format("the peer's FIN arrived, and {} had not {} when the connection ended, {} later", who,
                       of.accepted ? "closed" : "even accepted the connection", lasted(of.at_least, of.lasted_ns));
  }
  const std::string did = of.fd ? fmt::format("closed fd {}", *of.fd) : "closed";
  return fmt::format("the peer's FIN arrived {} ago; {} has not {} (CLOSE_WAIT)", lasted(of.at_least, of.lasted_ns),
                     who, of.accepted ? did : "even accepted the connection");
}

std::string words(const arguments::PeerNotClosing& of) {
  const std::string did =
      fmt::format("{} {}", process_words(of.closer), of.both_directions ? "closed" : "closed its sending side");
  const std::string since = lasted(of.at_least, of.lasted_ns);
  const std::string peer = to_string(of.remote);
  return of.closed ? fmt::format("{}; {} acknowledged it and sent its own FIN only {} later", did, peer, since)
                   : fmt::format("{} {} ago; {} has acknowledged it and has not closed: no FIN of it has come", did,
                                 since, peer);
}

std::string words(const arguments::WriteAfterPeerClosed& of) {
  const std::string who = process_words(of.process);
  const std::string how =
      of.after_bytes == 0
          ? fmt::format("the {} that {} had just sent met its FIN on the way", counted(of.lost_bytes, "byte"), who)
          : fmt::format("{} later {} sent {}",
                        of.later_ns > 1'000'000 ? duration_in_words(of.later_ns) : "less than 1 ms", who,
                        counted(of.after_bytes, "byte"));
  return fmt::format("{} sent its FIN first; {}; a RST answered: {} lost", to_string(of.remote), how,
                     of.lost_bytes == 1 ? "it is" : "they are");
}

std::string words(const arguments::BytesDisagree& of) {
  std::string text;
  if (of.sent) text = difference("counts as acknowledged", *of.sent);
  if (of.received) text += fmt::format("{}{}", text.empty() ? "" : "; ", difference("received", *of.received));
  return text;
}

}  // namespace tcpwitness
