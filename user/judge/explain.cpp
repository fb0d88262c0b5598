// SPDX-License-Identifier: Apache-2.0
// explain.cpp: the closing sentence for the reader of an article: what happened, on what evidence.
//
// Plain words, at most two sentences, numbers that can be checked against the timeline. Says nothing
// that the outcome does not rest on.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "facts/derived.hpp"
#include "judge/judge.hpp"
#include "values/words.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

std::string times(std::uint32_t count) {
  if (count == 1) return "once";
  if (count == 2) return "twice";
  return fmt::format("{} times", count);
}

// " (after 1.0 s, 3.1 s)": when each repeated SYN left, counted from the first.
std::string syn_times(const Connection& c) {
  if (!c.anomalies) return "";
  const Retransmissions& r = c.anomalies->retransmissions;
  std::string text;
  for (std::uint32_t i = 1; i < r.syns && i < r.syn_ts_ns.size(); ++i) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", seconds(r.syn_ts_ns[i] - r.syn_ts_ns[0]));
  }
  return text.empty() ? "" : fmt::format(" (after {})", text);
}

std::string what_process_got(const Life& life, std::string_view call) {
  return life.error ? fmt::format("{} failed with {}", call, error_name(*life.error)) : fmt::format("{} failed", call);
}

// "connect() failed with ECONNREFUSED after 172 us": when its error was set. A message that comes while connect() holds
// the socket's lock (tcp_v4_err()) sets it and ends nothing: the socket goes on until its process closes it.
std::string connect_failed(const Connection& c, const Life& life) {
  const std::string got = what_process_got(life, "connect()");
  if (c.error == 0 && c.anomalies && c.teardown && icmp_behind(c) != nullptr) {
    const Mark& set = c.anomalies->icmp ? c.anomalies->icmp_mark : c.anomalies->icmp_in_mark;
    return fmt::format("{} after {}, and the socket was closed {} later", got, seconds(set.ts_ns - c.start_ts_ns),
                       seconds(c.teardown->end.ts_ns - set.ts_ns));
  }
  return fmt::format("{} after {}", got, seconds(life.duration_ns));
}

// "this machine dropped the SYN where it arrived: dropped by a firewall rule (NETFILTER_DROP)"
std::string dropped_where_it_arrived(const Connection& c, const RuleContext& context) {
  std::string reasons;
  for (const DropSeen& here : dropped_on_arrival(c)) {
    reasons += fmt::format("{}{}, {}", reasons.empty() ? "" : "; ", drop_meaning(drop_kind(context.names, here.reason)),
                           context.names.drop_reason(here.reason));
  }
  return reasons.empty() ? "" : fmt::format("this machine dropped the SYN where it arrived ({})", reasons);
}

std::string connect_timeout(const Connection& c, const RuleContext& context, const Life& life) {
  std::uint32_t again = life.retransmits;
  if (c.anomalies) again = std::max(again, c.anomalies->retransmissions.wire_out);
  const std::string sent =
      again == 0 ? "The SYN was" : fmt::format("The SYN was retransmitted {}{} and", times(again), syn_times(c));
  const std::string got = connect_failed(c, life);
  if (!life.has_kernel) return fmt::format("{} not answered.", sent);
  if (c.syn_ack_seen) return fmt::format("A SYN-ACK came in over the wire, but TCP never took it: {}.", got);
  const std::string dropped = drop_reasons(c, context, true, tcp_flag::syn);
  if (const std::string here = dropped_where_it_arrived(c, context); !here.empty())
    return fmt::format("{} never answered: {}; {}.", sent, here, got);
  if (!dropped.empty()) {
    return fmt::format("{} never answered; {} of the SYNs did not leave this machine ({}): {}.", sent,
                       c.anomalies->drops.syns_out, dropped, got);
  }
  return fmt::format("{} never answered: {}.", sent, got);
}

std::string connect_unsent(const Connection& c, const RuleContext& context, const Life& life) {
  const std::uint32_t syns = c.anomalies->drops.syns_out;
  std::string reasons = drop_reasons(c, context, true, tcp_flag::syn);
  if (reasons.empty()) reasons = drop_meaning(DropKind::neighbour);
  return fmt::format("{} left this machine: {}; {}.",
                     syns <= 1 ? "The SYN never" : fmt::format("None of {} SYNs", syns), reasons,
                     connect_failed(c, life));
}

std::string connect_ignored(const Connection& c, const RuleContext& context, const Life& life) {
  const std::string dropped = drop_reasons(c, context, false, tcp_flag::syn | tcp_flag::ack);
  return fmt::format("The peer's SYN-ACK arrived, but TCP never took it{}{}; {}.", dropped.empty() ? "" : ": ", dropped,
                     connect_failed(c, life));
}

std::string reset_by_outsider(const Connection& c, const Life& life) {
  const Anomalies& t = *c.anomalies;
  const std::int64_t after = t.outsider.goes_on.ts_ns - t.rst_in.mark.ts_ns;
  return fmt::format(
      "A RST that neither side's TCP sent ended the connection here: its TTL was {}, the peer's is {}, and the peer "
      "went on sending {} later{}.",
      t.rst_in.ttl, c.ttl_in, seconds(after),
      life.error ? fmt::format("; the process here gets {}", error_name(*life.error)) : "");
}

// What a firewall of this machine answered to what a listener was asked, or to its answer.
std::string refused_here(const Connection& c, const IcmpMessage& icmp) {
  const bool syn = &icmp == &c.anomalies->icmp_sent;
  return fmt::format(
      "A firewall rule of this machine dropped the {} and refused it by an ICMP message ({} type {}, code {}): {}.",
      syn ? "SYN" : "SYN-ACK", name(icmp), icmp.type, icmp.code, syn ? "the listener never had it" : "it never left");
}

std::string refused(const Connection& c, const RuleContext& context, const Life& life) {
  if (const IcmpMessage* icmp = refused_by_message(c, context); icmp != nullptr) return refused_here(c, *icmp);
  if (life.role == Role::passive && refused_by_input(c, context) != nullptr) {
    return "A firewall rule of this machine dropped the SYN and answered it with a RST: the listener never had it.";
  }
  if (life.role == Role::passive) {
    return "The SYN was answered by a RST from this machine: nothing listens there, or a firewall refused it.";
  }
  // In SYN_SENT only tcp_reset() reports one: a RST came, whether or not packets were watched.
  const bool rst = c.anomalies && (c.anomalies->rst_in.mark || c.anomalies->reset_received.mark);
  const IcmpMessage* icmp = icmp_behind(c);
  std::string answer = "The connection was refused (by a RST or an ICMP message)";
  if (rst) answer = "The SYN was answered by a RST: nothing listens there, or a firewall refused it";
  if (!rst && icmp != nullptr)
    answer = fmt::format("The SYN was answered by an ICMP message: {}", icmp_words(c, *icmp));
  const DropSeen* own = refused_by_own_firewall(c, context);
  if (own != nullptr && is_on_arrival(c, own)) {
    answer = "A firewall rule of this machine dropped the SYN where it arrived, and refused it by a RST";
  } else if (own != nullptr)
    answer = "The SYN never left this machine: its own firewall refused it by a RST";
  return life.has_kernel ? fmt::format("{}; {}.", answer, connect_failed(c, life)) : answer + ".";
}

// "FIN consumed one sequence number: the ACK of it is 52 = 51 + 1"
std::string fin_words(const FinFacts& fin, bool has_isn, std::uint32_t isn) {
  if (!fin.sent || !fin.acked || fin.ack != fin.end) return "";
  if (!has_isn) return "FIN consumed one sequence number: the ACK of it is its own number + 1";
  return fmt::format("FIN consumed one sequence number: the ACK of it is {} = {} + 1", fin.ack - isn, fin.seq - isn);
}

std::string how_the_process_ended(const Connection& c) {
  const Teardown& teardown = *c.teardown;
  const bool dying = actor_exiting(teardown.first_actor) || actor_exiting(teardown.end_actor);
  if (!dying) return "";
  return teardown.signal != 0 ? fmt::format("{} was killed by signal {}", process_words(closer_of(c)), teardown.signal)
                              : fmt::format("{} exited", process_words(closer_of(c)));
}

std::string completed(const Connection& c) {
  const Teardown& teardown = *c.teardown;
  // In LAST_ACK the peer's FIN came first, whether or not its beginning was seen.
  const bool local_first = c.closed_by != ClosedBy::peer && teardown.end_from != State::last_ack;
  std::string text = local_first ? fin_words(teardown.fin_out, c.has_isn_local, c.isn_local)
                                 : fin_words(teardown.fin_in, c.has_isn_remote, c.isn_remote);
  const std::string ended = how_the_process_ended(c);
  if (!ended.empty()) {
    text = fmt::format("{} with nothing unread, and its kernel closed the connection with a FIN{}{}", ended,
                       text.empty() ? "" : "; ", text);
  }
  if (!text.empty()) text += "; ";
  if (c.closed_by == ClosedBy::both) {
    text += "both sides closed at the same time, so both wait in TIME_WAIT";
  } else if (teardown.by_reset) {
    text += "both sides closed; what came behind the first FIN was answered by a RST";
  } else if (!local_first) {
    text += "the peer closed first, so TIME_WAIT is on its side, not here";
  } else if (teardown.time_wait_full) {
    text += "this side closed first, and as many connections wait in TIME_WAIT as net.ipv4.tcp_max_tw_buckets allows";
  } else if (teardown.mini_fin_wait2) {
    text += "this side closed first and its FIN was acknowledged; the peer's FIN was not seen";
  } else if (teardown.time_wait) {
    text += "this side closed first, so it waits in TIME_WAIT for 60 s, and its port with it";
  } else {
    text += "both sides closed, and both FINs were acknowledged";
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
    return fmt::format(
        "After a silence the peer answered with a RST, most likely because it no longer knew the connection{}.", got);
  }
  if (c.teardown->end_from == State::new_syn_recv) {
    return "A RST ended the handshake.";
  }
  const bool rst = c.anomalies && c.anomalies->rst_in.mark;
  if (!rst) return fmt::format("The kernel took a reset from the peer{}.", got);
  const bool broke_off = (c.anomalies->rst_in.flags & tcp_flag::ack) != 0;
  return fmt::format(
      "The peer ended the connection with a RST{}{}.",
      broke_off ? " instead of a FIN (RST+ACK, as when a process ends with unread data or chooses to reset)" : "", got);
}

std::string reset_by_local(const Connection& c, const RuleContext& context) {
  if (c.teardown->end_from == State::new_syn_recv)
    return "The handshake was not finished: this machine answered the peer's segment with a RST and gave the request "
           "up.";
  if (context.peer != nullptr && refused_by_input(*context.peer, context) != nullptr)
    return "A firewall of this machine, between both ends, ended the connection with a RST.";
  if (reset_made_here(c)) return "A firewall of this machine ended the connection with a RST in the peer's name.";
  if (destroyed_by_other(c)) return "Another process destroyed the socket (as ss -K does): this side sent a RST.";
  const bool seen = c.anomalies && c.anomalies->rst_out.mark;
  if (!reset_sent(c) && !seen) return "This side broke the connection off; its RST was not seen.";
  const ResetReport* sent = c.anomalies ? &c.anomalies->reset_sent : nullptr;
  const std::string why = sent != nullptr && sent->mark && sent->reason != reset_reason_unknown
                              ? fmt::format(" ({}: {})", reset_reason_text(context.names, sent->reason),
                                            reset_meaning(reset_reason(context.names, sent->reason), true))
                              : "";
  return fmt::format("This side ended the connection with a RST{}.", why);
}

constexpr std::string_view silent_repair =
    "its socket was in repair mode (TCP_REPAIR), in which the kernel closes without a FIN or a RST: nothing was sent "
    "to "
    "the peer";

std::string connect_cancelled(const Connection& c, const RuleContext& context) {
  const std::string died = how_the_process_ended(c);
  std::string answer = "no answer had come to the SYN";
  if (const std::string here = dropped_where_it_arrived(c, context); !here.empty()) {
    answer = here;
  } else if (c.syn_ack_seen) {
    answer = "a SYN-ACK had come in over the wire, but TCP never took it";
  } else if (c.anomalies && c.anomalies->drops.syn_acks_in != 0) {
    answer = "a SYN-ACK had come in, but the kernel dropped it";
  } else if (!c.syn && c.has_cb() && c.cb.segs_out == 0) {
    answer = "no SYN was sent yet";
  }
  std::string subject = died.empty() ? process_words(closer_of(c)) + " gave up" : died;
  if (c.error == ECONNABORTED) subject = "Another process destroyed the socket (as ss -K does)";
  return fmt::format("{} before the connection was made: {}.", subject, answer);
}

std::string no_local_port(const Connection& c) {
  const Teardown& teardown = *c.teardown;
  const std::string why =
      teardown.port_bound
          ? fmt::format("local port {}, which the process had bound, is in use to this destination already",
                        teardown.first_port)
      : teardown.last_port == 0
          ? "no local port is free for this destination"
          : fmt::format("no local port of {}-{} is free for this destination", teardown.first_port, teardown.last_port);
  return fmt::format("connect() failed with EADDRNOTAVAIL: {}. No SYN was made, and nothing was sent.", why);
}

std::string unreachable(const Connection& c, const RuleContext& context, const Life& life) {
  if (const IcmpMessage* own = refused_by_message(c, context); own != nullptr) return refused_here(c, *own);
  const IcmpMessage* icmp = icmp_behind(c);
  if (life.role == Role::passive && icmp != nullptr)
    return fmt::format("The SYN-ACK was answered by an ICMP message, which ended the half-open request: {}.",
                       icmp_words(c, *icmp));
  const std::string got = connect_failed(c, life);
  if (icmp != nullptr && icmp->own) return fmt::format("This machine itself says {}; {}.", name(*icmp), got);
  if (icmp != nullptr)
    return fmt::format("The SYN was answered by an ICMP message: {}; {}.", icmp_words(c, *icmp), got);
  return fmt::format("{}; which message or route says so was not seen.", got);
}

std::string fin_wait2_timeout(const Connection& c) {
  const Teardown& teardown = *c.teardown;
  const std::string waited = teardown.fin_timeout_ns != 0 ? fmt::format(" ({})", seconds(teardown.fin_timeout_ns)) : "";
  std::string text = fmt::format(
      "{} closed and the peer acknowledged it, but never closed itself: the kernel waited in FIN_WAIT2 until its time "
      "was up{} and forgot the connection",
      process_words(closer_of(c)), waited);
  if (teardown.mini_fin_wait2 && c.anomalies && c.anomalies->reset_sent.mark) {
    text += fmt::format("; what the peer sent {} after the close found no socket and got a RST",
                        seconds(c.anomalies->reset_sent.mark.ts_ns - teardown.first.ts_ns));
  }
  return text + ".";
}

std::string aborted(const Connection& c) {
  const std::string died = how_the_process_ended(c);
  const std::string ended = died.empty() ? process_words(closer_of(c)) + " ended" : died;
  if (reset_sent(c)) return fmt::format("{} with data unread, so its kernel sent a RST instead of a FIN.", ended);
  if (ended_in_repair(c)) return fmt::format("{} with data unread; {}.", ended, silent_repair);
  return fmt::format("{} with data unread; the RST that the peer should get for it was not seen.", ended);
}

std::string keepalive_timeout(const Connection& c, const Life& life) {
  const KeepaliveFacts none{};
  const KeepaliveFacts& k = c.anomalies ? c.anomalies->keepalive : none;
  std::string text = k.sent != 0 ? fmt::format("{} in a row got no answer", counted(k.unanswered, "keep-alive probe"))
                                 : "The keep-alive probes got no answer";
  if (k.intvl_ms != 0) {
    text += fmt::format(" (first after {} of silence, then every {})", seconds(std::int64_t{k.time_ms} * 1'000'000),
                        seconds(std::int64_t{k.intvl_ms} * 1'000'000));
  }
  if (!c.has_wire) text = fmt::format("Keep-alive ended the connection");
  text += ": the kernel gave the peer up";
  if (c.anomalies && (c.anomalies->reset_sent.mark || c.anomalies->rst_out.mark)) text += ", sent a RST";
  if (life.error) text += fmt::format(", and the process gets {}", error_name(*life.error));
  return text + ".";
}

std::string retransmit_timeout(const Connection& c, const Life& life) {
  // A FIN behind the data takes one sequence number and is no byte.
  const State from = c.teardown->end_from;
  const bool fin = from == State::fin_wait1 || from == State::last_ack || from == State::closing;
  const std::uint32_t waiting = c.cb.write_seq - c.cb.snd_una - (fin ? 1 : 0);
  const std::string what = waiting != 0 ? counted(waiting, "byte") : "The FIN";
  const bool probed = c.cb.snd_nxt == c.cb.snd_una;
  const bool closed = probed && c.cb.snd_wnd == 0;
  const std::string tried =
      closed   ? "could not be sent: the peer's window was closed and the probes into it were not answered"
      : probed ? "could not be sent: what TCP sent never left this machine"
               : fmt::format("waited for an acknowledgement that did not come after {}",
                             counted(life.retransmits, "retransmission"));
  std::string text = fmt::format("{} {}. The kernel gave up{}", what, tried, reset_sent(c) ? " and sent a RST" : "");
  if (life.outcome == Outcome::user_timeout) {
    text +=
        fmt::format(" when TCP_USER_TIMEOUT ({}) was over", seconds(std::int64_t{c.cb.user_timeout_ms} * 1'000'000));
  }
  if (life.error) text += fmt::format(", and the process gets {}", error_name(*life.error));
  if (c.error != ETIMEDOUT && c.error != 0) {
    text += ", the newest error of the path, in place of ETIMEDOUT";
    if (const IcmpMessage* icmp = icmp_behind(c); icmp != nullptr)
      text += fmt::format(": an ICMP message, {}", icmp_words(c, *icmp));
  }
  return text + ".";
}

std::string unanswered_syn(const Connection& c, const RuleContext& context) {
  const std::string dropped = drop_reasons(c, context, true, tcp_flag::syn | tcp_flag::ack);
  if (!dropped.empty()) return fmt::format("The SYN-ACK did not leave this machine: {}.", dropped);
  return "A SYN came and no SYN-ACK for it was seen.";
}

std::string still_open(const Connection& c, const RuleContext& context) {
  if (c.state == State::established && c.syn && c.has_isn_local && c.has_isn_remote) {
    return "Still open: each SYN took one sequence number, so the data of both sides begins at 1; nobody has closed "
           "yet.";
  }
  if (c.state == State::close_wait && context.conversation != nullptr) {
    return fmt::format("{} has closed its side; the other side's FIN is not in the capture.",
                       c.role == Role::active ? "The server" : "One end");
  }
  if (c.state == State::close_wait) {
    return fmt::format("The peer has closed its side; {} has not closed the connection yet.", process_words(c.owner));
  }
  if (c.state == State::fin_wait2) {
    return fmt::format("{} has closed and the peer acknowledged it; the peer has not closed yet.",
                       process_words(c.owner));
  }
  if (c.state == State::unknown && c.syn && !c.syn_ack_seen) return unanswered_syn(c, context);
  if (c.state == State::unknown) return "Not ended when the run did; no transition of it was seen.";
  return fmt::format("Still in {} when the run ended.", name(c.state));
}

std::string syn_dropped(const Connection& c, const RuleContext& context) {
  const std::uint32_t syns = c.anomalies->drops.syns_in;
  return fmt::format("The listener never had {}: {}.", syns == 1 ? "the SYN" : fmt::format("any of the {} SYNs", syns),
                     drop_reasons(c, context, false, tcp_flag::syn));
}

std::string unknown(const Connection& c, const RuleContext& context, const Life& life) {
  if (ended_in_repair(c)) {
    const std::string died = how_the_process_ended(c);
    return fmt::format("{}; {}.", died.empty() ? process_words(closer_of(c)) + " closed" : died, silent_repair);
  }
  if (c.teardown && c.teardown->time_wait_full) {
    return fmt::format(
        "{} closed and the peer acknowledged it; as many connections wait in TIME_WAIT as net.ipv4.tcp_max_tw_buckets "
        "allows, so the kernel can have forgotten this one before the peer's FIN.",
        process_words(c.owner));
  }
  if (c.incomplete) return "Events were lost while it lived; what was seen does not show how it ended.";
  if (c.ended() && c.teardown->end_from == State::syn_sent && life.error) {
    return fmt::format("connect() failed with {} after {}.", error_name(*life.error), seconds(life.duration_ns));
  }
  const bool asked = c.state == State::new_syn_recv || (c.state == State::unknown && c.syn);
  if (asked && !c.syn_ack_seen) return unanswered_syn(c, context);
  if (c.state == State::new_syn_recv) return "The handshake was not finished: TCP took no ACK of its SYN-ACK.";
  if (life.error) return fmt::format("The process got {}; what was seen does not show why.", error_name(*life.error));
  return "What was seen does not show how it ended.";
}

}  // namespace

std::string explain(const Connection& c, const RuleContext& context, const Life& life) {
  switch (life.outcome) {
    case Outcome::completed:
      return completed(c);
    case Outcome::refused:
      return refused(c, context, life);
    case Outcome::connect_timeout:
      return connect_timeout(c, context, life);
    case Outcome::connect_unsent:
      return connect_unsent(c, context, life);
    case Outcome::connect_ignored:
      return connect_ignored(c, context, life);
    case Outcome::reset_by_outsider:
      return reset_by_outsider(c, life);
    case Outcome::reset_by_peer:
      return reset_by_peer(c, life);
    case Outcome::reset_by_local:
      return reset_by_local(c, context);
    case Outcome::keepalive_timeout:
      return keepalive_timeout(c, life);
    case Outcome::retransmit_timeout:
    case Outcome::user_timeout:
      return retransmit_timeout(c, life);
    case Outcome::aborted:
      return aborted(c);
    case Outcome::no_local_port:
      return no_local_port(c);
    case Outcome::unreachable:
      return unreachable(c, context, life);
    case Outcome::connect_cancelled:
      return connect_cancelled(c, context);
    case Outcome::fin_wait2_timeout:
      return fin_wait2_timeout(c);
    case Outcome::syn_dropped:
      return syn_dropped(c, context);
    case Outcome::open:
      return still_open(c, context);
    case Outcome::unknown:
      break;
  }
  return unknown(c, context, life);
}

}  // namespace tcpwitness
