# SPDX-License-Identifier: Apache-2.0
# embed.cmake: the files that become part of a picture, as strings of a C++ file (user/sink/picture/assets.hpp).
#
#   cmake -D OUTPUT=... -D FOLDER=... -D PLOTS=... -P embed.cmake
#
# PLOTS: the folder of dygraphs (dygraph.min.js, dygraph.min.css).
set(text "// Made by cmake/embed.cmake.\n#include \"sink/picture/assets.hpp\"\n\nnamespace tcpwitness::picture {\n\n")

# read(NAME FILE...): the files, one behind the other.
function(read name)
  set(content "")
  foreach(file ${ARGN})
    file(READ ${file} one)
    string(REGEX REPLACE "\n//# sourceMappingURL=[^\n]*" "\n" one "${one}")
    string(APPEND content "${one}")
  endforeach()
  set(${name} "${content}" PARENT_SCOPE)
endfunction()

function(embed name content)
  set(text "${text}constexpr std::string_view ${name}_text = R\"TW(${content})TW\";\nconst std::string_view ${name} = ${name}_text;\n\n"
      PARENT_SCOPE)
endfunction()

# What a Content-Security-Policy has of a script: the SHA-256 of its bytes in base64.
function(digest name content)
  string(SHA256 hex "${content}")
  set(letters ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  set(coded "")
  foreach(at RANGE 0 60 6) # 32 bytes: ten times three, and two
    string(SUBSTRING "${hex}" ${at} 6 six)
    string(LENGTH "${six}" length)
    string(SUBSTRING "${six}000000" 0 6 six)
    math(EXPR number "0x${six}")
    foreach(shift 18 12 6 0)
      math(EXPR place "(${number} >> ${shift}) & 63")
      string(SUBSTRING ${letters} ${place} 1 letter)
      string(APPEND coded ${letter})
    endforeach()
  endforeach()
  string(SUBSTRING "${coded}" 0 43 coded)
  set(${name} "${coded}=" PARENT_SCOPE)
endfunction()

read(ladder_style ${FOLDER}/ladder.css)
read(page_style ${PLOTS}/dygraph.min.css ${FOLDER}/page.css)
read(page_body ${FOLDER}/page.html)
read(plots ${FOLDER}/plots.js ${PLOTS}/dygraph.min.js)
read(own ${FOLDER}/page_data.js ${FOLDER}/page_index.js ${FOLDER}/page_ladder.js ${FOLDER}/page_series.js
     ${FOLDER}/page_graphs.js ${FOLDER}/page_keys.js ${FOLDER}/page_main.js)
set(page_script "${plots}\n(() => {\n\"use strict\";\n${own}})();\n")
digest(page_script_digest "${page_script}")
foreach(name ladder_style page_style page_body page_script page_script_digest)
  embed(${name} "${${name}}")
endforeach()
file(WRITE ${OUTPUT} "${text}}  // namespace tcpwitness::picture\n")
