// SPDX-License-Identifier: Apache-2.0
// trace_words.cpp: see trace_words.hpp. Wire words are tcpdump's and Wireshark's, kernel words the kernel's.
#include "sink/trace_words.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "sink/error_queue.hpp"
#include "sink/format.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {
namespace {

std::string reference(EventId id) { return fmt::format("({})", id); }

std::string with_reference(std::string words, EventId id) {
  if (id != 0) words += (words.empty() ? "" : " ") + reference(id);
  return words;
}

// Without the prefix that every name of the kernel's enum has.
std::string_view short_reason(std::string_view reason) {
  for (const std::string_view prefix : {"SK_RST_REASON_", "SKB_DROP_REASON_"}) {
    if (reason.starts_with(prefix)) return reason.substr(prefix.size());
  }
  return reason;
}

// What the handshake taught the kernel: how far the peer is, how long it will wait for an answer.
std::string timer_words(const StateEntry& entry) {
  if (entry.to != TcpState::established || !entry.cb || !was_read(*entry.cb)) return "";
  std::string text;
  if (entry.cb->srtt_us != 0) text = "rtt " + microseconds_in_words(entry.cb->srtt_us);
  if (entry.cb->rto_us != 0) text += (text.empty() ? "rto " : ", rto ") + microseconds_in_words(entry.cb->rto_us);
  return text;
}

}  // namespace

std::string_view owner_words(PidSource source) {
  switch (source) {
    case PidSource::connect:
      return "called connect()";
    case PidSource::accept:
      return "accepted the connection";
    case PidSource::listen:
      return "owns the listening socket";
    case PidSource::send:
      return "made the first send()";
    case PidSource::receive:
      return "made the first recv()";
    case PidSource::close:
      return "closes this socket";
    case PidSource::snapshot:
      return "had this socket open when tracing began";
    case PidSource::unknown:
      break;
  }
  return "";
}

std::string icmp_text(const IcmpMessage& icmp) {
  if (icmp.own) return fmt::format("this machine itself says {}", name(icmp));
  return fmt::format("{} ({} type {}, code {}), sent by {}", name(icmp), icmp.v6 ? "ICMPv6" : "ICMP", icmp.type,
                     icmp.code, to_string(icmp.sender));
}

std::string ports_text(const PortsEntry& entry, bool utf8) {
  std::string text = fmt::format("{} in TIME_WAIT", entry.time_wait);
  if (entry.open != 0) {
    std::string holders;
    for (const PortsEntry::Holder& holder : entry.holders) {
      holders +=
          fmt::format("{}{} by {}", holders.empty() ? "" : ", ", holder.ports, process_text(holder.process, utf8));
    }
    if (entry.others != 0) holders += fmt::format("{}{} by others", holders.empty() ? "" : ", ", entry.others);
    text += fmt::format(", {} open ({})", entry.open, holders);
  }
  if (entry.listening != 0) text += fmt::format(", {} listening", entry.listening);
  return text;
}

std::string TraceWords::cause(const Cause& cause, const Process& process) const {
  const std::string who = process_text(process, utf8);
  switch (cause.kind) {
    case Cause::Kind::segment:
    case Cause::Kind::icmp:
    case Cause::Kind::reset:
      return fmt::format("caused by {} ({}), {} later", cause.what, cause.id, duration_in_words(cause.delay_ns));
    case Cause::Kind::call:
      if (cause.signal != 0) {
        const char* signal = ::sigabbrev_np(cause.signal);
        return fmt::format("{} killed by {}", who,
                           signal != nullptr ? fmt::format("SIG{}", signal) : fmt::format("signal {}", cause.signal));
      }
      if (cause.what == "exit") return fmt::format("{} exits", who);
      if (cause.what.contains(' ')) return fmt::format("{}: {}", who, cause.what);
      return fmt::format("{}() by {}", cause.what, who);
    case Cause::Kind::timer:
      return fmt::format("{} {}", cause.what, cause.what.contains("timeout") ? "expired" : "timer expired");
    case Cause::Kind::unknown:
      break;
  }
  return process.pid != 0 ? fmt::format("cause not seen; {} holds the socket", who) : "cause not seen";
}

EntryText TraceWords::render(const StateEntry& entry) const {
  EntryText rendered;
  rendered.kernel = {fmt::format("{} {} {}", name(entry.from), utf8 ? "\u2192" : "->", name(entry.to)), Colour::bold};
  const std::string timers = timer_words(entry);
  rendered.details.push_back({cause(entry.cause, entry.process) + (timers.empty() ? "" : ";"),
                              entry.cause.kind == Cause::Kind::unknown ? Colour::dim : Colour::none});
  rendered.details.push_back({timers, Colour::dim});
  if (entry.inferred) rendered.details.push_back({"(inferred)", Colour::dim});
  return rendered;
}

EntryText TraceWords::render(const RetransmitEntry& entry) const {
  EntryText rendered;
  const bool put_off = entry.err == -EBUSY;
  rendered.kernel = {fmt::format("{}{}", put_off ? "puts off retransmission" : "retransmits",
                                 entry.attempt > 1 ? fmt::format(", attempt {}", entry.attempt) : ""),
                     Colour::warn};
  std::string words =
      fmt::format("{}: seq={}{}", name(entry.cause), entry.rel_seq, entry.relative ? "" : " (absolute)");
  if (entry.len != 0) words += fmt::format(" len={}", entry.len);
  if (entry.rto_us != 0) words += fmt::format(", timer {}", microseconds_in_words(entry.rto_us));
  if (put_off) words += ':';
  rendered.details.push_back({with_reference(words, entry.segment)});
  if (entry.err != 0 && entry.err != retransmit_error_unknown) {
    rendered.details.push_back({entry.err > 0 ? "but the qdisc, a tc filter or netfilter's egress hook refused it"
                                : entry.err == -EPERM ? "but netfilter dropped it"
                                : entry.err == -EBUSY ? "the one before still waits on this machine"
                                : entry.err == -EAGAIN
                                    ? "not sent: beyond the peer's window"
                                    : fmt::format("but it did not leave ({})", errno_name(-entry.err)),
                                Colour::bad});
  }
  return rendered;
}

EntryText TraceWords::render(const ResetEntry& entry) const {
  EntryText rendered;
  rendered.kernel = {entry.sent ? "RST sent" : entry.segment != 0 ? "RST received" : "reset received", Colour::bad};
  rendered.details.push_back({with_reference(std::string(meaning(entry)), entry.segment)});
  if (entry.process.pid != 0) rendered.details.push_back({fmt::format("by {}", process_text(entry.process, utf8))});
  if (!entry.reason.empty()) {
    rendered.details.push_back({fmt::format("[{}]", printable(short_reason(entry.reason), utf8)), Colour::dim});
  }
  return rendered;
}

EntryText TraceWords::render(const ErrorEntry& entry) const {
  EntryText rendered;
  if (entry.error != 0) {
    rendered.kernel = {fmt::format("socket error {}", errno_name(entry.error)), Colour::bad};
    // EPIPE is for who sends next; where nobody does, no process learns of it.
    const std::string_view who = entry.error == EPIPE ? "the next send()" : "the process";
    rendered.details.push_back({entry.own_abort ? "set by this side's own abort"
                                                : fmt::format("{} gets \"{}\"", who, errno_words(entry.error))});
  } else if (entry.icmp) {
    rendered.kernel = {entry.icmp.own ? fmt::format("notes {}", errno_name(entry.icmp.error)) : "ICMP error",
                       Colour::warn};
    rendered.details.push_back({fmt::format("{}: \"{}\"", icmp_text(entry.icmp), errno_words(entry.icmp.error))});
  } else {
    rendered.kernel = {"wakes the process"};
    rendered.details.push_back({std::string(queued_notice(entry.queue_origin).words)});
  }
  return rendered;
}

EntryText TraceWords::render(const DropEntry& entry) const {
  EntryText rendered;
  rendered.kernel = {entry.out ? "dropped on send" : "dropped on receive", Colour::bad};
  const std::string what =
      fmt::format("{} seq={}{}{}", flags_text(entry.flags), entry.rel_seq, entry.relative ? "" : " (absolute)",
                  entry.len != 0 ? fmt::format(" len={}", entry.len) : "");
  rendered.details.push_back({with_reference(what, entry.segment)});
  if (const auto means = meaning(entry.kind); !means.empty()) rendered.details.push_back({std::string(means)});
  rendered.details.push_back({fmt::format("[{}]", printable(entry.reason, utf8)), Colour::dim});
  return rendered;
}

EntryText TraceWords::render(const KeepaliveEntry& entry) const {
  EntryText rendered;
  const std::string of =
      entry.probes != 0 ? fmt::format("{} of {}", entry.probe, entry.probes) : fmt::format("{}", entry.probe);
  switch (entry.what) {
    case KeepaliveEntry::What::sent: {
      rendered.kernel = {"keep-alive probe " + of, Colour::warn};
      std::string words = with_reference("", entry.segment);
      const auto add = [&](const std::string& more) { words += (words.empty() ? "" : " ") + more; };
      if (entry.probe <= 1 && entry.time_ms != 0)
        add(fmt::format("after {} idle,", milliseconds_in_words(entry.time_ms)));
      if (entry.probe > 1) add(fmt::format("{} unanswered,", entry.probe - 1));
      if (entry.intvl_ms != 0) add(fmt::format("one every {},", milliseconds_in_words(entry.intvl_ms)));
      if (entry.dead_at_ns != 0) add(fmt::format("gives up at {}", clock_seconds(names.wall.of(entry.dead_at_ns))));
      if (words.ends_with(',')) words.pop_back();
      rendered.details.push_back({words});
      break;
    }
    case KeepaliveEntry::What::received:
      rendered.kernel = {"keep-alive probe received", Colour::none};
      rendered.details.push_back({with_reference("from the peer", entry.segment)});
      break;
    case KeepaliveEntry::What::answered:
      rendered.kernel = {"keep-alive answered", Colour::good};
      rendered.details.push_back({with_reference("the peer is alive", entry.segment)});
      if (entry.time_ms != 0)
        rendered.details.push_back({fmt::format("next probe after {} idle", milliseconds_in_words(entry.time_ms))});
      break;
    case KeepaliveEntry::What::gave_up:
      rendered.kernel = {"keep-alive timeout", Colour::bad};
      rendered.details.push_back({fmt::format("{} probes unanswered", of)});
      break;
  }
  return rendered;
}

EntryText TraceWords::render(const ProbeEntry& entry) const {
  EntryText rendered;
  rendered.kernel = {fmt::format("zero-window probe{}{}", entry.sent ? "" : " received",
                                 entry.probe != 0 ? fmt::format(" {}", entry.probe) : ""),
                     Colour::warn};
  if (entry.unsent_bytes != 0) {
    rendered.details.push_back({fmt::format("{} unsent", bytes_in_words(entry.unsent_bytes))});
  }
  if (!entry.sent) rendered.details.push_back({with_reference("from the peer", entry.segment)});
  return rendered;
}

EntryText TraceWords::render(const PortsEntry& entry) const {
  EntryText rendered;
  rendered.kernel = {"local ports", Colour::warn};
  rendered.details.push_back({fmt::format("{}-{}: {}", entry.first, entry.last, ports_text(entry, utf8))});
  return rendered;
}

EntryText TraceWords::render(const IcmpEntry& entry) const {
  EntryText rendered;
  rendered.kernel = {entry.sent ? "ICMP sent" : entry.passed ? "ICMP passed" : "ICMP received", Colour::warn};
  rendered.details.push_back(
      {fmt::format("{}, about seq={}{}{}", icmp_text(entry.icmp), entry.rel_seq, entry.relative ? "" : " (absolute)",
                   entry.mtu != 0 ? fmt::format(": MTU {}", entry.mtu) : "")});
  return rendered;
}

EntryText TraceWords::render(const SampleEntry& entry) const {
  const Sample& sample = entry.sample;
  EntryText rendered;
  rendered.kernel = {"sample", Colour::dim};
  rendered.details.push_back({fmt::format("rtt {}, cwnd {}, {} in flight", microseconds_in_words(sample.srtt_us),
                                          sample.snd_cwnd, bytes_in_words(sample.snd_nxt - sample.snd_una))});
  return rendered;
}

EntryText TraceWords::render(const OwnerEntry& entry) const {
  EntryText rendered;
  rendered.kernel = {"process"};
  rendered.details.push_back({process_text(entry.process, utf8), Colour::bold});
  rendered.details.push_back(
      {entry.fd >= 0 ? fmt::format("still has fd {} open", entry.fd) : std::string(owner_words(entry.process.source))});
  return rendered;
}

}  // namespace tcpwitness
