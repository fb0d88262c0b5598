// SPDX-License-Identifier: Apache-2.0
// assets.hpp: the files of this folder that become part of a picture, embedded by the build (cmake/embed.cmake).
#pragma once

#include <string_view>

namespace tcpwitness::picture {

extern const std::string_view ladder_style;
extern const std::string_view page_style;
extern const std::string_view page_body;
extern const std::string_view page_script;
extern const std::string_view page_script_digest;  // SHA-256 in base64, for the Content-Security-Policy

}  // namespace tcpwitness::picture
