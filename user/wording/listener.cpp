// SPDX-License-Identifier: Apache-2.0
// listener.cpp: what a listener's queues did to a handshake.
#include <fmt/format.h>

#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string listener_words(const arguments::NamedProcess& listener, const Endpoint& local) {
  return listener.pid != 0 ? process_words(listener) : fmt::format("the listener on {}", to_string(local));
}

}  // namespace

std::string words(const arguments::AcceptQueueFull& of) {
  std::string what;
  if (of.syns != 0) what = fmt::format("{} found it full and got no answer", counted(of.syns, "SYN"));
  if (of.acks != 0) {
    what += fmt::format("{}the handshake's last ACK was dropped for it{}", what.empty() ? "" : ", and ",
                        of.acks == 1 ? "" : fmt::format(" {} times", of.acks));
  }
  return fmt::format("{} does not accept fast enough: its accept queue is full{}: {}",
                     listener_words(of.listener, of.local),
                     of.numbers ? fmt::format(" ({} wait, the limit is {})", of.waiting, of.limit) : "", what);
}

std::string words(const arguments::SynBacklogFull& of) {
  const std::string limit = of.by_sysctl ? fmt::format("net.ipv4.tcp_max_syn_backlog is {}", of.limit)
                                         : fmt::format("the limit is {}", of.limit);
  return fmt::format(
      "the SYN queue of {} is full ({} half-open, {}) and SYN cookies are off (net.ipv4.tcp_syncookies is 0): {} got "
      "no answer",
      listener_words(of.listener, of.local), of.half_open, limit, counted(of.syns, "SYN"));
}

std::string words(const arguments::SynCookie& of) {
  return fmt::format(
      "the kernel answered with a SYN cookie for {}{}: it kept nothing of the request",
      listener_words(of.listener, of.local),
      of.queue_full ? fmt::format(", whose SYN queue was full ({} half-open, the limit is {})", of.half_open, of.limit)
                    : "");
}

}  // namespace tcpwitness
