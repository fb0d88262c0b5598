// SPDX-License-Identifier: Apache-2.0
// life_csv.cpp: connections as a table. The columns are a contract (docs/events.md): new ones come at the end.
//
// What is not known is an empty cell. Lists are joined by spaces. A gap is a row of its own kind, so that loss does
// not vanish from a table either.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "sink/csv_writer.hpp"
#include "sink/sinks.hpp"

namespace tcpwitness {
namespace {

constexpr std::string_view header =
    "type,conn,start,end,duration_s,local_ip,local_port,remote_ip,remote_port,role,pid,comm,pid_source,netns,outcome,"
    "error,closed_by,handshake_s,srtt_s,tx_bytes,rx_bytes,retransmits,"
    "wire_tx_bytes,wire_rx_bytes,wire_tx_segments,wire_rx_segments,wire_complete,"
    "stream,completeness,"
    "tx_frames,tx_frame_bytes,tx_payload_bytes,tx_retransmitted_bytes,tx_sequence_bytes,tx_missing_bytes,"
    "rx_frames,rx_frame_bytes,rx_payload_bytes,rx_retransmitted_bytes,rx_sequence_bytes,rx_missing_bytes,"
    "zeek_state,states,peer_states,findings,witnesses,preexisting,incomplete,lost,"
    "retransmits_in,out_of_order_in,out_of_order_out,nat_local_ip,nat_local_port,nat_remote_ip,nat_remote_port,"
    "client_interface,server_interface,lost_to_server,lost_to_client\n";
constexpr auto column_count = static_cast<unsigned>(std::ranges::count(header, ',')) + 1;
constexpr unsigned loss_columns = 3;
constexpr unsigned forwarded_columns = 4;

void put_wire(CsvRow& row, const std::optional<WireTotals>& wire) {
  if (!wire) return row.empty(5);
  row.number(wire->tx_bytes);
  row.number(wire->rx_bytes);
  row.number(wire->tx_segments);
  row.number(wire->rx_segments);
  row.number(wire->complete);
}

void put_stream(CsvRow& row, const StreamTotals& stream) {
  row.number(stream.frames);
  row.number(stream.frame_bytes);
  row.number(stream.payload_bytes);
  row.number(stream.retransmitted_bytes);
  row.number(stream.sequence_bytes);
  row.number(stream.missing_bytes);
}

void put_conversation(CsvRow& row, const Boxed<ConversationTotals>& conversation) {
  if (!conversation) return row.empty(14);
  row.number(conversation->stream);
  row.number(conversation->completeness);
  put_stream(row, conversation->out);
  put_stream(row, conversation->in);
}

void put_states(CsvRow& row, std::span<const TcpState> states) {
  std::string text;
  for (const TcpState state : states) text.append(text.empty() ? "" : " ").append(name(state));
  row.text(text);
}

// Each rule once.
void put_findings(CsvRow& row, const std::vector<Finding>& findings) {
  std::string text;
  for (auto at = findings.begin(); at != findings.end(); ++at) {
    if (std::ranges::find(findings.begin(), at, at->rule, &Finding::rule) != at) continue;
    text.append(text.empty() ? "" : " ").append(name(at->rule));
  }
  row.text(text);
}

void put_forwarded(CsvRow& row, const Boxed<Forwarded>& forwarded) {
  if (!forwarded) return row.empty(forwarded_columns);
  row.foreign(forwarded->client.interface);
  row.foreign(forwarded->server.interface);
  row.number(forwarded->lost_to_server);
  row.number(forwarded->lost_to_client);
}

class LifeCsvSink final : public Sink {
 public:
  explicit LifeCsvSink(Output& output) : output_(output) { append(output_.buffer(), header); }

  void write(const Report& report) override {
    if (const auto* life = std::get_if<Life>(&report)) {
      write_life(*life);
    } else if (const auto* gap = std::get_if<GapReport>(&report)) {
      write_gap(gap->gap);
    }
    output_.line_done();
  }
  bool flush() override { return output_.flush(); }

 private:
  void write_life(const Life& life) {
    CsvRow row(output_.buffer());
    row.text("life");
    row.number(life.conn);
    row.time(life.start_ts_ns);
    row.time(life.ts_ns);
    row.seconds(life.duration_ns);
    row.address(life.flow.local.address);
    row.number(life.flow.local.port);
    row.address(life.flow.remote.address);
    row.number(life.flow.remote.port);
    row.text(name(life.role));
    life.process.pid != 0 ? row.number(life.process.pid) : row.empty();
    row.foreign(life.process.comm);
    row.text(name(life.process.source));
    life.netns != 0 ? row.number(life.netns) : row.empty();
    row.text(name(life.outcome));
    life.error ? row.text(errno_name(*life.error)) : row.empty();
    row.text(name(life.closed_by));
    life.handshake_ns ? row.seconds(*life.handshake_ns) : row.empty();
    life.srtt_us ? row.seconds(std::int64_t{*life.srtt_us} * 1000) : row.empty();
    row.number(life.tx_bytes);
    row.number(life.rx_bytes);
    row.number(life.retransmits);
    put_wire(row, life.wire);
    put_conversation(row, life.conversation);
    row.text(life.zeek_state);
    put_states(row, life.states);
    put_states(row, life.peer_states);
    put_findings(row, life.findings);
    row.text(life.has_kernel ? (life.has_wire ? "kernel wire" : "kernel") : life.has_wire ? "wire" : "");
    row.number(life.preexisting);
    row.number(life.incomplete);
    row.empty();
    for (const auto& segments : {life.retransmits_in, life.out_of_order_in, life.out_of_order_out})
      segments ? row.number(*segments) : row.empty();
    put_nat(row, life.nat);
    put_forwarded(row, life.forwarded);
    row.end();
  }

  void write_gap(const Gap& gap) {
    CsvRow row(output_.buffer());
    row.text("gap");
    row.empty();
    row.time(gap.from_ts_ns);
    row.time(gap.to_ts_ns);
    row.seconds(gap.to_ts_ns - gap.from_ts_ns);
    row.empty(column_count - 6 - loss_columns - nat_columns - forwarded_columns);
    row.number(gap.lost);
    row.empty(loss_columns + nat_columns + forwarded_columns);
    row.end();
  }

  Output& output_;
};

}  // namespace

std::unique_ptr<Sink> make_life_csv(Output& output) { return std::make_unique<LifeCsvSink>(output); }

}  // namespace tcpwitness
