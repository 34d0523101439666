// SPDX-License-Identifier: Apache-2.0
#include "trust/digests/digest.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::trust {
namespace {

TEST(Digest, Sha256MatchesTheStandardsExamples) {
  // FIPS 180-2, appendix B.
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, BytesInPiecesGiveTheDigestOfTheWhole) {
  Sha256Stream sha256_stream;
  Md5Stream md5_stream;
  for (const char* piece : {"message", "", " digest"}) {
    sha256_stream.update(piece);
    md5_stream.update(piece);
  }
  Sha256Stream moved = std::move(sha256_stream);
  EXPECT_EQ(base::to_hex(moved.finish()), sha256_hex("message digest"));
  // RFC 1321, appendix A.5.
  EXPECT_EQ(base::to_hex(md5_stream.finish()), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(Digest, HmacMatchesRfc4231) {
  // Test cases 2 and 6 (a key longer than a block).
  EXPECT_EQ(base::to_hex(hmac_sha1("Jefe", "what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");  // RFC 2202
  EXPECT_EQ(base::to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(base::to_hex(hmac_sha256(std::string(131, '\xaa'),
                                     "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Digest, OfAFileIsThatOfItsBytesAndAMissingFileIsNamed) {
  const base::TemporaryDirectory directory;
  const base::fs::path path = directory.path() / "blob";
  const std::string content(1U << 20U, 'x');
  base::write_file_atomically(path, content);
  EXPECT_EQ(sha256_hex_of_file(path), sha256_hex(content));
  try {
    (void)sha256_hex_of_file(directory.path() / "absent");
    FAIL() << "no error for a missing file";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::not_found);
    EXPECT_NE(error.message().find("absent"), std::string::npos);
  }
}

TEST(Digest, ComparesTextsOfAnyLength) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abcd"));
}

}  // namespace
}  // namespace andon::trust
