// SPDX-License-Identifier: Apache-2.0
#include "top/keys.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "top/items.hpp"

namespace tcpwitness::top {
namespace {

constexpr std::size_t longest_filter = 64;

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
