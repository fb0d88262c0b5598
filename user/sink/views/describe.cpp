// SPDX-License-Identifier: Apache-2.0
// describe.cpp: see describe.hpp. A hook is the wire's where its program's name begins with "wire"; which
// way it looks is in the name too. Interfaces that are watched alike are reported together.
#include "sink/views/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "sink/format.hpp"
#include "sink/line.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t names_in_full = 4;  // of a group of interfaces
constexpr std::size_t groups_on_first_line = 2;

bool is_wire(const Hook& hook) { return hook.name.starts_with("wire") && !is_missing_witness(hook); }
bool is_icmp(const Hook& hook) { return hook.name.starts_with("icmp_"); }
bool is_egress(const Hook& hook) { return hook.name.contains("egress"); }
bool is_off(const Hook& hook) { return hook.mode == "off"; }

struct Interface {
  std::string name;
  std::string in = "not watched";
  std::string out = "not watched";
};

// Interfaces in the order of their hooks.
std::vector<Interface> interfaces(const Ready& ready) {
  std::vector<Interface> found;
  for (const Hook& hook : ready.hooks) {
    if (!is_wire(hook)) continue;
    auto at = std::ranges::find(found, hook.target, &Interface::name);
    if (at == found.end()) at = found.insert(at, Interface{.name = hook.target});
    (is_egress(hook) ? at->out : at->in) = hook.mode + (hook.why.empty() ? "" : " (" + hook.why + ")");
  }
  return found;
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), names_in_full); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > names_in_full) text += fmt::format(" and {} more", names.size() - names_in_full);
  return text;
}

// "lo in tcx (why), out tcx", once for all interfaces that are watched alike.
std::vector<std::string> wire_groups(const Ready& ready) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const Interface& interface : interfaces(ready)) {
    const std::string how = fmt::format("in {}, out {}", interface.in, interface.out);
    auto at = std::ranges::find(groups, how, [](const auto& group) { return group.first; });
    if (at == groups.end()) at = groups.insert(at, {how, {}});
    at->second.push_back(interface.name);
  }
  std::vector<std::string> texts;
  texts.reserve(groups.size());
  for (const auto& [how, names] : groups) texts.push_back(join(names) + ": " + how);
  return texts;
}

std::size_t kernel_hooks(const Ready& ready) {
  const auto kernels = [](const Hook& hook) { return !is_wire(hook) && !is_icmp(hook) && !is_off(hook); };
  return static_cast<std::size_t>(std::ranges::count_if(ready.hooks, kernels));
}

struct Words {
  std::string_view one;
  std::string_view many;
};
// Of the kinds that are about TCP; the others serve the tracer.
constexpr std::array<Words, event_kind_count> kind_words{{{"", ""},
                                                          {"transition", "transitions"},
                                                          {"segment", "segments"},
                                                          {"retransmission", "retransmissions"},
                                                          {"reset", "resets"},
                                                          {"error", "errors"},
                                                          {"", ""},  // SocketDestroyed
                                                          {"", ""},  // OwnerSeen
                                                          {"", ""},  // SocketFound
                                                          {"drop", "drops"},
                                                          {"", ""},  // PortsFound
                                                          {"translation", "translations"},
                                                          {"ICMP message", "ICMP messages"},
                                                          {"", ""},  // SocketDigest
                                                          {"sample", "samples"}}};

std::string count(std::uint64_t number, const Words& words) {
  return fmt::format("{} {}", grouped(number), number == 1 ? words.one : words.many);
}

std::string reading(const Ready& ready) {
  const CaptureSource& capture = *ready.capture;
  const std::size_t interfaces = capture.interfaces.size();
  return fmt::format("tcpwitness {}: reading {} ({}{}); capture file: packets only, no kernel events", ready.version,
                     capture.path == "-" ? "standard input" : printable(capture.path, true), capture.format,
                     interfaces > 1 ? fmt::format(", {} interfaces", interfaces) : "");
}

// "12 connections, 3 of them printed".
std::string connections_of(const Summary& summary) {
  const std::string all = count(summary.connections, {"connection", "connections"});
  return summary.chosen ? fmt::format("{}, {} of them printed", all, grouped(*summary.chosen)) : all;
}

// What is missing although it passed.
std::string not_in_the_file(const CaptureTotals& capture) {
  std::string text;
  if (capture.dropped != 0) {
    text += fmt::format("\n  {} dropped when it was captured: gaps may be capture loss",
                        count(capture.dropped, {"packet was", "packets were"}));
  }
  if (capture.cut != 0) {
    text += fmt::format("\n  {} cut inside the header by the snapshot length (tcpdump -s): left out",
                        count(capture.cut, {"TCP segment was", "TCP segments were"}));
  }
  return text;
}

std::string was_read(const Summary& summary) {
  const CaptureTotals& capture = *summary.capture;
  if (capture.segments == 0 && capture.filtered) {
    return fmt::format("tcpwitness: {}, and no TCP segment in {} matches", count(capture.frames, {"frame", "frames"}),
                       capture.frames == 1 ? "it" : "them");
  }
  if (capture.segments == 0) {
    return fmt::format("tcpwitness: {}, and no TCP{} in {}", count(capture.frames, {"frame", "frames"}),
                       capture.cut != 0 ? " segment that can be read" : "", capture.frames == 1 ? "it" : "them") +
           not_in_the_file(capture);
  }
  std::string text =
      fmt::format("tcpwitness: {} in {} of {}", connections_of(summary),
                  count(capture.segments, {"TCP segment", "TCP segments"}), count(capture.frames, {"frame", "frames"}));
  text += not_in_the_file(capture);
  if (summary.untracked != 0) {
    text += fmt::format("\n  {} segments began connections that were not followed: too many were open at a time",
                        grouped(summary.untracked));
  }
  return text;
}

std::string recorded(const RecordingTotals& recording) {
  std::string text = fmt::format("  recorded {} in {}", bytes_in_words(recording.bytes),
                                 recording.file == "-" ? "standard output" : printable(recording.file, true));
  if (recording.files > 1) text += fmt::format(" and {}", count(recording.files - 1, {"file before", "files before"}));
  if (recording.fired) {
    text += *recording.fired == 0 ? ": no finding that counts fired, so it holds no events"
                                  : ", for " + count(*recording.fired, {"finding", "findings"});
  }
  if (recording.lost_blocks != 0)
    text += fmt::format("\n  {} blocks could not be written and are missing there", grouped(recording.lost_blocks));
  if (recording.dropped_early != 0)
    text += fmt::format("\n  {} events of the flight recorder's seconds found no room in memory",
                        grouped(recording.dropped_early));
  return text;
}

}  // namespace

std::string describe(const Ready& ready) {
  if (ready.capture) return reading(ready);
  std::string text = fmt::format("tcpwitness: tracing with version {} on Linux {}", ready.version, ready.kernel);
  for (const Hook& witness : missing_witnesses(ready))
    text += fmt::format("; without the {}: {}", witness.name, witness.why);
  const std::vector<std::string> groups = wire_groups(ready);
  const bool inline_groups = groups.size() <= groups_on_first_line;
  if (groups.empty()) {
    text += "; packets are not traced";
  } else if (inline_groups) {
    for (const std::string& group : groups) text += "; " + group;
  } else {
    text += fmt::format("; {} interfaces:", interfaces(ready).size());
    for (const std::string& group : groups) text += "\n  wire    " + group;
  }
  const std::size_t kernel = kernel_hooks(ready);
  text += kernel == 0 ? "\n  kernel  not traced"
                      : fmt::format("\n  kernel  {} hooks; ring of {}", kernel, bytes_in_words(ready.ring_bytes));
  for (const Hook& hook : ready.hooks) {
    if (!is_off(hook) || is_missing_witness(hook)) continue;
    text += fmt::format("\n  off     {} ({}){}", hook.name, hook.target, hook.why.empty() ? "" : ": " + hook.why);
  }
  return text;
}

std::string describe(const Summary& summary) {
  std::uint64_t total = 0;
  std::string kinds;
  for (std::size_t kind = 1; kind < kind_words.size(); ++kind) {
    total += summary.events[kind];
    // Of drops those that mattered: TCP drops the RST that it takes, and each repeated segment.
    const std::uint64_t number =
        kind == static_cast<std::size_t>(EventKind::drop) ? summary.drops : summary.events[kind];
    if (number == 0 || kind_words[kind].one.empty()) continue;
    kinds += (kinds.empty() ? "" : ", ") + count(number, kind_words[kind]);
  }
  if (summary.capture) return was_read(summary);
  std::string text = fmt::format("tcpwitness: {}, {}{}; {}", connections_of(summary), count(total, {"event", "events"}),
                                 kinds.empty() ? "" : " (" + kinds + ")",
                                 summary.lost == 0 ? "nothing lost" : grouped(summary.lost) + " lost");
  if (summary.lost != 0) {
    text +=
        "\n  lost events leave gaps that the output names; "
        "to lose none: a larger --ring-size, or narrower filters (--port, --host, -i)";
  }
  for (const Hook& witness : summary.missing)
    text += fmt::format("\n  all of it without the {}: {}", witness.name, witness.why);
  if (summary.recording) text += "\n" + recorded(*summary.recording);
  if (summary.flows_full != 0) {
    text += fmt::format(
        "\n  the flow map was full: {} times a flow gave way to a newer one, and some of its segments went uncounted: "
        "raise --flows",
        grouped(summary.flows_full));
  }
  if (summary.unlisted != 0) {
    text +=
        fmt::format("\n  {} connections that never opened were too many to be listed one by one (a SYN flood, a scan?)",
                    grouped(summary.unlisted));
  }
  if (summary.given_up != 0) {
    text += fmt::format("\n  {} forwarded connections were given up: nothing passed for long, or there was no room",
                        grouped(summary.given_up));
  }
  if (summary.untracked != 0) {
    text +=
        fmt::format("\n  {} segments began connections that were not followed: too many were half-open (a SYN flood?)",
                    grouped(summary.untracked));
  }
  if (summary.missed != 0) {
    text += fmt::format(
        "\n  {} connections lack a transition that no loss counter explains: the kernel did not run the program",
        grouped(summary.missed));
  }
  if (summary.malformed != 0) {
    text += fmt::format("\n  {} records could not be decoded: please report this", grouped(summary.malformed));
  }
  if (summary.unwritten != 0) {
    text +=
        fmt::format("\n  {} lines of output were dropped: their reader was too slow, or the file could not be written",
                    grouped(summary.unwritten));
  }
  if (summary.unaccounted != 0) {
    text += fmt::format("\n  {} records are unaccounted for: please report this", grouped(summary.unaccounted));
  }
  return text;
}

std::string wrapped(std::string_view text, std::size_t width) {
  Buffer out;
  Line line(out, {.utf8 = true}, width);
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('\n'));
    const std::size_t indent = std::min(one.find_first_not_of(' '), one.size());
    line.pad_to(indent);
    const bool fits = width == 0 || columns(one) <= width;
    const std::size_t word = fits ? one.size() : std::min(one.find(' ', indent), one.size());
    const std::size_t next = std::min(one.find_first_not_of(' ', word), one.size());
    const bool heading = next > word + 1;  // "  wire    lo: ..."
    line.put(one.substr(indent, word - indent));
    if (heading) line.pad_to(next);
    line.words(one.substr(next), heading ? next : indent + 2);
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    if (!text.empty()) line.end();
  }
  return {out.data(), out.size()};
}

std::string quiet_hint(const Ready& ready) {
  std::vector<std::string> names;
  for (const Interface& interface : interfaces(ready)) names.push_back(interface.name);
  const std::string where = names.empty()              ? "kernel events"
                            : kernel_hooks(ready) == 0 ? "packets at " + join(names)
                                                       : "kernel events and packets at " + join(names);
  return fmt::format(
      "Tracing {}. No connection has ended yet: one is printed when it does ('tcpwitness trace' shows it live). "
      "From another terminal, try\n"
      "  curl -s http://example.com >/dev/null\n"
      "  sudo scripts/lab handshake\n"
      "Ctrl-C stops and lists what is still open.",
      where);
}

}  // namespace tcpwitness
