// SPDX-License-Identifier: Apache-2.0
// story_kernel.cpp: the sentences of what the kernel did beside transitions: retransmissions, resets, errors, drops,
// probes.
#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "sink/format.hpp"
#include "sink/trace_words.hpp"
#include "sink/views/story_parts.hpp"
#include "sink/views/story_words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

bool never_left(const RetransmitEntry& body) { return body.err != 0 && body.err != retransmit_error_unknown; }

// Why the kernel sent it again, so long after the first SYN; 0: not known.
std::string again_because(const RetransmitEntry& body, TimeNs since_syn_ns) {
  const bool sooner =
      since_syn_ns != 0 && since_syn_ns < std::int64_t{body.rto_us} * 1'000 * 7 / 8;  // timers are coarse
  if (body.cause == RetransmitKind::syn && sooner)  // tcp_rcv_synsent_state_process(): it has refused an answer
    return fmt::format("sooner than its timer of {}", microseconds_in_words(body.rto_us));
  const std::string timer = body.rto_us != 0 ? " within " + microseconds_in_words(body.rto_us) : "";
  switch (body.cause) {
    case RetransmitKind::syn:
    case RetransmitKind::syn_ack:
      return fmt::format("no answer reached TCP{}", timer);
    case RetransmitKind::rto:
      return fmt::format("no acknowledgement reached TCP{} (retransmission timeout)", timer);
    case RetransmitKind::fast:
      return "the peer's ACKs say that it is missing (fast retransmission)";
    case RetransmitKind::zero_window_rto:
      return "the peer's window is closed, and no acknowledgement reached TCP" + timer;
    case RetransmitKind::loss_recovery:
      return "it counts as lost (loss recovery)";
    case RetransmitKind::path_mtu:
      return "the path takes smaller segments only (path MTU); no timer ran out";
    case RetransmitKind::tail_loss:
      return "tail-loss probe";
    case RetransmitKind::unknown:
      break;
  }
  return "the kernel does not say why";
}

std::string not_left(const RetransmitEntry& body) {
  if (!never_left(body)) return "";
  if (body.err > 0)
    return ", but its way out refused it (the qdisc, a tc filter or netfilter's egress hook): it never left this "
           "machine";
  if (body.err == -EPERM) return ", but netfilter dropped it: it never left this machine";
  if (body.err == -EBUSY) return ", but the one before still waits on this machine: nothing was sent";
  if (body.err == -EAGAIN) return ", but it lies beyond the peer's window: it never left";
  if (body.err == -EHOSTUNREACH) return ", but there is no route for it: it never left";
  return fmt::format(", but it did not leave (error {})", body.err);
}

std::string_view flags_or_data(std::uint8_t flags, std::uint32_t len) {
  if ((flags & tcp_flag::rst) != 0) return "RST";
  if ((flags & tcp_flag::syn) != 0) return (flags & tcp_flag::ack) != 0 ? "SYN-ACK" : "SYN";
  if ((flags & tcp_flag::fin) != 0) return "FIN";
  return len != 0 ? "data" : "ACK";
}

// "dropped by netfilter, the kernel's firewall (NETFILTER_DROP)", or the kernel's name alone.
std::string with_name(std::string_view meaning, const std::string& name) {
  if (name.empty()) return std::string(meaning);
  return meaning.empty() ? "the kernel calls it " + name : fmt::format("{} ({})", meaning, name);
}

}  // namespace

Phrase StoryWords::phrase(const Entry& entry, const RetransmitEntry& body, StoryState& so_far) const {
  const bool opening = body.cause == RetransmitKind::syn || body.cause == RetransmitKind::syn_ack;
  const Topic topic = opening ? Topic::none : Topic::loss;
  const TimeNs since_syn_ns = so_far.syn_ns != 0 ? entry.ts_ns - so_far.syn_ns : 0;
  if (body.segment != 0 && body.segment == so_far.again && so_far.about == About::again) {
    return {.text = fmt::format(": {}{}", again_because(body, since_syn_ns), not_left(body)),
            .goes_on = true,
            .topic = topic,
            .about = About::again};
  }
  const std::string what =
      opening ? fmt::format("the {}", name(body.cause)) : story::bytes_from(body.len, body.rel_seq, body.relative);
  const std::string unseen = body.segment == 0 && so_far.wire ? "; the wire did not show it" : "";
  const std::string_view did = never_left(body) ? "was to retransmit" : "retransmitted";
  return {.text = fmt::format("The kernel {} {}: {}{}{}", did, what, again_because(body, since_syn_ns), not_left(body),
                              unseen),
          .topic = topic};
}

Phrase StoryWords::phrase(const Entry& /*entry*/, const ResetEntry& body, StoryState& so_far) const {
  if (!body.sent) {
    // The RST on the wire is reported with the end that it causes.
    if (body.segment != 0) return {};
    const std::string_view means = meaning(body);
    return {.text = fmt::format("The kernel received a reset{}", means.empty() ? "" : fmt::format(" ({})", means)),
            .about = About::reset_in};
  }
  const std::string reason = with_name(meaning(body), printable(body.reason, utf8));
  const bool seen = std::exchange(so_far.rst_sent, false);
  if (so_far.about == About::reset) {
    return {.text = fmt::format("{}{}{}", seen ? "" : "; the kernel sent a RST", reason.empty() ? "" : ": ", reason),
            .goes_on = true,
            .about = About::reset};
  }
  const std::string by = body.process.pid != 0 ? fmt::format(" for {}", who(body.process, so_far)) : "";
  return {.text = fmt::format("The kernel sent a RST{}{}{}", by, reason.empty() ? "" : ": ", reason),
          .about = About::reset};
}

Phrase StoryWords::phrase(const Entry& /*entry*/, const ErrorEntry& body, StoryState& so_far) const {
  if (body.error == 0 && body.icmp && so_far.about == About::icmp)
    return {.text = fmt::format("; the kernel notes {} for the socket", errno_name(body.icmp.error)),
            .goes_on = true,
            .about = About::icmp};
  if (body.error == 0 && body.icmp) {
    return {.text = body.icmp.own
                        ? fmt::format("The kernel notes {}: {}", errno_name(body.icmp.error), icmp_text(body.icmp))
                        : fmt::format("An ICMP message came: {}; it stands for {}", icmp_text(body.icmp),
                                      errno_name(body.icmp.error))};
  }
  // The process was quicker than the report, or what waits on the queue is no error.
  if (body.error == 0) return {};
  if (body.own_abort) return {};
  const std::string gets = gets_error(who({}, so_far), body.error);  // a process has its name as it is
  return {.text =
              fmt::format("{}: \"{}\"", body.error == EPIPE ? story::capital(gets) : gets, errno_words(body.error))};
}

Phrase StoryWords::phrase(const Entry& /*entry*/, const DropEntry& body, StoryState& so_far) const {
  const std::string reason = with_name(meaning(body.kind), printable(body.reason, utf8));
  if (body.repeated) {
    // How TCP ends with a segment that repeats what it has: no loss. What came again is reported already.
    if (so_far.about != About::came_again) return {};
    return {.text = "; " + reason, .goes_on = true, .topic = Topic::loss};
  }
  const bool opening = (body.flags & (tcp_flag::syn | tcp_flag::rst | tcp_flag::fin)) != 0;
  const Topic topic = opening ? Topic::none : Topic::drop;
  const std::string owner = (body.out ? us(so_far) : them(so_far)) + "'s";
  const std::string what =
      body.len == 0 || opening
          ? fmt::format("{} {}", body.out && !wire_alone ? "the" : owner, flags_or_data(body.flags, body.len))
          : fmt::format("{} of {} data{}", bytes_in_words(body.len), owner,
                        body.relative ? fmt::format(" (from sequence number {})", body.rel_seq) : "");
  return {.text = fmt::format("The kernel dropped {} {}: {}", what,
                              body.out && !wire_alone ? "before it left" : "after it came in", reason),
          .topic = topic};
}

Phrase StoryWords::phrase(const Entry& entry, const KeepaliveEntry& body, StoryState& so_far) const {
  constexpr Topic topic = Topic::keepalive;
  const std::string probe = body.probes != 0 ? fmt::format("keep-alive probe {} of {}", body.probe, body.probes)
                                             : fmt::format("keep-alive probe {}", body.probe);
  switch (body.what) {
    case KeepaliveEntry::What::sent: {
      so_far.probe_ns = entry.ts_ns;
      std::string text = wire_alone ? fmt::format("{} sent {}", story::capital(us(so_far)), probe)
                                    : fmt::format("{} was sent", story::capital(probe));
      if (body.probe <= 1 && body.time_ms != 0)
        text += fmt::format(" after {} of silence", milliseconds_in_words(body.time_ms));
      if (body.probe > 1) text += fmt::format(", {} before it unanswered", body.probe - 1);
      if (body.dead_at_ns != 0 && body.probe <= 1)
        text +=
            fmt::format("; without an answer the kernel gives up at {}", clock_seconds(names.wall.of(body.dead_at_ns)));
      return {.text = text, .topic = topic, .about = About::keepalive};
    }
    case KeepaliveEntry::What::received:
      so_far.probe_ns = entry.ts_ns;
      return {.text = fmt::format("{} sent a keep-alive probe", story::capital(them(so_far))),
              .topic = topic,
              .about = About::keepalive};
    case KeepaliveEntry::What::answered:
      if (so_far.about == About::keepalive)
        return {.text = fmt::format("; {} answered{}: it is alive", them(so_far),
                                    story::since(so_far.probe_ns, entry.ts_ns, "it")),
                .goes_on = true,
                .topic = topic};
      return {.text = fmt::format("{} answered the keep-alive probe: it is alive", story::capital(them(so_far))),
              .topic = topic};
    case KeepaliveEntry::What::gave_up:
      break;
  }
  return {.text = fmt::format("{} of {} keep-alive probes got no answer: the kernel gave up", body.probe,
                              body.probes != 0 ? std::to_string(body.probes) : "all")};
}

Phrase StoryWords::phrase(const Entry& /*entry*/, const ProbeEntry& body, StoryState& so_far) const {
  std::string text;
  if (body.sent) {
    text = fmt::format("{} sent zero-window probe {} into the closed window", story::capital(us(so_far)), body.probe);
    if (body.unsent_bytes != 0) text += fmt::format("; {} unsent", bytes_in_words(body.unsent_bytes));
  } else {
    text = fmt::format("{} sent zero-window probe {} into the window that {} had closed", story::capital(them(so_far)),
                       body.probe, us(so_far));
  }
  return {.text = text, .topic = Topic::probe};
}

Phrase StoryWords::phrase(const Entry& entry, const OwnerEntry& body, StoryState& so_far) const {
  const bool known = so_far.who.pid == body.process.pid && so_far.who.comm == body.process.comm;
  so_far.who = body.process;
  const std::string_view does = owner_words(body.process.source);
  if (body.fd >= 0) return {.text = fmt::format("{} still has fd {} open", process_text(body.process, utf8), body.fd)};
  if (known || does.empty()) return {};
  if (so_far.about != About::established) return {.text = fmt::format("{} {}", process_text(body.process, utf8), does)};
  return {.text = fmt::format("; {} {} {} later", process_text(body.process, utf8), does,
                              duration_in_words(entry.ts_ns - so_far.sentence_ns)),
          .goes_on = true};
}

Phrase StoryWords::phrase(const Entry& /*entry*/, const PortsEntry& body, StoryState& /*so_far*/) const {
  return {.text = fmt::format("Of the local ports {}-{}, {}", body.first, body.last, ports_text(body, utf8))};
}

Phrase StoryWords::phrase(const Entry& /*entry*/, const IcmpEntry& body, StoryState& /*so_far*/) const {
  if (body.sent) {
    return {.text = fmt::format("This machine answered it with an ICMP message: {} (type {}, code {})", name(body.icmp),
                                body.icmp.type, body.icmp.code)};
  }
  return {.text = fmt::format("An ICMP message {}: {}{}", body.passed ? "passed" : "came in", icmp_text(body.icmp),
                              body.mtu != 0 ? fmt::format(" (MTU {})", body.mtu) : ""),
          .topic = Topic::icmp,
          .about = About::icmp};
}

}  // namespace tcpwitness
