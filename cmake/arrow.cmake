# SPDX-License-Identifier: Apache-2.0
#
# Arrow C++ as imported targets nexa::arrow, nexa::arrow_compute and nexa::parquet, from the pyarrow wheel in .venv
# or from NEXA_ARROW_DIR (a folder with include/ and the libraries, beside it or in lib/). Arrow and torch headers
# in one file do not compile.

set(NEXA_ARROW_DIR "" CACHE PATH "Folder with include/ and the libraries of Arrow; empty: the wheel beside NEXA_PYTHON")

function(nexa_find_arrow out)
    set(folders ${NEXA_ARROW_DIR})
    if(NOT folders)
        list(TRANSFORM nexa_site_packages APPEND /pyarrow OUTPUT_VARIABLE folders)
    endif()
    foreach(folder IN LISTS folders)
        if(EXISTS ${folder}/include/arrow/api.h)
            set(${out} ${folder} PARENT_SCOPE)
            return()
        endif()
    endforeach()
    message(FATAL_ERROR "no Arrow C++ in '${folders}': run ./dev setup, name a folder with -DNEXA_ARROW_DIR=…, "
        "or leave the engine out with -DNEXA_COMPONENTS=server")
endfunction()

function(nexa_import_arrow_library folder name)
    find_library(nexa_${name}_file ${name} PATHS ${folder} ${folder}/lib NO_DEFAULT_PATH NO_CACHE REQUIRED)
    file(REAL_PATH ${nexa_${name}_file} file)
    add_library(nexa_${name} SHARED IMPORTED GLOBAL)
    set_target_properties(nexa_${name} PROPERTIES IMPORTED_LOCATION ${file})
    target_include_directories(nexa_${name} SYSTEM INTERFACE ${folder}/include)
endfunction()

function(nexa_import_arrow)
    nexa_find_arrow(folder)
    foreach(name arrow arrow_compute parquet)
        nexa_import_arrow_library(${folder} ${name})
    endforeach()
    target_link_libraries(nexa_arrow_compute INTERFACE nexa_arrow)
    target_link_libraries(nexa_parquet INTERFACE nexa_arrow)
    add_library(nexa::arrow ALIAS nexa_arrow)
    add_library(nexa::arrow_compute ALIAS nexa_arrow_compute)
    add_library(nexa::parquet ALIAS nexa_parquet)
endfunction()

nexa_import_arrow()
