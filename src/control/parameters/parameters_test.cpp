// SPDX-License-Identifier: Apache-2.0
#include "control/parameters/parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/parameters/named_refusal.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ParametersTest : public testing::Test, public ControlFixture {
 protected:
  PutParameterOutcome put(const std::string& name, const std::string& value,
                          ParameterType type = ParameterType::string) {
    return parameters_.put({.name = name,
                            .value = value,
                            .type = type,
                            .description = {},
                            .allowed_pattern = {},
                            .existing = NewParameter::Existing::overwrite,
                            .by = "arn:aws:iam::000000000000:root"});
  }
  template <typename Call>
  static std::string refused(const Call& call) {
    try {
      call();
    } catch (const NamedRefusal& refusal) {
      return std::string(refusal.name());
    }
    return "";
  }

  trust::SealingKey key_{trust::SealingKey::make()};
  Parameters parameters_{database(), key_, clock(), Arns()};
};

TEST_F(ParametersTest, EveryValueLiesSealedAndIsBoundToItsVersion) {
  put("/a", "geheim");
  put("/b", "auch geheim", ParameterType::secure_string);
  database().read([](store::Transaction& tx) {
    for (const auto& row : tx.query("SELECT sealed FROM parameter_versions")) {
      EXPECT_THAT(row.blob(0), Not(HasSubstr("geheim")));
    }
  });
  // What somebody puts in another's place does not open.
  database().write([](store::Transaction& tx) {
    tx.execute(
        "UPDATE parameter_versions SET sealed = (SELECT sealed FROM parameter_versions WHERE "
        "type = 'SecureString')");
  });
  EXPECT_EQ(parameters_.get("/b", Reveal::opened).value, "auch geheim");
  try {
    (void)parameters_.get("/a", Reveal::opened);
    ADD_FAILURE() << "it was opened";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::data_corrupted);
  }
}

TEST_F(ParametersTest, ANameThatIsTakenAgainHasNothingOfTheOneBefore) {
  put("/a", "1");
  put("/a", "2");
  (void)parameters_.label("/a", 1, {"good"});
  parameters_.tag("/a", {{"k", "v"}});
  EXPECT_TRUE(parameters_.remove("/a"));
  EXPECT_FALSE(parameters_.remove("/a"));
  EXPECT_EQ(put("/a", "3").version, 1);
  EXPECT_TRUE(parameters_.tags("/a").empty());
  EXPECT_FALSE(parameters_.find("/a:good", Reveal::opened));
  EXPECT_EQ(parameters_.history("/a", {}, Reveal::opened).items.size(), 1U);
}

TEST_F(ParametersTest, APageThatLooksAtManyGoesOnWhereItStopped) {
  database().write([&](store::Transaction& tx) {
    for (int i = 1000; i < 5000; ++i) {
      const std::string key = "many/" + std::to_string(i);
      tx.execute("INSERT INTO parameters (key, name, parent, version) VALUES ($1, $2, 'many', 1)",
                 {key, "/" + key});
    }
    tx.execute(
        "INSERT INTO parameter_versions (parameter_id, version, type, tier, description, "
        "allowed_pattern, modified_ms, modified_by, sealed) SELECT id, 1, CASE WHEN key = "
        "'many/4999' THEN 'StringList' ELSE 'String' END, 'Standard', '', '', 0, '', x'00' FROM "
        "parameters");
  });
  const std::vector<ParameterFilter> rare = {
      {.key = ParameterFilter::Key::type, .values = {"StringList"}}};
  std::vector<std::string> found;
  PageRequest page{.limit = 10};
  int pages = 0;
  while (true) {
    const auto got = parameters_.describe(rare, page);
    ++pages;
    for (const Parameter& one : got.items) found.push_back(one.name);
    if (!got.next) break;
    page.after = *got.next;
  }
  EXPECT_THAT(found, ElementsAre("/many/4999"));
  EXPECT_GT(pages, 1);  // none of which looked at all
  EXPECT_LT(pages, 6);
}

TEST_F(ParametersTest, ThereIsAMostOfThem) {
  database().write([&](store::Transaction& tx) {
    tx.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT "
        "INTO parameters (key, name, parent, version) SELECT 'n' || i, 'n' || i, '', 1 FROM n");
  });
  EXPECT_EQ(refused([&] { put("one-more", "v"); }), "ParameterLimitExceeded");
  EXPECT_TRUE(parameters_.remove("n1"));
  EXPECT_EQ(refused([&] { put("one-more", "v"); }), "");
}

}  // namespace
}  // namespace andon::control
