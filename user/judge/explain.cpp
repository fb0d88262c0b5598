// SPDX-License-Identifier: Apache-2.0
// explain.cpp: the closing sentence for the reader of an article: what happened, on what evidence.
//
// Plain words, at most two sentences, numbers that can be checked against the timeline. Says nothing
// that the outcome does not rest on.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

std::string times(std::uint32_t count) {
  if (count == 1) return "once";
  if (count == 2) return "twice";
  return fmt::format("{} times", count);
}

std::string plural(std::uint64_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

// " (after 1.0 s, 3.1 s)": when each repeated SYN left, counted from the first.
std::string syn_times(const Connection& c) {
  if (!c.trouble) return "";
  const Retransmissions& r = c.trouble->retransmissions;
  std::string text;
  for (std::uint32_t i = 1; i < r.syns && i < r.syn_ts_ns.size(); ++i) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", seconds(r.syn_ts_ns[i] - r.syn_ts_ns[0]));
  }
  return text.empty() ? "" : fmt::format(" (after {})", text);
}

std::string what_process_got(const Life& life, std::string_view call) {
  return life.error ? fmt::format("{} failed with {}", call, error_name(*life.error)) : fmt::format("{} failed", call);
}

std::string connect_timeout(const Connection& c, const Life& life) {
  std::uint32_t again = life.retransmits;
  if (c.trouble) again = std::max(again, c.trouble->retransmissions.wire_out);
  const std::string sent =
      again == 0 ? "The SYN was" : fmt::format("The SYN was retransmitted {}{} and", times(again), syn_times(c));
  if (!life.kernel_heard) return fmt::format("{} never answered in {}.", sent, seconds(life.duration_ns));
  return fmt::format("{} never answered: {} after {}.", sent, what_process_got(life, "connect()"),
                     seconds(life.duration_ns));
}

std::string refused(const Connection& c, const Life& life) {
  const bool rst = c.trouble && c.trouble->rst_in.mark;
  const std::string answer = rst ? "The SYN was answered by a RST: nothing listens there (or a firewall says so)"
                                 : "The peer refused the connection";
  return life.kernel_heard
             ? fmt::format("{}; {} after {}.", answer, what_process_got(life, "connect()"), seconds(life.duration_ns))
             : answer + ".";
}

// "its FIN took one sequence number: it is 51 and the ACK of it is 52 = 51 + 1"
std::string fin_words(const FinFacts& fin, bool has_isn, std::uint32_t isn) {
  if (!fin.sent || !fin.acked || fin.ack != fin.end) return "";
  const std::uint32_t base = has_isn ? isn : 0;
  return fmt::format("FIN consumed one sequence number: the ACK of it is {} = {} + 1", fin.ack - base, fin.seq - base);
}

std::string how_the_process_ended(const Connection& c) {
  const Closing& closing = *c.closing;
  const bool dying = ((closing.first_actor | closing.end_actor) & TW_ACTOR_EXITING) != 0;
  if (!dying) return "";
  return closing.signal != 0 ? fmt::format("{} was killed by signal {}", process_words(c.owner), closing.signal)
                             : fmt::format("{} exited", process_words(c.owner));
}

std::string completed(const Connection& c) {
  const Closing& closing = *c.closing;
  const bool local_first = c.closed_by != ClosedBy::peer;
  std::string text = local_first ? fin_words(closing.fin_out, c.has_isn_local, c.isn_local)
                                 : fin_words(closing.fin_in, c.has_isn_remote, c.isn_remote);
  const std::string ended = how_the_process_ended(c);
  if (!ended.empty()) {
    text = fmt::format("{} with nothing unread, and its kernel closed the connection with a FIN{}{}", ended,
                       text.empty() ? "" : "; ", text);
  }
  if (!text.empty()) text += "; ";
  if (c.closed_by == ClosedBy::both) {
    text += "both sides closed at the same time, so both wait in TIME_WAIT";
  } else if (!local_first) {
    text += "the peer closed first, so TIME_WAIT is on its side, not here";
  } else if (closing.mini_fin_wait2) {
    text += "the local side closed first and its FIN is acknowledged, but the peer's FIN was not heard";
  } else {
    text += "the active closer (local) waits in TIME_WAIT for 60 s, and its port with it";
  }
  text += ".";
  // A process name keeps its own spelling.
  if (ended.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string reset_by_peer(const Connection& c, const Life& life) {
  const auto half_open = std::find_if(life.findings.begin(), life.findings.end(),
                                      [](const Finding& f) { return f.rule == Rule::half_open; });
  const std::string got = life.error ? fmt::format("; the process here gets {}", error_name(*life.error)) : "";
  if (half_open != life.findings.end()) {
    return fmt::format("After a silence the peer answered with a RST: it no longer knew the connection{}.", got);
  }
  const bool rst = c.trouble && c.trouble->rst_in.mark;
  const bool broke_off = rst && (c.trouble->rst_in.flags & tcp_flag::ack) != 0;
  return fmt::format(
      "The peer ended the connection with a RST{}{}.",
      broke_off ? " instead of a FIN (RST+ACK: its process died with unread data, or chose to reset)" : "", got);
}

std::string reset_by_local(const Connection& c, const Bench& bench) {
  if (c.error == ECONNABORTED) return "Another process destroyed the socket (as ss -K does): this side sent a RST.";
  const ResetTold* told = c.trouble ? &c.trouble->reset_sent : nullptr;
  const std::string why = told != nullptr && told->mark && told->reason != TW_REASON_UNKNOWN
                              ? fmt::format(" ({}: {})", reset_reason_text(bench.names, told->reason),
                                            reset_meaning(reset_reason(bench.names, told->reason), true))
                              : "";
  return fmt::format("This side ended the connection with a RST{}.", why);
}

std::string aborted(const Connection& c) {
  if (c.closing->end_from == State::syn_sent) {
    const std::string died = how_the_process_ended(c);
    return fmt::format("{} before the connection was made: no answer had come to the SYN.",
                       died.empty() ? process_words(c.owner) + " gave up" : died);
  }
  const std::string ended = how_the_process_ended(c);
  return fmt::format("{} with data unread, so its kernel sent a RST instead of a FIN.",
                     ended.empty() ? process_words(c.owner) + " ended" : ended);
}

std::string keepalive_timeout(const Connection& c, const Life& life) {
  const KeepaliveFacts none{};
  const KeepaliveFacts& k = c.trouble ? c.trouble->keepalive : none;
  std::string text = k.sent != 0 ? fmt::format("{} in a row got no answer", plural(k.unanswered, "keep-alive probe"))
                                 : "The keep-alive probes got no answer";
  if (k.intvl_ms != 0) {
    text += fmt::format(" (first after {} of silence, then every {})", seconds(std::int64_t{k.time_ms} * 1'000'000),
                        seconds(std::int64_t{k.intvl_ms} * 1'000'000));
  }
  text += ": the kernel gave the peer up";
  if (c.trouble && (c.trouble->reset_sent.mark || c.trouble->rst_out.mark)) text += ", sent a RST";
  if (life.error) text += fmt::format(", and the process gets {}", error_name(*life.error));
  return text + ".";
}

std::string retransmit_timeout(const Connection& c, const Life& life) {
  const std::uint32_t waiting = c.cb.write_seq - c.cb.snd_una;
  const bool probed = c.cb.snd_nxt == c.cb.snd_una;
  const std::string tried =
      probed ? "the peer's window stayed closed and its probes had no answer"
             : fmt::format("after {} nothing was acknowledged", plural(life.retransmits, "retransmission"));
  std::string text = fmt::format("{} waited for an acknowledgement; {}: the kernel gave up without a RST",
                                 plural(waiting, "byte"), tried);
  if (life.outcome == Outcome::user_timeout) {
    text +=
        fmt::format(" when TCP_USER_TIMEOUT ({}) was over", seconds(std::int64_t{c.cb.user_timeout_ms} * 1'000'000));
  }
  if (life.error) text += fmt::format(", and the process gets {}", error_name(*life.error));
  return text + ".";
}

std::string still_open(const Connection& c) {
  if (c.state == State::established && c.syn && c.has_isn_local && c.has_isn_remote) {
    return "Open: each SYN took one sequence number, so both sides continue at 1; nobody has closed yet.";
  }
  if (c.state == State::close_wait) {
    return fmt::format("The peer has closed its side; {} has not closed the connection yet.", process_words(c.owner));
  }
  return fmt::format("Still in {} when the run ended.", name(c.state));
}

std::string unknown(const Connection& c) {
  if (c.incomplete) return "Events were lost while it lived; what was heard does not say how it ended.";
  if (c.state == State::new_syn_recv) return "The SYN-ACK was never acknowledged: the handshake was not finished.";
  if (c.state == State::unknown && c.syn) return "A SYN came for a listening socket and got no SYN-ACK from it.";
  return "What was heard does not say how it ended.";
}

}  // namespace

std::string explain(const Connection& c, const Bench& bench, const Life& life) {
  switch (life.outcome) {
    case Outcome::completed:
      return completed(c);
    case Outcome::refused:
      return refused(c, life);
    case Outcome::connect_timeout:
      return connect_timeout(c, life);
    case Outcome::reset_by_peer:
      return reset_by_peer(c, life);
    case Outcome::reset_by_local:
      return reset_by_local(c, bench);
    case Outcome::keepalive_timeout:
      return keepalive_timeout(c, life);
    case Outcome::retransmit_timeout:
    case Outcome::user_timeout:
      return retransmit_timeout(c, life);
    case Outcome::aborted:
      return aborted(c);
    case Outcome::open:
      return still_open(c);
    case Outcome::unknown:
      break;
  }
  return unknown(c);
}

}  // namespace tcpwitness
