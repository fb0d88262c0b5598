// SPDX-License-Identifier: Apache-2.0
// view.hpp: what of the model is looked at, and what keys do to that. Pure: a key and a model give the next view.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "top/model.hpp"

namespace tcpwitness::top {

enum class Key : std::uint8_t {
  character,
  up,
  down,
  page_up,
  page_down,
  home,
  end,
  left,
  right,
  enter,
  escape,
  tab,
  back_tab,
  backspace,
  f1,
  f4,
  f5,
  f6,
  f10,
  interrupt,  // Ctrl-C
  suspend,    // Ctrl-Z
  redraw,     // Ctrl-L
};
struct KeyPress {
  Key key = Key::character;
  char32_t character = 0;
};

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

enum class Wish : std::uint8_t { none, quit, suspend, redraw, pause, story, picture };

// The connection that a key is about: the opened one, or the one under the cursor. 0: none.
[[nodiscard]] ConnectionId meant(const View& view, const Model& model);

// A row of the table.
struct Item {
  const Group* group = nullptr;
  const Connection* connection = nullptr;
  bool other = false;
  [[nodiscard]] Chosen as_chosen() const;
};

// The columns of a table that can be sorted by, in their order.
[[nodiscard]] const std::vector<Column>& columns_of(Table table);
// What the table has, filtered and sorted.
[[nodiscard]] std::vector<Item> items(const Model& model, const View& view);
// Which of them is chosen; 0 where none is.
[[nodiscard]] std::size_t place_of(const std::vector<Item>& items, const View& view);

// What is left to do is the wish.
Wish press(View& view, const KeyPress& key, const Model& model);

}  // namespace tcpwitness::top
