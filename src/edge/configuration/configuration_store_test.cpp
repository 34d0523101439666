// SPDX-License-Identifier: Apache-2.0
#include "edge/configuration/configuration_store.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/settle.hpp"
#include "recipe/deployment/configuration.hpp"

namespace andon::edge {
namespace {

using Paths = std::vector<std::vector<std::string>>;
using Outcome = ConfigurationStore::MergeOutcome;

json::object object_of(std::string_view text) {
  return base::parse_json(text, "test").as_object();
}

class ConfigurationStoreTest : public testing::Test {
 protected:
  ConfigurationStoreTest() { clock_.advance(std::chrono::hours(1)); }

  void merge(ConfigurationStore& store, const std::vector<std::string>& path,
             std::string_view value, base::Timestamp at) {
    store.merge("app", path, base::parse_json(value, "test"), at,
                [this](Outcome outcome, const std::exception_ptr& error) {
                  outcomes_ += error ? 'x' : outcome == Outcome::merged ? 'm' : 'o';
                });
  }

  base::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = open_state_database(directory_.path() / "config.db");
  base::FakeClock clock_;
  EventLoop loop_;
  StateWriter writer_{loop_, *database_};
  std::string outcomes_;  // a letter for each merge that has ended
};

TEST_F(ConfigurationStoreTest, AMergeIsSeenOnlyOnceItIsDurable) {
  ConfigurationStore store(*database_, writer_, clock_);
  merge(store, {"a", "b"}, "1", clock_.now());
  EXPECT_EQ(store.find("app"), nullptr);
  settle(loop_, writer_);
  EXPECT_EQ(outcomes_, "m");
  EXPECT_EQ(*store.find("app"), object_of(R"({"a":{"b":1}})"));
  const ConfigurationStore again(*database_, writer_, clock_);
  EXPECT_EQ(*again.find("app"), object_of(R"({"a":{"b":1}})"));
}

TEST_F(ConfigurationStoreTest, WhatCouldNotBeReadAgainIsRefusedAtTheWrite) {
  ConfigurationStore store(*database_, writer_, clock_);
  const std::vector<std::string> longest(recipe::kMaxConfigurationDepth - 1, "k");
  const std::vector<std::string> too_long(recipe::kMaxConfigurationDepth + 1, "k");
  const std::vector<std::string> endless(60'000, "k");
  merge(store, longest, "1", clock_.now());
  settle(loop_, writer_);
  merge(store, too_long, "1", clock_.now());
  merge(store, endless, "1", clock_.now());
  std::string nested = "1";
  for (int i = 0; i < 30; ++i) nested = "{\"k\":" + nested + "}";
  merge(store, {"a", "b"}, nested, clock_.now());
  settle(loop_, writer_);
  EXPECT_EQ(outcomes_, "mxxx");
  const ConfigurationStore again(*database_, writer_, clock_);
  EXPECT_TRUE(again.damaged().empty());
  EXPECT_NE(again.find_at("app", longest), nullptr);
}

TEST_F(ConfigurationStoreTest, AComponentAndAllTogetherKeepToTheirSize) {
  ConfigurationStore store(*database_, writer_, clock_);
  const std::string almost(recipe::kMaxConfigurationBytes - 1000, 'x');
  merge(store, {"one"}, "\"" + almost + "\"", clock_.now());
  settle(loop_, writer_);
  merge(store, {"two"}, "\"" + almost + "\"", clock_.now());
  settle(loop_, writer_);
  EXPECT_EQ(outcomes_, "mx");
  std::string others;
  for (int i = 0; i < 10; ++i) {
    store.merge("other" + std::to_string(i), {"k"}, json::string(almost), clock_.now(),
                [&](Outcome, const std::exception_ptr& error) { others += error ? 'x' : 'm'; });
    settle(loop_, writer_);
  }
  EXPECT_EQ(others, "mmmmmmmxxx") << "with the first, eight";
}

TEST_F(ConfigurationStoreTest, ADamagedRowIsPutAsideAndTheOthersCount) {
  database_->write([](store::Transaction& tx) {
    tx.execute("INSERT INTO configuration VALUES ('good', '{\"a\":1}', 0)");
    tx.execute("INSERT INTO configuration VALUES ('torn', '{\"a\":', 0)");
    tx.execute("INSERT INTO configuration VALUES ('list', '[1]', 0)");
  });
  ConfigurationStore store(*database_, writer_, clock_);
  EXPECT_EQ(*store.find("good"), object_of(R"({"a":1})"));
  EXPECT_EQ(store.find("torn"), nullptr);
  EXPECT_EQ(store.damaged().size(), 2U);
  store.restore("torn", object_of(R"({"a":2})"));
  settle(loop_, writer_);
  const ConfigurationStore again(*database_, writer_, clock_);
  EXPECT_TRUE(again.damaged().empty());
  EXPECT_EQ(*again.find("torn"), object_of(R"({"a":2})"));
  database_->read([](store::Transaction& tx) {
    EXPECT_EQ(
        tx.query_one("SELECT content FROM damaged_configuration WHERE component = 'torn'")->text(0),
        "{\"a\":");
  });
}

TEST_F(ConfigurationStoreTest, MergesThatComeAtOnceFollowOneAnother) {
  ConfigurationStore store(*database_, writer_, clock_);
  for (int i = 0; i < 50; ++i) merge(store, {"k" + std::to_string(i)}, "true", clock_.now());
  settle(loop_, writer_);
  while (outcomes_.size() < 50) settle(loop_, writer_);
  EXPECT_EQ(outcomes_, std::string(50, 'm'));
  EXPECT_EQ(store.find("app")->size(), 50U);
}

TEST_F(ConfigurationStoreTest, WhatIsOlderThanTheLastChangeIsRefused) {
  ConfigurationStore store(*database_, writer_, clock_);
  merge(store, {"a"}, "1", clock_.now());
  merge(store, {"a"}, "2", clock_.now() - std::chrono::milliseconds(1));
  merge(store, {"a"}, "3", clock_.now());
  settle(loop_, writer_);
  EXPECT_EQ(outcomes_, "mom");
  EXPECT_EQ(store.find("app")->at("a"), 3);
}

TEST_F(ConfigurationStoreTest, AClockThatRunsAheadDoesNotLockOutLaterChanges) {
  ConfigurationStore store(*database_, writer_, clock_);
  merge(store, {"a"}, "1", clock_.now() + std::chrono::hours(10));
  settle(loop_, writer_);
  clock_.advance(std::chrono::seconds(1));
  merge(store, {"a"}, "2", clock_.now());
  settle(loop_, writer_);
  EXPECT_EQ(outcomes_, "mm");
}

TEST_F(ConfigurationStoreTest, AClockThatIsSetBackDoesNotLockOutLaterChanges) {
  clock_.advance(std::chrono::hours(24 * 3650));
  ConfigurationStore store(*database_, writer_, clock_);
  merge(store, {"a"}, "1", clock_.now());
  settle(loop_, writer_);
  clock_.advance(-std::chrono::hours(24 * 3650));
  merge(store, {"a"}, "2", clock_.now() - std::chrono::milliseconds{1});  // asked, then handled
  settle(loop_, writer_);
  merge(store, {"a"}, "3", clock_.now() - std::chrono::milliseconds{2});
  settle(loop_, writer_);
  EXPECT_EQ(outcomes_, "mmo");
  EXPECT_EQ(*store.find("app"), object_of(R"({"a":2})"));
}

TEST_F(ConfigurationStoreTest, TheWholeIsOnlyMergedWithAnObject) {
  ConfigurationStore store(*database_, writer_, clock_);
  merge(store, {}, "5", clock_.now());
  merge(store, {}, R"({"a":1})", clock_.now());  // the next one's turn comes all the same
  settle(loop_, writer_);
  EXPECT_EQ(outcomes_, "xm");
}

TEST_F(ConfigurationStoreTest, ADeploymentAndAComponentDoNotLoseEachOthersChanges) {
  ConfigurationStore store(*database_, writer_, clock_);
  merge(store, {"mine"}, "1", clock_.now());
  bool deployed = false;
  store.begin_change([&] {
    EXPECT_EQ(outcomes_, "m");  // the component's is complete
    auto all = std::make_shared<Configurations>(store.all());
    (*all)["app"]["deployed"] = true;
    writer_.run(
        [all, now = clock_.now()](store::Transaction& transaction) {
          ConfigurationStore::write(transaction, *all, now);
        },
        [&, all](const std::exception_ptr& error) {
          EXPECT_EQ(error, nullptr);
          store.adopt(*all);
          deployed = true;
          store.end_change();
        });
  });
  merge(store, {"later"}, "2", clock_.now());
  settle(loop_, writer_);
  EXPECT_TRUE(deployed);
  const json::object expected = object_of(R"({"mine":1,"deployed":true,"later":2})");
  EXPECT_EQ(*store.find("app"), expected);
  EXPECT_EQ(*ConfigurationStore(*database_, writer_, clock_).find("app"), expected);
}

TEST_F(ConfigurationStoreTest, TellsWhichPathsHaveChangedAsComponentsSeeThem) {
  ConfigurationStore store(*database_, writer_, clock_);
  store.set_resolver([](const std::string& name, const json::object& raw) {
    json::object resolved = raw;
    resolved["self"] = name;
    return resolved;
  });
  Paths changed;
  store.on_change([&](const std::string&, const Paths& paths) { changed = paths; });
  merge(store, {}, R"({"a":{"b":1,"c":2}})", clock_.now());
  settle(loop_, writer_);
  EXPECT_EQ(changed, (Paths{{"a"}, {"self"}}));
  merge(store, {"a", "b"}, "3", clock_.now());
  settle(loop_, writer_);
  EXPECT_EQ(changed, (Paths{{"a", "b"}}));
  EXPECT_EQ(store.resolved("app")->at("self"), "app");
  EXPECT_FALSE(store.find("app")->contains("self"));
  EXPECT_EQ(store.resolved("other"), nullptr);
}

TEST(ChangedPaths, AreTheShortestThatCoverEveryDifference) {
  const auto changed = [](std::string_view before, std::string_view after) {
    return changed_paths(object_of(before), object_of(after));
  };
  EXPECT_EQ(changed("{}", "{}"), Paths{});
  EXPECT_EQ(changed(R"({"a":1})", R"({"a":1})"), Paths{});
  EXPECT_EQ(changed(R"({"a":1,"gone":2})", R"({"a":2,"new":3})"),
            (Paths{{"a"}, {"new"}, {"gone"}}));
  EXPECT_EQ(changed(R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1,"c":3}})"), (Paths{{"a", "c"}}));
  EXPECT_EQ(changed(R"({"a":{"b":1}})", R"({"a":[1]})"), Paths{{"a"}});
}

}  // namespace
}  // namespace andon::edge
