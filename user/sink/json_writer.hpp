// SPDX-License-Identifier: Apache-2.0
// json_writer.hpp: JSON appended to a buffer, nothing else: no tree, no allocation, no stack.
//
// The caller opens and closes in order; commas are ours. Keys are literals that need no escaping.
// Strings may hold any bytes: what is not UTF-8 becomes U+FFFD, so a line is always valid JSON.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sink/output.hpp"
#include "sink/utf8.hpp"

namespace tcpwitness {

class JsonWriter {
 public:
  explicit JsonWriter(Buffer& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }

  void key(std::string_view name) {
    char* at = extend(name.size() + (comma_ ? 4 : 3));
    if (comma_) *at++ = ',';
    *at++ = '"';
    at = std::copy_n(name.data(), name.size(), at);
    *at++ = '"';
    *at = ':';
    comma_ = false;
  }

  void value(std::string_view text) {
    separate();
    out_.push_back('"');
    escape(text);
    out_.push_back('"');
  }
  void value(const char* text) { value(std::string_view(text)); }
  void value(std::integral auto number) {
    separate();
    if constexpr (std::same_as<decltype(number), bool>) {
      raw(number ? "true" : "false");
    } else {
      const fmt::format_int digits(number);
      raw({digits.data(), digits.size()});
    }
  }
  void null() {
    separate();
    raw("null");
  }
  // A value whose text appends itself and needs no escaping (an address).
  template <typename Append>
  void quoted(Append&& append) {
    separate();
    out_.push_back('"');
    append(out_);
    out_.push_back('"');
  }

  template <typename T>
  void field(std::string_view name, const T& content) {
    key(name);
    value(content);
  }

 private:
  char* extend(std::size_t bytes) {
    const std::size_t at = out_.size();
    out_.resize(at + bytes);
    return out_.data() + at;
  }
  void raw(std::string_view text) { std::copy_n(text.data(), text.size(), extend(text.size())); }
  void separate() {
    if (comma_) out_.push_back(',');
    comma_ = true;
  }
  void open(char bracket) {
    separate();
    out_.push_back(bracket);
    comma_ = false;
  }
  void close(char bracket) {
    out_.push_back(bracket);
    comma_ = true;
  }

  static constexpr bool plain(char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
  }
  void escape(std::string_view text) {
    while (!text.empty()) {
      std::size_t run = 0;
      while (run < text.size() && plain(text[run])) ++run;
      raw(text.substr(0, run));
      text.remove_prefix(run);
      if (!text.empty()) text.remove_prefix(escape_one(text));
    }
  }
  std::size_t escape_one(std::string_view text) {
    const auto byte = static_cast<std::uint8_t>(text[0]);
    if (text[0] == '"' || text[0] == '\\') {
      out_.push_back('\\');
      out_.push_back(text[0]);
    } else if (byte == '\n') {
      raw("\\n");
    } else if (byte == '\t') {
      raw("\\t");
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr std::string_view hex = "0123456789abcdef";
      raw("\\u00");
      out_.push_back(hex[byte >> 4]);
      out_.push_back(hex[byte & 15]);
    } else if (const std::size_t length = utf8_length(text); length > 0) {
      raw(text.substr(0, length));
      return length;
    } else {
      raw("\xef\xbf\xbd");  // U+FFFD, one for each byte that fits nothing
    }
    return 1;
  }

  Buffer& out_;
  bool comma_ = false;
};

}  // namespace tcpwitness
