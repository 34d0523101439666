# SPDX-License-Identifier: Apache-2.0
# What most sources include is compiled once for the product and once for the tests. Sources include
# what they use all the same: the fuzz preset builds without.
option(ANDON_PRECOMPILE "Precompile the headers that most sources include" ON)

# Precompiled headers serve only what is compiled with the same -fPIE: the library that has the tests'
# headers is compiled as the test programs are.
function(andon_compile_as_program target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIE)
endfunction()

function(_andon_precompiled name flags)
  file(WRITE ${CMAKE_BINARY_DIR}/${name}.cpp.new "// Compiles the headers of ${name}.\n")
  file(COPY_FILE ${CMAKE_BINARY_DIR}/${name}.cpp.new ${CMAKE_BINARY_DIR}/${name}.cpp ONLY_IF_DIFFERENT)
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE andon_boost fmt::fmt Threads::Threads ${flags})
  if(flags STREQUAL andon_test_flags)
    andon_compile_as_program(${name})
  endif()
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

# Not CLI11: what it defines costs each source that includes it two seconds, precompiled or not.
set(_andon_product_headers
  <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <filesystem> <functional>
  <map> <memory> <mutex> <optional> <set> <span> <string> <string_view> <thread> <unordered_map>
  <utility> <variant> <vector>
  <boost/json/array.hpp> <boost/json/object.hpp> <boost/json/string.hpp> <boost/json/value.hpp>
  <fmt/format.h>)
if(ANDON_PRECOMPILE)
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
  _andon_precompiled(andon_precompiled andon_product_flags ${_andon_product_headers})
  if(ANDON_TESTS)
    _andon_precompiled(andon_precompiled_tests andon_test_flags ${_andon_product_headers}
      <gmock/gmock.h> <gtest/gtest.h>)
    target_link_libraries(andon_precompiled_tests PRIVATE GTest::gmock)
  endif()
endif()

function(andon_precompile target precompiled)
  if(ANDON_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${precompiled})
  endif()
endfunction()
