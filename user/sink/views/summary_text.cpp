// SPDX-License-Identifier: Apache-2.0
// summary_text.cpp: the summary for a terminal, at most 80 columns where it is no wider.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "sink/format.hpp"
#include "sink/line.hpp"
#include "sink/paint.hpp"
#include "sink/summary.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t key_at_least = 8;

struct NumberColumn {
  std::string_view title;
  bool only_wide = false;
};
// After the keys; all to the right.
constexpr std::array<NumberColumn, 9> number_columns{
    {{"CONNS"}, {"/S", true}, {"BAD"}, {"TX"}, {"RX"}, {"RETR%"}, {"CONNECT"}, {"LIFETIME"}, {"OPEN", true}}};

std::string title_of(GroupKey key) {
  std::string title(name(key));
  std::ranges::transform(title, title.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return title;
}

std::string percent(const Retransmitted& resent) {
  const auto share = resent.share();
  if (!share) return resent.retransmitted == 0 ? "-" : fmt::format("{}x", resent.retransmitted);
  if (*share == 0) return "0";
  return *share < 0.1 ? "<.1" : fmt::format("{:.{}f}", *share, *share < 9.95 ? 1 : 0);
}

// "34us", "1.2ms", "12s", "3.4h".
std::string short_time(std::int64_t ns) {
  constexpr std::array<std::pair<std::string_view, double>, 6> units{
      {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}}};
  std::size_t i = 0;
  while (i + 1 < units.size() && static_cast<double>(ns) >= units[i + 1].second * 0.9995) ++i;
  const double value = static_cast<double>(ns) / units[i].second;
  return fmt::format("{:.{}f}{}", value, value < 9.95 && i != 0 ? 1 : 0, units[i].first);
}

// "34us/110us/1.2ms": half, 95 and 99 of a hundred are not above.
std::string quantiles(const Quantiles& times, bool wide) {
  if (times.count() == 0) return "-";
  const auto time = [&](double share) { return short_time(times.at(share)); };
  if (!wide) return fmt::format("{}/{}", time(0.5), time(0.99));
  return fmt::format("{}/{}/{}", time(0.5), time(0.95), time(0.99));
}

// Neighbours differ at the end of their addresses: what is left out is in the middle.
std::string shortened(std::string_view text, std::size_t width) {
  const std::size_t head = (width - 1) / 3;
  return fmt::format("{}~{}", first_columns(text, head), last_columns(text, width - 1 - head));
}

using Row = std::vector<std::string>;

class SummaryText {
 public:
  SummaryText(Buffer& out, const Added& added, const TextStyle& style)
      : out_(out), added_(added), style_(style), width_(style.width == 0 ? 132 : style.width), wide_(width_ >= 110) {}

  void write() {
    write_head();
    if (added_.groups.total().connections != 0) {
      write_table();
      write_times();
      write_list("how they ended", added_.groups.outcomes());
      write_list("what was found", added_.groups.findings());
    }
    write_list("what was found of no connection", added_.groups.strays());
  }

 private:
  void line(std::string_view text, Colour colour = Colour::none) {
    append_painted(out_, text, colour, style_.colour);
    out_.push_back('\n');
  }

  void write_head() {
    const Group& total = added_.groups.total();
    const std::string text = fmt::format("{} connection{} in {}, {:.1f} a second", grouped(total.connections),
                                         total.connections == 1 ? "" : "s", duration_in_words(added_.watched_ns),
                                         added_.per_second(total.connections));
    std::string more = total.open != 0 ? fmt::format("{} still open; ", grouped(total.open)) : "";
    more += total.problems == 0 ? "no problems" : fmt::format("{} with a problem", grouped(total.problems));
    const bool fits = text.size() + 2 + more.size() <= width_;
    line(fits ? fmt::format("{}; {}", text, more) : text, Colour::bold);
    if (!fits) line(more, Colour::bold);
    if (added_.unlisted != 0)
      line(fmt::format("{} half-open connections more, too many to be counted here one by one",
                       grouped(added_.unlisted)),
           Colour::loud);
    if (total.incomplete != 0) {
      line(fmt::format("events were lost in the time of {} of them: their figures are too low",
                       grouped(total.incomplete)),
           Colour::loud);
    }
  }

  Row row_of(const Group& group) const {
    Row row;
    const auto& by = added_.groups.settings().by;
    for (std::size_t i = 0; i < by.size(); ++i) {
      const std::string& part = group.key[i];
      const std::string_view unknown = by[i] == GroupKey::container ? "unknown" : "?";
      row.push_back(part.empty() ? std::string(unknown) : printable(part, style_.utf8));
    }
    row.push_back(grouped(group.connections));
    if (wide_) row.push_back(fmt::format("{:.1f}", added_.per_second(group.connections)));
    row.push_back(grouped(group.problems));
    row.emplace_back(short_bytes(group.tx_bytes).view());
    row.emplace_back(short_bytes(group.rx_bytes).view());
    row.push_back(fmt::format("{}/{}", percent(group.tx), percent(group.rx)));
    row.push_back(quantiles(group.connect, wide_));
    row.push_back(quantiles(group.lifetime, wide_));
    if (wide_) row.push_back(grouped(group.open));
    return row;
  }

  void write_table() {
    const std::size_t keys = added_.groups.settings().by.size();
    Row titles;
    for (const GroupKey key : added_.groups.settings().by) titles.push_back(title_of(key));
    for (const NumberColumn& column : number_columns) {
      if (wide_ || !column.only_wide) titles.emplace_back(column.title);
    }
    std::vector<Row> rows{titles};
    const auto groups = added_.groups.ordered();
    for (std::size_t i = 0; i < std::min(groups.size(), added_.top); ++i) rows.push_back(row_of(*groups[i]));
    std::vector<std::size_t> widths = widths_of(rows, keys);
    for (std::size_t i = 0; i < rows.size(); ++i) write_row(rows[i], widths, keys, i == 0);
    if (groups.size() <= added_.top) return;
    std::uint64_t others = 0;
    for (std::size_t i = added_.top; i < groups.size(); ++i) others += groups[i]->connections;
    line(fmt::format("and {} more groups with {} connections", grouped(groups.size() - added_.top), grouped(others)),
         Colour::dim);
  }

  // The keys give way, the widest first, until the line fits.
  [[nodiscard]] std::vector<std::size_t> widths_of(const std::vector<Row>& rows, std::size_t keys) const {
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
    }
    const auto sum = [&] {
      std::size_t all = widths.size() - 1;
      for (const std::size_t width : widths) all += width;
      return all;
    };
    while (sum() > width_) {
      const auto widest = std::ranges::max_element(widths.begin(), widths.begin() + static_cast<std::ptrdiff_t>(keys));
      if (*widest <= key_at_least) break;
      --*widest;
    }
    return widths;
  }

  void write_row(const Row& row, const std::vector<std::size_t>& widths, std::size_t keys, bool title) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string cell = columns(row[i]) > widths[i] ? shortened(row[i], widths[i]) : row[i];
      const std::string padding(widths[i] - columns(cell), ' ');
      text += (i == 0 ? "" : " ") + (i < keys ? cell + padding : padding + cell);
    }
    line(text, title ? Colour::dim : Colour::none);
  }

  // By powers of ten: connecting and living, side by side.
  void write_times() {
    const Quantiles& connect = added_.groups.total().connect;
    const Quantiles& lifetime = added_.groups.total().lifetime;
    if (connect.count() + lifetime.count() == 0) return;
    constexpr std::array<std::pair<std::string_view, std::int64_t>, 8> limits{{{"< 100 us", 100'000},
                                                                               {"< 1 ms", 1'000'000},
                                                                               {"< 10 ms", 10'000'000},
                                                                               {"< 100 ms", 100'000'000},
                                                                               {"< 1 s", 1'000'000'000},
                                                                               {"< 10 s", 10'000'000'000},
                                                                               {"< 100 s", 100'000'000'000},
                                                                               {"longer", INT64_MAX}}};
    line("");
    line(fmt::format("{:<10}{:<34}{}", "", "to connect", "lifetime"), Colour::dim);
    std::int64_t from = 0;
    for (const auto& [label, to] : limits) {
      const std::uint64_t a = connect.between(from, to);
      const std::uint64_t b = lifetime.between(from, to);
      from = to;
      if (a + b == 0) continue;
      std::string text = fmt::format("{:<10}{:<34}{}", label, bar(a, connect.count()), bar(b, lifetime.count()));
      text.erase(text.find_last_not_of(' ') + 1);
      line(text);
    }
  }

  [[nodiscard]] static std::string bar(std::uint64_t some, std::uint64_t all) {
    if (some == 0) return "";
    constexpr double longest = 16;
    const double share = static_cast<double>(some) / static_cast<double>(all);
    const auto length = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * longest)));
    return fmt::format("{} {}", std::string(length, '#'), grouped(some));
  }

  template <typename What>
  void write_list(std::string_view title, const std::map<What, Example>& all) {
    if (all.empty()) return;
    line("");
    line(title, Colour::dim);
    std::vector<std::pair<What, Example>> list(all.begin(), all.end());
    std::ranges::sort(list, [](const auto& a, const auto& b) {
      return std::pair(b.second.connections, a.first) < std::pair(a.second.connections, b.first);
    });
    for (const auto& [what, example] : list) {
      std::string text = fmt::format("  {:<24}{:>7}  ", name(what), grouped(example.connections));
      const std::string one = such_as(example);
      if (!one.empty()) {
        line(text + one);
        continue;
      }
      line(text.substr(0, text.find_last_not_of(' ') + 1));
      Line below(out_, style_, width_);
      below.pad_to(4);
      below.words(fmt::format("such as {}{}", process_of(example), ends_of(example)), 6);
      below.end();
    }
  }

  [[nodiscard]] std::string process_of(const Example& example) const {
    return example.process.comm.empty() ? "" : fmt::format("{} ", printable(example.process.comm, style_.utf8));
  }
  [[nodiscard]] std::string ends_of(const Example& example) const {
    return fmt::format("{} {} {}", endpoint_text(example.flow.local).view(), style_.utf8 ? "\u2194" : "<->",
                       endpoint_text(example.flow.remote).view());
  }

  // One to look at, beside its name; "" where that does not fit.
  [[nodiscard]] std::string such_as(const Example& example) const {
    constexpr std::size_t before = 2 + 24 + 7 + 2;
    const std::string ends = ends_of(example);
    const std::string process = process_of(example);
    for (std::string text : {fmt::format("such as {}{}", process, ends), process + ends, ends}) {
      if (before + columns(text) <= width_) return text;
    }
    return "";
  }

  Buffer& out_;
  const Added& added_;
  const TextStyle& style_;
  std::size_t width_;
  bool wide_;  // room for a rate, and for 95 of a hundred
};

}  // namespace

void write_summary_text(Output& output, const Added& added, const TextStyle& style) {
  SummaryText(output.buffer(), added, style).write();
  output.line_done();
}

}  // namespace tcpwitness
