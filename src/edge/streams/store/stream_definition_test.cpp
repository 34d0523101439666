// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/store/stream_definition.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace andon::edge {
namespace {

// A definition with one more member, which `write` writes.
StreamDefinition with(const std::function<void(CborWriter&)>& write, std::string_view name = "s") {
  CborWriter writer;
  writer.map(3).text("name").text(name).text("strategyOnFull").integer(1);
  write(writer);
  const CborDocument document(writer.result());
  return read_definition(document.root());
}

StreamDefinition with_integer(std::string_view key, std::int64_t value) {
  return with([&](CborWriter& writer) { writer.text(key).integer(value); });
}

TEST(StreamDefinition, TakesEachNumberWithinItsRangeAndNoOther) {
  struct Range {
    std::string_view key;
    std::int64_t least;
    std::int64_t most;
  };
  for (const Range& range :
       {Range{"maxSize", 1024, INT64_MAX}, Range{"streamSegmentSize", 1024, 2147483647},
        Range{"timeToLiveMillis", 60000, 9223372036854}, Range{"persistence", 0, 1}}) {
    EXPECT_NO_THROW(static_cast<void>(with_integer(range.key, range.least))) << range.key;
    EXPECT_NO_THROW(static_cast<void>(with_integer(range.key, range.most))) << range.key;
    EXPECT_THROW(static_cast<void>(with_integer(range.key, range.least - 1)), StreamError);
    if (range.most != INT64_MAX) {
      EXPECT_THROW(static_cast<void>(with_integer(range.key, range.most + 1)), StreamError);
    }
  }
}

TEST(StreamDefinition, TakesNamesOfLettersOfAnyLanguageAndNothingElse) {
  const auto none = [](CborWriter& writer) { writer.text("flushOnWrite").boolean(false); };
  const std::string longest(255, 'x');
  for (const std::string& name : {std::string(".."), std::string("a b,c.-_9"), longest,
                                  std::string("Prüfung"), std::string("流")}) {
    EXPECT_EQ(with(none, name).name, name);
  }
  for (const std::string& name : {std::string(), longest + "x", std::string("a/b"),
                                  std::string("a\nb"), std::string("a:b")}) {
    EXPECT_THROW(static_cast<void>(with(none, name)), StreamError) << name;
  }
}

TEST(StreamDefinition, RefusesByNameWhatCannotBeExportedTo) {
  for (const auto& [key, called] :
       {std::pair{"kinesis", "Kinesis"}, std::pair{"iotAnalytics", "Analytics"},
        std::pair{"IotSitewise", "SiteWise"}}) {
    try {
      static_cast<void>(with([key = key](CborWriter& writer) {
        writer.text("exportDefinition").map(1).text(key).array(1).map(0);
      }));
      FAIL() << key;
    } catch (const StreamError& error) {
      EXPECT_EQ(error.status(), StreamStatus::invalid_request);
      EXPECT_NE(error.message().find(called), std::string::npos) << error.message();
    }
  }
}

TEST(StreamDefinition, RefusesAnIdentifierThatIsThereTwiceAndAddressesOfOtherKinds) {
  const auto exports = [](std::vector<std::string> uris) {
    return with([&](CborWriter& writer) {
      writer.text("exportDefinition").map(1).text("http").array(uris.size());
      for (const std::string& uri : uris) {
        writer.map(2).text("identifier").text("e").text("uri").text(uri);
      }
    });
  };
  EXPECT_EQ(exports({"http://a/"}).exports.size(), 1U);
  EXPECT_THROW(static_cast<void>(exports({"http://a/", "http://b/"})), StreamError);
  EXPECT_THROW(static_cast<void>(exports({"ftp://a/"})), StreamError);
  EXPECT_THROW(static_cast<void>(exports({"s3://b/c"})), StreamError);
  EXPECT_EQ(exports({"s3+https:///bucket/prefix"}).exports.size(), 1U);
  EXPECT_THROW(static_cast<void>(exports({"http://a/ b"})), StreamError);
}

TEST(StreamDefinition, WithItsDefaultsFilledInIsTheSame) {
  const StreamDefinition given = with([](CborWriter& writer) {
    writer.text("exportDefinition").map(1).text("http").array(1);
    writer.map(2).text("identifier").text("e").text("uri").text("http://a/");
  });
  CborWriter writer;
  write_definition(writer, given);
  const CborDocument document(writer.result());
  EXPECT_EQ(read_definition(document.root()), given);
}

TEST(StreamDefinition, ReadsWhatItHasWritten) {
  StreamDefinition definition;
  definition.name = "s";
  definition.time_to_live_ms = 60'000;
  definition.overwrites_oldest = true;
  definition.flush_on_write = true;
  definition.exports.push_back({.identifier = "h",
                                .settings = HttpExportSettings{"mqtt:///t", true},
                                .batch_size = 7,
                                .batch_interval_ms = 60'000,
                                .priority = 1,
                                .start_sequence = 3,
                                .is_disabled = true});
  definition.exports.push_back(
      {.identifier = "t",
       .settings = S3ExportSettings{5'242'880, StatusConfig{"status", StatusLevel::warn}},
       .batch_size = {},
       .batch_interval_ms = {},
       .priority = 10});
  CborWriter writer;
  write_definition(writer, definition);
  const CborDocument document(writer.result());
  EXPECT_EQ(read_definition(document.root()), definition);
}

}  // namespace
}  // namespace andon::edge
