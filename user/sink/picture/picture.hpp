// SPDX-License-Identifier: Apache-2.0
// picture.hpp: the sink that draws: it gathers what is reported, within bounds, and writes one file at the end.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "tcpwitness/pipeline.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

struct PictureSettings {
  bool ladder_alone = false;  // SVG, not a page
  bool wire_alone = false;    // a capture: nothing is known of processes and the kernel
  // What is kept. Beyond it is counted, and the picture has the number.
  std::size_t connections = 20'000;
  std::size_t entries = 200'000;
  std::size_t strays = 500;  // pairs of ends between which there are segments of no connection
  std::size_t ladders = 24;  // in an SVG
  // Called when the picture is whole. False: it failed; see errno.
  std::function<bool()> finished = nullptr;
};

// fd: of the file, which is written when the summary comes. It is closed with the sink.
[[nodiscard]] std::unique_ptr<Sink> make_picture(int fd, const Names& names, const PictureSettings& settings);

// A sink that hands each report to two.
[[nodiscard]] std::unique_ptr<Sink> with_picture(std::unique_ptr<Sink> sink, std::unique_ptr<Sink> picture);

}  // namespace tcpwitness
