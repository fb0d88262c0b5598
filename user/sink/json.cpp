// SPDX-License-Identifier: Apache-2.0
// json.cpp: every report as one JSON object on one line. The field names are a contract (docs/events.md).
//
// Every object begins with type and ts_ns, then conn, id, local and remote where they belong. What is not
// known is null where a reader would look for it, and absent where it does not apply. Addresses of one
// connection are cheap (no allocation for IPv4): a life costs well under a microsecond.
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "judge/catalogue.hpp"
#include "sink/format.hpp"
#include "sink/json_parts.hpp"
#include "sink/json_report.hpp"
#include "sink/sinks.hpp"
#include "sink/story.hpp"
#include "sink/wall_times.hpp"
#include "tcpwitness/gap.hpp"

namespace tcpwitness {
namespace {

constexpr int schema_version = 1;  // docs/schema

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

// A digest is counted as the events it stands for.
constexpr std::array<std::pair<EventKind, std::string_view>, event_kind_count - 2> kinds{{
    {EventKind::state, "state"},
    {EventKind::segment, "segment"},
    {EventKind::retransmit, "retransmit"},
    {EventKind::reset, "reset"},
    {EventKind::error, "error"},
    {EventKind::destroy, "destroy"},
    {EventKind::owner, "owner"},
    {EventKind::socket, "socket"},
    {EventKind::drop, "drop"},
    {EventKind::ports, "ports"},
    {EventKind::translation, "translation"},
    {EventKind::icmp, "icmp"},
    {EventKind::sample, "sample"},
}};

class JsonSink final : public Sink {
 public:
  JsonSink(Output& output, const Names& names, std::unique_ptr<Stories> stories = nullptr)
      : output_(output), names_(names), stories_(std::move(stories)) {}

  void write(const Report& report) override {
    if (stories_) {
      if (const auto* entry = std::get_if<Entry>(&report)) return stories_->take(*entry);
      if (const auto* gap = std::get_if<GapReport>(&report)) stories_->take(gap->gap);
    }
    if (std::holds_alternative<Interim>(report)) return;  // who asks for them has an own form
    const auto* life = std::get_if<Life>(&report);
    if (stories_ && life != nullptr) sentences_ = stories_->end(*life);
    if (!names_.wall.was_set()) return write_line(report);
    Report shown = report;
    show_wall_times(shown, names_.wall);
    write_line(shown);
  }
  bool flush() override { return output_.flush(); }

  void append(Buffer& out, const Report& report) {
    if (std::holds_alternative<Interim>(report)) return;
    Report shown = report;
    show_wall_times(shown, names_.wall);
    JsonWriter json(out);
    json.begin_object();
    std::visit([&](const auto& body) { put(json, body); }, shown);
    json.end_object();
  }

 private:
  void write_line(const Report& report) {
    write_json_line(output_, [&](JsonWriter& json) { std::visit([&](const auto& body) { put(json, body); }, report); });
  }
  static void begin(JsonWriter& json, std::string_view type, TimeNs ts_ns) {
    json.plain_field("type", type);
    json.field("ts_ns", ts_ns);
  }
  static void put_nat(JsonWriter& json, const std::optional<Flow>& nat) {
    if (!nat) return;
    json.key("nat");
    json.begin_object();
    put_flow(json, *nat);
    json.end_object();
  }
  // Always the same three fields: null is "not known", and pid_source says so too.
  static void put_process(JsonWriter& json, const Process& process) {
    json.key("pid");
    process.pid != 0 ? json.value(process.pid) : json.null();
    json.key("comm");
    process.comm.empty() ? json.null() : json.value(process.comm);
    json.field("pid_source", name(process.source));
  }
  static void put_process_if_known(JsonWriter& json, const Process& process) {
    if (process.pid != 0) put_process(json, process);
  }
  static void put_error(JsonWriter& json, int error) {
    json.field("errno", error);
    json.field("error", errno_name(error));
  }
  template <typename T>
  static void put_nonzero(JsonWriter& json, std::string_view key, const T& content) {
    if (content != T{}) json.field(key, content);
  }
  template <typename T>
  static void put_optional(JsonWriter& json, std::string_view key, const std::optional<T>& content) {
    if (content) json.field(key, *content);
  }

  static void put_missing(JsonWriter& json, const std::vector<Hook>& missing) {
    if (missing.empty()) return;
    json.key("missing");
    json.begin_array();
    for (const Hook& witness : missing) {
      json.begin_object();
      json.field("witness", witness.name);
      json.field("why", witness.why);
      json.end_object();
    }
    json.end_array();
  }

  static void put(JsonWriter& /*json*/, const Interim& /*interim*/) {}

  static void put(JsonWriter& json, const Ready& ready) {
    begin(json, "ready", ready.ts_ns);
    json.field("schema", schema_version);
    json.field("version", ready.version);
    json.key("kernel");
    ready.kernel.empty() ? json.null() : json.value(ready.kernel);
    json.key("hooks");
    json.begin_array();
    for (const Hook& hook : ready.hooks) {
      json.begin_object();
      json.field("name", hook.name);
      json.field("target", hook.target);
      json.field("mode", hook.mode);
      put_nonzero(json, "why", hook.why);
      json.end_object();
    }
    json.end_array();
    if (!ready.capture) {
      json.field("ring_bytes", ready.ring_bytes);
      return;
    }
    json.key("capture");
    json.begin_object();
    json.field("path", ready.capture->path);
    json.field("format", ready.capture->format);
    json.key("interfaces");
    json.begin_array();
    for (const CaptureSource::Interface& interface : ready.capture->interfaces) {
      json.begin_object();
      json.key("name");
      interface.name.empty() ? json.null() : json.value(interface.name);
      json.field("link_type", interface.link_type);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }

  void put(JsonWriter& json, const Life& life) {
    begin(json, "life", life.ts_ns);
    json.field("conn", life.conn);
    put_flow(json, life.flow);
    put_nat(json, life.nat);
    json.field("start_ts_ns", life.start_ts_ns);
    json.plain_field("role", name(life.role));
    put_process(json, life.process);
    json.key("netns");
    life.netns != 0 ? json.value(life.netns) : json.null();
    json.plain_field("outcome", name(life.outcome));
    json.plain_field("meaning", outcome_catalogue()[static_cast<std::size_t>(life.outcome)].meaning);
    if (life.error) put_error(json, *life.error);
    json.plain_field("closed_by", name(life.closed_by));
    json.field("duration_ns", life.duration_ns);
    put_optional(json, "handshake_ns", life.handshake_ns);
    json.field("tx_bytes", life.tx_bytes);
    json.field("rx_bytes", life.rx_bytes);
    json.field("retransmits", life.retransmits);
    put_optional(json, "retransmits_in", life.retransmits_in);
    put_nonzero(json, "duplicates_in", life.duplicates_in);
    put_optional(json, "out_of_order_in", life.out_of_order_in);
    put_optional(json, "out_of_order_out", life.out_of_order_out);
    put_optional(json, "srtt_us", life.srtt_us);
    put_phases(json, life.phases);
    json.key("states");
    json.begin_array();
    for (const TcpState state : life.states) json.plain(name(state));
    json.end_array();
    if (!life.peer_states.empty()) {
      json.key("peer_states");
      json.begin_array();
      for (const TcpState state : life.peer_states) json.plain(name(state));
      json.end_array();
    }
    put_findings(json, life.findings);
    put_peer(json, life.peer);
    put_witnesses(json, life);
    if (life.forwarded) put_forwarded(json, *life.forwarded);
    if (life.conversation) put_conversation(json, *life.conversation);
    put_nonzero(json, "zeek_state", life.zeek_state);
    json.field("preexisting", life.preexisting);
    json.field("incomplete", life.incomplete);
    put_nonzero(json, "explanation", life.explanation);
    if (stories_) put_story(json, sentences_);
  }
  static void put_phases(JsonWriter& json, const Phases& phases) {
    const std::array<std::pair<std::string_view, const std::optional<std::int64_t>*>, 12> all{
        {{"connect_ns", &phases.connect},
         {"synack_ack_ns", &phases.synack_ack},
         {"accept_ns", &phases.accept},
         {"request_ns", &phases.request},
         {"request_ack_ns", &phases.request_ack},
         {"first_byte_ns", &phases.first_byte},
         {"server_ns", &phases.server},
         {"waiting_ns", &phases.waiting},
         {"transfer_ns", &phases.transfer},
         {"stalled_ns", &phases.stalled},
         {"idle_ns", &phases.idle},
         {"closing_ns", &phases.closing}}};
    if (std::ranges::none_of(all, [](const auto& phase) { return phase.second->has_value(); })) return;
    json.key("phases");
    json.begin_object();
    for (const auto& [key, phase] : all) put_optional(json, key, *phase);
    json.end_object();
  }
  static void put_story(JsonWriter& json, const std::vector<Sentence>& sentences) {
    json.key("story");
    json.begin_array();
    for (const Sentence& sentence : sentences) {
      json.begin_object();
      json.field("offset_ns", sentence.offset_ns);
      json.field("text", sentence.text + '.');
      put_nonzero(json, "id", sentence.id);
      json.end_object();
    }
    json.end_array();
  }
  static void put_forwarded(JsonWriter& json, const Forwarded& forwarded) {
    json.key("forwarded");
    json.begin_object();
    json.field("joined", forwarded.joined);
    json.field("lost_to_server", forwarded.lost_to_server);
    json.field("lost_to_client", forwarded.lost_to_client);
    put_nonzero(json, "untranslated", forwarded.untranslated);
    json.key("hops");
    json.begin_array();
    if (!forwarded.client.interface.empty()) put_hop(json, "client", forwarded.client);
    if (!forwarded.server.interface.empty()) put_hop(json, "server", forwarded.server);
    json.end_array();
    json.end_object();
  }
  static void put_hop(JsonWriter& json, std::string_view side, const Hop& hop) {
    json.begin_object();
    json.field("side", side);
    json.field("interface", hop.interface);
    put_flow(json, hop.flow);
    put_hop_totals(json, "in", hop.in);
    put_hop_totals(json, "out", hop.out);
    put_nonzero(json, "made_here", hop.made_here);
    put_optional(json, "handshake_rtt_ns", hop.rtt_ns);
    put_nonzero(json, "mss_in", hop.mss_in);
    put_nonzero(json, "mss_out", hop.mss_out);
    json.end_object();
  }
  static void put_hop_totals(JsonWriter& json, std::string_view key, const HopTotals& totals) {
    json.key(key);
    json.begin_object();
    json.field("bytes", totals.bytes);
    json.field("segments", totals.segments);
    json.field("retransmits", totals.retransmits);
    json.field("out_of_order", totals.out_of_order);
    json.field("syn", totals.syn);
    json.field("syn_ack", totals.syn_ack);
    json.field("fin", totals.fin);
    json.field("rst", totals.rst);
    json.end_object();
  }
  static void put_conversation(JsonWriter& json, const ConversationTotals& totals) {
    json.key("conversation");
    json.begin_object();
    json.field("stream", totals.stream);
    put_stream(json, "tx", totals.out);
    put_stream(json, "rx", totals.in);
    json.field("completeness", totals.completeness);
    json.end_object();
  }
  static void put_stream(JsonWriter& json, std::string_view key, const StreamTotals& stream) {
    json.key(key);
    json.begin_object();
    json.field("frames", stream.frames);
    json.field("frame_bytes", stream.frame_bytes);
    json.field("payload_bytes", stream.payload_bytes);
    json.field("retransmitted_bytes", stream.retransmitted_bytes);
    json.field("sequence_bytes", stream.sequence_bytes);
    json.field("missing_bytes", stream.missing_bytes);
    json.field("retransmits", stream.retransmits);
    json.field("out_of_order", stream.out_of_order);
    if (stream.duplicate_frames != 0) {
      json.field("duplicate_frames", stream.duplicate_frames);
      json.field("duplicate_bytes", stream.duplicate_bytes);
    }
    json.end_object();
  }
  static void put_peer(JsonWriter& json, const std::optional<PeerEnd>& peer) {
    if (!peer) return;
    json.key("peer");
    json.begin_object();
    json.field("conn", peer->conn);
    if (peer->pid != 0) {
      json.field("pid", peer->pid);
      json.field("comm", peer->comm);
    }
    json.end_object();
  }
  // Each rule once: how often and on what evidence is reported by the finding objects.
  static void put_findings(JsonWriter& json, const std::vector<Finding>& findings) {
    json.key("findings");
    json.begin_array();
    for (std::size_t i = 0; i < findings.size(); ++i) {
      const auto first = std::ranges::find(findings, findings[i].rule, &Finding::rule);
      if (first == findings.begin() + static_cast<std::ptrdiff_t>(i)) json.plain(name(findings[i].rule));
    }
    json.end_array();
  }
  static void put_witnesses(JsonWriter& json, const Life& life) {
    json.key("witnesses");
    json.begin_array();
    if (life.has_kernel) json.plain("kernel");
    if (life.has_wire) json.plain("wire");
    json.end_array();
    if (!life.wire) return;
    json.key("wire");
    json.begin_object();
    json.field("tx_bytes", life.wire->tx_bytes);
    json.field("rx_bytes", life.wire->rx_bytes);
    json.field("tx_segments", life.wire->tx_segments);
    json.field("rx_segments", life.wire->rx_segments);
    json.field("complete", life.wire->complete);
    json.end_object();
  }

  static void put(JsonWriter& json, const FindingReport& report) {
    begin(json, "finding", report.ts_ns);
    json.key("conn");
    report.conn != 0 ? json.value(report.conn) : json.null();
    put_flow(json, report.flow);
    put_nat(json, report.nat);
    json.field("rule", name(report.finding.rule));
    json.field("confidence", name(report.finding.confidence));
    json.field("text", sentence(report.finding));
    const RuleEntry& entry = rule_catalogue()[static_cast<std::size_t>(report.finding.rule)];
    json.field("meaning", entry.meaning);
    json.field("advice", entry.advice);
    json.key("evidence");
    json.begin_array();
    for (const EventId id : report.finding.evidence) json.value(id);
    json.end_array();
    put_nonzero(json, "more_evidence", report.finding.more_evidence);
    put_peer(json, report.finding.peer);
  }

  static void put(JsonWriter& json, const GapReport& report) {
    begin(json, "gap", report.ts_ns);
    json.field("lost", report.gap.lost);
    constexpr std::array<std::string_view, 4> causes{"ring full", "skipped", "left out", "not in file"};
    const GapCause cause = cause_of(report.gap);
    json.field("cause", causes[static_cast<std::size_t>(cause)]);
    if (cause == GapCause::ring_full) json.field("cpu", report.gap.cpu);
    json.field("from_ts_ns", report.gap.from_ts_ns);
    json.field("to_ts_ns", report.gap.to_ts_ns);
  }

  static void put(JsonWriter& json, const Summary& summary) {
    begin(json, "summary", summary.ts_ns);
    json.field("connections", summary.connections);
    if (summary.chosen) json.field("chosen", *summary.chosen);
    json.key("events");
    json.begin_object();
    for (const auto& [kind, key] : kinds) json.field(key, summary.events[static_cast<std::size_t>(kind)]);
    json.end_object();
    json.field("drops", summary.drops);
    json.field("lost", summary.lost);
    json.field("malformed", summary.malformed);
    json.field("flows_full", summary.flows_full);
    json.field("unaccounted", summary.unaccounted);
    put_missing(json, summary.missing);
    put_nonzero(json, "unwritten", summary.unwritten);
    put_nonzero(json, "untracked", summary.untracked);
    put_nonzero(json, "missed", summary.missed);
    put_nonzero(json, "unlisted", summary.unlisted);
    put_nonzero(json, "given_up", summary.given_up);
    if (summary.recording) {
      json.key("recording");
      json.begin_object();
      json.field("file", summary.recording->file);
      json.field("files", summary.recording->files);
      json.field("blocks", summary.recording->blocks);
      json.field("bytes", summary.recording->bytes);
      json.field("lost_blocks", summary.recording->lost_blocks);
      if (summary.recording->fired) json.field("fired", *summary.recording->fired);
      put_nonzero(json, "dropped_early", summary.recording->dropped_early);
      json.end_object();
    }
    if (!summary.capture) return;
    json.key("capture");
    json.begin_object();
    json.field("frames", summary.capture->frames);
    json.field("segments", summary.capture->segments);
    json.field("conversations", summary.capture->conversations);
    put_nonzero(json, "dropped", summary.capture->dropped);
    put_nonzero(json, "damage", summary.capture->damage);
    json.end_object();
  }

  void put(JsonWriter& json, const Entry& entry) {
    std::visit([&](const auto& body) { put_entry(json, entry, body); }, entry.body);
  }
  // conn is null where the entry belongs to no connection.
  static void begin_entry(JsonWriter& json, std::string_view type, const Entry& entry) {
    begin(json, type, entry.ts_ns);
    json.key("conn");
    entry.conn != 0 ? json.value(entry.conn) : json.null();
    json.field("id", entry.id);
    put_flow(json, entry.flow);
    put_nat(json, entry.nat);
  }

  static void put_entry(JsonWriter& json, const Entry& entry, const StateEntry& state) {
    begin_entry(json, "state", entry);
    json.field("from", name(state.from));
    json.field("to", name(state.to));
    if (state.inferred) json.field("inferred", true);
    put_process_if_known(json, state.process);
    put_cause(json, state.cause);
    if (state.cb) put_control_block(json, *state.cb);
  }
  static void put_cause(JsonWriter& json, const Cause& cause) {
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
  static void put_control_block(JsonWriter& json, const ControlBlock& cb) {
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

  void put_entry(JsonWriter& json, const Entry& entry, const SegmentEntry& body) const {
    const Segment& segment = body.segment;
    begin_entry(json, "segment", entry);
    json.field("dir", segment.outgoing() ? "out" : "in");
    const bool forwarded = segment.on_a_hop();
    json.field("hook", segment.analysis.frame != 0 ? "capture" : forwarded ? "forwarded" : hook_name(segment.hook));
    put_interface(json, segment.ifindex);
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
  void put_interface(JsonWriter& json, std::uint32_t index) const {
    const auto found = names_.interfaces.find(index);
    if (found == names_.interfaces.end()) return json.field("ifname", names_.interface(index));
    json.key("ifname");
    found->second.empty() ? json.null() : json.value(found->second);
  }
  static void put_relative(JsonWriter& json, std::string_view key, bool known, std::uint32_t number) {
    json.key(key);
    known ? json.value(number) : json.null();
  }
  static void put_inferred(JsonWriter& json, const std::vector<InferredState>& states) {
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
  static void put_transition(JsonWriter& json, const Transition& transition) {
    json.key("transition");
    json.begin_object();
    json.field("id", transition.id);
    json.field("from", name(transition.from));
    json.field("to", name(transition.to));
    json.field("delay_ns", transition.delay_ns);
    json.end_object();
  }
  // base: the sender of the data's ISN.
  static void put_sack(JsonWriter& json, const SackBlocks& sack, std::uint32_t base) {
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
  static void put_options(JsonWriter& json, const Segment& segment) {
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

  static void put_entry(JsonWriter& json, const Entry& entry, const RetransmitEntry& retransmit) {
    begin_entry(json, "retransmit", entry);
    json.field("cause", name(retransmit.cause));
    put_relative(json, "rel_seq", retransmit.relative, retransmit.rel_seq);
    json.field("len", retransmit.len);
    json.field("attempt", retransmit.attempt);
    json.field("rto_us", retransmit.rto_us);
    if (retransmit.err != retransmit_error_unknown) json.field("err", retransmit.err);
    put_nonzero(json, "segment", retransmit.segment);
  }

  static void put_entry(JsonWriter& json, const Entry& entry, const ResetEntry& reset) {
    begin_entry(json, "reset", entry);
    json.field("dir", reset.sent ? "out" : "in");
    json.field("has_socket", reset.has_socket);
    put_nonzero(json, "reason", reset.reason);
    put_nonzero(json, "meaning", meaning(reset));
    put_process_if_known(json, reset.process);
    put_nonzero(json, "segment", reset.segment);
  }

  static void put_entry(JsonWriter& json, const Entry& entry, const ErrorEntry& error) {
    begin_entry(json, "error", entry);
    if (error.error != 0) {
      put_error(json, error.error);
      if (error.own_abort) json.field("own_abort", true);
    } else {
      json.field("errno", 0);
      json.field("icmp", static_cast<bool>(error.icmp));
      if (!error.icmp) json.field("queue", queue_name(error.queue_origin));
    }
    if (error.icmp) put_icmp(json, error.icmp);
  }
  static void put_icmp(JsonWriter& json, const IcmpMessage& icmp) {
    json.field("icmp_error", errno_name(icmp.error));
    json.field("icmp_type", icmp.type);
    json.field("icmp_code", icmp.code);
    json.field("icmp_sender", to_string(icmp.sender));
    json.field("icmp_name", name(icmp));
  }
  // linux/errqueue.h: what waits on the error queue.
  static std::string_view queue_name(std::uint8_t origin) {
    constexpr std::array<std::string_view, 7> names = {"empty",     "local",    "icmp",  "icmp6",
                                                       "timestamp", "zerocopy", "txtime"};
    return origin < names.size() ? names[origin] : "other";
  }

  static void put_entry(JsonWriter& json, const Entry& entry, const PortsEntry& ports) {
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

  static void put_entry(JsonWriter& json, const Entry& entry, const IcmpEntry& seen) {
    begin_entry(json, "icmp", entry);
    if (seen.sent) json.field("sent", true);
    if (seen.passed) json.field("passed", true);
    put_icmp(json, seen.icmp);
    put_relative(json, "rel_seq", seen.relative, seen.rel_seq);
    put_nonzero(json, "mtu", seen.mtu);
  }

  static void put_entry(JsonWriter& json, const Entry& entry, const DropEntry& drop) {
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

  static void put_entry(JsonWriter& json, const Entry& entry, const KeepaliveEntry& keepalive) {
    begin_entry(json, "keepalive", entry);
    json.field("what", keepalive_name(keepalive.what));
    json.field("probe", keepalive.probe);
    put_nonzero(json, "probes", keepalive.probes);
    put_nonzero(json, "time_ms", keepalive.time_ms);
    put_nonzero(json, "intvl_ms", keepalive.intvl_ms);
    put_nonzero(json, "dead_at_ns", keepalive.dead_at_ns);
    put_nonzero(json, "segment", keepalive.segment);
  }

  static void put_entry(JsonWriter& json, const Entry& entry, const ProbeEntry& probe) {
    begin_entry(json, "probe", entry);
    json.field("dir", probe.sent ? "out" : "in");
    json.field("probe", probe.probe);
    json.field("unsent_bytes", probe.unsent_bytes);
    put_nonzero(json, "segment", probe.segment);
  }

  static void put_entry(JsonWriter& json, const Entry& entry, const SampleEntry& body) {
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
  // enum tcp_ca_state
  static std::string_view congestion_name(std::uint8_t state) {
    constexpr std::array<std::string_view, 5> names = {"open", "disorder", "cwr", "recovery", "loss"};
    return state < names.size() ? names[state] : "unknown";
  }

  static void put_entry(JsonWriter& json, const Entry& entry, const OwnerEntry& owner) {
    begin_entry(json, "owner", entry);
    put_process(json, owner.process);
    if (owner.fd >= 0) json.field("fd", owner.fd);
  }

  Output& output_;
  const Names& names_;
  std::unique_ptr<Stories> stories_;
  std::vector<Sentence> sentences_;  // of the life that is being written  // explain only
};

}  // namespace

// Nothing is written to its output.
class JsonReport::Impl {
 public:
  explicit Impl(const Names& names) : sink_(none_, names) {}
  void append(Buffer& out, const Report& report) { sink_.append(out, report); }

 private:
  Output none_{-1};
  JsonSink sink_;
};

JsonReport::JsonReport(const Names& names) : impl_(std::make_unique<Impl>(names)) {}
JsonReport::~JsonReport() = default;
void JsonReport::append(Buffer& out, const Report& report) { impl_->append(out, report); }

std::unique_ptr<Sink> make_json(Output& output, const Names& names) {
  return std::make_unique<JsonSink>(output, names);
}

std::unique_ptr<Sink> make_story_json(Output& output, const Names& names, bool wire_alone) {
  constexpr bool utf8 = true;
  return std::make_unique<JsonSink>(output, names, std::make_unique<Stories>(names, utf8, wire_alone));
}

}  // namespace tcpwitness
