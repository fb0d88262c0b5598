// SPDX-License-Identifier: Apache-2.0
// wireshark_files.hpp: the files of wireshark/, as they are in the source (cmake/wireshark.cmake).
#pragma once

#include <string_view>

namespace tcpwitness::wireshark_files {

extern const std::string_view tcpwitness_lua;
extern const std::string_view extcap_sh;
extern const std::string_view profile_colorfilters;
extern const std::string_view profile_preferences;
extern const std::string_view profile_dfilter_buttons;

}  // namespace tcpwitness::wireshark_files
