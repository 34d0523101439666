// SPDX-License-Identifier: Apache-2.0
// Groups, records and their export without a server; queries against the real database.
#include "features/features.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "features/groups/schema.hpp"

namespace andon::features {
namespace {

using base::Error;
using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class FeaturesTest : public testing::Test {
 protected:
  void SetUp() override { start(); }

  void start(RecordLimits limits = {}) {
    features_.reset();
    features_ = std::make_unique<Features>(Features::Parts{
        .database = *database_,
        .path = path_,
        .objects = *objects_,
        .clock = clock_,
        .arns = fleet::Arns(),
        .limits = limits,
        .exports = {.after = std::chrono::milliseconds(0), .rows = 3},
        .queries = {.directory = directory_.path() / "queries"},
        .check_write = [this](const std::string&, const std::string& bucket, const std::string&) {
          if (bucket != "lake" || refuses_writes_) {
            throw Error(ErrorCode::permission_denied, "the role may not");
          }
        }});
  }

  static GroupRequest request(const std::string& name) {
    return {.name = name,
            .record_identifier = "Part",
            .event_time = "at",
            .features = {{.name = "Part"},
                         {.name = "at", .type = FeatureType::fractional},
                         {.name = "count", .type = FeatureType::integral},
                         {.name = "note"}},
            .is_online = true,
            .is_offline = true,
            .s3_uri = "s3://lake/fs/",
            .role_arn = "arn:aws:iam::000000000000:role/fs"};
  }
  FeatureGroup made(GroupRequest wanted) {
    const std::string name = wanted.name;
    (void)groups().create(std::move(wanted));
    carry_on();
    return groups().get(name);
  }
  void carry_on() {
    while (groups().carry_on([](const FeatureGroup&) { return std::optional<std::string>(); })) {
    }
  }
  void put(const std::string& group, const std::string& part, const std::string& at,
           const FeatureValues& more = {}) {
    FeatureValues values{{"Part", part}, {"at", at}};
    values.insert(values.end(), more.begin(), more.end());
    features_->records.put(group, values, {}, std::nullopt);
  }
  FeatureValues get(const std::string& group, const std::string& part,
                    const std::vector<std::string>& names = {}) {
    const auto record = features_->records.get(groups().get(group), part, names);
    return record ? record->values : FeatureValues{};
  }
  std::string error_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return std::string(base::to_string(error.code())) + ": " + error.message();
    }
    return "taken";
  }
  std::int64_t rows_of(const FeatureGroup& group) {
    return database_->read([&](store::Transaction& tx) {
      return tx.query_one("SELECT count(*) FROM " + offline_table(group.offline_id))->integer(0);
    });
  }
  Groups& groups() { return features_->groups; }

  bool refuses_writes_ = false;
  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  base::TemporaryDirectory directory_;
  base::fs::path path_ = directory_.path() / "features.db";
  std::unique_ptr<store::Database> database_ = store::open_sqlite(path_);
  std::unique_ptr<store::Database> index_ = store::open_sqlite(directory_.path() / "objects.db");
  std::unique_ptr<store::ObjectStore> objects_ = [this] {
    auto store =
        std::make_unique<store::ObjectStore>(*index_, directory_.path() / "objects", clock_);
    store->create_bucket("lake");
    return store;
  }();
  std::unique_ptr<Features> features_;
};

TEST_F(FeaturesTest, AGroupIsCreatingUntilItsTablesAreThere) {
  EXPECT_EQ(groups().create(request("parts")).status, GroupStatus::creating);
  EXPECT_THAT(error_of([&] { put("parts", "a", "1"); }), HasSubstr("is Creating"));
  EXPECT_THAT(error_of([&] { groups().remove("parts"); }), HasSubstr("is Creating"));
  carry_on();
  const FeatureGroup group = groups().get("parts");
  EXPECT_EQ(group.status, GroupStatus::created);
  EXPECT_EQ(group.request.table, "parts_1795343912");
  EXPECT_EQ(group.request.database, "sagemaker_featurestore");
  EXPECT_EQ(group.resolved_uri,
            "s3://lake/fs/000000000000/sagemaker/us-east-1/offline-store/parts-1795343912/data");
  EXPECT_THAT(error_of([&] { (void)groups().create(request("parts")); }),
              HasSubstr("already_exists: Resource Already Exists: FeatureGroup with name parts"));
  EXPECT_THAT(
      error_of([&] { (void)groups().get("other"); }),
      HasSubstr("not_found: Resource Not Found: Amazon SageMaker can't find a FeatureGroup"));
  // Both would be the table group_a_...
  EXPECT_EQ(made(request("group-a")).request.table, "group_a_1795343912");
  EXPECT_EQ(made(request("group_a")).request.table, "group_a_1795343912_2");
}

TEST_F(FeaturesTest, WhatAGroupMayNotBeIsNamed) {
  const auto refused = [&](const std::function<void(GroupRequest&)>& change) {
    GroupRequest wanted = request("x");
    change(wanted);
    return error_of([&] { (void)groups().create(std::move(wanted)); });
  };
  EXPECT_THAT(refused([](auto& r) { r.name = "-x"; }), HasSubstr("FeatureGroupName '-x'"));
  EXPECT_THAT(refused([](auto& r) { r.record_identifier = "y"; }),
              HasSubstr("RecordIdentifierFeatureName 'y' is not in"));
  EXPECT_THAT(refused([](auto& r) { r.event_time = "count"; }), HasSubstr("String or Fractional"));
  EXPECT_THAT(refused([](auto& r) { r.event_time = "Part"; }), HasSubstr("two features"));
  EXPECT_THAT(refused([](auto& r) { r.features.push_back({.name = "NOTE"}); }),
              HasSubstr("'NOTE' is there already"));
  EXPECT_THAT(refused([](auto& r) { r.features.push_back({.name = "write_time"}); }),
              HasSubstr("reserved"));
  EXPECT_THAT(refused([](auto& r) { r.is_online = r.is_offline = false; }),
              HasSubstr("at least one of"));
  EXPECT_THAT(refused([](auto& r) { r.s3_uri = "lake"; }), HasSubstr("s3://BUCKET"));
  EXPECT_THAT(refused([](auto& r) { r.table = "no-such"; }), HasSubstr("TableName 'no-such'"));
  EXPECT_THAT(refused([](auto& r) {
                r.time_to_live = TimeToLive{"Years", 1};
              }),
              HasSubstr("TtlDuration"));
  EXPECT_THAT(refused([](auto& r) {
                for (int i = 0; i < 1'000; ++i)
                  r.features.push_back({.name = "f" + std::to_string(i)});
              }),
              HasSubstr("resource_exhausted"));
}

TEST_F(FeaturesTest, TheOnlineStoreHasTheLatestAndTheOfflineStoreAll) {
  const FeatureGroup group = made(request("parts"));
  put("parts", "a", "10", {{"count", "1"}});
  put("parts", "a", "9.5", {{"count", "2"}});
  put("parts", "a", "10", {{"count", "3"}});
  EXPECT_THAT(get("parts", "a"),
              ElementsAre(Pair("Part", "a"), Pair("at", "10"), Pair("count", "1")));
  put("parts", "a", "10.5", {{"note", "x"}});
  EXPECT_THAT(get("parts", "a"),
              ElementsAre(Pair("Part", "a"), Pair("at", "10.5"), Pair("note", "x")));
  EXPECT_THAT(get("parts", "a", {"note"}), ElementsAre(Pair("note", "x")));
  EXPECT_THAT(error_of([&] { (void)get("parts", "a", {"none"}); }), HasSubstr("[none]"));
  EXPECT_TRUE(get("parts", "b").empty());
  EXPECT_EQ(rows_of(group), 4);
  GroupRequest offline = request("offline");
  offline.is_online = false;
  (void)made(std::move(offline));
  EXPECT_THAT(error_of([&] { (void)get("offline", "a"); }), HasSubstr("no online store"));
  EXPECT_THAT(
      error_of([&] {
        features_->records.put("offline", {{"Part", "a"}, {"at", "1"}}, {.online = true}, {});
      }),
      HasSubstr("TargetStores names OnlineStore"));
}

TEST_F(FeaturesTest, DeletionIsSoftOrHard) {
  const FeatureGroup group = made(request("parts"));
  const auto remove = [&](const char* at, Deletion how) {
    return error_of([&] { features_->records.remove("parts", "a", at, {}, how); });
  };
  put("parts", "a", "10");
  EXPECT_EQ(remove("9", Deletion::soft), "taken");
  EXPECT_FALSE(get("parts", "a").empty());
  EXPECT_THAT(remove("9", Deletion::hard), HasSubstr("must be later"));
  EXPECT_EQ(remove("11", Deletion::soft), "taken");
  EXPECT_TRUE(get("parts", "a").empty());
  put("parts", "a", "10.5");
  EXPECT_TRUE(get("parts", "a").empty()) << "what was deleted later came back";
  put("parts", "a", "12");
  EXPECT_FALSE(get("parts", "a").empty());
  EXPECT_EQ(remove("13", Deletion::hard), "taken");
  put("parts", "a", "1");
  EXPECT_FALSE(get("parts", "a").empty());
  EXPECT_EQ(rows_of(group), 7);  // four records, three marks
  EXPECT_EQ(groups().get("parts").online_bytes, 120 + 4 + 1 + 2 + 1);
}

TEST_F(FeaturesTest, ARecordExpiresAfterItsEventTime) {
  GroupRequest wanted = request("parts");
  wanted.time_to_live = TimeToLive{"Minutes", 10};
  (void)made(std::move(wanted));
  put("parts", "a", "1795343912");
  put("parts", "old", "1795340000");
  EXPECT_TRUE(get("parts", "old").empty());
  features_->records.put("parts", {{"Part", "b"}, {"at", "1795343912"}}, {},
                         TimeToLive{"Hours", 1});
  EXPECT_FALSE(get("parts", "a").empty());
  clock_.advance(std::chrono::minutes(11));
  EXPECT_TRUE(get("parts", "a").empty());
  EXPECT_FALSE(get("parts", "b").empty());
  EXPECT_EQ(features_->records.sweep(10), 1);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(features_->records.sweep(10), 1);
  EXPECT_EQ(groups().get("parts").online_bytes, 0);
}

TEST_F(FeaturesTest, FeaturesAreAddedAndOldRowsHaveNone) {
  (void)made(request("parts"));
  put("parts", "a", "1");
  EXPECT_EQ(groups()
                .add_features("parts", {{.name = "late", .type = FeatureType::integral}})
                .request.features.size(),
            5U);
  put("parts", "b", "1", {{"late", "7"}});
  EXPECT_THAT(get("parts", "b", {"late"}), ElementsAre(Pair("late", "7")));
  EXPECT_THAT(error_of([&] { groups().add_features("parts", {{.name = "LATE"}}); }),
              HasSubstr("is there already"));
  EXPECT_EQ(groups().tables().at(0).columns.size(), 5U);
}

TEST_F(FeaturesTest, AGroupGoesAndItsTableStaysUntilItIsDeleted) {
  const FeatureGroup group = made(request("parts"));
  for (int i = 0; i < 5; ++i) put("parts", "p" + std::to_string(i), "1");
  groups().remove("parts");
  EXPECT_EQ(groups().get("parts").status, GroupStatus::deleting);
  carry_on();
  EXPECT_FALSE(groups().find("parts"));
  ASSERT_TRUE(groups().find_table("sagemaker_featurestore", group.request.table));
  EXPECT_EQ(rows_of(group), 5);
  groups().remove_table("sagemaker_featurestore", group.request.table);
  EXPECT_TRUE(groups().tables().empty());
  EXPECT_EQ(features_->records.sweep(100), 0) << "rows went that are not in the object store";
  features_->run();
  for (int i = 0; i < 2'000 && objects_->list({.bucket = "lake"}).objects.size() < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(objects_->list({.bucket = "lake"}).objects.size(), 2U);
  features_->stop();
  EXPECT_EQ(features_->records.sweep(100), 5);
  EXPECT_EQ(features_->records.sweep(100), 1);
  EXPECT_EQ(features_->records.sweep(100), 0);
  EXPECT_EQ(features_->records.total_bytes(), 0);
}

TEST_F(FeaturesTest, RowsGoToTheBucketOnceWhateverHappensInBetween) {
  (void)made(request("parts"));
  for (int i = 0; i < 4; ++i) put("parts", "p" + std::to_string(i), "1", {{"count", "7"}});
  clock_.advance(std::chrono::seconds(1));
  std::vector<ExportedObject> written;
  bool fails = true;
  const ExportOptions options{.after = std::chrono::milliseconds(0), .rows = 3};
  const WriteObject write = [&](const ExportedObject& object) {
    written.push_back(object);
    if (fails) throw Error(ErrorCode::unavailable, "no");
  };
  {
    Exporter exporter(*database_, clock_, write, options);
    EXPECT_TRUE(exporter.carry_on());
    EXPECT_FALSE(exporter.carry_on()) << "tried again at once";
  }
  EXPECT_EQ(groups().get("parts").export_problem, "no");
  put("parts", "later", "1");
  clock_.advance(std::chrono::minutes(1));
  fails = false;
  Exporter exporter(*database_, clock_, write, options);
  EXPECT_TRUE(exporter.carry_on());
  EXPECT_TRUE(exporter.carry_on());
  EXPECT_FALSE(exporter.carry_on());
  ASSERT_EQ(written.size(), 3U);
  EXPECT_EQ(written[0].key, written[1].key);
  EXPECT_EQ(written[0].bytes, written[1].bytes);
  EXPECT_THAT(written[1].key,
              testing::EndsWith("/data/year=2026/month=11/day=22/hour=10/"
                                "20261122T103832Z_000000000001-000000000003.jsonl"));
  EXPECT_THAT(written[2].key, HasSubstr("000000000004-000000000005"));
  EXPECT_EQ(written[1].bytes.substr(0, written[1].bytes.find('\n')),
            R"({"Part":"p0","at":1.0,"count":7,"write_time":"2026-11-22 10:38:32.000",)"
            R"("api_invocation_time":"2026-11-22 10:38:32.000","is_deleted":false})");
  EXPECT_EQ(groups().get("parts").export_problem, "");
}

TEST_F(FeaturesTest, AFullStoreForgetsWhatIsInTheBucketAndElseTakesNothing) {
  start({.total_bytes = 2'000});
  const FeatureGroup group = made(request("parts"));
  const auto put_until_full = [&] {
    for (int i = 0; i < 100; ++i) {
      const std::string said = error_of([&] { put("parts", "same", std::to_string(i + 1)); });
      if (said != "taken") return said;
    }
    return std::string("taken");
  };
  EXPECT_THAT(put_until_full(), HasSubstr("resource_exhausted: the feature store is full"));
  const std::int64_t before = rows_of(group);
  database_->write(
      [](store::Transaction& tx) { tx.execute("UPDATE fs_tables SET exported_row = last_row"); });
  put("parts", "same", "1000");
  EXPECT_LT(rows_of(group), before);
  EXPECT_LE(features_->records.total_bytes(), 2'000);
  EXPECT_FALSE(get("parts", "same").empty());
}

TEST_F(FeaturesTest, AQueryRunsAndItsResultIsRead) {
  const FeatureGroup group = made(request("parts"));
  put("parts", "a", "1", {{"count", "5"}, {"note", "it's \"x\""}});
  put("parts", "b", "2");
  features_->run();
  const auto run = [&](const std::string& sql, const TableRefusal& refusal) {
    const auto started =
        features_->queries.start({.sql = sql, .output_location = "s3://lake/out/"}, std::nullopt,
                                 refusal, [](const std::string&, const std::string&) {});
    for (int i = 0; i < 2'000; ++i) {
      const auto now = features_->queries.executions.find(started.id);
      if (is_over(now->state)) return *now;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error("it did not end");
  };
  const TableRefusal anybody = [](const OfflineTable&) { return std::optional<std::string>(); };
  const std::string table = "\"sagemaker_featurestore\".\"" + group.request.table + "\"";
  const auto done =
      run("SELECT part, at, count, note, is_deleted FROM " + table + " ORDER BY at", anybody);
  ASSERT_EQ(done.state, QueryState::succeeded) << done.reason;
  const auto page = features_->queries.results(done, 0, 2);
  EXPECT_THAT(page.rows, ElementsAre(CsvRow{"part", "at", "count", "note", "is_deleted"},
                                     CsvRow{"a", "1.0", "5", "it's \"x\"", "false"}));
  ASSERT_TRUE(page.next);
  const auto rest = features_->queries.results(done, *page.next, 2);
  EXPECT_THAT(rest.rows, ElementsAre(CsvRow{"b", "2.0", std::nullopt, std::nullopt, "false"}));
  EXPECT_FALSE(rest.next);
  EXPECT_EQ(page.columns.at(4).type, "boolean");
  const auto denied = run("SELECT * FROM " + table, [](const OfflineTable&) {
    return std::optional<std::string>("User x is not authorized");
  });
  EXPECT_EQ(denied.state, QueryState::failed);
  EXPECT_EQ(denied.reason,
            "Insufficient permissions to execute the query. User x is not authorized");
  EXPECT_THAT(run("SELECT * FROM fs_groups", anybody).reason, HasSubstr("TABLE_NOT_FOUND"));
  EXPECT_THAT(run("SELECT missing FROM " + table, anybody).reason, HasSubstr("COLUMN_NOT_FOUND"));
  EXPECT_THAT(run("SELECT FROM", anybody).reason, HasSubstr("SYNTAX_ERROR"));
}

TEST_F(FeaturesTest, WhatRanWhenTheServerWasKilledRunsAgain) {
  (void)made(request("parts"));
  const auto started = features_->queries.start(
      {.sql = "SELECT 1", .output_location = "s3://lake/"}, std::string("token"),
      [](const OfflineTable&) { return std::optional<std::string>(); },
      [](const std::string&, const std::string&) {});
  ASSERT_TRUE(features_->queries.executions.take_next());
  start();
  features_->run();
  for (int i = 0; i < 2'000; ++i) {
    if (is_over(features_->queries.executions.find(started.id)->state)) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(features_->queries.executions.find(started.id)->state, QueryState::succeeded);
}

}  // namespace
}  // namespace andon::features
