// SPDX-License-Identifier: Apache-2.0
#include "top/texts.hpp"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>

#include "sink/sinks.hpp"
#include "top/painted.hpp"

namespace tcpwitness::top {
namespace {

TextStyle style_of(const TextLook& look) {
  TextStyle style;
  style.colour = look.colour;
  style.utf8 = look.utf8;
  style.width = static_cast<unsigned>(look.width);
  style.wire_alone = look.wire_alone;
  return style;
}

// What the sink prints of each report goes into its buffer and is taken from there: nothing is written.
class Printed {
 public:
  explicit Printed(const std::function<std::unique_ptr<Sink>(Output&)>& make) : sink_(make(output_)) {}
  void print(const Report& report) {
    sink_->write(report);
    const Buffer& buffer = output_.buffer();
    text_.append(buffer.data(), buffer.size());
    output_.buffer().clear();
  }
  void line(std::string_view line) { text_.append(line).push_back('\n'); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Output output_{-1};
  std::unique_ptr<Sink> sink_;
  std::string text_;
};

}  // namespace

std::vector<Row> timeline_of(const Kept::Of& of, const Names& names, const TextLook& look) {
  Printed printed([&](Output& output) { return make_trace_text(output, names, style_of(look)); });
  for (const Report& report : of.first) printed.print(report);
  if (of.left_out != 0) printed.line(fmt::format("  ... {} events are not kept ...", of.left_out));
  for (const Report& report : of.last) printed.print(report);
  return rows_of(printed.text(), look.width, look.utf8);
}

std::vector<Row> story_of(const Kept::Of* of, const Life& life, const Names& names, const TextLook& look) {
  Printed printed([&](Output& output) { return make_story_text(output, names, style_of(look)); });
  const auto take = [&](const Report& report) {
    if (std::holds_alternative<Entry>(report)) printed.print(report);
  };
  if (of != nullptr) {
    for (const Report& report : of->first) take(report);
    for (const Report& report : of->last) take(report);
  }
  printed.print(Report(life));
  return rows_of(printed.text(), look.width, look.utf8);
}

}  // namespace tcpwitness::top
