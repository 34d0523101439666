// SPDX-License-Identifier: Apache-2.0
#include "trust/digests/crc.hpp"

#include <gtest/gtest.h>

#include <string>

namespace andon::trust {
namespace {

// The check values of the catalogue of parametrised CRC algorithms: of "123456789".
TEST(Crc, HasTheCheckValuesOfTheCatalogue) {
  EXPECT_EQ(crc32("123456789"), 0xcbf43926U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  Crc crc = Crc::crc64_nvme();
  crc.update("123456789");
  EXPECT_EQ(crc.value(), 0xae8b14860a799888U);
}

TEST(Crc, IsTheSameHoweverTheBytesAreDivided) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += static_cast<char>(i * 37);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Crc crc = Crc::crc32c();
    crc.update(std::string_view(bytes).substr(0, cut));
    crc.update(std::string_view(bytes).substr(cut));
    EXPECT_EQ(crc.value(), crc32c(bytes)) << cut;
  }
}

}  // namespace
}  // namespace andon::trust
