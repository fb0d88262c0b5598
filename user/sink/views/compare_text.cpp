// SPDX-License-Identifier: Apache-2.0
// compare_text.cpp: the comparison for a terminal. No line is wider than it, or than 80 columns where there is none.
//
// A line that agrees, or differs as every healthy connection does, is quiet. One that does not is followed by where the
// difference went.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sink/format.hpp"
#include "sink/line.hpp"
#include "sink/paint.hpp"
#include "sink/views/compare.hpp"
#include "sink/views/describe.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t second_column = 10;
constexpr std::size_t part_indent = 12;
constexpr std::size_t count_width = 17;
constexpr std::size_t label_width = 26;

std::string with_sign(std::int64_t amount) {
  return fmt::format("{}{}", amount < 0 ? '-' : '+', grouped(static_cast<std::uint64_t>(std::llabs(amount))));
}

std::string plural(std::uint64_t count, std::string_view word) {
  return fmt::format("{} {}{}", grouped(count), word, count == 1 ? "" : "s");
}

class CompareText {
 public:
  CompareText(Buffer& out, const Compared& compared, const Watched& watched, const TextStyle& style)
      : out_(out),
        all_(compared),
        watched_(watched),
        style_(style),
        width_(std::max<std::size_t>(style.width == 0 ? 80 : style.width, 60)) {}

  void write() {
    write_head();
    if (all_.connections == 0) return;
    title();
    write_side("sent", all_.tx);
    write_side("received", all_.rx);
    write_times();
    write_examples();
  }

 private:
  // Word by word, so that it fits.
  void text(std::string_view words, std::size_t begin, std::size_t indent, Colour colour = Colour::none) {
    if (begin == 0) return plain(wrapped(words, width_), colour);
    Line line(out_, style_, width_);
    line.pad_to(begin);
    line.words(words, indent, colour);
    line.end();
  }
  void plain(std::string_view text, Colour colour = Colour::none) {
    append_painted(out_, text, colour, style_.colour);
    out_.push_back('\n');
  }
  void title() {
    plain("");
    plain(fmt::format("{:<{}}{:>{}}{:>{}}", "", label_width, "KERNEL", count_width, "WIRE", count_width), Colour::dim);
  }

  void write_head() {
    std::string head = watched_.at_ns == 0 ? "" : fmt::format("-- {}, ", clock_seconds(watched_.at_ns));
    head += fmt::format("{} compared in {}", plural(all_.compared, "connection"), duration_in_words(watched_.ns));
    if (all_.open != 0) head += fmt::format(", {} still open", grouped(all_.open));
    if (all_.open_before != 0) head += fmt::format(", {} open before start", grouped(all_.open_before));
    head += all_.compared == 0    ? ""
            : all_.differing == 0 ? ": kernel and wire agree"
                                  : fmt::format(": {} of them differ", grouped(all_.differing));
    text(head, 0, 2, Colour::bold);
    const std::uint64_t others = all_.connections - all_.compared;
    if (others == 0) return;
    std::string not_compared = fmt::format("{} not compared:", grouped(others));
    bool first = true;
    for (std::size_t i = 1; i < not_compared_count; ++i) {
      if (all_.not_compared[i] == 0) continue;
      not_compared += fmt::format("{} {} ({})", first ? "" : ",", words(static_cast<NotCompared>(i)),
                                  grouped(all_.not_compared[i]));
      first = false;
    }
    text(not_compared, 0, 2);
  }

  void write_side(std::string_view name, const SideSum& side) {
    write_count(name, "payload bytes", side.bytes);
    write_count("", "segments", side.segments);
    write_parts(side.behind, "of these ");
    write_count("", "retransmitted", side.sent_again);
  }

  void write_count(std::string_view side, std::string_view what, const CountSum& count) {
    const auto number = [](bool known, std::uint64_t value) { return known ? grouped(value) : std::string("-"); };
    const std::int64_t difference = count.difference();
    const bool quiet = std::ranges::all_of(count.parts, [](const auto& part) { return is_usual(part.first.first); });
    std::string line = fmt::format("{:<{}}{:<{}}{:>{}}{:>{}}", side, second_column, what, label_width - second_column,
                                   number(count.kernel_counts, count.kernel), count_width,
                                   number(count.wire_counts, count.wire), count_width);
    if (difference != 0) line += fmt::format("  {}", with_sign(difference));
    plain(line, quiet ? Colour::none : Colour::bold);
    write_parts(count.parts, "");
  }

  void write_parts(const PartSums& parts, std::string_view before) {
    for (const auto& [key, sum] : parts) {
      const auto& [where, reason] = key;
      std::string line = before.empty() ? with_sign(sum.amount)
                                        : fmt::format("{}{}", before, grouped(static_cast<std::uint64_t>(sum.amount)));
      line += fmt::format(" {}", words(where));
      if (!reason.empty()) line += fmt::format(": {}", reason);
      if (!sum.meaning.empty()) line += fmt::format(", {}", sum.meaning);
      const bool usual = is_usual(where);
      if (!usual && where != Where::unexplained) line += fmt::format(" ({})", name(sum.confidence));
      text(line, part_indent, part_indent + 3,
           usual                         ? Colour::dim
           : where == Where::unexplained ? Colour::loud
                                         : Colour::warn);
    }
  }

  // One: as it is; many: half of them are not above, and 99 of a hundred.
  [[nodiscard]] std::string time(Timed timed) const {
    const Quantiles& of = all_.times[static_cast<std::size_t>(timed)];
    if (of.count() == 0) return "-";
    // The kernel counts that one in ticks, which are 10 ms at most.
    const auto in_words = [&](std::int64_t ns) {
      return timed == Timed::arrival_to_read && ns < 10'000'000 ? "< 10 ms" : duration_in_words(ns);
    };
    if (of.count() == 1) return in_words(of.highest());
    return fmt::format("{} / {}", in_words(of.at(0.5)), in_words(of.at(0.99)));
  }
  [[nodiscard]] bool known(Timed timed) const { return all_.times[static_cast<std::size_t>(timed)].count() != 0; }

  void write_times() {
    const bool many = all_.connections > 1;
    plain("");
    plain(fmt::format("{:<{}}{:>{}}{:>{}}", many ? "median / 99th percentile" : "", label_width, "KERNEL",
                      count_width + 4, "WIRE", count_width + 4),
          Colour::dim);
    const auto pair = [&](std::string_view label, Timed kernel, Timed wire) {
      plain(fmt::format("{:<{}}{:>{}}{:>{}}", label, label_width, time(kernel), count_width + 4, time(wire),
                        count_width + 4));
    };
    pair("handshake, from its SYN", Timed::handshake_kernel, Timed::handshake_wire);
    pair("round trip (at end, first)", Timed::round_trip_kernel, Timed::round_trip_wire);
    const auto one = [&](std::string_view label, Timed timed) {
      if (known(timed)) plain(fmt::format("{:<47}{:>21}", label, time(timed)));
    };
    one("connect() to its SYN at the interface", Timed::connect_to_wire);
    one("end of the handshake came, to ESTABLISHED", Timed::arrival_to_open);
    one("payload came, to the first recv() that is seen", Timed::arrival_to_read);
    one("FIN came, to CLOSE_WAIT", Timed::arrival_to_close_wait);
    one("close() to its FIN at the interface", Timed::close_to_wire);
    if (all_.compared != 0 && all_.tx.bytes.kernel != 0) {
      text("send() to the interface, and every later recv(): not known, no event shows when they are called", 0, 2,
           Colour::dim);
    }
  }

  void write_examples() {
    if (all_.examples.empty()) return;
    plain("");
    plain("connections that differ", Colour::dim);
    for (const Differing& one : all_.examples) {
      const std::string process =
          one.process.comm.empty() ? "" : fmt::format(" {}", printable(one.process.comm, style_.utf8));
      text(fmt::format("#{}{} {} {} {}: {}", one.conn, process, endpoint_text(one.flow.local).view(),
                       style_.utf8 ? "\u2194" : "<->", endpoint_text(one.flow.remote).view(), one.what),
           2, 4);
    }
    const std::uint64_t more = all_.differing - all_.examples.size();
    if (more != 0) plain(fmt::format("  and {} more", grouped(more)));
  }

  Buffer& out_;
  const Compared& all_;
  Watched watched_;
  const TextStyle& style_;
  std::size_t width_;
};

}  // namespace

void write_compare_text(Output& output, const Compared& compared, const Watched& watched, const TextStyle& style) {
  TextStyle now = style;
  now.width = width_now(style);
  CompareText(output.buffer(), compared, watched, now).write();
  output.line_done();
}

}  // namespace tcpwitness
