// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "api/testing/s3_fixture.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;

TEST_F(S3Test, CopiesOnlyUnderTheConditionsOfTheRequest) {
  const std::string etag = header_of(put("/parts/from", "content"), "ETag");
  const auto copy = [&](wire::Headers headers) {
    headers.set("x-amz-copy-source", "/parts/from");
    return code_of(put("/parts/to", "", std::move(headers)));
  };
  const wire::Headers refused[] = {
      {{"x-amz-copy-source-if-match", "\"other\""}},
      {{"x-amz-copy-source-if-none-match", etag}},
      {{"x-amz-copy-source-if-unmodified-since", "Sun, 22 Nov 2020 10:00:00 GMT"}},
      {{"x-amz-copy-source-if-modified-since", "Sun, 22 Nov 2099 10:00:00 GMT"}},
      {{"If-Match", "*"}},
  };
  for (const wire::Headers& headers : refused) {
    EXPECT_EQ(copy(headers), "PreconditionFailed") << headers.fields()[0].first;
  }
  EXPECT_EQ(copy({{"x-amz-copy-source-if-unmodified-since", "soon"}}), "InvalidArgument");
  EXPECT_EQ(copy({{"x-amz-metadata-directive", "MERGE"}}), "InvalidArgument");
  EXPECT_EQ(copy({{"x-amz-tagging-directive", "MERGE"}}), "InvalidArgument");
  EXPECT_EQ(copy({{"x-amz-meta-a", "b"}}), "InvalidRequest");
  EXPECT_EQ(copy({{"x-amz-copy-source-server-side-encryption-customer-key", "a"}}),
            "NotImplemented");
  EXPECT_EQ(copy({{"x-amz-source-expected-bucket-owner", "1"}}), "AccessDenied");
  EXPECT_EQ(code_of(send({.target = "/parts/to"})), "NoSuchKey");
  EXPECT_EQ(copy({{"x-amz-copy-source-if-match", etag}, {"If-None-Match", "*"}}), "(200)");
  EXPECT_EQ(copy({{"If-None-Match", "*"}}), "PreconditionFailed");
  EXPECT_EQ(copy({{"If-Match", etag}}), "(200)");
}

TEST_F(S3Test, ReadsTheSourceOfACopyHoweverItIsEncoded) {
  put("/parts/a%20b/%C3%A9%25.txt", "content");
  const auto copy = [&](const char* source) {
    return code_of(put("/parts/to", "", {{"x-amz-copy-source", source}}));
  };
  for (const char* source :
       {"/parts/a%20b/%C3%A9%25.txt", "parts/a%20b/%C3%A9%25.txt", "parts%2Fa%20b%2F%C3%A9%25.txt",
        "%2Fparts%2Fa%20b%2F%C3%A9%25.txt", "parts/a%20b/%C3%A9%25.txt?versionId=null"}) {
    EXPECT_EQ(copy(source), "(200)") << source;
  }
  EXPECT_EQ(copy("parts/a%20b/%C3%A9%25.txt?versionId=3"), "NoSuchVersion");
  EXPECT_EQ(copy("parts"), "InvalidArgument");
  EXPECT_EQ(copy("/"), "InvalidArgument");
  EXPECT_EQ(copy("parts/%zz"), "InvalidURI");
  EXPECT_EQ(copy("none/k"), "NoSuchBucket");
}

TEST_F(S3Test, ACopyKeepsTheChecksumOfItsContentOrGetsTheOneAskedFor) {
  put("/parts/from", "123456789", {{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-meta-a", "b"}});
  const auto head = [&](const char* name) {
    return header_of(send({.method = "HEAD",
                           .target = "/parts/to",
                           .headers = {{"x-amz-checksum-mode", "ENABLED"}}}),
                     name);
  };
  put("/parts/to", "",
      {{"x-amz-copy-source", "/parts/from"}, {"x-amz-metadata-directive", "REPLACE"}});
  EXPECT_EQ(head("x-amz-meta-a"), "(none)");
  EXPECT_EQ(head("x-amz-checksum-crc32"), "y/Q5Jg==");
  const std::string answer = text_of(
      put("/parts/to", "",
          {{"x-amz-copy-source", "/parts/from"}, {"x-amz-checksum-algorithm", "CRC64NVME"}}));
  EXPECT_THAT(answer, HasSubstr("<ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME>"));
  EXPECT_EQ(head("x-amz-checksum-crc64nvme"), "rosUhgp5mIg=");
  EXPECT_EQ(head("x-amz-checksum-crc32"), "(none)");
  EXPECT_EQ(
      code_of(put("/parts/to", "",
                  {{"x-amz-copy-source", "/parts/from"}, {"x-amz-checksum-algorithm", "MD5"}})),
      "NotImplemented");
}

TEST_F(S3Test, APartIsCopiedFromExactlyTheRangeThatIsNamed) {
  const std::string etag = header_of(put("/parts/from", "0123456789"), "ETag");
  const std::string id = begin_upload("/parts/to");
  const auto copy = [&](wire::Headers headers) {
    headers.set("x-amz-copy-source", "/parts/from");
    return put("/parts/to?partNumber=1&uploadId=" + id, "", std::move(headers));
  };
  for (const char* range : {"bytes=5-", "bytes=-5", "bytes=5-10", "bytes=5-99999999999999999999",
                            "bytes=6-5", "5-6", "bytes=0-1,3-4", ""}) {
    EXPECT_EQ(code_of(copy({{"x-amz-copy-source-range", range}})), "InvalidArgument") << range;
  }
  EXPECT_EQ(code_of(copy({{"x-amz-copy-source-if-match", "\"other\""}})), "PreconditionFailed");
  EXPECT_EQ(code_of(copy({{"x-amz-copy-source-if-none-match", etag}})), "PreconditionFailed");
  EXPECT_THAT(get("/parts/to?uploadId=" + id), Not(HasSubstr("<Part>")));
  EXPECT_EQ(code_of(copy({{"x-amz-copy-source-range", "bytes=5-9"}})), "(200)");
  EXPECT_THAT(get("/parts/to?uploadId=" + id), HasSubstr("<Size>5</Size>"));
}

}  // namespace
}  // namespace andon::api
