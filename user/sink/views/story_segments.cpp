// SPDX-License-Identifier: Apache-2.0
// story_segments.cpp: the sentences of segments, as they crossed the wire.
#include <fmt/format.h>

#include <utility>

#include "sink/format.hpp"
#include "sink/trace_words.hpp"
#include "sink/views/story_parts.hpp"
#include "sink/views/story_words.hpp"
#include "values/handshake_segments.hpp"
#include "values/words.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

bool has(const Segment& segment, std::uint8_t flag) { return (segment.flags & flag) != 0; }
bool is_out(const Segment& segment) { return segment.outgoing(); }

// Its transition, which is the next entry, has the sentence.
void defer(const Entry& entry, const Segment& segment, StoryState& so_far) {
  so_far.deferred = entry.id;
  so_far.deferred_ns = entry.ts_ns;
  so_far.deferred_ttl = segment.ttl;
  so_far.deferred_flags = segment.flags;
  if (has(segment, tcp_flag::fin) && so_far.fin_in_ns == 0) so_far.fin_in_ns = entry.ts_ns;
  if (is_syn(segment) && so_far.syn_ns == 0) so_far.syn_ns = entry.ts_ns;
  if (is_syn_ack(segment)) so_far.note_syn_ack(entry.ts_ns, is_out(segment), segment.seq);
}

}  // namespace

Phrase StoryWords::phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  so_far.seen[out ? 0 : 1] = true;
  if (segment.is(SegmentEvent::bad_header)) {
    return {
        .text = fmt::format("A segment of {} has a header that contradicts its frame", out ? us(so_far) : them(so_far)),
        .topic = Topic::loss};
  }
  // The last FIN is acknowledged before its transition is known, so it is reported at once.
  const bool leads = !out && body.transition && body.transition->id != 0 &&
                     !(body.transition->to == State::time_wait && has(segment, tcp_flag::fin));
  if (leads) {
    defer(entry, segment, so_far);
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
  if (segment.is(SegmentEvent::handshake_ack) && (so_far.about == About::established || so_far.about == About::syn_ack))
    return handshake_ack_phrase(entry, out, so_far);
  if (segment.is(SegmentEvent::keepalive) || segment.is(SegmentEvent::window_probe))
    return {};  // its own entry shows it
  if (segment.is(SegmentEvent::retransmission)) return again_phrase(entry, body, so_far);
  if (segment.is(SegmentEvent::zero_window) || segment.is(SegmentEvent::window_open))
    return window_phrase(entry, body, so_far);
  if (segment.is(SegmentEvent::keepalive_ack)) {
    // What the peer answers is reported by its own entry.
    if (!out || so_far.about != About::keepalive) return {};
    return {.text = fmt::format("; {} answered{}", us(so_far), story::since(so_far.probe_ns, entry.ts_ns, "it")),
            .goes_on = true,
            .topic = Topic::keepalive};
  }
  if (segment.is(SegmentEvent::fin_ack)) return fin_ack_phrase(entry, out, so_far);
  return misplaced_phrase(segment, so_far);
}

Phrase StoryWords::handshake_ack_phrase(const Entry& entry, bool out, const StoryState& so_far) const {
  const std::string later = story::later(so_far.sentence_ns, entry.ts_ns);
  if (wire_alone) {
    const std::string took =
        so_far.syn_ns != 0 && so_far.syn_ns <= entry.ts_ns
            ? fmt::format(": the handshake took {}", duration_in_words(entry.ts_ns - so_far.syn_ns))
            : "";
    return {.text = fmt::format("; {} acknowledged it{}{}", out ? us(so_far) : them(so_far), later, took),
            .goes_on = true,
            .about = About::established};
  }
  return {.text = fmt::format("; {}{}", out ? "its ACK was sent" : "the peer's ACK came in", later),
          .goes_on = true,
          .about = About::established};
}

Phrase StoryWords::fin_ack_phrase(const Entry& entry, bool out, const StoryState& so_far) const {
  const TimeNs fin = out ? so_far.fin_in_ns : so_far.fin_out_ns;
  const bool joins = out ? so_far.about == About::fin_in : so_far.about == About::closing;
  const std::string subject = out ? us(so_far) : them(so_far);
  if (joins)
    return {.text = fmt::format("; {} acknowledged it{}", subject, story::later(so_far.sentence_ns, entry.ts_ns)),
            .goes_on = true,
            .about = out ? About::fin_acked : About::nothing};
  if (fin == 0) return {.text = fmt::format("{} acknowledged the FIN", story::capital(subject))};
  return {.text = fmt::format("{} acknowledged {}'s FIN{}", story::capital(subject), out ? them(so_far) : us(so_far),
                              story::since(fin, entry.ts_ns, "it"))};
}

// Of no socket, out of order, or the first of a connection that is older.
Phrase StoryWords::misplaced_phrase(const Segment& segment, StoryState& so_far) const {
  const bool out = is_out(segment);
  if (segment.is(SegmentEvent::no_socket) && !segment.is(SegmentEvent::out_of_order)) {
    if (out) return {};
    return {.text = fmt::format("{} sent {}, and no socket here matches it", story::capital(them(so_far)),
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
        moved_again(out, "SYN", so_far) + story::since(so_far.syn_ns, entry.ts_ns, "the first one");
    if (so_far.syn_ns == 0) so_far.syn_ns = entry.ts_ns;
    return {.text = text, .about = out ? About::again : About::syn_in};
  }
  so_far.syn_ns = entry.ts_ns;
  const bool by_write = out && segment.len != 0;  // Fast Open: connect() sent none
  const bool goes_on = out && so_far.about == About::connecting && !by_write;
  std::string text =
      (goes_on ? "; its SYN was sent" : moved(out, "SYN", so_far)) + through(segment.ifindex, out, so_far);
  if (by_write) text += fmt::format(" by the first write, with {} of it", counted(segment.len, "byte"));
  if (segment.mss != 0) text += fmt::format(" (MSS {}, window {})", segment.mss, segment.window);
  if (segment.socket.type == SocketKind::listener && segment.socket.ack_backlog != 0) {
    text += fmt::format("; in the listener's accept queue {} wait{}, its limit is {}", segment.socket.ack_backlog,
                        segment.socket.ack_backlog == 1 ? "s" : "", segment.socket.max_ack_backlog);
  }
  return {.text = text, .goes_on = goes_on, .about = out ? About::syn_out : About::syn_in};
}

Phrase StoryWords::syn_ack_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  if (so_far.role == Role::unknown) so_far.role = out ? Role::passive : Role::active;
  // Two hosts that have one address, or somebody who answers in the server's name.
  if (so_far.is_other_syn_ack(out, segment.seq)) {
    return {.text = fmt::format("Another SYN-ACK {}, with another initial number{}",
                                wire_alone ? "was sent"
                                : out      ? "left"
                                           : "came in from the peer's address",
                                story::since(so_far.syn_ns, entry.ts_ns, "the SYN")),
            .about = About::syn_ack};
  }
  if (segment.is(SegmentEvent::retransmission)) {
    so_far.again = entry.id;
    return {
        .text = moved_again(out, "SYN-ACK", so_far) + story::since(so_far.syn_ack_ns, entry.ts_ns, "the one before"),
        .about = out ? About::again : About::syn_ack};
  }
  const std::string_view again = so_far.syn_ack_ns != 0 ? " again" : "";
  so_far.note_syn_ack(entry.ts_ns, is_out(segment), segment.seq);
  const std::string place = through(segment.ifindex, out, so_far);
  // Nobody waits for hours: the SYN has the time of another clock.
  constexpr TimeNs waited_for_ns = 3'600'000'000'000;
  const bool one_clock = entry.ts_ns - so_far.syn_ns <= waited_for_ns;
  const std::string since = one_clock ? story::since(so_far.syn_ns, entry.ts_ns, "the SYN") : "";
  if (again.empty() && out && !wire_alone && so_far.about == About::syn_in)
    return {.text = fmt::format("; the SYN-ACK was sent{}{}", place, since), .goes_on = true, .about = About::syn_ack};
  return {.text = fmt::format("{}{}{}{}", moved(out, "SYN-ACK", so_far), again, place, since), .about = About::syn_ack};
}

Phrase StoryWords::rst_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  // The kernel's word of it came before it, and is not that of another RST.
  if (out && so_far.about == About::reset && !so_far.rst_sent) {
    so_far.rst_sent = true;
    return {.text = fmt::format("; the RST was sent {} later", duration_in_words(entry.ts_ns - so_far.sentence_ns)),
            .goes_on = true,
            .about = About::reset};
  }
  std::string text =
      moved(out, "RST", so_far) + through(segment.ifindex, out, so_far) + fmt::format(" (TTL {})", segment.ttl);
  so_far.rst_sent = out;
  if (!out && segment.is(SegmentEvent::no_socket)) text += "; no socket here matches it any more";
  return {.text = text, .about = out ? About::reset : About::nothing};
}

Phrase StoryWords::fin_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  if (segment.is(SegmentEvent::retransmission)) {
    so_far.again = entry.id;
    return {.text = moved_again(out, "FIN", so_far) +
                    story::since(out ? so_far.fin_out_ns : so_far.fin_in_ns, entry.ts_ns, "the first one"),
            .topic = Topic::loss,
            .about = out ? About::again : About::nothing};
  }
  const TimeNs other_ns = out ? so_far.fin_in_ns : so_far.fin_out_ns;
  const bool first = other_ns == 0;
  if (first) so_far.first_fin_end = segment.seq + seq_length(segment.len, segment.flags);
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
  // Where something of the other side is not captured, it can have closed before.
  const bool hidden = first && segment.analysis.covers_unseen;
  const bool known = wire_alone && so_far.seen[0] && so_far.seen[1] && !hidden;
  constexpr TimeNs apart_ns = 1'000'000'000;  // as in closed_first()
  const bool crossed =
      has(segment, tcp_flag::ack) && seq_before(segment.ack, so_far.first_fin_end) && entry.ts_ns - other_ns < apart_ns;
  const std::string order = !known    ? ""
                            : first   ? ": it closes first"
                            : crossed ? ": the two crossed, and both have closed"
                                      : ": both have closed";
  return {.text = moved(out, "FIN", so_far) + order + also, .about = out ? About::closing : About::fin_in};
}

Phrase StoryWords::again_phrase(const Entry& entry, const SegmentEntry& body, StoryState& so_far) const {
  const Segment& segment = body.segment;
  const bool out = is_out(segment);
  so_far.again = entry.id;
  std::string kind;
  for (const std::string_view word : body.analysis) {
    const bool kinds = word == "fast retransmission" || word == "spurious retransmission" ||
                       (word == "out-of-order" && !segment.analysis.repeated);
    if (kinds && (wire_alone || !out)) kind += fmt::format("{}{}", kind.empty() ? " (" : ", ", word);
  }
  if (!kind.empty()) kind += ')';
  const std::string what = segment.len != 0 ? story::bytes_from(segment.len, body.rel_seq, body.relative) : "a segment";
  std::string text =
      wire_alone ? fmt::format("{} retransmitted {}{}", story::capital(out ? us(so_far) : them(so_far)), what, kind)
      : out      ? fmt::format("{} {} retransmitted", story::capital(what),
                          segment.len == 1 || segment.len == 0 ? "was" : "were")
                 : fmt::format("{} of the peer came again{}", story::capital(what), kind);
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
    return {.text = fmt::format("{} closed its window: {} has not read what came", story::capital(side), reader),
            .topic = Topic::window};
  }
  if (closed == 0) return {};
  const std::string room =
      body.window_bytes ? fmt::format(" with room for {}", bytes_in_words(*body.window_bytes)) : "";
  std::string text = fmt::format("{} opened its window again{}, closed for {}", story::capital(side), room,
                                 duration_in_words(entry.ts_ns - std::exchange(closed, 0)));
  return {.text = std::move(text), .topic = Topic::window};
}

}  // namespace tcpwitness
