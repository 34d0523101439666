// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/checksum.hpp"

#include <gtest/gtest.h>

#include "base/text/encoding.hpp"

namespace andon::api {
namespace {

std::string hex_of(ChecksumAlgorithm algorithm, const std::vector<std::string>& pieces) {
  Checksum checksum(algorithm);
  for (const std::string& piece : pieces) checksum.update(piece);
  return base::to_hex(base::as_bytes(*base::from_base64(checksum.finish())));
}

// The check values of the CRC catalogue: the digits 1 to 9.
TEST(Checksum, HasTheValuesOfTheCatalogue) {
  const struct {
    ChecksumAlgorithm algorithm;
    const char* expected;
  } rows[] = {
      {ChecksumAlgorithm::crc32, "cbf43926"},
      {ChecksumAlgorithm::crc32c, "e3069283"},
      {ChecksumAlgorithm::crc64nvme, "ae8b14860a799888"},
      {ChecksumAlgorithm::sha256,
       "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(hex_of(row.algorithm, {"123456789"}), row.expected);
    EXPECT_EQ(hex_of(row.algorithm, {"1", "", "23456789"}), row.expected);
    EXPECT_EQ(parse_checksum_header(header_name(row.algorithm)), row.algorithm);
  }
  EXPECT_EQ(parse_checksum_header("x-amz-checksum-md4"), std::nullopt);
}

}  // namespace
}  // namespace andon::api
