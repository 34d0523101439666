// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/conditions.hpp"

#include <gtest/gtest.h>

#include "api/s3/format/error.hpp"

namespace andon::api {
namespace {

store::ObjectInfo object() {
  return {
      .size = 7, .etag = "abc", .last_modified = *base::parse_iso8601("2026-11-22T10:00:00.500Z")};
}

template <typename Work>
std::string code_of(const Work& work) {
  try {
    work();
  } catch (const S3Error& error) {
    return error.code();
  }
  return "met";
}

TEST(CheckConditions, ComparesTagsAndTimes) {
  const struct {
    const char* name;
    const char* value;
    ReadCondition expected;
  } rows[] = {
      {"If-Match", "\"abc\"", ReadCondition::met},
      {"If-Match", "\"x\", \"abc\"", ReadCondition::met},
      {"If-Match", "*", ReadCondition::met},
      {"If-Match", "\"x\"", ReadCondition::failed},
      {"If-None-Match", "\"abc\"", ReadCondition::not_modified},
      {"If-None-Match", "W/\"abc\"", ReadCondition::not_modified},
      {"If-None-Match", "\"x\"", ReadCondition::met},
      {"If-Modified-Since", "Sun, 22 Nov 2026 10:00:00 GMT", ReadCondition::not_modified},
      {"If-Modified-Since", "Sun, 22 Nov 2026 09:59:59 GMT", ReadCondition::met},
      {"If-Modified-Since", "yesterday", ReadCondition::met},
      {"If-Unmodified-Since", "Sun, 22 Nov 2026 10:00:00 GMT", ReadCondition::met},
      {"If-Unmodified-Since", "Sun, 22 Nov 2026 09:59:59 GMT", ReadCondition::failed},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(check_conditions({{row.name, row.value}}, object()), row.expected)
        << row.name << ": " << row.value;
  }
}

TEST(CheckConditions, ARangeCountsOnlyForTheObjectThatItMeans) {
  const auto is_meant = [](const char* value) {
    return is_range_meant({{"If-Range", value}}, object());
  };
  EXPECT_TRUE(is_range_meant({}, object()));
  EXPECT_TRUE(is_meant("\"abc\""));
  EXPECT_TRUE(is_meant("Sun, 22 Nov 2026 10:00:00 GMT"));
  for (const char* other : {"\"x\"", "W/\"abc\"", "Sun, 22 Nov 2026 10:00:01 GMT", "abc", ""}) {
    EXPECT_FALSE(is_meant(other)) << other;
  }
}

TEST(CheckConditions, OfTheSourceOfACopyEachIsMetOrItFails) {
  const struct {
    wire::Headers headers;
    const char* expected;
  } rows[] = {
      {{}, "met"},
      {{{"x-amz-copy-source-if-match", "abc"}}, "met"},
      {{{"x-amz-copy-source-if-match", "\"x\""}}, "PreconditionFailed"},
      {{{"X-Amz-Copy-Source-If-None-Match", "\"abc\""}}, "PreconditionFailed"},
      {{{"x-amz-copy-source-if-none-match", "\"x\""}}, "met"},
      {{{"x-amz-copy-source-if-modified-since", "Sun, 22 Nov 2026 10:00:00 GMT"}},
       "PreconditionFailed"},
      {{{"x-amz-copy-source-if-unmodified-since", "2026-11-22T10:00:00Z"}}, "met"},
      {{{"x-amz-copy-source-if-unmodified-since", "Sun, 22 Nov 2026 09:00:00 GMT"}},
       "PreconditionFailed"},
      {{{"x-amz-copy-source-if-unmodified-since", "yesterday"}}, "InvalidArgument"},
      // As S3 documents them: the tag decides where both are there.
      {{{"x-amz-copy-source-if-match", "abc"},
        {"x-amz-copy-source-if-unmodified-since", "Sun, 22 Nov 2026 09:00:00 GMT"}},
       "met"},
      {{{"x-amz-copy-source-if-none-match", "abc"},
        {"x-amz-copy-source-if-modified-since", "Sun, 22 Nov 2026 09:00:00 GMT"}},
       "PreconditionFailed"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(code_of([&] { check_source_conditions(row.headers, object()); }), row.expected)
        << (row.headers.fields().empty() ? "none" : row.headers.fields()[0].second);
  }
}

TEST(CheckConditions, OfAWriteAndADelete) {
  const auto write = [](const char* name, const char* value, bool is_there) {
    return code_of([&] {
      check_write_conditions({{name, value}}, is_there ? std::optional(object()) : std::nullopt);
    });
  };
  EXPECT_EQ(write("If-None-Match", "*", false), "met");
  EXPECT_EQ(write("If-None-Match", "*", true), "PreconditionFailed");
  EXPECT_EQ(write("If-None-Match", "\"x\"", true), "met");
  EXPECT_EQ(write("If-Match", "\"abc\"", true), "met");
  EXPECT_EQ(write("If-Match", "*", true), "met");
  EXPECT_EQ(write("If-Match", "*", false), "PreconditionFailed");
  EXPECT_EQ(write("If-Match", "\"x\"", true), "PreconditionFailed");

  const auto remove = [](std::string_view etag, std::string_view time, std::string_view size) {
    return code_of(
        [&] { check_delete_conditions(read_delete_conditions(etag, time, size), object()); });
  };
  EXPECT_EQ(remove("", "", ""), "met");
  EXPECT_EQ(remove("\"abc\"", "Sun, 22 Nov 2026 10:00:00 GMT", "7"), "met");
  EXPECT_EQ(remove("*", "2026-11-22T10:00:00Z", ""), "met");
  EXPECT_EQ(remove("x", "", ""), "PreconditionFailed");
  EXPECT_EQ(remove("", "Sun, 22 Nov 2026 10:00:01 GMT", ""), "PreconditionFailed");
  EXPECT_EQ(remove("", "", "8"), "PreconditionFailed");
  EXPECT_EQ(remove("", "now", ""), "InvalidArgument");
  EXPECT_EQ(remove("", "", "-1"), "InvalidArgument");
  EXPECT_EQ(
      code_of([] { check_delete_conditions(read_delete_conditions("*", "", ""), std::nullopt); }),
      "PreconditionFailed");
}

}  // namespace
}  // namespace andon::api
