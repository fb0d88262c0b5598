// SPDX-License-Identifier: Apache-2.0
#include "run/top.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>
#include <variant>

#include "run/messages.hpp"
#include "sink/picture/picture.hpp"
#include "top/items.hpp"
#include "top/texts.hpp"

namespace tcpwitness {
namespace {

constexpr auto note_shown = std::chrono::seconds(3);            // in place of the keys
constexpr auto between_texts = std::chrono::milliseconds(200);  // a timeline that grows
// Ended a second: beyond it ordinary ones have no events here, until there are half as many.
constexpr double crowd = 2'000;

}  // namespace

class LiveView::Taking final : public Sink {
 public:
  explicit Taking(LiveView& view) : view_(view) {}
  void write(const Report& report) override { view_.take(report); }
  [[nodiscard]] bool flush() override { return true; }

 private:
  LiveView& view_;
};

LiveView::LiveView(std::unique_ptr<Screen> terminal, std::string source, bool wire_alone, bool may_write)
    : terminal_(std::move(terminal)), wire_alone_(wire_alone), may_write_(may_write) {
  around_.source = std::move(source);
}

Result<void> LiveView::open(std::function<TimeNs()> clock) {
  if (auto opened = terminal_->open(); !opened) return opened;
  say_through([this, clock = std::move(clock)](std::string_view text) { say(clock(), text); });
  return {};
}

void LiveView::close() {
  terminal_->close();
  say_through({});
}

std::unique_ptr<Sink> LiveView::sink() { return std::make_unique<Taking>(*this); }

void LiveView::take(const Report& report) {
  model_.take(report);
  if (std::holds_alternative<Interim>(report)) {
    if (!std::get<Interim>(report).life) changed_ = text_old_ = true;
    return;
  }
  kept_.take(report);
}

void LiveView::say(TimeNs now, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.starts_with("tcpwitness: ")) line.remove_prefix(line.find(' ') + 1);
    if (!line.empty()) model_.say(now, std::string(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  changed_ = true;
}

bool LiveView::crowded() {
  // So many in less than a second are too many a second.
  const auto ended = static_cast<double>(std::max(model_.ended_now(), model_.ended_last())) / model_.seconds();
  crowded_ = ended > (crowded_ ? crowd / 2 : crowd);
  return crowded_;
}

bool LiveView::wish(top::Wish wish) {
  switch (wish) {
    case top::Wish::quit:
      return false;
    case top::Wish::suspend:
      terminal_->suspend();
      break;
    case top::Wish::redraw:
      terminal_->redraw();
      break;
    case top::Wish::pause:
      stopped_ = view_.paused ? std::make_unique<top::Model>(model_) : nullptr;
      break;
    case top::Wish::story:
      asked_life_.reset();
      break;
    case top::Wish::picture:
      to_draw_ = top::meant(view_, stopped_ ? *stopped_ : model_);
      draw_picture();
      break;
    case top::Wish::none:
      break;
  }
  return true;
}

void LiveView::note(std::string text) {
  around_.note = std::move(text);
  noted_ = std::chrono::steady_clock::now();
}

// Of one that goes on when it has been asked for.
void LiveView::draw_picture() {
  const Life* life = kept_.life(to_draw_);
  const top::Connection* c = model_.find(to_draw_);
  if (!may_write_) {
    note("of a file: 'tcpwitness picture FILE -o x.html'");
  } else if (life != nullptr) {
    note(picture_of(*life));
  } else if (c != nullptr && c->open) {
    return;
  } else {
    note("nothing is kept of it that could be drawn");
  }
  to_draw_ = 0;
}

// Where it was written, or why not.
std::string LiveView::picture_of(const Life& life) const {
  constexpr int most = 100;
  std::string path;
  int fd = -1;
  for (int i = 1; i <= most && fd < 0; ++i) {
    path = fmt::format("tcpwitness-{}{}.html", life.conn, i == 1 ? "" : fmt::format("-{}", i));
    fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 && errno != EEXIST) break;
  }
  if (fd < 0) return fmt::format("cannot write {}: {}", path, std::strerror(errno));
  const auto picture = make_picture(fd, *names_, {.wire_alone = wire_alone_});
  if (const auto* of = kept_.find(life.conn)) {
    const auto take = [&](const Report& report) {
      if (!std::holds_alternative<Life>(report)) picture->write(report);
    };
    for (const Report& report : of->first) take(report);
    for (const Report& report : of->last) take(report);
  }
  picture->write(Report(life));
  Summary summary;
  summary.ts_ns = life.ts_ns;
  summary.connections = 1;
  picture->write(Report(summary));
  return picture->flush() ? "written: " + path : "cannot write " + path;
}

bool LiveView::turn(TimeNs now) {
  const Screen::Input input = terminal_->input();
  if (input.gone) return false;
  if (!input.keys.empty()) around_.note.clear();
  if (!around_.note.empty() && std::chrono::steady_clock::now() - noted_ >= note_shown) {
    around_.note.clear();
    changed_ = true;
  }
  for (const top::KeyPress& key : input.keys) {
    if (!wish(top::press(view_, key, stopped_ ? *stopped_ : model_))) return false;
    changed_ = true;
  }
  if (input.resized) changed_ = true;
  kept_.watch(view_.mode == top::Mode::tables ? 0 : view_.opened);
  if (view_.mode == top::Mode::timeline && !view_.paused) {
    const auto* of = kept_.find(view_.opened);
    const bool grown = of != nullptr && of->version != text_version_;
    if (grown && std::chrono::steady_clock::now() - drawn_ >= between_texts) changed_ = true;
  }
  if (changed_) draw(now);
  return true;
}

std::chrono::milliseconds LiveView::patience() const {
  return view_.mode == top::Mode::timeline ? between_texts : std::chrono::milliseconds(1000);
}

std::optional<ConnectionId> LiveView::asks_for() const {
  if (to_draw_ != 0) return to_draw_;
  if (view_.mode != top::Mode::story || view_.paused || kept_.life(view_.opened) != nullptr) return std::nullopt;
  const top::Connection* c = model_.find(view_.opened);
  if (c == nullptr || !c->open || (asked_life_ && !text_old_)) return std::nullopt;
  return view_.opened;
}

void LiveView::answer(std::optional<Life> life) {
  if (to_draw_ != 0) {
    changed_ = true;
    if (life) note(picture_of(*life));
    if (!life) note("it has just ended: once more");
    to_draw_ = 0;
    return;
  }
  asked_life_ = std::move(life);
  changed_ = text_old_ = true;
}

void LiveView::make_text(const top::Model& model) {
  if (view_.mode != top::Mode::timeline && view_.mode != top::Mode::story) return around_.text.clear();
  const auto* of = kept_.find(view_.opened);
  const std::uint64_t version = of != nullptr ? of->version : 0;
  const bool same = text_of_ == view_.opened && text_mode_ == view_.mode && text_width_ == around_.width &&
                    (text_version_ == version || view_.paused) && !(text_old_ && view_.mode == top::Mode::story);
  if (same && !around_.text.empty()) return;
  text_of_ = view_.opened;
  text_mode_ = view_.mode;
  text_width_ = around_.width;
  text_version_ = version;
  text_old_ = false;
  const top::TextLook look{
      .width = around_.width, .colour = terminal_->colour(), .utf8 = around_.utf8, .wire_alone = wire_alone_};
  const auto say = [&](std::string_view words) {
    std::ranges::copy(top::words_in(words, 1, around_.width, Colour::dim), std::back_inserter(around_.text));
  };
  around_.text.clear();
  if (view_.mode == top::Mode::timeline) {
    if (of != nullptr) {
      around_.text = top::timeline_of(*of, *names_, look);
      if (!wire_alone_ && may_write_)
        say("Live, ACKs that only name a cause are not recorded: \"cause not seen\". 'trace' has them.");
      return;
    }
    const top::Connection* c = model.find(view_.opened);
    say("No event of it is kept.");
    if (c != nullptr && c->open) {
      say("It was open before, or nothing but ordinary data has passed. What happens now is shown here.");
    } else {
      say("It was ordinary, and more than 2,000 a second end; or much has happened since.");
    }
    return;
  }
  const Life* life = kept_.life(view_.opened);
  if (life == nullptr && asked_life_ && asked_life_->conn == view_.opened) life = &*asked_life_;
  if (life != nullptr) {
    around_.text = top::story_of(of, *life, *names_, look);
    return;
  }
  say("There is no story of it here: it was ordinary, and more than 2,000 a second end; or much has happened since. "
      "'tcpwitness explain' prints all of them.");
}

void LiveView::draw(TimeNs now) {
  const top::Model& model = stopped_ ? *stopped_ : model_;
  changed_ = false;
  drawn_ = std::chrono::steady_clock::now();
  around_.width = terminal_->width();
  around_.height = terminal_->height();
  around_.utf8 = terminal_->utf8();
  around_.wall_ns = names_->wall.of(stopped_ ? model.now() : now);
  make_text(model);
  terminal_->draw(top::layout(model, view_, around_));
}

}  // namespace tcpwitness
