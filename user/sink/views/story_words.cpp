// SPDX-License-Identifier: Apache-2.0
// story_words.cpp: see story_words.hpp. What each sentence is made of stands in story_states.cpp (transitions),
// story_kernel.cpp (what else the kernel did) and story_segments.cpp. Sentences have no full stop yet: another part can
// follow.
#include "sink/views/story_words.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sink/format.hpp"
#include "sink/trace_words.hpp"
#include "sink/views/story_parts.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

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
  if (wire_alone) return fmt::format("{} sent its {}", story::capital(out ? us(so_far) : them(so_far)), what);
  return out ? fmt::format("The {} was sent", what) : fmt::format("The peer's {} came in", what);
}

std::string StoryWords::moved_again(bool out, std::string_view what, const StoryState& so_far) const {
  if (wire_alone) return fmt::format("{} retransmitted its {}", story::capital(out ? us(so_far) : them(so_far)), what);
  return out ? fmt::format("The {} was retransmitted", what) : fmt::format("The peer's {} came in again", what);
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
    const bool out = segment.outgoing();
    // What came again was counted when it came first; the newest segment's own bytes are reported by its own sentence,
    // or later, but a FIN ends the data that it has with it.
    const std::uint64_t sent =
        segment.wire.bytes_out - std::min<std::uint64_t>(segment.wire.bytes_out, segment.wire.retrans_bytes_out);
    const std::uint64_t received =
        segment.wire.bytes_in - std::min<std::uint64_t>(segment.wire.bytes_in, segment.wire.retrans_bytes_in);
    const bool again = segment.is(SegmentEvent::retransmission);
    const std::uint64_t own = again || (segment.flags & tcp_flag::fin) != 0 ? 0 : segment.len;
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
  if (so_far.flow.remote.address.is_unspecified()) so_far.flow.remote = entry.flow.remote;
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

std::string summed_up(Topic topic, std::uint64_t count, std::uint64_t went_on) {
  const std::string number = grouped(count);
  switch (topic) {
    case Topic::loss:
      return fmt::format("{} more segments were retransmitted or came out of order", number);
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
    case Topic::icmp:
      return fmt::format("{} more ICMP messages came in", number);
    case Topic::none:
      break;
  }
  return fmt::format("{} more events", number);
}

}  // namespace tcpwitness
