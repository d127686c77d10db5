# SPDX-License-Identifier: Apache-2.0
#
# Third-party packages, each found once. Modules name the imported targets in LIBS.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
if(NEXA_TESTS)
    find_package(GTest REQUIRED)
endif()
if(NEXA_BENCHES)
    find_package(benchmark REQUIRED)
endif()

# The engine alone links none of these, so a GPU machine needs none of them.
if(NOT NEXA_COMPONENTS STREQUAL "engine")
    find_package(Boost 1.81 REQUIRED)  # Asio and Beast, headers only: Boost::headers
    find_package(CLI11 REQUIRED)
    find_package(CURL REQUIRED)
    find_package(date REQUIRED)  # time zones, which the standard library of GCC 12 has not
    find_package(EXPAT REQUIRED)
    find_package(OpenSSL 3 REQUIRED)
    find_package(SQLite3 REQUIRED)
    find_package(yaml-cpp REQUIRED)
    # CMake's own module for PostgreSQL wants the server's headers too.
    find_path(NEXA_LIBPQ_INCLUDE libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
    find_library(NEXA_LIBPQ_LIBRARY pq REQUIRED)
    add_library(nexa::libpq UNKNOWN IMPORTED)
    set_target_properties(nexa::libpq PROPERTIES
        IMPORTED_LOCATION ${NEXA_LIBPQ_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${NEXA_LIBPQ_INCLUDE})
endif()

# The engine's own: a server needs neither.
if(NOT NEXA_COMPONENTS STREQUAL "server")
    include(${CMAKE_CURRENT_LIST_DIR}/torch.cmake)
    include(${CMAKE_CURRENT_LIST_DIR}/arrow.cmake)
    find_package(simdjson REQUIRED)
endif()
