// SPDX-License-Identifier: Apache-2.0
#include "metrics/label_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sink/listener.hpp"
#include "sink/utf8.hpp"

namespace tcpwitness::metrics {
namespace {

constexpr std::size_t ipv4_network_bytes = 15;  // ::ffff:a.b.c
constexpr std::size_t ipv6_network_bytes = 6;
constexpr std::size_t most_seen = 16'384;
constexpr const char* other = "other";

std::size_t network_bytes(const Address& address) {
  return address.is_ipv4() ? ipv4_network_bytes : ipv6_network_bytes;
}

std::string text_of(MetricLabel label, const Subject& subject) {
  switch (label) {
    case MetricLabel::listener:
      return subject.port == 0 ? "" : fmt::format("{}", subject.port);
    case MetricLabel::process:
      return label_value(subject.process);
    case MetricLabel::remote:
      return network_of(subject.remote);
    case MetricLabel::role:
      return subject.role == Role::unknown ? "" : std::string(name(subject.role));
  }
  return "";
}

void append_bytes(std::string& key, MetricLabel label, const Subject& subject) {
  switch (label) {
    case MetricLabel::listener:
      key.push_back(static_cast<char>(subject.port & 0xffU));
      key.push_back(static_cast<char>(subject.port >> 8U));
      break;
    case MetricLabel::process:
      key.append(subject.process).push_back('\0');
      break;
    case MetricLabel::remote: {
      const std::size_t length = network_bytes(subject.remote);
      key.push_back(static_cast<char>(length));
      for (std::size_t i = 0; i < length; ++i) key.push_back(static_cast<char>(subject.remote.bytes.at(i)));
      break;
    }
    case MetricLabel::role:
      key.push_back(static_cast<char>(subject.role));
      break;
  }
}

std::string joined(const std::vector<std::string>& values) {
  std::string key;
  for (const std::string& value : values) key.append(value).push_back('\0');
  return key;
}

}  // namespace

Subject subject_of(const Life& life) {
  return {.port = listener_of(life).port,
          .process = life.forwarded ? std::string_view("forwarded") : std::string_view(life.process.comm),
          .remote = life.flow.remote.address,
          .role = life.role,
          .admitted = (life.role == Role::active && !life.forwarded) || life.handshake_ns || life.preexisting ||
                      life.rx_bytes != 0};
}

LabelSets::LabelSets(LabelSettings settings) : settings_(std::move(settings)), values_(settings_.labels.size()) {}

LabelSets::Found LabelSets::find(const Subject& subject) {
  key_.clear();
  for (const MetricLabel label : settings_.labels) append_bytes(key_, label, subject);
  const auto seen = seen_.find(key_);
  if (seen != seen_.end()) return seen->second;
  const Found found = add(subject);
  if (subject.admitted && seen_.size() < most_seen) seen_.emplace(key_, found);
  return found;
}

LabelSets::Found LabelSets::add(const Subject& subject) {
  std::vector<std::string> values;
  bool too_many = false;
  for (std::size_t i = 0; i < settings_.labels.size(); ++i) {
    std::string text = text_of(settings_.labels[i], subject);
    auto& known = values_[i];
    const bool from_outside =
        settings_.labels[i] == MetricLabel::listener || settings_.labels[i] == MetricLabel::remote;
    if (!known.contains(text)) {
      if (known.size() < settings_.limit && (subject.admitted || !from_outside)) {
        known.insert(text);
      } else {
        text = other;
        too_many = true;
      }
    }
    values.push_back(std::move(text));
  }
  constexpr std::size_t combinations = 4;
  const auto at = indices_.find(joined(values));
  if (at != indices_.end()) return {at->second, too_many};
  if (sets_.size() < combinations * settings_.limit) return {index_of(std::move(values)), too_many};
  return {index_of(std::vector<std::string>(values.size(), other)), true};
}

std::size_t LabelSets::index_of(std::vector<std::string> values) {
  const auto [at, is_new] = indices_.try_emplace(joined(values), sets_.size());
  if (is_new) sets_.push_back(std::move(values));
  return at->second;
}

std::string label_value(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (length == 0 || first < 0x20 || first == 0x7f) {
      fmt::format_to(std::back_inserter(clean), "\\x{:02x}", first);
      text.remove_prefix(1);
      continue;
    }
    clean.append(text.substr(0, length));
    text.remove_prefix(length);
  }
  return clean;
}

std::string network_of(const Address& address) {
  Address network = address;
  const std::size_t kept = network_bytes(address);
  std::fill(network.bytes.begin() + static_cast<std::ptrdiff_t>(kept), network.bytes.end(), std::uint8_t{0});
  return fmt::format("{}/{}", to_string(network), address.is_ipv4() ? 24 : 48);
}

}  // namespace tcpwitness::metrics
