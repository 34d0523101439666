// SPDX-License-Identifier: Apache-2.0
// Expected signatures: AWS's documentation ("Signature calculations for the Authorization header",
// "Authenticating requests: query parameters", both of Amazon S3) and botocore 1.4x.
#include "wire/aws/sigv4.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::wire {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;

const Credentials kDocumentation{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                 ""};
const Credentials kLongLived{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
const Credentials kTemporary{"ASIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                             "to/ken+with=signs"};

base::Timestamp at(std::string_view text) {
  return base::parse_iso8601(text).value();
}
const base::Timestamp kNow = at("20261122T100000Z");

HttpRequest received(const std::string& method, const std::string& target, Headers headers,
                     std::string body = "") {
  HttpRequest request;
  request.method = method;
  request.target = target;
  const auto parts = split_target(target);
  request.path = std::string(parts.value().path);
  request.query = parse_query(parts->query).value();
  request.headers = std::move(headers);
  request.body = Body(std::move(body));
  return request;
}

struct Signed {
  std::string method;
  std::string host;
  std::string target;
  Headers headers;
  std::string body;
  std::string service;
  const Credentials& credentials;
  std::string signature;
};

const std::vector<Signed>& botocore_table() {
  static const std::vector<Signed> table{
      {"GET",
       "localhost:8080",
       "/greengrass/v2/components/arn%3Aaws%3Agreengrass%3Aus-east-1%3A000000000000%3Acomponents"
       "%3Acom.example.Model%3Aversions%3A1.0.0",
       {},
       "",
       "greengrass",
       kLongLived,
       "82921610ab08e672e622420b2565793faa88a7f0b4690aad9486f2d9a15aad39"},
      {"GET",
       "localhost:8080",
       "/greengrass/v2/coreDevices?thingGroupArn=arn%3Aaws%3Aiot%3Ax%3A1%3Athinggroup%2Fg"
       "&maxResults=5",
       {},
       "",
       "greengrass",
       kTemporary,
       "6212e62f7aca2ed686fa9c27a36841e873a8f5c59c13c0e602efba9394867956"},
      {"POST",
       "localhost:8080",
       "/",
       {{"X-Amz-Target", "SageMaker.CreateModelPackageGroup"},
        {"Content-Type", "application/x-amz-json-1.1"}},
       R"({"ModelPackageGroupName":"tags"})",
       "sagemaker",
       kLongLived,
       "cc71c97dec550551cea2bb060ea33a6d971e7c535c4c0b81e3a927e484215efb"},
      {"POST",
       "andon.example",
       "/andon//v1/./a/../b/",
       {{"X-Amz-Meta", "  two   spaces  "}},
       "body",
       "andon",
       kLongLived,
       "0eda69a9b7e4071ce839232de04f432db7981ef78a42a3711bafb023454b09a4"},
      {"PUT",
       "localhost:8080",
       "/bucket/a%20b/%C3%BC%2B%28x%29~.bin",
       {},
       "data",
       "s3",
       kTemporary,
       "91b0b02b8b756ab961bb6684c8365bf227679f1c07d91c5921304baef88ef5d4"},
      {"GET",
       "localhost:8080",
       "/bucket?prefix=a%2Fb&list-type=2&delimiter=%2F&marker=",
       {},
       "",
       "s3",
       kLongLived,
       "b9111d31325a9a0b6e12cbec8e9f37c70e0c5f328e56a6335fbbf3a283b3c3d1"},
      {"GET",
       "localhost:8080",
       "/bucket//a/../b",
       {},
       "",
       "s3",
       kLongLived,
       "b8f073ab5eec79e25d3ed768f0dc720fe3b7d3b02efb8d7de4796df6993e0d4a"},
  };
  return table;
}

Headers sign_row(const Signed& row, base::Timestamp now = kNow) {
  return sign({row.method, row.host, row.target, row.headers, trust::sha256_hex(row.body)},
              row.credentials, {"local", row.service}, now);
}

TEST(SigV4, SignsAsBotocoreDoes) {
  for (const Signed& row : botocore_table()) {
    const Headers headers = sign_row(row);
    EXPECT_THAT(std::string(headers.find("Authorization").value()),
                EndsWith("Signature=" + row.signature))
        << row.target;
  }
}

TEST(SigV4, VerifiesWhatBotocoreSigned) {
  for (const Signed& row : botocore_table()) {
    const HttpRequest request = received(row.method, row.target, sign_row(row), row.body);
    const auto claim = read_claim(request);
    ASSERT_TRUE(claim) << row.target;
    EXPECT_EQ(claim->access_key_id, row.credentials.access_key_id);
    EXPECT_EQ(claim->session_token, row.credentials.session_token);
    EXPECT_EQ(claim->scope.service, row.service);
    EXPECT_EQ(claim->scope.region, "local");
    EXPECT_EQ(claim->signed_at, kNow);
    EXPECT_EQ(claim->payload_sha256, trust::sha256_hex(row.body));
    const std::string& secret = row.credentials.secret_access_key;
    EXPECT_EQ(verify(request, *claim, secret, kNow), SignatureVerdict::valid) << row.target;
    EXPECT_EQ(verify(request, *claim, "other", kNow), SignatureVerdict::wrong_signature);
  }
}

TEST(SigV4, MatchesTheHeaderExamplesOfS3sDocumentation) {
  const std::string empty = trust::sha256_hex("");
  const std::string host = "examplebucket.s3.amazonaws.com";
  const Signed table[] = {
      {"GET",
       host,
       "/test.txt",
       {{"Range", "bytes=0-9"}},
       "",
       "s3",
       kDocumentation,
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"PUT",
       host,
       "/test$file.text",
       {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       "Welcome to Amazon S3.",
       "s3",
       kDocumentation,
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"GET",
       host,
       "/?lifecycle",
       {},
       "",
       "s3",
       kDocumentation,
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"GET",
       host,
       "/?max-keys=2&prefix=J",
       {},
       "",
       "s3",
       kDocumentation,
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  const base::Timestamp now = at("20130524T000000Z");
  for (const Signed& row : table) {
    const Headers headers =
        sign({row.method, row.host, row.target, row.headers, trust::sha256_hex(row.body)},
             row.credentials, {"us-east-1", "s3"}, now);
    EXPECT_THAT(std::string(headers.find("Authorization").value()),
                EndsWith("Signature=" + row.signature))
        << row.target;
  }
}

TEST(SigV4, PresignsAsDocumentedAndAsBotocoreDoes) {
  EXPECT_THAT(presign("GET", "examplebucket.s3.amazonaws.com", "/test.txt", kDocumentation,
                      {"us-east-1", "s3"}, at("20130524T000000Z"), 86400s),
              EndsWith("&X-Amz-Signature="
                       "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"));
  EXPECT_EQ(presign("GET", "localhost:8080", "/bucket/a%20b.bin", kTemporary, {"local", "s3"}, kNow,
                    600s),
            "/bucket/a%20b.bin?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAEXAMPLE"
            "%2F20261122%2Flocal%2Fs3%2Faws4_request&X-Amz-Date=20261122T100000Z&X-Amz-Expires=600"
            "&X-Amz-SignedHeaders=host&X-Amz-Security-Token=to%2Fken%2Bwith%3Dsigns&"
            "X-Amz-Signature=2ad294b100c14d80756f42d49415a868f626946936a312bc89aa11e8f068f770");
  EXPECT_THAT(presign("PUT", "localhost:8080", "/bucket/k?partNumber=2&uploadId=x%2By", kLongLived,
                      {"local", "s3"}, kNow, 600s),
              EndsWith("&X-Amz-Signature="
                       "19a64ac958ee58f3908302e534b77effccb5d05ce582f274476f16ca6bddabdd"));
  for (const auto lifetime : {0s, 604801s, -1s}) {
    EXPECT_THROW((void)presign("GET", "h", "/", kLongLived, {"local", "s3"}, kNow, lifetime),
                 base::Error);
  }
}

TEST(SigV4, APresignedUrlHoldsUntilItExpires) {
  const std::string target =
      presign("GET", "localhost:8080", "/b/k?versionId=1", kTemporary, {"local", "s3"}, kNow, 600s);
  const HttpRequest request = received("GET", target, {{"Host", "localhost:8080"}});
  const auto claim = read_claim(request);
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->lifetime, 600s);
  EXPECT_EQ(claim->session_token, kTemporary.session_token);
  EXPECT_EQ(claim->payload_sha256, "UNSIGNED-PAYLOAD");
  const std::string& secret = kTemporary.secret_access_key;
  EXPECT_EQ(verify(request, *claim, secret, kNow + 599s), SignatureVerdict::valid);
  EXPECT_EQ(verify(request, *claim, secret, kNow + 600s), SignatureVerdict::expired);
  EXPECT_EQ(verify(request, *claim, secret, kNow - 16min), SignatureVerdict::clock_skew);
  const HttpRequest other = received("GET", target + "&x=1", {{"Host", "localhost:8080"}});
  EXPECT_EQ(verify(other, *claim, secret, kNow), SignatureVerdict::wrong_signature);
}

TEST(SigV4, AnyChangeToWhatWasSignedBreaksTheSignature) {
  const Signed& row = botocore_table()[4];
  const Headers headers = sign_row(row);
  const std::string& secret = row.credentials.secret_access_key;
  const auto verdict = [&](const HttpRequest& request) {
    return verify(request, read_claim(request).value(), secret, kNow);
  };
  EXPECT_EQ(verdict(received("PUT", row.target, headers)), SignatureVerdict::valid);
  EXPECT_EQ(verdict(received("POST", row.target, headers)), SignatureVerdict::wrong_signature);
  EXPECT_EQ(verdict(received("PUT", row.target + "x", headers)), SignatureVerdict::wrong_signature);
  EXPECT_EQ(verdict(received("PUT", row.target + "?acl", headers)),
            SignatureVerdict::wrong_signature);
  for (const auto& [name, value] :
       {std::pair{"Host", "other"}, std::pair{"X-Amz-Security-Token", "other"},
        std::pair{"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"},
        std::pair{"X-Amz-Date", "20261122T100001Z"}}) {
    Headers changed = headers;
    changed.set(name, value);
    EXPECT_EQ(verdict(received("PUT", row.target, changed)), SignatureVerdict::wrong_signature)
        << name;
  }
}

TEST(SigV4, AHeaderSignatureHoldsFifteenMinutesEitherWay) {
  const Signed& row = botocore_table()[0];
  const HttpRequest request = received(row.method, row.target, sign_row(row));
  const SignatureClaim claim = read_claim(request).value();
  const std::string& secret = row.credentials.secret_access_key;
  EXPECT_EQ(verify(request, claim, secret, kNow + 15min), SignatureVerdict::valid);
  EXPECT_EQ(verify(request, claim, secret, kNow - 15min), SignatureVerdict::valid);
  EXPECT_EQ(verify(request, claim, secret, kNow + 15min + 1s), SignatureVerdict::clock_skew);
  EXPECT_EQ(verify(request, claim, secret, kNow - 15min - 1s), SignatureVerdict::clock_skew);
}

TEST(SigV4, TakesTheBodysOwnDigestWhereTheRequestClaimsNone) {
  // botocore sends no X-Amz-Content-Sha256 to services other than S3.
  Headers headers{{"Host", "h"},
                  {"X-Amz-Date", "20261122T100000Z"},
                  {"Authorization",
                   "AWS4-HMAC-SHA256 Credential=AK/20261122/local/iot/aws4_request,"
                   "SignedHeaders=host;x-amz-date,Signature=" +
                       std::string(64, '0')}};
  EXPECT_EQ(read_claim(received("POST", "/", headers, "abc"))->payload_sha256,
            trust::sha256_hex("abc"));
}

TEST(SigV4, FieldsOfOneNameAreSignedTogetherAndSpacesDoNotCount) {
  const auto signature = [](Headers headers) {
    return std::string(sign({"GET", "h", "/", std::move(headers), trust::sha256_hex("")},
                            kLongLived, {"local", "s3"}, kNow)
                           .find("Authorization")
                           .value());
  };
  EXPECT_EQ(signature({{"X-Two", "a"}, {"x-two", " b \t c "}}), signature({{"X-TWO", "a,b c"}}));
  EXPECT_NE(signature({{"X-Two", "b"}, {"x-two", "a"}}), signature({{"X-TWO", "a,b"}}));
}

TEST(SigV4, ARequestWithoutASignatureHasNoClaim) {
  EXPECT_FALSE(read_claim(received("GET", "/", {{"Host", "h"}})));
  EXPECT_FALSE(read_claim(received("GET", "/", {{"Authorization", "Bearer abc"}})));
}

TEST(SigV4, SaysWhatIsWrongWithAMalformedSignature) {
  const std::string digest(64, 'a');
  const std::string credential = "Credential=AK/20261122/local/s3/aws4_request";
  const std::string names = "SignedHeaders=host;x-amz-content-sha256;x-amz-date";
  const std::string good =
      "AWS4-HMAC-SHA256 " + credential + ", " + names + ", Signature=" + digest;
  const Headers headers{
      {"Host", "h"}, {"X-Amz-Date", "20261122T100000Z"}, {"X-Amz-Content-Sha256", digest}};
  struct Row {
    std::string authorization;
    std::string target;
    std::pair<std::string, std::string> header;
    std::string problem;
  };
  const std::string query = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256";
  const Row table[] = {
      {"AWS AKID:sig", "/", {}, "only the scheme"},
      {"AWS4-ECDSA-P256-SHA256 " + credential, "/", {}, "only the scheme"},
      {"AWS4-HMAC-SHA256", "/", {}, "only the scheme"},
      {"AWS4-HMAC-SHA256 ", "/", {}, "must hold Credential"},
      {"AWS4-HMAC-SHA256 " + credential + ", " + names, "/", {}, "must hold Credential"},
      {good + ", Signature=" + digest, "/", {}, "each once"},
      {"AWS4-HMAC-SHA256 Credential=AK/20261122/s3/aws4_request, " + names +
           ", Signature=" + digest,
       "/",
       {},
       "KEY/DATE/REGION/SERVICE"},
      {"AWS4-HMAC-SHA256 " + credential + ", " + names + ", Signature=xyz", "/", {}, "64"},
      {"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=x-amz-date, Signature=" + digest,
       "/",
       {},
       "'host' must be signed"},
      {"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=host;x-gone, Signature=" + digest,
       "/",
       {},
       "'x-gone' is not in the request"},
      {"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=Host, Signature=" + digest,
       "/",
       {},
       "lower case"},
      {"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=x-amz-date;host, Signature=" + digest,
       "/",
       {},
       "sorted"},
      {good, "/", {"X-Amz-Acl", "public"}, "'x-amz-acl' must be signed"},
      {good, "/", {"X-Amz-Date", "20261123T100000Z"}, "differ in the date"},
      {good, "/", {"X-Amz-Date", "yesterday"}, "must have the form"},
      {good, "/", {"X-Amz-Content-Sha256", "none"}, "SHA-256"},
      {good, query, {}, "and in the query"},
      {"", query, {}, "X-Amz-Credential is missing"},
      {"", "/?X-Amz-Signature=" + digest, {}, "X-Amz-Algorithm is missing"},
      {"",
       query + "&X-Amz-Credential=AK/20261122/local/s3/aws4_request&"
               "X-Amz-Date=20261122T100000Z&X-Amz-Expires=604801",
       {},
       "604800"},
      {"",
       query + "&X-Amz-Credential=AK/20261122/local/s3/aws4_request&"
               "X-Amz-Date=20261122T100000Z&X-Amz-Expires=5x",
       {},
       "604800"},
  };
  for (const Row& row : table) {
    Headers sent = headers;
    if (!row.authorization.empty()) sent.set("Authorization", row.authorization);
    if (!row.header.first.empty()) sent.set(row.header.first, row.header.second);
    try {
      (void)read_claim(received("GET", row.target, sent));
      ADD_FAILURE() << "no error: " << row.problem;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::unauthenticated);
      EXPECT_THAT(error.message(), HasSubstr(row.problem));
    }
  }
}

}  // namespace
}  // namespace andon::wire
