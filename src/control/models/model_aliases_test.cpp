// SPDX-License-Identifier: Apache-2.0
#include "control/models/model_aliases.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "control/models/model_registry.hpp"

namespace andon::control {
namespace {

using base::Error;
using testing::HasSubstr;

class ModelAliasesTest : public testing::Test {
 protected:
  ModelAliasesTest() {
    registry_.create_group("tags", "");
    for (int i = 0; i < 3; ++i) (void)registry_.create_package({.name = "tags", .content = {}});
  }
  ModelAlias move(std::int64_t version, std::optional<std::int64_t> expected = {}) {
    return aliases_.move({.group = "tags",
                          .alias = "champion",
                          .version = version,
                          .expected = expected,
                          .by = "operator",
                          .note = "n" + std::to_string(version)});
  }
  static std::string error_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return std::string(base::to_string(error.code())) + ": " + error.message();
    }
    return "done";
  }

  base::FakeClock clock_{base::from_epoch_millis(1'795'343'912'000)};
  base::TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "andon.db");
  store::ObjectStore objects_{*database_, directory_.path() / "objects", clock_};
  ModelRegistry registry_{*database_, objects_, clock_};
  ModelAliases aliases_{*database_, clock_};
};

TEST_F(ModelAliasesTest, AnAliasMovesAndEveryMoveStays) {
  EXPECT_FALSE(aliases_.find("tags", "champion"));
  EXPECT_EQ(move(1).version, 1);
  EXPECT_EQ(move(1).version, 1);  // no move
  EXPECT_EQ(move(3, 1).version, 3);
  EXPECT_EQ(aliases_.find("tags", "champion")->version, 3);
  EXPECT_EQ(move(0).version, 0);
  EXPECT_FALSE(aliases_.find("tags", "champion"));
  const auto page = aliases_.moves("tags", "champion", {.limit = 2, .after = {}});
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_EQ(page.items[0].from, 3);
  EXPECT_EQ(page.items[0].to, 0);
  EXPECT_EQ(page.items[1].note, "n3");
  const auto rest = aliases_.moves("tags", "", {.limit = 2, .after = *page.next});
  ASSERT_EQ(rest.items.size(), 1U);
  EXPECT_EQ(rest.items[0].from, 0);
  EXPECT_EQ(rest.items[0].to, 1);
  EXPECT_FALSE(rest.next);
  EXPECT_TRUE(aliases_.moves("tags", "other", {.limit = 2, .after = {}}).items.empty());
}

TEST_F(ModelAliasesTest, MovesCanBeNeitherChangedNorRemoved) {
  move(1);
  for (const char* const sql :
       {"UPDATE model_alias_moves SET mover = 'x'", "DELETE FROM model_alias_moves"}) {
    EXPECT_THROW(database_->write([&](store::Transaction& tx) { tx.execute(sql); }), Error) << sql;
  }
}

TEST_F(ModelAliasesTest, WhoMovesItKnowsWhereItIs) {
  move(1);
  EXPECT_THAT(error_of([&] { move(3, 2); }),
              HasSubstr("conflict: alias champion of tags is at version 1, not at version 2"));
  EXPECT_THAT(error_of([&] { move(3, 0); }), HasSubstr("not at nowhere"));
  EXPECT_THAT(error_of([&] { move(4); }), HasSubstr("not_found: tags@4 is not registered"));
  for (const char* const name : {"", "3", "-a", "a b", "latest/x"}) {
    EXPECT_THAT(error_of([&] { aliases_.move({.group = "tags", .alias = name, .version = 1}); }),
                HasSubstr("invalid_argument"))
        << name;
  }
  EXPECT_THAT(error_of([&] { aliases_.move({.group = "tags", .alias = "other", .version = 0}); }),
              HasSubstr("tags has no alias other"));
}

TEST_F(ModelAliasesTest, AVersionWithAnAliasIsNotDeleted) {
  move(2);
  EXPECT_THAT(error_of([&] {
                registry_.delete_package({"tags", 2});
              }),
              HasSubstr("conflict: alias champion of tags is at version 2"));
  move(3);
  EXPECT_EQ(error_of([&] { registry_.delete_package({"tags", 2}); }), "done");
}

}  // namespace
}  // namespace andon::control
