// SPDX-License-Identifier: Apache-2.0
//
// See residue.hpp. The kernel frees BPF objects a little after their last descriptor, so one looks more than once.

#include "live/residue.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace tcpwitness::live {
namespace {

std::set<int> listed(const char* what) {
  std::set<int> ids;
  const auto out = lab::run_tool({"bpftool", "-j", what, "list"});
  if (!out) return ids;
  for (const auto& object : nlohmann::json::parse(*out, nullptr, false)) {
    if (object.is_object()) ids.insert(object.value("id", 0));
  }
  return ids;
}

std::set<int> common(const std::set<int>& a, const std::set<int>& b) {
  std::set<int> both;
  for (const int id : a) {
    if (b.contains(id)) both.insert(id);
  }
  return both;
}

std::string devices(const std::string& netns) {
  const auto list = lab::run_tool({"ip", "-n", netns, "-j", "link"});
  std::string all;
  if (!list) return list.error();
  for (const auto& link : nlohmann::json::parse(*list, nullptr, false)) {
    const std::string name = link.value("ifname", "");
    all += name + (link.contains("xdp") ? " has XDP\n" : "\n");
    for (const char* direction : {"ingress", "egress"}) {
      const auto filters = lab::run_tool({"tc", "-n", netns, "filter", "show", "dev", name, direction});
      all += filters ? *filters : "";
    }
  }
  return all;
}

}  // namespace

KernelObjects objects_of(pid_t pid) {
  KernelObjects objects;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fdinfo", pid), error)) {
    std::ifstream file(entry.path());
    for (std::string word; file >> word;) {
      int id = 0;
      if (word == "link_id:" && file >> id) objects.links.insert(id);
      if (word == "prog_id:" && file >> id) objects.programs.insert(id);
    }
  }
  return objects;
}

KernelObjects remaining(const KernelObjects& objects) {
  return {common(objects.links, listed("link")), common(objects.programs, listed("prog"))};
}

std::string attachments(const std::string& netns) {
  const auto qdiscs = lab::run_tool({"tc", "-n", netns, "qdisc", "show"});
  const auto net = lab::run_tool({"ip", "netns", "exec", netns, "bpftool", "-j", "net"});
  return fmt::format("{}{}{}", qdiscs ? *qdiscs : qdiscs.error(), devices(netns), net ? *net : net.error());
}

std::string residue(const KernelObjects& objects, const std::string& netns, const std::string& before,
                    Millis patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const bool last = std::chrono::steady_clock::now() >= until;
    const KernelObjects left = remaining(objects);
    const std::string now = attachments(netns);
    if (left.links.empty() && left.programs.empty() && now == before) return "";
    if (last) {
      return fmt::format("links {}, programs {}; in the namespace before:\n{}\nnow:\n{}", left.links.size(),
                         left.programs.size(), before, now);
    }
    lab::pause_for(Millis(50));
  }
}

}  // namespace tcpwitness::live
