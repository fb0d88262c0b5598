// SPDX-License-Identifier: Apache-2.0
// words.cpp: numbers and names as people read them.
#include <fmt/format.h>

#include <cerrno>

#include "judge/judge.hpp"

namespace tcpwitness {

void cite(Finding& finding, const Evidence& evidence) {
  const std::vector<EventId> ids = evidence.list();
  finding.evidence.insert(finding.evidence.end(), ids.begin(), ids.end());
  finding.more_evidence += evidence.more();
}

const Owner& closer_of(const Connection& c) {
  return c.teardown && c.teardown->closer.pid != 0 ? c.teardown->closer : c.owner;
}

std::string process_words(const Owner& owner) {
  if (owner.pid == 0) return "a process that was not identified";
  return fmt::format("{} (pid {})", owner.process().comm, owner.pid);
}

std::string error_name(int error) {
  switch (error) {
    case 0:
      return "no error";
    case EPIPE:
      return "EPIPE";
    case ECONNREFUSED:
      return "ECONNREFUSED";
    case ETIMEDOUT:
      return "ETIMEDOUT";
    case ECONNRESET:
      return "ECONNRESET";
    case ECONNABORTED:
      return "ECONNABORTED";
    case EHOSTUNREACH:
      return "EHOSTUNREACH";
    case ENETUNREACH:
      return "ENETUNREACH";
    case EADDRNOTAVAIL:
      return "EADDRNOTAVAIL";
    case EACCES:
      return "EACCES";
    case ENOPROTOOPT:
      return "ENOPROTOOPT";
    default:
      return fmt::format("errno {}", error);
  }
}

}  // namespace tcpwitness
