// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "api/testing/s3_fixture.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;

class S3VersionsTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    EXPECT_EQ(versioning("Enabled"), "(200)");
  }
  std::string versioning(const std::string& status) {
    return code_of(put("/parts?versioning", "<VersioningConfiguration><Status>" + status +
                                                "</Status></VersioningConfiguration>"));
  }
  std::string version_of(const wire::HttpResponse& response) {
    return header_of(response, "x-amz-version-id");
  }
};

TEST_F(S3VersionsTest, VersionsAreWrittenReadRemovedAndRestored) {
  EXPECT_THAT(get("/parts?versioning"), HasSubstr("<Status>Enabled</Status>"));
  const std::string first = version_of(put("/parts/k", "1", {{"x-amz-tagging", "a=b&c=d"}}));
  const std::string second = version_of(put("/parts/k", "2"));
  EXPECT_EQ(get("/parts/k"), "2");
  const auto old = send({.target = "/parts/k?versionId=" + first});
  EXPECT_EQ(text_of(old), "1");
  EXPECT_EQ(version_of(old), first);
  EXPECT_EQ(header_of(old, "x-amz-tagging-count"), "2");
  const auto deleted = send({.method = "DELETE", .target = "/parts/k"});
  EXPECT_EQ(header_of(deleted, "x-amz-delete-marker"), "true");
  const auto gone = send({.target = "/parts/k"});
  EXPECT_EQ(code_of(gone), "NoSuchKey");
  EXPECT_EQ(header_of(gone, "x-amz-delete-marker"), "true");
  EXPECT_EQ(version_of(gone), version_of(deleted));
  const auto marker = send({.target = "/parts/k?versionId=" + version_of(deleted)});
  EXPECT_EQ(code_of(marker), "MethodNotAllowed");
  EXPECT_EQ(header_of(marker, "Allow"), "DELETE");
  EXPECT_EQ(code_of(send({.target = "/parts/k?versionId=none"})), "NoSuchVersion");
  const std::string listed = get("/parts?versions");
  EXPECT_THAT(listed, HasSubstr("<DeleteMarker><Key>k</Key>"));
  EXPECT_THAT(listed, HasSubstr("<VersionId>" + first + "</VersionId><IsLatest>false</IsLatest>"));
  const auto restored = put("/parts/k", "", {{"x-amz-copy-source", "/parts/k?versionId=" + first}});
  EXPECT_EQ(header_of(restored, "x-amz-copy-source-version-id"), first);
  EXPECT_EQ(get("/parts/k"), "1");
  EXPECT_THAT(get("/parts/k?tagging"), HasSubstr("<Key>a</Key><Value>b</Value>"));
  EXPECT_EQ(code_of(put("/parts/x", "",
                        {{"x-amz-copy-source", "/parts/k?versionId=" + version_of(deleted)}})),
            "InvalidRequest");
  EXPECT_EQ(code_of(put("/parts/x", "", {{"x-amz-copy-source", "/parts/k?versionId=no"}})),
            "NoSuchVersion");
  const std::string removed = text_of(
      post("/parts?delete", "<Delete><Object><Key>k</Key></Object><Object><Key>k</Key><VersionId>" +
                                second + "</VersionId></Object></Delete>"));
  EXPECT_THAT(removed, HasSubstr("<DeleteMarker>true</DeleteMarker>"));
  EXPECT_THAT(removed, HasSubstr("<VersionId>" + second + "</VersionId></Deleted>"));
  EXPECT_EQ(code_of(send({.method = "DELETE", .target = "/parts"})), "BucketNotEmpty");
  EXPECT_EQ(versioning("Suspended"), "(200)");
  EXPECT_EQ(version_of(put("/parts/k", "null")), "null");
  EXPECT_EQ(versioning("Off"), "MalformedXML");
}

TEST_F(S3VersionsTest, AnUploadInPartsMakesAVersion) {
  put("/parts/big", "old");
  const std::string id = begin_upload("/parts/big", {{"x-amz-tagging", "a=b"}});
  const std::string etag = header_of(put("/parts/big?partNumber=1&uploadId=" + id, "new"), "ETag");
  const auto done = post("/parts/big?uploadId=" + id,
                         "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + etag +
                             "</ETag></Part></CompleteMultipartUpload>");
  EXPECT_NE(version_of(done), "(none)");
  EXPECT_EQ(get("/parts/big?versionId=" + version_of(done)), "new");
  EXPECT_EQ(header_of(send({.target = "/parts/big"}), "x-amz-tagging-count"), "1");
  EXPECT_THAT(get("/parts?versions"), HasSubstr("<IsLatest>false</IsLatest>"));
  const std::string attributes = text_of(
      send({.target = "/parts/big?attributes",
            .headers = {{"x-amz-object-attributes", "ETag,ObjectSize,ObjectParts,Checksum"}}}));
  EXPECT_THAT(attributes, HasSubstr("<ObjectParts><PartsCount>1</PartsCount></ObjectParts>"));
  EXPECT_THAT(attributes, HasSubstr("<ObjectSize>3</ObjectSize>"));
  EXPECT_EQ(code_of(send({.target = "/parts/big?attributes"})), "InvalidArgument");
}

TEST_F(S3Test, TagsAreKeptWithinTheirLimits) {
  const auto document = [](const std::string& tags) {
    return "<Tagging><TagSet>" + tags + "</TagSet></Tagging>";
  };
  const auto tag = [](const std::string& key, const std::string& value) {
    return "<Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag>";
  };
  put("/parts/k", "x");
  EXPECT_EQ(code_of(send({.target = "/parts?tagging"})), "NoSuchTagSet");
  EXPECT_EQ(code_of(put("/parts?tagging", document(tag("line", "7")))), "(204)");
  EXPECT_THAT(get("/parts?tagging"), HasSubstr("<Key>line</Key><Value>7</Value>"));
  EXPECT_EQ(send({.method = "DELETE", .target = "/parts?tagging"}).status, 204);
  EXPECT_EQ(code_of(put("/parts/k?tagging", document(tag("a", "1")))), "(200)");
  EXPECT_EQ(code_of(put("/parts/k?tagging", document(tag("a", "1") + tag("a", "2")))),
            "InvalidTag");
  EXPECT_EQ(code_of(put("/parts/k?tagging", document(tag("", "1")))), "InvalidTag");
  EXPECT_EQ(code_of(put("/parts/k?tagging", document(tag(std::string(129, 'k'), "1")))),
            "InvalidTag");
  EXPECT_EQ(code_of(put("/parts/k?tagging", document("<Tag><Key>a</Key></Tag>"))), "MalformedXML");
  std::string eleven;
  for (int i = 0; i < 11; ++i) eleven += tag("k" + std::to_string(i), "v");
  EXPECT_EQ(code_of(put("/parts/k?tagging", document(eleven))), "BadRequest");
  EXPECT_THAT(get("/parts/k?tagging"), HasSubstr("<Key>a</Key><Value>1</Value>"));
  EXPECT_EQ(code_of(put("/parts/c", "",
                        {{"x-amz-copy-source", "/parts/k"},
                         {"x-amz-tagging-directive", "REPLACE"},
                         {"x-amz-tagging", "b=2"}})),
            "(200)");
  EXPECT_THAT(get("/parts/c?tagging"), HasSubstr("<Key>b</Key><Value>2</Value>"));
  EXPECT_EQ(
      code_of(put("/parts/c", "", {{"x-amz-copy-source", "/parts/k"}, {"x-amz-tagging", "b=2"}})),
      "InvalidRequest");
  EXPECT_EQ(send({.method = "DELETE", .target = "/parts/k?tagging"}).status, 204);
  EXPECT_EQ(header_of(send({.target = "/parts/k"}), "x-amz-tagging-count"), "(none)");
  EXPECT_EQ(code_of(send({.target = "/parts/none?tagging"})), "NoSuchKey");
}

TEST_F(S3Test, ThereIsOneAccessListAndOneOwner) {
  put("/parts/k", "x");
  for (const char* target : {"/parts?acl", "/parts/k?acl"}) {
    const std::string list = get(target);
    EXPECT_THAT(list, HasSubstr("<Permission>FULL_CONTROL</Permission>"));
    EXPECT_EQ(code_of(put(target, list)), "(200)") << target;
    EXPECT_EQ(code_of(put(target, "", {{"x-amz-acl", "private"}})), "(200)");
    EXPECT_EQ(code_of(put(target, "", {{"x-amz-acl", "public-read"}})),
              "AccessControlListNotSupported");
    std::string other = list;
    other.replace(other.find("FULL_CONTROL"), 12, "READ");
    EXPECT_EQ(code_of(put(target, other)), "AccessControlListNotSupported");
  }
  const auto own = [&](const std::string& ownership) {
    return code_of(
        put("/parts?ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>" + ownership +
                                            "</ObjectOwnership></Rule></OwnershipControls>"));
  };
  EXPECT_EQ(own("BucketOwnerEnforced"), "(200)");
  EXPECT_EQ(own("ObjectWriter"), "NotImplemented");
  EXPECT_THAT(get("/parts?ownershipControls"), HasSubstr("BucketOwnerEnforced"));
}

TEST_F(S3Test, WhatABucketNeverHasIsAnsweredSoThatToolsGoOn) {
  const std::pair<const char*, const char*> rows[] = {
      {"encryption", "ServerSideEncryptionConfigurationNotFoundError"},
      {"website", "NoSuchWebsiteConfiguration"},
      {"replication", "ReplicationConfigurationNotFoundError"},
      {"object-lock", "ObjectLockConfigurationNotFoundError"},
      {"accelerate", "(200)"},
      {"logging", "(200)"},
      {"requestPayment", "(200)"}};
  for (const auto& [what, code] : rows) {
    const std::string target = "/parts?" + std::string(what);
    EXPECT_EQ(code_of(send({.target = target})), code) << what;
    EXPECT_EQ(code_of(put(target, "<X/>")), "NotImplemented") << what;
  }
  EXPECT_EQ(code_of(send({.method = "DELETE", .target = "/parts?encryption"})), "NotImplemented");
  EXPECT_EQ(send({.target = "/parts"}).status, 200);
}

TEST_F(S3Test, LifecycleRulesAreGivenBackAndOthersRefusedByName) {
  const auto set = [&](const std::string& rule) {
    return put("/parts?lifecycle",
               "<LifecycleConfiguration><Rule>" + rule + "</Rule></LifecycleConfiguration>");
  };
  const std::string on = "<Status>Enabled</Status>";
  EXPECT_EQ(code_of(send({.target = "/parts?lifecycle"})), "NoSuchLifecycleConfiguration");
  EXPECT_EQ(set("<ID>r</ID>" + on +
                "<Filter><And><Prefix>a/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag>"
                "<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></And></Filter>"
                "<Expiration><Days>3</Days></Expiration><NoncurrentVersionExpiration>"
                "<NoncurrentDays>2</NoncurrentDays></NoncurrentVersionExpiration>")
                .status,
            200);
  const std::string kept = get("/parts?lifecycle");
  EXPECT_THAT(kept, HasSubstr("<And><Prefix>a/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag>"));
  EXPECT_THAT(kept, HasSubstr("<NoncurrentDays>2</NoncurrentDays>"));
  const std::string all = on + "<Filter><Prefix></Prefix></Filter>";
  const auto transition = set(all + "<Transition><Days>3</Days></Transition>");
  EXPECT_EQ(code_of(transition), "NotImplemented");
  EXPECT_THAT(message_of(transition), HasSubstr("Transition"));
  EXPECT_EQ(code_of(set(all)), "InvalidRequest");
  EXPECT_EQ(code_of(set(all + "<Expiration><Days>0</Days></Expiration>")), "InvalidArgument");
  EXPECT_EQ(code_of(set(all + "<Expiration><Date>2030-01-01T10:00:00Z</Date></Expiration>")),
            "InvalidArgument");
  EXPECT_EQ(code_of(set("<Status>On</Status>")), "MalformedXML");
  EXPECT_EQ(code_of(set(on + "<Expiration><Days>1</Days></Expiration>")), "MalformedXML");
  EXPECT_EQ(get("/parts?lifecycle"), kept);
  EXPECT_EQ(send({.method = "DELETE", .target = "/parts?lifecycle"}).status, 204);
}

}  // namespace
}  // namespace andon::api
