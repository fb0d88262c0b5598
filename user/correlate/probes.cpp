// SPDX-License-Identifier: Apache-2.0
// probes.cpp: keep-alives, zero-window probes and closed windows.
//
// A keep-alive and a zero-window probe are the same segment. Only the sending kernel has the difference: with
// nothing queued (write_seq == snd_nxt) it is a keep-alive. A process leaving TCP_REPAIR sends one too;
// then the socket is owned and it is neither. Without the kernel's view the last window decides.
#include "correlate/notes.hpp"
#include "facts/derived.hpp"

namespace tcpwitness {
namespace {

enum class Probe : std::uint8_t { none, keepalive, zero_window };

// The receiver had opened its window again, but that need not have arrived: a sender that still sees it closed probes
// at intervals that at most double.
bool may_see_it_closed(const ZeroWindowFacts& window, TimeNs now) {
  constexpr std::int64_t slack_ns = 1'000'000'000;
  return !window.since && window.total_ns != 0 && now - window.evidence.last_ns <= window.total_ns + slack_ns;
}

// How the sender of a probe may see the window that it asks about.
bool seems_closed(const Connection& c, bool local, TimeNs now) {
  if ((local ? c.last_window_local : c.last_window_peer) == 0) return true;
  return c.anomalies && may_see_it_closed(local ? c.anomalies->local_window : c.anomalies->peer_window, now);
}

Probe classify(const Connection& c, const Segment& g, bool out, TimeNs now) {
  if (g.is(SegmentEvent::window_probe)) return Probe::zero_window;
  if (!g.is(SegmentEvent::keepalive)) return Probe::none;
  // This kernel sends empty ones: payload is a retransmission. (Other stacks of a capture repeat a byte.)
  if (out && g.len != 0 && g.socket.type == SocketKind::full) return Probe::none;
  if (!out || g.socket.type != SocketKind::full)
    return seems_closed(c, !out, now) ? Probe::zero_window : Probe::keepalive;
  if ((g.socket.flags & bits(SocketFlag::locked, SocketFlag::repair)) != 0) return Probe::none;
  return g.socket.write_seq == g.socket.snd_nxt ? Probe::keepalive : Probe::zero_window;
}

// Those that the receiver (local: this side) has not answered yet.
void take_for_window_probes(Connection& c, bool local) {
  KeepaliveFacts& k = c.anomalies->keepalive;
  std::uint32_t& waiting = local ? k.unreplied : k.unanswered;
  (local ? k.received : k.sent) -= waiting;
  (local ? c.anomalies->local_window : c.anomalies->peer_window).probes += waiting;
  waiting = 0;
  if (local) return;
  k.run.clear();
  k.dead_at_ns = 0;
}

// The analysis bit by bit. by_kernel: the sending kernel's own view came with the segment; it has why it
// probes and why it sends again.
void say_analysis(std::vector<std::string_view>& words, const Segment& g, Probe probe, bool by_kernel) {
  constexpr std::uint32_t probes = analysis_flag::keep_alive | analysis_flag::zero_window_probe;
  std::uint32_t flags = g.analysis.flags;
  if (by_kernel) {
    flags &= ~(probes | analysis_flag::fast_retransmission);
    if (probe == Probe::keepalive) flags |= analysis_flag::keep_alive;
    if (probe == Probe::zero_window) flags |= analysis_flag::zero_window_probe;
  }
  for (unsigned bit = 0; bit < analysis_flag::count; ++bit) {
    if ((flags & (1U << bit)) != 0) words.push_back(analysis_word(bit));
  }
}

void say_rest(std::vector<std::string_view>& words, const Segment& g) {
  if (g.is(SegmentEvent::no_socket)) words.emplace_back("no socket");
  if (g.is(SegmentEvent::fragment)) words.emplace_back("fragment");
  if (g.is(SegmentEvent::bad_header)) words.emplace_back("bad header");
  if (g.duplicate != 0 || g.analysis.duplicate_frame) words.emplace_back("duplicate packet");
  // A refused one is not analysed; one that is doubted is, for it may be behind a hole.
  const bool doubted = (g.analysis.flags & ~analysis_flag::reused_ports) != 0;
  if (g.analysis.refused) words.emplace_back(doubted ? "not taken yet" : "refused by its receiver");
  if (g.analysis.resumed) words.emplace_back("the RST was not taken");
  if (g.refused == Refusal::beyond_window) words.emplace_back("out of window");
  if (g.refused == Refusal::unsent_ack)
    words.emplace_back((g.flags & tcp_flag::ack) != 0 ? "acknowledges unsent data" : "no ACK");
  if (g.refused == Refusal::syn) words.emplace_back("SYN for an open connection");
  if (g.refused == Refusal::not_tcp) words.emplace_back("not sent by TCP");
}

// What TCP has not sent yet; a FIN behind it takes a number and is no byte.
std::uint32_t unsent(const SocketView& socket) {
  const std::uint32_t numbers = socket.write_seq - socket.snd_nxt;
  return has_fin_out(socket.state) && numbers != 0 ? numbers - 1 : numbers;
}

// Payload went into a closed window, so it had been opened, and the segment that did is not in the capture: the window
// was closed as far as the last one that closed it.
void end_unseen(ZeroWindowFacts& window, const Event& payload) {
  if (!window.since) return;
  window.since_before = window.since;
  window.total_before = window.total_ns;
  window.total_ns += window.closed_ts_ns > window.since.ts_ns ? window.closed_ts_ns - window.since.ts_ns : 0;
  window.since = {};
  window.evidence.add(payload.id, payload.ts_ns);
}

// It was not opened after all: that payload was not taken.
void go_on(ZeroWindowFacts& window) {
  if (window.since || !window.since_before) return;
  window.since = window.since_before;
  window.total_ns = window.total_before;
}

// Sent into the window that the other side closed.
void note_window_probe(Emitter& emitter, Connection& c, const Event& e, const Segment& g, bool out) {
  const bool by_kernel = out && g.socket.type == SocketKind::full;
  ZeroWindowFacts& window = out ? c.ensure_anomalies().peer_window : c.ensure_anomalies().local_window;
  ++window.probes;
  window.evidence.add(e.id, e.ts_ns);
  window.by_kernel = window.by_kernel || by_kernel;
  ProbeEntry body{out, window.probes, 0, e.id};
  if (by_kernel) {
    window.unsent_bytes = unsent(g.socket);
    body.unsent_bytes = window.unsent_bytes;
  }
  emitter.entry(&c, e, c.flow, body);
}

void note_keepalive_in(Emitter& emitter, Connection& c, const Event& e, const Segment& g) {
  KeepaliveFacts& k = c.ensure_anomalies().keepalive;
  ++k.received;
  ++k.unreplied;
  if (g.len != 0) ++k.garbage;
  k.evidence.add(e.id, e.ts_ns);
  emitter.entry(&c, e, c.flow, KeepaliveEntry{KeepaliveEntry::What::received, k.received, 0, 0, 0, 0, e.id});
}

// Before the next probe counts. Behind an answer that it takes the kernel counts its probes anew: where it goes on
// counting it did not take this one, whether it reports that or not. Unless the record of a probe between the two was
// lost: this is the second one then, and comes after the whole silence and an interval.
void settle_answer(KeepaliveFacts& k, const Event& e, const Segment& g) {
  if (!k.last_answer || k.unanswered != 0) return;
  const bool counts_on = g.socket.type == SocketKind::full && g.socket.icsk_probes_out != 0;
  const std::int64_t second_ns = (std::int64_t{k.time_ms} + k.intvl_ms) * 1'000'000;
  if (counts_on && e.ts_ns - k.last_answer.ts_ns < second_ns) {
    take_back_answer(k);
    ++k.answers_refused;
  } else {
    k.answers_dropped = k.answers_refused = 0;
  }
}

void note_keepalive_out(Emitter& emitter, Connection& c, const Event& e, const Segment& g) {
  const bool by_kernel = g.socket.type == SocketKind::full;
  KeepaliveFacts& k = c.ensure_anomalies().keepalive;
  settle_answer(k, e, g);
  ++k.sent;
  ++k.unanswered;
  k.evidence.add(e.id, e.ts_ns);
  k.run.add(e.id);
  k.last_sent = {e.id, e.ts_ns};
  k.ifindex = g.ifindex;
  k.by_kernel = k.by_kernel || by_kernel;
  if (by_kernel && g.socket.keepalive_probes != 0) {
    k.probes = g.socket.keepalive_probes;
    k.time_ms = g.socket.keepalive_time_ms;
    k.intvl_ms = g.socket.keepalive_intvl_ms;
    // icsk_probes_out rises after the send; the kernel's count is right even if we missed a probe.
    k.unanswered = g.socket.icsk_probes_out + 1U;
    // One interval after the last allowed probe the kernel gives up; TCP_USER_TIMEOUT would change that.
    const std::uint32_t left = k.probes >= k.unanswered ? k.probes - k.unanswered + 1 : 1;
    const bool predictable = !c.has_cb() || c.cb.user_timeout_ms == 0;
    k.dead_at_ns = predictable ? e.ts_ns + static_cast<TimeNs>(left) * k.intvl_ms * 1'000'000 : 0;
  }
  emitter.entry(
      &c, e, c.flow,
      KeepaliveEntry{KeepaliveEntry::What::sent, k.unanswered, k.probes, k.time_ms, k.intvl_ms, k.dead_at_ns, e.id});
}

// In a capture: the empty ACK of what was sent behind the probe. Its sender lives, and may never have got the probe.
bool answers_something_else(const Segment& g) {
  namespace is = analysis_flag;
  constexpr std::uint32_t answers = is::keep_alive_ack | is::zero_window_probe_ack | is::window_update;
  return g.analysis.frame != 0 && g.len == 0 && (g.analysis.flags & answers) == 0;
}

void note_keepalive_answer(Emitter& emitter, Connection& c, const Event& e, const Segment& g, bool out) {
  if (!g.is(SegmentEvent::keepalive_ack) || !c.anomalies) return;
  if ((g.flags & tcp_flag::rst) != 0) return;  // an answer, but not of one who lives
  KeepaliveFacts& k = c.anomalies->keepalive;
  // The answer shows that its sender's window is closed: whoever saw no window before took the probe for a keep-alive.
  if (g.window == 0 && (out ? k.unreplied != 0 : k.unanswered != 0 && !k.by_kernel)) {
    take_for_window_probes(c, out);
    return;
  }
  if (out) {
    k.unreplied = 0;
    if (k.replied < k.received && !answers_something_else(g)) {
      ++k.replied;
      k.evidence.add(e.id, e.ts_ns);
    }
    return;
  }
  if (k.unanswered == 0) return;
  if (answers_something_else(g)) {
    k.unanswered = 0;
    k.run.clear();
    return;
  }
  const std::uint32_t probe_number = k.unanswered;
  k.last_answer = {e.id, e.ts_ns};
  k.answer_seq = g.seq;
  k.answer_ack = g.ack;
  k.unanswered_before = k.unanswered;
  k.run_before = k.run.total;
  ++k.answered;
  k.unanswered = 0;
  k.run.clear();
  k.dead_at_ns = 0;
  k.evidence.add(e.id, e.ts_ns);
  emitter.entry(&c, e, c.flow,
                KeepaliveEntry{KeepaliveEntry::What::answered, probe_number, k.probes, k.time_ms, k.intvl_ms, 0, e.id});
}

}  // namespace

void take_back_answer(KeepaliveFacts& k) {
  k.last_answer = {};
  --k.answered;
  k.unanswered = k.unanswered_before;
  k.run.total = k.run_before;
}

void note_given_up(Connection& c, const ControlBlock& cb) {
  if (!c.anomalies) return;
  KeepaliveFacts& k = c.anomalies->keepalive;
  if (!k.last_answer || k.unanswered != 0 || cb.icsk_probes_out == 0) return;
  take_back_answer(k);
  ++k.answers_refused;
}

void note_refused_answer(Connection& c, const Segment& g, bool out) {
  constexpr std::uint8_t looked_at = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst | tcp_flag::ack;
  if (out || g.refused == Refusal::none || g.len != 0 || (g.flags & looked_at) != tcp_flag::ack) return;
  if (g.is(SegmentEvent::keepalive) || !c.anomalies) return;  // the peer's own probe
  KeepaliveFacts& k = c.anomalies->keepalive;
  if (k.unanswered == 0 || k.refused_probe == k.last_sent.id) return;
  k.refused_probe = k.last_sent.id;
  ++k.answers_refused;
}

std::vector<std::string_view> analysis_words(const Connection* c, const Segment& g, bool out, bool analysed,
                                             TimeNs now) {
  std::vector<std::string_view> words;
  const Probe probe = c != nullptr ? classify(*c, g, out, now) : Probe::none;
  if (analysed) {
    say_analysis(words, g, probe, out && g.socket.type == SocketKind::full);
    say_rest(words, g);
    return words;
  }
  if (probe == Probe::keepalive) words.emplace_back("keep-alive");
  if (probe == Probe::zero_window) words.emplace_back("zero-window probe");
  if (g.is(SegmentEvent::retransmission) && probe == Probe::none) words.emplace_back("retransmission");
  if (g.is(SegmentEvent::out_of_order) && (g.flags & tcp_flag::rst) == 0)
    words.emplace_back(g.reordered != 0 ? "out-of-order" : "previous segment not captured");
  if (g.is(SegmentEvent::keepalive_ack) && (g.flags & tcp_flag::rst) == 0) {
    const bool window = c != nullptr && (out ? c->last_window_local : c->last_window_peer) == 0;
    words.emplace_back(window ? "zero-window probe ACK" : "keep-alive ACK");
  }
  if (g.is(SegmentEvent::zero_window)) words.emplace_back("zero window");
  if (g.is(SegmentEvent::window_open)) words.emplace_back("window update");
  say_rest(words, g);
  return words;
}

void note_probe(Emitter& emitter, Connection& c, const Event& e, const Segment& g, bool out) {
  switch (classify(c, g, out, e.ts_ns)) {
    case Probe::zero_window:
      return note_window_probe(emitter, c, e, g, out);
    case Probe::keepalive:
      return out ? note_keepalive_out(emitter, c, e, g) : note_keepalive_in(emitter, c, e, g);
    case Probe::none:
      return note_keepalive_answer(emitter, c, e, g, out);
  }
}

void note_windows(Connection& c, const Event& e, const Segment& g, bool out) {
  constexpr std::uint8_t both = tcp_flag::syn | tcp_flag::ack;
  const bool syn_ack = (g.flags & both) == both && g.window == 0;
  if ((g.flags & (tcp_flag::rst | tcp_flag::syn)) != 0 && !syn_ack) return;  // their window shows nothing of a reader
  if (g.refused != Refusal::none) return;
  (out ? c.last_window_local : c.last_window_peer) = g.window;
  // A firewall that answers in the server's place (SYNPROXY) lets nothing in before the server does: what is asked for
  // by a probe has a closed window, and nothing before it.
  if (syn_ack) return;
  if (g.analysis.shows_window && c.anomalies)
    end_unseen((out ? c.anomalies->peer_window : c.anomalies->local_window), e);
  // Behind the FIN that it acknowledges nothing can come: no window is missed.
  const bool heard_all = c.teardown && (out ? c.teardown->fin_in : c.teardown->fin_out).acked;
  const bool closes = g.is(SegmentEvent::zero_window) && !heard_all;
  // A capture's analysis has seen every segment, and not each opens what it seems to.
  const bool opens = heard_all || (g.analysis.frame != 0 ? g.is(SegmentEvent::window_open) : g.window != 0);
  if (!closes && !c.anomalies) return;
  if (!closes && !opens) return;
  ZeroWindowFacts& window = out ? c.ensure_anomalies().local_window : c.ensure_anomalies().peer_window;
  if (g.analysis.denies_window) go_on(window);
  if (closes) window.closed_ts_ns = e.ts_ns;
  if (closes && !window.since) {
    window.since = {e.id, e.ts_ns};
    ++window.periods;
    window.evidence.add(e.id, e.ts_ns);
  } else if (opens && window.since) {
    window.total_ns += e.ts_ns > window.since.ts_ns ? e.ts_ns - window.since.ts_ns : 0;
    window.since = {};
    window.evidence.add(e.id, e.ts_ns);
  }
}

}  // namespace tcpwitness
