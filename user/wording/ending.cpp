// SPDX-License-Identifier: Apache-2.0
// ending.cpp: the closing sentence for the reader of an article: what happened, on what evidence.
//
// Plain words, at most two sentences, numbers that can be checked against the timeline.
#include "tcpwitness/ending.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <variant>

#include "facts/reasons.hpp"
#include "values/duration.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string times(std::uint32_t count) {
  if (count == 1) return "once";
  if (count == 2) return "twice";
  return fmt::format("{} times", count);
}

// " (after 1.0 s, 3.1 s)"
std::string syn_times(const std::vector<std::int64_t>& after_ns) {
  std::string text;
  for (const std::int64_t after : after_ns)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", duration_in_words(after));
  return text.empty() ? "" : fmt::format(" (after {})", text);
}

// "connect() failed with ECONNREFUSED after 172 us"
std::string words(const endings::ConnectFailed& of, const Life& life) {
  const std::string_view call = of.by_write ? "send()" : "connect()";
  const std::string got =
      life.error ? fmt::format("{} failed with {}", call, errno_name(*life.error)) : fmt::format("{} failed", call);
  if (!of.closed_later_ns) return fmt::format("{} after {}", got, duration_in_words(of.after_ns));
  return fmt::format("{} after {}, and the socket was closed {} later", got, duration_in_words(of.after_ns),
                     duration_in_words(*of.closed_later_ns));
}

// "host unreachable (ICMP type 3, code 1), sent by 10.0.0.254, on the way"
std::string words(const endings::Message& of) {
  if (of.icmp.own) return fmt::format("{}, by this machine itself", name(of.icmp));
  return fmt::format("{}, sent by {}", typed(of.icmp),
                     of.by_destination ? "the destination itself" : to_string(of.icmp.sender) + ", on the way");
}

bool was_in(const Life& life, TcpState state) { return std::ranges::find(life.states, state) != life.states.end(); }

// "curl[42] was killed by signal 9"; "" where it lives on.
std::string death(const endings::Closer& closer) {
  if (!closer.died) return "";
  return closer.signal != 0 ? fmt::format("{} was killed by signal {}", process_words(closer.process), closer.signal)
                            : fmt::format("{} exited", process_words(closer.process));
}

// How it died, or that it did this.
std::string death_or(const endings::Closer& closer, std::string_view verb) {
  return closer.died ? death(closer) : fmt::format("{} {}", process_words(closer.process), verb);
}

// "; the process here gets ECONNRESET"
std::string process_gets(const Life& life) {
  return life.error ? "; " + gets_error("the process here", *life.error) : "";
}

// Of a capture with one direction only: "the server's"
std::string_view one_way_of(const Life& life) {
  if (!life.conversation || life.role == Role::unknown) return "one";
  const bool out = life.conversation->in.frames == 0;
  return out == (life.role == Role::active) ? "the client's" : "the server's";
}

// "netfilter dropped it (NETFILTER_DROP)": of each segment that one sentence is about.
std::string drops(const arguments::DropReasons& reasons) {
  std::string text;
  for (const arguments::DropReason& reason : reasons) {
    const std::string_view means = meaning(reason.kind);
    text += fmt::format("{}{} ({})", text.empty() ? "" : "; ", means.empty() ? "the kernel dropped it" : means,
                        reason.name);
  }
  return text;
}

// "this machine dropped the SYN where it arrived (dropped by netfilter, the kernel's firewall, NETFILTER_DROP)"
std::string dropped_on_arrival(const arguments::DropReasons& reasons) {
  std::string text;
  for (const arguments::DropReason& reason : reasons)
    text += fmt::format("{}{}, {}", text.empty() ? "" : "; ", meaning(reason.kind), reason.name);
  return fmt::format("this machine dropped the SYN where it arrived ({})", text);
}

// "left this machine: dropped by netfilter, the kernel's firewall (NETFILTER_DROP)"
std::string unsent(const arguments::DropReasons& reasons) {
  return fmt::format("left this machine: {}",
                     reasons.empty() ? std::string(meaning(DropKind::neighbour)) : drops(reasons));
}

constexpr std::string_view silent_repair =
    "its socket was in repair mode (TCP_REPAIR), in which the kernel closes without a FIN or a RST: nothing was sent "
    "to the peer";

std::string_view words(endings::Completed::How how) {
  using How = endings::Completed::How;
  switch (how) {
    case How::both_at_once:
      return "both sides closed before the other's FIN came, so both wait in TIME_WAIT";
    case How::answered_by_reset:
      return "both sides closed; what came behind the first FIN was answered by a RST";
    case How::peer_first:
      return "the peer closed first, so TIME_WAIT is on its side, not here";
    case How::time_wait_full:
      return "this side closed first, and as many connections wait in TIME_WAIT as net.ipv4.tcp_max_tw_buckets allows";
    case How::peer_not_seen:
      return "this side closed first and its FIN was acknowledged; the peer's FIN was not seen";
    case How::time_wait:
      return "this side closed first, so it waits in TIME_WAIT for 60 s, and its port with it";
    case How::both:
      break;
  }
  return "both sides closed, and both FINs were acknowledged";
}

// The sentence of each kind of ending of one Life.
struct EndingWords {
  const Life& life;

  std::string operator()(const endings::Completed& of) const {
    std::string how = fmt::format("{}.", words(of.how));
    if (const std::string died = death(of.closer); !died.empty())
      return fmt::format("{} with nothing unread, and its kernel closed the connection with a FIN; {}", died, how);
    how[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(how[0])));
    return how;
  }

  std::string operator()(const endings::ConnectTimeout& of) const {
    const std::string sent = of.retransmitted == 0
                                 ? "The SYN was"
                                 : fmt::format("The SYN was retransmitted {}{} and", times(of.retransmitted),
                                               syn_times(of.retransmitted_after_ns));
    if (!life.has_kernel) return fmt::format("{} not answered.", sent);
    const std::string got = words(of.failed, life);
    if (of.syn_ack_seen) return fmt::format("A SYN-ACK came in over the wire, but TCP never took it: {}.", got);
    if (!of.dropped_on_arrival.empty())
      return fmt::format("{} never answered: {}; {}.", sent, dropped_on_arrival(of.dropped_on_arrival), got);
    if (!of.dropped.empty()) {
      return fmt::format("{} never answered; {} of the SYNs did not leave this machine ({}): {}.", sent,
                         of.dropped_syns, drops(of.dropped), got);
    }
    return fmt::format("{} never answered: {}.", sent, got);
  }

  std::string operator()(const endings::ConnectUnsent& of) const {
    if (of.not_made)
      return "connect() failed before it made a SYN: no route from the local port that it had chosen, or no free port.";
    return fmt::format("{} {}; {}.", of.syns <= 1 ? "The SYN never" : fmt::format("None of {} SYNs", of.syns),
                       unsent(of.dropped), words(of.failed, life));
  }

  std::string operator()(const endings::ConnectIgnored& of) const {
    return fmt::format("{}, but TCP never took it{}{}; {}.",
                       of.reset ? "The SYN was answered by a RST" : "The peer's SYN-ACK arrived",
                       of.dropped.empty() ? "" : ": ", drops(of.dropped), words(of.failed, life));
  }

  std::string operator()(const endings::RefusedByMessage& of) const {
    return fmt::format(
        "A firewall rule of this machine dropped the {} and refused it by an ICMP message ({} type {}, code {}): {}.",
        of.syn ? "SYN" : "SYN-ACK", name(of.icmp), of.icmp.type, of.icmp.code,
        of.syn ? "it did not reach the listener" : "it never left");
  }

  std::string operator()(const endings::Refused& of) const {
    using How = endings::Refused::How;
    std::string answer;
    switch (of.how) {
      case How::firewall_of_listener:
        return "A firewall rule of this machine dropped the SYN and answered it with a RST: it did not reach the "
               "listener.";
      case How::by_this_machine:
        return "The SYN was answered by a RST from this machine: nothing listens there, or a firewall refused it.";
      case How::by_reset:
        answer = "The SYN was answered by a RST: nothing listens there, or a firewall refused it";
        break;
      case How::by_own_reset:
        answer = "The SYN was answered by a RST of this machine's own TCP: nothing listens there";
        break;
      case How::by_message:
        answer = fmt::format("The SYN was answered by an ICMP message: {}", words(of.message));
        break;
      case How::by_either:
        answer = "The connection was refused (by a RST or an ICMP message)";
        break;
      case How::firewall_on_arrival:
        answer = "A firewall rule of this machine dropped the SYN where it arrived, and refused it by a RST";
        break;
      case How::firewall_unsent:
        answer = "The SYN never left this machine: its own firewall refused it by a RST";
        break;
    }
    return life.has_kernel ? fmt::format("{}; {}.", answer, words(of.failed, life)) : answer + ".";
  }

  std::string operator()(const endings::ResetByOutsider& of) const {
    return fmt::format(
        "A RST that neither side's TCP sent ended the connection here: its TTL was {}, the peer's is {}, and the peer "
        "went on sending {} later{}.",
        of.ttl, of.usual_ttl, duration_in_words(of.later_ns), process_gets(life));
  }

  std::string operator()(const endings::ResetByPeer& of) const {
    using How = endings::ResetByPeer::How;
    switch (of.how) {
      case How::forgotten:
        return fmt::format(
            "After a silence the peer answered with a RST, most likely because it no longer knew the connection{}.",
            process_gets(life));
      case How::in_handshake:
        return "A RST ended the handshake.";
      case How::taken_unseen:
        return fmt::format("The kernel received a reset from the peer{}.", process_gets(life));
      case How::broke_off:
        return fmt::format(
            "The peer ended the connection with a RST {} (RST+ACK, as when a process ends with unread data or chooses "
            "to reset){}.",
            was_in(life, TcpState::close_wait) ? "behind its FIN" : "instead of a FIN", process_gets(life));
      case How::reset:
        break;
    }
    return fmt::format("The peer ended the connection with a RST{}.", process_gets(life));
  }

  std::string operator()(const endings::ResetByLocal& of) const {
    using How = endings::ResetByLocal::How;
    switch (of.how) {
      case How::in_handshake:
        return "The handshake was not finished: this machine answered the peer's segment with a RST, as the request "
               "had been given up.";
      case How::firewall_between:
        return "A firewall of this machine, between both ends, ended the connection with a RST.";
      case How::firewall_in_peers_name:
        return "A firewall of this machine ended the connection with a RST in the peer's name.";
      case How::destroyed:
        return "Another process destroyed the socket (as ss -K does): this side sent a RST.";
      case How::gone:
        return fmt::format(
            "This side closed and waited for the peer's FIN in FIN_WAIT2; that socket was gone before its time ({}) "
            "was over, as when ss -K destroys it: what the peer sent {} after the close got a RST.",
            duration_in_words(of.should_wait_ns), duration_in_words(of.reset_after_ns));
      case How::data_after_close:
        return fmt::format(
            "This side closed and waited for the peer's FIN in FIN_WAIT2; the peer sent data {} after the close, which "
            "nobody reads any more: it got a RST.",
            duration_in_words(of.reset_after_ns));
      case How::request_gone:
        return "The handshake was not finished: the listener was gone, and its half-open request with it; the peer's "
               "next segment was answered by a RST.";
      case How::listener_closed:
        return fmt::format("{} before accept() had taken the connection, so this machine sent a RST.",
                           of.of_closer ? closed_listener(of.process)
                                        : fmt::format("The listener of {} {}", process_words(of.process),
                                                      listener_closed(of.by_another)));
      case How::not_seen:
        return "This side broke the connection off; its RST was not seen.";
      case How::sent:
        break;
    }
    if (!of.reason) return "This side ended the connection with a RST.";
    return fmt::format("This side ended the connection with a RST ({}: {}).", of.reason->name,
                       meaning(of.reason->kind));
  }

  std::string operator()(const endings::KeepaliveTimeout& of) const {
    std::string text = "Keep-alive ended the connection";
    if (of.unsent) {
      text = "No keep-alive probe left this machine";
    } else if (life.has_wire) {
      text = of.probes_seen ? fmt::format("{} in a row got no answer", counted(of.unanswered, "keep-alive probe"))
                            : "The keep-alive probes got no answer";
      if (of.answers_refused != 0) {
        text += " that TCP took";
      } else if (of.answers_dropped != 0) {
        text += " that reached TCP";
      }
      if (of.interval_ms != 0) {
        text += fmt::format(" (first after {} of silence, then every {})", milliseconds_in_words(of.time_ms),
                            milliseconds_in_words(of.interval_ms));
      }
    }
    text += ": the kernel gave up";
    if (of.user_timeout_ms != 0)
      text += fmt::format(" when TCP_USER_TIMEOUT ({}) was over", milliseconds_in_words(of.user_timeout_ms));
    if (of.reset_sent) text += ", sent a RST";
    if (life.error) text += ", and " + gets_error("the process", *life.error);
    return text + ".";
  }

  std::string operator()(const endings::RetransmitTimeout& of) const {
    using How = endings::RetransmitTimeout::How;
    std::string tried;
    switch (of.how) {
      case How::window_closed:
        tried = "could not be sent: the peer's window stayed closed";
        break;
      case How::window_silent:
        tried = "could not be sent: the peer's window was closed and the probes into it were not answered";
        break;
      case How::never_left:
        tried = "could not be sent: what TCP sent never left this machine";
        break;
      case How::syn_ack:
      case How::unacknowledged:
        tried = "waited for an acknowledgement that did not come";
        if (of.tries != 0) tried += fmt::format(" after {}", counted(of.tries, "retransmission"));
        break;
    }
    std::string waited = of.waiting_bytes != 0 ? counted(of.waiting_bytes, "byte") : "The FIN";
    if (of.how == How::syn_ack) waited = "The SYN-ACK";
    std::string text =
        fmt::format("{} {}. The kernel gave up{}", waited, tried, of.reset_sent ? " and sent a RST" : "");
    if (life.outcome == Outcome::user_timeout)
      text += fmt::format(" when TCP_USER_TIMEOUT ({}) was over", milliseconds_in_words(of.user_timeout_ms));
    if (life.error) text += ", and " + gets_error("the process", *life.error);
    if (of.error_of_path) text += ", the newest error of the path, in place of ETIMEDOUT";
    if (of.message) text += fmt::format(": an ICMP message, {}", words(*of.message));
    return text + ".";
  }

  std::string operator()(const endings::Aborted& of) const {
    using How = endings::Aborted::How;
    const std::string ended = death_or(of.closer, "ended");
    switch (of.how) {
      case How::reset_sent:
        return fmt::format("{} with data unread, so its kernel sent a RST {}.", ended,
                           was_in(life, TcpState::fin_wait1) ? "behind its FIN" : "instead of a FIN");
      case How::in_repair:
        return fmt::format("{} with data unread; {}.", ended, silent_repair);
      case How::reset_not_seen:
        break;
    }
    return fmt::format("{} with data unread; the RST that the peer should get for it was not seen.", ended);
  }

  std::string operator()(const endings::NoLocalPort& of) const {
    std::string why = "no local port is free for this destination";
    if (of.bound) {
      why = fmt::format("local port {}, which the process had bound, is in use to this destination already",
                        of.first_port);
    } else if (of.last_port != 0) {
      why = fmt::format("no local port of {}-{} is free for this destination", of.first_port, of.last_port);
    }
    return fmt::format("connect() failed with EADDRNOTAVAIL: {}. No SYN was made, and nothing was sent.", why);
  }

  std::string operator()(const endings::Unreachable& of) const {
    using How = endings::Unreachable::How;
    switch (of.how) {
      case How::request_ended:
        return fmt::format("The SYN-ACK was answered by an ICMP message, which ended the half-open request: {}.",
                           words(of.message));
      case How::by_message:
        if (!life.has_kernel) return fmt::format("The SYN was answered by an ICMP message: {}.", words(of.message));
        if (of.message.icmp.own)
          return fmt::format("This machine itself says {}; {}.", name(of.message.icmp), words(of.failed, life));
        return fmt::format("The SYN was answered by an ICMP message: {}; {}.", words(of.message),
                           words(of.failed, life));
      case How::not_seen:
        break;
    }
    return fmt::format("{}; which message or route says so was not seen.", words(of.failed, life));
  }

  std::string operator()(const endings::ConnectCancelled& of) const {
    using Answer = endings::ConnectCancelled::Answer;
    std::string answer = "no answer had come to the SYN";
    switch (of.answer) {
      case Answer::dropped_on_arrival:
        answer = dropped_on_arrival(of.dropped_on_arrival);
        break;
      case Answer::not_taken:
        answer = "a SYN-ACK had come in over the wire, but TCP never took it";
        break;
      case Answer::dropped:
        answer = "a SYN-ACK had come in, but the kernel dropped it";
        break;
      case Answer::reset_dropped:
        answer = "a RST had come in, but the kernel dropped it";
        break;
      case Answer::no_syn:
        answer = "no SYN was sent yet";
        break;
      case Answer::unseen:
        answer = "no interface that is traced has shown its SYN";
        break;
      case Answer::unsent:
        answer = fmt::format("{} {}",
                             of.unsent_syns <= 1 ? "its SYN never" : fmt::format("none of its {} SYNs", of.unsent_syns),
                             unsent(of.unsent));
        break;
      case Answer::none:
        break;
    }
    return fmt::format(
        "{} before the connection was made: {}.",
        of.destroyed ? "Another process destroyed the socket (as ss -K does)" : death_or(of.closer, "gave up"), answer);
  }

  std::string operator()(const endings::FinWait2Timeout& of) const {
    std::string text = fmt::format(
        "{} closed and the peer acknowledged it, {}: the kernel waited in FIN_WAIT2 until its time was up{} and forgot "
        "the connection",
        process_words(of.closer),
        of.fin_dropped ? "but its own FIN was dropped on this machine" : "but never closed itself",
        of.waited_ns != 0 ? fmt::format(" ({})", duration_in_words(of.waited_ns)) : "");
    if (of.reset_after_ns) {
      text += fmt::format("; what the peer sent {} after the close found no socket and got a RST",
                          duration_in_words(*of.reset_after_ns));
    }
    return text + ".";
  }

  std::string operator()(const endings::SynDropped& of) const {
    return fmt::format("{} the listener: {}.",
                       of.syns == 1 ? "The SYN did not reach" : fmt::format("None of the {} SYNs reached", of.syns),
                       drops(of.dropped));
  }

  std::string operator()(const endings::UnansweredSyn& of) const {
    if (of.dropped.empty() && of.with_room > 1) {
      return fmt::format(
          "{} SYNs came for a listener with room, and no SYN-ACK was seen: either the kernel dropped them without a "
          "report, as it does where it has no route back to the peer, or NAT sent them elsewhere.",
          of.with_room);
    }
    if (of.dropped.empty()) return "A SYN came and no SYN-ACK for it was seen.";
    return fmt::format("The SYN-ACK did not leave this machine: {}.", drops(of.dropped));
  }

  std::string operator()(const endings::StillOpen& of) const {
    using How = endings::StillOpen::How;
    switch (of.how) {
      case How::established:
        return "Still open: each SYN took one sequence number, so the data of both sides begins at 1; nobody has "
               "closed yet.";
      case How::half_closed_in_capture: {
        const std::string_view closer = of.state == TcpState::fin_wait2 ? "The client" : "The server";
        return fmt::format("{} has closed its side; the other side's FIN is not in the capture.",
                           life.role == Role::active ? closer : "One end");
      }
      case How::last_ack_not_in_capture:
        return "Both have sent their FIN; the acknowledgement of the last one is not in the capture.";
      case How::close_wait:
        return fmt::format("The peer has closed its side; {} has not closed the connection yet.",
                           process_words(of.process));
      case How::fin_wait2:
        return fmt::format("{} has closed and the peer acknowledged it; the peer has not closed yet.",
                           process_words(of.process));
      case How::no_transition:
        return fmt::format("Not ended when the {}; no transition of it was seen.",
                           life.conversation ? "capture ends" : "run did");
      case How::in_state:
        break;
    }
    return fmt::format("Still in {} when the {}.", name(of.state), life.conversation ? "capture ends" : "run ended");
  }

  std::string operator()(const endings::Unknown& of) const {
    using How = endings::Unknown::How;
    switch (of.how) {
      case How::in_repair:
        return fmt::format("{}; {}.", death_or(of.closer, "closed"), silent_repair);
      case How::time_wait_full:
        return fmt::format(
            "{} closed and the peer acknowledged it; as many connections wait in TIME_WAIT as "
            "net.ipv4.tcp_max_tw_buckets allows, so the kernel can have forgotten this one before the peer's FIN.",
            process_words(of.process));
      case How::events_lost:
        return "Events were lost while it lived; what was seen does not show how it ended.";
      case How::connect_failed:
        return words(of.failed, life) + ".";
      case How::handshake:
        return "The handshake was not finished: no ACK of its SYN-ACK reached TCP.";
      case How::accept_queue_full:
        return "The handshake was not finished: its last ACK found the accept queue full, and was dropped.";
      case How::error:
        return fmt::format("The process got {}; what was seen does not show why.", errno_name(life.error.value_or(0)));
      case How::one_way:
        return fmt::format(
            "Only {} direction is in the capture: whether the other side had closed before, and how it ended, does not "
            "show.",
            one_way_of(life));
      case How::fin_wait2:
        return fmt::format(
            "{} closed first and the peer acknowledged it; whether the peer's FIN came does not show, as its packets "
            "were not watched.",
            process_words(of.process));
      case How::fin_given_up:
        return fmt::format(
            "{} before the peer had acknowledged this side's FIN (SO_LINGER 0): the kernel sends it no more, and no "
            "RST; whether the peer has it does not show.",
            death_or(of.closer, "closed the socket"));
      case How::nothing:
        break;
    }
    return "What was seen does not show how it ended.";
  }

  std::string operator()(const endings::Forwarded& of) const { return forwarded_words(of, life); }
};

}  // namespace

std::string explanation(const Life& life) {
  if (life.ending == nullptr) return "";
  std::string text = std::visit(EndingWords{life}, static_cast<const AnyEnding&>(*life.ending));
  if (life.forwarded) return text;
  if (const std::string waited = waiting_words(life.phases, life.role); !waited.empty()) text += " " + waited;
  return text;
}

}  // namespace tcpwitness
