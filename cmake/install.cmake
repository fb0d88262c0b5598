# SPDX-License-Identifier: Apache-2.0
# install.cmake: what `cmake --install` installs, in two components: the program with its manual and completions, and the
# library for those who build on it. The packages are made of them (packages.cmake).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)

# The manual, packed as every distribution has it, and the completions: made of the table of options.
set(manual ${PROJECT_BINARY_DIR}/manual)
add_custom_command(
  OUTPUT ${manual}/made
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${manual}
  COMMAND tcpwitness_manual ${manual}
  COMMAND find ${manual} -name "*.[78]" -exec gzip -9nk {} +
  COMMAND ${CMAKE_COMMAND} -E touch ${manual}/made
  DEPENDS tcpwitness_manual VERBATIM)
add_custom_target(manual ALL DEPENDS ${manual}/made)

install(TARGETS tcpwitness RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
foreach(section 7 8)
  install(DIRECTORY ${manual}/man${section} DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT program
          FILES_MATCHING PATTERN "*.gz")
endforeach()
install(FILES ${manual}/completions/tcpwitness.bash COMPONENT program RENAME tcpwitness
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${manual}/completions/_tcpwitness COMPONENT program
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${manual}/completions/tcpwitness.fish COMPONENT program
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${PROJECT_SOURCE_DIR}/docs/schema/tcpwitness-1.schema.json COMPONENT program
        DESTINATION ${CMAKE_INSTALL_DATADIR}/tcpwitness)

# The units, off until they are enabled, and what they read. In a package (the prefix is /usr) they lie where systemd and
# logrotate look; elsewhere below the prefix, as an example: systemd looks in /usr/local/lib too.
install(FILES ${PROJECT_SOURCE_DIR}/systemd/tcpwitness.service ${PROJECT_SOURCE_DIR}/systemd/tcpwitness-record.service
        DESTINATION lib/systemd/system COMPONENT program)
install(FILES ${PROJECT_SOURCE_DIR}/systemd/tcpwitness.preset RENAME 50-tcpwitness.preset
        DESTINATION lib/systemd/system-preset COMPONENT program)
install(CODE "
  set(etc /etc)
  if(NOT CMAKE_INSTALL_PREFIX STREQUAL /usr)
    set(etc \${CMAKE_INSTALL_PREFIX}/etc)
  endif()
  set(from \"${PROJECT_SOURCE_DIR}/systemd\")
  file(INSTALL \${from}/tcpwitness.conf \${from}/record.conf DESTINATION \"\${etc}/tcpwitness\")
  file(INSTALL \${from}/tcpwitness.logrotate DESTINATION \"\${etc}/logrotate.d\" RENAME tcpwitness)"
  COMPONENT program)

# For Wireshark and tshark, where they look by default: the Lua plugin, the extcap, the profile.
set(TCPWITNESS_WIRESHARK_DIR lib/${CMAKE_LIBRARY_ARCHITECTURE}/wireshark CACHE STRING "Wireshark's plugins and extcap directories are in it")
install(FILES ${PROJECT_SOURCE_DIR}/wireshark/tcpwitness.lua DESTINATION ${TCPWITNESS_WIRESHARK_DIR}/plugins COMPONENT program)
install(PROGRAMS ${PROJECT_SOURCE_DIR}/wireshark/extcap.sh DESTINATION ${TCPWITNESS_WIRESHARK_DIR}/extcap RENAME tcpwitness
        COMPONENT program)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/wireshark/profile/ DESTINATION ${CMAKE_INSTALL_DATADIR}/wireshark/profiles/tcpwitness
        COMPONENT program)

# One archive of the core and the reading of captures.
add_library(tcpwitness_archive STATIC "$<FILTER:$<TARGET_OBJECTS:tcpwitness_core>,EXCLUDE,gch>"
                                      "$<FILTER:$<TARGET_OBJECTS:tcpwitness_capture>,EXCLUDE,gch>")
set_target_properties(tcpwitness_archive PROPERTIES OUTPUT_NAME tcpwitness EXPORT_NAME tcpwitness LINKER_LANGUAGE CXX)
target_include_directories(tcpwitness_archive INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(tcpwitness_archive INTERFACE cxx_std_23)
target_link_libraries(tcpwitness_archive INTERFACE fmt::fmt PkgConfig::PCAP PkgConfig::ZSTD ZLIB::ZLIB Threads::Threads)
install(TARGETS tcpwitness_archive EXPORT tcpwitness-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tcpwitness DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/tcpwitness)
install(EXPORT tcpwitness-targets NAMESPACE tcpwitness:: DESTINATION ${package} COMPONENT development)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/tcpwitness-config.cmake.in
                              ${PROJECT_BINARY_DIR}/tcpwitness-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tcpwitness-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tcpwitness-config.cmake ${PROJECT_BINARY_DIR}/tcpwitness-config-version.cmake
        DESTINATION ${package} COMPONENT development)
# The rest is found from where it lies: `cmake --install --prefix` chooses that later.
file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" to_prefix ${to_prefix})
configure_file(${CMAKE_CURRENT_LIST_DIR}/tcpwitness.pc.in ${PROJECT_BINARY_DIR}/tcpwitness.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tcpwitness.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
