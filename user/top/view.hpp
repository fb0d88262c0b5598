// SPDX-License-Identifier: Apache-2.0
// view.hpp: what of the model is looked at. Plain data: items.hpp has the rows that it means, keys.hpp changes it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "top/model.hpp"

namespace tcpwitness::top {

enum class Table : std::uint8_t { process, remote, listener, connection };
inline constexpr std::size_t table_count = 4;

enum class Column : std::uint8_t {
  name,  // the group, or the connection's process
  pid,
  local,
  remote,
  state,
  open,
  begun,
  tx,
  rx,
  retransmits_out,
  retransmits_in,
  resets,
  bad,
  age,
  finding,
};

struct Sort {
  Column column{};
  bool ascending = false;
};

// Of a connection: what it is opened as.
enum class Mode : std::uint8_t { tables, help, timeline, story };
enum class Which : std::uint8_t { all, open, bad };  // of the connections

// A row of a table, by which it is found again when the order has changed. id: of a connection; else the name counts.
struct Chosen {
  std::string name{};
  std::uint64_t id = 0;
  bool operator==(const Chosen&) const = default;
};

struct View {
  Mode mode = Mode::tables;
  Table table = Table::process;
  std::array<Sort, table_count> sort{{{Column::tx}, {Column::tx}, {Column::tx}, {Column::tx}}};
  std::array<Chosen, table_count> chosen{};  // empty: the first row, whichever it is
  std::string filter;
  bool editing = false;  // the filter
  bool paused = false;
  bool totals = false;  // since the start, not per second
  Which which = Which::all;
  bool in_findings = false;     // the keys move there
  std::size_t findings_up = 0;  // lines above the newest
  ConnectionId opened = 0;      // of timeline and story
  std::size_t text_up = 0;      // lines above the last one (timeline)
  std::size_t text_down = 0;    // lines below the first one (story, help)
  std::size_t page = 10;        // rows that the table, or the text, has on the screen

  [[nodiscard]] const Sort& sorting() const { return sort.at(static_cast<std::size_t>(table)); }
};

}  // namespace tcpwitness::top
