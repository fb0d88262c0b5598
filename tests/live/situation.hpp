// SPDX-License-Identifier: Apache-2.0
//
// The fixture of every live test: a lab of its own, and tracers that watch it. play() puts a tracer into each of
// the two namespaces, plays a case and holds each tracer's output against what must be true of every run
// (expect_sound); the test then asserts what is true of this one. Nothing is left out silently: a test that cannot
// run says why (see prerequisites()), and a failed one prints what the tracers reported.

#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lab/performance.hpp"
#include "live/printed.hpp"
#include "live/tracer_run.hpp"

namespace tcpwitness::live {

// Why live tests cannot run here ("" if they can): found by trying, never by version.
const std::string& prerequisites();
// The same for a program that a test needs: "" if it is in PATH.
std::string missing(const std::string& program);

// Of every run that ended by itself or by SIGINT: exit code, ready first, summary last, nothing lost, every id
// that is named exists, times are of now.
struct Soundness {
  bool losses_allowed = false;
  bool skips_allowed = false;  // runs of programs that the kernel skipped, each of which a gap shows
};
void expect_sound(const Ended& ended, const Printed& printed, Soundness soundness = {});

// A tracer in one namespace, from ready to its end.
class Watch {
 public:
  static std::optional<Watch> start(const std::string& netns, std::vector<std::string> more = {},
                                    const std::vector<std::string>& through = {}, const std::string& command = "trace");
  // Stops it, checks it and reads what it reported.
  Printed stop(Soundness soundness = {});
  TracerRun& run() { return *run_; }
  Json ready() const;
  std::string err() const { return run_->err(); }

 private:
  std::unique_ptr<TracerRun> run_;
};

struct Story {
  lab::Played played;
  Printed client;  // as the tracer in the client's namespace reported it
  Printed server;

  Json client_life() const { return client.life(played.client_at, played.server_at); }
  Json server_life() const { return server.life(played.server_at, played.client_at); }
};

struct Play {
  std::vector<std::string> arguments{};         // of both tracers, after `trace -o json --netns NS`
  std::vector<std::string> client_arguments{};  // of the one in the client's namespace, too
  std::vector<std::string> through{};           // see TracerRun::start
  lab::PlayOptions options{};
  std::function<void(const lab::Played&)> when_ready{};  // both tracers are live, nothing is played yet
  std::function<void()> when_played{};                   // the players still live
};

class Live : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  lab::Lab& lab() { return *lab_; }
  // Everything from a lab's `lab list`; nothing (and a failure noted) if something went wrong.
  std::optional<Story> play(const std::string& name, const Play& how = {});
  // Kept to be printed if the test fails.
  const Printed& keep(std::string title, Printed printed);

 private:
  std::optional<Story> play_once(const std::string& name, const Play& how, Soundness soundness);

  std::unique_ptr<lab::Lab> lab_;
  std::deque<std::pair<std::string, Printed>> kept_;  // what keep() gives out stays where it is
};

// Runs a program in a namespace (`ip netns exec`) to its end.
lab::Result<std::string> run_in(const std::string& netns, std::vector<std::string> argv);
// One that goes on: killed when the object dies.
lab::Result<lab::Child> start_in(const std::string& netns, std::vector<std::string> argv);

// ---- What a connection's life must have ----

struct Expected {
  std::string role{};
  lab::Identity process{};
  std::string pid_source{};
  std::string outcome{};
  std::string closed_by{};
  Words states{};
  int error = 0;
  uint64_t tx_bytes = 0;
  uint64_t rx_bytes = 0;
  std::set<std::string> findings{};  // "rule confidence"; "rule" alone: certain or likely
};
void expect_life(const Printed& printed, const Json& life, const Expected& expected);

}  // namespace tcpwitness::live
