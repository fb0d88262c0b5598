// SPDX-License-Identifier: Apache-2.0
#include "sink/picture/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sink/format.hpp"
#include "sink/json_report.hpp"
#include "sink/json_writer.hpp"
#include "sink/picture/assets.hpp"
#include "sink/picture/markup.hpp"
#include "sink/picture/series.hpp"
#include "sink/picture/svg.hpp"

namespace tcpwitness::picture {
namespace {

constexpr std::size_t rows_at_a_time = 100;

class Writer {
 public:
  Writer(Output& output, const Page& page, const Names& names, const LadderSettings& settings)
      : output_(output), out_(output.buffer()), page_(page), names_(names), settings_(settings), reports_(names) {}

  void write() {
    head();
    for (const Connection* connection : page_.connections) ladder(*connection);
    data();
    append(out_, "<script>");
    append(out_, page_script);
    append(out_, "</script>\n</html>\n");
    output_.line_done();
  }

 private:
  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void head() {
    append(out_, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    // Nothing is loaded, and no script runs but this one.
    put("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'sha256-{}'\">\n",
        page_script_digest);
    append(out_, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>tcpwitness: ");
    append_escaped(out_, title());
    append(out_, "</title>\n<style>");
    append(out_, page_style);
    append(out_, ladder_style);
    append(out_, "</style>\n</head>\n");
    append(out_, page_body);
    output_.line_done();
  }

  [[nodiscard]] std::string title() const {
    const auto count = std::ranges::count(page_.connections, false, &Connection::stray);
    std::string text =
        fmt::format("{} connection{}", grouped(static_cast<std::uint64_t>(count)), count == 1 ? "" : "s");
    if (page_.ready && page_.ready->capture) text += " in " + page_.ready->capture->path;
    return text;
  }

  // Its head, and its rows in pieces. "ladder-3-0" is the first piece of connection 3.
  void ladder(const Connection& connection) {
    const Ladder drawn = lay_out(connection, page_.peer_of(connection), names_, settings_);
    const ConnectionId conn = connection.life.conn;
    Shape shape{.width = lanes_of(drawn).width, .height = drawn.height, .rows = drawn.rows.size(), .tops = {}};
    put("<script type=\"text/plain\" id=\"ladder-{}\">", conn);
    append_head(out_, drawn);
    append(out_, "</script>\n");
    for (std::size_t first = 0; first < drawn.rows.size(); first += rows_at_a_time) {
      const std::size_t last = std::min(first + rows_at_a_time, drawn.rows.size());
      const double from = drawn.rows[first].top;
      put("<script type=\"text/plain\" id=\"ladder-{}-{}\">", conn, shape.tops.size());
      append_rows(out_, drawn, first, last);
      append_remarks(out_, drawn, from, last < drawn.rows.size() ? drawn.rows[last].top : drawn.height + 1);
      append(out_, "</script>\n");
      shape.tops.push_back(from);
      output_.line_done();
    }
    if (drawn.rows.empty()) {
      put("<script type=\"text/plain\" id=\"ladder-{}-0\">", conn);
      append_remarks(out_, drawn, 0, drawn.height + 1);
      append(out_, "</script>\n");
      shape.tops.push_back(0);
    }
    shapes_.push_back(std::move(shape));
  }

  void report(std::string_view before, const Report& report) {
    scratch_.clear();
    reports_.append(scratch_, report);
    append(out_, before);
    append_script_json(out_, {scratch_.data(), scratch_.size()});
  }

  void data() {
    append(out_, "<script type=\"application/json\" id=\"data\">{\"connections\":[");
    for (std::size_t i = 0; i < page_.connections.size(); ++i) {
      const Connection& connection = *page_.connections[i];
      append(out_, i == 0 ? "\n{" : ",\n{");
      if (connection.stray) put("\"stray\":true,\"stray_segments\":{},", connection.stray_segments);
      report("\"life\":", connection.life);
      append(out_, ",\"findings\":[");
      for (std::size_t k = 0; k < connection.findings.size(); ++k) report(k == 0 ? "" : ",", connection.findings[k]);
      append(out_, "]");
      scratch_.clear();
      JsonWriter json(scratch_);
      json.begin_object();
      put_shape(json, shapes_[i]);
      put_series(json, connection);
      json.end_object();
      out_.push_back(',');
      append_script_json(out_, {scratch_.data() + 1, scratch_.size() - 1});  // goes on in the object that is open
      output_.line_done();
    }
    append(out_, "\n]");
    if (page_.ready) report(",\n\"ready\":", *page_.ready);
    if (page_.summary) report(",\n\"summary\":", *page_.summary);
    append(out_, ",\n\"gaps\":[");
    for (std::size_t i = 0; i < page_.gaps.size(); ++i) report(i == 0 ? "" : ",", page_.gaps[i]);
    put("],\n\"left_out\":{}}}</script>\n", page_.left_out);
  }

  struct Shape {
    double width = 0;
    double height = 0;
    std::size_t rows = 0;
    std::vector<double> tops;
  };
  static void put_shape(JsonWriter& json, const Shape& shape) {
    json.key("ladder");
    json.begin_object();
    json.field("width", static_cast<std::int64_t>(shape.width));
    json.field("height", static_cast<std::int64_t>(shape.height) + 1);
    json.field("rows", shape.rows);
    json.key("tops");
    json.begin_array();
    for (const double top : shape.tops) json.value(static_cast<std::int64_t>(top));
    json.end_array();
    json.end_object();
  }

  Output& output_;
  Buffer& out_;
  const Page& page_;
  const Names& names_;
  const LadderSettings& settings_;
  JsonReport reports_;
  std::vector<Shape> shapes_;
  Buffer scratch_;
};

}  // namespace

void write_page(Output& output, const Page& page, const Names& names, const LadderSettings& settings) {
  Writer(output, page, names, settings).write();
}

}  // namespace tcpwitness::picture
