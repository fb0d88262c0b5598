// SPDX-License-Identifier: Apache-2.0
// router.hpp: a router as its hooks show it, and what a run on it reports.
#pragma once

#include <cstdint>

#include "unit/run.hpp"

namespace tcpwitness::testing {

inline constexpr std::uint32_t eth0 = 2, eth1 = 3, eth2 = 4;  // the client's side, the server's side, neither

inline const Names& router_names() {
  static const Names names = [] {
    Names made = kernel_names();
    made.interfaces = {{eth0, "eth0"}, {eth1, "eth1"}, {eth2, "eth2"}};
    return made;
  }();
  return names;
}

// A router as its hooks show it. Keys are those of bpf/hop.h: local is the destination of what comes in, the source of
// what leaves.
class Router {
 public:
  Router(Stream& stream, bool nat, std::uint16_t port = 40000) : stream_(&stream) {
    put_address(near_.local_addr, "10.9.0.2");
    put_address(near_.remote_addr, "10.8.0.1");
    near_.local_port = 80;
    near_.remote_port = port;
    put_address(far_.local_addr, nat ? "10.9.0.254" : "10.8.0.1");
    put_address(far_.remote_addr, "10.9.0.2");
    far_.local_port = nat ? 51000 : port;
    far_.remote_port = 80;
  }

  struct Sent {
    std::uint8_t flags = 0;
    std::uint32_t len = 0;
    std::uint16_t event_flags = 0;
    std::uint8_t ttl = 64;
  };
  // From the client, or from the server: comes in, and leaves.
  void client(const Sent& what) { pass(true, what, true, true); }
  void server(const Sent& what) { pass(false, what, true, true); }
  // It comes in and stays here.
  EventId client_lost(const Sent& what) { return pass(true, what, true, false); }
  EventId server_lost(const Sent& what) { return pass(false, what, true, false); }
  // It leaves and came in nowhere.
  EventId made(bool to_client, const Sent& what, SocketKind socket = SocketKind::none) {
    Segment g = base(to_client ? near_ : far_, HookPoint::egress, what);
    g.ifindex = to_client ? eth0 : eth1;
    g.seq = to_client ? server_nxt_ : client_nxt_;
    g.ack = to_client ? client_nxt_ : server_nxt_;
    g.socket.type = socket;
    return stream_->add(g);
  }
  // The join, shown by a segment of the client, or of the server.
  void tie(bool of_client, std::uint32_t ack = 0) {
    Translation event{};
    event.ack = ack;
    event.header.kind = TW_KIND_NAT;
    event.header.version = TW_ABI_VERSION;
    event.tuple = of_client ? near_ : far_;
    event.wire = of_client ? far_ : near_;
    stream_->add(event);
    tied_ = true;
  }
  void untie() { tied_ = true; }
  EventId drop(std::uint32_t reason, bool of_client, std::uint8_t flags, std::uint32_t seq) {
    Drop event{};
    event.header.kind = TW_KIND_DROP;
    event.header.netns = 1;
    event.header.version = TW_ABI_VERSION;
    event.tuple = of_client ? near_ : far_;
    event.reason = reason;
    event.flags = flags;
    event.seq = seq;
    event.ifindex = of_client ? eth0 : eth1;
    return stream_->add(event);
  }
  // An ICMP error leaves for the client, about its newest SYN; came_in 0: this machine made it.
  EventId icmp(std::uint8_t type, std::uint8_t code, std::string_view sender, std::uint32_t came_in = 0,
               std::int32_t off = 0) {
    IcmpSeen event{};
    event.header.kind = TW_KIND_ICMP;
    event.header.netns = 1;
    event.header.version = TW_ABI_VERSION;
    event.tuple = near_;
    event.seq = client_nxt_ - 1 + static_cast<std::uint32_t>(off);
    put_address(event.sender, sender);
    event.type = type;
    event.code = code;
    event.sent = IcmpWay::left;
    event.came_in = came_in;
    return stream_->add(event);
  }
  // A RST in the server's name, from behind another interface than the server's.
  void reset_from(std::uint32_t ifindex) {
    Segment g = base(far_, HookPoint::ingress, {R});
    g.ifindex = ifindex;
    g.seq = server_nxt_;
    stream_->add(g);
    g = base(near_, HookPoint::egress, {R});
    g.ifindex = eth0;
    g.came_in = ifindex;
    g.seq = server_nxt_;
    stream_->add(g);
  }
  // NAT has forgotten the connection, and gives it another port with the client's next segment.
  void mapped_anew() {
    far_.local_port = 52000;
    far_wire_ = {};
    far_loss_ = {};
    tied_ = false;
  }
  // What the flow map has of one hop now.
  [[nodiscard]] SocketFound counted(bool of_client) const {
    SocketFound found{};
    found.header.kind = TW_KIND_SOCKET;
    found.header.version = TW_ABI_VERSION;
    found.tuple = of_client ? near_ : far_;
    found.has_wire = 1;
    found.wire = of_client ? near_wire_ : far_wire_;
    found.loss = of_client ? near_loss_ : far_loss_;
    return found;
  }
  // It passes and is no event.
  void server_sends_unseen(std::uint32_t len) {
    far_wire_.segs_in++;
    far_wire_.bytes_in += len;
    server_nxt_ += len;
  }
  void leaves_with_numbers_of(const Router& other) {
    client_nxt_ = other.client_nxt_;
    server_nxt_ = other.server_nxt_;
  }
  void client_leaves(const Sent& what) { pass(true, what, false, true); }
  void client_sent_unseen(const Sent& what) { client_nxt_ += seq_length(what.len, what.flags); }
  void handshake() {
    client({S});
    server({SA});
    client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  }
  void closes() {
    client({FA});
    server({FA, 0, TW_EVENT_FIN_ACK});
    client({A, 0, TW_EVENT_FIN_ACK});
  }
  [[nodiscard]] const AddressPair& near() const { return near_; }
  bool from_client_seen = true, from_server_seen = true;
  bool arrivals_seen = true;
  bool near_seen = true;  // the interface of the client's side is traced
  bool mirrored = false;  // a copy of what the client sends leaves by eth2 first
  // The SYN of a port that NAT publishes seems to be for this machine: for nobody there, or for a listener.
  std::optional<SocketKind> first_seems_for;
  std::uint16_t mss_in = 1460, mss_out = 1460;

 private:
  EventId pass(bool of_client, const Sent& what, bool in, bool out) {
    std::uint32_t& nxt = of_client ? client_nxt_ : server_nxt_;
    const std::uint32_t ack = (what.flags & tcp_flag::ack) != 0 ? (of_client ? server_nxt_ : client_nxt_) : 0;
    const bool again = (what.event_flags & TW_EVENT_RETRANSMISSION) != 0;
    const std::uint32_t length = seq_length(what.len, what.flags);
    const std::uint32_t seq = again ? nxt - length : nxt;
    EventId id = 0;
    if (!(of_client ? from_client_seen : from_server_seen)) {
      nxt = seq + length;
      return 0;
    }
    WireCounters& arrived = of_client ? near_wire_ : far_wire_;
    LossCounters& arrived_loss = of_client ? near_loss_ : far_loss_;
    if (in) {
      arrived.segs_in++;
      arrived.bytes_in += what.len;
      if (again) arrived_loss.retrans_segs_in++;
      Segment g = base(of_client ? near_ : far_, HookPoint::ingress, what);
      g.ifindex = of_client ? eth0 : eth1;
      g.seq = seq;
      g.ack = ack;
      g.mss = (what.flags & syn) != 0 ? mss_in : 0;
      g.wire = arrived;
      g.loss = arrived_loss;
      if (of_client && (what.flags & syn) != 0 && first_seems_for) {
        g.forwarding = Forwarding::none;
        g.socket.type = *std::exchange(first_seems_for, std::nullopt);
        if (g.socket.type == SocketKind::none) g.event_flags |= TW_EVENT_NO_SOCKET;
      }
      if (arrivals_seen && (near_seen || !of_client)) id = stream_->add(g);
    }
    if (out) {
      if (!tied_) tie(of_client, ack);
      WireCounters& left = of_client ? far_wire_ : near_wire_;
      left.segs_out++;
      left.bytes_out += what.len;
      Segment g = base(of_client ? far_ : near_, HookPoint::egress, what);
      g.ifindex = of_client ? eth1 : eth0;
      g.came_in = of_client ? eth0 : eth1;
      g.ttl = static_cast<std::uint8_t>(what.ttl - 1);
      g.seq = seq;
      g.ack = ack;
      g.mss = (what.flags & syn) != 0 ? mss_out : 0;
      g.wire = left;
      g.loss = of_client ? far_loss_ : near_loss_;
      if (mirrored && of_client) {
        Segment copy = g;
        copy.ifindex = eth2;
        copy.ttl = what.ttl;
        stream_->add(copy);
        g.wire.segs_out = ++left.segs_out;
        g.wire.bytes_out = left.bytes_out += what.len;
        g.loss.retrans_segs_out = far_loss_.retrans_segs_out += what.len != 0 ? 1 : 0;
        g.event_flags |= what.len != 0 ? TW_EVENT_RETRANSMISSION : 0;
      }
      if (near_seen || of_client) id = stream_->add(g);
    }
    if ((what.flags & rst) == 0) nxt = seq + length;
    return id;
  }
  [[nodiscard]] Segment base(const AddressPair& tuple, HookPoint hook, const Sent& what) const {
    Segment g{};
    g.header.kind = TW_KIND_SEGMENT;
    g.header.netns = 1;
    g.header.version = TW_ABI_VERSION;
    g.tuple = tuple;
    g.seen_at(hook);
    g.flags = what.flags;
    g.len = what.len;
    g.window = 500;
    g.segments = 1;
    g.ttl = what.ttl;
    g.forwarding = Forwarding::hop;
    g.socket.type = SocketKind::unknown;
    g.event_flags = what.event_flags;
    if ((what.flags & rst) != 0) g.event_flags |= TW_EVENT_RST;
    if ((what.flags & syn) != 0) g.event_flags |= TW_EVENT_SYN;
    if ((what.flags & fin) != 0) g.event_flags |= TW_EVENT_FIN;
    return g;
  }

  Stream* stream_;
  bool tied_ = false;
  AddressPair near_{}, far_{};
  WireCounters near_wire_{}, far_wire_{};
  LossCounters near_loss_{}, far_loss_{};
  std::uint32_t client_nxt_ = 100, server_nxt_ = 300;
};

inline RunResult reported_of(const Stream& stream, std::int64_t after_ns = 200 * ms) {
  return run(stream.events, trace_settings(), after_ns, router_names());
}

inline CorrelatorSettings router_settings() {
  CorrelatorSettings settings = trace_settings();
  settings.forwarded = true;
  return settings;
}

inline CorrelatorSettings flood_settings() {
  CorrelatorSettings settings = life_settings();
  settings.forwarded = true;
  return settings;
}

}  // namespace tcpwitness::testing
