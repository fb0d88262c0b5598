// SPDX-License-Identifier: Apache-2.0
// roff.hpp: text in the form of man(7).
#pragma once

#include <string>
#include <string_view>

namespace tcpwitness::manual {

// Characters that roff would take for its own, escaped: what is printed is what was written.
[[nodiscard]] std::string plain(std::string_view text);
[[nodiscard]] inline std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
[[nodiscard]] inline std::string italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

// "life [OPTIONS] FILE": capitals are to be replaced, so in italics; the rest is typed, so in bold; brackets are
// neither.
[[nodiscard]] std::string call(std::string_view text);

}  // namespace tcpwitness::manual
