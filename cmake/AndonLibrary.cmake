# SPDX-License-Identifier: Apache-2.0
# andon_library(<folder> USES <lower folders> LIBS <third-party targets>)
#   builds src/<folder> with its rooms as one static library and its *_test.cpp files as <folder>_test.
# andon_program(<name> USES ... LIBS ...)
#   the same for a program folder: everything but main.cpp is the library <folder>.
# A folder may only use folders on strictly lower floors: src/floors.txt has them, for the includes,
# too (scripts/check_rooms.py).
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/floors.txt)
file(STRINGS ${CMAKE_SOURCE_DIR}/src/floors.txt _andon_floors REGEX "^[0-9]+ ")
foreach(line IN LISTS _andon_floors)
  string(REGEX MATCH "^([0-9]+) ([a-z]+)" _ "${line}")
  set_property(GLOBAL PROPERTY andon_floor_${CMAKE_MATCH_2} ${CMAKE_MATCH_1})
endforeach()

function(_andon_check_floor folder)
  foreach(name IN ITEMS ${folder} ${ARGN})
    get_property(floor GLOBAL PROPERTY andon_floor_${name})
    if(floor STREQUAL "")
      message(FATAL_ERROR "src/${name} has no floor in src/floors.txt")
    endif()
  endforeach()
  get_property(floor GLOBAL PROPERTY andon_floor_${folder})
  foreach(used IN LISTS ARGN)
    get_property(used_floor GLOBAL PROPERTY andon_floor_${used})
    if(NOT used_floor LESS floor)
      message(FATAL_ERROR
        "src/${folder} (floor ${floor}) may not use src/${used} (floor ${used_floor})")
    endif()
  endforeach()
endfunction()

function(andon_library folder)
  cmake_parse_arguments(ARG "" "" "USES;LIBS" ${ARGN})
  _andon_check_floor(${folder} ${ARG_USES})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  # A folder with a CMakeLists.txt of its own is another target (inspect/gstreamer).
  file(GLOB inner_targets ${CMAKE_CURRENT_SOURCE_DIR}/*/CMakeLists.txt)
  foreach(inner IN LISTS inner_targets)
    get_filename_component(inner ${inner} DIRECTORY)
    list(FILTER sources EXCLUDE REGEX "^${inner}/")
  endforeach()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  set(kind STATIC)
  set(scope PUBLIC)
  if(NOT sources)
    set(kind INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(${folder} ${kind} ${sources})
  target_include_directories(${folder} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${folder} ${scope} ${ARG_USES} ${ARG_LIBS})
  if(sources)
    target_link_libraries(${folder} PRIVATE andon_product_flags)
    andon_precompile(${folder} andon_precompiled)
  endif()
  if(ANDON_TESTS AND tests)
    add_executable(${folder}_test ${tests})
    target_link_libraries(${folder}_test PRIVATE ${folder} andon_test_flags GTest::gmock
      GTest::gtest_main)
    andon_compile_as_program(${folder}_test)
    andon_precompile(${folder}_test andon_precompiled_tests)
    gtest_discover_tests(${folder}_test TEST_PREFIX ${folder}. DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT 120)
  endif()
endfunction()

function(andon_program name)
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  andon_library(${folder} ${ARGN})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/main.cpp)
    add_executable(${name} main.cpp)
    target_link_libraries(${name} PRIVATE ${folder} andon_product_flags)
  endif()
endfunction()

# andon_compile_for_size([<regex>])
#   has the sources of this folder compiled for size in a release, but for those that match. Half as
#   large, and slower: for what waits for the disk, the network or a person, and is in the agent.
#   Precompiled headers are made for speed.
function(andon_compile_for_size)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  if(ARGC)
    list(FILTER sources EXCLUDE REGEX "${ARGV0}")
  endif()
  set_source_files_properties(${sources} PROPERTIES
    COMPILE_OPTIONS "$<$<CONFIG:Release>:-Os>" SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# andon_inspect_module(<name> <package> WITHOUT <words> [OPTIONS <compile options>])
#   builds this folder's module.cpp as andon-inspect-<name>, which andon-inspect loads where it is
#   wanted, with the pkg-config package (GPIOD). Where that is not installed there is no such target,
#   and the build says <words> of it.
function(andon_inspect_module name package)
  cmake_parse_arguments(ARG "" "WITHOUT" "OPTIONS" ${ARGN})
  if(NOT ${package}_FOUND)
    message(STATUS "${ARG_WITHOUT}")
    return()
  endif()
  set(target andon-inspect-${name})
  add_library(${target} MODULE module.cpp)
  set_target_properties(${target} PROPERTIES PREFIX ""
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} CXX_VISIBILITY_PRESET hidden)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_include_directories(${target} SYSTEM PRIVATE ${${package}_INCLUDE_DIRS})
  target_link_libraries(${target} PRIVATE andon_product_flags ${${package}_LINK_LIBRARIES})
  target_compile_options(${target} PRIVATE ${ARG_OPTIONS})
endfunction()
