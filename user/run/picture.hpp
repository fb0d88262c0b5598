// SPDX-License-Identifier: Apache-2.0
// picture.hpp: the file that a picture is written to.
#pragma once

#include "cli/options.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

// The same options with the picture's file open (PictureOptions::fd), which the sink will close; as they are where none
// is wanted. As late as that is possible: what the file held before is gone then.
[[nodiscard]] Result<Options> with_picture_file(const Options& options);

}  // namespace tcpwitness
