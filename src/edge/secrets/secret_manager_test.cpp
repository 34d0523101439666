// SPDX-License-Identifier: Apache-2.0
// Against a server whose secrets are a map; the disk is a real one.
#include "edge/secrets/secret_manager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "base/os/file.hpp"
#include "edge/testing/ipc_fixture.hpp"

namespace andon::edge {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kArn = "arn:aws:secretsmanager:local:000000000000:secret:line/mes-a1B2c3";

class SecretManagerTest : public IpcFixture {
 protected:
  SecretManagerTest() {
    const json::value access = base::parse_json(
        R"({"aws.greengrass.SecretManager": {"s:1": {"operations": ["aws.greengrass#GetSecretValue"],
            "resources": ["arn:aws:secretsmanager:*:secret:line/*"]}}})",
        "test");
    install({{"app", {{"accessControl", access}}}, {"other", json::object{}}});
    put("AWSCURRENT", "v1", "password 1");
    start();
  }
  ~SecretManagerTest() override { manager_.reset(); }

  void start() {
    manager_.reset();
    operations_.clear();
    manager_ = std::make_unique<SecretManager>(
        SecretManager::Parts{loop_, writer_, *database_, policy_, clock_,
                             [this] { return configuration_ ? &*configuration_ : nullptr; },
                             [this](const std::string& id, const std::string& stage,
                                    base::Timestamp) { return fetch(id, stage); },
                             [this] { return secret_key_of(private_key_); },
                             [this](const ComponentNote& note) { note_ = note.text; }});
    manager_->add_to(operations_);
  }
  void configure(const std::string& text) {
    configuration_ = base::parse_json(text, "test").as_object();
    manager_->refresh();
  }
  void want(const std::string& id = kArn, const std::string& more = "") {
    configure(R"({"cloudSecrets": [{"arn": ")" + id + "\"" + more + "}]}");
  }

  // The server's.
  void put(const std::string& stage, const std::string& version, const std::string& text) {
    const std::lock_guard lock(mutex_);
    server_[stage] = {
        kArn, "line/mes", version, {stage}, base::to_text(json::object{{"secretString", text}})};
  }
  void fail(std::optional<ErrorCode> code) {
    const std::lock_guard lock(mutex_);
    failure_ = code;
  }
  SecretVersion fetch(const std::string& id, const std::string& stage) {
    const std::lock_guard lock(mutex_);
    ++fetches_;
    if (failure_) throw base::Error(*failure_, "as the test wants it");
    if (id != kArn && id != "line/mes") throw base::Error(ErrorCode::not_found, "no such secret");
    const auto found = server_.find(stage);
    if (found == server_.end()) throw base::Error(ErrorCode::not_found, "no such stage");
    return found->second;
  }
  int fetches() {
    const std::lock_guard lock(mutex_);
    return fetches_;
  }

  // The value, or "Type: message" of the error.
  std::string get(const std::string& more = "", const std::string& secret = kArn,
                  const std::string& component = "app") {
    const auto answer = begin(
        "GetSecretValue",
        base::parse_json(R"({"secretId": ")" + secret + "\"" + more + "}", "test").as_object(),
        component);
    EXPECT_TRUE(loop_.run_until([&] { return !answer->empty(); }, std::chrono::seconds(20)));
    if (!answer->starts_with('{')) return answer->empty() ? "no answer" : *answer;
    const json::value response = base::parse_json(*answer, "response");
    return std::string(response.at("secretValue").at("secretString").as_string());
  }
  void wait_for_value(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (get() != text && std::chrono::steady_clock::now() < deadline) continue;
    EXPECT_EQ(get(), text);
  }
  std::int64_t rows() {
    settle(loop_, writer_);
    return database_->read([](store::Transaction& transaction) {
      return transaction.query_one("SELECT count(*) FROM secrets").value().integer(0);
    });
  }
  void damage(const std::string& sql) {
    database_->write([&](store::Transaction& transaction) { transaction.execute(sql); });
  }

  std::optional<json::object> configuration_;
  std::string private_key_ = "a private key";
  std::string note_;
  std::mutex mutex_;
  std::map<std::string, SecretVersion> server_;  // guarded by mutex_, as what follows
  std::optional<ErrorCode> failure_;
  int fetches_ = 0;
  std::unique_ptr<SecretManager> manager_;
};

TEST_F(SecretManagerTest, AComponentThatIsQuickerThanTheServerWaitsForIt) {
  want();
  EXPECT_EQ(get(), "password 1");
  EXPECT_EQ(get(), "password 1");
  EXPECT_EQ(fetches(), 1);
  EXPECT_EQ(note_, "");
}

TEST_F(SecretManagerTest, ASecretIsNamedByItsNameItsArnAndItsArnWithoutTheSuffix) {
  want();
  for (const std::string& id : {kArn, std::string("line/mes"), kArn.substr(0, kArn.size() - 7)}) {
    EXPECT_EQ(get("", id), "password 1") << id;
  }
  want("line/mes");
  for (const std::string& id : {kArn, std::string("line/mes"), kArn.substr(0, kArn.size() - 7)}) {
    EXPECT_EQ(get("", id), "password 1") << id;
  }
}

TEST_F(SecretManagerTest, VersionsAreThoseOfTheLabelsThatAreWanted) {
  put("BLUE", "v2", "password 2");
  put("GREEN", "v3", "password 3");
  want(kArn, R"(, "labels": ["BLUE", "RED"])");
  EXPECT_EQ(get(R"(, "versionStage": "BLUE")"), "password 2");
  EXPECT_EQ(get(R"(, "versionId": "v2")"), "password 2");
  EXPECT_EQ(get(R"(, "versionStage": "AWSCURRENT")"), "password 1");
  EXPECT_THAT(get(R"(, "versionStage": "GREEN")"), StartsWith("ResourceNotFoundError: "));
  EXPECT_THAT(get(R"(, "versionId": "v3")"), StartsWith("ResourceNotFoundError: "));
  EXPECT_THAT(get(R"(, "versionId": "v2", "versionStage": "BLUE")"),
              StartsWith("InvalidArgumentsError: "));
  EXPECT_THAT(note_, HasSubstr("label RED"));
}

TEST_F(SecretManagerTest, WhoMayNotIsRefusedAndWhatIsNotConfiguredIsNotThere) {
  want();
  EXPECT_THAT(get("", kArn, "other"), StartsWith("UnauthorizedError: "));
  EXPECT_EQ(get(), "password 1");
  EXPECT_THAT(get("", kArn, "other"), StartsWith("UnauthorizedError: "));
  EXPECT_THAT(get(R"(, "refresh": true)", kArn, "other"), StartsWith("UnauthorizedError: "));
  EXPECT_THAT(get("", "line/other"), StartsWith("ResourceNotFoundError: "));
}

TEST_F(SecretManagerTest, WithoutItsServerADeviceGivesWhatItHasAlsoAfterARestart) {
  want();
  EXPECT_EQ(get(), "password 1");
  fail(ErrorCode::unavailable);
  EXPECT_EQ(get(R"(, "refresh": true)"), "password 1");
  start();
  want();
  EXPECT_EQ(get(), "password 1");
  EXPECT_EQ(get(R"(, "refresh": true)"), "password 1");
  EXPECT_THAT(note_, HasSubstr("as the test wants it"));
}

TEST_F(SecretManagerTest, OneThatIsNotThereYetSaysWhyAndComesByItself) {
  fail(ErrorCode::unavailable);
  want();
  EXPECT_THAT(get(), StartsWith("Error: "));
  EXPECT_THAT(get(), HasSubstr("as the test wants it"));
  const int asked = fetches();
  EXPECT_THAT(get(), StartsWith("Error: "));
  EXPECT_EQ(fetches(), asked) << "who asks over and over again must not storm the server";
  fail(std::nullopt);
  ASSERT_TRUE(run_fast_until(loop_, loop_clock_, [&] { return note_.empty(); }));
  EXPECT_EQ(get(), "password 1");
}

TEST_F(SecretManagerTest, TheConnectionsReturnEndsTheWait) {
  fail(ErrorCode::unavailable);
  want();
  EXPECT_THAT(get(), StartsWith("Error: "));
  fail(std::nullopt);
  manager_->connection_changed(true);
  ASSERT_TRUE(loop_.run_until([&] { return note_.empty(); }, std::chrono::seconds(20)));
  EXPECT_EQ(get(), "password 1");
}

TEST_F(SecretManagerTest, AFreshOneIsTheServersAndByThePeriodTheOthersBecomeSo) {
  configure(R"({"cloudSecrets": [{"arn": "line/mes"}], "periodicRefreshIntervalMin": 1})");
  EXPECT_EQ(get(), "password 1");
  put("AWSCURRENT", "v2", "password 2");
  EXPECT_EQ(get(), "password 1");
  EXPECT_EQ(get(R"(, "refresh": true)"), "password 2");
  put("AWSCURRENT", "v3", "password 3");
  loop_clock_.advance(std::chrono::seconds(59));
  EXPECT_EQ(get(), "password 2");
  loop_clock_.advance(std::chrono::seconds(1));
  wait_for_value("password 3");
}

TEST_F(SecretManagerTest, WhatTheServerHasDeletedGoesAndWhatItRefusesStays) {
  want();
  EXPECT_EQ(get(), "password 1");
  fail(ErrorCode::permission_denied);
  EXPECT_EQ(get(R"(, "refresh": true)"), "password 1");
  EXPECT_EQ(rows(), 1);
  fail(ErrorCode::not_found);
  EXPECT_THAT(get(R"(, "refresh": true)"), StartsWith("ResourceNotFoundError: "));
  EXPECT_EQ(rows(), 0);
  EXPECT_THAT(get(), StartsWith("ResourceNotFoundError: "));
  // Restored there, it is found again.
  fail(std::nullopt);
  loop_clock_.advance(std::chrono::seconds(10));
  EXPECT_EQ(get(), "password 1");
}

TEST_F(SecretManagerTest, WhatIsDamagedIsFetchedAnewAndNeverGiven) {
  want();
  EXPECT_EQ(get(), "password 1");
  for (const char* const sql :
       {"UPDATE secrets SET sealed = x'00'", "UPDATE secrets SET sealed = zeroblob(60)",
        "UPDATE secrets SET stages = '['", "DELETE FROM secrets"}) {
    damage(sql);
    EXPECT_EQ(get(), "password 1") << sql;
    EXPECT_EQ(rows(), 1) << sql;
  }
  damage("UPDATE secrets SET sealed = zeroblob(60)");
  fail(ErrorCode::unavailable);
  EXPECT_THAT(get(), StartsWith("Error: "));
  // A start with a row that cannot be read.
  damage("UPDATE secrets SET stages = '['");
  fail(std::nullopt);
  start();
  want();
  EXPECT_EQ(get(), "password 1");
}

TEST_F(SecretManagerTest, AValueIsNotOnTheDiskAndOpensWithNoOtherKeyNorInAnotherPlace) {
  put("BLUE", "v2", "password 2");
  want(kArn, R"(, "labels": ["BLUE"])");
  EXPECT_EQ(get(R"(, "versionStage": "BLUE")"), "password 2");
  ASSERT_EQ(rows(), 2);
  for (const char* const suffix : {"", "-wal"}) {
    const auto bytes =
        base::read_file_if_exists(directory_.path() / (std::string("config.db") + suffix));
    EXPECT_THAT(bytes.value_or(""), Not(HasSubstr("password"))) << suffix;
  }
  fail(ErrorCode::unavailable);
  damage("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE version = 'v2')");
  EXPECT_THAT(get(), StartsWith("Error: "));
  fail(std::nullopt);
  loop_clock_.advance(std::chrono::seconds(10));
  EXPECT_EQ(get(), "password 1");
  private_key_ = "another private key";
  EXPECT_EQ(get(), "password 1");  // fetched anew
  fail(ErrorCode::unavailable);
  EXPECT_EQ(get(), "password 1");
  private_key_ = "a third";
  EXPECT_THAT(get(), StartsWith("Error: "));
}

TEST_F(SecretManagerTest, WhatIsNotWantedAnyMoreLeavesTheDiskWithTheEndOfItsDeployment) {
  want();
  EXPECT_EQ(get(), "password 1");
  configuration_.reset();
  manager_->refresh();
  EXPECT_THAT(get(), StartsWith("ResourceNotFoundError: "));
  EXPECT_EQ(rows(), 1);  // it may be rolled back
  manager_->deployment_ended();
  EXPECT_EQ(rows(), 0);
}

TEST_F(SecretManagerTest, AWrongConfigurationIsNamed) {
  configure(R"({"cloudSecrets": [{"name": "line/mes"}]})");
  EXPECT_THAT(note_, HasSubstr("cloudSecrets"));
  want();
  EXPECT_EQ(note_, "");
  EXPECT_EQ(get(), "password 1");
}

TEST(SecretAnswer, IsReadAndWhatIsNoneIsRefusedWithoutAWordOfIt) {
  const SecretVersion text = read_secret_answer(
      R"({"ARN": "a", "Name": "n", "VersionId": "v", "VersionStages": ["S"], "SecretString": "x"})");
  EXPECT_EQ(text.value, R"({"secretString":"x"})");
  EXPECT_EQ(text.stages, (std::vector<std::string>{"S"}));
  EXPECT_EQ(
      read_secret_answer(R"({"ARN": "a", "Name": "n", "VersionId": "v", "SecretBinary": "aGk="})")
          .value,
      R"({"secretBinary":"aGk="})");
  for (const char* const wrong :
       {"", "[]", "{}", R"({"ARN": "a", "Name": "n", "VersionId": "v"})",
        R"({"ARN": "a", "Name": "n", "VersionId": "v", "SecretBinary": "hunter2!"})",
        R"({"ARN": "hunter2", "Name": "n", "VersionId": "", "SecretString": "hunter2"})"}) {
    try {
      static_cast<void>(read_secret_answer(wrong));
      ADD_FAILURE() << wrong;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::data_corrupted);
      EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
    }
  }
}

}  // namespace
}  // namespace andon::edge
