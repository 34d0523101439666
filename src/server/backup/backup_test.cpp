// SPDX-License-Identifier: Apache-2.0
#include "server/backup/backup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "server/backup/data_check.hpp"
#include "server/backup/sealing_file.hpp"
#include "server/start/data_directory.hpp"
#include "store/objects/blob_directory.hpp"
#include "trust/digests/digest.hpp"
#include "trust/keys/seal.hpp"

namespace andon::server {
namespace {

using base::ErrorCode;
using base::fs::path;
using testing::HasSubstr;
using testing::IsEmpty;

class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    options_.data = parent_.path() / "data";
    DataDirectory data(options_, clock_);
    data.objects().create_bucket("models");
    for (const char* content : {"one", "two"}) put(data, content);
    operator_key_ = base::read_file(data.operator_key_file());
  }
  static void put(DataDirectory& data, const std::string& content) {
    bool is_done = false;
    data.objects().put("models", content,
                       [&](char* buffer, std::size_t size) -> std::size_t {
                         if (std::exchange(is_done, true)) return 0;
                         return content.copy(buffer, size);
                       },
                       {});
  }
  [[nodiscard]] static path blob_of(const path& data, const std::string& content) {
    return store::blob_file(data / kObjectsDirectory, trust::sha256_hex(content));
  }
  template <typename Work>
  static void expect_error(const Work& work, ErrorCode code, const std::string& says) {
    try {
      work();
      ADD_FAILURE() << "no error was thrown";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), code) << error.message();
      EXPECT_THAT(error.message(), HasSubstr(says));
    }
  }

  base::TemporaryDirectory parent_;
  base::SystemClock clock_;
  ServerOptions options_;
  path backup_ = parent_.path() / "backup";
  std::string operator_key_;
};

TEST_F(BackupTest, IsMadeBesideARunningServerAndGoesOnElsewhere) {
  {
    DataDirectory running(options_, clock_);
    EXPECT_EQ(make_backup(options_.data, backup_, clock_.now()).blobs, 2U);
    put(running, "three");
  }
  const path ca = options_.data / "ca/ca.crt";
  const std::string ca_before = base::read_file(ca);
  options_.data = parent_.path() / "another";
  EXPECT_EQ(restore_backup(backup_, options_.data).blobs, 2U);
  EXPECT_THAT(check_data(options_.data).problems, IsEmpty());
  DataDirectory data(options_, clock_);
  EXPECT_THAT(data.written(), IsEmpty());
  EXPECT_EQ(base::read_file(options_.data / "ca/ca.crt"), ca_before);
  EXPECT_EQ(base::read_file(data.operator_key_file()), operator_key_);
  EXPECT_TRUE(data.objects().open("models", "one"));
  EXPECT_FALSE(data.objects().open("models", "three"));
}

TEST_F(BackupTest, EveryVersionOfAnObjectGoesWithIt) {
  {
    DataDirectory data(options_, clock_);
    data.objects().set_versioning("models", store::Versioning::enabled);
    data.objects().remove("models", "one");
  }
  EXPECT_EQ(make_backup(options_.data, backup_, clock_.now()).blobs, 2U);
  options_.data = parent_.path() / "another";
  EXPECT_EQ(restore_backup(backup_, options_.data).blobs, 2U);
  EXPECT_THAT(check_data(options_.data).problems, IsEmpty());
  {
    DataDirectory data(options_, clock_);
    EXPECT_FALSE(data.objects().open("models", "one"));
    EXPECT_TRUE(data.objects().open("models", "one", "null"));
  }
  base::fs::remove(blob_of(options_.data, "one"));
  EXPECT_THAT(check_data(options_.data).problems,
              testing::ElementsAre(HasSubstr("is missing, an object's content")));
}

TEST_F(BackupTest, PutsNothingOverWhatIsThere) {
  make_backup(options_.data, backup_, clock_.now());
  expect_error([&] { make_backup(options_.data, backup_, clock_.now()); },
               ErrorCode::already_exists, "give a new name");
  expect_error([&] { restore_backup(backup_, options_.data); }, ErrorCode::already_exists,
               "is not empty");
  expect_error([&] { restore_backup(parent_.path(), parent_.path() / "new"); },
               ErrorCode::not_found, "is no backup");
  expect_error([&] { make_backup(parent_.path(), parent_.path() / "b", clock_.now()); },
               ErrorCode::not_found, "no data directory");
}

TEST_F(BackupTest, OfDamagedDataIsNotMade) {
  base::write_file_atomically(blob_of(options_.data, "one"), "0ne", 0600);
  expect_error([&] { make_backup(options_.data, backup_, clock_.now()); },
               ErrorCode::data_corrupted, "another content");
  EXPECT_FALSE(base::fs::exists(backup_));
}

TEST_F(BackupTest, IsNotMadeWithoutTheKeyThatOpensIt) {
  {
    DataDirectory data(options_, clock_);
    data.database().write([](store::Transaction& tx) {
      tx.execute("CREATE TABLE secret_versions (name TEXT)");
      tx.execute("INSERT INTO secret_versions (name) VALUES ('a')");
    });
  }
  const path key = options_.data / kSealingKeyFile;
  make_backup(options_.data, backup_, clock_.now());
  EXPECT_EQ(base::read_file(backup_ / kSealingKeyFile), base::read_file(key));
  base::fs::remove(key);
  expect_error([&] { make_backup(options_.data, parent_.path() / "b", clock_.now()); },
               ErrorCode::data_corrupted, "sealing.key' is missing");
  write_key_file(options_.data / kSealingKeyFile, trust::SealingKey::make());
  expect_error([&] { make_backup(options_.data, parent_.path() / "b", clock_.now()); },
               ErrorCode::data_corrupted, "sealing.key' is another key");
  EXPECT_THAT(check_data(options_.data).problems,
              testing::ElementsAre(HasSubstr("sealing.key' is another key")));
  EXPECT_FALSE(base::fs::exists(parent_.path() / "b"));
}

TEST_F(BackupTest, ThatIsDamagedIsNotPutBack) {
  make_backup(options_.data, backup_, clock_.now());
  const auto refuse = [&](const char* name, const std::string& says) {
    const path data = parent_.path() / name;
    expect_error([&] { restore_backup(backup_, data); }, ErrorCode::data_corrupted, says);
    EXPECT_FALSE(base::fs::exists(data / kDatabaseFile));
  };
  const path blob = blob_of(backup_, "two");
  base::fs::rename(blob, parent_.path() / "aside");
  base::write_file_atomically(blob, "tw0");
  refuse("a", "another content");
  base::fs::rename(parent_.path() / "aside", blob);
  const std::string database = base::read_file(backup_ / kDatabaseFile);
  base::write_file_atomically(backup_ / kDatabaseFile, database.substr(0, 4096));
  refuse("b", "another content");
  base::write_file_atomically(backup_ / kDatabaseFile, database);
  base::write_file_atomically(backup_ / "backup.json",
                              R"({"format":1,"files":{"../outside":"x"}})");
  refuse("c", "names a file");
}

TEST_F(BackupTest, ACheckNamesEveryDamage) {
  EXPECT_THAT(check_data(options_.data).problems, IsEmpty());
  EXPECT_EQ(check_data(options_.data).blobs, 2U);
  base::fs::remove(blob_of(options_.data, "one"));
  base::write_file_atomically(blob_of(options_.data, "two"), "tw0");
  base::write_file_atomically(options_.data / "ca/ca.key", trust::make_private_key());
  base::write_file_atomically(options_.data / kWorkflowDatabaseFile, "");
  const auto problems = check_data(options_.data).problems;
  EXPECT_EQ(problems.size(), 4U);
  std::string all;
  for (const std::string& problem : problems) all += problem + "\n";
  for (const char* says :
       {"workflow.db", "does not belong to", "is missing, an object's", "another content"}) {
    EXPECT_THAT(all, HasSubstr(says));
  }
}

}  // namespace
}  // namespace andon::server
