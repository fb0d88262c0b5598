// SPDX-License-Identifier: Apache-2.0
// ending.cpp: how a connection ended, and on what evidence: the arguments of its explanation.
//
// States nothing that the outcome does not rest on. wording/ makes the sentences.
#include "tcpwitness/ending.hpp"

#include <algorithm>
#include <cerrno>

#include "facts/derived.hpp"
#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// When each repeated SYN left, counted from the first.
std::vector<std::int64_t> syn_times(const Connection& c) {
  std::vector<std::int64_t> times;
  if (!c.anomalies) return times;
  const Retransmissions& r = c.anomalies->retransmissions;
  for (std::uint32_t i = 1; i < r.syns && i < r.syn_ts_ns.size(); ++i) times.push_back(r.syn_ts_ns[i] - r.syn_ts_ns[0]);
  return times;
}

// When its error was set. A message that comes while connect() holds the socket's lock (tcp_v4_err()) sets it and ends
// nothing: the socket goes on until its process closes it.
endings::ConnectFailed connect_failed(const Connection& c, const Life& life) {
  const TimeNs begun = c.opening.by_write && c.syn ? c.syn.ts_ns : c.start_ts_ns;
  if (c.error == 0 && c.anomalies && c.teardown && icmp_behind(c) != nullptr) {
    const Mark& set = c.anomalies->icmp ? c.anomalies->icmp_mark : c.anomalies->icmp_in_mark;
    return {.after_ns = set.ts_ns - begun,
            .closed_later_ns = c.teardown->end.ts_ns - set.ts_ns,
            .by_write = c.opening.by_write};
  }
  return {.after_ns = life.duration_ns - (begun - c.start_ts_ns), .by_write = c.opening.by_write};
}

endings::Closer closer(const Connection& c) {
  endings::Closer closer{.process = closer_of(c).named()};
  if (!c.teardown) return closer;
  closer.died = actor_exiting(c.teardown->first_actor) || actor_exiting(c.teardown->end_actor);
  closer.signal = c.teardown->signal;
  return closer;
}

arguments::DropReasons reasons_on_arrival(const Connection& c, const RuleContext& context) {
  arguments::DropReasons reasons;
  for (const DropSeen& here : dropped_on_arrival(c)) reasons.push_back(drop_reason(context.names, here));
  return reasons;
}

// Of all segments that left, or came, with these flags.
arguments::DropReasons reasons_of(const Connection& c, const RuleContext& context, bool out, std::uint8_t flags) {
  arguments::DropReasons reasons;
  if (!c.anomalies) return reasons;
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    if (seen.out == out && (seen.flags & flags) == flags) reasons.push_back(drop_reason(context.names, seen));
  }
  return reasons;
}

Ending connect_timeout(const Connection& c, const RuleContext& context, const Life& life) {
  endings::ConnectTimeout found{.retransmitted = life.retransmits,
                                .retransmitted_after_ns = syn_times(c),
                                .syn_ack_seen = c.opening.answered,
                                .dropped_on_arrival = reasons_on_arrival(c, context),
                                .dropped = reasons_of(c, context, true, tcp_flag::syn),
                                .failed = connect_failed(c, life)};
  if (c.anomalies) {
    found.retransmitted = std::max(found.retransmitted, c.anomalies->retransmissions.wire_out);
    found.dropped_syns = unsent_syns(c, context);
  }
  return found;
}

Ending connect_unsent(const Connection& c, const RuleContext& context, const Life& life) {
  return endings::ConnectUnsent{.not_made = c.teardown->no_syn,
                                .syns = unsent_syns(c, context),
                                .dropped = reasons_of(c, context, true, tcp_flag::syn),
                                .failed = connect_failed(c, life)};
}

Ending connect_ignored(const Connection& c, const RuleContext& context, const Life& life) {
  const bool reset = !syn_ack_ignored(c);
  const std::uint8_t answer = reset ? tcp_flag::rst : tcp_flag::syn | tcp_flag::ack;
  return endings::ConnectIgnored{
      .reset = reset, .dropped = reasons_of(c, context, false, answer), .failed = connect_failed(c, life)};
}

Ending reset_by_outsider_found(const Connection& c) {
  const Anomalies& t = *c.anomalies;
  return endings::ResetByOutsider{
      .ttl = t.rst_in.ttl, .usual_ttl = c.from_peer.ttl, .later_ns = t.outsider.goes_on.ts_ns - t.rst_in.mark.ts_ns};
}

// What a firewall of this machine answered to what a listener was asked, or to its answer.
Ending refused_here(const Connection& c, const IcmpMessage& icmp) {
  return endings::RefusedByMessage{.syn = &icmp == &c.anomalies->icmp_sent, .icmp = icmp};
}

Ending refused(const Connection& c, const RuleContext& context, const Life& life) {
  if (const IcmpMessage* icmp = refused_by_message(c, context); icmp != nullptr) return refused_here(c, *icmp);
  using How = endings::Refused::How;
  if (life.role == Role::passive) {
    const bool firewall = refused_by_input(c, context) != nullptr;
    return endings::Refused{.how = firewall ? How::firewall_of_listener : How::by_this_machine};
  }
  endings::Refused found{.how = How::by_either, .failed = connect_failed(c, life)};
  // In SYN_SENT only tcp_reset() reports one: a RST came, whether or not packets were watched.
  const bool rst = c.anomalies && (c.anomalies->rst_in.mark || c.anomalies->reset_received.mark);
  const IcmpMessage* icmp = icmp_behind(c);
  if (rst) {
    const ResetReport& own = c.anomalies->answered_here;
    found.how = own.mark && !own.has_socket ? How::by_own_reset : How::by_reset;
  } else if (icmp != nullptr) {
    found.how = How::by_message;
    found.message = message_of(c, *icmp);
  }
  if (const DropSeen* own = refused_by_own_firewall(c, context); own != nullptr && found.how != How::by_own_reset)
    found.how = is_on_arrival(c, own) ? How::firewall_on_arrival : How::firewall_unsent;
  return found;
}

Ending completed(const Connection& c) {
  using How = endings::Completed::How;
  const Teardown& teardown = *c.teardown;
  // In LAST_ACK the peer's FIN came first, whether or not its beginning was seen.
  const ClosedBy first = closed_first(c);
  const bool local_first = first != ClosedBy::peer && teardown.end_from != State::last_ack;
  endings::Completed found{.how = How::both, .closer = closer(c)};
  if (first_fin_stands_behind(c)) {
    found.how = first == ClosedBy::local ? How::time_wait : How::peer_first;
  } else if (first == ClosedBy::both || (first == ClosedBy::peer && teardown.time_wait)) {
    found.how = How::both_at_once;  // or the peer's FIN came while this side's waited behind data
  } else if (teardown.by_reset) {
    found.how = How::answered_by_reset;
  } else if (!local_first) {
    found.how = How::peer_first;
  } else if (teardown.time_wait_full) {
    found.how = How::time_wait_full;
  } else if (teardown.mini_fin_wait2) {
    found.how = How::peer_not_seen;
  } else if (teardown.time_wait) {
    found.how = How::time_wait;
  }
  return found;
}

Ending reset_by_peer(const Connection& c, const Life& life) {
  using How = endings::ResetByPeer::How;
  const bool half_open = std::ranges::any_of(life.findings, [](const Finding& f) { return f.rule == Rule::half_open; });
  if (half_open) return endings::ResetByPeer{How::forgotten};
  if (c.teardown->end_from == State::new_syn_recv) return endings::ResetByPeer{How::in_handshake};
  if (!c.anomalies || !c.anomalies->rst_in.mark) return endings::ResetByPeer{How::taken_unseen};
  const bool broke_off = (c.anomalies->rst_in.flags & tcp_flag::ack) != 0;
  return endings::ResetByPeer{broke_off ? How::broke_off : How::reset};
}

// Its mini-socket has refused what the peer sent (tcp_timewait_state_process()), or it was not there any more.
endings::ResetByLocal reset_in_fin_wait2(const Connection& c) {
  using How = endings::ResetByLocal::How;
  const ResetReport& reported = c.anomalies->reset_sent;
  const Mark& sent = reported.mark ? reported.mark : c.anomalies->rst_out.mark;
  const bool gone = reported.mark && !reported.has_socket && orphan_removed(c, sent.ts_ns);
  return {.how = gone ? How::gone : How::data_after_close,
          .reset_after_ns = sent.ts_ns - c.teardown->first.ts_ns,
          .should_wait_ns = c.teardown->fin_timeout_ns};
}

Ending reset_by_local(const Connection& c, const RuleContext& context) {
  using How = endings::ResetByLocal::How;
  const ResetReport* sent = c.anomalies && c.anomalies->reset_sent.mark ? &c.anomalies->reset_sent : nullptr;
  if (c.teardown->end_from == State::new_syn_recv)
    return endings::ResetByLocal{.how = sent != nullptr && !sent->has_socket ? How::request_gone : How::in_handshake};
  if (context.peer != nullptr && refused_by_input(*context.peer, context) != nullptr)
    return endings::ResetByLocal{.how = How::firewall_between};
  if (reset_made_here(c)) return endings::ResetByLocal{.how = How::firewall_in_peers_name};
  if (destroyed_by_other(c)) return endings::ResetByLocal{.how = How::destroyed};
  if (c.teardown->mini_fin_wait2 && reset_sent(c)) return reset_in_fin_wait2(c);
  if (closed_with_listener(c, context))
    return endings::ResetByLocal{.how = How::listener_closed,
                                 .process = (only_closer_known(c) ? c.teardown->closer : c.owner).named(),
                                 .by_another = listener_ended_by_another(c),
                                 .of_closer = only_closer_known(c)};
  const bool seen = c.anomalies && c.anomalies->rst_out.mark;
  if (!reset_sent(c) && !seen) return endings::ResetByLocal{.how = How::not_seen};
  endings::ResetByLocal found{.how = How::sent};
  if (sent != nullptr && sent->reason != reset_reason_unknown) {
    found.reason = endings::ResetByLocal::Reason{.name = reset_reason_text(context.names, sent->reason),
                                                 .kind = reset_reason(context.names, sent->reason)};
  }
  return found;
}

Ending connect_cancelled(const Connection& c, const RuleContext& context) {
  using Answer = endings::ConnectCancelled::Answer;
  endings::ConnectCancelled found{.destroyed = c.error == ECONNABORTED,
                                  .closer = closer(c),
                                  .answer = Answer::none,
                                  .dropped_on_arrival = reasons_on_arrival(c, context)};
  if (!found.dropped_on_arrival.empty()) {
    found.answer = Answer::dropped_on_arrival;
  } else if (c.opening.answered) {
    found.answer = Answer::not_taken;
  } else if (c.anomalies && c.anomalies->drops.syn_acks_in != 0) {
    found.answer = Answer::dropped;
  } else if (reset_ignored(c, context)) {
    found.answer = Answer::reset_dropped;
  } else if (syns_never_left(c, context)) {
    found.answer = Answer::unsent;
    found.unsent_syns = unsent_syns(c, context);
    found.unsent = reasons_of(c, context, true, tcp_flag::syn);
  } else if (!c.syn && c.has_cb() && c.cb.segs_out == 0) {
    found.answer = Answer::no_syn;
  } else if (context.has_wire && given_up_unsent(c) && !c.incomplete) {
    found.answer = Answer::unseen;
  }
  return found;
}

Ending no_local_port(const Connection& c) {
  const Teardown& teardown = *c.teardown;
  return endings::NoLocalPort{
      .bound = teardown.port_bound, .first_port = teardown.first_port, .last_port = teardown.last_port};
}

Ending unreachable(const Connection& c, const RuleContext& context, const Life& life) {
  using How = endings::Unreachable::How;
  if (const IcmpMessage* own = refused_by_message(c, context); own != nullptr) return refused_here(c, *own);
  const IcmpMessage* icmp = icmp_behind(c);
  if (icmp == nullptr) return endings::Unreachable{.how = How::not_seen, .failed = connect_failed(c, life)};
  if (life.role == Role::passive)
    return endings::Unreachable{.how = How::request_ended, .message = message_of(c, *icmp)};
  return endings::Unreachable{
      .how = How::by_message, .message = message_of(c, *icmp), .failed = connect_failed(c, life)};
}

Ending fin_wait2_timeout(const Connection& c) {
  const Teardown& teardown = *c.teardown;
  endings::FinWait2Timeout found{.closer = closer_of(c).named(), .waited_ns = teardown.fin_timeout_ns};
  found.fin_dropped = static_cast<bool>(teardown.fin_dropped);
  if (teardown.mini_fin_wait2 && c.anomalies && c.anomalies->reset_sent.mark)
    found.reset_after_ns = c.anomalies->reset_sent.mark.ts_ns - teardown.first.ts_ns;
  return found;
}

Ending aborted(const Connection& c) {
  using How = endings::Aborted::How;
  How how = ended_in_repair(c) ? How::in_repair : How::reset_not_seen;
  if (reset_sent(c)) how = How::reset_sent;
  return endings::Aborted{.how = how, .closer = closer(c)};
}

Ending keepalive_timeout(const Connection& c, const RuleContext& context) {
  endings::KeepaliveTimeout found;
  if (!c.anomalies) return found;
  const KeepaliveFacts& k = c.anomalies->keepalive;
  found.probes_seen = k.sent != 0;
  found.unanswered = k.unanswered;
  found.answers_dropped = k.answers_dropped;
  found.answers_refused = k.answers_refused;
  found.time_ms = k.time_ms;
  found.interval_ms = k.intvl_ms;
  found.unsent = keepalive_unsent(c, context);
  found.reset_sent = !found.unsent && (c.anomalies->reset_sent.mark || c.anomalies->rst_out.mark);
  if (k.unanswered < k.probes) found.user_timeout_ms = c.cb.user_timeout_ms;
  return found;
}

Ending retransmit_timeout(const Connection& c) {
  using How = endings::RetransmitTimeout::How;
  // A FIN behind the data takes one sequence number and is no byte.
  const bool fin = has_fin_out(c.teardown->end_from);
  const bool probed = c.cb.snd_nxt == c.cb.snd_una;
  endings::RetransmitTimeout found{.how = How::unacknowledged,
                                   .waiting_bytes = c.cb.write_seq - c.cb.snd_una - (fin ? 1 : 0),
                                   .reset_sent = reset_sent(c),
                                   .user_timeout_ms = c.cb.user_timeout_ms,
                                   .error_of_path = c.error != ETIMEDOUT && c.error != 0};
  const Unanswered* run = c.anomalies ? &c.anomalies->retransmissions.current : nullptr;
  if (run != nullptr && !run->passed && run->seq == c.cb.snd_una) found.tries = run->tries;
  // An answer that keeps the window closed begins the kernel's count anew. The newest probe's may be on its way.
  const How closed = c.cb.icsk_probes_out > 1 ? How::window_silent : How::window_closed;
  if (syn_ack_outstanding(c)) {
    constexpr auto kind = static_cast<std::size_t>(RetransmitKind::syn_ack);
    found.how = How::syn_ack;
    found.tries = c.anomalies ? c.anomalies->retransmissions.by_kind[kind] : 0;
  } else if (c.teardown->end_shown && c.teardown->end_from == TcpState::syn_recv) {
    found.how = How::syn_ack;  // both have connected
  } else if (probed) {
    found.how = c.cb.snd_wnd == 0 ? closed : How::never_left;
  }
  if (const IcmpMessage* icmp = icmp_behind(c); found.error_of_path && icmp != nullptr)
    found.message = message_of(c, *icmp);
  return found;
}

Ending unanswered_syn(const Connection& c, const RuleContext& context) {
  endings::UnansweredSyn found{.dropped = reasons_of(c, context, true, tcp_flag::syn | tcp_flag::ack)};
  const bool listened = context.has_kernel && c.role == Role::passive && c.owner.source == PidSource::listen;
  const bool had_room = !c.anomalies || (c.anomalies->queues.newest_full == FullQueue::none &&
                                         c.anomalies->queues.accept_full.total == 0 &&
                                         c.anomalies->queues.syn_full.total == 0 && c.anomalies->drops.used == 0);
  if (listened && had_room) found.with_room = c.wire.segs_in;
  return found;
}

Ending still_open(const Connection& c, const RuleContext& context) {
  using How = endings::StillOpen::How;
  endings::StillOpen found{.how = How::in_state, .state = c.state, .process = c.owner.named()};
  if (c.state == State::established && c.syn && c.isn.has_local && c.isn.has_remote) {
    found.how = How::established;
  } else if (c.state == State::close_wait) {
    found.how = context.conversation != nullptr ? How::half_closed_in_capture : How::close_wait;
  } else if (c.state == State::fin_wait2 && !(c.teardown && c.teardown->fin_dropped)) {
    const bool both = c.teardown && c.teardown->fin_in.sent;
    found.how = context.conversation == nullptr ? How::fin_wait2
                : both                          ? How::last_ack_not_in_capture
                                                : How::half_closed_in_capture;
  } else if (c.state == State::unknown) {
    if (c.syn && !c.opening.answered) return unanswered_syn(c, context);
    found.how = How::no_transition;
  }
  return found;
}

Ending syn_dropped(const Connection& c, const RuleContext& context) {
  return endings::SynDropped{.syns = c.anomalies->drops.syns_in,
                             .dropped = reasons_of(c, context, false, tcp_flag::syn)};
}

// tcp_disconnect() behind both FINs sends no RST, unless this side's has not left yet: then reset_sent().
bool gave_fin_up(const Connection& c) {
  if (!c.ended() || !c.teardown->end_shown || !c.has_cb() || c.error != 0 || reset_sent(c)) return false;
  const State from = c.teardown->end_from;
  const bool both = from == State::last_ack || from == State::closing;
  return both && actor_owned(c.teardown->end_actor) && c.cb.snd_una != c.cb.write_seq;
}

Ending unknown(const Connection& c, const RuleContext& context, const Life& life) {
  using How = endings::Unknown::How;
  if (ended_in_repair(c)) return endings::Unknown{.how = How::in_repair, .closer = closer(c)};
  if (c.teardown && c.teardown->time_wait_full)
    return endings::Unknown{.how = How::time_wait_full, .process = c.owner.named()};
  const bool only_asked = c.state == State::syn_sent && !c.ended();  // there was nothing to close yet
  if (captured_one_way(context) && !only_asked) return endings::Unknown{.how = How::one_way};
  if (c.incomplete) return endings::Unknown{.how = How::events_lost};
  if (gave_fin_up(c)) return endings::Unknown{.how = How::fin_given_up, .closer = closer(c)};
  if (waits_unseen(c)) return endings::Unknown{.how = How::fin_wait2, .process = closer_of(c).named()};
  if (c.ended() && c.teardown->end_from == State::syn_sent && life.error)
    return endings::Unknown{.how = How::connect_failed, .failed = connect_failed(c, life)};
  const bool asked = c.state == State::new_syn_recv || (c.state == State::unknown && c.syn);
  if (asked && !c.opening.answered) return unanswered_syn(c, context);
  const bool only_cookie = c.anomalies && c.anomalies->queues.cookie && !c.opening.established;
  const bool met_full_queue = acks_dropped(c, context).count != 0;
  if (c.state == State::new_syn_recv || only_cookie)
    return endings::Unknown{.how = met_full_queue ? How::accept_queue_full : How::handshake};
  return endings::Unknown{.how = life.error ? How::error : How::nothing};
}

}  // namespace

Ending judge_ending(const Connection& c, const RuleContext& context, const Life& life) {
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
      return reset_by_outsider_found(c);
    case Outcome::reset_by_peer:
      return reset_by_peer(c, life);
    case Outcome::reset_by_local:
      return reset_by_local(c, context);
    case Outcome::keepalive_timeout:
      return keepalive_timeout(c, context);
    case Outcome::retransmit_timeout:
    case Outcome::user_timeout:
      return retransmit_timeout(c);
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
