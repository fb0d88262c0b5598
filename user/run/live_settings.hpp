// SPDX-License-Identifier: Apache-2.0
// live_settings.hpp: what the options of a live run mean for each of its parts.
#pragma once

#include "cli/options.hpp"
#include "probe/features.hpp"
#include "probe/tracer.hpp"
#include "recording/recorder.hpp"
#include "run/live_filter.hpp"
#include "service/manager.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

[[nodiscard]] TracerSettings tracer_settings(const Options& options);
[[nodiscard]] CorrelatorSettings correlator_settings(const Options& options, const LiveFilter& live_filter,
                                                     const Tracer& tracer);
[[nodiscard]] RecorderSettings recorder_settings(const RecordOptions& options);
// What the Correlator of a recording will get of this run. offset_ns: of the run's clock.
[[nodiscard]] StartMark start_mark(const Options& options, const RunSettings& settings, const Ready& ready,
                                   TimeNs started_ns, std::int64_t offset_ns, const Features& features);

// It writes files that it opens again: the next one of a recording, or that of --append.
[[nodiscard]] bool opens_files_again(const Options& options);
// SIGHUP asks a daemon for that; elsewhere the terminal is gone.
[[nodiscard]] bool hangup_reopens(const Options& options, const ServiceManager& manager);

}  // namespace tcpwitness
