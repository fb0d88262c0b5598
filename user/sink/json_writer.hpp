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
#include <cstring>
#include <string_view>

#include "sink/output.hpp"
#include "sink/short_text.hpp"
#include "sink/utf8.hpp"

namespace tcpwitness {

class JsonWriter {
 public:
  explicit JsonWriter(Buffer& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }

  // Inlined, a name is copied as a number is: a line has fifty of them.
  [[gnu::always_inline]] void key(std::string_view name) {
    char* at = separated(name.size() + 3);
    *at++ = '"';
    at = std::copy_n(name.data(), name.size(), at);
    *at++ = '"';
    *at = ':';
    comma_ = false;
  }

  void value(std::string_view text) {
    if (plain_run(text) == text.size()) return plain(text);
    separate();
    out_.push_back('"');
    escape(text);
    out_.push_back('"');
  }
  // Text that needs no escaping: a name of ours.
  void plain(std::string_view text) {
    char* at = separated(text.size() + 2);
    *at++ = '"';
    at = copy_text(at, text);
    *at = '"';
  }
  void value(const char* text) { value(std::string_view(text)); }
  void value(std::integral auto number) {
    if constexpr (std::same_as<decltype(number), bool>) {
      separate();
      raw(number ? "true" : "false");
    } else {
      const fmt::format_int digits(number);
      copy_text(separated(digits.size()), std::string_view(digits.data(), digits.size()));
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
  [[gnu::always_inline]] void field(std::string_view name, const T& content) {
    key(name);
    value(content);
  }
  [[gnu::always_inline]] void plain_field(std::string_view name, std::string_view content) {
    key(name);
    plain(content);
  }

 private:
  char* extend(std::size_t bytes) {
    const std::size_t at = out_.size();
    out_.resize(at + bytes);
    return out_.data() + at;
  }
  // Room for so many bytes of what is next in its object or array.
  [[gnu::always_inline]] char* separated(std::size_t bytes) {
    char* at = extend(bytes + (comma_ ? 1 : 0));
    *at = ',';  // where there is none, it is overwritten
    at += comma_ ? 1 : 0;
    comma_ = true;
    return at;
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
  // How many bytes from the first one on are plain. Most text is from its beginning to its end, which eight bytes at a
  // time can show.
  static std::size_t plain_run(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t tops = 0x80 * ones;
    const auto zero_in = [](std::uint64_t eight) { return (eight - ones) & ~eight; };  // in the top bit of a byte
    std::size_t run = 0;
    for (std::uint64_t eight = 0; run + sizeof eight <= text.size(); run += sizeof eight) {
      std::memcpy(&eight, text.data() + run, sizeof eight);
      const std::uint64_t below_space = (eight - 0x20 * ones) & ~eight;
      const std::uint64_t other = eight | below_space | zero_in(eight ^ 0x7f * ones) | zero_in(eight ^ '"' * ones) |
                                  zero_in(eight ^ '\\' * ones);
      if ((other & tops) != 0) break;
    }
    while (run < text.size() && plain(text[run])) ++run;
    return run;
  }
  void escape(std::string_view text) {
    while (!text.empty()) {
      const std::size_t run = plain_run(text);
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
