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
  if(ANDON_SANITIZE MATCHES "thread")
    # ThreadSanitizer does not know fences; Asio goes without, on the atomics that it does know.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCES)
    add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(andon_flags INTERFACE -D_FORTIFY_SOURCE=3)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections)
endif()

find_program(ANDON_MOLD mold)
if(ANDON_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(ANDON_CCACHE ccache)
if(ANDON_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ANDON_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${ANDON_CCACHE})
endif()
