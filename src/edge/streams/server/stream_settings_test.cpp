// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/server/stream_settings.hpp"

#include <gtest/gtest.h>

namespace andon::edge {
namespace {

namespace json = base::json;

TEST(StreamSettings, TakeTextsAndNumbers) {
  const auto read =
      read_stream_settings(json::object{{"STREAM_MANAGER_SERVER_PORT", "9000"},
                                        {"STREAM_MANAGER_AUTHENTICATE_CLIENT", "false"},
                                        {"STREAM_MANAGER_STORE_ROOT_DIR", "/data"},
                                        {"STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH", 800},
                                        {"STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE", "2"},
                                        {"JVM_ARGS", "-Xmx1g"}},
                           "/default");
  EXPECT_TRUE(read.problems.empty());
  EXPECT_EQ(read.settings, (StreamSettings{.root = "/data",
                                           .port = 9000,
                                           .authenticates = false,
                                           .bytes_per_second = 100'000,
                                           .export_threads = 2}));
}

TEST(StreamSettings, WhatCannotBeIsLeftAtItsDefaultAndNamed) {
  const auto read = read_stream_settings(
      json::object{{"STREAM_MANAGER_SERVER_PORT", 70'000},
                   {"STREAM_MANAGER_STORE_ROOT_DIR", "relative"},
                   {"STREAM_MANAGER_EXPORTER_S3_DESTINATION_MULTIPART_UPLOAD_MIN_PART_SIZE_BYTES",
                    "5242879"}},
      "/default");
  EXPECT_EQ(read.problems.size(), 3U);
  EXPECT_EQ(read.settings, StreamSettings{.root = "/default"});
}

}  // namespace
}  // namespace andon::edge
