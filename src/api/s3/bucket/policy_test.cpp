// SPDX-License-Identifier: Apache-2.0
// Who may: the policies of users and of buckets together, and who has not signed.
#include <gmock/gmock.h>

#include "api/testing/s3_fixture.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;

class BucketPolicyAccessTest : public S3Test {
 protected:
  void SetUp() override {
    S3Test::SetUp();
    objects.create_bucket("open");
    EXPECT_EQ(as_operator({.method = "PUT", .target = "/parts/a", .body = "a"}).status, 200);
  }

  wire::HttpResponse as_operator(const RequestForTest& request) {
    return guarded.handle(signed_request(request, operator_key, clock.now()));
  }
  std::string as_eva(const RequestForTest& request) {
    return code_of(guarded.handle(signed_request(request, eva_key, clock.now())));
  }
  std::string unsigned_code(RequestForTest request) {
    return code_of(guarded.handle(received(request, {{"Host", request.host}})));
  }
  // One statement, with its principal and what else.
  std::string set_policy(const std::string& statements, const std::string& bucket = "parts") {
    return code_of(
        as_operator({.method = "PUT",
                     .target = "/" + bucket + "?policy",
                     .body = R"({"Version": "2012-10-17", "Statement": [)" + statements + "]}"}));
  }
  void eva_may(const std::string& action) {
    iam.policies.put_inline(
        control::EntityKind::user, "eva", "p",
        R"({"Statement": {"Effect": "Allow", "Action": ")" + action + R"(", "Resource": "*"}})");
  }

  control::Iam iam{*database, keys, clock, "000000000000"};
  fleet::Arns arns;
  Authorizer authorizer{iam, clock, arns};
  S3Service guarded{objects, authenticator, clock, {.authorizer = &authorizer}};
  control::AccessKey eva_key = keys.create("user/" + iam.entities.create({.name = "eva"}).id);
};

constexpr const char* kEva = R"("Principal": {"AWS": "arn:aws:iam::000000000000:user/eva"})";

TEST_F(BucketPolicyAccessTest, EitherPolicyAllowsAndEachMayDeny) {
  EXPECT_EQ(as_eva({.target = "/parts/a"}), "AccessDenied");
  const std::string read = R"("Action": "s3:GetObject", "Resource": "arn:aws:s3:::parts/*"})";
  EXPECT_EQ(set_policy(R"({"Effect": "Allow", )" + std::string(kEva) + ", " + read), "(204)");
  EXPECT_EQ(as_eva({.target = "/parts/a"}), "(200)");
  EXPECT_EQ(as_eva({.method = "PUT", .target = "/parts/b", .body = "b"}), "AccessDenied");
  eva_may("s3:PutObject");
  EXPECT_EQ(as_eva({.method = "PUT", .target = "/parts/b", .body = "b"}), "(200)");
  EXPECT_EQ(set_policy(R"({"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
                           "Resource": "arn:aws:s3:::parts/*"})"),
            "(204)");
  EXPECT_EQ(as_eva({.method = "PUT", .target = "/parts/b", .body = "b"}), "AccessDenied");
  EXPECT_EQ(as_eva({.target = "/parts/a"}), "AccessDenied");
  // The account, too, but it can mend the policy.
  EXPECT_EQ(code_of(as_operator({.method = "PUT", .target = "/parts/b", .body = "b"})),
            "AccessDenied");
  EXPECT_EQ(set_policy(R"({"Effect": "Deny", "Principal": "*", "Action": "s3:*",
                           "Resource": ["arn:aws:s3:::parts", "arn:aws:s3:::parts/*"]})"),
            "(204)");
  EXPECT_EQ(code_of(as_operator({.target = "/parts?tagging"})), "AccessDenied");
  EXPECT_EQ(code_of(as_operator({.method = "DELETE", .target = "/parts?policy"})), "(204)");
  EXPECT_EQ(code_of(as_operator({.target = "/parts?policy"})), "NoSuchBucketPolicy");
  // Naming the account leaves it to the account's own policies.
  EXPECT_EQ(set_policy(R"({"Effect": "Allow", "Principal": {"AWS": "000000000000"}, )" + read),
            "(204)");
  EXPECT_EQ(as_eva({.target = "/parts/a"}), "AccessDenied");
}

TEST_F(BucketPolicyAccessTest, ConditionsSeeTheRequest) {
  const auto allow_where = [&](const std::string& action, const std::string& condition) {
    return set_policy(R"({"Effect": "Allow", )" + std::string(kEva) + R"(, "Action": ")" + action +
                      R"(", "Resource": ["arn:aws:s3:::parts", "arn:aws:s3:::parts/*"],
                      "Condition": )" +
                      condition + "}");
  };
  EXPECT_EQ(allow_where("s3:ListBucket", R"({"StringLike": {"s3:prefix": "a/*"}})"), "(204)");
  EXPECT_EQ(as_eva({.target = "/parts?list-type=2&prefix=a%2Fb"}), "(200)");
  EXPECT_EQ(as_eva({.target = "/parts?list-type=2&prefix=b"}), "AccessDenied");
  EXPECT_EQ(as_eva({.target = "/parts?list-type=2"}), "AccessDenied");
  EXPECT_EQ(allow_where("s3:GetObject", R"({"Bool": {"aws:SecureTransport": "true"}})"), "(204)");
  EXPECT_EQ(as_eva({.target = "/parts/a"}), "AccessDenied");
  EXPECT_EQ(allow_where("s3:GetObject", R"({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}})"),
            "(204)");
  EXPECT_EQ(as_eva({.target = "/parts/a"}), "(200)");
  EXPECT_EQ(allow_where("s3:PutObject*", R"({"StringEquals": {"s3:RequestObjectTag/line": "7"}})"),
            "(204)");
  const auto put_tagged = [&](const char* tags) {
    return as_eva(
        {.method = "PUT", .target = "/parts/t", .body = "x", .headers = {{"x-amz-tagging", tags}}});
  };
  EXPECT_EQ(put_tagged("line=8"), "AccessDenied");
  EXPECT_EQ(put_tagged("line=7"), "(200)");
  EXPECT_EQ(
      allow_where("s3:PutObjectTagging", R"({"StringEquals": {"s3:RequestObjectTag/line": "7"}})"),
      "(204)");
  const auto set_tags = [&](const std::string& value) {
    return as_eva({.method = "PUT",
                   .target = "/parts/a?tagging",
                   .body = "<Tagging><TagSet><Tag><Key>line</Key><Value>" + value +
                           "</Value></Tag></TagSet></Tagging>"});
  };
  EXPECT_EQ(set_tags("8"), "AccessDenied");
  EXPECT_EQ(set_tags("7"), "(200)");
}

TEST_F(BucketPolicyAccessTest, AVersionHasItsOwnActions) {
  objects.set_versioning("parts", store::Versioning::enabled);
  const std::string version = header_of(
      as_operator({.method = "PUT", .target = "/parts/a", .body = "b"}), "x-amz-version-id");
  eva_may("s3:GetObject");
  EXPECT_EQ(as_eva({.target = "/parts/a"}), "(200)");
  EXPECT_EQ(as_eva({.target = "/parts/a?versionId=" + version}), "AccessDenied");
  eva_may("s3:GetObjectVersion");
  EXPECT_EQ(as_eva({.target = "/parts/a?versionId=" + version}), "(200)");
  EXPECT_EQ(as_eva({.target = "/parts/a"}), "AccessDenied");
  eva_may("s3:DeleteObject");
  EXPECT_EQ(as_eva({.method = "DELETE", .target = "/parts/a?versionId=" + version}),
            "AccessDenied");
  const auto deleted =
      guarded.handle(signed_request({.method = "POST",
                                     .target = "/parts?delete",
                                     .body = "<Delete><Object><Key>a</Key><VersionId>" + version +
                                             "</VersionId></Object></Delete>"},
                                    eva_key, clock.now()));
  EXPECT_THAT(text_of(deleted), HasSubstr("<Code>AccessDenied</Code>"));
  // A condition on the version holds for a copy's source, too.
  iam.policies.put_inline(control::EntityKind::user, "eva", "p",
                          R"({"Statement": [{"Effect": "Allow", "Action": "s3:*",
                             "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*Version",
                             "Resource": "*", "Condition": {"StringEquals": {"s3:VersionId": ")" +
                              version + R"("}}}]})");
  EXPECT_EQ(as_eva({.method = "PUT",
                    .target = "/parts/c",
                    .headers = {{"x-amz-copy-source", "/parts/a?versionId=" + version}}}),
            "AccessDenied");
  EXPECT_EQ(as_eva({.method = "PUT",
                    .target = "/parts/c",
                    .headers = {{"x-amz-copy-source", "/parts/a?versionId=null"}}}),
            "(200)");
}

TEST_F(BucketPolicyAccessTest, StrangersComeInOnlyWhereNothingBlocksThem) {
  const std::string open_to_all = R"({"Effect": "Allow", "Principal": "*",
      "Action": "s3:GetObject", "Resource": "arn:aws:s3:::open/*"})";
  as_operator({.method = "PUT", .target = "/open/k", .body = "x"});
  EXPECT_EQ(unsigned_code({.target = "/open/k"}), "AccessDenied");
  EXPECT_EQ(set_policy(open_to_all, "open"), "AccessDenied");  // BlockPublicPolicy
  EXPECT_THAT(text_of(as_operator({.target = "/open?publicAccessBlock"})),
              HasSubstr("<RestrictPublicBuckets>true</RestrictPublicBuckets>"));
  EXPECT_EQ(code_of(as_operator({.method = "DELETE", .target = "/open?publicAccessBlock"})),
            "(204)");
  EXPECT_EQ(code_of(as_operator({.target = "/open?publicAccessBlock"})),
            "NoSuchPublicAccessBlockConfiguration");
  EXPECT_EQ(set_policy(open_to_all, "open"), "(204)");
  EXPECT_THAT(text_of(as_operator({.target = "/open?policyStatus"})),
              HasSubstr("<IsPublic>true</IsPublic>"));
  EXPECT_EQ(unsigned_code({.target = "/open/k"}), "(200)");
  EXPECT_EQ(unsigned_code({.method = "PUT", .target = "/open/k", .body = "y"}), "AccessDenied");
  EXPECT_EQ(unsigned_code({.method = "DELETE", .target = "/open/k"}), "AccessDenied");
  EXPECT_EQ(unsigned_code({.target = "/open?list-type=2"}), "AccessDenied");
  EXPECT_EQ(unsigned_code({.target = "/"}), "AccessDenied");
  EXPECT_EQ(unsigned_code({.method = "POST", .target = "/nowhere"}), "AccessDenied");
  EXPECT_EQ(unsigned_code({.method = "PATCH", .target = "/open/k"}), "AccessDenied");
  EXPECT_EQ(unsigned_code({.target = "/parts/a"}), "AccessDenied");
  EXPECT_EQ(unsigned_code({.method = "POST", .target = "/parts?delete", .body = "<Delete/>"}),
            "AccessDenied");
  const auto restrict =
      as_operator({.method = "PUT",
                   .target = "/open?publicAccessBlock",
                   .body = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true"
                           "</RestrictPublicBuckets></PublicAccessBlockConfiguration>"});
  EXPECT_EQ(restrict.status, 200);
  EXPECT_EQ(unsigned_code({.target = "/open/k"}), "AccessDenied");
  EXPECT_EQ(as_eva({.target = "/open/k"}), "(200)");  // one of the account's own
}

TEST_F(BucketPolicyAccessTest, APolicyThatCannotBeHonouredIsRefused) {
  const auto code = [&](const std::string& rest) {
    return set_policy(R"({"Effect": "Allow", )" + std::string(kEva) + ", " + rest + "}");
  };
  EXPECT_EQ(code(R"("Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*")"),
            "MalformedPolicy");
  EXPECT_EQ(code(R"("Action": "s3:GetObject", "Resource": "arn:aws:s3:::parts2/*")"),
            "MalformedPolicy");
  EXPECT_EQ(code(R"("Action": "iot:Connect", "Resource": "arn:aws:s3:::parts/*")"),
            "MalformedPolicy");
  EXPECT_EQ(code(R"("Action": "s3:GetObject")"), "MalformedPolicy");
  EXPECT_EQ(code(R"("Action": "s3:GetObject", "Resource": "arn:aws:s3:::parts/*",
                    "Condition": {"StringEquals": {"s3:ExistingObjectTag/a": "b"}})"),
            "NotImplemented");
  EXPECT_EQ(code_of(as_operator({.method = "PUT", .target = "/parts?policy", .body = "{"})),
            "MalformedPolicy");
  EXPECT_EQ(code_of(as_operator({.target = "/parts?policy"})), "NoSuchBucketPolicy");
}

}  // namespace
}  // namespace andon::api
