// SPDX-License-Identifier: Apache-2.0
#include "top/view.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "sink/format.hpp"

namespace tcpwitness::top {
namespace {

constexpr std::size_t longest_filter = 64;

const Counts& counts_of(const Item& item, bool totals) {
  if (item.group != nullptr) return totals ? item.group->total : item.group->last;
  return totals ? item.connection->total : item.connection->last;
}

std::uint64_t number_of(const Item& item, Column column, const View& view, TimeNs now) {
  const Counts& counts = counts_of(item, view.totals);
  switch (column) {
    case Column::open:
      return item.group != nullptr ? item.group->open : 0;
    case Column::begun:
      return counts.begun;
    case Column::tx:
      return counts.tx;
    case Column::rx:
      return counts.rx;
    case Column::retransmits_out:
      return counts.retransmits_out + (item.connection != nullptr ? counts.retransmits_in : 0);
    case Column::retransmits_in:
      return counts.retransmits_in;
    case Column::resets:
      return counts.resets;
    case Column::bad:
      return counts.bad;
    case Column::pid:
      return item.group != nullptr ? item.group->pid : item.connection->pid;
    case Column::age:
      return item.connection != nullptr
                 ? static_cast<std::uint64_t>(std::max<std::int64_t>(item.connection->age(now), 0))
                 : 0;
    default:
      return 0;
  }
}

bool is_text(Column column) {
  return column == Column::name || column == Column::local || column == Column::remote || column == Column::state ||
         column == Column::finding;
}

std::string text_of(const Item& item, Column column) {
  if (item.group != nullptr) return item.group->name;
  const Connection& c = *item.connection;
  switch (column) {
    case Column::local:
      return std::string(endpoint_text(c.flow.local).view());
    case Column::remote:
      return std::string(endpoint_text(c.flow.remote).view());
    case Column::state:
      return std::string(c.open ? name(c.state) : name(c.outcome));
    case Column::finding:
      return c.finding ? std::string(name(*c.finding)) : "";
    default:
      return std::string(c.name());
  }
}

// Where two are equal: open ones first, then the newest.
bool before(const Item& a, const Item& b) {
  if (a.connection != nullptr && b.connection != nullptr) {
    if (a.connection->open != b.connection->open) return a.connection->open;
    return a.connection->conn > b.connection->conn;
  }
  const auto& x = *a.group;
  const auto& y = *b.group;
  if (x.total.tx + x.total.rx != y.total.tx + y.total.rx) return x.total.tx + x.total.rx > y.total.tx + y.total.rx;
  return std::pair(std::string_view(x.name), x.pid) < std::pair(std::string_view(y.name), y.pid);
}

bool matches(const std::string& filter, std::string_view text) {
  const auto same = [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(a) == lower(b);
  };
  return !std::ranges::search(text, filter, same).empty();
}

bool matches(const Item& item, const std::string& filter) {
  if (filter.empty()) return true;
  if (item.group != nullptr)
    return matches(filter, item.group->name) || (item.group->pid != 0 && filter == std::to_string(item.group->pid));
  const Connection& c = *item.connection;
  for (const Column column : {Column::name, Column::local, Column::remote, Column::state, Column::finding}) {
    if (matches(filter, text_of(item, column))) return true;
  }
  return c.pid != 0 && filter == std::to_string(c.pid);
}

bool wanted(const Connection& c, Which which) {
  return which == Which::all || (which == Which::open && c.open) || (which == Which::bad && c.bad);
}

void choose(View& view, const std::vector<Item>& list, std::size_t place) {
  if (list.empty()) return;
  view.chosen.at(static_cast<std::size_t>(view.table)) = list[std::min(place, list.size() - 1)].as_chosen();
}

void move_rows(View& view, const Model& model, std::int64_t by) {
  const std::vector<Item> list = items(model, view);
  if (list.empty()) return;
  const auto place = static_cast<std::int64_t>(place_of(list, view));
  const auto last = static_cast<std::int64_t>(list.size()) - 1;
  choose(view, list, static_cast<std::size_t>(std::clamp<std::int64_t>(place + by, 0, last)));
}

// The text can shrink under us; layout() clamps what is too far.
void move(View& view, const Model& model, std::int64_t by) {
  const auto moved = [&](std::size_t at, std::int64_t step) {
    return static_cast<std::size_t>(std::max<std::int64_t>(static_cast<std::int64_t>(at) + step, 0));
  };
  if (view.mode == Mode::timeline) {
    view.text_up = moved(view.text_up, -by);
  } else if (view.mode != Mode::tables) {
    view.text_down = moved(view.text_down, by);
  } else if (view.in_findings) {
    const auto most = static_cast<std::int64_t>(model.lines().size()) - 1;
    view.findings_up = static_cast<std::size_t>(
        std::clamp<std::int64_t>(static_cast<std::int64_t>(view.findings_up) - by, 0, std::max<std::int64_t>(most, 0)));
  } else {
    move_rows(view, model, by);
  }
}

void next_sort(View& view, int step) {
  const std::vector<Column>& columns = columns_of(view.table);
  Sort& sort = view.sort.at(static_cast<std::size_t>(view.table));
  const auto at = std::ranges::find(columns, sort.column) - columns.begin();
  const auto count = static_cast<std::ptrdiff_t>(columns.size());
  sort = {columns[static_cast<std::size_t>((at + step + count) % count)]};
  sort.ascending = is_text(sort.column);
}

void sort_by(View& view, Column column) {
  const std::vector<Column>& columns = columns_of(view.table);
  if (std::ranges::find(columns, column) == columns.end()) return;
  view.sort.at(static_cast<std::size_t>(view.table)) = {column, is_text(column)};
}

void turn_to(View& view, int table) {
  view.table = static_cast<Table>((table + static_cast<int>(table_count)) % static_cast<int>(table_count));
  view.in_findings = false;
}

Wish open(View& view, const Model& model, Mode mode) {
  if (view.mode == Mode::tables) {
    const ConnectionId conn = meant(view, model);
    if (conn != 0) {
      view.opened = conn;
    } else if (mode == Mode::timeline && !view.in_findings && view.table != Table::connection) {
      // The connections of the group.
      const std::vector<Item> list = items(model, view);
      if (list.empty()) return Wish::none;
      const Item& item = list[place_of(list, view)];
      if (item.other) return Wish::none;
      view.filter = item.group->pid != 0 ? std::to_string(item.group->pid) : item.group->name;
      turn_to(view, static_cast<int>(Table::connection));
      return Wish::none;
    } else {
      return Wish::none;
    }
  }
  view.mode = mode;
  view.text_up = view.text_down = 0;
  return mode == Mode::story ? Wish::story : Wish::none;
}

Wish edit_filter(View& view, const KeyPress& key) {
  switch (key.key) {
    case Key::enter:
      view.editing = false;
      break;
    case Key::escape:
      view.editing = false;
      view.filter.clear();
      break;
    case Key::backspace:
      if (!view.filter.empty()) view.filter.pop_back();
      break;
    case Key::character:
      if (key.character >= 0x20 && key.character < 0x7f && view.filter.size() < longest_filter)
        view.filter.push_back(static_cast<char>(key.character));
      break;
    case Key::interrupt:
    case Key::f10:
      return Wish::quit;
    case Key::suspend:
      return Wish::suspend;
    default:
      break;
  }
  return Wish::none;
}

// Back to where it was opened.
void close_text(View& view) {
  view.mode = Mode::tables;
  view.text_up = view.text_down = 0;
}

Wish press_character(View& view, char32_t character, const Model& model) {
  if (view.mode != Mode::tables) {
    if (character == U'q') {
      close_text(view);
      return Wish::none;
    }
    if (character == U'?' || character == U'h') {
      if (view.mode == Mode::help) close_text(view);
      return Wish::none;
    }
    if (character == U'e' && view.mode == Mode::timeline) return open(view, model, Mode::story);
    if (character == U't' && view.mode == Mode::story) return open(view, model, Mode::timeline);
  }
  switch (character) {
    case U'q':
      return Wish::quit;
    case U'?':
    case U'h':
      view.mode = Mode::help;
      view.text_down = 0;
      break;
    case U'j':
      move(view, model, 1);
      break;
    case U'k':
      move(view, model, -1);
      break;
    case U'g':
      move(view, model, -1'000'000);
      break;
    case U'G':
      move(view, model, 1'000'000);
      break;
    case U'p':
      return view.mode != Mode::help && meant(view, model) != 0 ? Wish::picture : Wish::none;
    case U'P':
    case U'Z':
      view.paused = !view.paused;
      return Wish::pause;
    default:
      break;
  }
  if (view.mode != Mode::tables) return Wish::none;
  switch (character) {
    case U'1':
    case U'2':
    case U'3':
    case U'4':
      turn_to(view, static_cast<int>(character - U'1'));
      break;
    case U'/':
    case U'\\':
    case U'l':
      view.editing = true;
      view.in_findings = false;
      break;
    case U'>':
    case U'.':
      next_sort(view, 1);
      break;
    case U'<':
    case U',':
      next_sort(view, -1);
      break;
    case U'I': {
      Sort& sort = view.sort.at(static_cast<std::size_t>(view.table));
      sort.ascending = !sort.ascending;
      break;
    }
    case U's':
      sort_by(view, Column::tx);
      break;
    case U'r':
      sort_by(view, Column::rx);
      break;
    case U'c':
      sort_by(view, Column::begun);
      break;
    case U'n':
      sort_by(view, Column::name);
      break;
    case U'T':
      view.totals = !view.totals;
      break;
    case U'a':
      view.which = static_cast<Which>((static_cast<int>(view.which) + 1) % 3);
      break;
    case U'f':
      view.in_findings = !view.in_findings;
      view.findings_up = 0;
      break;
    case U'e':
      return open(view, model, Mode::story);
    default:
      break;
  }
  return Wish::none;
}

}  // namespace

ConnectionId meant(const View& view, const Model& model) {
  if (view.mode != Mode::tables) return view.opened;
  if (view.in_findings) {
    const auto& lines = model.lines();
    return view.findings_up < lines.size() ? lines[lines.size() - 1 - view.findings_up].conn : 0;
  }
  if (view.table != Table::connection) return 0;
  const std::vector<Item> list = items(model, view);
  return list.empty() ? 0 : list[place_of(list, view)].connection->conn;
}

Chosen Item::as_chosen() const {
  if (connection != nullptr) return {.name = {}, .id = connection->conn};
  return {.name = other ? "\x01" : group->name, .id = group->pid};
}

const std::vector<Column>& columns_of(Table table) {
  using enum Column;
  static const std::vector<Column> process{name,           pid,    open, begun, tx, rx, retransmits_out,
                                           retransmits_in, resets, bad};
  static const std::vector<Column> group{name, open, begun, tx, rx, retransmits_out, retransmits_in, resets, bad};
  static const std::vector<Column> connection{name, local, remote, state, tx, rx, retransmits_out, age, finding};
  return table == Table::process ? process : table == Table::connection ? connection : group;
}

std::vector<Item> items(const Model& model, const View& view) {
  std::vector<Item> list;
  const auto add = [&](const Item& item) {
    if (matches(item, view.filter)) list.push_back(item);
  };
  if (view.table == Table::connection) {
    for (const Connection* c : model.connections()) {
      if (wanted(*c, view.which)) add({.connection = c});
    }
  } else {
    for (const Group* group : model.groups(static_cast<By>(view.table))) add({.group = group});
  }
  const Sort& sort = view.sorting();
  const TimeNs now = model.now();
  if (is_text(sort.column)) {
    std::vector<std::pair<std::string, Item>> named;
    named.reserve(list.size());
    for (const Item& item : list) named.emplace_back(text_of(item, sort.column), item);
    std::ranges::sort(named, [&](const auto& a, const auto& b) {
      if (a.first != b.first) return (a.first < b.first) == sort.ascending;
      return before(a.second, b.second);
    });
    for (std::size_t i = 0; i < list.size(); ++i) list[i] = named[i].second;
  } else {
    std::ranges::sort(list, [&](const Item& a, const Item& b) {
      const std::uint64_t x = number_of(a, sort.column, view, now);
      const std::uint64_t y = number_of(b, sort.column, view, now);
      if (x != y) return (x < y) == sort.ascending;
      return before(a, b);
    });
  }
  if (view.table != Table::connection) {
    const Group& other = model.other(static_cast<By>(view.table));
    const bool any = other.total != Counts{} || other.open != 0;
    if (any && view.filter.empty()) list.push_back({.group = &other, .other = true});
  }
  return list;
}

std::size_t place_of(const std::vector<Item>& list, const View& view) {
  const Chosen& chosen = view.chosen.at(static_cast<std::size_t>(view.table));
  if (chosen == Chosen{}) return 0;
  const auto at = std::ranges::find_if(list, [&](const Item& item) { return item.as_chosen() == chosen; });
  return at == list.end() ? 0 : static_cast<std::size_t>(at - list.begin());
}

Wish press(View& view, const KeyPress& key, const Model& model) {
  if (view.editing) return edit_filter(view, key);
  const auto page = static_cast<std::int64_t>(std::max<std::size_t>(view.page, 1));
  switch (key.key) {
    case Key::character:
      return press_character(view, key.character, model);
    case Key::up:
      move(view, model, -1);
      break;
    case Key::down:
      move(view, model, 1);
      break;
    case Key::page_up:
      move(view, model, -page);
      break;
    case Key::page_down:
      move(view, model, page);
      break;
    case Key::home:
      move(view, model, -1'000'000);
      break;
    case Key::end:
      move(view, model, 1'000'000);
      break;
    case Key::tab:
    case Key::right:
      if (view.mode == Mode::tables) turn_to(view, static_cast<int>(view.table) + 1);
      break;
    case Key::back_tab:
    case Key::left:
      if (view.mode == Mode::tables) turn_to(view, static_cast<int>(view.table) - 1);
      break;
    case Key::enter:
      if (view.mode == Mode::tables) return open(view, model, Mode::timeline);
      break;
    case Key::escape:
      if (view.mode != Mode::tables) {
        close_text(view);
      } else if (view.in_findings) {
        view.in_findings = false;
      } else {
        view.filter.clear();
      }
      break;
    case Key::f1:
      view.mode = Mode::help;
      view.text_down = 0;
      break;
    case Key::f4:
      return press_character(view, U'/', model);
    case Key::f5:
    case Key::redraw:
      return Wish::redraw;
    case Key::f6:
      return press_character(view, U'>', model);
    case Key::f10:
    case Key::interrupt:
      return Wish::quit;
    case Key::suspend:
      return Wish::suspend;
    case Key::backspace:
      break;
  }
  return Wish::none;
}

}  // namespace tcpwitness::top
