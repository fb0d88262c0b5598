// SPDX-License-Identifier: Apache-2.0
// story_words.cpp: see story_words.hpp. Sentences have no full stop yet: another part can follow.
#include "sink/story_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sink/format.hpp"
#include "sink/trace_words.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

bool has(const Segment& segment, std::uint8_t flag) { return (segment.flags & flag) != 0; }
bool is_out(const Segment& segment) { return segment.outgoing(); }
bool is_syn(const Segment& segment) {
  return (segment.flags & (tcp_flag::syn | tcp_flag::ack | tcp_flag::rst)) == tcp_flag::syn;
}
bool is_syn_ack(const Segment& segment) {
  return (segment.flags & (tcp_flag::syn | tcp_flag::ack | tcp_flag::rst)) == (tcp_flag::syn | tcp_flag::ack);
}

std::string words_us(std::uint32_t us) { return duration_in_words(std::int64_t{us} * 1'000); }
// Configured, so most often whole.
std::string words_ms(std::uint32_t ms) {
  return ms % 1000 == 0 && ms < 120'000 ? fmt::format("{} s", ms / 1000)
                                        : duration_in_words(std::int64_t{ms} * 1'000'000);
}

// " 21 us after WHAT" where that was seen.
std::string since(TimeNs then, TimeNs now, std::string_view what) {
  return then != 0 ? fmt::format(" {} after {}", duration_in_words(now - then), what) : "";
}

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

// What the handshake taught the kernel.
std::string taught(const StateEntry& body) {
  if (!body.cb || !was_read(*body.cb)) return "";
  std::string text;
  if (body.cb->srtt_us != 0) text = fmt::format("round-trip time {}", words_us(body.cb->srtt_us));
  if (body.cb->rto_us != 0) {
    text += fmt::format("{}first retransmission timeout {}", text.empty() ? "" : ", ", words_us(body.cb->rto_us));
  }
  return text.empty() ? "" : fmt::format(" ({})", text);
}

bool never_left(const RetransmitEntry& body) { return body.err != 0 && body.err != retransmit_error_unknown; }

// Why the kernel sent it again.
std::string again_because(const RetransmitEntry& body) {
  const std::string timer = body.rto_us != 0 ? " within " + words_us(body.rto_us) : "";
  switch (body.cause) {
    case RetransmitKind::syn:
    case RetransmitKind::syn_ack:
      return fmt::format("no answer was taken{}", timer);
    case RetransmitKind::rto:
      return fmt::format("no acknowledgement was taken{} (retransmission timeout)", timer);
    case RetransmitKind::fast:
      return "the peer's ACKs say that it is missing (fast retransmission)";
    case RetransmitKind::zero_window_rto:
      return "the peer's window is closed, and no acknowledgement was taken" + timer;
    case RetransmitKind::loss_recovery:
      return "it counts as lost (loss recovery)";
    case RetransmitKind::path_mtu:
      return "the path takes smaller segments only (path MTU); no timer ran out";
    case RetransmitKind::tail_loss:
      return "the kernel asks whether the last segments got lost (tail-loss probe)";
    case RetransmitKind::unknown:
      break;
  }
  return "the kernel does not say why";
}

std::string not_left(const RetransmitEntry& body) {
  if (!never_left(body)) return "";
  if (body.err > 0) return ", but the qdisc refused it: it never left this machine";
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

// "dropped by a firewall rule (NETFILTER_DROP)", or the kernel's name alone.
std::string with_name(std::string_view meaning, const std::string& name) {
  if (name.empty()) return std::string(meaning);
  return meaning.empty() ? "the kernel calls it " + name : fmt::format("{} ({})", meaning, name);
}

std::string bytes_from(std::uint32_t len, std::uint32_t rel_seq, bool relative) {
  return relative ? fmt::format("{} (from sequence number {})", bytes_in_words(len), rel_seq) : bytes_in_words(len);
}

void raise(StoryState::Count& count, std::uint64_t sent, std::uint64_t received) {
  if (!count.begun) {
    count.begun = true;
    count.base = count.now = {sent, received};
  }
  count.now = {std::max(count.now.sent, sent), std::max(count.now.received, received)};
}

}  // namespace

std::string StoryWords::us(const StoryState& so_far) const {
  if (!wire_alone) return "this side";
  if (so_far.role == Role::unknown) return std::string(endpoint_text(so_far.flow.local));
  return so_far.role == Role::active ? "the client" : "the server";
}

std::string StoryWords::them(const StoryState& so_far) const {
  if (!wire_alone) return "the peer";
  if (so_far.role == Role::unknown) return std::string(endpoint_text(so_far.flow.remote));
  return so_far.role == Role::active ? "the server" : "the client";
}

std::string StoryWords::passed(const StoryState& so_far, std::uint64_t sent, std::uint64_t received) const {
  std::string out = sent != 0 ? fmt::format("{} sent {}", us(so_far), bytes_in_words(sent)) : "";
  if (received == 0) return out;
  const std::string in = bytes_in_words(received);
  if (wire_alone)
    return sent != 0 ? fmt::format("{}, {} {}", out, them(so_far), in) : fmt::format("{} sent {}", them(so_far), in);
  // At the interface: the kernel can have dropped some of it.
  if (so_far.wire) return sent != 0 ? fmt::format("{}, and {} came in", out, in) : in + " came in";
  return sent != 0 ? fmt::format("{} and received {}", out, in) : fmt::format("{} received {}", us(so_far), in);
}

std::string StoryWords::who(const Process& process, const StoryState& so_far) const {
  if (process.pid != 0) return process_text(process, utf8);
  return so_far.who.pid != 0 ? process_text(so_far.who, utf8) : "The process";
}

// A hook knows whether a segment left or came; a capture, which of the two ends sent it.
std::string StoryWords::moved(bool out, std::string_view what, const StoryState& so_far) const {
  if (wire_alone) return fmt::format("{} sent its {}", capital(out ? us(so_far) : them(so_far)), what);
  return out ? fmt::format("The {} was sent", what) : fmt::format("The peer's {} came in", what);
}

// Reported once, and again where a connection changes its interface.
std::string StoryWords::through(std::uint32_t ifindex, bool out, StoryState& so_far) const {
  if (ifindex == 0 || ifindex == so_far.ifindex) return "";
  const std::string name = names.interface(ifindex);
  so_far.ifindex = ifindex;
  if (name.empty()) return "";
  return fmt::format(" {} {}", wire_alone ? "on" : out ? "through" : "on", printable(name, utf8));
}

void StoryWords::count(const Entry& entry, StoryState& so_far) const {
  if (const auto* wire = std::get_if<SegmentEntry>(&entry.body)) {
    const Segment& segment = wire->segment;
    const bool out = is_out(segment);
    // What came again was counted when it came first; the newest segment's own bytes are reported by its own sentence,
    // or later, but a FIN ends the data that it has with it.
    const std::uint64_t sent =
        segment.wire.bytes_out - std::min<std::uint64_t>(segment.wire.bytes_out, segment.wire.retrans_bytes_out);
    const std::uint64_t received =
        segment.wire.bytes_in - std::min<std::uint64_t>(segment.wire.bytes_in, segment.wire.retrans_bytes_in);
    const bool again = segment.is(SegmentEvent::retransmission);
    const std::uint64_t own = again || has(segment, tcp_flag::fin) ? 0 : segment.len;
    const auto before = [own](std::uint64_t all, bool mine) { return mine ? all - std::min(all, own) : all; };
    if (segment.wire.segs_in + segment.wire.segs_out != 0)
      raise(so_far.by_wire, before(sent, out), before(received, !out));
  } else if (const auto* state = std::get_if<StateEntry>(&entry.body)) {
    const bool known = state->cb && was_read(*state->cb);
    const bool data =
        state->from == State::established || state->to == State::established || state->from == State::close_wait;
    if (known && data) {
      const ControlBlock& cb = *state->cb;
      const std::uint64_t fin = fin_received(cb) ? 1 : 0;  // it counts as a byte
      raise(so_far.by_kernel, cb.bytes_acked + (cb.snd_nxt - cb.snd_una),
            cb.bytes_received - std::min<std::uint64_t>(cb.bytes_received, fin));
    }
  }
  const auto grown = [](const StoryState::Count& count) {
    return StoryState::Bytes{count.now.sent - count.base.sent, count.now.received - count.base.received};
  };
  const StoryState::Bytes wire = grown(so_far.by_wire);
  const StoryState::Bytes kernel = grown(so_far.by_kernel);
  so_far.known = {std::max({so_far.known.sent, wire.sent, kernel.sent}),
                  std::max({so_far.known.received, wire.received, kernel.received})};
}

Phrase StoryWords::phrase(const Entry& entry, StoryState& so_far) const {
  if (so_far.flow.local.port == 0) so_far.flow = entry.flow;
  if (so_far.flow.remote.port == 0) so_far.flow.remote = entry.flow.remote;
  Phrase phrase = std::visit(
      [&](const auto& body) {
        if constexpr (std::is_same_v<std::decay_t<decltype(body)>, SampleEntry>) {
          return Phrase{};
        } else {
          return this->phrase(entry, body, so_far);
        }
      },
      entry.body);
  (std::holds_alternative<SegmentEntry>(entry.body) ? so_far.wire : so_far.kernel) = true;
  so_far.first = false;
  if (!phrase.text.empty()) {
    so_far.about = phrase.about;
    so_far.sentence_ns = entry.ts_ns;
  }
  return phrase;
}

// ---- what the kernel did

// "curl[42] closed the connection", "curl[42] was killed by SIGKILL and its kernel closed the connection".
std::string StoryWords::called(const StateEntry& body, const StoryState& so_far) const {
  const Cause& cause = body.cause;
  if (cause.kind != Cause::Kind::call) {
    const std::string holder =
        body.process.pid != 0 ? fmt::format(" ({} holds the socket)", who(body.process, so_far)) : "";
    return fmt::format("The connection was closed here; which call did it was not seen{}", holder);
  }
  const std::string subject = who(body.process, so_far);
  if (cause.signal != 0) {
    const char* signal = ::sigabbrev_np(cause.signal);
    return fmt::format("{} was killed by {}, and its kernel closed the connection", subject,
                       signal != nullptr ? fmt::format("SIG{}", signal) : fmt::format("signal {}", cause.signal));
  }
  if (cause.what == "exit") return fmt::format("{} exited, and its kernel closed the connection", subject);
  if (cause.what == "sock_destroy") return fmt::format("{} destroyed the socket (as ss -K does)", subject);
  // close() and shutdown(SHUT_RDWR) look alike at the transition.
  if (cause.what == "close") return fmt::format("{} closed the connection", subject);
  return fmt::format("{} called {}()", subject, cause.what);
}

Phrase StoryWords::phrase(const Entry& entry, const StateEntry& body, StoryState& so_far) const {
  const bool segment = body.cause.kind == Cause::Kind::segment;
  const bool deferred = segment && so_far.deferred == body.cause.id;
  const std::string later = duration_in_words(body.cause.delay_ns);
  const std::string inferred = body.inferred ? " (inferred)" : "";
  // Once a segment's transition is reported the next one that cites it (an ACK opens two states) has nothing to add.
  const auto took = [&](std::string_view what, const std::string& after) {
    if (deferred) return fmt::format("The peer's {} came in{}; the kernel took it {} later", what, after, later);
    if (segment) return fmt::format("The kernel took the peer's {} {} after it came in", what, later);
    return fmt::format("The kernel took the peer's {}, which was itself not seen", what);
  };
  if (body.process.pid != 0 && body.cause.what != "sock_destroy") so_far.who = body.process;
  switch (body.to) {
    case State::syn_sent:
      so_far.role = Role::active;
      if (body.cause.kind != Cause::Kind::call) {
        return {.text = fmt::format("A connection to {} was begun; by which process was not seen",
                                    endpoint_text(entry.flow.remote).view())};
      }
      return {.text = fmt::format("{} called connect() to {}", who(body.process, so_far),
                                  endpoint_text(entry.flow.remote).view())};
    case State::new_syn_recv:
      if (so_far.about == About::syn_in)
        return {.text = "; the kernel keeps a request for it (NEW_SYN_RECV, inferred)",
                .goes_on = true,
                .about = About::syn_in};
      return {.text = "The kernel keeps a request for the peer's SYN (NEW_SYN_RECV, inferred)"};
    case State::syn_recv:
      if (body.from == State::syn_sent) {
        so_far.role = Role::active;
        return {.text = "The peer's SYN came instead of a SYN-ACK: both sides connect at once", .about = About::syn_in};
      }
      so_far.role = Role::passive;
      return {};
    case State::established: {
      if (body.from == State::syn_sent) {
        return {.text = took("SYN-ACK", since(so_far.syn_ns, so_far.deferred_ns, "the SYN")) +
                        ": the connection is established" + taught(body),
                .about = About::established};
      }
      const std::string_view then = so_far.role == Role::active
                                        ? ": the connection is established, begun by both sides"
                                        : ": the connection is established and waits for accept()";
      const TimeNs came = deferred || so_far.deferred_ns == 0 ? so_far.deferred_ns : entry.ts_ns;
      return {.text = took("ACK", deferred ? since(so_far.syn_ack_ns, came, "the SYN-ACK") : "") + std::string(then) +
                      taught(body),
              .about = About::established};
    }
    case State::fin_wait1:
      return {.text = fmt::format("{}: this side closes first", called(body, so_far)), .about = About::closing};
    case State::close_wait:
      so_far.fin_reported = true;
      if (!deferred) so_far.fin_in_ns = entry.ts_ns;
      return {.text = took("FIN", "") + ": the peer closes first, and this side can still send (CLOSE_WAIT)",
              .about = About::fin_in};
    case State::last_ack:
      return {.text = fmt::format("{}{}: this side closes too", called(body, so_far),
                                  since(so_far.fin_in_ns, entry.ts_ns, "the peer's FIN")),
              .about = About::closing};
    case State::closing:
      so_far.fin_reported = true;
      if (!deferred) so_far.fin_in_ns = entry.ts_ns;
      return {.text = took("FIN", "") + ", before the ACK of this side's own: both close at the same time (CLOSING)",
              .about = About::fin_in};
    case State::fin_wait2:
      if (!segment) return {.text = "This side's FIN was acknowledged; the ACK itself was not seen (FIN_WAIT2)"};
      so_far.fin_reported = deferred && (so_far.deferred_flags & tcp_flag::fin) != 0;
      return {.text = fmt::format("The peer acknowledged the FIN{}{} (FIN_WAIT2)",
                                  since(so_far.fin_out_ns, deferred ? so_far.deferred_ns : entry.ts_ns, "it was sent"),
                                  so_far.fin_reported ? ", and sent its own with it" : ""),
              .about = so_far.fin_reported ? About::fin_in : About::nothing};
    case State::time_wait: {
      const std::string waits = fmt::format("this side waits in TIME_WAIT for 60 s, and its port with it{}", inferred);
      if (segment && body.cause.what == "ACK of FIN") {
        return {.text = fmt::format(
                    "The peer acknowledged the FIN{}: {}",
                    since(so_far.fin_out_ns, deferred ? so_far.deferred_ns : entry.ts_ns, "it was sent"), waits)};
      }
      if (so_far.about == About::fin_acked) return {.text = " and" + waits.substr(us(so_far).size()), .goes_on = true};
      if (so_far.about == About::fin_in) return {.text = "; " + waits, .goes_on = true, .about = About::fin_in};
      const bool fresh = deferred && !std::exchange(so_far.fin_reported, true);
      return {.text = fresh ? fmt::format("The peer's FIN came in: {}", waits) : capital(waits)};
    }
    case State::close:
      return closed_phrase(entry, body, so_far);
    default:
      break;
  }
  return {.text = fmt::format("The socket went from {} to {}{}", name(body.from), name(body.to), inferred)};
}

Phrase StoryWords::closed_phrase(const Entry& entry, const StateEntry& body, StoryState& so_far) const {
  const Cause& cause = body.cause;
  const std::string inferred = body.inferred ? " (inferred)" : "";
  const bool deferred = cause.kind == Cause::Kind::segment && so_far.deferred == cause.id;
  if (cause.kind == Cause::Kind::segment && cause.what == "RST") {
    const std::string ttl = deferred ? fmt::format(" (TTL {})", so_far.deferred_ttl) : "";
    const std::string over = body.from == State::syn_sent
                                 ? "the connection is refused"
                                 : fmt::format("the connection is over, in {}", name(body.from));
    if (deferred) {
      const std::string after = body.from == State::syn_sent ? since(so_far.syn_ns, so_far.deferred_ns, "the SYN") : "";
      return {.text = fmt::format("A RST came in{}{}; the kernel took it {} later: {}{}", ttl, after,
                                  duration_in_words(cause.delay_ns), over, inferred)};
    }
    return {.text = fmt::format("The kernel took the RST: {}{}", over, inferred)};
  }
  if (cause.kind == Cause::Kind::segment) {
    return {.text = fmt::format("The peer acknowledged this side's FIN{}: both sides have closed",
                                since(so_far.fin_out_ns, deferred ? so_far.deferred_ns : entry.ts_ns, "it was sent"))};
  }
  if (cause.kind == Cause::Kind::icmp) return {.text = "The kernel took the ICMP message: connect() fails"};
  if (cause.kind == Cause::Kind::reset) {
    const std::string over = body.from == State::syn_sent
                                 ? "the connection is refused"
                                 : fmt::format("the connection is over, in {}", name(body.from));
    return {.text = so_far.about == About::reset_in ? ": " + over : "The kernel took a reset: " + over,
            .goes_on = so_far.about == About::reset_in};
  }
  if (cause.kind == Cause::Kind::timer) {
    if (body.from == State::syn_sent)
      return {.text = "The kernel gave up: no answer was taken until its last timer ran out"};
    if (cause.what == "keep-alive")
      return {.text = "The kernel declared the connection dead: its keep-alive probes were not answered"};
    return {.text = fmt::format("The kernel gave up: the {} ran out",
                                cause.what == "user timeout" ? "TCP_USER_TIMEOUT" : "last retransmission timer")};
  }
  if (cause.kind == Cause::Kind::call && cause.what == "connect")
    return {.text = "connect() found no free local port: no SYN was made", .about = About::reset};
  if (cause.kind == Cause::Kind::call) {
    const std::string end = body.from == State::syn_sent ? "it was never established"
                                                         : fmt::format("it ends without a FIN, in {}", name(body.from));
    return {.text = fmt::format("{}: {}", called(body, so_far), end), .about = About::reset};
  }
  return {.text = fmt::format("The socket was closed, from {}; the cause was not seen", name(body.from))};
}

Phrase StoryWords::phrase(const Entry& /*entry*/, const RetransmitEntry& body, StoryState& so_far) const {
  const bool opening = body.cause == RetransmitKind::syn || body.cause == RetransmitKind::syn_ack;
  const Topic topic = opening ? Topic::none : Topic::loss;
  if (body.segment != 0 && body.segment == so_far.again && so_far.about == About::again) {
    return {.text = fmt::format(": {}{}", again_because(body), not_left(body)),
            .goes_on = true,
            .topic = topic,
            .about = About::again};
  }
  const std::string what =
      opening ? fmt::format("the {}", name(body.cause)) : bytes_from(body.len, body.rel_seq, body.relative);
  const std::string unseen = body.segment == 0 && so_far.wire ? "; the wire did not show it" : "";
  const std::string_view did = never_left(body) ? "was to send" : "sent";
  return {.text = fmt::format("The kernel {} {} again: {}{}{}", did, what, again_because(body), not_left(body), unseen),
          .topic = topic};
}

Phrase StoryWords::phrase(const Entry& /*entry*/, const ResetEntry& body, StoryState& so_far) const {
  if (!body.sent) {
    // The RST on the wire is reported with the end that it causes.
    if (body.segment != 0) return {};
    const std::string_view means = meaning(body);
    return {.text = fmt::format("The kernel took a reset{}", means.empty() ? "" : fmt::format(" ({})", means)),
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
  return {.text = fmt::format("{} gets {}: \"{}\"", who({}, so_far), errno_name(body.error), errno_words(body.error))};
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
  return {.text = fmt::format("The kernel threw away {} {}: {}", what,
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
      std::string text = wire_alone ? fmt::format("{} sent {}", capital(us(so_far)), probe)
                                    : fmt::format("{} was sent", capital(probe));
      if (body.probe <= 1 && body.time_ms != 0) text += fmt::format(" after {} of silence", words_ms(body.time_ms));
      if (body.probe > 1) text += fmt::format(", {} before it unanswered", body.probe - 1);
      if (body.dead_at_ns != 0 && body.probe <= 1)
        text +=
            fmt::format("; without an answer the kernel gives up at {}", clock_seconds(names.wall.of(body.dead_at_ns)));
      return {.text = text, .topic = topic, .about = About::keepalive};
    }
    case KeepaliveEntry::What::received:
      so_far.probe_ns = entry.ts_ns;
      return {.text = fmt::format("{} sent a keep-alive probe", capital(them(so_far))),
              .topic = topic,
              .about = About::keepalive};
    case KeepaliveEntry::What::answered:
      if (so_far.about == About::keepalive)
        return {
            .text = fmt::format("; {} answered{}: it lives", them(so_far), since(so_far.probe_ns, entry.ts_ns, "it")),
            .goes_on = true,
            .topic = topic};
      return {.text = fmt::format("{} answered the keep-alive probe: it lives", capital(them(so_far))), .topic = topic};
    case KeepaliveEntry::What::gave_up:
      break;
  }
  return {.text = fmt::format("{} of {} keep-alive probes got no answer: the kernel gave {} up", body.probe,
                              body.probes != 0 ? std::to_string(body.probes) : "all", them(so_far))};
}

Phrase StoryWords::phrase(const Entry& /*entry*/, const ProbeEntry& body, StoryState& so_far) const {
  std::string text;
  if (body.sent) {
    text =
        fmt::format("{} asked for room in the closed window (zero-window probe {})", capital(us(so_far)), body.probe);
    if (body.unsent_bytes != 0) text += fmt::format("; {} wait to be sent", bytes_in_words(body.unsent_bytes));
  } else {
    text = fmt::format("{} asked for room in the window that {} had closed (zero-window probe {})",
                       capital(them(so_far)), us(so_far), body.probe);
  }
  return {.text = text, .topic = Topic::probe};
}

Phrase StoryWords::phrase(const Entry& /*entry*/, const OwnerEntry& body, StoryState& so_far) const {
  const bool known = so_far.who.pid == body.process.pid && so_far.who.comm == body.process.comm;
  so_far.who = body.process;
  const std::string_view does = owner_words(body.process.source);
  if (body.fd >= 0) return {.text = fmt::format("{} still has fd {} open", process_text(body.process, utf8), body.fd)};
  if (known || does.empty()) return {};
  return {.text = fmt::format("{} {}", process_text(body.process, utf8), does)};
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
          .about = About::icmp};
}

// ---- what crossed the wire

Phrase StoryWords::phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  if (segment.is(SegmentEvent::bad_header)) {
    return {
        .text = fmt::format("A segment of {} has a header that contradicts its frame", out ? us(so_far) : them(so_far)),
        .topic = Topic::loss};
  }
  // The last FIN is acknowledged before its transition is known, so it is reported at once.
  const bool leads = !out && body.transition && body.transition->id != 0 &&
                     !(body.transition->to == State::time_wait && has(segment, tcp_flag::fin));
  if (leads) {
    so_far.deferred = entry.id;
    so_far.deferred_ns = entry.ts_ns;
    so_far.deferred_ttl = segment.ttl;
    so_far.deferred_flags = segment.flags;
    if (has(segment, tcp_flag::fin) && so_far.fin_in_ns == 0) so_far.fin_in_ns = entry.ts_ns;
    if (is_syn(segment) && so_far.syn_ns == 0) so_far.syn_ns = entry.ts_ns;
    if (is_syn_ack(segment)) so_far.syn_ack_ns = entry.ts_ns;
    if (!is_syn(segment)) return {};
  }
  if (segment.on_a_hop() && segment.socket.type != SocketKind::unknown) {
    const std::string_view what = has(segment, tcp_flag::rst) ? "RST" : is_syn_ack(segment) ? "SYN-ACK" : "segment";
    return {.text = fmt::format("This machine sent {} a {} in {}'s name", out ? them(so_far) : us(so_far), what,
                                out ? us(so_far) : them(so_far)) +
                    through(segment.ifindex, out, so_far)};
  }
  if (has(segment, tcp_flag::rst)) return rst_phrase(entry, body, so_far);
  if (is_syn(segment)) return syn_phrase(entry, body, so_far);
  if (is_syn_ack(segment)) return syn_ack_phrase(entry, body, so_far);
  if (has(segment, tcp_flag::fin)) return fin_phrase(entry, body, so_far);
  if (segment.is(SegmentEvent::handshake_ack) &&
      (so_far.about == About::established || so_far.about == About::syn_ack)) {
    const std::string later = duration_in_words(entry.ts_ns - so_far.sentence_ns);
    if (wire_alone) {
      const std::string took =
          so_far.syn_ns != 0 ? fmt::format(": the handshake took {}", duration_in_words(entry.ts_ns - so_far.syn_ns))
                             : "";
      return {.text = fmt::format("; {} acknowledged it {} later{}", out ? us(so_far) : them(so_far), later, took),
              .goes_on = true,
              .about = About::established};
    }
    return {.text = fmt::format("; {} {} later", out ? "its ACK was sent" : "the peer's ACK came in", later),
            .goes_on = true,
            .about = About::established};
  }
  if (segment.is(SegmentEvent::keepalive) || segment.is(SegmentEvent::window_probe))
    return {};  // its own entry shows it
  if (segment.is(SegmentEvent::retransmission)) return again_phrase(entry, body, so_far);
  if (segment.is(SegmentEvent::zero_window) || segment.is(SegmentEvent::window_open))
    return window_phrase(entry, body, so_far);
  if (segment.is(SegmentEvent::keepalive_ack)) {
    // What the peer answers is reported by its own entry.
    if (!out || so_far.about != About::keepalive) return {};
    return {.text = fmt::format("; {} answered{}", us(so_far), since(so_far.probe_ns, entry.ts_ns, "it")),
            .goes_on = true,
            .topic = Topic::keepalive};
  }
  if (segment.is(SegmentEvent::fin_ack)) {
    const TimeNs fin = out ? so_far.fin_in_ns : so_far.fin_out_ns;
    const bool joins = out ? so_far.about == About::fin_in : so_far.about == About::closing;
    const std::string later = duration_in_words(entry.ts_ns - (joins ? so_far.sentence_ns : fin));
    const std::string subject = out ? us(so_far) : them(so_far);
    if (joins)
      return {.text = fmt::format("; {} acknowledged it {} later", subject, later),
              .goes_on = true,
              .about = out ? About::fin_acked : About::nothing};
    if (fin == 0) return {.text = fmt::format("{} acknowledged the FIN", capital(subject))};
    return {.text = fmt::format("{} acknowledged {}'s FIN {} after it", capital(subject),
                                out ? them(so_far) : us(so_far), later)};
  }
  if (segment.is(SegmentEvent::no_socket) && !segment.is(SegmentEvent::out_of_order)) {
    if (out) return {};
    return {.text = fmt::format("{} sent {}, and no socket here wanted it", capital(them(so_far)),
                                segment.len != 0 ? bytes_in_words(segment.len) : "an ACK"),
            .topic = Topic::loss};
  }
  if (segment.is(SegmentEvent::out_of_order) && segment.reordered != 0) {
    return {.text = fmt::format("A segment of {} came late, behind later ones (out of order)",
                                out ? us(so_far) : them(so_far)),
            .topic = Topic::loss};
  }
  if (segment.is(SegmentEvent::out_of_order)) {
    return {.text = fmt::format("A segment of {} came before an earlier one: what is before it {}",
                                out ? us(so_far) : them(so_far),
                                wire_alone ? "was not captured until then" : "had not passed until then"),
            .topic = Topic::loss};
  }
  if (segment.is(SegmentEvent::unknown_flow) && so_far.first) {
    return {.text = fmt::format("The first segment that was seen is one of {}{}: what was before it is not known",
                                out ? us(so_far) : them(so_far), through(segment.ifindex, out, so_far))};
  }
  return {};
}

Phrase StoryWords::syn_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  so_far.role = out ? Role::active : Role::passive;
  if (segment.is(SegmentEvent::retransmission)) {
    so_far.again = entry.id;
    const std::string text =
        fmt::format("{} again{}", moved(out, "SYN", so_far), since(so_far.syn_ns, entry.ts_ns, "the first one"));
    if (so_far.syn_ns == 0) so_far.syn_ns = entry.ts_ns;
    return {.text = text, .about = out ? About::again : About::syn_in};
  }
  so_far.syn_ns = entry.ts_ns;
  std::string text = moved(out, "SYN", so_far) + through(segment.ifindex, out, so_far);
  if (segment.mss != 0) text += fmt::format(" (MSS {}, window {})", segment.mss, segment.window);
  if (segment.socket.type == SocketKind::listener && segment.socket.ack_backlog != 0) {
    text += fmt::format("; in the listener's accept queue {} wait{}, its limit is {}", segment.socket.ack_backlog,
                        segment.socket.ack_backlog == 1 ? "s" : "", segment.socket.max_ack_backlog);
  }
  return {.text = text, .about = out ? About::nothing : About::syn_in};
}

Phrase StoryWords::syn_ack_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  if (so_far.role == Role::unknown) so_far.role = out ? Role::passive : Role::active;
  if (segment.is(SegmentEvent::retransmission)) {
    so_far.again = entry.id;
    return {.text = fmt::format("{} again{}", moved(out, "SYN-ACK", so_far),
                                since(so_far.syn_ack_ns, entry.ts_ns, "the one before")),
            .about = out ? About::again : About::syn_ack};
  }
  const std::string_view again = so_far.syn_ack_ns != 0 ? " again" : "";
  so_far.syn_ack_ns = entry.ts_ns;
  return {.text = fmt::format("{}{}", moved(out, "SYN-ACK", so_far), again) + through(segment.ifindex, out, so_far) +
                  since(so_far.syn_ns, entry.ts_ns, "the SYN"),
          .about = About::syn_ack};
}

Phrase StoryWords::rst_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  if (out && so_far.about == About::reset) {
    so_far.rst_sent = true;
    return {.text = fmt::format("; the RST was sent {} later", duration_in_words(entry.ts_ns - so_far.sentence_ns)),
            .goes_on = true,
            .about = About::reset};
  }
  std::string text =
      moved(out, "RST", so_far) + through(segment.ifindex, out, so_far) + fmt::format(" (TTL {})", segment.ttl);
  so_far.rst_sent = out;
  if (!out && segment.is(SegmentEvent::no_socket)) text += "; no socket here wanted it any more";
  return {.text = text, .about = out ? About::reset : About::nothing};
}

Phrase StoryWords::fin_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  if (segment.is(SegmentEvent::retransmission)) {
    so_far.again = entry.id;
    return {.text = fmt::format("{} again{}", moved(out, "FIN", so_far),
                                since(out ? so_far.fin_out_ns : so_far.fin_in_ns, entry.ts_ns, "the first one")),
            .topic = Topic::loss,
            .about = out ? About::again : About::nothing};
  }
  const bool first = out ? so_far.fin_in_ns == 0 : so_far.fin_out_ns == 0;
  (out ? so_far.fin_out_ns : so_far.fin_in_ns) = entry.ts_ns;
  if (!out) so_far.fin_reported = true;
  const std::string also = segment.is(SegmentEvent::fin_ack)
                               ? fmt::format("; it acknowledges {}'s too", out ? them(so_far) : us(so_far))
                               : "";
  if (out && so_far.about == About::closing) {
    return {
        .text = fmt::format("; its FIN was sent {} later{}", duration_in_words(entry.ts_ns - so_far.sentence_ns), also),
        .goes_on = true,
        .about = About::closing};
  }
  const std::string order = !wire_alone ? "" : first ? ": it closes first" : ": both have closed";
  return {.text = moved(out, "FIN", so_far) + order + also, .about = out ? About::closing : About::fin_in};
}

Phrase StoryWords::again_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  so_far.again = entry.id;
  std::string kind;
  for (const std::string_view word : body.analysis) {
    const bool kinds = word == "fast retransmission" || word == "spurious retransmission" || word == "out-of-order";
    if (kinds && (wire_alone || !out)) kind += fmt::format("{}{}", kind.empty() ? " (" : ", ", word);
  }
  if (!kind.empty()) kind += ')';
  const std::string what = segment.len != 0 ? bytes_from(segment.len, body.rel_seq, body.relative) : "a segment";
  std::string text =
      wire_alone ? fmt::format("{} sent {} again{}", capital(out ? us(so_far) : them(so_far)), what, kind)
      : out      ? fmt::format("{} {} sent again", capital(what), segment.len == 1 || segment.len == 0 ? "was" : "were")
                 : fmt::format("{} of the peer came again{}", capital(what), kind);
  return {.text = std::move(text), .topic = Topic::loss, .about = out ? About::again : About::came_again};
}

Phrase StoryWords::window_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  TimeNs& closed = so_far.closed_ns[out ? 0 : 1];
  const std::string side = out ? us(so_far) : them(so_far);
  if (segment.is(SegmentEvent::zero_window)) {
    if (closed != 0) return {};  // an answer to a probe
    closed = entry.ts_ns;
    const std::string reader =
        out && !wire_alone && so_far.who.pid != 0 ? process_text(so_far.who, utf8) : "its process";
    return {.text = fmt::format("{} closed its window: {} has not read what came", capital(side), reader),
            .topic = Topic::window};
  }
  if (closed == 0) return {};
  const std::string room =
      body.window_bytes ? fmt::format(" with room for {}", bytes_in_words(*body.window_bytes)) : "";
  std::string text = fmt::format("{} opened its window again{}, closed for {}", capital(side), room,
                                 duration_in_words(entry.ts_ns - std::exchange(closed, 0)));
  return {.text = std::move(text), .topic = Topic::window};
}

std::string summed_up(Topic topic, std::uint64_t count, std::uint64_t went_on) {
  const std::string number = grouped(count);
  switch (topic) {
    case Topic::loss:
      return fmt::format("{} more segments were sent again or came out of order", number);
    case Topic::keepalive:
      return went_on == count ? fmt::format("{} more keep-alive probes were sent, each of them answered", number)
                              : fmt::format("{} more keep-alive probes were sent, {} of them answered", number,
                                            went_on == 0 ? "none" : grouped(went_on));
    case Topic::window:
      return fmt::format("The window was closed or opened {} more times", number);
    case Topic::probe:
      return fmt::format("{} more probes into the closed window were sent", number);
    case Topic::drop:
      return fmt::format("{} more segments were dropped by the kernel", number);
    case Topic::none:
      break;
  }
  return fmt::format("{} more events", number);
}

}  // namespace tcpwitness
