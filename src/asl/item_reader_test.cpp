// SPDX-License-Identifier: Apache-2.0
#include "asl/item_reader.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace andon::asl {
namespace {

std::string items(std::string_view config, std::string_view bytes) {
  try {
    return base::to_text(*parse_items(base::parse_json(config, "config").as_object(), bytes));
  } catch (const base::Error& error) {
    return "error: " + error.message();
  }
}

TEST(ItemReader, ReadsWhatTheTableSays) {
  struct Row {
    std::string config;
    std::string bytes;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {"{}", "[1,2]", "[1,2]"},
      {R"({"InputType":"JSON"})", R"({"a":1})", R"({"a":1})"},
      {R"({"InputType":"JSON","ItemsPointer":"/a/b"})", R"({"a":{"b":[1]}})", "[1]"},
      {R"({"InputType":"JSONL"})", "{\"a\":1}\r\n\n[2]\n3", R"([{"a":1},[2],3])"},
      {R"({"InputType":"JSONL"})", "", "[]"},
      {R"({"InputType":"CSV"})", "a,b\n1,2\n\n3,\n", R"([{"a":"1","b":"2"},{"a":"3","b":""}])"},
      {R"({"InputType":"CSV"})",
       "\xEF\xBB\xBF"
       "a\r\n1\r\n",
       R"([{"a":"1"}])"},
      {R"({"InputType":"CSV"})", "a,b\n\"x, \"\"y\"\"\",\"two\nlines\"",
       R"([{"a":"x, \"y\"","b":"two\nlines"}])"},
      {R"({"InputType":"CSV"})", "a,b\n1\n1,2,3", R"([{"a":"1","b":""},{"a":"1","b":"2"}])"},
      {R"({"InputType":"CSV","CSVDelimiter":"PIPE"})", "a|b\n1|2", R"([{"a":"1","b":"2"}])"},
      {R"({"InputType":"CSV","CSVDelimiter":"TAB"})", "a\tb\n1\t2", R"([{"a":"1","b":"2"}])"},
      {R"({"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["x"]})", "1\n2",
       R"([{"x":"1"},{"x":"2"}])"},
  };
  for (const Row& row : rows) EXPECT_EQ(items(row.config, row.bytes), row.expected) << row.bytes;
}

TEST(ItemReader, SaysWhatItCannotRead) {
  EXPECT_THAT(items("{}", "["), testing::HasSubstr("the items"));
  EXPECT_THAT(items("{}", "5"), testing::HasSubstr("does not lead to an array or an object"));
  EXPECT_THAT(items(R"({"ItemsPointer":"/a"})", "{}"), testing::HasSubstr("ItemsPointer '/a'"));
  EXPECT_THAT(items(R"({"InputType":"JSONL"})", "1\n{"), testing::HasSubstr("line 2"));
  EXPECT_THAT(items(R"({"InputType":"CSV"})", "a\n\"open"), testing::HasSubstr("is not closed"));
  EXPECT_THAT(items(R"({"InputType":"PARQUET"})", ""), testing::HasSubstr("PARQUET are not read"));
}

}  // namespace
}  // namespace andon::asl
