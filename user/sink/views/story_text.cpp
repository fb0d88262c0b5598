// SPDX-License-Identifier: Apache-2.0
// story_text.cpp: explain: a headline for each connection, its story below, then how it ended and what both
// witnesses conclude.
//
// Every sentence begins with its time since the connection's first event. Text wraps with a hanging indent, at the
// terminal's width or at 80 columns.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "sink/closing_words.hpp"
#include "sink/format.hpp"
#include "sink/life_columns.hpp"
#include "sink/line.hpp"
#include "sink/sinks.hpp"
#include "sink/trace_words.hpp"
#include "sink/views/story.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t offset_end = 15;  // of "+0.000 041 s", right-aligned
constexpr std::size_t prose_column = 17;
constexpr std::size_t narrow_column = 4;
constexpr std::size_t prose_needs = 40;

class StoryTextSink final : public Sink {
 public:
  StoryTextSink(Output& output, const Names& names, const TextStyle& style)
      : output_(output),
        style_(style),
        width_(style.width != 0 ? style.width : width_elsewhere),
        indent_(width_ >= prose_column + prose_needs ? prose_column : narrow_column),
        words_{.names = names, .utf8 = style.utf8},
        stories_(names, style.utf8, style.wire_alone) {}

  void write(const Report& report) override {
    if (const auto* entry = std::get_if<Entry>(&report)) {
      stories_.take(*entry);
    } else if (const auto* gap = std::get_if<GapReport>(&report)) {
      stories_.take(gap->gap);
    } else if (const auto* life = std::get_if<Life>(&report)) {
      write_life(*life);
    } else if (const auto* finding = std::get_if<FindingReport>(&report); finding != nullptr && finding->conn == 0) {
      write_stray(*finding);
    }
    output_.line_done();
  }
  bool flush() override { return output_.flush(); }

 private:
  [[nodiscard]] Line line() { return {output_.buffer(), style_, width_}; }

  void write_life(const Life& life) {
    separate();
    write_heading(life);
    std::int64_t end_ns = life.duration_ns;
    for (const Sentence& sentence : stories_.end(life)) {
      write_sentence(sentence.offset_ns, sentence.text + '.');
      end_ns = std::max(end_ns, sentence.offset_ns);
    }
    write_outcome(life, end_ns);
    for (const Finding& finding : life.findings) write_finding(finding);
  }

  // Stories are apart by an empty line.
  void separate() {
    if (std::exchange(written_, true)) output_.buffer().push_back('\n');
  }

  [[nodiscard]] std::string clock_of(TimeNs at) const {
    const TimeNs shown = words_.names.wall.of(at);
    return style_.wire_alone ? date_micros(shown) : clock_micros(shown);
  }

  void write_heading(const Life& life) {
    Line text = line();
    text.put(fmt::format("#{}", life.conn), hue_of(life.conn));
    text.pad_to(4);
    text.put(endpoint_text(life.flow.local), Colour::bold);
    text.words(role_mark(life.role, style_.utf8), narrow_column);
    text.words(endpoint_text(life.flow.remote), narrow_column, Colour::bold);
    const bool nobody = style_.wire_alone && life.process.pid == 0;
    if (!nobody)
      word(text,
           life.process.pid != 0 ? process_text(life.process, style_.utf8)
           : life.forwarded      ? "forwarded"
                                 : "process not known",
           Colour::bold);
    word(text, clock_of(life.start_ts_ns), Colour::dim);
    word(text, std::string(name(life.outcome)), is_problem(life.outcome) ? Colour::bad : Colour::good);
    text.end();
  }
  // Apart from the text before it by two spaces, and never torn.
  void word(Line& text, const std::string& what, Colour colour) {
    text.gap(2, columns(what), narrow_column);
    text.put(what, colour);
  }

  void write_sentence(std::int64_t offset_ns, std::string_view sentence) {
    Line text = line();
    const std::string offset = fmt::format("+{} s", grouped_seconds(offset_ns));
    text.pad_to(offset_end - std::min(offset_end, offset.size()));
    text.put(offset, Colour::dim);
    text.pad_to(indent_ == narrow_column ? 0 : indent_);
    text.words(sentence, indent_);
    text.end();
  }

  void write_outcome(const Life& life, std::int64_t end_ns) {
    Line text = line();
    const std::string offset = fmt::format("+{} s", grouped_seconds(end_ns));
    text.pad_to(offset_end - std::min(offset_end, offset.size()));
    text.put(offset, Colour::dim);
    text.pad_to(indent_ == narrow_column ? 0 : indent_);
    const std::string closing = closing_words(life);
    const std::size_t outcome_end = closing.find(" after ");
    text.words(closing.substr(0, outcome_end), indent_, is_problem(life.outcome) ? Colour::bad : Colour::good);
    text.words(closing.substr(outcome_end + 1) + '.', indent_);
    if (!life.explanation.empty()) text.words(life.explanation, indent_);
    text.end();
  }

  void write_finding(const Finding& finding) {
    Line text = line();
    const std::size_t mark = indent_ - 3;
    text.pad_to(mark);
    text.put(style_.utf8 ? "\u25b2 " : "!!", Colour::warn);
    text.pad_to(indent_);
    write_words(text, finding);
  }

  void write_words(Line& text, const Finding& finding) {
    text.words(fmt::format("{} ({}):", name(finding.rule), name(finding.confidence)), indent_, Colour::warn);
    text.words(sentence(finding) + '.', indent_);
    text.end();
  }

  // A segment that fits no connection.
  void write_stray(const FindingReport& report) {
    separate();
    Line text = line();
    text.put("-");
    text.pad_to(4);
    text.put(clock_of(report.ts_ns), Colour::dim);
    text.pad_to(indent_ == narrow_column ? 0 : indent_ + 3);
    write_words(text, report.finding);
  }

  Output& output_;
  TextStyle style_;
  unsigned width_;
  std::size_t indent_;
  TraceWords words_;
  Stories stories_;
  bool written_ = false;
};

}  // namespace

std::unique_ptr<Sink> make_story_text(Output& output, const Names& names, const TextStyle& style) {
  return std::make_unique<StoryTextSink>(output, names, style);
}

}  // namespace tcpwitness
