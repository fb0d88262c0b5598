// SPDX-License-Identifier: Apache-2.0
// picture.hpp: the file that a picture is written to.
#pragma once

#include "cli/options.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

// The same options with the picture's file open (PictureOptions::fd), which the sink will close; as they are where none
// is wanted. What the file held is gone when the picture is whole (atomic_file.hpp) or, where it is no plain file, now.
[[nodiscard]] Result<Options> with_picture_file(const Options& options);

}  // namespace tcpwitness
