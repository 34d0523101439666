// SPDX-License-Identifier: Apache-2.0
// What browsers do: questions before requests (CORS), and forms.
#include <gmock/gmock.h>

#include "api/testing/s3_fixture.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;

class BrowserTest : public S3Test {
 protected:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  std::string set_cors(const std::string& rules) {
    return code_of(put("/parts?cors", "<CORSConfiguration>" + rules + "</CORSConfiguration>"));
  }
  wire::HttpResponse ask(const std::string& origin, const std::string& method,
                         const std::string& headers = {}) {
    wire::Headers fields{
        {"Host", "h"}, {"Origin", origin}, {"Access-Control-Request-Method", method}};
    if (!headers.empty()) fields.set("Access-Control-Request-Headers", headers);
    return s3.handle(received({.method = "OPTIONS", .target = "/parts/k"}, fields));
  }

  // A form as a browser posts it, signed for `conditions`.
  wire::HttpResponse post_form(const std::string& conditions, Fields fields,
                               const std::string& content = "content",
                               const std::string& expires = "2030-01-01T00:00:00Z") {
    const std::string policy = base::to_base64(R"({"expiration": ")" + expires +
                                               R"(", "conditions": [)" + conditions + "]}");
    const std::string date = base::to_amz_date(clock.now());
    const wire::SigningScope scope{.region = "us-east-1", .service = "s3"};
    const trust::Sha256 key =
        wire::derive_signing_key(operator_key.secret, date.substr(0, 8), scope);
    const std::string signature = base::to_hex(
        trust::hmac_sha256({reinterpret_cast<const char*>(key.data()), key.size()}, policy));
    fields.insert(
        fields.end(),
        {{"x-amz-algorithm", "AWS4-HMAC-SHA256"},
         {"x-amz-credential", operator_key.id + "/" + wire::scope_text(date.substr(0, 8), scope)},
         {"x-amz-date", date},
         {"policy", policy},
         {"x-amz-signature", signature + tampered}});
    std::string body;
    for (const auto& [name, value] : fields) {
      body +=
          "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    }
    body +=
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\\\x\\\\a b.png\""
        "\r\nContent-Type: image/png\r\n\r\n" +
        content + "\r\n--B--\r\n";
    return s3.handle(
        received({.method = "POST", .target = "/parts", .body = body},
                 {{"Host", "h"}, {"Content-Type", "multipart/form-data; boundary=B"}}));
  }
  static constexpr const char* kSigned =
      R"({"x-amz-algorithm": "AWS4-HMAC-SHA256"}, ["starts-with", "$x-amz-credential", ""],
         ["starts-with", "$x-amz-date", ""])";
  std::string tampered;
};

TEST_F(BrowserTest, APageOfAnotherOriginMayWhatTheBucketSays) {
  EXPECT_EQ(code_of(ask("https://a.example", "GET")), "AccessForbidden");
  EXPECT_EQ(set_cors("<CORSRule><AllowedOrigin>https://*.example</AllowedOrigin>"
                     "<AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>"
                     "<AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
                     "<MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>"),
            "(200)");
  const auto allowed = ask("https://a.example", "PUT", "X-Amz-Date, x-amz-meta-a");
  EXPECT_EQ(allowed.status, 200);
  EXPECT_EQ(header_of(allowed, "Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(header_of(allowed, "Access-Control-Allow-Methods"), "GET, PUT");
  EXPECT_EQ(header_of(allowed, "Access-Control-Allow-Headers"), "X-Amz-Date, x-amz-meta-a");
  EXPECT_EQ(header_of(allowed, "Access-Control-Max-Age"), "60");
  EXPECT_EQ(code_of(ask("https://a.example", "PUT", "authorization")), "AccessForbidden");
  EXPECT_EQ(code_of(ask("https://a.example", "DELETE")), "AccessForbidden");
  EXPECT_EQ(code_of(ask("https://a.example.org", "GET")), "AccessForbidden");
  put("/parts/k", "x");
  const auto got = send({.target = "/parts/k", .headers = {{"Origin", "https://a.example"}}});
  EXPECT_EQ(header_of(got, "Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(header_of(got, "Access-Control-Expose-Headers"), "ETag");
  EXPECT_THAT(header_of(got, "Vary"), HasSubstr("Origin"));
  const auto refused =
      send({.target = "/parts/none", .headers = {{"Origin", "https://a.example"}}});
  EXPECT_EQ(code_of(refused), "NoSuchKey");
  EXPECT_EQ(header_of(refused, "Access-Control-Allow-Origin"), "https://a.example");
  const auto other = send({.target = "/parts/k", .headers = {{"Origin", "https://b.org"}}});
  EXPECT_EQ(header_of(other, "Access-Control-Allow-Origin"), "(none)");
  EXPECT_EQ(set_cors("<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PATCH"
                     "</AllowedMethod></CORSRule>"),
            "InvalidRequest");
  EXPECT_EQ(set_cors("<CORSRule><AllowedOrigin>*.*</AllowedOrigin><AllowedMethod>GET"
                     "</AllowedMethod></CORSRule>"),
            "InvalidRequest");
  EXPECT_EQ(set_cors(""), "MalformedXML");
}

TEST_F(BrowserTest, AFormPutsWhatItsPolicyAllows) {
  const std::string conditions =
      std::string(R"({"bucket": "parts"}, ["starts-with", "$key", "up/"], )") +
      R"(["content-length-range", 1, 10], {"x-amz-meta-line": "7"},
         ["starts-with", "$Content-Type", "image/"], )" +
      kSigned;
  const Fields good{
      {"key", "up/${filename}"}, {"Content-Type", "image/png"}, {"x-amz-meta-line", "7"}};
  EXPECT_EQ(code_of(post_form(conditions, good)), "(204)");
  const auto got = send({.target = "/parts/up/a%20b.png"});
  EXPECT_EQ(text_of(got), "content");
  EXPECT_EQ(header_of(got, "Content-Type"), "image/png");
  EXPECT_EQ(header_of(got, "x-amz-meta-line"), "7");
  const auto code = [&](Fields fields, const std::string& content = "content") {
    return code_of(post_form(conditions, std::move(fields), content));
  };
  EXPECT_EQ(code({{"key", "other/a"}, {"Content-Type", "image/png"}, {"x-amz-meta-line", "7"}}),
            "AccessDenied");
  EXPECT_EQ(code({{"key", "up/a"}, {"Content-Type", "text/html"}, {"x-amz-meta-line", "7"}}),
            "AccessDenied");
  EXPECT_EQ(code({{"key", "up/a"}, {"Content-Type", "image/png"}}), "AccessDenied");
  Fields more = good;
  more.emplace_back("x-amz-meta-other", "1");
  EXPECT_EQ(code(more), "AccessDenied");
  EXPECT_EQ(code(good, ""), "EntityTooSmall");
  EXPECT_EQ(code(good, "longer than ten"), "EntityTooLarge");
  EXPECT_EQ(code_of(post_form(conditions, good, "content", "2020-01-01T00:00:00Z")),
            "AccessDenied");
  Fields twice = good;
  twice.emplace_back("KEY", "up/b");
  EXPECT_EQ(code(twice), "MalformedPOSTRequest");
  tampered = "0";
  EXPECT_EQ(code(good), "SignatureDoesNotMatch");
}

TEST_F(BrowserTest, AFormIsAnsweredAsItAsks) {
  const std::string conditions =
      std::string(R"({"key": "k"}, ["starts-with", "$success_action_status", ""],
                     ["starts-with", "$success_action_redirect", ""],
                     ["starts-with", "$x-amz-server-side-encryption", ""],
                     ["starts-with", "$tagging", ""], ["starts-with", "$acl", ""], )") +
      kSigned;
  const auto created = post_form(conditions, {{"key", "k"}, {"success_action_status", "201"}});
  EXPECT_EQ(created.status, 201);
  EXPECT_THAT(text_of(created), HasSubstr("<Bucket>parts</Bucket><Key>k</Key>"));
  const auto redirected =
      post_form(conditions, {{"key", "k"}, {"success_action_redirect", "https://a.example/done"}});
  EXPECT_EQ(redirected.status, 303);
  EXPECT_THAT(header_of(redirected, "Location"),
              HasSubstr("https://a.example/done?bucket=parts&key=k&etag="));
  EXPECT_EQ(code_of(post_form(conditions, {{"key", "k"}, {"acl", "public-read"}})),
            "AccessControlListNotSupported");
  EXPECT_EQ(
      code_of(post_form(conditions, {{"key", "k"}, {"x-amz-server-side-encryption", "AES256"}})),
      "NotImplemented");
  EXPECT_EQ(post_form(conditions, {{"key", "k"},
                                   {"tagging",
                                    "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value>"
                                    "</Tag></TagSet></Tagging>"}})
                .status,
            204);
  EXPECT_EQ(header_of(send({.target = "/parts/k"}), "x-amz-tagging-count"), "1");
}

TEST_F(BrowserTest, AFormThatIsNoneIsRefused) {
  const auto code = [&](const std::string& body) {
    return code_of(
        s3.handle(received({.method = "POST", .target = "/parts", .body = body},
                           {{"Host", "h"}, {"Content-Type", "multipart/form-data; boundary=B"}})));
  };
  const std::string head = "--B\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n";
  EXPECT_EQ(code(""), "MalformedPOSTRequest");
  EXPECT_EQ(code("--C\r\n"), "MalformedPOSTRequest");
  EXPECT_EQ(code(head + "k"), "MalformedPOSTRequest");
  EXPECT_EQ(code(head + "k\r\n--B--\r\n"), "InvalidArgument");  // without a file
  EXPECT_EQ(code("--B\r\nX: y\r\n\r\nk\r\n--B--\r\n"), "MalformedPOSTRequest");
  EXPECT_EQ(code(head + std::string(30'000, 'k') + "\r\n--B--\r\n"),
            "MaxPostPreDataLengthExceededError");
  EXPECT_EQ(code(head + "k\r\n--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx"),
            "MalformedPOSTRequest");
  EXPECT_EQ(code(head + "k\r\n--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx"
                        "\r\n--B--\r\n"),
            "AccessDenied");  // without a policy
  const auto admission =
      s3.admit(received({.method = "POST", .target = "/none"},
                        {{"Host", "h"}, {"Content-Type", "multipart/form-data; boundary=B"}}));
  ASSERT_TRUE(admission.refusal);
  EXPECT_EQ(code_of(*admission.refusal), "NoSuchBucket");
}

}  // namespace
}  // namespace andon::api
