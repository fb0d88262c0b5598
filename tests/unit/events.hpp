// SPDX-License-Identifier: Apache-2.0
// events.hpp: event streams for tests, written as a story: who calls, what goes out, what comes in.
//
// A Side is one socket's view. It keeps sequence numbers and counters as the kernel does (a SYN and a
// FIN take one, an active opener's bytes_acked counts its SYN), so a test has only what happens and the
// records agree with each other. Overrides come as small functions on the record.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tcpwitness/address.hpp"
#include "tcpwitness/event_abi.h"
#include "tcpwitness/pipeline.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness::testing {

using namespace tcpwitness::tcp_flag;
using State = TcpState;

inline constexpr std::int64_t us = 1'000;
inline constexpr std::int64_t ms = 1'000'000;
inline constexpr std::int64_t s = 1'000'000'000;
// TCP's flags as everybody writes them.
// NOLINTNEXTLINE(readability-identifier-naming)
inline constexpr std::uint8_t S = syn, SA = syn | ack, A = ack, FA = fin | ack, R = rst, RA = rst | ack, PA = psh | ack;

struct Caller {
  std::uint32_t pid = 0;
  std::string_view comm;
  int killed_by = -1;  // >= 0: exiting, with this signal (0: exit())
};
inline constexpr Caller nobody{};
inline constexpr Caller curl{42, "curl"};
inline constexpr Caller nginx{80, "nginx"};
inline constexpr Caller worker{81, "nginx-worker"};

inline void put_address(std::uint8_t (&bytes)[16], std::string_view text) {
  const auto prefix = parse_prefix(text);
  std::memcpy(bytes, prefix->address.bytes.data(), 16);
}

// The events so far and the clock.
struct Stream {
  std::vector<Event> events;
  TimeNs now = 1'000 * s;

  Stream& wait(std::int64_t ns) {
    now += ns;
    return *this;
  }
  template <typename Body>
  EventId add(const Body& body) {
    const EventId id = events.size() + 1;
    events.push_back(Event{id, now, body});
    now += 10 * us;
    return id;
  }
  EventId gap(std::uint64_t lost = 1) { return add(Gap{lost, 0, now - ms, now}); }
};

class Side {
 public:
  Side(Stream& stream, std::uint64_t cookie, std::string_view local, std::uint16_t local_port, std::string_view remote,
       std::uint16_t remote_port, std::uint32_t isn, std::uint32_t peer_isn, bool active)
      : stream_(&stream), cookie_(cookie), isn_(isn), peer_isn_(peer_isn), active_(active) {
    put_address(tuple_.local_addr, local);
    put_address(tuple_.remote_addr, remote);
    tuple_.local_port = local_port;
    tuple_.remote_port = remote_port;
    snd_una = snd_nxt = write_seq = isn;
    rcv_nxt = copied_seq = peer_nxt = peer_isn;
  }

  // The numbers of the control block; tests may move them.
  std::uint32_t snd_una, snd_nxt, write_seq, rcv_nxt, copied_seq;
  std::uint32_t peer_nxt;           // what the peer sends next
  std::uint32_t acked_by_peer = 0;  // override of the next incoming ack; 0: everything sent
  State state = State::close;
  SocketKind view = SocketKind::full;
  std::uint32_t late_in = 0, stalls = 0, stall_ms = 0, copies_in = 0;  // of the flow map's totals
  FlowTimes times{};     // in the socket's last record, and where it is found
  ControlBlock extra{};  // copied into every control block: sk_err, flags, timers...

  using EditState = std::function<void(StateChange&)>;
  using EditSegment = std::function<void(Segment&)>;

  // A state event; `by` holds the socket.
  EventId to(State next, Caller by = nobody, const EditState& edit = {}) {
    StateChange event{};
    event.header = header(TW_KIND_STATE);
    event.tuple = tuple_;
    if (next == State::syn_sent) event.tuple.local_port = 0;
    event.old_state = state;
    event.new_state = next;
    event.cb = block(next);
    if (by.pid != 0) {
      event.actor = actor(by);
      event.actor.flags |= TW_ACTOR_OWNED;
      event.cb.flags |= TW_CB_OWNED;
      event.cb.details |= TW_CB_RELEASED;  // it calls close(), where it closes
    }
    if (edit) edit(event);
    state = next;
    return stream_->add(event);
  }

  EventId out(std::uint8_t flags, std::uint32_t len = 0, std::uint16_t event_flags = 0, const EditSegment& edit = {}) {
    Segment segment = base(HookPoint::egress, flags, len, event_flags);
    segment.seq = snd_nxt;
    segment.ack = (flags & ack) != 0 ? rcv_nxt : 0;
    if (edit) edit(segment);
    if (segment.seq == snd_nxt && (flags & rst) == 0) {
      snd_nxt += seq_length(len, flags);
      if (seq_before(write_seq, snd_nxt)) write_seq = snd_nxt;
      bytes_out_ += len;
    } else if ((event_flags & TW_EVENT_RETRANSMISSION) != 0) {
      bytes_out_ += len;
      again_out_ += len;
      again_segments_out_ += segment.segments;
    }
    segments_out_ += segment.segments;
    segment.wire = counted();
    segment.loss = lost();
    return stream_->add(segment);
  }

  EventId in(std::uint8_t flags, std::uint32_t len = 0, std::uint16_t event_flags = 0, const EditSegment& edit = {}) {
    Segment segment = base(HookPoint::xdp, flags, len, event_flags);
    segment.seq = peer_nxt;
    segment.ack = (flags & ack) != 0 ? (acked_by_peer != 0 ? acked_by_peer : snd_nxt) : 0;
    if (edit) edit(segment);
    acked_by_peer = 0;
    if ((flags & rst) == 0) {
      peer_nxt = segment.seq + seq_length(len, flags);
      bytes_in_ += len;
      if ((event_flags & TW_EVENT_RETRANSMISSION) != 0) {
        again_in_ += len;
        again_segments_in_ += segment.segments;
      }
    }
    segments_in_ += segment.segments;
    segment.wire = counted();
    segment.loss = lost();
    const EventId id = stream_->add(segment);
    if ((flags & rst) == 0) take(segment.ack, (flags & ack) != 0, (flags & fin) != 0);
    return id;
  }

  EventId kernel_reset(ResetDirection direction, std::uint32_t reason, Caller by = nobody, bool answers = false) {
    Reset event{};
    event.header = header(TW_KIND_RESET);
    event.tuple = tuple_;
    event.cb = block(state);
    event.reason = reason;
    event.direction = direction;
    event.has_socket = 1;
    event.answers_segment = answers ? 1 : 0;
    if (by.pid != 0) {
      event.actor = actor(by);
      event.actor.flags |= TW_ACTOR_OWNED;
    }
    return stream_->add(event);
  }

  // What it answers with a RST of these addresses found no socket.
  EventId kernel_reset_without_socket(std::uint32_t reason, const std::function<void(Reset&)>& edit = {}) {
    Reset event{};
    event.header = header(TW_KIND_RESET);
    event.header.cookie = 0;
    event.tuple = tuple_;
    event.reason = reason;
    event.direction = ResetDirection::sent;
    event.answers_segment = 1;
    if (edit) edit(event);
    return stream_->add(event);
  }

  EventId error(int number) {
    SocketError event{};
    event.header = header(TW_KIND_ERROR);
    event.tuple = tuple_;
    event.cb = block(state);
    event.cb.sk_err = static_cast<std::uint16_t>(number);
    return stream_->add(event);
  }

  // An ICMP message of type 3 is the newest on the error queue (origin 2), or something else is.
  EventId queued(std::uint8_t origin, int icmp_error = 0, std::uint8_t code = 0, std::string_view sender = "0.0.0.0") {
    SocketError event{};
    event.header = header(TW_KIND_ERROR);
    event.tuple = tuple_;
    event.cb = block(state);
    event.queue_origin = origin;
    event.icmp_errno = static_cast<std::uint16_t>(icmp_error);
    event.icmp_type = icmp_error != 0 ? 3 : 0;
    event.icmp_code = code;
    put_address(event.icmp_sender, sender);
    return stream_->add(event);
  }

  // An ICMP error came in that quotes a segment of this side.
  EventId icmp(std::uint8_t type, std::uint8_t code, std::string_view sender, std::uint32_t seq, bool v6 = false) {
    IcmpSeen event{};
    event.header = header(TW_KIND_ICMP);
    event.header.cookie = 0;
    event.tuple = tuple_;
    event.seq = seq;
    event.type = type;
    event.code = code;
    event.v6 = v6 ? 1 : 0;
    put_address(event.sender, sender);
    return stream_->add(event);
  }

  // This machine sends one about a segment that came in.
  EventId icmp_sent(std::uint8_t code, std::uint32_t seq) {
    IcmpSeen event{};
    event.header = header(TW_KIND_ICMP);
    event.header.cookie = 0;
    event.tuple = tuple_;
    event.seq = seq;
    event.type = 3;
    event.code = code;
    event.sent = IcmpWay::sent;
    return stream_->add(event);
  }

  // All sockets have been looked at, and those that exist were found before.
  EventId looked() {
    SocketFound event{};
    event.header = header(TW_KIND_SOCKET);
    event.header.cookie = 0;
    event.type = SocketKind::none;
    return stream_->add(event);
  }

  EventId destroy() {
    SocketDestroyed event{};
    event.header = header(TW_KIND_DESTROY);
    event.tuple = tuple_;
    event.cb = block(state);
    event.has_wire = segments_in_ + segments_out_ != 0 ? 1 : 0;
    event.wire = counted();
    event.loss = lost();
    event.times = times;
    return stream_->add(event);
  }

  // The kernel throws a segment away: one that came in, or one that was to leave.
  EventId drop(std::uint32_t reason, bool out, std::uint8_t flags, std::uint32_t len = 0) {
    Drop event{};
    event.header = header(TW_KIND_DROP);
    event.tuple = tuple_;
    event.reason = reason;
    event.flags = flags;
    event.len = len;
    event.ttl = 64;
    event.seq = out ? ((flags & syn) != 0 ? isn_ : snd_nxt) : peer_nxt - seq_length(len, flags);
    event.ack = out ? rcv_nxt : snd_nxt;
    event.outgoing = out ? 1 : 0;
    event.has_socket = event.outgoing;
    event.state = state;
    if (!out) event.header.cookie = 0;
    return stream_->add(event);
  }

  // A segment that came in was not taken: the socket is as before, and the peer's next one is this one again.
  void refuses(const Side& before) {
    snd_una = before.snd_una;
    rcv_nxt = before.rcv_nxt;
    copied_seq = before.copied_seq;
    peer_nxt = before.peer_nxt;
    fin_taken_ = before.fin_taken_;
  }

  EventId used(Caller by, OwnerSource source, std::uint32_t waited_ms = 0, std::int32_t fd = -1) {
    OwnerSeen event{};
    event.header = header(TW_KIND_OWNER);
    event.tuple = tuple_;
    event.actor = actor(by);
    event.source = source;
    event.waited_ms = waited_ms;
    event.fd = fd;
    return stream_->add(event);
  }

  EventId retransmit(std::uint8_t ca_state, std::uint8_t pending, std::uint8_t retransmits,
                     const std::function<void(Retransmit&)>& edit = {}) {
    Retransmit event{};
    event.header = header(TW_KIND_RETRANSMIT);
    event.tuple = tuple_;
    event.cb = block(state);
    event.cb.ca_state = ca_state;
    event.cb.icsk_pending = pending;
    event.cb.icsk_retransmits = retransmits;
    event.cb.total_retrans = ++extra.total_retrans;
    event.seq = snd_una;
    event.end_seq = snd_nxt;
    event.err = TW_RETRANSMIT_ERR_UNKNOWN;
    event.segments = 1;
    if (edit) edit(event);
    return stream_->add(event);
  }

  // iter/tcp found it at start.
  EventId found(SocketKind type, State in_state) {
    SocketFound event{};
    event.header = header(TW_KIND_SOCKET);
    event.tuple = tuple_;
    event.type = type;
    state = in_state;
    event.cb = block(in_state);
    event.has_wire = segments_in_ + segments_out_ != 0 ? 1 : 0;
    event.wire = counted();
    event.loss = lost();
    event.times = times;
    return stream_->add(event);
  }

  [[nodiscard]] ControlBlock block(State of) const {
    ControlBlock cb = extra;
    cb.flags = static_cast<std::uint8_t>(cb.flags | TW_CB_PRESENT | (fin_taken_ ? TW_CB_DONE : 0));
    cb.snd_una = snd_una;
    cb.snd_nxt = snd_nxt;
    cb.write_seq = write_seq;
    cb.rcv_nxt = rcv_nxt;
    cb.copied_seq = unread_ == 0 ? rcv_nxt : rcv_nxt - unread_;
    cb.bytes_acked = snd_una - (active_ ? isn_ : isn_ + 1);
    if (snd_una == isn_) cb.bytes_acked = 0;
    cb.bytes_received = rcv_nxt == peer_isn_ ? 0 : rcv_nxt - (peer_isn_ + 1);
    cb.state = of;
    return cb;
  }
  void set_scope(std::uint32_t ifindex) { tuple_.scope = ifindex; }
  void leave_unread(std::uint32_t bytes) { unread_ = bytes; }
  [[nodiscard]] Stream& stream() const { return *stream_; }
  [[nodiscard]] const AddressPair& tuple() const { return tuple_; }
  [[nodiscard]] std::uint32_t isn() const { return isn_; }
  [[nodiscard]] std::uint32_t peer_isn() const { return peer_isn_; }
  [[nodiscard]] RecordHeader header(std::uint8_t kind) const {
    RecordHeader header{};
    header.ts_ns = static_cast<std::uint64_t>(stream_->now);
    header.cookie = cookie_;
    header.netns = 4026531840U;
    header.kind = kind;
    header.version = TW_ABI_VERSION;
    return header;
  }
  static Actor actor(Caller by) {
    Actor actor{};
    actor.tgid = by.pid;
    std::memcpy(actor.comm, by.comm.data(), by.comm.size() < TW_COMM_LEN ? by.comm.size() : TW_COMM_LEN - 1);
    actor.flags = TW_ACTOR_PRESENT;
    if (by.killed_by >= 0) {
      actor.flags |= TW_ACTOR_EXITING;
      actor.exit_code = static_cast<std::uint32_t>(by.killed_by);
    }
    return actor;
  }

  // The flow map's totals.
  [[nodiscard]] WireCounters counted() const {
    return {bytes_in_, bytes_out_, segments_in_, segments_out_, again_in_, again_out_};
  }
  [[nodiscard]] LossCounters lost() const {
    return {again_segments_in_, again_segments_out_, late_in, 0, stalls, stall_ms, copies_in, copies_in};
  }

 private:
  // What the kernel does with a segment after the hook saw it.
  void take(std::uint32_t acked, bool has_ack, bool has_fin) {
    rcv_nxt = peer_nxt;
    if (has_ack && seq_before(snd_una, acked)) snd_una = acked;
    if (has_fin) fin_taken_ = true;
  }
  [[nodiscard]] Segment base(HookPoint hook, std::uint8_t flags, std::uint32_t len, std::uint16_t event_flags) const {
    Segment segment{};
    segment.header = header(TW_KIND_SEGMENT);
    segment.tuple = tuple_;
    segment.seen_at(hook);
    segment.flags = flags;
    segment.len = len;
    segment.window = 500;
    segment.segments = 1;
    segment.ttl = 64;
    segment.ifindex = 2;
    if ((flags & rst) != 0) {
      event_flags |= TW_EVENT_RST;
    } else {
      if ((flags & syn) != 0) event_flags |= TW_EVENT_SYN;
      if ((flags & fin) != 0) event_flags |= TW_EVENT_FIN;
    }
    segment.event_flags = event_flags;
    segment.socket.type = view;
    segment.socket.state = state;
    segment.socket.snd_una = snd_una;
    segment.socket.snd_nxt = snd_nxt;
    segment.socket.write_seq = write_seq;
    segment.socket.rcv_nxt = rcv_nxt;
    segment.socket.keepalive_probes = extra.keepalive_probes;
    segment.socket.keepalive_time_ms = extra.keepalive_time_ms;
    segment.socket.keepalive_intvl_ms = extra.keepalive_intvl_ms;
    segment.socket.icsk_probes_out = extra.icsk_probes_out;
    if (view == SocketKind::none || view == SocketKind::listener || view == SocketKind::control)
      segment.header.cookie = 0;
    return segment;
  }

  Stream* stream_;
  std::uint64_t cookie_;
  AddressPair tuple_{};
  std::uint32_t isn_;
  std::uint32_t peer_isn_;
  bool active_;
  bool fin_taken_ = false;
  std::uint32_t unread_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::uint32_t again_in_ = 0;
  std::uint32_t again_out_ = 0;
  std::uint32_t again_segments_in_ = 0;
  std::uint32_t again_segments_out_ = 0;
  std::uint32_t segments_in_ = 0;
  std::uint32_t segments_out_ = 0;
};

inline Side client_of(Stream& stream, std::uint64_t cookie = 7) {
  return {stream, cookie, "10.0.0.1", 40000, "10.0.0.2", 80, 100, 300, true};
}
inline Side server_of(Stream& stream, std::uint64_t cookie = 9) {
  return {stream, cookie, "10.0.0.2", 80, "10.0.0.1", 40000, 300, 100, false};
}

// nginx listens on port 80.
inline void listens(Stream& stream, Caller by = nginx, std::uint64_t cookie = 3) {
  Side listener(stream, cookie, "0.0.0.0", 80, "0.0.0.0", 0, 0, 0, false);
  listener.to(State::listen, by);
}

// What a client's host receives of a handshake.
inline void connects(Side& c, Caller by = curl) {
  c.to(State::syn_sent, by);
  c.out(S);
  c.in(SA);
  c.to(State::established);
  c.out(A, 0, TW_EVENT_HANDSHAKE_ACK);
}

// What a server's host receives of one until its SYN-ACK.
inline void is_asked(Side& c) {
  c.view = SocketKind::listener;
  c.in(S);
  c.view = SocketKind::request;
  c.state = State::new_syn_recv;
  c.out(SA);
}

// And the whole of it.
inline void accepts(Side& c) {
  is_asked(c);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.to(State::established);
}

// This side closes first, the peer second; ends in TIME_WAIT.
inline void closes_first(Side& c, Caller by) {
  c.to(State::fin_wait1, by);
  c.out(FA);
  c.in(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::fin_wait2);
  c.in(FA);
  c.out(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::close);
  c.destroy();
}

// The peer closes first, this side second.
inline void closes_second(Side& c, Caller by) {
  c.in(FA);
  c.to(State::close_wait);
  c.out(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::last_ack, by);
  c.out(FA);
  c.in(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::close);
  c.destroy();
}

}  // namespace tcpwitness::testing
