// SPDX-License-Identifier: Apache-2.0
// json_life.cpp: one connection as a JSON object. A life costs well under a microsecond.
#include <algorithm>
#include <array>
#include <utility>

#include "judge/catalogue.hpp"
#include "sink/format.hpp"
#include "sink/json_report_parts.hpp"

namespace tcpwitness {
namespace {

bool any_of(const Phases& phases) {
  return phases.connect || phases.synack_ack || phases.accept || phases.request || phases.request_ack ||
         phases.first_byte || phases.server || phases.waiting || phases.transfer || phases.stalled || phases.idle ||
         phases.closing;
}

void put_phases(JsonWriter& json, const Phases& phases) {
  if (!any_of(phases)) return;
  json.key("phases");
  json.begin_object();
  put_optional(json, "connect_ns", phases.connect);
  put_optional(json, "synack_ack_ns", phases.synack_ack);
  put_optional(json, "accept_ns", phases.accept);
  put_optional(json, "request_ns", phases.request);
  put_optional(json, "request_ack_ns", phases.request_ack);
  put_optional(json, "first_byte_ns", phases.first_byte);
  put_optional(json, "server_ns", phases.server);
  put_optional(json, "waiting_ns", phases.waiting);
  put_optional(json, "transfer_ns", phases.transfer);
  put_optional(json, "stalled_ns", phases.stalled);
  put_optional(json, "idle_ns", phases.idle);
  put_optional(json, "closing_ns", phases.closing);
  json.end_object();
}

void put_story(JsonWriter& json, const std::vector<Sentence>& sentences) {
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

void put_hop_totals(JsonWriter& json, std::string_view key, const HopTotals& totals) {
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

void put_hop(JsonWriter& json, std::string_view side, const Hop& hop) {
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

void put_forwarded(JsonWriter& json, const Forwarded& forwarded) {
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

void put_stream(JsonWriter& json, std::string_view key, const StreamTotals& stream) {
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

void put_conversation(JsonWriter& json, const ConversationTotals& totals) {
  json.key("conversation");
  json.begin_object();
  json.field("stream", totals.stream);
  put_stream(json, "tx", totals.out);
  put_stream(json, "rx", totals.in);
  json.field("completeness", totals.completeness);
  json.end_object();
}

// Each rule once: how often and on what evidence is reported by the finding objects.
void put_findings(JsonWriter& json, const std::vector<Finding>& findings) {
  json.key("findings");
  json.begin_array();
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const auto first = std::ranges::find(findings, findings[i].rule, &Finding::rule);
    if (first == findings.begin() + static_cast<std::ptrdiff_t>(i)) json.plain(name(findings[i].rule));
  }
  json.end_array();
}

void put_witnesses(JsonWriter& json, const Life& life) {
  if (life.has_kernel && life.has_wire) {
    json.literal_field("witnesses", R"(["kernel","wire"])");
  } else if (life.has_kernel) {
    json.literal_field("witnesses", R"(["kernel"])");
  } else {
    json.literal_field("witnesses", life.has_wire ? R"(["wire"])" : "[]");
  }
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

}  // namespace

void put_life(JsonWriter& json, const Life& life, const std::vector<Sentence>* story) {
  begin_report(json, "life", life.ts_ns);
  json.field("conn", life.conn);
  put_flow(json, life.flow);
  put_nat(json, life.nat);
  json.field("start_ts_ns", life.start_ts_ns);
  json.plain_field("role", name(life.role));
  put_process(json, life.process);
  json.key("netns");
  life.netns != 0 ? json.value(life.netns) : json.null();
  json.plain_field("outcome", name(life.outcome));
  json.plain_field("meaning", entry_of(life.outcome).meaning);
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
  if (story != nullptr) put_story(json, *story);
}

}  // namespace tcpwitness
