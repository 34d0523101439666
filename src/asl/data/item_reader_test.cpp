// SPDX-License-Identifier: Apache-2.0
#include "asl/data/item_reader.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

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

// "BUCKET/KEY ..." and the configuration of each object, or what is wrong.
std::string manifest(const std::string& config, std::string_view bytes) {
  try {
    const json::value given = base::parse_json(config, "config");
    EXPECT_TRUE(is_manifest(given.as_object()));
    const ItemManifest read = parse_manifest(given.as_object(), bytes);
    std::string text;
    for (const auto& [bucket, key] : read.objects) text.append(bucket + "/" + key + " ");
    return text + base::to_text(read.config);
  } catch (const base::Error& error) {
    return error.message();
  }
}

TEST(ItemReader, ReadsManifests) {
  const std::string inventory = R"({"InputType":"MANIFEST"})";
  EXPECT_EQ(manifest(inventory,
                     R"({"fileFormat":"CSV","fileSchema":"Bucket, Key,Size","destinationBucket":
                   "arn:aws:s3:::b","files":[{"key":"d/1.csv.gz","size":9},{"key":"d/2.csv.gz"}]})"),
            R"(b/d/1.csv.gz b/d/2.csv.gz {"InputType":"CSV","CSVHeaderLocation":"GIVEN",)"
            R"("CSVHeaders":["Bucket","Key","Size"]})");
  const std::string list = R"({"InputType":"JSONL","ManifestType":"ATHENA_DATA"})";
  EXPECT_EQ(manifest(list, "s3://b/x/1.jsonl\n\"s3://c/2,2.jsonl\"\n"),
            R"(b/x/1.jsonl c/2,2.jsonl {"InputType":"JSONL"})");
  EXPECT_FALSE(is_manifest({{"InputType", "CSV"}}));

  using testing::HasSubstr;
  EXPECT_THAT(manifest(inventory, "["), HasSubstr("the manifest is not valid JSON"));
  EXPECT_THAT(manifest(inventory, "{}"), HasSubstr("fileFormat must be CSV"));
  EXPECT_THAT(manifest(inventory, R"({"fileFormat":"Parquet"})"), HasSubstr("Parquet is not read"));
  EXPECT_THAT(manifest(inventory, R"({"fileFormat":"CSV"})"), HasSubstr("must have destination"));
  EXPECT_THAT(manifest(inventory, R"({"fileFormat":"CSV","fileSchema":"Key","destinationBucket":"b",
                                      "files":[1]})"),
              HasSubstr("must have a key"));
  EXPECT_THAT(manifest(list, "http://b/x"), HasSubstr("'http://b/x' of the manifest is no s3://"));
  EXPECT_THAT(manifest(list, "s3://b/"), HasSubstr("is no s3://"));
}

}  // namespace
}  // namespace andon::asl
