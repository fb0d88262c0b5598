// SPDX-License-Identifier: Apache-2.0
// story_states.cpp: the sentences of transitions: who or what caused each.
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "sink/format.hpp"
#include "sink/trace_words.hpp"
#include "sink/views/story_parts.hpp"
#include "sink/views/story_words.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// What the handshake taught the kernel.
std::string taught(const StateEntry& body) {
  if (!body.cb || !was_read(*body.cb)) return "";
  std::string text;
  if (body.cb->srtt_us != 0) text = fmt::format("round-trip time {}", microseconds_in_words(body.cb->srtt_us));
  if (body.cb->rto_us != 0) {
    text += fmt::format("{}first retransmission timeout {}", text.empty() ? "" : ", ",
                        microseconds_in_words(body.cb->rto_us));
  }
  return text.empty() ? "" : fmt::format(" ({})", text);
}

bool by_segment(const StateEntry& body) { return body.cause.kind == Cause::Kind::segment; }
// Its segment has no sentence yet. Once that is reported the next transition that cites it (an ACK opens two states)
// has nothing to add.
bool is_deferred(const StateEntry& body, const StoryState& so_far) {
  return by_segment(body) && so_far.deferred == body.cause.id;
}

// after: since when it was waited for.
std::string processed(std::string_view what, const StateEntry& body, const StoryState& so_far,
                      const std::string& after = "") {
  const std::string later = duration_in_words(body.cause.delay_ns);
  if (is_deferred(body, so_far)) return fmt::format("The peer's {} came in{}; processed {} later", what, after, later);
  if (by_segment(body)) return fmt::format("The kernel processed the peer's {} {} after it came in", what, later);
  return fmt::format("The kernel processed the peer's {}, which was itself not seen", what);
}

std::string_view inferred(const StateEntry& body) { return body.inferred ? " (inferred)" : ""; }

std::string since_own_fin(const Entry& entry, const StateEntry& body, const StoryState& so_far) {
  const TimeNs acknowledged = is_deferred(body, so_far) ? so_far.deferred_ns : entry.ts_ns;
  return story::since(so_far.fin_out_ns, acknowledged, "it was sent");
}

// Of this side's FIN; joined to the sentence that it was sent, where that is the newest.
std::string_view fin_acknowledged(const StoryState& so_far) {
  return so_far.about == About::closing ? "; the peer acknowledged it" : "The peer acknowledged this side's FIN";
}

}  // namespace

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
  if (cause.what == "listener closed")
    return fmt::format("{} closed the listening socket, and its kernel the connections that nobody had accepted",
                       subject);
  // close() and shutdown(SHUT_RDWR) look alike at the transition.
  if (cause.what == "close") return fmt::format("{} closed the connection", subject);
  return fmt::format("{} called {}()", subject, cause.what);
}

Phrase StoryWords::phrase(const Entry& entry, const StateEntry& body, StoryState& so_far) const {
  const bool deferred = is_deferred(body, so_far);
  if (body.process.pid != 0 && body.cause.what != "sock_destroy") so_far.who = body.process;
  switch (body.to) {
    case State::syn_sent:
      so_far.role = Role::active;
      if (body.cause.kind != Cause::Kind::call) {
        return {.text = fmt::format("A connection to {} was begun; by which process was not seen",
                                    endpoint_text(entry.flow.remote).view())};
      }
      return {.text = fmt::format("{} called connect() to {}", who(body.process, so_far),
                                  endpoint_text(entry.flow.remote).view()),
              .about = About::connecting};
    case State::new_syn_recv:
      if (so_far.about == About::syn_in)
        return {
            .text = "; a request socket was created (NEW_SYN_RECV, inferred)", .goes_on = true, .about = About::syn_in};
      return {.text = "A request socket was created for the peer's SYN (NEW_SYN_RECV, inferred)"};
    case State::syn_recv:
      if (body.from == State::syn_sent) {
        so_far.role = Role::active;
        return {.text = "The peer's SYN came instead of a SYN-ACK: both sides connect at once", .about = About::syn_in};
      }
      so_far.role = Role::passive;
      return {};
    case State::established:
      return established_phrase(body, so_far);
    case State::fin_wait1:
      return {.text = fmt::format("{}: this side closes first", called(body, so_far)), .about = About::closing};
    case State::close_wait:
      so_far.fin_reported = true;
      if (!deferred) so_far.fin_in_ns = entry.ts_ns;
      return {
          .text = processed("FIN", body, so_far) + ": the peer closes first, and this side can still send (CLOSE_WAIT)",
          .about = About::fin_in};
    case State::last_ack:
      return {.text = fmt::format("{}{}: this side closes too", called(body, so_far),
                                  story::since(so_far.fin_in_ns, entry.ts_ns, "the peer's FIN")),
              .about = About::closing};
    case State::closing:
      so_far.fin_reported = true;
      if (!deferred) so_far.fin_in_ns = entry.ts_ns;
      return {.text = processed("FIN", body, so_far) +
                      ", before the ACK of this side's own: both close at the same time (CLOSING)",
              .about = About::fin_in};
    case State::fin_wait2:
      return fin_wait2_phrase(entry, body, so_far);
    case State::time_wait:
      return time_wait_phrase(entry, body, so_far);
    case State::close:
      return closed_phrase(entry, body, so_far);
    default:
      break;
  }
  return {.text = fmt::format("The socket went from {} to {}{}", name(body.from), name(body.to), inferred(body))};
}

Phrase StoryWords::established_phrase(const StateEntry& body, StoryState& so_far) const {
  if (body.from == State::syn_sent) {
    const std::string after = story::since(so_far.syn_ns, so_far.deferred_ns, "the SYN");
    return {.text = processed("SYN-ACK", body, so_far, after) + ": the connection is established" + taught(body),
            .about = About::established};
  }
  const std::string after =
      is_deferred(body, so_far) ? story::since(so_far.syn_ack_ns, so_far.deferred_ns, "the SYN-ACK") : "";
  const std::string_view then = so_far.role == Role::active ? ": the connection is established, begun by both sides"
                                                            : ": the connection is established and waits for accept()";
  return {.text = processed("ACK", body, so_far, after) + std::string(then) + taught(body),
          .about = About::established};
}

Phrase StoryWords::fin_wait2_phrase(const Entry& entry, const StateEntry& body, StoryState& so_far) const {
  if (!by_segment(body)) return {.text = "This side's FIN was acknowledged; the ACK itself was not seen (FIN_WAIT2)"};
  so_far.fin_reported = is_deferred(body, so_far) && (so_far.deferred_flags & tcp_flag::fin) != 0;
  return {.text = fmt::format("{}{}{} (FIN_WAIT2)", fin_acknowledged(so_far), since_own_fin(entry, body, so_far),
                              so_far.fin_reported ? ", and sent its own with it" : ""),
          .goes_on = so_far.about == About::closing,
          .about = so_far.fin_reported ? About::fin_in : About::nothing};
}

Phrase StoryWords::time_wait_phrase(const Entry& entry, const StateEntry& body, StoryState& so_far) const {
  const std::string waits = fmt::format("this side waits in TIME_WAIT{}", inferred(body));
  if (by_segment(body) && body.cause.what == "ACK of FIN") {
    return {.text = fmt::format("{}{}: {}", fin_acknowledged(so_far), since_own_fin(entry, body, so_far), waits),
            .goes_on = so_far.about == About::closing};
  }
  if (so_far.about == About::fin_acked) return {.text = " and" + waits.substr(us(so_far).size()), .goes_on = true};
  if (so_far.about == About::fin_in) return {.text = "; " + waits, .goes_on = true, .about = About::fin_in};
  const bool fresh = is_deferred(body, so_far) && !std::exchange(so_far.fin_reported, true);
  return {.text = fresh ? fmt::format("The peer's FIN came in: {}", waits) : story::capital(waits)};
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
      const std::string after =
          body.from == State::syn_sent ? story::since(so_far.syn_ns, so_far.deferred_ns, "the SYN") : "";
      return {.text = fmt::format("A RST came in{}{}; processed {} later: {}{}", ttl, after,
                                  duration_in_words(cause.delay_ns), over, inferred)};
    }
    return {.text = fmt::format("The kernel processed the RST: {}{}", over, inferred)};
  }
  if (cause.kind == Cause::Kind::segment) {
    return {.text = fmt::format(
                "{}{}: both sides have closed", fin_acknowledged(so_far),
                story::since(so_far.fin_out_ns, deferred ? so_far.deferred_ns : entry.ts_ns, "it was sent")),
            .goes_on = so_far.about == About::closing};
  }
  if (cause.kind == Cause::Kind::icmp) {
    return {.text = fmt::format("The kernel processed the ICMP message: {}",
                                body.from == State::syn_sent ? "connect() fails" : "the connection is over")};
  }
  if (cause.kind == Cause::Kind::reset) {
    const std::string over = body.from == State::syn_sent
                                 ? "the connection is refused"
                                 : fmt::format("the connection is over, in {}", name(body.from));
    return {.text = so_far.about == About::reset_in ? ": " + over : "The kernel received a reset: " + over,
            .goes_on = so_far.about == About::reset_in};
  }
  if (cause.kind == Cause::Kind::timer) {
    if (body.from == State::syn_sent)
      return {.text = "The kernel gave up: no answer reached TCP before its last timer expired"};
    if (cause.what == "keep-alive")
      return {.text = "The kernel declared the connection dead: its keep-alive probes were not answered"};
    return {.text = fmt::format("The kernel gave up: the {} ran out",
                                cause.what == "user timeout" ? "TCP_USER_TIMEOUT" : "last retransmission timer")};
  }
  if (cause.kind == Cause::Kind::call && cause.what == "connect") {
    const bool no_port = entry.flow.local.port == 0;
    return {.text = fmt::format("connect() {}: no SYN was made", no_port ? "found no free local port" : "failed"),
            .about = About::reset};
  }
  if (cause.kind == Cause::Kind::call) {
    const bool closing = body.from == State::last_ack || body.from == State::closing;
    std::string end =
        fmt::format("{}, in {}", closing ? "its FIN is not sent again" : "it ends without a FIN", name(body.from));
    if (body.from == State::syn_sent) end = "it was never established";
    return {.text = fmt::format("{}: {}", called(body, so_far), end), .about = About::reset};
  }
  return {.text = fmt::format("The socket was closed, from {}; the cause was not seen", name(body.from))};
}

}  // namespace tcpwitness
