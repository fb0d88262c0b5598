// SPDX-License-Identifier: Apache-2.0
// checkup.cpp: see checkup.hpp. A mark, a name and what was found on each line; what to do about it on the next.
#include "sink/views/checkup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "sink/json_writer.hpp"
#include "sink/line.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t name_column = 8;
constexpr std::size_t widest_name = 28;

struct Mark {
  std::string_view text;
  Colour colour;
};
constexpr std::array<Mark, 4> marks{
    {{"ok", Colour::good}, {"less", Colour::warn}, {"NO", Colour::bad}, {"?", Colour::warn}}};
constexpr std::array<std::string_view, 4> state_names{"good", "less", "bad", "unknown"};
constexpr std::array<std::string_view, 4> group_names{"machine", "kernel", "wire", "residue"};
constexpr std::array<std::string_view, 4> titles{"This machine", "Kernel events", "Packets", "Left behind"};

template <typename Enum>
std::size_t index(Enum value) {
  return static_cast<std::size_t>(value);
}

std::string works(Check::State state) {
  switch (state) {
    case Check::State::good:
      return "can be traced";
    case Check::State::less:
      return "can be traced, with less (see above)";
    case Check::State::bad:
      return "cannot be traced";
    case Check::State::unknown:
      break;
  }
  return "could not be tried";
}

void write_check(Line& line, const Check& check, std::size_t column) {
  const Mark& mark = marks[index(check.state)];
  line.pad_to(2);
  line.put(mark.text, mark.colour);
  line.pad_to(name_column);
  line.put(check.name);
  line.pad_to(column);
  line.words(check.found, column);
  line.end();
  if (check.advice.empty()) return;
  line.pad_to(column);
  line.words(check.advice, column, Colour::dim);
  line.end();
}

}  // namespace

void write_checkup_text(Output& output, const TextStyle& style, const Checkup& checkup) {
  Line line(output.buffer(), style, style.width != 0 ? style.width : width_elsewhere);
  line.put(fmt::format("tcpwitness {} with libbpf {} on Linux {}", checkup.version, checkup.libbpf, checkup.kernel));
  line.end();
  for (std::size_t group = 0; group < titles.size(); ++group) {
    std::size_t widest = 0;
    for (const Check& check : checkup.checks) {
      if (index(check.group) == group) widest = std::max(widest, columns(check.name));
    }
    if (widest == 0) continue;
    output.buffer().push_back('\n');
    line.put(titles[group], Colour::bold);
    line.end();
    const std::size_t column = name_column + std::min(widest, widest_name) + 2;
    for (const Check& check : checkup.checks) {
      if (index(check.group) == group) write_check(line, check, column);
    }
  }
  output.buffer().push_back('\n');
  line.put(fmt::format("Kernel events {}; packets {}.", works(checkup.kernel_witness), works(checkup.wire_witness)),
           checkup.both_work() ? Colour::good : Colour::bad);
  line.end();
  output.line_done();
}

void write_checkup_json(Output& output, const Checkup& checkup) {
  JsonWriter json(output.buffer());
  json.begin_object();
  json.field("type", "doctor");
  json.field("ts_ns", checkup.ts_ns);
  json.field("version", checkup.version);
  json.field("kernel", checkup.kernel);
  json.field("libbpf", checkup.libbpf);
  json.field("kernel_witness", state_names[index(checkup.kernel_witness)]);
  json.field("wire_witness", state_names[index(checkup.wire_witness)]);
  json.key("checks");
  json.begin_array();
  for (const Check& check : checkup.checks) {
    json.begin_object();
    json.field("group", group_names[index(check.group)]);
    json.field("name", check.name);
    json.field("state", state_names[index(check.state)]);
    json.field("found", check.found);
    if (!check.advice.empty()) json.field("advice", check.advice);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  output.buffer().push_back('\n');
  output.line_done();
}

}  // namespace tcpwitness
