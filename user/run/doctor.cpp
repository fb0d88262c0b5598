// SPDX-License-Identifier: Apache-2.0
// doctor.cpp: doctor: what this machine can do for the tracer, or the catalogue of findings.
#include <unistd.h>

#include "probe/diagnose.hpp"
#include "probe/netns.hpp"
#include "run/clocks.hpp"
#include "run/messages.hpp"
#include "run/run.hpp"
#include "run/signals.hpp"
#include "sink/views/catalogue_text.hpp"
#include "sink/views/checkup.hpp"
#include "version/version.hpp"

namespace tcpwitness {
namespace {

int print_catalogue(const Options& options) {
  Output output(STDOUT_FILENO);
  if (options.format == OutputFormat::json) {
    write_catalogue_json(output, options.doctor.name);
  } else {
    write_catalogue_text(output, style_of(STDOUT_FILENO), options.doctor.name);
  }
  return output.flush() ? 0 : broken_output(output.error());
}

}  // namespace

int run_doctor(const Options& options) {
  if (const auto signals = take_signals(); !signals) return fail(signals.error());
  if (options.doctor.findings) return print_catalogue(options);
  if (!options.netns.empty()) {
    if (auto entered = enter_netns(options.netns); !entered) return fail(entered.error());
  }
  auto checkup = diagnose(options.interfaces, options.ring_bytes, DisabledFeatures::from_environment());
  if (!checkup) return fail(checkup.error());
  checkup->ts_ns = realtime_ns();
  checkup->version = version;
  Output output(STDOUT_FILENO);
  if (options.format == OutputFormat::json) {
    write_checkup_json(output, *checkup);
  } else {
    write_checkup_text(output, style_of(STDOUT_FILENO), *checkup);
  }
  if (!output.flush()) return broken_output(output.error());
  return checkup->both_work() ? 0 : 1;
}

}  // namespace tcpwitness
