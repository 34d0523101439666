// SPDX-License-Identifier: Apache-2.0
#include "control/housekeeping/housekeeping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using std::chrono::days;
using std::chrono::hours;

class HousekeepingTest : public testing::Test, public ControlFixture {
 protected:
  HousekeepingTest() {
    add_component("com.ex.Hello", "1.0.0");
    control().things.create("dev1", {});
  }

  std::int64_t rows(const std::string& table) {
    std::int64_t count = 0;
    database().read([&](store::Transaction& tx) {
      count = tx.query_one("SELECT COUNT(*) FROM " + table)->integer(0);
    });
    return count;
  }

  AccessKeys access_keys_{database(), clock()};
  base::TemporaryDirectory logs_directory_;
  std::unique_ptr<store::Database> logs_database_ =
      store::open_sqlite(logs_directory_.path() / "logs.db");
  Logs logs_{*logs_database_, clock(), {}};
  std::unique_ptr<store::Database> results_database_ =
      store::open_sqlite(logs_directory_.path() / "results.db");
  Results results_{*results_database_, clock(), {}};
  trust::SealingKey sealing_key_{trust::SealingKey::make()};
  Secrets secrets_{database(), sealing_key_, clock(), Arns()};
  Iam iam_{database(), access_keys_, clock(), "000000000000"};
  Passwords passwords_{database(), clock()};
  Sessions sessions_{database(), iam_, passwords_, clock()};
  Housekeeping housekeeping_{
      {database(), control().deployments, control().access, control().enrolment,
       control().provisioner, control().iot_jobs, access_keys_, objects(), logs_, results_,
       secrets_, sessions_, control().telemetry},
      clock(),
      Retention()};
};

TEST_F(HousekeepingTest, ADeploymentIsForgottenNinetyDaysAfterANewerOneTookItsPlace) {
  const Deployment old = control().deployments.create(
      {{"targetArn", Arns().thing("dev1")},
       {"tags", {{"line", "1"}}},
       {"components", {{"com.ex.Hello", {{"componentVersion", "1.0.0"}}}}}});
  clock().advance(days(365));  // it was the current one for a year
  const Deployment current = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  clock().advance(days(89));
  housekeeping_.run();
  EXPECT_TRUE(control().deployments.find(old.id));
  clock().advance(days(2));
  housekeeping_.run();
  EXPECT_FALSE(control().deployments.find(old.id));
  EXPECT_FALSE(control().jobs.find("dev1", old.id));
  EXPECT_TRUE(control().tags.of(Arns().deployment(old.id)).empty());
  clock().advance(days(1000));
  housekeeping_.run();
  EXPECT_TRUE(control().deployments.find(current.id)->is_latest);
  EXPECT_EQ(control().jobs.find("dev1", current.id)->status, JobStatus::queued);
  EXPECT_EQ(deploy("thing/dev1", "com.ex.Hello", "1.0.0").revision, 3);
}

TEST_F(HousekeepingTest, WhatWasCanceledStaysWhileNothingElseSaysWhatBecameOfTheTarget) {
  const Deployment canceled = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  control().deployments.cancel(canceled.id);
  clock().advance(days(1000));
  housekeeping_.run();
  EXPECT_EQ(control().deployments.find(canceled.id)->status, DeploymentStatus::canceled);
  (void)deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  housekeeping_.run();
  EXPECT_FALSE(control().deployments.find(canceled.id));
}

TEST_F(HousekeepingTest, TheJobsOfManyDevicesGoInStepsAndNoneIsLeft) {
  constexpr std::int64_t kMany = 2 * Housekeeping::kStep + 10;
  control().things.create_group("G", "", "", {});
  database().write([](store::Transaction& tx) {
    for (std::int64_t i = 0; i < kMany; ++i) {
      const std::string name = "many" + std::to_string(i);
      tx.execute(
          "INSERT INTO things (name, id, type_name, attributes, version, created_ms) "
          "VALUES ($1, $1, '', '{}', 1, 0)",
          {name});
      tx.execute("INSERT INTO thing_group_members (group_name, thing) VALUES ('G', $1)", {name});
    }
  });
  (void)deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  (void)deploy("thinggroup/G", "com.ex.Hello", "1.0.0");
  EXPECT_EQ(rows("job_executions"), 2 * kMany);
  clock().advance(days(91));
  EXPECT_EQ(control().deployments.remove_history(clock().now() - days(90), Housekeeping::kStep),
            Housekeeping::kStep);
  EXPECT_EQ(rows("job_executions"), 2 * kMany - Housekeeping::kStep);
  housekeeping_.run();
  EXPECT_EQ(rows("job_executions"), kMany);
  EXPECT_EQ(rows("deployments"), 1);
}

TEST_F(HousekeepingTest, SecretsGoWhenTheirWindowIsOver) {
  for (int i = 0; i < 50; ++i) {
    const std::string name = "s" + std::to_string(i);
    (void)secrets_.create(
        {.name = name, .description = {}, .value = SecretValue{"v"}, .token = "t", .tags = {}});
    (void)secrets_.remove(name, days(i < 45 ? 7 : 30));
  }
  clock().advance(days(7) - hours(1));
  housekeeping_.run();
  EXPECT_EQ(rows("secrets"), 50);
  clock().advance(hours(1));
  housekeeping_.run();
  EXPECT_EQ(rows("secrets"), 5);
  EXPECT_EQ(rows("secret_versions"), 5);
}

TEST_F(HousekeepingTest, TokensAndTemporaryKeysGoWhenTheirTimeIsOver) {
  const json::object request{{"targetArn", Arns().thing("dev1")}, {"clientToken", "once"}};
  const Deployment first = control().deployments.create(request);
  (void)control().enrolment.issue_token("dev1", hours(1));
  const AccessKey temporary = access_keys_.create_temporary("thing/dev1", hours(1));
  const AccessKey lasting = access_keys_.create("operator");
  clock().advance(hours(7));
  housekeeping_.run();
  EXPECT_EQ(rows("request_tokens"), 1);
  EXPECT_EQ(rows("enrolment_tokens"), 0);
  EXPECT_TRUE(access_keys_.find(temporary.id));
  EXPECT_EQ(control().deployments.create(request).id, first.id);
  clock().advance(hours(2));
  EXPECT_NE(control().deployments.create(request).id, first.id);  // its eight hours are over
  clock().advance(hours(20));
  housekeeping_.run();
  EXPECT_EQ(rows("request_tokens"), 0);
  EXPECT_FALSE(access_keys_.find(temporary.id));
  EXPECT_TRUE(access_keys_.find(lasting.id));
}

TEST_F(HousekeepingTest, AnUploadThatNobodyCompletesGoesWithItsParts) {
  objects().create_bucket("parts");
  const std::string upload = objects().create_upload("parts", "big", {});
  bool is_read = false;
  const auto content = [&is_read](char* buffer, std::size_t) -> std::size_t {
    if (std::exchange(is_read, true)) return 0;
    return std::string("part").copy(buffer, 4);
  };
  const store::UploadedPart part = objects().put_part(upload, 1, content, {});
  EXPECT_EQ(part.size, 4U);
  clock().advance(days(8));
  housekeeping_.run();
  EXPECT_FALSE(objects().find_upload(upload));
  EXPECT_EQ(rows("object_upload_part"), 0);
}

TEST_F(HousekeepingTest, AGrantGoesWithTheComponentVersionThatItWasFor) {
  add_component("com.ex.Hello", "1.1.0");
  control().access.grant("dev1", "com.ex.Hello", "1.0.0");
  control().access.grant("dev1", "com.ex.Hello", "1.1.0");
  control().components.remove("com.ex.Hello", "1.0.0");
  housekeeping_.run();
  EXPECT_FALSE(control().access.may_fetch("dev1", "com.ex.Hello", "1.0.0"));
  EXPECT_TRUE(control().access.may_fetch("dev1", "com.ex.Hello", "1.1.0"));
}

TEST_F(HousekeepingTest, AResultIsForgottenNinetyDaysAfterItCame) {
  // Whatever its own time says.
  results_.put({{.thing = "dev1", .time = clock().now() + days(9999), .image = "a.jpg"},
                {.thing = "dev1", .time = {}, .image = "b.jpg"}});
  clock().advance(days(89));
  housekeeping_.run();
  EXPECT_EQ(results_.totals().results, 2);
  clock().advance(days(2));
  housekeeping_.run();
  EXPECT_EQ(results_.totals().results, 0);
  EXPECT_EQ(results_.totals().bytes, 0);
}

TEST_F(HousekeepingTest, TheOutboxKeepsOnlyWhatIsUnreadAndYoung) {
  (void)deploy("thing/dev1", "com.ex.Hello", "1.0.0");  // told at once
  housekeeping_.run();
  EXPECT_EQ(rows("outbox"), 0);
  serve_nobody();
  (void)deploy("thing/dev1", "com.ex.Hello", "1.0.0");
  clock().advance(days(6));
  housekeeping_.run();
  EXPECT_GT(rows("outbox"), 0);
  clock().advance(days(2));
  housekeeping_.run();
  EXPECT_EQ(rows("outbox"), 0);
}

}  // namespace
}  // namespace andon::control
