// SPDX-License-Identifier: Apache-2.0
#include "control/identity/access_keys.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"

namespace andon::control {
namespace {

class AccessKeysTest : public testing::Test {
 protected:
  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "andon.db");
  AccessKeys keys{*database, clock};
};

TEST_F(AccessKeysTest, FindsTheKeysThatItMade) {
  const AccessKey made = keys.create("operator");
  EXPECT_EQ(made.id.size(), 20U);
  EXPECT_TRUE(made.id.starts_with("AKIA"));
  EXPECT_EQ(made.secret.size(), 40U);
  const auto found = keys.find(made.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->secret, made.secret);
  EXPECT_EQ(found->principal, "operator");
  EXPECT_EQ(found->expires, std::nullopt);
  EXPECT_FALSE(keys.find("AKIAAAAAAAAAAAAAAAAA"));
}

TEST_F(AccessKeysTest, KeepsDisabledKeysAndSaysSo) {
  const AccessKey made = keys.create("operator");
  keys.disable(made.id);
  EXPECT_TRUE(keys.find(made.id)->is_disabled);
  EXPECT_THROW(keys.disable("none"), base::Error);
}

TEST_F(AccessKeysTest, TemporaryCredentialsHaveATokenAndAnEndAndAreForgottenADayAfterIt) {
  const AccessKey lasting = keys.create("operator");
  const AccessKey made = keys.create_temporary("thing/line-1", std::chrono::hours(1));
  EXPECT_TRUE(made.id.starts_with("ASIA"));
  EXPECT_EQ(keys.find(made.id)->session_token, made.session_token);
  EXPECT_EQ(keys.find(made.id)->expires, clock.now() + std::chrono::hours(1));
  EXPECT_EQ(keys.list().size(), 1U);
  clock.advance(std::chrono::hours(24));
  (void)keys.remove_expired(100);
  EXPECT_TRUE(keys.find(made.id));
  clock.advance(std::chrono::hours(2));
  (void)keys.remove_expired(100);
  EXPECT_FALSE(keys.find(made.id));
  EXPECT_TRUE(keys.find(lasting.id));
  EXPECT_THROW((void)keys.create_temporary("thing/x", std::chrono::seconds(59)), base::Error);
  EXPECT_THROW((void)keys.create_temporary("thing/x", std::chrono::hours(13)), base::Error);
}

}  // namespace
}  // namespace andon::control
