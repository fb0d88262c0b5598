# SPDX-License-Identifier: Apache-2.0
# embed.cmake: the files that become part of a picture, as strings of a C++ file (user/sink/picture/assets.hpp).
#
#   cmake -D OUTPUT=... -D FOLDER=... -P embed.cmake
set(text "// Made by cmake/embed.cmake.\n#include \"sink/picture/assets.hpp\"\n\nnamespace tcpwitness::picture {\n\n")

# embed(NAME FILE...): the files, one behind the other.
function(embed name)
  string(APPEND text "constexpr std::string_view ${name}_text = R\"TW(")
  foreach(file ${ARGN})
    file(READ ${file} content)
    string(APPEND text "${content}")
  endforeach()
  string(APPEND text ")TW\";\nconst std::string_view ${name} = ${name}_text;\n\n")
  set(text "${text}" PARENT_SCOPE)
endfunction()

embed(ladder_style ${FOLDER}/ladder.css)
string(APPEND text "}  // namespace tcpwitness::picture\n")
file(WRITE ${OUTPUT} "${text}")
