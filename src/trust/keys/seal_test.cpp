// SPDX-License-Identifier: Apache-2.0
#include "trust/keys/seal.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::trust {
namespace {

TEST(SealTest, ASecretOpensWithItsKeyAndContextOnly) {
  const SealingKey key(SealingKey::make());
  for (const std::string& secret :
       {std::string(), std::string("pa\0ss", 5), std::string(5000, 'x')}) {
    const std::string sealed = key.seal(secret, "connection/a");
    EXPECT_EQ(key.open(sealed, "connection/a"), secret);
    if (!secret.empty()) {
      EXPECT_EQ(sealed.find(secret), std::string::npos);
    }
    EXPECT_NE(key.seal(secret, "connection/a"), sealed);  // another nonce
    EXPECT_THROW((void)key.open(sealed, "connection/b"), base::Error);
    EXPECT_THROW((void)SealingKey(SealingKey::make()).open(sealed, "connection/a"), base::Error);
  }
}

TEST(SealTest, OneChangedByteIsNoticed) {
  const SealingKey key(SealingKey::make());
  const std::string sealed = key.seal("secret", "c");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_THROW((void)key.open(changed, "c"), base::Error) << i;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_THROW((void)key.open(sealed.substr(0, size), "c"), base::Error) << size;
  }
  EXPECT_THROW(SealingKey("short"), base::Error);
}

}  // namespace
}  // namespace andon::trust
