// SPDX-License-Identifier: Apache-2.0
// Expected signatures are those of the examples in AWS's documentation of chunked uploads.
#include "wire/aws/aws_chunked.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::wire {
namespace {

using base::ErrorCode;
using testing::EndsWith;
using testing::HasSubstr;

const Credentials kCredentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                               ""};
const SigningScope kScope{"us-east-1", "s3"};
const std::string kFirst(65536, 'a');
const std::string kSecond(1024, 'a');

ChunkSigning signing(const std::string& seed) {
  return {derive_signing_key(kCredentials.secret_access_key, "20130524", kScope),
          "20130524T000000Z", "20130524/us-east-1/s3/aws4_request", seed};
}

std::string chunk(const std::string& data, const std::string& signature) {
  char size[17];
  (void)snprintf(size, sizeof(size), "%zx", data.size());
  return std::string(size) + ";chunk-signature=" + signature + "\r\n" + data +
         (data.empty() ? "" : "\r\n");
}

const std::string kSeed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
const std::string kSignedBody =
    chunk(kFirst, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648") +
    chunk(kSecond, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497") +
    chunk("", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9") + "\r\n";

const std::string kTrailerSeed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
const std::string kTrailerBody =
    chunk(kFirst, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2") +
    chunk(kSecond, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7") +
    chunk("", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992") +
    "x-amz-checksum-crc32c:sOO8/Q==\r\n"
    "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n"
    "\r\n";

struct Decoded {
  std::string bytes;
  Headers trailer;
};

Decoded decode(AwsChunkedDecoder decoder, std::string_view body, std::size_t piece = 1 << 20) {
  Decoded decoded;
  while (!body.empty()) {
    const std::string_view part = body.substr(0, piece);
    decoder.feed(part, [&](std::string_view bytes) { decoded.bytes.append(bytes); });
    body.remove_prefix(part.size());
  }
  decoded.trailer = decoder.finish();
  return decoded;
}

AwsChunkedDecoder signed_chunks() {
  return {AwsChunkedForm::signed_chunks, 66560, signing(kSeed)};
}
AwsChunkedDecoder signed_trailer() {
  return {AwsChunkedForm::signed_trailer, 66560, signing(kTrailerSeed)};
}
AwsChunkedDecoder unsigned_trailer(std::uint64_t size) {
  return {AwsChunkedForm::unsigned_trailer, size, {}};
}

TEST(AwsChunked, TheSeedSignaturesAreThoseOfTheDocumentation) {
  const Headers plain{{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                      {"Content-Encoding", "aws-chunked"},
                      {"x-amz-decoded-content-length", "66560"},
                      {"Content-Length", "66824"}};
  const base::Timestamp now = base::parse_iso8601("20130524T000000Z").value();
  EXPECT_THAT(std::string(sign({"PUT", "s3.amazonaws.com", "/examplebucket/chunkObject.txt", plain,
                                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
                               kCredentials, kScope, now)
                              .find("Authorization")
                              .value()),
              EndsWith(kSeed));
}

TEST(AwsChunked, DecodesTheExampleOfTheDocumentation) {
  for (const std::size_t piece : {std::size_t{1} << 20U, std::size_t{1000}, std::size_t{1}}) {
    EXPECT_EQ(decode(signed_chunks(), kSignedBody, piece).bytes, kFirst + kSecond);
  }
}

TEST(AwsChunked, DecodesTheExampleWithSignedTrailingHeaders) {
  for (const std::size_t piece : {std::size_t{1} << 20U, std::size_t{7}}) {
    const Decoded decoded = decode(signed_trailer(), kTrailerBody, piece);
    EXPECT_EQ(decoded.bytes, kFirst + kSecond);
    EXPECT_EQ(decoded.trailer.find("X-Amz-Checksum-Crc32c"), "sOO8/Q==");
    EXPECT_FALSE(decoded.trailer.find("x-amz-trailer-signature"));
  }
}

TEST(AwsChunked, DecodesUnsignedBodiesAsBotocoreSendsThem) {
  const Decoded decoded =
      decode(unsigned_trailer(5), "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
  EXPECT_EQ(decoded.bytes, "hello");
  EXPECT_EQ(decoded.trailer.find("x-amz-checksum-crc32"), "NhCmhg==");
  EXPECT_EQ(decode(unsigned_trailer(0), "0\r\n\r\n").bytes, "");
}

TEST(AwsChunked, TakesSignaturesOnFromTheRequest) {
  HttpRequest request;
  request.method = "PUT";
  request.target = request.path = "/b/k";
  request.headers = sign({"PUT", "h", "/b/k", {}, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
                         kCredentials, kScope, base::parse_iso8601("20130524T000000Z").value());
  const SignatureClaim claim = read_claim(request).value();
  const ChunkSigning from_claim = chunk_signing(claim, kCredentials.secret_access_key);
  EXPECT_EQ(from_claim.key, signing("").key);
  EXPECT_EQ(from_claim.scope, signing("").scope);
  EXPECT_EQ(from_claim.amz_date, signing("").amz_date);
  EXPECT_EQ(from_claim.seed_signature, claim.signature);
  EXPECT_EQ(aws_chunked_form(claim.payload_sha256), AwsChunkedForm::signed_chunks);
}

TEST(AwsChunked, EveryChangedByteBreaksASignature) {
  for (const std::size_t at : {std::size_t{100}, kSignedBody.size() / 2, kFirst.size() + 200}) {
    std::string changed = kSignedBody;
    changed[at] = changed[at] == 'b' ? 'c' : 'b';
    EXPECT_THROW((void)decode(signed_chunks(), changed), base::Error) << at;
  }
  std::string changed = kTrailerBody;
  changed.replace(changed.find("sOO8"), 4, "tOO8");
  try {
    (void)decode(signed_trailer(), changed);
    FAIL() << "no error";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unauthenticated);
  }
  // Chunks in another order, and a last chunk that was cut off.
  EXPECT_THROW((void)decode(signed_chunks(), kSignedBody.substr(kFirst.size() + 90)), base::Error);
}

TEST(AwsChunked, SaysWhatIsWrongWithAMalformedBody) {
  struct Row {
    std::string body;
    std::uint64_t size;
    std::string problem;
  };
  const Row table[] = {
      {"", 0, "ends before its last chunk"},
      {"5\r\nhel", 5, "ends before its last chunk"},
      {"5\r\nhello\r\n", 5, "ends before its last chunk"},
      {"0\r\n", 0, "ends before its last chunk"},
      {"x\r\n", 5, "hex number"},
      {"\r\n", 5, "hex number"},
      {"-1\r\n", 5, "hex number"},
      {"ffffffffffffffffff\r\n", 5, "hex number"},
      {"ffffffffffffffff\r\n", 5, "more than the 5 bytes"},
      {"3\r\nabc\r\n3\r\n", 5, "more than the 5 bytes"},
      {"5\r\nhelloworld\r\n0\r\n\r\n", 5, "longer than its size"},
      {"3\r\nabc\r\n0\r\n\r\n", 5, "it has 3 bytes"},
      {"0\r\n\r\nmore", 0, "bytes follow its end"},
      {"0\r\nno colon\r\n\r\n", 0, "has no name"},
      {std::string(5000, '0'), 5, "header is too long"},
      {"0\r\n" + std::string(20'000, 'x'), 0, "trailing header is too long"},
  };
  for (const Row& row : table) {
    for (const std::size_t piece : {std::size_t{1} << 20U, std::size_t{1}}) {
      try {
        (void)decode(unsigned_trailer(row.size), row.body, piece);
        ADD_FAILURE() << "no error: " << row.problem;
      } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        EXPECT_THAT(error.message(), HasSubstr(row.problem));
      }
    }
  }
  EXPECT_THROW((void)decode(signed_chunks(), "5\r\nhello\r\n"), base::Error);
}

TEST(AwsChunked, KnowsItsForms) {
  EXPECT_FALSE(aws_chunked_form("UNSIGNED-PAYLOAD"));
  EXPECT_EQ(aws_chunked_form("STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            AwsChunkedForm::unsigned_trailer);
  EXPECT_THROW((void)aws_chunked_form("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), base::Error);
}

TEST(AwsChunked, DecodesABodyFromItsSpool) {
  AwsChunkedDecoder decoder = unsigned_trailer(3);
  std::string bytes;
  (void)decode_body(Body("3\r\nabc\r\n0\r\n\r\n"), decoder,
                    [&](std::string_view part) { bytes.append(part); });
  EXPECT_EQ(bytes, "abc");
}

}  // namespace
}  // namespace andon::wire
