// SPDX-License-Identifier: Apache-2.0
// trace_segment.cpp: a segment in the words of tcpdump and Wireshark; see trace_words.hpp.
#include <fmt/format.h>

#include <array>
#include <bit>

#include "sink/format.hpp"
#include "sink/trace_words.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t arrow_width = 15;

Colour colour_of(const Segment& segment) { return (segment.flags & tcp_flag::rst) != 0 ? Colour::bad : Colour::wire; }

// The socket just before the kernel took the segment, or the one that sent it.
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

// The options that a SYN settles; of others only those that mean something by being there.
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

}  // namespace

std::string numbered(std::string_view word, const Analysis& analysis) {
  const bool counted =
      analysis.duplicate_ack != 0 && word == analysis_word(std::countr_zero(analysis_flag::duplicate_ack));
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
    rendered.details.push_back({fmt::format("{} ({})", out ? "after" : "causes", entry.transition->id)});
  }
  rendered.states = inferred_words(entry.inferred);
  return rendered;
}

}  // namespace tcpwitness
