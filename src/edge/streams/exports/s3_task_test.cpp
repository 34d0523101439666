// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/s3_task.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::edge {
namespace {

std::string task_text(std::string_view url, std::string_view bucket, std::string_view key) {
  return base::to_text(base::json::object{{"inputUrl", url}, {"bucket", bucket}, {"key", key}});
}

TEST(S3Task, TakesEachFormOfAFilesAddress) {
  for (const char* const url :
       {"file:/a/b.jpg", "file:///a/b.jpg", "/a/b.jpg", "file://localhost/a/b.jpg"}) {
    EXPECT_EQ(read_s3_task(task_text(url, "bucket", "k")).input, "/a/b.jpg") << url;
  }
  for (const char* const url : {"a/b.jpg", "http://a/b", "file:b", ""}) {
    EXPECT_THROW(static_cast<void>(read_s3_task(task_text(url, "bucket", "k"))), base::Error);
  }
}

TEST(S3Task, RefusesBucketsAndKeysThatCannotBe) {
  for (const char* const bucket : {"ab", "Bucket", "-ab", "a..b", "1.2.3.4", "a_b"}) {
    EXPECT_THROW(static_cast<void>(read_s3_task(task_text("/a", bucket, "k"))), base::Error)
        << bucket;
  }
  for (const char* const key : {"", "a b", "a{b", "a#b", "a?b", "!{timestamp:yyyy"}) {
    EXPECT_THROW(static_cast<void>(read_s3_task(task_text("/a", "bucket", key))), base::Error)
        << key;
  }
  EXPECT_NO_THROW(static_cast<void>(
      read_s3_task(task_text("/a", "my.bucket-1", "a/!{timestamp:yyyy/MM}/b.jpg"))));
}

TEST(S3Task, FillsInTheTimeAsJavaDoes) {
  const auto at = [](const char* time, const std::string& pattern) {
    return resolve_key("!{timestamp:" + pattern + "}", *base::parse_iso8601(time));
  };
  EXPECT_EQ(at("2026-11-29T09:05:07.012Z", "yyyy/MM/dd/HH/mm/ss/SSS"), "2026/11/29/09/05/07/012");
  EXPECT_EQ(at("2026-11-29T19:05:07.012Z", "yy/M/d/h/a/EEE/MMM/DDD"), "26/11/29/7/PM/Sun/Nov/333");
  // The turn of a year: the week of 1 January belongs to the new year as a whole.
  EXPECT_EQ(at("2025-12-27T23:59:59Z", "YYYY/ww/yyyy"), "2025/52/2025");
  EXPECT_EQ(at("2025-12-28T00:00:00Z", "YYYY/ww/yyyy"), "2026/01/2025");
  EXPECT_EQ(at("2026-01-01T00:00:00Z", "YYYY/w/yyyy"), "2026/1/2026");
  EXPECT_EQ(at("2027-01-02T00:00:00Z", "YYYY/w"), "2027/1");
  EXPECT_EQ(at("2026-12-31T12:00:00Z", "YYYY"), "2027");
}

TEST(S3Task, RefusesExpressionsOfAnotherNamespaceOrLetter) {
  const auto now = *base::parse_iso8601("2026-11-29T09:05:07Z");
  for (const char* const key : {"!{thing:name}", "!{timestamp:}", "!{timestamp:b}",
                                "!{timestamp:yyyy-MM}", "!{timestamp:HHH}", "!{timestamp:yyyy"}) {
    EXPECT_THROW(static_cast<void>(resolve_key(key, now)), base::Error) << key;
  }
  EXPECT_EQ(resolve_key("a/!{timestamp:yyyy}/b!", now), "a/2026/b!");
}

TEST(S3Task, LowersTheNamesOfMetadataAndRefusesReservedOnes) {
  const auto with = [](const char* name) {
    return read_s3_task(
        base::to_text(base::json::object{{"inputUrl", "/a"},
                                         {"bucket", "bucket"},
                                         {"key", "k"},
                                         {"userMetadata", base::json::object{{name, "value"}}}}));
  };
  EXPECT_EQ(with("Camera").metadata.at("camera"), "value");
  EXPECT_THROW(static_cast<void>(with("x-amz-meta-a")), base::Error);
  EXPECT_THROW(static_cast<void>(with("$aws-gg-a")), base::Error);
  EXPECT_THROW(static_cast<void>(with("a b")), base::Error);
}

}  // namespace
}  // namespace andon::edge
