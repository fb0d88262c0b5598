// SPDX-License-Identifier: Apache-2.0
#include "run/containers.hpp"

#include <fmt/format.h>

#include <fstream>

#include "decode/record.hpp"
#include "values/container.hpp"

namespace tcpwitness {
namespace {

std::string read_container(std::uint32_t pid) {
  constexpr std::size_t at_most = 8'192;
  std::ifstream file(fmt::format("/proc/{}/cgroup", pid));
  std::string text(at_most, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return container_name(cgroup_path(text));
}

}  // namespace

void Containers::note(const Event& event) {
  const Actor* actor = nullptr;
  if (const auto* state = std::get_if<StateChange>(&event.body)) actor = &state->actor;
  if (const auto* owner = std::get_if<OwnerSeen>(&event.body)) actor = &owner->actor;
  if (actor == nullptr || actor->tgid == 0) return;
  static_cast<void>(of(actor->tgid, name_of(*actor)));
}

std::string Containers::of(std::uint32_t pid, std::string_view comm) {
  const auto at = known_.find(pid);
  if (at != known_.end() && at->second.comm == comm) return at->second.name;
  std::string name = read_container(pid);
  if (name.empty()) return name;
  if (known_.size() >= limit) known_.clear();
  known_.insert_or_assign(pid, Known{std::string(comm), name});
  return name;
}

}  // namespace tcpwitness
