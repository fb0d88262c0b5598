// SPDX-License-Identifier: Apache-2.0
#include "sink/views/compare.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "sink/paint.hpp"

namespace tcpwitness {
namespace {

class CompareSink final : public Sink {
 public:
  CompareSink(Output& output, CompareForm form, std::size_t top, const TextStyle& style, std::unique_ptr<Sink> lines,
              bool again)
      : output_(output), form_(form), style_(style), lines_(std::move(lines)), again_(again), compared_(top) {
    if (form_ == CompareForm::csv) write_compare_csv_header(output_);
  }

  void write(const Report& report) override {
    if (const auto* life = std::get_if<Life>(&report)) {
      take(*life);
    } else if (const auto* ready = std::get_if<Ready>(&report)) {
      captured_ = ready->capture.has_value();
      ready_ns_ = ready->ts_ns;
    } else if (const auto* interim = std::get_if<Interim>(&report)) {
      interim->life ? take_open(*interim->life) : end_interim(interim->ts_ns);
    } else if (const auto* summary = std::get_if<Summary>(&report)) {
      write_sum(compared_, {.ns = captured_ || ready_ns_ == 0 ? last_ns_ - first_ns_ : summary->ts_ns - ready_ns_});
    }
    const bool of_the_run = std::holds_alternative<Ready>(report) || std::holds_alternative<GapReport>(report) ||
                            std::holds_alternative<Summary>(report);
    if (lines_ && of_the_run) lines_->write(report);
  }
  bool flush() override { return lines_ ? lines_->flush() : output_.flush(); }

 private:
  void take(const Life& life) {
    if (!life.comparison) return;
    first_ns_ = first_ns_ == 0 ? life.start_ts_ns : std::min(first_ns_, life.start_ts_ns);
    last_ns_ = std::max(last_ns_, life.ts_ns);
    compared_.take(life);
    write_one(life, false);
  }
  void take_open(const Life& life) {
    if (!life.comparison) return;
    if (!so_far_) so_far_ = compared_;
    so_far_->take(life);
    write_one(life, true);
  }
  void write_one(const Life& life, bool interim) {
    if (form_ == CompareForm::json) write_compare_json(output_, life, interim);
    if (form_ == CompareForm::csv) write_compare_csv(output_, life);
  }
  void end_interim(TimeNs now) {
    write_sum(so_far_ ? *so_far_ : compared_, {.ns = now - ready_ns_, .at_ns = now});
    so_far_.reset();
  }
  void write_sum(const Compared& compared, const Watched& watched) {
    if (form_ == CompareForm::json) write_compare_json(output_, compared, watched);
    if (form_ != CompareForm::text) return;
    if (again_ && style_.screen) append(output_.buffer(), clear_screen);
    if (again_ && !style_.screen && printed_) output_.buffer().push_back('\n');
    printed_ = true;
    write_compare_text(output_, compared, watched, style_);
  }

  Output& output_;
  CompareForm form_;
  TextStyle style_;
  std::unique_ptr<Sink> lines_;
  bool again_;
  Compared compared_;               // what has ended
  std::optional<Compared> so_far_;  // and what goes on
  bool printed_ = false;
  bool captured_ = false;
  TimeNs ready_ns_ = 0;
  TimeNs first_ns_ = 0;
  TimeNs last_ns_ = 0;
};

}  // namespace

std::unique_ptr<Sink> make_compare(Output& output, CompareForm form, std::size_t top, const TextStyle& style,
                                   std::unique_ptr<Sink> lines, bool again) {
  return std::make_unique<CompareSink>(output, form, top, style, std::move(lines), again);
}

}  // namespace tcpwitness
