# SPDX-License-Identifier: Apache-2.0
# Every third-party library in one place; docs/dependencies.md has the reason for each.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(LibArchive REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(MOSQUITTO REQUIRED IMPORTED_TARGET libmosquitto)
pkg_check_modules(ARGON2 REQUIRED IMPORTED_TARGET libargon2)
find_package(Protobuf REQUIRED)
find_library(ONNX_PROTO_LIBRARY NAMES onnx_proto REQUIRED)
find_path(ONNX_INCLUDE_DIR NAMES onnx/onnx_pb.h REQUIRED)
# For videos and cameras only: a module of its own (src/inspect/gstreamer), left out where it is not.
pkg_check_modules(GSTREAMER gstreamer-1.0 gstreamer-app-1.0 gstreamer-video-1.0)
# For cameras that speak GenICam: a module, too (src/inspect/aravis).
pkg_check_modules(ARAVIS aravis-0.8)
# For the line: modules, too (src/inspect/modbus, src/inspect/gpio). libgpiod 2 has other functions.
pkg_check_modules(MODBUS libmodbus)
pkg_check_modules(GPIOD libgpiod<2)
if(ANDON_TESTS)
  pkg_check_modules(GSTREAMER_RTSP_SERVER gstreamer-rtsp-server-1.0)
endif()
if(ANDON_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# Image codecs are linked statically: the inference program is one file, and runs on a device that
# has Debian's minimal system and the agent alone.
find_library(TURBOJPEG_LIBRARY NAMES libturbojpeg.a REQUIRED)
find_library(PNG_LIBRARY NAMES libpng16.a REQUIRED)
add_library(andon_images INTERFACE)
target_link_libraries(andon_images INTERFACE ${TURBOJPEG_LIBRARY} ${PNG_LIBRARY} ZLIB::ZLIB)

# Boost.JSON is linked statically: the device then needs no Boost package.
find_library(BOOST_JSON_LIBRARY NAMES libboost_json.a REQUIRED)
find_library(BOOST_CONTAINER_LIBRARY NAMES libboost_container.a REQUIRED)
add_library(andon_boost INTERFACE)
target_include_directories(andon_boost SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
target_compile_definitions(andon_boost INTERFACE BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(andon_boost INTERFACE ${BOOST_JSON_LIBRARY} ${BOOST_CONTAINER_LIBRARY})

# The messages of ONNX's file format only: neither its checker nor its shape inference.
add_library(andon_onnx INTERFACE)
target_include_directories(andon_onnx SYSTEM INTERFACE ${ONNX_INCLUDE_DIR})
target_compile_definitions(andon_onnx INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_link_libraries(andon_onnx INTERFACE ${ONNX_PROTO_LIBRARY} protobuf::libprotobuf)
