// SPDX-License-Identifier: Apache-2.0
//
// lab list                 what can be played
// lab play WORD            a case, a situation (name or number) or "all"; --tracer PATH shows it through tcpwitness
// lab actor NETNS COMM     hidden: a player, started by the lab itself
//
// Each case gets a lab, and a tracer, of its own. Exit codes: 0 played as meant, 1 not, 2 usage.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "lab/actor_process.hpp"
#include "lab/performance.hpp"
#include "lab/watcher.hpp"

namespace {

using namespace tcpwitness::lab;

struct PlayRequest {
  std::string word;
  std::string tracer;
  std::string view;  // "", "client" or "server"
  std::string pcap;
  std::vector<std::string> tracer_arguments;
  PlayOptions options;
};

int list() {
  for (const Situation& situation : situations()) {
    fmt::print("{}{} ({})\n", situation.number ? fmt::format("{}. ", situation.number) : "", situation.title,
               situation.name);
    for (const Case& entry : catalogue()) {
      if (entry.situation == situation.name)
        fmt::print("   {:<20} {:<7} {}\n", entry.name, to_string(entry.vantage), entry.summary);
    }
  }
  return 0;
}

Result<void> stop(const std::unique_ptr<Watcher>& watcher, const char* name) {
  if (!watcher) return {};
  auto code = watcher->stop();
  if (!code) return failure(fmt::format("{}: {}", name, code.error()));
  if (*code != 0) return failure(fmt::format("{} exited with {}", name, *code));
  return {};
}

Result<void> play_one(const Case& what, const PlayRequest& request) {
  auto lab = Lab::create();
  if (!lab) return failure(lab.error());
  const Side side = request.view.empty()       ? best_side(what.vantage)
                    : request.view == "client" ? Side::client
                                               : Side::server;
  auto performance = Performance::open(**lab, what, request.options);
  if (!performance) return failure(performance.error());
  const bool third = request.view == "third";
  if (third && (*lab)->third_machine() == nullptr) return failure("there is no third machine in this case");
  const std::string& netns = third ? (*lab)->third_machine()->name() : (*lab)->host(side).name();

  std::unique_ptr<Watcher> capture, tracer;
  if (!request.pcap.empty()) {
    const std::string file = request.pcap + (request.pcap.ends_with(".pcap") ? "" : fmt::format("/{}.pcap", what.name));
    auto started =
        Watcher::start({"ip", "netns", "exec", netns, "tcpdump", "--immediate-mode", "-U", "-Z", "root", "-n", "-i",
                        third                  ? third_link_to_client
                        : side == Side::client ? client_link
                                               : server_link,
                        "-w", file},
                       {"listening"});
    if (!started) return failure(started.error());
    capture = std::move(*started);
  }
  if (!request.tracer.empty()) {
    fmt::print(stderr, "lab: {}: {} Seen from the {}.\n", what.name, what.summary,
               third ? "third machine" : to_string(side));
    std::vector<std::string> argv = {request.tracer, "trace", "--netns", netns};
    argv.insert(argv.end(), request.tracer_arguments.begin(), request.tracer_arguments.end());
    auto started = Watcher::start(argv, {"ready", "tracing"});
    if (!started) return failure(started.error());
    tracer = std::move(*started);
  }

  auto played = (*performance)->finish();
  if (capture || tracer) pause_for(Millis(300));
  const Result<void> stopped = stop(tracer, "the tracer");
  const Result<void> captured = stop(capture, "tcpdump");
  if (!played) return failure(played.error());
  // Data belongs to stdout, but not between a tracer's lines.
  fmt::print(request.tracer.empty() ? stdout : stderr, "{}", describe(*played));
  std::fflush(stdout);
  return stopped ? captured : stopped;
}

int play_all(const PlayRequest& request) {
  const std::vector<const Case*> selected = select_cases(request.word);
  if (selected.empty()) {
    fmt::print(stderr, "lab: no case or situation is called \"{}\"; see `lab list`\n", request.word);
    return 2;
  }
  if (::geteuid() != 0) {
    fmt::print(stderr, "lab: making network namespaces needs root; try sudo\n");
    return 1;
  }
  int failed = 0;
  for (const Case* entry : selected) {
    if (interrupted()) return 1;
    if (auto done = play_one(*entry, request); !done) {
      fmt::print(stderr, "lab: {}\n", done.error());
      ++failed;
    }
  }
  return failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Before anything else, and never shown: its arguments come from the lab itself.
  if (argc == 4 && std::string_view(argv[1]) == "actor") return run_actor(argv[2], argv[3]);

  CLI::App app("Plays TCP situations with real sockets in network namespaces of its own.", "lab");
  app.require_subcommand(1);
  app.add_subcommand("list", "what can be played");
  CLI::App* play = app.add_subcommand("play", "play a case");
  PlayRequest request;
  uint64_t hold_ms = 3000, bulk_mib = 64;
  play->add_option("case", request.word, "a case, a situation (name or number), or all")->required();
  play->add_option("--tracer", request.tracer, "tcpwitness executable to watch with")->check(CLI::ExistingFile);
  play->add_option("--view", request.view, "namespace to watch from (default: where most is seen)")
      ->check(CLI::IsMember({"client", "server", "third"}));
  play->add_option("--pcap", request.pcap, "also run tcpdump there and write FILE.pcap, or DIR/CASE.pcap");
  play->add_option("--hold", hold_ms, "milliseconds that \"too long\" lasts")->check(CLI::Range(0, 10000));
  play->add_option("--mib", bulk_mib, "MiB that bulk sends")->check(CLI::Range(1, 4096));
  play->add_option("tracer_arguments", request.tracer_arguments, "after --: further arguments for `tcpwitness trace`");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!play->parsed()) return list();
  request.options = {Millis(hold_ms), bulk_mib << 20};
  catch_interrupts();
  return play_all(request);
}
