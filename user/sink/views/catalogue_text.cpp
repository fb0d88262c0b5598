// SPDX-License-Identifier: Apache-2.0
// catalogue_text.cpp: see catalogue_text.hpp.
#include "sink/views/catalogue_text.hpp"

#include <string>

#include "judge/catalogue.hpp"
#include "sink/json_writer.hpp"
#include "sink/line.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t indent = 4;
constexpr std::size_t hanging = 18;

class Page {
 public:
  Page(Output& output, const TextStyle& style)
      : output_(output), line_(output.buffer(), style, style.width != 0 ? style.width : width_elsewhere) {}

  void title(std::string_view title, std::string_view text) {
    begin_entry();
    line_.put(title, Colour::bold);
    line_.words(text, indent);
    line_.end();
  }
  void entry(std::string_view name, std::string_view meaning) {
    begin_entry();
    line_.pad_to(0);
    line_.put(name, Colour::bold);
    line_.end();
    line_.pad_to(indent);
    std::string sentence(meaning);
    const bool call = std::string_view(sentence).substr(0, sentence.find(' ')).ends_with("()");  // keeps its spelling
    if (!call && sentence[0] >= 'a' && sentence[0] <= 'z') sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
    line_.words(sentence + '.', indent);
    line_.end();
  }
  void row(std::string_view what, std::string_view text) {
    if (text.empty()) return;
    line_.pad_to(indent);
    line_.put(what, Colour::dim);
    line_.pad_to(hanging);
    line_.words(text, hanging);
    line_.end();
    output_.line_done();
  }

 private:
  void begin_entry() {
    if (written_) output_.buffer().push_back('\n');
    written_ = true;
  }
  Output& output_;
  Line line_;
  bool written_ = false;
};

bool wanted(std::string_view name, std::string_view only) { return only.empty() || name == only; }

void put(JsonWriter& json, std::string_view key, std::string_view text) {
  if (!text.empty()) json.field(key, text);
}

template <typename Fill>
void object(Output& output, Fill fill) {
  JsonWriter json(output.buffer());
  json.begin_object();
  fill(json);
  json.end_object();
  output.buffer().push_back('\n');
  output.line_done();
}

}  // namespace

void write_catalogue_text(Output& output, const TextStyle& style, std::string_view only) {
  Page page(output, style);
  if (only.empty()) page.title("OUTCOMES:", "how a connection ended, exactly one each");
  for (const OutcomeEntry& entry : outcome_catalogue()) {
    if (!wanted(name(entry.outcome), only)) continue;
    page.entry(name(entry.outcome), entry.meaning);
    page.row("rests on", entry.evidence);
    page.row("fooled by", entry.fooled_by);
  }
  if (only.empty()) page.title("FINDINGS:", "what kernel events and packets show together, any number");
  for (const RuleEntry& entry : rule_catalogue()) {
    if (!wanted(name(entry.rule), only)) continue;
    page.entry(name(entry.rule), entry.meaning);
    page.row("kernel", entry.kernel);
    page.row("wire", entry.wire);
    page.row("certain", entry.certain);
    page.row("likely", entry.likely);
    page.row("inconclusive", entry.inconclusive);
    page.row("fooled by", entry.fooled_by);
    page.row("what to do", entry.advice);
  }
  if (only.empty()) page.title("Always:", "a finding of a connection in whose time events were lost is inconclusive.");
}

void write_catalogue_json(Output& output, std::string_view only) {
  for (const OutcomeEntry& entry : outcome_catalogue()) {
    if (!wanted(name(entry.outcome), only)) continue;
    object(output, [&](JsonWriter& json) {
      json.field("type", "outcome-entry");
      json.field("name", name(entry.outcome));
      json.field("meaning", entry.meaning);
      json.field("evidence", entry.evidence);
      json.field("fooled_by", entry.fooled_by);
    });
  }
  for (const RuleEntry& entry : rule_catalogue()) {
    if (!wanted(name(entry.rule), only)) continue;
    object(output, [&](JsonWriter& json) {
      json.field("type", "finding-entry");
      json.field("name", name(entry.rule));
      json.field("meaning", entry.meaning);
      put(json, "kernel", entry.kernel);
      put(json, "wire", entry.wire);
      put(json, "certain", entry.certain);
      put(json, "likely", entry.likely);
      put(json, "inconclusive", entry.inconclusive);
      json.field("advice", entry.advice);
      json.field("fooled_by", entry.fooled_by);
    });
  }
}

}  // namespace tcpwitness
