// SPDX-License-Identifier: Apache-2.0
// segment_entries.cpp: a segment's entry, and for what it waits: the transition that it causes, the kernel's word why
// it was sent again, or what shows whose it is.
#include "correlate/segment_entries.hpp"

#include <memory>

#include "correlate/cause.hpp"
#include "correlate/notes.hpp"
#include "facts/derived.hpp"
#include "values/handshake_segments.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint16_t unreadable = bits(SegmentEvent::bad_header, SegmentEvent::fragment);

// Among what can have led to a transition. True: it can by what it is.
bool note_candidate(Connection& c, const Event& e, const Segment& g, bool out) {
  if (!c.recent) c.recent = std::make_unique<Recent>();
  constexpr std::uint16_t leads =
      bits(SegmentEvent::syn, SegmentEvent::fin, SegmentEvent::rst, SegmentEvent::handshake_ack, SegmentEvent::fin_ack);
  constexpr std::uint8_t control_bits = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst;
  const bool notable = (g.event_flags & leads) != 0 || (g.flags & control_bits) != 0;
  if (!refused_by_socket(g) && (notable || g.socket.type == SocketKind::request)) {
    c.recent->push(
        Candidate{e.id, e.ts_ns, g.seq, g.seq + seq_length(g.len, g.flags), g.ack, g.flags, g.socket.type, out});
  }
  return notable;
}

}  // namespace

std::optional<Analysis> SegmentEntries::analyse(Connection* c, const Event& e, const Segment& g, bool out) const {
  if (settings_.capture) return g.analysis;
  if (!settings_.every_segment || c == nullptr || c->reported || (g.event_flags & unreadable) != 0) return std::nullopt;
  if (g.duplicate != 0) return std::nullopt;
  if (!c->recent) c->recent = std::make_unique<Recent>();
  std::unique_ptr<WireAnalysis>& analyser = c->recent->analysis;
  if (!analyser) analyser = std::make_unique<WireAnalysis>();
  Analysis analysis = analyser->observe(seen_segment(e.ts_ns, g), out ? 0 : 1);
  if (is_syn(g) && c->opening.port_reused && !c->opening.answered) analysis.flags |= analysis_flag::reused_ports;
  return analysis;
}

SegmentEntry SegmentEntries::entry_of(Connection* c, const Event& e, const Segment& g, bool out) {
  SegmentEntry body;
  body.segment = g;
  const bool knows_local = c != nullptr && c->isn.has_local;
  const bool knows_remote = c != nullptr && c->isn.has_remote;
  const bool knows_sender = out ? knows_local : knows_remote;
  const bool knows_other = out ? knows_remote : knows_local;
  body.rel_seq = g.seq;
  body.rel_ack = g.ack;
  if (c != nullptr && knows_sender) body.rel_seq = g.seq - (out ? c->isn.local : c->isn.remote);
  const bool has_ack = has_flag(g, tcp_flag::ack);
  if (c != nullptr && knows_other && has_ack) body.rel_ack = g.ack - (out ? c->isn.remote : c->isn.local);
  if (is_syn(g)) body.rel_seq = 0;
  // The RST that refuses a SYN has sequence number 0: its sender has no ISN.
  body.relative = (knows_sender || is_syn(g) || g.seq == 0) && (knows_other || !has_ack);
  if (!body.relative) {
    body.rel_seq = g.seq;
    body.rel_ack = g.ack;
  }
  const std::optional<Analysis> analysis = analyse(c, e, g, out);
  if (analysis) body.segment.analysis = *analysis;
  body.analysis = analysis_words(c, body.segment, out, analysis.has_value(), e.ts_ns);
  if (c != nullptr && c->forwarded() && g.socket.type != SocketKind::unknown)
    body.analysis.push_back("made by this machine");
  if (c != nullptr) {
    if (const std::int64_t bytes = c->window_bytes(g, out); bytes >= 0) {
      body.window_bytes = static_cast<std::uint32_t>(bytes);
    }
  }
  return body;
}

// Nothing has shown whose it is.
bool SegmentEntries::waits(const Connection* c, const Segment& g, bool out) const {
  const bool unknown = c == nullptr && settings_.has_kernel;
  // It may have the addresses that NAT is about to give back: then its SYN-ACK shows whose it is. Or NAT sends it on.
  if ((unknown || (settings_.forwarded && c != nullptr && !c->forwarded() && only_syn_seen(*c))) && !out && is_syn(g))
    return true;
  // A proxy on this machine can take it after all (REDIRECT, TPROXY): then its SYN-ACK shows it.
  return c != nullptr && c->forwarded() && !c->forwarded()->left && is_syn(g);
}

void SegmentEntries::report(Connection* c, const Event& e, const Segment& g, const Flow& flow, bool out) {
  if (!settings_.timeline) {
    if (settings_.states && c != nullptr && !c->reported && contexts_.kernel_judges(*c)) note_candidate(*c, e, g, out);
    return;
  }
  SegmentEntry body = entry_of(c, e, g, out);
  if (c == nullptr && !out && g.is(SegmentEvent::no_socket) && !settings_.forwarded) {
    // TCP answers what has no socket by a RST, or drops it. What neither happens to, NAT has sent on.
    timeline_.push_doubtful(Emitter::entry_of(c, e, flow, std::move(body)), now_ + settings_.hold_ns);
    return;
  }
  if (waits(c, g, out)) {
    timeline_.push_held(Emitter::entry_of(c, e, flow, std::move(body)), now_ + settings_.hold_ns);
    return;
  }
  if (c == nullptr || c->reported || !contexts_.kernel_judges(*c)) {
    emitter_.entry(c, e, flow, std::move(body));
    return;
  }
  const bool notable = note_candidate(*c, e, g, out);
  if (out) {
    if (const RecentTransition* sender = notable ? find_sender(*c->recent, g.flags, g.event_flags) : nullptr) {
      const std::int64_t delay = e.ts_ns > sender->ts_ns ? e.ts_ns - sender->ts_ns : 0;
      body.transition = Transition{sender->id, sender->from, sender->to, delay};
    }
    const bool again = g.is(SegmentEvent::retransmission) && !g.is(SegmentEvent::keepalive);
    if (again && (g.socket.type == SocketKind::full || g.socket.type == SocketKind::request)) {
      timeline_.push_held(Emitter::entry_of(c, e, flow, std::move(body)), now_ + settings_.hold_ns);
    } else {
      emitter_.entry(c, e, flow, std::move(body));
    }
    return;
  }
  const bool may_lead = notable && !refused_by_socket(g) && !c->ended() && g.socket.type != SocketKind::none;
  const bool mini_fin = g.socket.type == SocketKind::time_wait && has_flag(g, tcp_flag::fin);
  if (may_lead || mini_fin) {
    timeline_.push_held(Emitter::entry_of(c, e, flow, std::move(body)), now_ + settings_.hold_ns);
  } else {
    emitter_.entry(c, e, flow, std::move(body));
  }
}

}  // namespace tcpwitness
