// SPDX-License-Identifier: Apache-2.0
#include "values/container.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <utility>

namespace tcpwitness {
namespace {

constexpr std::size_t shown_digits = 12;  // of a container's id

// Takes what stands before the first `mark`, and the mark.
std::string_view take_until(std::string_view& rest, char mark) {
  const std::size_t end = std::min(rest.find(mark), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

bool is_id(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() >= 32 && std::ranges::all_of(text, is_hex);
}

// "docker-ID.scope", "cri-containerd-ID.scope", or an id alone, below the name of who made it.
std::optional<std::string> by_id(std::string_view part, std::string_view above) {
  if (part.ends_with(".scope")) part.remove_suffix(6);
  const std::size_t dash = part.rfind('-');
  const std::string_view id = dash == std::string_view::npos ? part : part.substr(dash + 1);
  if (!is_id(id)) return std::nullopt;
  std::string_view maker = dash == std::string_view::npos ? above : part.substr(0, dash);
  if (maker.starts_with("pod") || maker.starts_with("kubepods")) maker = "";  // a pod's own number is less specific
  return std::string(maker) + (maker.empty() ? "" : ":") + std::string(id.substr(0, shown_digits));
}

std::optional<std::string> by_name(std::string_view part, std::string_view above) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> makers{
      {{"lxc.payload.", "lxc:"}, {"systemd-nspawn@", "nspawn:"}, {"machine-", "machine:"}}};
  if (above == "lxc" || above == "lxc.payload") return "lxc:" + std::string(part);
  for (const auto& [begin, maker] : makers) {
    if (!part.starts_with(begin)) continue;
    part.remove_prefix(begin.size());
    for (const std::string_view end : {".service", ".scope"}) {
      if (part.ends_with(end)) part.remove_suffix(end.size());
    }
    return std::string(maker) + std::string(part);
  }
  return std::nullopt;
}

}  // namespace

std::string_view cgroup_path(std::string_view file) {
  std::string_view best;
  int best_rank = 4;
  while (!file.empty()) {
    std::string_view line = take_until(file, '\n');
    const bool unified = take_until(line, ':') == "0";
    const std::string_view controllers = take_until(line, ':');
    if (line.empty()) continue;
    const int rank = line == "/" ? 3 : unified ? 0 : controllers == "name=systemd" ? 1 : 2;
    if (rank < best_rank) std::tie(best, best_rank) = std::pair(line, rank);
  }
  return best;
}

// The outermost container: what runs in it may have cgroups of its own.
std::string container_name(std::string_view path) {
  std::string_view rest = path;
  std::string_view above;
  std::string_view last;
  while (!rest.empty()) {
    const std::string_view part = take_until(rest, '/');
    if (part.empty() || part == "..") continue;  // "..": outside of what this process's cgroup namespace shows
    if (auto name = by_id(part, above)) return *name;
    if (auto name = by_name(part, above)) return *name;
    above = last = part;
  }
  return std::string(last.empty() ? path : last);
}

}  // namespace tcpwitness
