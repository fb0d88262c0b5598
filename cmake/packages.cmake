# SPDX-License-Identifier: Apache-2.0
# packages.cmake: two Debian packages and an archive, by CPack (scripts/package).
set(TCPWITNESS_MAINTAINER "The tcpwitness authors <tcpwitness@users.noreply.github.com>" CACHE STRING
    "Name and address in the Debian packages")

set(CPACK_PACKAGE_NAME tcpwitness)
set(CPACK_PACKAGE_VENDOR "The tcpwitness authors")
set(CPACK_PACKAGE_CONTACT ${TCPWITNESS_MAINTAINER})
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_COMPONENTS_ALL program development)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME tcpwitness)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "tracer of TCP connections, from kernel and packets
 Traces every TCP connection of a machine from kernel tracepoints and from
 packets, and explains each by the other: one line for each connection, or a
 timeline in which every change of state names the segment, the system call or
 the timer that caused it. Reads captures too.")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS logrotate)
foreach(script postinst prerm postrm conffiles)
  list(APPEND CPACK_DEBIAN_PROGRAM_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/debian/${script})
endforeach()
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libtcpwitness-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libfmt-dev, libpcap-dev, libzstd-dev, zlib1g-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "tracer of TCP connections (development files)
 The static library, headers, CMake package and pkg-config file: TCP
 connections from events, or from a capture file, correlated and judged.")

# What Debian wants to find in each package: the licence, and what has changed.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
foreach(name tcpwitness libtcpwitness-dev)
  set(doc ${PROJECT_BINARY_DIR}/doc/${name})
  configure_file(${CMAKE_CURRENT_LIST_DIR}/debian-changelog.in ${doc}/changelog.Debian @ONLY)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/debian-copyright ${doc}/copyright COPYONLY)
  configure_file(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${doc}/changelog COPYONLY)
  execute_process(COMMAND gzip -9nf ${doc}/changelog ${doc}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
  set(component program)
  if(NOT name STREQUAL tcpwitness)
    set(component development)
  endif()
  install(FILES ${doc}/changelog.gz ${doc}/changelog.Debian.gz ${doc}/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name}
          COMPONENT ${component})
endforeach()

# What the units, the manual and the help name.
install(FILES docs/service.md docs/metrics.md docs/grafana.json DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/tcpwitness COMPONENT program)

set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
include(CPack)
