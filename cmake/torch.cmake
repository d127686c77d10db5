# SPDX-License-Identifier: Apache-2.0
#
# libtorch as imported targets, from the wheel that tools/setup puts into .venv or from NEXA_TORCH_DIR (a folder
# with include/ and lib/, such as Python's site-packages/torch).
#
#   nexa::torch        torch_cpu and c10. Never `torch`, which drags in all of CUDA
#   nexa::torch_cuda   the same and torch_cuda, c10_cuda; exists where the loader finds all of CUDA
#
# find_package(Torch) is of no use here: with a CUDA wheel it demands a CUDA toolkit.

cmake_path(GET NEXA_PYTHON PARENT_PATH nexa_wheels)
cmake_path(GET nexa_wheels PARENT_PATH nexa_wheels)
file(GLOB nexa_site_packages ${nexa_wheels}/lib/python3.*/site-packages)
set(NEXA_TORCH_DIR "" CACHE PATH "Folder with include/ and lib/ of libtorch; empty: the wheel beside NEXA_PYTHON")

function(nexa_find_torch out)
    foreach(folder IN LISTS NEXA_TORCH_DIR)
        if(NOT EXISTS ${folder}/lib/libtorch_cpu.so)
            message(FATAL_ERROR "NEXA_TORCH_DIR: no libtorch_cpu.so in ${folder}/lib")
        endif()
        set(${out} ${folder} PARENT_SCOPE)
        return()
    endforeach()
    foreach(site IN LISTS nexa_site_packages)
        if(EXISTS ${site}/torch/lib/libtorch_cpu.so)
            set(${out} ${site}/torch PARENT_SCOPE)
            return()
        endif()
    endforeach()
    message(FATAL_ERROR "no libtorch beside ${NEXA_PYTHON}: run ./dev setup, name a folder with -DNEXA_TORCH_DIR=…, "
        "or leave the engine out with -DNEXA_COMPONENTS=server")
endfunction()

function(nexa_check_torch_version torch_dir)
    file(STRINGS ${torch_dir}/include/torch/headeronly/version.h lines REGEX "define TORCH_VERSION_(MAJOR|MINOR) ")
    string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
    list(JOIN numbers "." version)
    if(version VERSION_LESS 2.11)
        message(FATAL_ERROR "libtorch ${version} in ${torch_dir} is too old: 2.11 or newer")
    endif()
endfunction()

# The wheel's include/ also holds fmt, google/ and more in versions of its own, which must not get in front of the
# ones we link. So only torch's own folders are on the include path, through links.
function(nexa_torch_include_folder torch_dir out)
    set(links ${CMAKE_BINARY_DIR}/torch-include)
    file(MAKE_DIRECTORY ${links})
    foreach(folder ATen c10 caffe2 torch)
        file(REMOVE ${links}/${folder})
        file(CREATE_LINK ${torch_dir}/include/${folder} ${links}/${folder} SYMBOLIC)
    endforeach()
    set(${out} ${links} PARENT_SCOPE)
endfunction()

# What libtorch_cpu.so itself needs. Its own run path finds them in a wheel; GNU ld wants to be told.
function(nexa_torch_dependencies torch_dir out)
    cmake_path(GET torch_dir PARENT_PATH site)
    file(GLOB libraries ${site}/nvidia/cu*/lib/libcudart.so.* ${site}/nvidia/cu*/lib/libcupti.so.*)
    set(${out} ${libraries} PARENT_SCOPE)
endfunction()

function(nexa_import_torch)
    nexa_find_torch(torch_dir)
    nexa_check_torch_version(${torch_dir})
    nexa_torch_include_folder(${torch_dir} includes)
    nexa_torch_dependencies(${torch_dir} dependencies)

    foreach(name torch_cpu c10)
        add_library(nexa_${name} SHARED IMPORTED GLOBAL)
        set_target_properties(nexa_${name} PROPERTIES
            IMPORTED_LOCATION ${torch_dir}/lib/lib${name}.so
            IMPORTED_LINK_DEPENDENT_LIBRARIES "${dependencies}")
    endforeach()
    add_library(nexa_torch INTERFACE IMPORTED GLOBAL)
    add_library(nexa::torch ALIAS nexa_torch)
    target_include_directories(nexa_torch SYSTEM INTERFACE ${includes} ${includes}/torch/csrc/api/include)
    target_link_libraries(nexa_torch INTERFACE nexa_torch_cpu nexa_c10)
    # The wheel's own OpenMP runtime: a second one in the process would spin against it.
    file(GLOB gomp ${torch_dir}/lib/libgomp.so.1 ${torch_dir}/lib/libgomp-*.so.1)
    if(gomp)
        list(GET gomp 0 gomp)
        add_library(nexa_torch_gomp SHARED IMPORTED GLOBAL)
        set_target_properties(nexa_torch_gomp PROPERTIES IMPORTED_LOCATION ${gomp})
        target_link_libraries(nexa_torch INTERFACE nexa_torch_gomp)
    endif()

    set(NEXA_TORCH_LIB ${torch_dir}/lib CACHE INTERNAL "Where libtorch's libraries lie")
    nexa_import_torch_cuda(${torch_dir})
endfunction()

function(nexa_import_torch_cuda torch_dir)
    set(library ${torch_dir}/lib/libtorch_cuda.so)
    if(NOT EXISTS ${library} OR NOT EXISTS ${torch_dir}/lib/libc10_cuda.so)
        return()
    endif()
    execute_process(COMMAND ldd ${library} OUTPUT_VARIABLE needed ERROR_QUIET RESULT_VARIABLE failed)
    if(failed OR needed MATCHES "not found")
        return()
    endif()
    foreach(name torch_cuda c10_cuda)
        add_library(nexa_${name}_library SHARED IMPORTED GLOBAL)
        set_target_properties(nexa_${name}_library PROPERTIES IMPORTED_LOCATION ${torch_dir}/lib/lib${name}.so)
    endforeach()
    add_library(nexa_torch_cuda INTERFACE IMPORTED GLOBAL)
    add_library(nexa::torch_cuda ALIAS nexa_torch_cuda)
    # No symbol of ours names them: they register their kernels when loaded, so the linker must not drop them.
    target_link_libraries(nexa_torch_cuda INTERFACE nexa_torch
        -Wl,--push-state,--no-as-needed nexa_torch_cuda_library nexa_c10_cuda_library -Wl,--pop-state)
endfunction()

nexa_import_torch()
