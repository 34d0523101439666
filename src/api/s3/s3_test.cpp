// SPDX-License-Identifier: Apache-2.0
#include "api/s3/s3.hpp"

#include <gmock/gmock.h>

#include "api/testing/s3_fixture.hpp"
#include "base/text/encoding.hpp"
#include "control/components/components.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;

TEST_F(S3Test, StoresAndGivesBack) {
  const auto response = put("/parts/a%20b/%C3%A9.txt", "hello",
                            {{"Content-Type", "text/plain"},
                             {"x-amz-meta-Line", "7"},
                             {"Cache-Control", "no-store"},
                             {"Content-Encoding", "aws-chunked,gzip"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header_of(response, "ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  const auto got = send({.target = "/parts/a%20b/%C3%A9.txt"});
  EXPECT_EQ(text_of(got), "hello");
  EXPECT_EQ(header_of(got, "Content-Type"), "text/plain");
  EXPECT_EQ(header_of(got, "x-amz-meta-line"), "7");
  EXPECT_EQ(header_of(got, "cache-control"), "no-store");
  EXPECT_EQ(header_of(got, "content-encoding"), "gzip");
  const auto head = send({.method = "HEAD", .target = "/parts/a%20b/%C3%A9.txt"});
  EXPECT_EQ(header_of(head, "Content-Length"), "5");
  EXPECT_EQ(text_of(head), "");
}

TEST_F(S3Test, SaysWhatIsNotThere) {
  EXPECT_EQ(code_of(send({.target = "/none/key"})), "NoSuchBucket");
  EXPECT_EQ(code_of(send({.target = "/parts/key"})), "NoSuchKey");
  EXPECT_EQ(code_of(put("/none/key", "")), "NoSuchBucket");
  EXPECT_EQ(code_of(put("/parts", "")), "BucketAlreadyOwnedByYou");
  EXPECT_EQ(code_of(put("/UPPER", "")), "InvalidBucketName");
  EXPECT_EQ(code_of(put("/parts/%ff", "")), "InvalidURI");
  EXPECT_EQ(code_of(send({.target = "//parts/k"})), "InvalidBucketName");
  EXPECT_EQ(code_of(send({.method = "DELETE", .target = "//parts"})), "InvalidBucketName");
  EXPECT_EQ(code_of(put("/parts/k?retention", "")), "NotImplemented");
  EXPECT_EQ(code_of(put("/parts?website", "")), "NotImplemented");
  EXPECT_EQ(code_of(send({.method = "PATCH", .target = "/parts/k"})), "MethodNotAllowed");
  EXPECT_EQ(code_of(send({.method = "DELETE", .target = "/none"})), "NoSuchBucket");
  put("/parts/k", "x");
  EXPECT_EQ(code_of(send({.method = "DELETE", .target = "/parts"})), "BucketNotEmpty");
}

TEST_F(S3Test, ChecksEveryPromiseAboutTheBody) {
  const auto code = [&](wire::Headers headers) {
    return code_of(put("/parts/k", "123456789", std::move(headers)));
  };
  EXPECT_EQ(code({{"x-amz-checksum-crc32", "y/Q5Jg=="}}), "(200)");
  EXPECT_EQ(code({{"x-amz-checksum-crc32c", "4waSgw=="}}), "(200)");
  EXPECT_EQ(code({{"x-amz-checksum-crc64nvme", "rosUhgp5mIg="}}), "(200)");
  EXPECT_EQ(code({{"Content-MD5", "JfnnlDI7RTiF9RgfGm2+nA=="}}), "BadDigest");
  EXPECT_EQ(code({{"Content-MD5", "JfnnlDI7RTiF9RgfG2JNCw=="}}), "(200)");
  EXPECT_EQ(code({{"Content-MD5", "x"}}), "InvalidDigest");
  EXPECT_EQ(code({{"x-amz-checksum-crc32", "AAAAAA=="}}), "BadDigest");
  EXPECT_EQ(code({{"x-amz-checksum-sha256", "AAAAAA=="}}), "BadDigest");
  EXPECT_EQ(code({{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-checksum-crc32c", "4waSgw=="}}),
            "InvalidRequest");
  EXPECT_EQ(code({{"x-amz-checksum-sha1", "x"}}), "NotImplemented");
  wire::HttpRequest changed = signed_request(
      {.method = "PUT", .target = "/parts/other", .body = "a"}, operator_key, clock.now());
  changed.body = wire::Body("b");
  EXPECT_EQ(code_of(s3.handle(changed)), "XAmzContentSHA256Mismatch");
  EXPECT_EQ(code_of(send({.target = "/parts/other"})), "NoSuchKey");

  put("/parts/k", "123456789", {{"x-amz-checksum-crc32", "y/Q5Jg=="}});
  const auto got = send({.target = "/parts/k", .headers = {{"x-amz-checksum-mode", "ENABLED"}}});
  EXPECT_EQ(header_of(got, "x-amz-checksum-crc32"), "y/Q5Jg==");
  EXPECT_EQ(header_of(send({.target = "/parts/k"}), "x-amz-checksum-crc32"), "(none)");
}

TEST_F(S3Test, ReadsChunkedBodiesWithATrailer) {
  const auto send_chunked = [&](const std::string& body, const std::string& size) {
    return code_of(send({.method = "PUT",
                         .target = "/parts/k",
                         .body = body,
                         .headers = {{"Content-Encoding", "aws-chunked"},
                                     {"x-amz-decoded-content-length", size},
                                     {"x-amz-trailer", "x-amz-checksum-crc32"}},
                         .payload_sha256 = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}));
  };
  const std::string good = "5\r\n12345\r\n4\r\n6789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n";
  EXPECT_EQ(send_chunked(good, "9"), "(200)");
  EXPECT_EQ(get("/parts/k"), "123456789");
  EXPECT_EQ(send_chunked("9\r\n987654321\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n", "9"),
            "BadDigest");
  EXPECT_EQ(send_chunked("9\r\n123456789\r\n0\r\n\r\n", "9"), "MalformedTrailerError");
  EXPECT_EQ(send_chunked(good, "8"), "IncompleteBody");
  EXPECT_EQ(send_chunked(good.substr(0, 20), "9"), "IncompleteBody");
  EXPECT_EQ(send_chunked(good, ""), "MissingContentLength");
  EXPECT_EQ(get("/parts/k"), "123456789");
}

TEST_F(S3Test, GivesPartsOfAnObjectAndObeysConditions) {
  put("/parts/k", "0123456789");
  const auto read = [&](wire::Headers headers) {
    return send({.target = "/parts/k", .headers = std::move(headers)});
  };
  const auto part = read({{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(text_of(part), "234");
  EXPECT_EQ(header_of(part, "Content-Range"), "bytes 2-4/10");
  const auto beyond = read({{"Range", "bytes=10-"}});
  EXPECT_EQ(code_of(beyond), "InvalidRange");
  EXPECT_EQ(header_of(beyond, "Content-Range"), "bytes */10");
  EXPECT_EQ(text_of(read({{"Range", "bytes=8-99999999999999999999"}})), "89");
  EXPECT_EQ(code_of(read({{"Range", "bytes=99999999999999999999-"}})), "InvalidRange");
  const std::string etag = header_of(part, "ETag");
  EXPECT_EQ(read({{"Range", "bytes=2-4"}, {"If-Range", etag}}).status, 206);
  EXPECT_EQ(read({{"Range", "bytes=2-4"}, {"If-Range", "\"other\""}}).status, 200);
  EXPECT_EQ(read({{"If-None-Match", etag}}).status, 304);
  EXPECT_EQ(read({{"If-Match", "\"other\""}}).status, 412);
  EXPECT_EQ(code_of(put("/parts/k", "x", {{"If-None-Match", "*"}})), "PreconditionFailed");
  EXPECT_EQ(code_of(put("/parts/k", "x", {{"If-Match", "\"other\""}})), "PreconditionFailed");
  EXPECT_EQ(code_of(put("/parts/k", "y", {{"If-Match", etag}})), "(200)");
  EXPECT_EQ(get("/parts/k?response-content-type=text%2Fcsv"), "y");
  EXPECT_EQ(code_of(send({.target = "/parts/k?response-content-type=a%0d%0ab"})),
            "InvalidArgument");
}

TEST_F(S3Test, ListsInBothVersions) {
  for (const char* key : {"a", "b/1", "b/2", "c%20d"}) put(std::string("/parts/") + key, "x");
  const std::string first = get("/parts?list-type=2&delimiter=%2F&max-keys=2");
  EXPECT_THAT(first, HasSubstr("<Key>a</Key>"));
  EXPECT_THAT(first, HasSubstr("<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>"));
  EXPECT_THAT(first, HasSubstr("<IsTruncated>true</IsTruncated>"));
  const std::string open = "<NextContinuationToken>";
  const std::size_t start = first.find(open) + open.size();
  const std::string token = first.substr(start, first.find('<', start) - start);
  const std::string second =
      get("/parts?list-type=2&delimiter=%2F&encoding-type=url&continuation-token=" + token);
  EXPECT_THAT(second, HasSubstr("<Key>c%20d</Key>"));
  EXPECT_THAT(second, HasSubstr("<KeyCount>1</KeyCount>"));
  EXPECT_THAT(get("/parts?marker=b%2F1"), HasSubstr("<Key>b/2</Key>"));
  EXPECT_EQ(code_of(send({.target = "/parts?max-keys=x"})), "InvalidArgument");
  EXPECT_EQ(code_of(send({.target = "/parts?list-type=2&continuation-token=%21"})),
            "InvalidArgument");
}

TEST_F(S3Test, PutsAnUploadTogether) {
  const std::string id = begin_upload("/parts/big");
  const std::string five(store::kMinimumPartBytes, 'x');
  const std::string first = header_of(put("/parts/big?partNumber=1&uploadId=" + id, five), "ETag");
  const auto second = put("/parts/big?partNumber=2&uploadId=" + id, "123456789",
                          {{"x-amz-checksum-crc32", "y/Q5Jg=="}});
  EXPECT_EQ(header_of(second, "x-amz-checksum-crc32"), "y/Q5Jg==");
  EXPECT_THAT(get("/parts/big?uploadId=" + id), HasSubstr("<PartNumber>2</PartNumber>"));
  EXPECT_THAT(get("/parts?uploads"), HasSubstr("<UploadId>" + id));
  const auto complete = [&](const std::string& parts) {
    return send({.method = "POST",
                 .target = "/parts/big?uploadId=" + id,
                 .body = "<CompleteMultipartUpload>" + parts + "</CompleteMultipartUpload>"});
  };
  const auto part = [](int number, const std::string& etag) {
    return "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + etag +
           "</ETag></Part>";
  };
  const std::string last = header_of(second, "ETag");
  EXPECT_EQ(code_of(complete("")), "MalformedXML");
  EXPECT_EQ(code_of(complete("<Part/>")), "MalformedXML");
  EXPECT_EQ(code_of(complete("<")), "MalformedXML");
  EXPECT_EQ(code_of(complete(part(2, last) + part(1, first))), "InvalidPartOrder");
  EXPECT_EQ(code_of(complete(part(1, last))), "InvalidPart");
  EXPECT_EQ(code_of(complete(part(3, last))), "InvalidPart");
  const auto done = complete(part(1, first) + part(2, last));
  EXPECT_EQ(done.status, 200);
  EXPECT_THAT(text_of(done), HasSubstr("-2&quot;</ETag>"));
  EXPECT_EQ(complete(part(1, first) + part(2, last)).status, 200);
  EXPECT_EQ(get("/parts/big").size(), five.size() + 9);
  EXPECT_EQ(code_of(put("/parts/big?partNumber=1&uploadId=" + id, "")), "NoSuchUpload");
  EXPECT_EQ(code_of(put("/parts/other?partNumber=1&uploadId=" + id, "")), "NoSuchUpload");
  EXPECT_EQ(code_of(put("/parts/big?partNumber=0&uploadId=" + id, "")), "InvalidArgument");
}

TEST_F(S3Test, CopiesAndDeletes) {
  put("/parts/from", "content", {{"x-amz-meta-a", "b"}});
  EXPECT_EQ(put("/parts/to", "", {{"x-amz-copy-source", "/parts/from"}}).status, 200);
  EXPECT_EQ(header_of(send({.target = "/parts/to"}), "x-amz-meta-a"), "b");
  EXPECT_EQ(code_of(put("/parts/to", "", {{"x-amz-copy-source", "parts/none"}})), "NoSuchKey");
  EXPECT_EQ(code_of(put("/parts/to", "", {{"x-amz-copy-source", "parts/to"}})), "InvalidRequest");
  const auto remove = [&](const std::string& body) {
    return send({.method = "POST", .target = "/parts?delete", .body = body});
  };
  EXPECT_EQ(code_of(remove("<Delete/>")), "MalformedXML");
  EXPECT_THAT(text_of(remove("<Delete><Object><Key>from</Key></Object><Object><Key>none</Key>"
                             "</Object></Delete>")),
              HasSubstr("<Deleted><Key>none</Key></Deleted>"));
  EXPECT_EQ(code_of(send({.target = "/parts/from"})), "NoSuchKey");
  EXPECT_EQ(send({.method = "DELETE", .target = "/parts/to"}).status, 204);
  EXPECT_EQ(send({.method = "DELETE", .target = "/parts/to"}).status, 204);
}

TEST_F(S3Test, TakesTheBucketFromTheHostName) {
  EXPECT_EQ(
      send({.method = "PUT", .target = "/k", .body = "x", .host = "parts.localhost:8080"}).status,
      200);
  EXPECT_EQ(get("/parts/k"), "x");
}

TEST_F(S3Test, PresignedUrlsWorkUntilTheyExpire) {
  put("/parts/k", "content");
  const std::string target =
      wire::presign("GET", "h", "/parts/k", {operator_key.id, operator_key.secret, ""},
                    {"us-east-1", "s3"}, clock.now(), std::chrono::seconds(60));
  const auto request = received({.target = target}, {{"Host", "h"}});
  EXPECT_EQ(text_of(s3.handle(request)), "content");
  EXPECT_EQ(code_of(s3.handle(received({.method = "DELETE", .target = target}, {{"Host", "h"}}))),
            "SignatureDoesNotMatch");
  clock.advance(std::chrono::seconds(61));
  EXPECT_EQ(code_of(s3.handle(request)), "AccessDenied");
}

TEST_F(S3Test, TakesPresignedUrlsOfVersion2ForSingleObjects) {
  put("/parts/a%20b", "content");
  const auto sign_v2 = [&](const std::string& method, const std::string& target,
                           std::chrono::seconds expires_in = std::chrono::seconds(60)) {
    const auto expires = std::chrono::floor<std::chrono::seconds>(clock.now() + expires_in);
    const std::string seconds = std::to_string(expires.time_since_epoch().count());
    const trust::Sha1 digest =
        trust::hmac_sha1(operator_key.secret, method + "\n\n\n" + seconds + "\n" + target);
    const std::string signature =
        base::to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
    return std::string("AWSAccessKeyId=") + operator_key.id + "&Expires=" + seconds +
           "&Signature=" + base::percent_encode(signature);
  };
  const auto answer = [&](const std::string& method, const std::string& target) {
    return s3.handle(received({.method = method, .target = target}, {{"Host", "h"}}));
  };
  const std::string query = sign_v2("GET", "/parts/a%20b");
  EXPECT_EQ(text_of(answer("GET", "/parts/a%20b?" + query)), "content");
  EXPECT_EQ(code_of(answer("PUT", "/parts/a%20b?" + query)), "SignatureDoesNotMatch");
  EXPECT_EQ(code_of(answer("GET", "/parts/other?" + query)), "SignatureDoesNotMatch");
  EXPECT_EQ(code_of(answer("GET", "/parts/a%20b?uploadId=1&" + query)), "SignatureDoesNotMatch");
  const auto with_header =
      received({.target = "/parts/a%20b?" + query}, {{"Host", "h"}, {"x-amz-copy-source", "/a/b"}});
  EXPECT_EQ(code_of(s3.handle(with_header)), "SignatureDoesNotMatch");
  EXPECT_EQ(code_of(answer("GET", "/parts/?" + sign_v2("GET", "/parts/"))),
            "AuthorizationHeaderMalformed");
  EXPECT_EQ(code_of(answer(
                "GET", "/parts/a%20b?" + sign_v2("GET", "/parts/a%20b", std::chrono::seconds(0)))),
            "AccessDenied");
  EXPECT_EQ(code_of(answer("GET", "/parts/a%20b?AWSAccessKeyId=a&Signature=b&Expires=x")),
            "AuthorizationHeaderMalformed");
}

TEST_F(S3Test, DevicesOnlyUploadUnderTheirOwnName) {
  const auto key = keys.create_temporary("thing/line-1", std::chrono::hours(1));
  S3Service device_s3(objects, authenticator, clock, {.audience = S3Audience::devices_only});
  const auto code = [&](const RequestForTest& request) {
    const auto signed_by_device = signed_request(request, key, clock.now());
    EXPECT_EQ(code_of(s3.handle(signed_by_device)), code_of(device_s3.handle(signed_by_device)));
    return code_of(device_s3.handle(signed_by_device));
  };
  EXPECT_EQ(code({.method = "PUT", .target = "/andon-uploads/line-1/a.jpg", .body = "x"}), "(200)");
  EXPECT_EQ(code({.method = "POST", .target = "/andon-uploads/line-1/a.jpg?uploads"}), "(200)");
  const RequestForTest refused[] = {
      {.method = "PUT", .target = "/andon-uploads/line-2/a.jpg"},
      {.method = "PUT", .target = "/andon-uploads/line-1"},
      {.method = "PUT", .target = "/andon-uploads/line-10/a.jpg"},
      {.method = "PUT", .target = "/parts/line-1/a.jpg"},
      {.method = "PUT", .target = "/andon-uploads/line-1/../x"},
      {.method = "PUT", .target = "/andon-uploads/line-1/a/%2E%2E"},
      {.method = "PUT", .target = "/andon-uploads/line-1/./x"},
      {.method = "POST", .target = "/andon-uploads/line-1/..?uploads"},
      {.method = "PUT",
       .target = "/andon-uploads/line-1/b",
       .headers = {{"x-amz-copy-source", "/parts/k"}}},
      {.target = "/andon-uploads/line-1/a.jpg"},
      {.target = "/andon-uploads?list-type=2"},
      {.method = "DELETE", .target = "/andon-uploads/line-1/a.jpg"},
      {.target = "/"}};
  for (const RequestForTest& request : refused) {
    EXPECT_EQ(code(request), "AccessDenied") << request.method << " " << request.target;
  }
  EXPECT_EQ(code_of(device_s3.handle(signed_request({.target = "/"}, operator_key, clock.now()))),
            "AccessDenied");
}

TEST_F(S3Test, ADeviceHasAQuotaThatCountsUploadsInHand) {
  const auto key = keys.create_temporary("thing/line-1", std::chrono::hours(1));
  S3Service small(objects, authenticator, clock, {.max_device_bytes = 10, .max_device_objects = 3});
  const auto as_device = [&](const RequestForTest& request) {
    return small.handle(signed_request(request, key, clock.now()));
  };
  const auto device_put = [&](const std::string& target, const std::string& body) {
    return code_of(
        as_device({.method = "PUT", .target = "/andon-uploads/line-1/" + target, .body = body}));
  };
  EXPECT_EQ(device_put("a", "12345678"), "(200)");
  EXPECT_EQ(device_put("b", "123"), "QuotaExceeded");
  EXPECT_EQ(device_put("a", "1234567890"), "(200)");  // in the place of what was there
  EXPECT_EQ(device_put("a", "12345678"), "(200)");
  const std::string id = upload_id_of(
      text_of(as_device({.method = "POST", .target = "/andon-uploads/line-1/c?uploads"})));
  EXPECT_EQ(device_put("c?partNumber=1&uploadId=" + id, "123"), "QuotaExceeded");
  EXPECT_EQ(device_put("c?partNumber=1&uploadId=" + id, "12"), "(200)");
  EXPECT_EQ(device_put("c?partNumber=1&uploadId=" + id, "21"), "(200)");
  EXPECT_EQ(device_put("d", "1"), "QuotaExceeded");
  EXPECT_EQ(device_put("d", ""), "(200)");
  EXPECT_EQ(device_put("e", ""), "QuotaExceeded");  // three: a, d and the upload
  EXPECT_EQ(code_of(as_device({.method = "POST", .target = "/andon-uploads/line-1/f?uploads"})),
            "QuotaExceeded");
  // What an operator removes is free again; other devices have their own.
  EXPECT_EQ(send({.method = "DELETE", .target = "/andon-uploads/line-1/a"}).status, 204);
  EXPECT_EQ(device_put("e", "12345678"), "(200)");
  EXPECT_EQ(code_of(put("/andon-uploads/line-2/a", "a text that is longer than ten")), "(200)");
}

TEST_F(S3Test, NobodyWritesToTheArtifactsOfComponents) {
  const std::string bucket(control::kArtifactBucket);
  objects.create_bucket(bucket);
  EXPECT_EQ(code_of(put("/" + bucket + "/k", "x")), "AccessDenied");
  EXPECT_EQ(code_of(send({.method = "DELETE", .target = "/" + bucket + "/k"})), "AccessDenied");
  EXPECT_EQ(code_of(send({.method = "POST", .target = "/" + bucket + "?delete"})), "AccessDenied");
  EXPECT_EQ(send({.target = "/" + bucket}).status, 200);
}

}  // namespace
}  // namespace andon::api
