// SPDX-License-Identifier: Apache-2.0
// json_writer.hpp: JSON appended to a buffer, nothing else: no tree, no allocation, no stack.
//
// The caller opens and closes in order; commas are ours. Keys are literals that need no escaping.
// Strings may hold any bytes: what is not UTF-8 becomes U+FFFD, so a line is always valid JSON.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "sink/output.hpp"
#include "sink/utf8.hpp"
#include "values/digits.hpp"
#include "values/short_text.hpp"

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
    end(put_key(begin(name.size() + 4), name));
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
  void plain(std::string_view text) { end(put_quoted(put_comma(begin(text.size() + 3)), text)); }
  void value(const char* text) { value(std::string_view(text)); }
  void value(std::integral auto number) {
    if constexpr (std::same_as<decltype(number), bool>) {
      separate();
      raw(number ? "true" : "false");
    } else {
      end(put_integer(put_comma(begin(most_digits + 2)), number));
    }
  }
  void null() {
    separate();
    raw("null");
  }
  // A value whose text needs no escaping (an address): put(place) writes at most so much of it, and returns the place
  // behind it.
  template <typename Put>
  void quoted(std::size_t most, Put put) {
    char* at = put_comma(begin(most + 3));
    *at++ = '"';
    at = put(at);
    *at++ = '"';
    end(at);
  }

  template <typename T>
  [[gnu::always_inline]] void field(std::string_view name, const T& content) {
    if constexpr (std::same_as<T, bool>) {
      literal_field(name, content ? "true" : "false");
    } else if constexpr (std::integral<T>) {
      end(put_integer(put_key(begin(name.size() + 4 + most_digits + 1), name), content));
    } else {
      key(name);
      value(content);
    }
  }
  [[gnu::always_inline]] void plain_field(std::string_view name, std::string_view content) {
    end(put_quoted(put_key(begin(name.size() + 4 + content.size() + 2), name), content));
  }
  // A value that is text of ours, quotes included where it has some.
  [[gnu::always_inline]] void literal_field(std::string_view name, std::string_view content) {
    end(put_literal(put_key(begin(name.size() + 4 + content.size()), name), content));
  }

 private:
  char* extend(std::size_t bytes) {
    const std::size_t at = out_.size();
    out_.resize(at + bytes);
    return out_.data() + at;
  }
  // Room for so many bytes more, at the end of what is written; end() says how many of them were.
  [[gnu::always_inline]] char* begin(std::size_t most) {
    out_.reserve(out_.size() + most);
    return out_.data() + out_.size();
  }
  [[gnu::always_inline]] void end(const char* at) { out_.resize(static_cast<std::size_t>(at - out_.data())); }
  // What is next in its object or array.
  [[gnu::always_inline]] char* put_comma(char* at) {
    *at = ',';  // where there is none, it is overwritten
    at += comma_ ? 1 : 0;
    comma_ = true;
    return at;
  }
  // Literals: copied as numbers are.
  [[gnu::always_inline]] static char* put_literal(char* at, std::string_view text) {
    return __builtin_constant_p(text.size()) ? std::copy_n(text.data(), text.size(), at) : copy_text(at, text);
  }
  [[gnu::always_inline]] char* put_key(char* at, std::string_view name) {
    at = put_comma(at);
    *at++ = '"';
    at = put_literal(at, name);
    *at++ = '"';
    *at++ = ':';
    return at;
  }
  static char* put_quoted(char* at, std::string_view text) {
    *at++ = '"';
    at = copy_text(at, text);
    *at++ = '"';
    return at;
  }
  template <std::integral Number>
  [[gnu::always_inline]] static char* put_integer(char* at, Number number) {
    auto magnitude = static_cast<std::uint64_t>(number);
    if constexpr (std::signed_integral<Number>) {
      *at = '-';  // where it has none, it is overwritten
      at += number < 0 ? 1 : 0;
      magnitude = number < 0 ? 0 - magnitude : magnitude;
    }
    return put_number(at, magnitude);
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

  // Those that stand in a string as they are.
  static constexpr std::array<bool, 256> plain_bytes = [] {
    std::array<bool, 256> plain{};
    for (std::size_t byte = 0x20; byte < 0x7f; ++byte) plain[byte] = byte != '"' && byte != '\\';
    return plain;
  }();
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
    while (run < text.size() && plain_bytes[static_cast<std::uint8_t>(text[run])]) ++run;
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
