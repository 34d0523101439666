// SPDX-License-Identifier: Apache-2.0
// The checksums of uploads: of parts, of the whole, of both types; and conditional completion.
#include <gmock/gmock.h>

#include "api/s3/format/checksum.hpp"
#include "api/testing/s3_fixture.hpp"

namespace andon::api {
namespace {

using testing::HasSubstr;

std::string checksum_of(ChecksumAlgorithm algorithm, std::string_view text) {
  Checksum checksum(algorithm);
  checksum.update(text);
  return checksum.finish();
}

class MultipartTest : public S3Test {
 protected:
  // Two parts, each sent with its checksum where `name` is one.
  struct Upload {
    std::string id;
    std::vector<std::string> etags;
    std::vector<std::string> checksums;
  };
  Upload upload(std::optional<ChecksumAlgorithm> algorithm, wire::Headers headers = {}) {
    Upload made{.id = begin_upload("/parts/big", std::move(headers))};
    for (const std::string& part : {first, last}) {
      wire::Headers with;
      if (algorithm) {
        made.checksums.push_back(checksum_of(*algorithm, part));
        with.set(std::string(header_name(*algorithm)), made.checksums.back());
      }
      const auto response = put(
          "/parts/big?partNumber=" + std::to_string(made.etags.size() + 1) + "&uploadId=" + made.id,
          part, with);
      EXPECT_EQ(response.status, 200) << text_of(response);
      made.etags.push_back(header_of(response, "ETag"));
    }
    return made;
  }
  wire::HttpResponse complete(const Upload& upload, wire::Headers headers = {},
                              const std::string& of_first = "") {
    return post("/parts/big?uploadId=" + upload.id,
                "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" +
                    upload.etags[0] + "</ETag>" + of_first +
                    "</Part><Part><PartNumber>2</PartNumber><ETag>" + upload.etags[1] +
                    "</ETag></Part></CompleteMultipartUpload>",
                std::move(headers));
  }
  std::string head(const std::string& name) {
    return header_of(send({.method = "HEAD",
                           .target = "/parts/big",
                           .headers = {{"x-amz-checksum-mode", "ENABLED"}}}),
                     name);
  }

  const std::string first = std::string(store::kMinimumPartBytes, 'x');
  const std::string last = "123456789";
  const std::string whole = first + last;
};

TEST_F(MultipartTest, AChecksumOfTheWholeIsComparedAndKept) {
  const auto algorithm = ChecksumAlgorithm::crc32;
  const std::string right = checksum_of(algorithm, whole);
  const Upload made = upload(
      algorithm, {{"x-amz-checksum-algorithm", "CRC32"}, {"x-amz-checksum-type", "FULL_OBJECT"}});
  EXPECT_EQ(code_of(complete(made, {{"x-amz-checksum-crc32", "AAAAAA=="}})), "BadDigest");
  EXPECT_EQ(code_of(complete(made, {{"x-amz-checksum-sha256", right}})), "InvalidRequest");
  EXPECT_EQ(code_of(complete(made, {{"x-amz-checksum-type", "COMPOSITE"}})), "InvalidRequest");
  EXPECT_EQ(code_of(complete(made, {{"x-amz-checksum-type", "OTHER"}})), "InvalidArgument");
  EXPECT_EQ(code_of(send({.target = "/parts/big"})), "NoSuchKey");
  const std::string answer = text_of(
      complete(made, {{"x-amz-checksum-crc32", right}, {"x-amz-checksum-type", "FULL_OBJECT"}}));
  EXPECT_THAT(answer, HasSubstr("<ChecksumCRC32>" + right + "</ChecksumCRC32>"));
  EXPECT_THAT(answer, HasSubstr("<ChecksumType>FULL_OBJECT</ChecksumType>"));
  EXPECT_EQ(head("x-amz-checksum-crc32"), right);
  EXPECT_EQ(head("x-amz-checksum-type"), "FULL_OBJECT");
  // The answer to the first request may have been lost.
  EXPECT_EQ(text_of(complete(made, {{"x-amz-checksum-crc32", right}})), answer);
}

TEST_F(MultipartTest, ACompositeChecksumIsThatOfThePartsChecksums) {
  const auto algorithm = ChecksumAlgorithm::sha256;
  const Upload made = upload(algorithm, {{"x-amz-checksum-algorithm", "SHA256"}});
  const std::string right = composite_checksum(algorithm, made.checksums);
  EXPECT_THAT(right, testing::EndsWith("-2"));
  EXPECT_THAT(get("/parts/big?uploadId=" + made.id),
              HasSubstr("<ChecksumSHA256>" + made.checksums[1] + "</ChecksumSHA256>"));
  EXPECT_EQ(code_of(complete(made, {{"x-amz-checksum-sha256", made.checksums[0]}})), "BadDigest");
  EXPECT_EQ(code_of(complete(made, {{"x-amz-checksum-sha256", right}})), "(200)");
  EXPECT_EQ(head("x-amz-checksum-sha256"), right);
  EXPECT_EQ(head("x-amz-checksum-type"), "COMPOSITE");
}

TEST_F(MultipartTest, WithoutOneAskedForTheObjectGetsTheOneThatS3Makes) {
  const Upload made = upload(std::nullopt);
  EXPECT_EQ(code_of(complete(made)), "(200)");
  EXPECT_EQ(head("x-amz-checksum-crc64nvme"), checksum_of(ChecksumAlgorithm::crc64nvme, whole));
  const Upload given = upload(std::nullopt);
  EXPECT_EQ(code_of(complete(given, {{"x-amz-checksum-crc32c", "AAAAAA=="}})), "BadDigest");
  EXPECT_EQ(code_of(complete(
                given, {{"x-amz-checksum-crc32c", checksum_of(ChecksumAlgorithm::crc32c, whole)}})),
            "(200)");
  EXPECT_EQ(head("x-amz-checksum-crc32c"), checksum_of(ChecksumAlgorithm::crc32c, whole));
}

TEST_F(MultipartTest, AChecksumOfAPartThatIsNotItsOwnIsRefused) {
  const Upload made = upload(ChecksumAlgorithm::crc32, {{"x-amz-checksum-algorithm", "CRC32"}});
  const auto with = [](const std::string& name, const std::string& value) {
    return "<" + name + ">" + value + "</" + name + ">";
  };
  EXPECT_EQ(code_of(complete(made, {}, with("ChecksumCRC32", made.checksums[1]))), "InvalidPart");
  EXPECT_EQ(code_of(complete(made, {}, with("ChecksumSHA256", "AAAA"))), "InvalidPart");
  EXPECT_EQ(code_of(complete(made, {}, with("ChecksumSHA1", "AAAA"))), "NotImplemented");
  EXPECT_EQ(code_of(complete(made, {}, with("ChecksumCRC32", made.checksums[0]))), "(200)");
}

TEST_F(MultipartTest, APartBringsTheChecksumThatTheUploadWasBegunWith) {
  const std::string id = begin_upload("/parts/big", {{"x-amz-checksum-algorithm", "CRC32C"}});
  const std::string target = "/parts/big?partNumber=1&uploadId=" + id;
  EXPECT_EQ(code_of(put(target, "123456789", {{"x-amz-checksum-crc32", "y/Q5Jg=="}})),
            "InvalidRequest");
  EXPECT_EQ(code_of(put(target, "123456789", {{"x-amz-checksum-crc32c", "AAAAAA=="}})),
            "BadDigest");
  // Where the client sends none, it is made here.
  EXPECT_EQ(header_of(put(target, "123456789"), "x-amz-checksum-crc32c"), "4waSgw==");
  EXPECT_EQ(code_of(put(target, "x", {{"x-amz-sdk-checksum-algorithm", "CRC32C"}})),
            "InvalidRequest");
  EXPECT_EQ(code_of(put(target, "x", {{"x-amz-sdk-checksum-algorithm", "MD5"}})), "NotImplemented");
}

TEST_F(MultipartTest, NotEveryAlgorithmHasEveryType) {
  const auto begin = [&](const char* algorithm, const char* type) {
    wire::Headers headers{{"x-amz-checksum-type", type}};
    if (*algorithm != '\0') headers.set("x-amz-checksum-algorithm", algorithm);
    return code_of(post("/parts/big?uploads", "", headers));
  };
  EXPECT_EQ(begin("CRC32", "COMPOSITE"), "(200)");
  EXPECT_EQ(begin("CRC32C", "FULL_OBJECT"), "(200)");
  EXPECT_EQ(begin("CRC64NVME", "FULL_OBJECT"), "(200)");
  EXPECT_EQ(begin("CRC64NVME", "COMPOSITE"), "InvalidRequest");
  EXPECT_EQ(begin("SHA256", "FULL_OBJECT"), "InvalidRequest");
  EXPECT_EQ(begin("", "FULL_OBJECT"), "InvalidRequest");
  EXPECT_EQ(begin("SHA1", "COMPOSITE"), "NotImplemented");
  EXPECT_EQ(begin("CRC32", "SOME"), "InvalidArgument");
}

TEST_F(MultipartTest, CompletesOnlyUnderTheConditionsOfTheRequest) {
  const std::string etag = header_of(put("/parts/big", "old"), "ETag");
  const Upload made = upload(std::nullopt);
  EXPECT_EQ(code_of(complete(made, {{"If-None-Match", "*"}})), "PreconditionFailed");
  EXPECT_EQ(code_of(complete(made, {{"If-Match", "\"other\""}})), "PreconditionFailed");
  EXPECT_EQ(code_of(complete(made, {{"x-amz-mp-object-size", "3"}})), "InvalidRequest");
  EXPECT_EQ(code_of(complete(made, {{"x-amz-server-side-encryption-customer-key", "a"}})),
            "NotImplemented");
  EXPECT_EQ(get("/parts/big"), "old");
  EXPECT_EQ(code_of(complete(made, {{"If-Match", etag},
                                    {"x-amz-mp-object-size", std::to_string(whole.size())}})),
            "(200)");
  EXPECT_EQ(get("/parts/big"), whole);
}

TEST_F(MultipartTest, AnUploadIsAbortedOnlyIfItIsTheOneThatIsMeant) {
  const std::string id = begin_upload("/parts/big");
  const auto abort = [&](const std::string& time) {
    return code_of(send({.method = "DELETE",
                         .target = "/parts/big?uploadId=" + id,
                         .headers = {{"x-amz-if-match-initiated-time", time}}}));
  };
  EXPECT_EQ(abort("Sun, 22 Nov 2020 10:00:00 GMT"), "PreconditionFailed");
  EXPECT_EQ(abort("then"), "InvalidArgument");
  EXPECT_EQ(abort(base::to_http_date(clock.now())), "(204)");
}

}  // namespace
}  // namespace andon::api
