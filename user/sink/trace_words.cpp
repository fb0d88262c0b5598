// SPDX-License-Identifier: Apache-2.0
// trace_words.cpp: see trace_words.hpp. Wire words are tcpdump's and Wireshark's, kernel words the kernel's.
#include "sink/trace_words.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "sink/format.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t arrow_width = 15;

std::string reference(EventId id) { return fmt::format("({})", id); }

Colour colour_of(const Segment& segment) { return (segment.flags & tcp_flag::rst) != 0 ? Colour::bad : Colour::wire; }

// What the kernel thought just before it took the segment, or of the socket that sent it.
std::string socket_words(const Segment& segment, bool out) {
  switch (segment.socket.type) {
    case SocketKind::none:
      return out ? "(no socket sent it)" : "(no matching socket)";
    case SocketKind::control:
      return "(no socket: TCP itself)";
    case SocketKind::full:
    case SocketKind::listener:
    case SocketKind::request:
    case SocketKind::time_wait:
      return fmt::format("({})", name(segment.socket.state));
    default:
      return "";
  }
}

// The options that a SYN settles; of others only those that say something by being there.
std::string option_words(const Segment& segment) {
  std::string words;
  const auto add = [&](std::string_view word) { (words += words.empty() ? "" : " ") += word; };
  const bool syn = (segment.flags & tcp_flag::syn) != 0;
  if (segment.mss != 0) add(fmt::format("mss={}", segment.mss));
  if (segment.has(TcpOption::sack_permitted)) add("sackOK");
  if (syn && segment.has(TcpOption::timestamp)) add("TS");
  if (segment.has(TcpOption::window_scale)) add(fmt::format("wscale={}", segment.wscale));
  if (segment.has(TcpOption::sack)) add("sack");
  if (segment.has(TcpOption::mptcp)) add("mptcp");
  if (segment.has(TcpOption::fast_open)) add("tfo");
  return words;
}

// "FIN_WAIT1, peer CLOSE_WAIT": what the ends enter, as the wire alone shows it.
std::string inferred_words(const std::vector<InferredState>& states) {
  std::array<std::string, 2> ends;
  for (const InferredState& state : states) {
    std::string& end = ends[state.peer ? 1 : 0];
    end.append(end.empty() ? "" : ", ").append(name(state.to));
  }
  const auto& [local, peer] = ends;
  if (local == peer) return local.empty() ? "" : "both " + local;
  if (peer.empty()) return local;
  return local.empty() ? "peer " + peer : fmt::format("{}, peer {}", local, peer);
}

std::string number_words(const SegmentEntry& entry) {
  const Segment& segment = entry.segment;
  std::string words = fmt::format("seq={}", entry.rel_seq);
  if ((segment.flags & tcp_flag::ack) != 0) words += fmt::format(" ack={}", entry.rel_ack);
  if (!entry.relative) words += " (absolute)";
  if (segment.len != 0) words += fmt::format(" len={}", segment.len);
  if ((segment.flags & tcp_flag::rst) != 0) {
    words += fmt::format(" ttl={}", segment.ttl);  // an outsider's RST often differs here
  } else {
    words += fmt::format(" win={}", entry.window_bytes.value_or(segment.window));
  }
  return words;
}

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

std::string_view closed_words(ClosedBy closed_by) {
  switch (closed_by) {
    case ClosedBy::local:
      return ", closed by this side";
    case ClosedBy::peer:
      return ", closed by the peer";
    case ClosedBy::both:
      return ", closed by both ends at once";
    case ClosedBy::none:
      break;
  }
  return "";
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

// linux/errqueue.h.
std::string_view queue_words(std::uint8_t origin) {
  switch (origin) {
    case 0:
      return "the process has read the error already";
    case 4:
      return "a transmit timestamp waits on the error queue";
    case 5:
      return "a completion of MSG_ZEROCOPY waits on the error queue";
    case 6:
      return "a notice about a transmit time waits on the error queue";
    default:
      return "a notice waits on the error queue";
  }
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

std::string numbered(std::string_view word, const Analysis& analysis) {
  const bool counted = analysis.duplicate_ack != 0 && word == analysis_word(4);
  return counted ? fmt::format("{} #{}", word, analysis.duplicate_ack) : std::string(word);
}

std::string TraceWords::arrow(bool out, std::string_view flags) const {
  const std::string_view dash = utf8 ? "\u2500" : "-";
  const std::string_view head = out ? (utf8 ? "\u25b6" : ">") : (utf8 ? "\u25c0" : "<");
  std::string text;
  if (!out) text += head;
  for (int i = out ? 0 : 1; i < 3; ++i) text += dash;
  text += ' ';
  text += flags.empty() ? std::string_view("no flags") : flags;
  text += ' ';
  // At least one dash, so that the direction shows whatever the flags.
  do {
    text += dash;
  } while (columns(text) < arrow_width - (out ? 1 : 0));
  if (out) text += head;
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

EntryText TraceWords::render(const SegmentEntry& entry) const {
  const Segment& segment = entry.segment;
  const bool out = segment.outgoing();
  EntryText rendered;
  rendered.kernel = {socket_words(segment, out), Colour::dim};
  rendered.kernel_expected = segment.socket.type == SocketKind::full;
  rendered.wire = {arrow(out, flags_text(segment.flags)), colour_of(segment)};
  for (const std::string_view word : entry.analysis) {
    rendered.details.push_back({fmt::format("[{}]", numbered(word, segment.analysis)), Colour::warn});
  }
  rendered.details.push_back({number_words(entry)});
  rendered.details.push_back({option_words(segment), Colour::dim});
  if (segment.vlan_id != 0) rendered.details.push_back({fmt::format("vlan={}", segment.vlan_id), Colour::dim});
  if (entry.transition && entry.transition->id != 0) {
    std::erase_if(rendered.details, [](const Span& span) { return span.text.empty(); });
    rendered.details.back().text += ',';
    rendered.details.push_back({fmt::format("{} {}", out ? "after" : "causes", reference(entry.transition->id))});
  }
  rendered.states = inferred_words(entry.inferred);
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
    rendered.details.push_back({entry.err > 0         ? "but the qdisc refused it"
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
    rendered.details.push_back({std::string(queue_words(entry.queue_origin))});
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

// Neither end is this side.
static std::string forwarded_words(const Life& life) {
  std::string words;
  if (life.outcome != Outcome::open && life.closed_by == ClosedBy::local) words += ", closed by the client";
  if (life.outcome != Outcome::open && life.closed_by == ClosedBy::peer) words += ", closed by the server";
  words +=
      fmt::format(": the client sent {}, the server {}", bytes_in_words(life.tx_bytes), bytes_in_words(life.rx_bytes));
  if (life.handshake_ns) words += fmt::format(", handshake {}", duration_in_words(*life.handshake_ns));
  const std::uint32_t in = life.retransmits_in.value_or(0);
  if (life.retransmits != 0) words += fmt::format(", {} retransmitted by the client", life.retransmits);
  if (in != 0) words += fmt::format(", {} retransmitted by the server", in);
  if (life.incomplete) words += " (events were lost in its time)";
  return words;
}

std::string TraceWords::closing(const Life& life) const {
  std::string words = life.outcome == Outcome::open      ? "still open"
                      : life.outcome == Outcome::unknown ? "outcome unknown"
                                                         : std::string(name(life.outcome));
  words += fmt::format(" after {}{}", life.preexisting ? "at least " : "", duration_in_words(life.duration_ns));
  if (life.forwarded) return words + forwarded_words(life);
  if (life.outcome != Outcome::open) words += closed_words(life.closed_by);
  // "sent" is what left; what the kernel counts at the end is what was acknowledged.
  words += fmt::format(": {} {}, received {}", life.has_kernel ? "delivered" : "sent", bytes_in_words(life.tx_bytes),
                       bytes_in_words(life.rx_bytes));
  if (life.handshake_ns) words += fmt::format(", handshake {}", duration_in_words(*life.handshake_ns));
  if (life.srtt_us) words += fmt::format(", rtt {}", microseconds_in_words(*life.srtt_us));
  const auto counted = [&](std::uint32_t number, std::string_view what) {
    if (number != 0) words += fmt::format(", {} {}", number, what);
  };
  counted(life.retransmits, "retransmitted");
  counted(life.retransmits_in.value_or(0), "retransmitted by the peer");
  counted(life.out_of_order_in.value_or(0), life.has_kernel ? "arrived out of order" : "of the peer out of order");
  counted(life.duplicates_in, "duplicate packets");
  if (life.conversation) {
    const std::uint64_t missing = life.conversation->out.missing_bytes + life.conversation->in.missing_bytes;
    if (missing != 0) words += fmt::format(", {} not captured", bytes_in_words(missing));
    const std::uint32_t twice = life.conversation->out.duplicate_frames + life.conversation->in.duplicate_frames;
    if (twice != 0) words += fmt::format(", {} duplicate packets", twice);
    words += fmt::format(" (tcp.stream {})", life.conversation->stream);
  } else if (life.has_kernel != life.has_wire && life.outcome != Outcome::no_local_port) {
    words += life.has_kernel ? " (kernel only)" : " (packets only)";
  }
  if (life.incomplete) words += " (events were lost in its time)";
  return words;
}

}  // namespace tcpwitness
