// SPDX-License-Identifier: Apache-2.0
// markup.hpp: text into SVG and HTML. What comes from others (names, addresses, file names) passes here.
#pragma once

#include <string_view>

#include "sink/output.hpp"

namespace tcpwitness::picture {

// As text or as a value between quotes. What is not UTF-8, control characters and what turns a line round become '?'.
void append_escaped(Buffer& out, std::string_view text);

// JSON that may stand in a <script>: no '<' is left in it.
void append_script_json(Buffer& out, std::string_view json);

inline void append(Buffer& out, std::string_view text) { out.append(text.data(), text.data() + text.size()); }

}  // namespace tcpwitness::picture
