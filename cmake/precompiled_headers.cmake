# SPDX-License-Identifier: Apache-2.0
#
# Precompiled headers, with clang. A file of ours is small and what it includes is not: half of the time of a build from nothing
# goes into reading the same headers again.
#
#   nexa_precompiled_header(nexa_net_library_header LIBS Boost::headers HEADERS <string> <boost/asio/steady_timer.hpp>)
#   nexa_use_header(nexa_net nexa_net_library_header)
#
# A file must still include what it names: the presets with sanitizers build without these headers and show what is missing.

option(NEXA_PRECOMPILED_HEADERS "Precompile the standard library, fmt, Asio and GoogleTest" ON)

function(nexa_precompiled_header name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBS;DEFINITIONS;HEADERS")
    set(source ${CMAKE_BINARY_DIR}/generated/${name}.cc)
    file(CONFIGURE OUTPUT ${source} CONTENT "namespace nexa {}\n")
    add_library(${name} OBJECT ${source})
    nexa_set_house_rules(${name})
    target_link_libraries(${name} PRIVATE ${arg_LIBS})
    target_compile_definitions(${name} PRIVATE ${arg_DEFINITIONS})
    # Without the timestamp in it, ccache can tell two builds of it apart by content.
    target_compile_options(${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    target_precompile_headers(${name} PRIVATE ${arg_HEADERS})
endfunction()

function(nexa_use_header target header)
    if(NOT TARGET ${header})
        return()
    endif()
    # The header was compiled with -fPIC, and clang takes it for nothing else: not for an executable's -fPIE.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC "SHELL:-Xclang -fno-pch-timestamp")
    target_precompile_headers(${target} REUSE_FROM ${header})
endfunction()

# With torch, whose headers take 12 s of a file's time, the header is made in every preset.
if(NOT NEXA_COMPONENTS STREQUAL "server" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    nexa_precompiled_header(nexa_torch_header
        LIBS nexa::torch HEADERS <ATen/ATen.h> <torch/csrc/autograd/custom_function.h>)
endif()

# Torch's for what links it; else the one of four: with Asio where MODULES hold net or stand on it, with GoogleTest if `kind` is test.
function(nexa_use_fitting_header target kind)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "MODULES;LIBS")
    if("nexa::torch" IN_LIST arg_LIBS)
        nexa_use_header(${target} nexa_torch_header)
        return()
    endif()
    set(stands_on_net FALSE)
    foreach(module IN LISTS arg_MODULES)
        nexa_target_name(${module} library)
        get_property(found TARGET ${library} PROPERTY NEXA_USES_NET)
        if(found OR module STREQUAL "net")
            set(stands_on_net TRUE)
        endif()
    endforeach()
    set_property(TARGET ${target} PROPERTY NEXA_USES_NET ${stands_on_net})
    if(stands_on_net)
        nexa_use_header(${target} nexa_net_${kind}_header)
    else()
        nexa_use_header(${target} nexa_${kind}_header)
    endif()
endfunction()

if(NEXA_PRECOMPILED_HEADERS AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    set(standard <algorithm> <array> <chrono> <cstdint> <expected> <filesystem> <fstream> <functional> <map> <memory> <optional>
        <set> <span> <string> <string_view> <thread> <tuple> <unordered_map> <variant> <vector>
        <fmt/format.h> <fmt/ranges.h>)
    set(asio <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp> <boost/asio/steady_timer.hpp> <boost/asio/strand.hpp>)
    set(asio_definitions BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
    nexa_precompiled_header(nexa_library_header LIBS fmt::fmt HEADERS ${standard})
    if(NOT NEXA_COMPONENTS STREQUAL "engine")
        nexa_precompiled_header(nexa_net_library_header
            LIBS fmt::fmt Boost::headers DEFINITIONS ${asio_definitions} HEADERS ${standard} ${asio})
    endif()
    if(NEXA_TESTS)
        nexa_precompiled_header(nexa_test_header LIBS fmt::fmt GTest::gmock HEADERS ${standard} <gmock/gmock.h> <gtest/gtest.h>)
        if(NOT NEXA_COMPONENTS STREQUAL "engine")
            nexa_precompiled_header(nexa_net_test_header
                LIBS fmt::fmt Boost::headers GTest::gmock DEFINITIONS ${asio_definitions}
                HEADERS ${standard} ${asio} <gmock/gmock.h> <gtest/gtest.h>)
        endif()
    endif()
endif()
