// SPDX-License-Identifier: Apache-2.0
//
// See printed.hpp. Missing fields never throw: they read as "?" and fail the comparison they are in.

#include "live/printed.hpp"

#include <fmt/format.h>

namespace tcpwitness::live {
namespace {

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return "?";
  if (found->is_string()) return found->get<std::string>();
  return found->is_null() ? "-" : found->dump();
}

bool same_end(const Json& end, const lab::Endpoint& endpoint) {
  return end.is_object() && text(end, "ip") == endpoint.ip && end.value("port", -1) == endpoint.port;
}

}  // namespace

Printed::Printed(std::string_view ndjson) {
  while (!ndjson.empty()) {
    const size_t end = std::min(ndjson.find('\n'), ndjson.size());
    const std::string_view line = ndjson.substr(0, end);
    ndjson.remove_prefix(std::min(end + 1, ndjson.size()));
    Json object = Json::parse(line, nullptr, false);
    if (object.is_object() && object.contains("type")) {
      lines_.push_back(std::move(object));
    } else {
      broken_.emplace_back(line);
    }
  }
}

std::vector<Json> Printed::of(std::string_view type) const {
  std::vector<Json> found;
  for (const Json& line : lines_) {
    if (line["type"] == type) found.push_back(line);
  }
  return found;
}

std::vector<Json> Printed::of(std::string_view type, const Json& conn) const {
  std::vector<Json> found;
  for (const Json& line : lines_) {
    if (line["type"] == type && line.contains("conn") && line["conn"] == conn) found.push_back(line);
  }
  return found;
}

Json Printed::ready() const {
  const auto found = of("ready");
  return found.empty() ? Json::object() : found.front();
}

std::vector<Json> Printed::hooks() const { return ready().value("hooks", std::vector<Json>()); }

Json Printed::summary() const {
  const auto found = of("summary");
  return found.empty() ? Json::object() : found.back();
}

Json Printed::life(const lab::Endpoint& local, const lab::Endpoint& remote) const {
  Json found = Json::object();
  for (const Json& life : of("life")) {
    if (!same_end(life["local"], local) || !same_end(life["remote"], remote)) continue;
    if (!found.empty()) return Json::object();
    found = life;
  }
  return found;
}

std::vector<Json> Printed::events_with(const Json& id) const {
  std::vector<Json> found;
  for (const Json& line : lines_) {
    if (line.contains("id") && line["id"] == id) found.push_back(line);
  }
  return found;
}

std::string in_words(const Json& segment) {
  return fmt::format("{} {} {} {}", text(segment, "dir"), text(segment, "flags"), text(segment, "rel_seq"),
                     text(segment, "rel_ack"));
}

Words Printed::transitions(const Json& conn) const {
  Words words;
  for (const Json& state : of("state", conn)) {
    if (state["from"] == state["to"]) continue;  // no transition: the socket gives way to a mini-socket, say
    std::string line = fmt::format("{} > {}:", text(state, "from"), text(state, "to"));
    const Json cause = state.value("cause", Json::object());
    if (cause.empty()) {
      line += " unknown";
    } else if (cause["kind"] == "segment") {
      std::string by = " segment not reported";
      for (const Json& event : events_with(cause["id"])) {
        if (event["type"] == "segment") by = " " + in_words(event);
      }
      line += by;
    } else {
      line += " " + text(cause, "what");
    }
    if (state.value("inferred", false)) line += " (inferred)";
    words.push_back(line);
  }
  return words;
}

Words Printed::control_segments(const Json& conn) const {
  Words words;
  for (const Json& segment : of("segment", conn)) {
    const std::string flags = text(segment, "flags");
    const bool control = flags.find("SYN") != std::string::npos || flags.find("FIN") != std::string::npos ||
                         flags.find("RST") != std::string::npos;
    if (control) words.push_back(in_words(segment));
  }
  return words;
}

std::vector<Json> Printed::analysed(const Json& conn, std::string_view word) const {
  std::vector<Json> found;
  for (const Json& segment : of("segment", conn)) {
    for (const Json& one : segment["analysis"]) {
      if (one.get<std::string>() == word) found.push_back(segment);
    }
  }
  return found;
}

std::vector<Json> Printed::retransmissions(const Json& conn) const {
  constexpr int put_off = -16;  // EBUSY
  std::vector<Json> found = of("retransmit", conn);
  std::erase_if(found, [](const Json& entry) { return entry.contains("err") && entry["err"] == put_off; });
  return found;
}

std::vector<Json> Printed::findings(const Json& conn, std::string_view rule) const {
  std::vector<Json> found;
  for (const Json& finding : of("finding", conn)) {
    if (finding["rule"] == rule) found.push_back(finding);
  }
  return found;
}

std::set<std::string> Printed::findings(const Json& conn) const {
  std::set<std::string> found;
  for (const Json& finding : of("finding", conn))
    found.insert(text(finding, "rule") + " " + text(finding, "confidence"));
  return found;
}

bool Printed::kernel_was_late(const Json& conn) const {
  constexpr int64_t late_ns = 100'000'000;
  return std::ranges::any_of(of("state", conn), [](const Json& state) {
    return state.value("/cause/delay_ns"_json_pointer, int64_t{0}) >= late_ns;
  });
}

std::set<int64_t> Printed::pids(const Json& conn) const {
  std::set<int64_t> found;
  for (const Json& line : lines_) {
    if (!line.contains("conn") || line["conn"] != conn) continue;
    if (line.contains("pid") && line["pid"].is_number()) found.insert(line["pid"].get<int64_t>());
  }
  return found;
}

std::string digest(const Printed& printed) {
  std::string page;
  int64_t start = 0;
  for (const Json& line : printed.all()) {
    const int64_t ts = line.value("ts_ns", int64_t{0});
    if (start == 0) start = ts;
    std::string rest;
    if (line["type"] == "segment") {
      rest =
          fmt::format("{} len {} win {} {} {} {} {}", in_words(line), text(line, "len"), text(line, "win"),
                      text(line, "ifname"), text(line, "kernel_state"), text(line, "socket"), line["analysis"].dump());
    } else {
      Json copy = line;
      for (const char* known : {"type", "ts_ns", "conn", "id", "local", "remote", "tcp", "hooks"}) copy.erase(known);
      rest = copy.dump();
    }
    page += fmt::format("  {:10.6f} conn {} #{} {} {}\n", static_cast<double>(ts - start) / 1e9, text(line, "conn"),
                        text(line, "id"), text(line, "type"), rest);
  }
  for (const std::string& line : printed.broken()) page += "  not JSON: " + line + "\n";
  return page;
}

}  // namespace tcpwitness::live
