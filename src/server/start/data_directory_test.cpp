// SPDX-License-Identifier: Apache-2.0
#include "server/start/data_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "server/start/ports.hpp"
#include "server/start/served_addresses.hpp"

namespace andon::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DataDirectoryOnDisk : public testing::Test {
 protected:
  DataDirectoryOnDisk() {
    options_.data = parent_.path() / "data";
    options_.api_port = options_.device_port = options_.mqtt_port = 0;
    options_.device_address = "127.0.0.1";
  }
  base::TemporaryDirectory parent_;
  base::SystemClock clock_;
  ServerOptions options_;
};

TEST_F(DataDirectoryOnDisk, IsMadeOnceWithAKeyForTheOperator) {
  std::string first;
  {
    const DataDirectory data(options_, clock_);
    EXPECT_EQ(data.written().size(), 11U);
    first = base::read_file(data.operator_key_file());
    const base::json::value document = base::parse_json(first, "key");
    const base::JsonReader key(document, "key");
    EXPECT_THAT(key.string("accessKeyId"), HasSubstr("AKIA"));
    EXPECT_EQ(key.string("secretAccessKey"), data.operator_key().secret);
    EXPECT_EQ(key.string("region"), "us-east-1");
    struct stat status {};
    ASSERT_EQ(stat(data.operator_key_file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    ASSERT_EQ(stat(data.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
  }
  const DataDirectory again(options_, clock_);
  EXPECT_THAT(again.written(), IsEmpty());
  EXPECT_EQ(base::read_file(again.operator_key_file()), first);
}

class SealedTables : public DataDirectoryOnDisk, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Each, SealedTables,
                         testing::Values("connections", "parameter_versions", "secret_versions"));

TEST_P(SealedTables, TheirKeyIsNotReplacedWhileTheyHoldSomething) {
  const std::string table = GetParam();
  const base::fs::path file = options_.data / "credentials/sealing.key";
  std::string sealed;
  {
    DataDirectory data(options_, clock_);
    sealed = data.sealing_key().seal("secret", "c");
    struct stat status {};
    ASSERT_EQ(stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    data.database().write(
        [&](store::Transaction& tx) { tx.execute("CREATE TABLE " + table + " (name TEXT)"); });
  }
  EXPECT_EQ(DataDirectory(options_, clock_).sealing_key().open(sealed, "c"), "secret");
  const std::string content = base::read_file(file);
  base::fs::remove(file);
  {
    DataDirectory data(options_, clock_);  // nothing is lost: nothing is sealed
    EXPECT_NE(base::read_file(file), content);
    data.database().write([&](store::Transaction& tx) {
      tx.execute("INSERT INTO " + table + " (name) VALUES ('mes')");
    });
  }
  for (const std::string& other : {std::string(), std::string("no key"), content}) {
    if (other.empty()) {
      base::fs::remove(file);
    } else {
      base::write_file_atomically(file, other);
    }
    try {
      const DataDirectory data(options_, clock_);
      ADD_FAILURE() << "it was taken";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::data_corrupted);
      EXPECT_THAT(error.message(), HasSubstr("sealing.key"));
    }
  }
}

TEST_F(DataDirectoryOnDisk, WritesTheKeyFileAnewWhereItIsGone) {
  std::string first;
  {
    const DataDirectory data(options_, clock_);
    first = base::read_file(data.operator_key_file());
    base::fs::remove(data.operator_key_file());
  }
  const DataDirectory again(options_, clock_);
  EXPECT_THAT(again.written(), ElementsAre(again.operator_key_file()));
  EXPECT_EQ(base::read_file(again.operator_key_file()), first);
}

TEST_F(DataDirectoryOnDisk, GivesTheOperatorAnotherKeyWhenTheFirstWasDisabled) {
  std::string first;
  {
    DataDirectory data(options_, clock_);
    first = data.operator_key().id;
    data.access_keys().disable(first);
  }
  const DataDirectory again(options_, clock_);
  EXPECT_NE(again.operator_key().id, first);
}

TEST_F(DataDirectoryOnDisk, HasACertificateForTheAddressesThatAreListenedOn) {
  options_.device_address = "127.0.0.7";
  options_.hosts = {"plant.example"};
  const DataDirectory data(options_, clock_);
  const auto info =
      trust::describe_certificate(base::read_file(data.authority().server().certificate));
  EXPECT_THAT(info.ip_addresses, ElementsAre("127.0.0.1", "::1", "127.0.0.7"));
  EXPECT_THAT(info.dns_names, ElementsAre("localhost", "plant.example"));
}

TEST_F(DataDirectoryOnDisk, KnowsUnderWhichAddressesItWasServedAndHasACertificateForThem) {
  base::Timestamp now = clock_.now();
  const auto start = [&](const char* host, std::uint16_t port) {
    now += std::chrono::seconds{1};
    options_.hosts = {host};
    DataDirectory data(options_, clock_);
    auto addresses =
        note_served_address(data.database(), options_, {.device = port, .mqtt = port}, now);
    const auto info =
        trust::describe_certificate(base::read_file(data.authority().server().certificate));
    return std::pair(std::move(addresses), info.dns_names);
  };
  EXPECT_FALSE(start("a", 1).first);
  EXPECT_FALSE(start("a", 1).first);
  auto [addresses, names] = start("b", 1);
  ASSERT_TRUE(addresses);
  EXPECT_EQ(addresses->now, (fleet::ServerAddress{{"b", 1}, {"b", 1}}));
  EXPECT_THAT(addresses->before, ElementsAre(fleet::ServerAddress{{"a", 1}, {"a", 1}}));
  EXPECT_THAT(names, ElementsAre("localhost", "b", "a"));
  addresses = start("a", 1).first;
  EXPECT_THAT(addresses->before, ElementsAre(fleet::ServerAddress{{"b", 1}, {"b", 1}}));
  // The last few only.
  for (std::uint16_t port = 2; port < 20; ++port) addresses = start("c", port).first;
  EXPECT_EQ(addresses->before.size(), fleet::kMaxAddressesBefore);
  EXPECT_EQ(addresses->before.front().mqtt.port, 18);
  EXPECT_THAT(start("c", 20).second, ElementsAre("localhost", "c"));
}

TEST_F(DataDirectoryOnDisk, BelongsToOneServerAtATime) {
  const DataDirectory data(options_, clock_);
  try {
    const DataDirectory second(options_, clock_);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::failed_precondition);
  }
}

TEST_F(DataDirectoryOnDisk, IsNeverBegunAnewBesideWhatWasThere) {
  { const DataDirectory data(options_, clock_); }
  const auto refusal = [&]() -> std::string {
    try {
      const DataDirectory data(options_, clock_);
      return {};
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::data_corrupted);
      return error.message();
    }
  };
  for (const char* name : {"andon.db", "workflow.db", "logs.db", "results.db"}) {
    SCOPED_TRACE(name);
    const base::fs::path file = options_.data / name;
    const std::string content = base::read_file(file);
    base::fs::remove(file);
    EXPECT_THAT(refusal(), HasSubstr("is missing"));
    (void)store::open_sqlite(file);  // a sound one with nothing in it
    EXPECT_THAT(refusal(), HasSubstr("holds nothing of andon's"));
    base::write_file_atomically(file, "");
    EXPECT_THAT(refusal(), HasSubstr("is empty"));
    base::write_file_atomically(file, content, 0600);
    EXPECT_EQ(refusal(), "");
  }
}

TEST_F(DataDirectoryOnDisk, RemembersThePortsThatWereChosenFreely) {
  base::make_directories(options_.data);
  const Ports ports = choose_ports(options_);
  EXPECT_NE(ports.api, 0);
  EXPECT_NE(ports.api, ports.device);
  EXPECT_NE(ports.device, ports.mqtt);
  EXPECT_EQ(choose_ports(options_), ports);
  base::write_file_atomically(options_.data / "ports.json", "nonsense");
  EXPECT_NE(choose_ports(options_).api, 0);
}

TEST_F(DataDirectoryOnDisk, AnnouncesWhereTheServerIs) {
  base::make_directories(options_.data);
  options_.hosts = {"plant.example"};
  announce(options_.data, server_urls(options_, {.api = 1, .device = 2, .mqtt = 3}));
  EXPECT_EQ(base::to_text(base::parse_json(base::read_file(options_.data / "server.json"), "x")),
            R"({"api":"http://127.0.0.1:1","devicePlane":"https://plant.example:2",)"
            R"("mqtt":{"host":"plant.example","port":3}})");
  withdraw_announcement(options_.data);
  EXPECT_FALSE(base::fs::exists(options_.data / "server.json"));
  options_.api_address = "0.0.0.0";
  EXPECT_EQ(server_urls(options_, {.api = 1}).api, "https://plant.example:1");
}

TEST(ServerOptionsCheck, NamesWhatIsWrong) {
  const auto problem = [](const ServerOptions& options) -> std::string {
    try {
      check_server_options(options);
      return {};
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      return error.message();
    }
  };
  EXPECT_EQ(problem({}), "");
  EXPECT_THAT(problem({.hosts = {}}), HasSubstr("--host"));
  EXPECT_THAT(problem({.hosts = {"a/b"}}), HasSubstr("'a/b'"));
  EXPECT_THAT(problem({.region = "Mars!"}), HasSubstr("'Mars!'"));
  EXPECT_THAT(problem({.api_port = 8443}), HasSubstr("must differ"));
  EXPECT_THAT(problem({.http_allow = {"a/b"}}), HasSubstr("--http-allow: 'a/b'"));
  EXPECT_THAT(problem({.http_ca = "/none"}), HasSubstr("--http-ca '/none'"));
  EXPECT_EQ(problem({.api_port = 0, .device_port = 0, .mqtt_port = 0}), "");
}

}  // namespace
}  // namespace andon::server
