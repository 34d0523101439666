// SPDX-License-Identifier: Apache-2.0
#include "control/connections/connections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "control/testing/control_fixture.hpp"

namespace andon::control {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

json::object parsed(const std::string& text) {
  return base::parse_json(text, "the test's JSON").as_object();
}

const json::object& basic() {
  static const json::object members =
      parsed(R"({"BasicAuthParameters": {"Username": "u", "Password": "geheim"}})");
  return members;
}

class ConnectionsTest : public testing::Test, public ControlFixture {
 protected:
  template <typename Call>
  static base::Error refused(const Call& call) {
    try {
      call();
    } catch (const base::Error& error) {
      return error;
    }
    ADD_FAILURE() << "it was taken";
    return {ErrorCode::internal, ""};
  }

  trust::SealingKey key_{trust::SealingKey::make()};
  Connections connections_{database(), key_, clock()};
};

TEST_F(ConnectionsTest, SecretsAreForTheCallAloneAndNotInTheDatabasesFile) {
  const Connection made = connections_.create({.name = "mes", .parameters = basic()});
  EXPECT_EQ(base::to_text(connections_.describe("mes").parameters),
            R"({"BasicAuthParameters":{"Username":"u"}})");
  const auto authorization = connections_.authorization("mes", made.id);
  ASSERT_TRUE(authorization);
  EXPECT_EQ(authorization->name, "u");
  EXPECT_EQ(authorization->secret, "geheim");
  EXPECT_FALSE(connections_.authorization("mes", "other"));
  EXPECT_FALSE(connections_.authorization("other", made.id));
  database().read([](store::Transaction& tx) {
    const auto row = tx.query_one("SELECT sealed FROM connections");
    EXPECT_THAT(row->blob(0), Not(HasSubstr("geheim")));
  });
  const trust::SealingKey other_key(trust::SealingKey::make());
  const Connections stranger(database(), other_key, clock());
  EXPECT_EQ(refused([&] { (void)stranger.describe("mes"); }).code(), ErrorCode::data_corrupted);
}

TEST_F(ConnectionsTest, AnUpdateChangesWhatItNames) {
  const Connection made = connections_.create(
      {.name = "mes", .parameters = parsed(R"({"BasicAuthParameters": {"Username": "u",
       "Password": "old"}, "InvocationHttpParameters": {"HeaderParameters": [
       {"Key": "X-Line", "Value": "1"}]}})")});
  clock().advance(std::chrono::seconds(5));
  const Connection updated = connections_.update(
      "mes", {.parameters = parsed(R"({"BasicAuthParameters": {"Password": "new"}})")});
  EXPECT_EQ(updated.created, made.created);
  EXPECT_EQ(updated.modified, clock().now());
  auto authorization = connections_.authorization("mes", made.id);
  EXPECT_EQ(authorization->name, "u");
  EXPECT_EQ(authorization->secret, "new");
  EXPECT_EQ(authorization->headers.size(), 1U);
  EXPECT_EQ(
      refused([&] { connections_.update("mes", {.type = AuthorizationType::api_key}); }).code(),
      ErrorCode::invalid_argument);
  connections_.update(
      "mes", {.type = AuthorizationType::api_key, .parameters = parsed(R"({"ApiKeyAuthParameters": {
                                  "ApiKeyName": "X-Key", "ApiKeyValue": "k"}})")});
  authorization = connections_.authorization("mes", made.id);
  EXPECT_EQ(authorization->type, AuthorizationType::api_key);
  EXPECT_EQ(authorization->secret, "k");
  EXPECT_EQ(authorization->headers.size(), 1U);
}

TEST_F(ConnectionsTest, AreListedByNameAndRemoved) {
  for (const char* name : {"a1", "a2", "b"}) {
    connections_.create({.name = name, .parameters = basic()});
  }
  const auto names = [&](const std::string& prefix) {
    std::vector<std::string> found;
    PageRequest page{.limit = 1};
    while (true) {
      const auto listed = connections_.list(prefix, page);
      for (const auto& one : listed.items) found.push_back(one.name);
      if (!listed.next) return found;
      page.after = *listed.next;
    }
  };
  EXPECT_THAT(names(""), ElementsAre("a1", "a2", "b"));
  EXPECT_THAT(names("a"), ElementsAre("a1", "a2"));
  EXPECT_EQ(refused([&] { connections_.create({.name = "b", .parameters = basic()}); }).code(),
            ErrorCode::already_exists);
  connections_.remove("b");
  EXPECT_EQ(refused([&] { connections_.remove("b"); }).code(), ErrorCode::not_found);
}

TEST_F(ConnectionsTest, WhatIsWrongIsNamedAndNoValueRepeated) {
  const struct {
    const char* members;
    AuthorizationType type;
    const char* says;
  } cases[] = {
      {R"({})", AuthorizationType::basic, "AuthParameters.BasicAuthParameters"},
      {R"({"BasicAuthParameters": {"Username": "u"}})", AuthorizationType::basic, "Password"},
      {R"({"BasicAuthParameters": {"Username": "u", "Password": ""}})", AuthorizationType::basic,
       "Password"},
      {R"({"BasicAuthParameters": {"Username": "u:v", "Password": "geheim"}})",
       AuthorizationType::basic, "Username"},
      {R"({"BasicAuthParameters": {"Username": "u", "Password": "geheim\r\nX: y"}})",
       AuthorizationType::basic, "control character"},
      {R"({"BasicAuthParameters": {"Username": "u", "Password": ["geheim"]}})",
       AuthorizationType::basic, "Password"},
      {R"({"BasicAuthParameters": {"Username": "u", "Password": "geheim"}})",
       AuthorizationType::api_key, "does not belong"},
      {R"({"ApiKeyAuthParameters": {"ApiKeyName": "a b", "ApiKeyValue": "geheim"}})",
       AuthorizationType::api_key, "is no name of a header"},
      {R"({"ApiKeyAuthParameters": {"ApiKeyName": "Host", "ApiKeyValue": "geheim"}})",
       AuthorizationType::api_key, "may not set"},
      {R"({"OAuthParameters": {"ClientParameters": {"ClientSecret": "geheim"}}})",
       AuthorizationType::basic, "OAuthParameters is not supported"},
      {R"({"BasicAuthParameters": {"Username": "u", "Password": "geheim"},
           "InvocationHttpParameters": {"HeaderParameters": [{"Key": "a"}]}})",
       AuthorizationType::basic, "HeaderParameters[0].Value"},
      {R"({"BasicAuthParameters": {"Username": "u", "Password": "geheim", "More": 1}})",
       AuthorizationType::basic, "More"},
  };
  for (const auto& one : cases) {
    const base::Error error = refused([&] {
      connections_.create({.name = "x", .type = one.type, .parameters = parsed(one.members)});
    });
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << one.members;
    EXPECT_THAT(error.message(), HasSubstr(one.says));
    EXPECT_THAT(error.message(), Not(HasSubstr("geheim")));
  }
  EXPECT_EQ(refused([] { (void)authorization_type("OAUTH_CLIENT_CREDENTIALS"); }).code(),
            ErrorCode::unsupported);
  EXPECT_EQ(refused([&] { connections_.create({.name = "a b", .parameters = basic()}); }).code(),
            ErrorCode::invalid_argument);
}

TEST(AuthorizationTest, ValuesThatAreSaidToBeSecretAreNotShown) {
  const json::object members = parsed(R"({"ApiKeyAuthParameters": {"ApiKeyName": "K",
      "ApiKeyValue": "v"}, "InvocationHttpParameters": {"QueryStringParameters": [
      {"Key": "a", "Value": "1", "IsValueSecret": true}, {"Key": "b", "Value": "2"}]}})");
  EXPECT_EQ(
      base::to_text(without_secrets(members)),
      R"({"ApiKeyAuthParameters":{"ApiKeyName":"K"},"InvocationHttpParameters":)"
      R"({"QueryStringParameters":[{"Key":"a","IsValueSecret":true},{"Key":"b","Value":"2"}]}})");
}

}  // namespace
}  // namespace andon::control
