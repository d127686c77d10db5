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
