// SPDX-License-Identifier: Apache-2.0
// json_entries.cpp: the entries of a timeline as JSON objects.
#include <algorithm>
#include <array>
#include <type_traits>

#include "sink/error_queue.hpp"
#include "sink/format.hpp"
#include "sink/json_report_parts.hpp"

namespace tcpwitness {
namespace {

std::string_view hook_name(HookPoint hook) {
  switch (hook) {
    case HookPoint::xdp:
      return "xdp";
    case HookPoint::ingress:
      return "tc-ingress";
    case HookPoint::egress:
      return "tc-egress";
    default:
      return "unknown";
  }
}

std::string_view refused_name(Refusal refused) {
  switch (refused) {
    case Refusal::old:
      return "old";
    case Refusal::beyond_window:
      return "beyond-window";
    case Refusal::unsent_ack:
      return "unsent-ack";
    case Refusal::syn:
      return "syn";
    case Refusal::not_tcp:
      return "not-tcp";
    default:
      return "";
  }
}

std::string_view socket_name(SocketKind type) {
  switch (type) {
    case SocketKind::none:
      return "none";
    case SocketKind::full:
      return "full";
    case SocketKind::listener:
      return "listener";
    case SocketKind::request:
      return "request";
    case SocketKind::time_wait:
      return "time-wait";
    case SocketKind::control:
      return "control";
    default:
      return "unknown";
  }
}

bool has_state(SocketKind socket_type) {
  return socket_type == SocketKind::full || socket_type == SocketKind::listener || socket_type == SocketKind::request ||
         socket_type == SocketKind::time_wait;
}

std::string_view keepalive_name(KeepaliveEntry::What what) {
  switch (what) {
    case KeepaliveEntry::What::sent:
      return "sent";
    case KeepaliveEntry::What::received:
      return "received";
    case KeepaliveEntry::What::answered:
      return "answered";
    case KeepaliveEntry::What::gave_up:
      return "gave-up";
  }
  return "unknown";
}

// enum tcp_ca_state
std::string_view congestion_name(std::uint8_t state) {
  constexpr std::array<std::string_view, 5> names = {"open", "disorder", "cwr", "recovery", "loss"};
  return state < names.size() ? names[state] : "unknown";
}

// conn is null where the entry belongs to no connection.
void begin_entry(JsonWriter& json, std::string_view type, const Entry& entry) {
  begin_report(json, type, entry.ts_ns);
  json.key("conn");
  entry.conn != 0 ? json.value(entry.conn) : json.null();
  json.field("id", entry.id);
  put_flow(json, entry.flow);
  put_nat(json, entry.nat);
}

void put_cause(JsonWriter& json, const Cause& cause) {
  if (cause.kind == Cause::Kind::unknown) return;
  json.key("cause");
  json.begin_object();
  json.field("kind", name(cause.kind));
  if (cause.id != 0) {
    json.field("id", cause.id);
    json.field("delay_ns", cause.delay_ns);
  }
  json.field("what", cause.what);
  put_nonzero(json, "signal", cause.signal);
  json.end_object();
}

void put_control_block(JsonWriter& json, const ControlBlock& cb) {
  if (!was_read(cb)) return;
  json.key("tcp");
  json.begin_object();
  json.field("snd_una", cb.snd_una);
  json.field("snd_nxt", cb.snd_nxt);
  json.field("write_seq", cb.write_seq);
  json.field("rcv_nxt", cb.rcv_nxt);
  json.field("copied_seq", cb.copied_seq);
  json.field("snd_wnd_bytes", cb.snd_wnd);
  json.field("rcv_wnd_bytes", cb.rcv_wnd);
  json.field("cwnd_segments", cb.snd_cwnd);
  json.field("srtt_us", cb.srtt_us);
  json.field("rto_us", cb.rto_us);
  json.end_object();
}

void put_interface(JsonWriter& json, std::uint32_t index, const Names& names) {
  const auto found = names.interfaces.find(index);
  if (found == names.interfaces.end()) return json.field("ifname", names.interface(index));
  json.key("ifname");
  found->second.empty() ? json.null() : json.value(found->second);
}

void put_relative(JsonWriter& json, std::string_view key, bool known, std::uint32_t number) {
  json.key(key);
  known ? json.value(number) : json.null();
}

void put_inferred(JsonWriter& json, const std::vector<InferredState>& states) {
  if (states.empty()) return;
  json.key("inferred");
  json.begin_array();
  for (const InferredState& state : states) {
    json.begin_object();
    json.field("end", state.peer ? "remote" : "local");
    json.field("from", name(state.from));
    json.field("to", name(state.to));
    json.end_object();
  }
  json.end_array();
}

void put_transition(JsonWriter& json, const Transition& transition) {
  json.key("transition");
  json.begin_object();
  json.field("id", transition.id);
  json.field("from", name(transition.from));
  json.field("to", name(transition.to));
  json.field("delay_ns", transition.delay_ns);
  json.end_object();
}

// base: the sender of the data's ISN.
void put_sack(JsonWriter& json, const SackBlocks& sack, std::uint32_t base) {
  if (sack.count == 0) return;
  json.key("sack_blocks");
  json.begin_array();
  for (std::size_t i = 0; i < std::min<std::size_t>(sack.count, sack.edges.size()); ++i) {
    json.begin_array();
    for (const std::uint32_t edge : sack.edges[i]) json.value(edge - base);
    json.end_array();
  }
  json.end_array();
}

void put_options(JsonWriter& json, const Segment& segment) {
  put_nonzero(json, "mss", segment.mss);
  if (segment.has(TcpOption::window_scale)) json.field("wscale", segment.wscale);
  if (segment.has(TcpOption::timestamp)) {
    json.field("ts_val", segment.ts_val);
    json.field("ts_ecr", segment.ts_ecr);
  }
  if (segment.has(TcpOption::sack_permitted)) json.field("sack_permitted", true);
  if (segment.has(TcpOption::sack)) json.field("sack", true);
  if (segment.has(TcpOption::mptcp)) json.field("mptcp", true);
  if (segment.has(TcpOption::fast_open)) json.field("fast_open", true);
}

void put_icmp(JsonWriter& json, const IcmpMessage& icmp) {
  json.field("icmp_error", errno_name(icmp.error));
  json.field("icmp_type", icmp.type);
  json.field("icmp_code", icmp.code);
  json.field("icmp_sender", to_string(icmp.sender));
  json.field("icmp_name", name(icmp));
}

void put_entry(JsonWriter& json, const Entry& entry, const StateEntry& state) {
  begin_entry(json, "state", entry);
  json.field("from", name(state.from));
  json.field("to", name(state.to));
  if (state.inferred) json.field("inferred", true);
  put_process_if_known(json, state.process);
  put_cause(json, state.cause);
  if (state.cb) put_control_block(json, *state.cb);
}

void put_entry(JsonWriter& json, const Entry& entry, const SegmentEntry& body, const Names& names) {
  const Segment& segment = body.segment;
  begin_entry(json, "segment", entry);
  json.field("dir", segment.outgoing() ? "out" : "in");
  const bool forwarded = segment.on_a_hop();
  json.field("hook", segment.analysis.frame != 0 ? "capture" : forwarded ? "forwarded" : hook_name(segment.hook));
  put_interface(json, segment.ifindex, names);
  json.field("seq", segment.seq);
  json.field("ack", segment.ack);
  json.field("len", segment.len);
  json.field("flags", flags_text(segment.flags));
  json.field("win", segment.window);
  put_optional(json, "win_bytes", body.window_bytes);
  put_relative(json, "rel_seq", body.relative, body.rel_seq);
  put_relative(json, "rel_ack", body.relative && (segment.flags & tcp_flag::ack) != 0, body.rel_ack);
  if (has_state(segment.socket.type)) {
    json.field("kernel_state", name(segment.socket.state));
  }
  if (segment.socket.type != SocketKind::unknown) json.field("socket", socket_name(segment.socket.type));
  json.key("analysis");
  json.begin_array();
  for (const std::string_view word : body.analysis) json.value(word);
  json.end_array();
  put_nonzero(json, "duplicate_ack", segment.analysis.duplicate_ack);
  put_nonzero(json, "frame", segment.analysis.frame);
  if (const std::string_view why = refused_name(segment.refused); !why.empty()) json.field("refused", why);
  if (body.transition) put_transition(json, *body.transition);
  put_inferred(json, body.inferred);
  json.field("ttl", segment.ttl);
  put_options(json, segment);
  if (body.relative) put_sack(json, segment.sack, segment.ack - body.rel_ack);
  put_nonzero(json, "vlan", segment.vlan_id);
}

void put_entry(JsonWriter& json, const Entry& entry, const RetransmitEntry& retransmit) {
  begin_entry(json, "retransmit", entry);
  json.field("cause", name(retransmit.cause));
  put_relative(json, "rel_seq", retransmit.relative, retransmit.rel_seq);
  json.field("len", retransmit.len);
  json.field("attempt", retransmit.attempt);
  json.field("rto_us", retransmit.rto_us);
  if (retransmit.err != retransmit_error_unknown) json.field("err", retransmit.err);
  put_nonzero(json, "segment", retransmit.segment);
}

void put_entry(JsonWriter& json, const Entry& entry, const ResetEntry& reset) {
  begin_entry(json, "reset", entry);
  json.field("dir", reset.sent ? "out" : "in");
  json.field("has_socket", reset.has_socket);
  put_nonzero(json, "reason", reset.reason);
  put_nonzero(json, "meaning", meaning(reset));
  put_process_if_known(json, reset.process);
  put_nonzero(json, "segment", reset.segment);
}

void put_entry(JsonWriter& json, const Entry& entry, const ErrorEntry& error) {
  begin_entry(json, "error", entry);
  if (error.error != 0) {
    put_error(json, error.error);
    if (error.own_abort) json.field("own_abort", true);
  } else {
    json.field("errno", 0);
    json.field("icmp", static_cast<bool>(error.icmp));
    if (!error.icmp) json.field("queue", queued_notice(error.queue_origin).name);
  }
  if (error.icmp) put_icmp(json, error.icmp);
}

void put_entry(JsonWriter& json, const Entry& entry, const PortsEntry& ports) {
  begin_entry(json, "ports", entry);
  json.field("first", ports.first);
  json.field("last", ports.last);
  json.field("time_wait", ports.time_wait);
  json.field("open", ports.open);
  json.field("listening", ports.listening);
  json.key("holders");
  json.begin_array();
  for (const PortsEntry::Holder& holder : ports.holders) {
    json.begin_object();
    json.field("pid", holder.process.pid);
    json.field("comm", holder.process.comm);
    json.field("ports", holder.ports);
    json.end_object();
  }
  json.end_array();
  put_nonzero(json, "others", ports.others);
}

void put_entry(JsonWriter& json, const Entry& entry, const IcmpEntry& seen) {
  begin_entry(json, "icmp", entry);
  if (seen.sent) json.field("sent", true);
  if (seen.passed) json.field("passed", true);
  put_icmp(json, seen.icmp);
  put_relative(json, "rel_seq", seen.relative, seen.rel_seq);
  put_nonzero(json, "mtu", seen.mtu);
}

void put_entry(JsonWriter& json, const Entry& entry, const DropEntry& drop) {
  begin_entry(json, "drop", entry);
  json.field("dir", drop.out ? "out" : "in");
  json.field("reason", drop.reason);
  put_nonzero(json, "meaning", meaning(drop.kind));
  put_relative(json, "rel_seq", drop.relative, drop.rel_seq);
  put_relative(json, "rel_ack", drop.relative, drop.rel_ack);
  json.field("len", drop.len);
  json.field("flags", flags_text(drop.flags));
  put_nonzero(json, "segment", drop.segment);
}

void put_entry(JsonWriter& json, const Entry& entry, const KeepaliveEntry& keepalive) {
  begin_entry(json, "keepalive", entry);
  json.field("what", keepalive_name(keepalive.what));
  json.field("probe", keepalive.probe);
  put_nonzero(json, "probes", keepalive.probes);
  put_nonzero(json, "time_ms", keepalive.time_ms);
  put_nonzero(json, "intvl_ms", keepalive.intvl_ms);
  put_nonzero(json, "dead_at_ns", keepalive.dead_at_ns);
  put_nonzero(json, "segment", keepalive.segment);
}

void put_entry(JsonWriter& json, const Entry& entry, const ProbeEntry& probe) {
  begin_entry(json, "probe", entry);
  json.field("dir", probe.sent ? "out" : "in");
  json.field("probe", probe.probe);
  json.field("unsent_bytes", probe.unsent_bytes);
  put_nonzero(json, "segment", probe.segment);
}

void put_entry(JsonWriter& json, const Entry& entry, const SampleEntry& body) {
  const Sample& sample = body.sample;
  begin_entry(json, "sample", entry);
  json.field("state", name(sample.state));
  json.field("congestion", congestion_name(sample.ca_state));
  json.field("srtt_us", sample.srtt_us);
  json.field("rttvar_us", sample.rttvar_us);
  json.field("rto_us", sample.rto_us);
  json.field("cwnd_segments", sample.snd_cwnd);
  json.key("ssthresh_segments");
  sample.snd_ssthresh != no_ssthresh ? json.value(sample.snd_ssthresh) : json.null();
  json.field("mss", sample.mss);
  json.field("in_flight_bytes", sample.snd_nxt - sample.snd_una);
  json.field("unsent_bytes", sample.write_seq - sample.snd_nxt);
  json.field("snd_wnd_bytes", sample.snd_wnd);
  json.field("packets_out", sample.packets_out);
  json.field("retrans_out", sample.retrans_out);
  json.field("lost_out", sample.lost_out);
  json.field("sacked_out", sample.sacked_out);
  json.field("acked_bytes", sample.bytes_acked);
  json.key("delivery_rate_bytes_s");
  sample.delivery_rate != 0 ? json.value(sample.delivery_rate) : json.null();
  json.field("app_limited", sample.app_limited != 0);
}

void put_entry(JsonWriter& json, const Entry& entry, const OwnerEntry& owner) {
  begin_entry(json, "owner", entry);
  put_process(json, owner.process);
  if (owner.fd >= 0) json.field("fd", owner.fd);
}

}  // namespace

void put_entry(JsonWriter& json, const Entry& entry, const Names& names) {
  std::visit(
      [&](const auto& body) {
        if constexpr (std::is_same_v<std::decay_t<decltype(body)>, SegmentEntry>) {
          put_entry(json, entry, body, names);
        } else {
          put_entry(json, entry, body);
        }
      },
      entry.body);
}

}  // namespace tcpwitness
