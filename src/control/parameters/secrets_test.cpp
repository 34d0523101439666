// SPDX-License-Identifier: Apache-2.0
#include "control/parameters/secrets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::ErrorCode;
using std::chrono::days;
using std::chrono::hours;
using testing::HasSubstr;
using testing::Not;

class SecretsTest : public testing::Test, public ControlFixture {
 protected:
  SecretChange create(const std::string& name, const std::string& value, const char* token = "t1") {
    return secrets_.create(
        {.name = name, .description = {}, .value = SecretValue{value}, .token = token, .tags = {}});
  }
  template <typename Call>
  static std::optional<ErrorCode> refused(const Call& call) {
    try {
      call();
    } catch (const base::Error& error) {
      return error.code();
    }
    return std::nullopt;
  }

  trust::SealingKey key_{trust::SealingKey::make()};
  Secrets secrets_{database(), key_, clock(), Arns()};
};

TEST_F(SecretsTest, AValueLiesSealedAndIsBoundToItsSecretAndVersion) {
  create("a", "geheim");
  create("b", "auch geheim");
  database().read([](store::Transaction& tx) {
    for (const auto& row : tx.query("SELECT sealed FROM secret_versions")) {
      EXPECT_THAT(row.blob(0), Not(HasSubstr("geheim")));
    }
  });
  database().write([](store::Transaction& tx) {
    tx.execute(
        "UPDATE secret_versions SET sealed = (SELECT sealed FROM secret_versions WHERE secret_id = "
        "1)");
  });
  EXPECT_EQ(secrets_.get("a", {}, {}).value.bytes, "geheim");
  EXPECT_EQ(refused([&] { (void)secrets_.get("b", {}, {}); }), ErrorCode::data_corrupted);
}

TEST_F(SecretsTest, AWindowThatIsOverPurgesAndOneThatIsNotCanBeRestored) {
  const std::string arn = create("a", "v").arn;
  create("b", "v");
  EXPECT_EQ(secrets_.remove("a", days(7)).when, clock().now() + days(7));
  clock().advance(days(7) - hours(1));
  EXPECT_EQ(secrets_.purge(500), 0);
  secrets_.restore("a");
  clock().advance(days(100));
  EXPECT_EQ(secrets_.purge(500), 0);
  EXPECT_EQ(secrets_.get("a", {}, {}).value.bytes, "v");
  secrets_.tag("a", {{"k", "v"}});
  (void)secrets_.remove("a", days(7));
  clock().advance(days(7));
  EXPECT_EQ(secrets_.purge(500), 1);
  EXPECT_EQ(refused([&] { (void)secrets_.describe(arn); }), ErrorCode::not_found);
  database().read([&](store::Transaction& tx) {
    EXPECT_EQ(tx.query_one("SELECT count(*) FROM secret_versions")->integer(0), 1);
    EXPECT_EQ(tx.query_one("SELECT count(*) FROM secret_stages")->integer(0), 1);
    EXPECT_EQ(tx.query_one("SELECT count(*) FROM tags WHERE arn = $1", {arn})->integer(0), 0);
  });
  EXPECT_EQ(secrets_.count(), 1);
}

TEST_F(SecretsTest, AReadIsNotedOnceADay) {
  create("a", "v");
  EXPECT_FALSE(secrets_.describe("a").accessed);
  (void)secrets_.get("a", {}, {});
  const auto first = secrets_.describe("a").accessed;
  ASSERT_TRUE(first);
  EXPECT_EQ(base::to_epoch_millis(*first) % 86'400'000, 0);
  clock().advance(days(1));
  (void)secrets_.get("a", {}, {});
  EXPECT_EQ(secrets_.describe("a").accessed, *first + days(1));
}

TEST_F(SecretsTest, AnArnOfOneThatWasReplacedFindsNotTheNewOne) {
  const std::string old = create("a", "v").arn;
  (void)secrets_.remove_now("a");
  const std::string arn = create("a", "w").arn;
  EXPECT_NE(old, arn);
  EXPECT_EQ(secrets_.arn_of("a"), arn);
  EXPECT_EQ(secrets_.arn_of(arn.substr(0, arn.size() - 7)), arn);
  EXPECT_FALSE(secrets_.arn_of(old));
  // A name may end like an ARN does.
  const std::string longer = create("a-AbCdEf", "x").arn;
  EXPECT_EQ(secrets_.arn_of("arn:aws:secretsmanager:r:1:secret:a-AbCdEf"), longer);
}

TEST_F(SecretsTest, StagesHaveAMost) {
  create("a", "v");
  for (std::size_t i = 1; i < Secrets::kMostStages; ++i) {
    secrets_.move_stage("a", "s" + std::to_string(i), {}, "t1");
  }
  EXPECT_EQ(refused([&] { secrets_.move_stage("a", "more", {}, "t1"); }),
            ErrorCode::resource_exhausted);
}

}  // namespace
}  // namespace andon::control
