// SPDX-License-Identifier: Apache-2.0
#include "sink/picture/markup.hpp"

#include <algorithm>

#include "sink/orders.hpp"
#include "sink/utf8.hpp"

namespace tcpwitness::picture {

void append_escaped(Buffer& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (text[0] == '&') {
      append(out, "&amp;");
    } else if (text[0] == '<') {
      append(out, "&lt;");
    } else if (text[0] == '>') {
      append(out, "&gt;");
    } else if (text[0] == '"') {
      append(out, "&quot;");
    } else if (text[0] == '\'') {
      append(out, "&#39;");
    } else if (length > 0 && !is_order(text, length)) {
      append(out, text.substr(0, length));
    } else {
      out.push_back('?');
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void append_script_json(Buffer& out, std::string_view json) {
  for (std::size_t at = json.find('<'); at != std::string_view::npos; at = json.find('<')) {
    append(out, json.substr(0, at));
    append(out, "\\u003c");
    json.remove_prefix(at + 1);
  }
  append(out, json);
}

}  // namespace tcpwitness::picture
