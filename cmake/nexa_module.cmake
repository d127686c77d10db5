# SPDX-License-Identifier: Apache-2.0
#
# The module graph and the functions that hold it. One directory = one target = one namespace.
#
#   nexa_module(orchestration
#       SOURCES  submit.cc leases.cc
#       DEPS     net db storage            # must be in the module's row below; core is implied
#       LIBS     SQLite::SQLite3           # third-party targets
#       SQL      sql migrations            # folders of .sql files, embedded as orchestration/orchestration_sql.h
#       TESTS    leases_test.cc            # one test binary per module
#       BENCHES  leases_bench.cc
#       FUZZERS  spec_fuzz.cc              # one binary each, built by the fuzz preset
#       TEST_LIBS OpenSSL::Crypto)         # third-party targets of the tests alone
#
# tools/tidy.py reads the same rows and compares every #include with them.

# A row: the directory under src/, then every module it may depend on. A module may only name modules above it,
# so the table cannot hold a cycle.
function(nexa_allow module)
    get_property(known GLOBAL PROPERTY NEXA_MODULES)
    foreach(dependency IN LISTS ARGN)
        if(NOT dependency IN_LIST known)
            message(FATAL_ERROR "module '${module}' may not depend on '${dependency}': "
                "'${dependency}' does not stand above it in the table, so the edge would close a cycle")
        endif()
    endforeach()
    set_property(GLOBAL APPEND PROPERTY NEXA_MODULES ${module})
    set_property(GLOBAL PROPERTY NEXA_ALLOWED_${module} ${ARGN})
endfunction()

# The same for what only a module's tests may use on top of its row. Rows come after all modules are known.
function(nexa_allow_in_tests module)
    set_property(GLOBAL APPEND PROPERTY NEXA_TEST_ALLOWED_${module} ${ARGN})
endfunction()

# A program in apps/: it may name any module of its row, and is the only place that joins them.
function(nexa_allow_app app)
    set_property(GLOBAL PROPERTY NEXA_APP_ALLOWED_${app} ${ARGN})
endfunction()

include(${CMAKE_CURRENT_LIST_DIR}/module_graph.cmake)

# Stops with a message that names both modules unless `module` may depend on all of ARGN.
function(nexa_check_edges module kind)
    get_property(known GLOBAL PROPERTY NEXA_MODULES)
    if(kind STREQUAL "app")
        get_property(allowed GLOBAL PROPERTY NEXA_APP_ALLOWED_${module})
    else()
        if(NOT module IN_LIST known)
            message(FATAL_ERROR "module '${module}' has no row in cmake/module_graph.cmake")
        endif()
        get_property(allowed GLOBAL PROPERTY NEXA_ALLOWED_${module})
        if(kind STREQUAL "test")
            get_property(extra GLOBAL PROPERTY NEXA_TEST_ALLOWED_${module})
            list(APPEND allowed fakes ${extra})
        endif()
    endif()
    foreach(dependency IN LISTS ARGN)
        if(NOT dependency IN_LIST allowed)
            message(FATAL_ERROR "${kind} '${module}' may not depend on '${dependency}' (its row in cmake/module_graph.cmake allows: ${allowed})")
        endif()
    endforeach()
endfunction()

function(nexa_target_name module out)
    string(REPLACE "/" "_" name ${module})
    set(${out} nexa_${name} PARENT_SCOPE)
endfunction()

function(nexa_link_modules target)
    foreach(dependency IN LISTS ARGN)
        nexa_target_name(${dependency} name)
        target_link_libraries(${target} PUBLIC ${name})
    endforeach()
endfunction()

function(nexa_module module)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;LIBS;SQL;TESTS;TEST_DEPS;TEST_LIBS;BENCHES;FUZZERS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "nexa_module(${module}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    nexa_check_edges(${module} module ${arg_DEPS})
    nexa_check_edges(${module} test ${arg_TEST_DEPS})
    if("net" IN_LIST arg_DEPS OR module STREQUAL "net")
        nexa_refuse_broken_coroutines(${module})
    endif()

    nexa_target_name(${module} target)
    add_library(${target} STATIC ${arg_SOURCES})
    string(REPLACE "/" "::" alias ${module})
    add_library(nexa::${alias} ALIAS ${target})
    nexa_set_house_rules(${target})
    target_link_libraries(${target} PUBLIC ${arg_LIBS})
    if(NOT module STREQUAL "core")
        target_link_libraries(${target} PUBLIC nexa_core)
    endif()
    nexa_link_modules(${target} ${arg_DEPS})
    if(arg_SQL)
        nexa_embed_sql(${target} ${module} ${arg_SQL})
    endif()
    nexa_use_fitting_header(${target} library MODULES ${module} ${arg_DEPS} LIBS ${arg_LIBS})

    if(arg_TESTS AND NEXA_TESTS)
        nexa_test_binary(${target}_test ${module} "${arg_TESTS}" "${arg_TEST_DEPS}" "${arg_TEST_LIBS}")
        nexa_use_fitting_header(${target}_test test MODULES ${module} ${arg_DEPS} ${arg_TEST_DEPS} LIBS ${arg_LIBS})
    endif()
    if(arg_FUZZERS AND NEXA_TESTS)
        # Compiled beside the tests: whoever breaks a target sees it at once, not when it is next run.
        add_library(${target}_fuzz OBJECT ${arg_FUZZERS})
        nexa_set_house_rules(${target}_fuzz)
        target_link_libraries(${target}_fuzz PRIVATE ${target})
    endif()
    if(arg_BENCHES AND NEXA_BENCHES)
        add_executable(${target}_bench ${arg_BENCHES})
        nexa_set_house_rules(${target}_bench)
        target_link_libraries(${target}_bench PRIVATE ${target} benchmark::benchmark_main)
    endif()
    if(arg_FUZZERS AND NEXA_FUZZERS)
        foreach(source IN LISTS arg_FUZZERS)
            get_filename_component(name ${source} NAME_WE)
            add_executable(${target}_${name} ${source})
            nexa_set_house_rules(${target}_${name})
            target_compile_options(${target}_${name} PRIVATE -fsanitize=fuzzer)
            target_link_options(${target}_${name} PRIVATE -fsanitize=fuzzer)
            target_link_libraries(${target}_${name} PRIVATE ${target})
            set_property(GLOBAL APPEND PROPERTY NEXA_FUZZ_TARGETS ${target}_${name})
        endforeach()
    endif()
endfunction()

# Generates <module>/<module>_sql.h and .cc from the .sql files of these folders (tools/embed_sql.py).
function(nexa_embed_sql target module)
    set(files)
    foreach(folder IN LISTS ARGN)
        if(NOT IS_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/${folder} OR NOT folder MATCHES "^(sql|migrations)$")
            message(FATAL_ERROR "nexa_module(${module} SQL): no folder sql or migrations called '${folder}'")
        endif()
        file(GLOB_RECURSE found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.sql)
        list(APPEND files ${found})
    endforeach()
    if(NOT files)
        message(FATAL_ERROR "nexa_module(${module} SQL): no .sql file in ${ARGN}")
    endif()
    get_filename_component(name ${module} NAME)
    set(generated ${CMAKE_BINARY_DIR}/generated/${module}/${name}_sql)
    # The files stand in the command itself: taking one away changes it, so the build runs it again.
    add_custom_command(
        OUTPUT ${generated}.h ${generated}.cc
        COMMAND python3 ${CMAKE_SOURCE_DIR}/tools/embed_sql.py --module ${module}
            --source ${CMAKE_CURRENT_SOURCE_DIR} --out ${CMAKE_BINARY_DIR}/generated ${files}
        DEPENDS ${files} ${CMAKE_SOURCE_DIR}/tools/embed_sql.py
        COMMENT "SQL of ${module}" VERBATIM)
    target_sources(${target} PRIVATE ${generated}.cc ${generated}.h)
endfunction()

# Tests whose suite is called ...Slow run under the label `slow` only.
function(nexa_test_binary target module sources deps libs)
    add_executable(${target} ${sources})
    nexa_set_house_rules(${target})
    nexa_target_name(${module} library)
    target_link_libraries(${target} PRIVATE ${library} GTest::gmock_main ${libs})
    nexa_link_modules_privately(${target} ${deps})
    set(results ${CMAKE_BINARY_DIR}/test-results)
    add_test(NAME unit/${module}
        COMMAND ${target} --gtest_filter=-*Slow.* --gtest_output=xml:${results}/${target}.xml
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(unit/${module} PROPERTIES LABELS unit TIMEOUT 300)
    add_test(NAME slow/${module}
        COMMAND ${target} --gtest_filter=*Slow.* --gtest_output=xml:${results}/${target}_slow.xml
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(slow/${module} PROPERTIES LABELS slow TIMEOUT 3600)
endfunction()

function(nexa_link_modules_privately target)
    foreach(dependency IN LISTS ARGN)
        nexa_target_name(${dependency} name)
        target_link_libraries(${target} PRIVATE ${name})
    endforeach()
endfunction()

# apps/<name>/CMakeLists.txt: nexa_app(nexad SOURCES main.cc wiring.cc DEPS api config)
function(nexa_app app)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;LIBS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "nexa_app(${app}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    nexa_check_edges(${app} app ${arg_DEPS})
    add_executable(${app} ${arg_SOURCES})
    add_dependencies(${app} build_info)
    nexa_set_house_rules(${app})
    target_link_libraries(${app} PRIVATE nexa_core ${arg_LIBS})
    nexa_link_modules_privately(${app} ${arg_DEPS})
    nexa_use_fitting_header(${app} library MODULES ${arg_DEPS})
    set_target_properties(${app} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    set_property(GLOBAL APPEND PROPERTY NEXA_PROGRAMS ${app})
endfunction()

# Debian's GCC 12.2 destroys temporaries of co_await statements twice, at -O0 and -O2 alike.
function(nexa_refuse_broken_coroutines module)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        message(FATAL_ERROR "module '${module}' uses coroutines, and GCC ${CMAKE_CXX_COMPILER_VERSION} miscompiles "
            "temporaries in co_await statements: build it with clang 19, or the engine alone with -DNEXA_COMPONENTS=engine")
    endif()
endfunction()

function(nexa_set_house_rules target)
    target_compile_features(${target} PUBLIC cxx_std_23)
    # -iquote, not -I: with -I src, our net/route.h would replace the system's.
    target_compile_options(${target} PRIVATE
        "SHELL:-iquote ${CMAKE_SOURCE_DIR}/src"
        "SHELL:-iquote ${CMAKE_BINARY_DIR}/generated"
        -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor -Wimplicit-fallthrough
        $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
        # An options struct is there to be named in part.
        $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-designated-field-initializers>
        $<$<BOOL:${NEXA_WERROR}>:-Werror>)
endfunction()
