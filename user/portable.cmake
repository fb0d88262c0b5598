# SPDX-License-Identifier: Apache-2.0
# portable.cmake: tcpwitness_portable, the program of the tar.gz: the same objects, linked with archives instead of shared libraries. It
# needs libc and nothing else, and the libc is not older than the one it was built with. `scripts/package` builds it.
#
# Debian has archives of all its libraries but {fmt}, whose one object file is made here, and prometheus-cpp, of which we use one function;
# and its libpcap.a asks for libraries that there are no archives of (user/portable).
set(archives)
foreach(name bpf elf pcap nl-3 seccomp ncursesw tinfo zstd z)
  find_library(TCPWITNESS_ARCHIVE_${name} NAMES lib${name}.a)
  if(NOT TCPWITNESS_ARCHIVE_${name})
    message(STATUS "tcpwitness: there is no lib${name}.a, so there is no tcpwitness_portable")
    return()
  endif()
  list(APPEND archives ${TCPWITNESS_ARCHIVE_${name}})
endforeach()

set(parts tcpwitness_version tcpwitness_bpf tcpwitness_confine tcpwitness_service tcpwitness_capture tcpwitness_terminal tcpwitness_top tcpwitness_sink tcpwitness_metrics
          tcpwitness_http tcpwitness_cli tcpwitness_core)
add_executable(tcpwitness_portable EXCLUDE_FROM_ALL portable/fmt.cpp portable/no_devices.cpp portable/prometheus.cpp
                                                    "$<FILTER:$<TARGET_OBJECTS:tcpwitness>,EXCLUDE,gch>")
add_dependencies(tcpwitness_portable tcpwitness ${parts})
# (Without what nothing calls, in libstdc++ say, an older libc is enough.)
target_include_directories(tcpwitness_portable PRIVATE $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>
                                                       ${CMAKE_CURRENT_SOURCE_DIR})
set(files)
foreach(part ${parts})
  list(APPEND files $<TARGET_FILE:${part}>)
endforeach()
target_link_libraries(tcpwitness_portable PRIVATE -static-libstdc++ -static-libgcc -Wl,--gc-sections -Wl,--start-group ${files} ${archives}
                                                  -Wl,--end-group Threads::Threads)
if(TCPWITNESS_LINK_AS_A_WHOLE)
  target_link_options(tcpwitness_portable PRIVATE ${both_ways})
endif()
set_target_properties(tcpwitness_portable PROPERTIES OUTPUT_NAME tcpwitness RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/portable)
