// SPDX-License-Identifier: Apache-2.0
// Each protection, condition or parameter that S3 has and this store does not honour is refused by
// its name, and nothing is written or removed meanwhile.
#include "api/s3/parameters.hpp"

#include <gmock/gmock.h>

#include "api/testing/s3_fixture.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;

TEST_F(S3Test, RefusesAProtectionByNameAndWritesNothing) {
  const std::pair<const char*, const char*> rows[] = {
      {"x-amz-server-side-encryption", "AES256"},
      {"x-amz-server-side-encryption", "aws:kms"},
      {"x-amz-server-side-encryption-aws-kms-key-id", "key"},
      {"x-amz-server-side-encryption-customer-algorithm", "AES256"},
      {"x-amz-server-side-encryption-customer-key", "a2V5"},
      {"x-amz-grant-read", "id=1"},
      {"x-amz-object-lock-mode", "GOVERNANCE"},
      {"x-amz-object-lock-legal-hold", "ON"},
      {"x-amz-object-lock-retain-until-date", "2030-01-01T00:00:00Z"},
      {"x-amz-write-offset-bytes", "3"},
      {"x-amz-storage-class", "GLACIER"},
      {"x-amz-website-redirect-location", "/x"},
      {"x-amz-checksum-xxhash64", "AAAAAAAAAAA="},
      {"x-amz-something-new", "1"},
      {"if-modified-since", "Sun, 22 Nov 2026 10:00:00 GMT"},
      {"range", "bytes=0-1"},
  };
  for (const auto& [name, value] : rows) {
    const auto response = put("/parts/k", "x", {{name, value}});
    EXPECT_EQ(response.status, 501) << name;
    EXPECT_EQ(code_of(response), "NotImplemented") << name;
    EXPECT_THAT(message_of(response), HasSubstr(name));
    EXPECT_EQ(code_of(send({.target = "/parts/k"})), "NoSuchKey") << name;
  }
  // The same in a presigned URL's query, and before the body is sent.
  EXPECT_EQ(code_of(put("/parts/k?x-amz-acl=public-read", "x")), "AccessControlListNotSupported");
  EXPECT_EQ(code_of(put("/parts/k?x-amz-grant-read=id=1", "x")), "NotImplemented");
  const auto admission =
      s3.admit(signed_request({.method = "PUT",
                               .target = "/parts/k",
                               .headers = {{"x-amz-website-redirect-location", "/x"}}},
                              operator_key, clock.now()));
  ASSERT_TRUE(admission.refusal);
  EXPECT_EQ(admission.refusal->status, 501);
}

TEST_F(S3Test, TakesTheValuesThatSayWhatItDoesAnyway) {
  EXPECT_EQ(code_of(put("/parts/k", "x",
                        {{"x-amz-acl", "private"},
                         {"x-amz-storage-class", "STANDARD"},
                         {"x-amz-request-payer", "requester"},
                         {"x-amz-expected-bucket-owner", "000000000000"}})),
            "(200)");
  EXPECT_EQ(code_of(put("/parts/k", "y", {{"x-amz-acl", "bucket-owner-full-control"}})), "(200)");
  // What SDKs and proxies add says nothing about the object.
  EXPECT_EQ(code_of(put("/parts/k?x-id=PutObject", "y",
                        {{"x-amz-user-agent", "sdk"},
                         {"x-amzn-trace-id", "1"},
                         {"amz-sdk-request", "attempt=1"}})),
            "(200)");
}

TEST_F(S3Test, AnotherOwnerOfTheBucketIsRefused) {
  put("/parts/k", "x");
  const RequestForTest requests[] = {{.target = "/parts/k"},
                                     {.method = "HEAD", .target = "/parts"},
                                     {.method = "PUT", .target = "/parts/k", .body = "y"},
                                     {.method = "DELETE", .target = "/parts/k"},
                                     {.target = "/parts?list-type=2"},
                                     {.method = "DELETE", .target = "/parts"}};
  for (RequestForTest request : requests) {
    request.headers.set("x-amz-expected-bucket-owner", "111122223333");
    EXPECT_EQ(send(request).status, 403) << request.method << " " << request.target;
  }
  EXPECT_EQ(get("/parts/k"), "x");
}

TEST_F(S3Test, RefusesAParameterThatItDoesNotKnow) {
  put("/parts/k", "x");
  for (const char* target :
       {"/parts?analytics", "/parts?list-type=2&sort=size", "/parts?max-keys=1&max-parts=1",
        "/parts/k?partNumber=1", "/parts/k?legal-hold", "/parts/k?retention",
        "/parts?uploads&marker=a", "/?max-keys=3", "/parts/k?torrent"}) {
    EXPECT_EQ(code_of(send({.target = target})), "NotImplemented") << target;
  }
  EXPECT_EQ(code_of(send({.method = "DELETE", .target = "/parts/k?annotation"})), "NotImplemented");
  EXPECT_EQ(code_of(post("/parts/k?restore", "")), "NotImplemented");
  EXPECT_EQ(code_of(post("/parts/k?select&select-type=2", "")), "NotImplemented");
  EXPECT_EQ(code_of(put("/parts/k?append", "x")), "NotImplemented");
  EXPECT_EQ(get("/parts/k"), "x");
}

TEST_F(S3Test, AVersionIsNullOrNotThere) {
  put("/parts/k", "x");
  EXPECT_EQ(get("/parts/k?versionId=null"), "x");
  EXPECT_EQ(code_of(send({.target = "/parts/k?versionId=abc"})), "NoSuchVersion");
  EXPECT_EQ(code_of(send({.target = "/parts/k?versionId="})), "InvalidArgument");
  EXPECT_EQ(code_of(send({.method = "DELETE", .target = "/parts/k?versionId="})),
            "InvalidArgument");
  // As at S3, so that a deletion can be repeated.
  EXPECT_EQ(send({.method = "DELETE", .target = "/parts/k?versionId=abc"}).status, 204);
  EXPECT_EQ(get("/parts/k"), "x");
  EXPECT_EQ(send({.method = "DELETE", .target = "/parts/k?versionId=null"}).status, 204);
}

TEST_F(S3Test, DeletesOnlyWhatIsAsTheRequestSays) {
  const std::string etag = header_of(put("/parts/k", "content"), "ETag");
  const auto remove = [&](const char* name, const std::string& value) {
    return code_of(send({.method = "DELETE", .target = "/parts/k", .headers = {{name, value}}}));
  };
  EXPECT_EQ(remove("If-Match", "\"other\""), "PreconditionFailed");
  EXPECT_EQ(remove("x-amz-if-match-size", "8"), "PreconditionFailed");
  EXPECT_EQ(remove("x-amz-if-match-last-modified-time", "Sun, 22 Nov 2020 10:00:00 GMT"),
            "PreconditionFailed");
  EXPECT_EQ(remove("x-amz-if-match-size", "big"), "InvalidArgument");
  EXPECT_EQ(remove("x-amz-mfa", "1"), "NotImplemented");
  EXPECT_EQ(remove("x-amz-bypass-governance-retention", "true"), "NotImplemented");
  EXPECT_EQ(get("/parts/k"), "content");
  EXPECT_EQ(remove("If-Match", etag), "(204)");
  EXPECT_EQ(remove("If-Match", "*"), "PreconditionFailed");
}

TEST_F(S3Test, DeletesManyEachUnderItsOwnConditions) {
  const std::string etag = header_of(put("/parts/right", "content"), "ETag");
  for (const char* key : {"etag", "size", "time", "version"})
    put(std::string("/parts/") + key, "x");
  const auto object = [](const std::string& key, const std::string& more) {
    return "<Object><Key>" + key + "</Key>" + more + "</Object>";
  };
  const std::string answer = text_of(post(
      "/parts?delete",
      "<Delete>" + object("right", "<ETag>" + etag + "</ETag><Size>7</Size>") +
          object("etag", "<ETag>other</ETag>") + object("size", "<Size>2</Size>") +
          object("time", "<LastModifiedTime>Sun, 22 Nov 2020 10:00:00 GMT</LastModifiedTime>") +
          object("version", "<VersionId>abc</VersionId>") + "</Delete>"));
  EXPECT_THAT(answer, HasSubstr("<Deleted><Key>right</Key></Deleted>"));
  for (const char* key : {"etag", "size", "time"}) {
    EXPECT_THAT(answer, HasSubstr("<Key>" + std::string(key) + "</Key><Code>PreconditionFailed<"));
    EXPECT_EQ(get("/parts/" + std::string(key)), "x");
  }
  EXPECT_THAT(answer, HasSubstr("<Deleted><Key>version</Key><VersionId>abc</VersionId></Deleted>"));
  EXPECT_EQ(get("/parts/version"), "x");
  EXPECT_EQ(
      code_of(post("/parts?delete", "<Delete>" + object("etag", "<Other>1</Other>") + "</Delete>")),
      "NotImplemented");
  EXPECT_EQ(code_of(post("/parts?delete",
                         "<Delete><Quiet>yes</Quiet>" + object("etag", "") + "</Delete>")),
            "MalformedXML");
}

TEST_F(S3Test, ABucketIsMadeAsAskedForOrNotAtAll) {
  const auto create = [&](const std::string& configuration, wire::Headers headers = {}) {
    return code_of(put("/made-here",
                       configuration.empty() ? ""
                                             : "<CreateBucketConfiguration>" + configuration +
                                                   "</CreateBucketConfiguration>",
                       std::move(headers)));
  };
  EXPECT_EQ(create("<Tags><Tag><Key>a</Key></Tag></Tags>"), "NotImplemented");
  EXPECT_EQ(create("<Bucket><Type>Directory</Type></Bucket>"), "NotImplemented");
  EXPECT_EQ(create("<LocationConstraint>eu-west-1</LocationConstraint>"),
            "IllegalLocationConstraintException");
  EXPECT_EQ(create("", {{"x-amz-bucket-object-lock-enabled", "true"}}), "NotImplemented");
  EXPECT_EQ(create("", {{"x-amz-acl", "public-read"}}), "AccessControlListNotSupported");
  EXPECT_EQ(create("", {{"x-amz-object-ownership", "ObjectWriter"}}), "NotImplemented");
  EXPECT_EQ(code_of(send({.method = "HEAD", .target = "/made-here"})), "NoSuchBucket");
  EXPECT_EQ(create("<LocationConstraint>us-east-1</LocationConstraint>"), "(200)");
}

TEST_F(S3Test, ListsTheBucketsThatAreAskedFor) {
  for (const char* name : {"alpha", "alpine", "beta"}) objects.create_bucket(name);
  const std::string first = get("/?prefix=al&max-buckets=1");
  EXPECT_THAT(first, HasSubstr("<Name>alpha</Name>"));
  EXPECT_THAT(first, Not(HasSubstr("alpine")));
  const std::string second =
      get("/?prefix=al&continuation-token=" + element_of(first, "ContinuationToken"));
  EXPECT_THAT(second, HasSubstr("<Name>alpine</Name>"));
  EXPECT_THAT(second, Not(HasSubstr("beta")));
  EXPECT_THAT(second, Not(HasSubstr("ContinuationToken")));
  EXPECT_THAT(get("/?bucket-region=eu-west-1"), Not(HasSubstr("<Name>")));
  EXPECT_EQ(code_of(send({.target = "/?max-buckets=x"})), "InvalidArgument");
  EXPECT_EQ(code_of(send({.target = "/?max-buckets=0"})), "InvalidArgument");
}

}  // namespace
}  // namespace andon::api
