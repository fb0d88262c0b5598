// SPDX-License-Identifier: Apache-2.0
#include "sink/summary.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace tcpwitness {
namespace {

class SummarySink final : public Sink {
 public:
  SummarySink(Output& output, SummaryForm form, SummarySettings settings, const TextStyle& style,
              std::unique_ptr<Sink> lines, bool and_lives)
      : output_(output),
        form_(form),
        top_(settings.top),
        style_(style),
        lines_(std::move(lines)),
        and_lives_(and_lives),
        groups_(std::move(settings.groups)) {}

  void write(const Report& report) override {
    if (const auto* life = std::get_if<Life>(&report)) {
      groups_.take(*life);
      span(life->start_ts_ns, life->ts_ns);
    } else if (const auto* found = std::get_if<FindingReport>(&report)) {
      groups_.take(*found);
    } else if (const auto* ready = std::get_if<Ready>(&report)) {
      captured_ = ready->capture.has_value();
      ready_ns_ = ready->ts_ns;
    } else if (const auto* summary = std::get_if<Summary>(&report)) {
      write_groups(captured_ || ready_ns_ == 0 ? last_ns_ - first_ns_ : summary->ts_ns - ready_ns_, summary->unlisted);
    }
    const bool of_the_run = std::holds_alternative<Ready>(report) || std::holds_alternative<GapReport>(report) ||
                            std::holds_alternative<Summary>(report);
    if (lines_ && (of_the_run || and_lives_)) lines_->write(report);
  }
  bool flush() override { return lines_ ? lines_->flush() : output_.flush(); }

 private:
  void span(TimeNs from, TimeNs to) {
    first_ns_ = first_ns_ == 0 ? from : std::min(first_ns_, from);
    last_ns_ = std::max(last_ns_, to);
  }
  void write_groups(std::int64_t watched_ns, std::uint64_t unlisted) {
    const Added added{.groups = groups_, .top = top_, .watched_ns = watched_ns, .unlisted = unlisted};
    switch (form_) {
      case SummaryForm::text:
        return write_summary_text(output_, added, style_);
      case SummaryForm::json:
        return write_summary_json(output_, added);
      case SummaryForm::csv:
        return write_summary_csv(output_, added);
    }
  }

  Output& output_;
  SummaryForm form_;
  std::size_t top_;
  TextStyle style_;
  std::unique_ptr<Sink> lines_;
  bool and_lives_;
  Groups groups_;
  bool captured_ = false;
  TimeNs ready_ns_ = 0;
  TimeNs first_ns_ = 0;
  TimeNs last_ns_ = 0;
};

}  // namespace

std::unique_ptr<Sink> make_summary(Output& output, SummaryForm form, SummarySettings settings, const TextStyle& style,
                                   std::unique_ptr<Sink> lines, bool and_lives) {
  return std::make_unique<SummarySink>(output, form, std::move(settings), style, std::move(lines), and_lives);
}

}  // namespace tcpwitness
