// SPDX-License-Identifier: Apache-2.0
#include "sink/picture/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "sink/format.hpp"
#include "sink/picture/assets.hpp"
#include "sink/picture/markup.hpp"

namespace tcpwitness::picture {
namespace {

constexpr std::size_t process_columns = 32;
constexpr std::size_t peer_process_columns = 36;
constexpr std::size_t kernel_columns = 27;
constexpr std::size_t wire_columns = 67;
constexpr double band = 7;            // width of a state's band
constexpr double arrow_y = 6;         // of the arrow, below its words
constexpr double near_enough = 80;    // a cause at most so far away is joined by a line
constexpr double number_width = 6.8;  // of a digit, at most
constexpr double drop_at = 70;        // from whose kernel dropped it

template <typename... Args>
void put(Buffer& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

std::string_view name_of(Look look) {
  constexpr std::array<std::string_view, 5> names{"", " quiet", " good", " warn", " bad"};
  return names[static_cast<std::size_t>(look)];
}
std::string_view name_of(Stroke stroke) {
  constexpr std::array<std::string_view, 7> names{"ack", "data", "control", "reset", "again", "probe", "closed"};
  return names[static_cast<std::size_t>(stroke)];
}
std::string_view group_of(TcpState state) {
  switch (state) {
    case TcpState::established:
      return "open";
    case TcpState::syn_sent:
    case TcpState::syn_recv:
    case TcpState::new_syn_recv:
    case TcpState::listen:
      return "opening";
    case TcpState::time_wait:
      return "waiting";
    case TcpState::close:
    case TcpState::unknown:
      return "none";
    default:
      return "closing";
  }
}

// At most so many columns; the rest is in the title.
void words(Buffer& out, double x, double y, std::string_view style, std::string_view text, std::size_t width) {
  if (text.empty()) return;
  put(out, "<text x=\"{}\" y=\"{}\" class=\"{}\">", x, y, style);
  const std::string shown = printable(text, true);
  if (columns(shown) <= width) {
    append_escaped(out, shown);
  } else {
    append(out, "<title>");
    append_escaped(out, shown);
    append(out, "</title>");
    append_escaped(out, first_columns(shown, width - 1));
    append(out, "\u2026");
  }
  append(out, "</text>");
}

void put_arrow(Buffer& out, const Lanes& lanes, const Row& row, const Arrow& arrow) {
  const double y = row.y + arrow_y;
  const double gap = 3;
  const double from = arrow.out ? lanes.local + gap : lanes.remote - gap;
  const double whole = arrow.out ? lanes.remote - gap : lanes.local + gap;
  const double to = arrow.dropped ? (arrow.dropped_there ? lanes.remote - drop_at : lanes.local + drop_at) : whole;
  const double back = arrow.out ? -8 : 8;
  put(out, "<path class=\"a {}\" d=\"M{} {}H{}\"/>", name_of(arrow.stroke), from, y, to);
  if (arrow.dropped) {
    put(out, "<path class=\"x\" d=\"M{} {}l10 10m0 -10l-10 10\"/>", to - 5, y - 5);
  } else {
    put(out, "<path class=\"h {}\" d=\"M{} {}l{} -4v8z\"/>", name_of(arrow.stroke), to, y, back);
  }
  // A closed window is a bar at its receiver's side, which is who closed it.
  if (arrow.closed) put(out, "<path class=\"x\" d=\"M{} {}v10\"/>", from + (arrow.out ? 4 : -4), y - 5);
  const double middle = (lanes.local + lanes.remote) / 2;
  std::string text = arrow.words;
  if (arrow.took_ns >= 1'000'000) text += fmt::format(" ({} under way)", duration_in_words(arrow.took_ns));
  words(out, middle, row.y, "m", text, wire_columns);
  if (arrow.dropped)
    words(out, middle, y + 14, "m bad", fmt::format("\u2715 dropped: {}", arrow.dropped_by), wire_columns);
}

void put_part(Buffer& out, const Lanes& lanes, const Row& row, const Part& part, bool far, const Ladder& ladder) {
  const double base = row.y + 4;
  if (far && !ladder.both_ends && !ladder.inferred) return;
  const double kernel = far ? lanes.peer_kernel : lanes.kernel;
  words(out, kernel, base, part.entered != TcpState::unknown ? "k strong" : fmt::format("k{}", name_of(part.look)),
        part.kernel, kernel_columns);
  if (part.process.empty()) return;
  if (!far) {
    words(out, lanes.process, base, "e", part.process, process_columns);
    if (!part.kernel.empty()) put(out, "<path class=\"c\" d=\"M{} {}h8m-3 -3l3 3l-3 3\"/>", lanes.process + 3, row.y);
  } else {
    words(out, lanes.peer_process, base, "k", part.process, peer_process_columns);
    if (!part.kernel.empty())
      put(out, "<path class=\"c\" d=\"M{} {}h-8m3 -3l-3 3l3 3\"/>", lanes.peer_process - 3, row.y);
  }
}

// From the segment to the transition that it caused, or from the transition to what it sent.
void put_cause(Buffer& out, const Lanes& lanes, const Ladder& ladder, std::size_t first, std::size_t at) {
  const Row& row = ladder.rows[at];
  if (row.cause == 0) return;
  for (std::size_t i = at; i-- > first;) {
    const Row& other = ladder.rows[i];
    if (row.y - other.y > near_enough) return;
    if (other.id != row.cause && other.also != row.cause) continue;
    const bool far = !row.peer.kernel.empty() && row.local.kernel.empty() && ladder.both_ends;
    const double x = far ? lanes.remote + 5 : lanes.local - 5;
    const double side = far ? 7 : -7;
    const double from = other.y + (other.arrow.empty() ? 0 : arrow_y);
    const double to = row.y + (row.arrow.empty() ? 0 : arrow_y);
    put(out, "<path class=\"c\" d=\"M{} {}h{}V{}h{}\"/>", x, from, side, to, -side);
    return;
  }
}

// The bands of the states that each end is in.
void put_bands(Buffer& out, const Lanes& lanes, const Ladder& ladder, std::size_t first, std::size_t last) {
  for (const bool far : {false, true}) {
    if (far && !ladder.both_ends && !ladder.inferred) continue;
    TcpState state = TcpState::unknown;
    for (std::size_t i = 0; i < first; ++i) {
      const Part& part = far ? ladder.rows[i].peer : ladder.rows[i].local;
      if (part.entered != TcpState::unknown) state = part.entered;
    }
    double from = ladder.rows[first].top;
    const auto close = [&](double to) {
      if (state != TcpState::unknown && state != TcpState::close && to > from) {
        put(out, "<rect class=\"b {}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}</title></rect>",
            group_of(state), far ? lanes.remote - 1 : lanes.local - band + 1, from, band, to - from, name(state));
      }
      from = to;
    };
    for (std::size_t i = first; i < last; ++i) {
      const Part& part = far ? ladder.rows[i].peer : ladder.rows[i].local;
      if (part.entered == TcpState::unknown) continue;
      close(ladder.rows[i].y + (ladder.rows[i].arrow.empty() ? 0 : arrow_y));
      state = part.entered;
    }
    close(ladder.rows[last - 1].top + ladder.rows[last - 1].height);
  }
}

void put_row(Buffer& out, const Lanes& lanes, const Ladder& ladder, std::size_t first, std::size_t at) {
  const Row& row = ladder.rows[at];
  constexpr std::array<std::string_view, 3> kinds{"r", "r silence", "r ordinary"};
  put(out, "<g class=\"{}\"", kinds[static_cast<std::size_t>(row.kind)]);
  if (row.id != 0) put(out, " data-id=\"{}\"", row.id);
  if (row.also != 0) put(out, " data-also=\"{}\"", row.also);
  append(out, ">");
  const double middle = (lanes.local + lanes.remote) / 2;
  if (row.kind != Row::Kind::event) {
    put(out, "<path class=\"f\" d=\"M{} {}H{}\"/>", lanes.time - 60, row.y + 6, lanes.remote);
    words(out, middle, row.y - 1, "m quiet", row.note, 2 * wire_columns);
    append(out, "</g>");
    return;
  }
  put(out, "<rect class=\"z\" x=\"0\" y=\"{}\" width=\"{}\" height=\"{}\"/>", row.y - 11, lanes.remarks - 8,
      22 + row.below);
  put(out, "<text x=\"{}\" y=\"{}\" class=\"n\">{}</text>", lanes.number, row.y + 4, number_text(row));
  put(out, "<text x=\"{}\" y=\"{}\" class=\"t\">{}</text>", lanes.time, row.y + 4, grouped_seconds(row.offset_ns));
  put_part(out, lanes, row, row.local, false, ladder);
  put_part(out, lanes, row, row.peer, true, ladder);
  for (const Arrow& arrow : row.arrow) put_arrow(out, lanes, row, arrow);
  if (row.arrow.empty()) {
    const bool of_peer = !row.peer.kernel.empty() && row.local.kernel.empty();
    words(out, of_peer ? lanes.remote - 12 : lanes.local + 12, row.y + 4, of_peer ? "e quiet" : "k quiet", row.note,
          wire_columns);
  }
  put_cause(out, lanes, ladder, first, at);
  append(out, "</g>\n");
}

}  // namespace

Lanes lanes_of(const Ladder& ladder) {
  Lanes lanes;
  if (ladder.inferred) {  // no process is known
    lanes.kernel = 130;
    lanes.local = 260;
    lanes.remote = 712;
  }
  // Long numbers move everything to the right.
  const double wider =
      std::max(0.0, std::ceil(static_cast<double>(ladder.number_columns) * number_width + 4 - lanes.number));
  for (double* lane : {&lanes.number, &lanes.time, &lanes.process, &lanes.kernel, &lanes.local, &lanes.remote})
    *lane += wider;
  double right = lanes.remote;
  if (ladder.both_ends) {
    lanes.peer_kernel = right + 16;
    lanes.peer_process = lanes.peer_kernel + 210;
    right = lanes.peer_process + 245;
  } else if (ladder.inferred) {
    lanes.peer_kernel = right + 16;
    right = lanes.peer_kernel + 90;
  }
  lanes.remarks = right + 16;
  lanes.width = ladder.remarks.empty() ? std::max(right + 16, 1060.0) : lanes.remarks + 320;
  return lanes;
}

void append_head(Buffer& out, const Ladder& ladder) {
  const Lanes lanes = lanes_of(ladder);
  constexpr double title = 20;
  constexpr double outcome = 38;
  constexpr double names = 62;
  const std::size_t all = static_cast<std::size_t>(lanes.width / 7);
  words(out, 10, title, "title", ladder.title, all);
  words(out, 10, outcome, "k", ladder.outcome, all);
  words(out, lanes.number, names, "e head", "#", 8);
  words(out, lanes.time, names, "e head", "seconds", 8);
  if (!ladder.inferred) words(out, lanes.process, names, "e head", "process", process_columns);
  words(out, lanes.kernel, names, "k head", ladder.inferred ? "state (inferred)" : "kernel", kernel_columns);
  words(out, (lanes.local + lanes.remote) / 2, names, "m head", "wire", wire_columns);
  if (ladder.both_ends) {
    words(out, lanes.peer_kernel, names, "k head", "peer's kernel", kernel_columns);
    words(out, lanes.peer_process, names, "k head", "peer's process", process_columns);
  } else if (ladder.inferred) {
    words(out, lanes.peer_kernel, names, "k head", "peer (inferred)", kernel_columns);
  } else {
    words(out, lanes.remote, names, "e head", "peer", process_columns);
  }
  if (!ladder.remarks.empty()) words(out, lanes.remarks, names, "k head", "findings", kernel_columns);
  put(out, "<path class=\"f\" d=\"M0 {}H{}\"/>\n", head_height - 8, lanes.width);
}

void append_rows(Buffer& out, const Ladder& ladder, std::size_t first, std::size_t last) {
  if (first >= last) return;
  const Lanes lanes = lanes_of(ladder);
  const double top = ladder.rows[first].top;
  const double bottom = ladder.rows[last - 1].top + ladder.rows[last - 1].height;
  put(out, "<path class=\"l\" d=\"M{0} {2}V{3}M{1} {2}V{3}\"/>", lanes.local, lanes.remote, top, bottom);
  put_bands(out, lanes, ladder, first, last);
  for (std::size_t i = first; i < last; ++i) put_row(out, lanes, ladder, first, i);
}

void append_remarks(Buffer& out, const Ladder& ladder, double from, double to) {
  const Lanes lanes = lanes_of(ladder);
  for (const Remark& remark : ladder.remarks) {
    if (remark.y < from || remark.y >= to) continue;
    put(out, "<g class=\"o {}\" tabindex=\"0\" role=\"note\" aria-label=\"{}, {}\" data-evidence=\"{}\">",
        name(remark.confidence), name(remark.rule), name(remark.confidence), fmt::join(remark.evidence, " "));
    put(out, "<rect x=\"{}\" y=\"{}\" width=\"312\" height=\"{}\"/>", lanes.remarks, remark.y, remark.height);
    put(out, "<path d=\"M{} {}v{}\"/>", lanes.remarks + 1.5, remark.y, remark.height);
    put(out, "<text x=\"{}\" y=\"{}\" class=\"strong\">{} \u00b7 {}</text>", lanes.remarks + 10, remark.y + 15,
        name(remark.rule), name(remark.confidence));
    double y = remark.y + 29;
    for (const std::string& line : remark.lines) {
      words(out, lanes.remarks + 10, y, "k", line, 60);
      y += 14;
    }
    append(out, "</g>\n");
  }
}

void append_svg(Buffer& out, const std::vector<Ladder>& ladders, std::size_t more) {
  double width = 400;
  double height = 8;
  for (const Ladder& ladder : ladders) {
    width = std::max(width, lanes_of(ladder).width);
    height += head_height + ladder.height + 16;
  }
  if (more != 0 || ladders.empty()) height += 24;
  put(out,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ladder\" role=\"img\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\">\n<style>",
      width, height);
  append(out, ladder_style);
  put(out, "</style>\n<rect class=\"ground\" width=\"{}\" height=\"{}\"/>\n", width, height);
  double top = 4;
  for (const Ladder& ladder : ladders) {
    put(out, "<g transform=\"translate(0 {})\">", top);
    append_head(out, ladder);
    put(out, "<g transform=\"translate(0 {})\">", head_height);
    append_rows(out, ladder, 0, ladder.rows.size());
    append_remarks(out, ladder, 0, ladder.height + 1);
    append(out, "</g></g>\n");
    top += head_height + ladder.height + 16;
  }
  if (ladders.empty()) words(out, 10, top + 16, "k", "no connection", wire_columns);
  if (more != 0)
    words(out, 10, top + 16, "k",
          fmt::format("{} more connections: the page (-o FILE.html) has them all", grouped(more)), 2 * wire_columns);
  append(out, "</svg>\n");
}

}  // namespace tcpwitness::picture
