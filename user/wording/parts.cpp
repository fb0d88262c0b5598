// SPDX-License-Identifier: Apache-2.0
// parts.cpp: parts of sentences that several findings have.
#include <fmt/format.h>

#include <cerrno>

#include "facts/reasons.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {

std::string process_words(const arguments::NamedProcess& process) {
  if (process.pid == 0) return "a process that was not identified";
  return process_name(process.comm, process.pid);
}

std::string gets_error(std::string_view who, std::int32_t error) {
  if (error == EPIPE) return fmt::format("the next send() of {} gets EPIPE", who);
  return fmt::format("{} gets {}", who, errno_name(error));
}

std::string typed(const IcmpMessage& icmp) {
  return fmt::format("{} ({} type {}, code {})", name(icmp), icmp.v6 ? "ICMPv6" : "ICMP", icmp.type, icmp.code);
}

std::string_view side_name(arguments::Side side) {
  return side == arguments::Side::client ? "the client" : "the server";
}

arguments::Side other(arguments::Side side) {
  return side == arguments::Side::client ? arguments::Side::server : arguments::Side::client;
}

std::string behind(const std::string& interface, arguments::Side side) {
  return interface.empty() ? fmt::format("on {}'s side", side_name(side)) : fmt::format("behind {}", interface);
}

std::string on_interface(const std::string& interface) { return interface.empty() ? "" : " on " + interface; }

std::string by_kernel(const std::string& reason) {
  return reason.empty() ? "" : fmt::format(" (the kernel says {})", reason);
}

std::string closed_listener(const arguments::NamedProcess& process) {
  return fmt::format("{} closed the listener", process_words(process));
}

std::string_view listener_closed(bool by_another) { return by_another ? "was closed by another process" : "closed"; }

std::string share(std::uint32_t part, std::uint32_t whole) {
  constexpr std::uint32_t handful = 50;
  if (whole < handful || part > whole) return counted(part, "segment");
  const double percent = 100.0 * part / whole;
  return fmt::format("{} of {} segments ({:.{}g} %)", part, whole, percent, percent < 99.5 ? 2 : 3);
}

std::string reasons_words(const arguments::DropReasons& reasons) {
  std::string text;
  for (const arguments::DropReason& reason : reasons) {
    const std::string_view means = meaning(reason.kind);
    if (!text.empty()) text += "; ";
    text += means.empty() ? reason.name : fmt::format("{} ({})", means, reason.name);
  }
  return text;
}

std::string reasons_counted(const arguments::DropReasons& reasons) {
  std::string text;
  for (const arguments::DropReason& reason : reasons)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", reason.count, reason.name);
  return text;
}

}  // namespace tcpwitness
