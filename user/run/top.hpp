// SPDX-License-Identifier: Apache-2.0
// top.hpp: the live view of a run: reports in, a screen out, keys back. A sink like the others.
//
//   reports -> Model, Kept -> layout -> Screen
//                  View <- keys <-'
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tcpwitness/pipeline.hpp"
#include "tcpwitness/result.hpp"
#include "terminal/screen.hpp"
#include "top/kept.hpp"
#include "top/keys.hpp"
#include "top/layout.hpp"
#include "top/model.hpp"
#include "top/view.hpp"

namespace tcpwitness {

class LiveView {
 public:
  // source: as the title has it. wire_alone: a capture. may_write: pictures, into the current directory.
  LiveView(std::unique_ptr<Screen> terminal, std::string source, bool wire_alone, bool may_write);

  // Takes reports from here on.
  [[nodiscard]] std::unique_ptr<Sink> sink();
  // Of the run; before the first turn.
  void set_names(const Names& names) { names_ = &names; }
  // From here on what would be printed on stderr is shown on the screen, at the time of `clock`.
  Result<void> open(std::function<TimeNs()> clock);
  void close();
  [[nodiscard]] const Screen& terminal() const { return *terminal_; }

  // Takes keys, draws where something has changed. False: the end is wanted, or nobody is there any more.
  [[nodiscard]] bool turn(TimeNs now);
  // Something on the screen changes by itself before so long.
  [[nodiscard]] std::chrono::milliseconds patience() const;
  // A connection whose story is looked at, or that is to be drawn, and that goes on.
  [[nodiscard]] std::optional<ConnectionId> asks_for() const;
  void answer(std::optional<Life> life);
  void say(TimeNs now, std::string_view text);
  void set_ended() { around_.ended = changed_ = true; }

  // More connections end than anybody looks at one by one.
  [[nodiscard]] bool crowded();
  [[nodiscard]] const top::Model& model() const { return model_; }

 private:
  class Taking;
  void take(const Report& report);
  void draw(TimeNs now);
  void make_text(const top::Model& model);
  [[nodiscard]] bool wish(top::Wish wish);
  void note(std::string text);
  void draw_picture();
  [[nodiscard]] std::string picture_of(const Life& life) const;

  std::unique_ptr<Screen> terminal_;
  const Names* names_ = nullptr;
  bool wire_alone_;
  bool may_write_;
  ConnectionId to_draw_ = 0;
  top::Model model_;
  std::unique_ptr<top::Model> stopped_;  // what a pause shows
  top::Kept kept_;
  top::View view_;
  top::Surroundings around_;
  bool changed_ = true;
  std::optional<Life> asked_life_;
  ConnectionId text_of_ = 0;
  std::uint64_t text_version_ = 0;
  std::size_t text_width_ = 0;
  top::Mode text_mode_ = top::Mode::tables;
  bool text_old_ = true;
  bool crowded_ = false;
  std::chrono::steady_clock::time_point drawn_{};
  std::chrono::steady_clock::time_point noted_{};
};

}  // namespace tcpwitness
