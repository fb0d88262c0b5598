// SPDX-License-Identifier: Apache-2.0
#include "sink/views/sockets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "sink/csv_writer.hpp"
#include "sink/format.hpp"
#include "sink/json_parts.hpp"
#include "sink/paint.hpp"
#include "sink/table.hpp"

namespace tcpwitness {
namespace {

enum class Column : std::uint8_t { state, recv, send, local, remote, pid, comm, srtt, rto, cwnd, retrans, idle, notes };
constexpr std::size_t column_count = 13;
constexpr std::array<TableColumn, column_count> table{{
    {"STATE", "", 11, 12, false, 0},
    {"RECV-Q", "RECV", 5, 6, true, 0},
    {"SEND-Q", "SEND", 5, 6, true, 0},
    {"LOCAL", "", 15, 21, false, 0, shortest_address},
    {"REMOTE", "", 15, 21, false, 0, shortest_address},
    {"PID", "", 6, 7, true, 6},
    {"COMM", "", 6, 15, false, 0, 4},
    {"SRTT", "", 6, 6, true, 4},
    {"RTO", "", 6, 6, true, 2},
    {"CWND", "", 4, 4, true, 1},
    {"RETRANS", "RETR", 4, 7, true, 5},
    {"IDLE", "", 6, 6, true, 3},
    {"FINDINGS", "", 10, 30, false, 0},
}};

bool listens(const OpenSocket& socket) { return socket.state == TcpState::listen; }
bool was_answered(const OpenSocket& socket) { return socket.state != TcpState::syn_sent; }

std::string endpoint(const Endpoint& endpoint) {
  if (endpoint.port != 0) return std::string(endpoint_text(endpoint).view());
  return "*";
}

// Bytes, or connections of a listener.
std::string queue(const OpenSocket& socket, std::uint32_t length) {
  if (!socket.has_queues) return "-";
  return listens(socket) ? std::to_string(length) : std::string(short_bytes(length).view());
}

std::string cell_text(Column column, const ListedSocket& listed, bool utf8) {
  const OpenSocket& s = listed.socket;
  const auto of_connection = [&](const std::string& text) { return listens(s) || !s.has_control_block ? "-" : text; };
  switch (column) {
    case Column::state:
      return std::string(name(s.state));
    case Column::recv:
      return queue(s, s.recv_queue);
    case Column::send:
      return queue(s, s.send_queue);
    case Column::local:
      return endpoint(s.flow.local);
    case Column::remote:
      return endpoint(s.flow.remote);
    case Column::pid:
      return s.holders.empty() ? "-" : std::to_string(s.holders.front().pid);
    case Column::comm: {
      if (s.holders.empty()) return "-";
      const std::string more = s.holders.size() > 1 ? fmt::format("+{}", s.holders.size() - 1) : "";
      return printable(s.holders.front().comm, utf8) + more;
    }
    case Column::srtt:
      return of_connection(s.cb.srtt_us == 0 ? "-"
                                             : std::string(short_duration(std::int64_t{s.cb.srtt_us} * 1000).view()));
    case Column::rto:
      return of_connection(std::string(short_duration(std::int64_t{s.cb.rto_us} * 1000).view()));
    case Column::cwnd:
      return of_connection(std::to_string(s.cb.snd_cwnd));
    case Column::retrans:
      return of_connection(std::to_string(s.cb.total_retrans));
    case Column::idle:
      return of_connection(
          was_answered(s) ? std::string(short_duration(std::int64_t{s.cb.since_received_ms} * 1'000'000).view()) : "-");
    case Column::notes:
      break;
  }
  return "";
}

void fill(CellList& list, const ListedSocket& listed) {
  list.names.clear();
  list.limits.clear();
  for (const Finding& finding : listed.findings) list.names.emplace_back(name(finding.rule));
}

void write_socket(Buffer& out, const ListedSocket& listed, TimeNs ts_ns) {
  const OpenSocket& s = listed.socket;
  JsonWriter json(out);
  json.begin_object();
  json.field("type", std::string_view("socket"));
  json.field("ts_ns", ts_ns);
  json.field("cookie", s.cookie);
  json.field("netns", s.netns);
  json.field("state", name(s.state));
  put_flow(json, s.flow);
  json.key("owners");
  json.begin_array();
  for (const SocketHolder& holder : s.holders) {
    json.begin_object();
    json.field("pid", holder.pid);
    json.field("comm", std::string_view(holder.comm));
    if (holder.fd >= 0) json.field("fd", holder.fd);
    json.end_object();
  }
  json.end_array();
  if (listens(s) && s.has_queues) {
    json.field("accept_queue", s.recv_queue);
    json.field("accept_queue_limit", s.send_queue);
  } else if (s.has_control_block) {
    json.field("recv_queue", s.recv_queue);
    json.field("send_queue", s.send_queue);
    json.field("srtt_us", s.cb.srtt_us);
    json.field("rto_us", s.cb.rto_us);
    json.field("cwnd", s.cb.snd_cwnd);
    json.field("mss", s.cb.mss);
    json.field("snd_wnd", s.cb.snd_wnd);
    json.field("rcv_wnd", s.cb.rcv_wnd);
    json.field("retransmits", s.cb.total_retrans);
    if (was_answered(s)) json.field("unheard_ms", s.cb.since_received_ms);
    json.field("bytes_acked", s.cb.bytes_acked);
    json.field("bytes_received", s.cb.bytes_received);
  }
  json.key("findings");
  json.begin_array();
  for (const Finding& finding : listed.findings) {
    json.begin_object();
    json.field("rule", name(finding.rule));
    json.field("confidence", name(finding.confidence));
    json.field("text", sentence(finding));
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

}  // namespace

void write_sockets_text(Output& output, const SocketListing& listing, const TextStyle& style, bool dated) {
  TextStyle now = style;
  now.width = width_now(style);
  Buffer& out = output.buffer();
  std::array<std::size_t, column_count> widths{};
  fit_columns(table, now.width, widths);
  if (dated && now.screen) append(out, clear_screen);
  if (dated)
    append(out, fmt::format("-- {}, {} socket{}\n", clock_seconds(listing.ts_ns), listing.sockets.size(),
                            listing.sockets.size() == 1 ? "" : "s"));
  write_header(out, table, widths, now);
  CellList list;
  for (const ListedSocket& listed : listing.sockets) {
    std::array<Cell, column_count> cells;
    for (std::size_t i = 0; i < column_count; ++i) {
      cells[i].text = cell_text(static_cast<Column>(i), listed, now.utf8);
      cells[i].columns = columns(cells[i].text);
    }
    fill(list, listed);
    Cell& notes = cells.back();
    notes.text = folded(list, 0);
    notes.columns = columns(notes.text);
    notes.colour = Colour::warn;
    write_row(out, table, widths, cells, &list, now);
    output.line_done();
  }
}

void write_sockets_json(Output& output, const SocketListing& listing) {
  Buffer& out = output.buffer();
  const auto line_done = [&] {
    out.push_back('\n');
    output.line_done();
  };
  JsonWriter head(out);
  head.begin_object();
  head.field("type", std::string_view("listing"));
  head.field("ts_ns", listing.ts_ns);
  head.field("sockets", listing.sockets.size());
  head.field("all", listing.all);
  head.end_object();
  line_done();
  for (const ListedSocket& listed : listing.sockets) {
    write_socket(out, listed, listing.ts_ns);
    line_done();
  }
}

void write_sockets_csv_header(Output& output) {
  append(
      output.buffer(),
      "time,netns,state,local_ip,local_port,remote_ip,remote_port,pid,comm,owners,recv_queue,send_queue,srtt_us,rto_us,"
      "cwnd,retransmits,unheard_ms,findings\n");
  output.line_done();
}

void write_sockets_csv(Output& output, const SocketListing& listing) {
  for (const ListedSocket& listed : listing.sockets) {
    const OpenSocket& s = listed.socket;
    CsvRow row(output.buffer());
    row.time(listing.ts_ns);
    row.number(s.netns);
    row.text(name(s.state));
    for (const Endpoint* end : {&s.flow.local, &s.flow.remote}) {
      row.address(end->address);
      row.number(end->port);
    }
    if (s.holders.empty()) {
      row.empty(2);
    } else {
      row.number(s.holders.front().pid);
      row.foreign(s.holders.front().comm);
    }
    row.number(s.holders.size());
    if (s.has_queues) {
      row.number(s.recv_queue);
      row.number(s.send_queue);
    } else {
      row.empty(2);
    }
    if (s.has_control_block && !listens(s)) {
      for (const std::uint32_t value : {s.cb.srtt_us, s.cb.rto_us, s.cb.snd_cwnd, s.cb.total_retrans})
        row.number(value);
      if (was_answered(s)) {
        row.number(s.cb.since_received_ms);
      } else {
        row.empty(1);
      }
    } else {
      row.empty(5);
    }
    std::string names;
    for (const Finding& finding : listed.findings)
      names += fmt::format("{}{}", names.empty() ? "" : " ", name(finding.rule));
    row.text(names);
    row.end();
    output.line_done();
  }
}

}  // namespace tcpwitness
