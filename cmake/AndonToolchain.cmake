# SPDX-License-Identifier: Apache-2.0
# Warnings, hardening, sanitizers, and the faster linker and compiler cache where they are installed.
add_library(andon_flags INTERFACE)
target_compile_options(andon_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast -Wcast-qual -Werror -Wno-missing-field-initializers
  -fstack-protector-strong -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these where there is nothing, inside inlined std::string and std::variant at -O2
  # (GCC bugs 105329, 105562, 106199). Debug builds and clang keep the true ones.
  target_compile_options(andon_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized
    -Wno-mismatched-new-delete $<$<CONFIG:Release>:-Wno-array-bounds;-Wno-stringop-overflow>)
endif()

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)

if(ANDON_SANITIZE)
  add_compile_options(-fsanitize=${ANDON_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ANDON_SANITIZE})
  # clang 14 cannot assemble a coroutine with what this check puts before each function.
  if(ANDON_SANITIZE MATCHES "undefined")
    add_compile_options($<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
  endif()
  if(ANDON_SANITIZE MATCHES "thread")
    # ThreadSanitizer does not know fences; Asio goes without, on the atomics that it does know.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCES)
    add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endif()

# What is shipped is optimised and fortified; what only tests run is built as fast as it can be.
add_library(andon_product_flags INTERFACE)
target_link_libraries(andon_product_flags INTERFACE andon_flags)
add_library(andon_test_flags INTERFACE)
target_link_libraries(andon_test_flags INTERFACE andon_flags)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(andon_product_flags INTERFACE -D_FORTIFY_SOURCE=3)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR ANDON_SANITIZE)
  target_compile_options(andon_test_flags INTERFACE -O0)
endif()
# What UBSan is to find is in the product; in what tests are written with it costs as much again.
if(ANDON_SANITIZE MATCHES "undefined")
  target_compile_options(andon_test_flags INTERFACE -fno-sanitize=undefined)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections)
endif()

find_program(ANDON_MOLD mold)
if(ANDON_MOLD)
  # Segments of their own: mold 1.10 lets a program fail to start ("cannot apply additional memory
  # protection") where thread-local data begins in the last bytes of a page.
  add_link_options(-fuse-ld=mold -Wl,-z,separate-loadable-segments)
endif()
# Objects are shared by every checkout of this machine: paths below the checkout are relative to it.
find_program(ANDON_CCACHE ccache)
if(ANDON_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${ANDON_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
