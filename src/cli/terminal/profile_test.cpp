// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::cli {
namespace {

using base::Error;
using testing::ElementsAre;
using testing::HasSubstr;

class ProfilesTest : public testing::Test {
 protected:
  static Profile plant(const std::string& name) {
    return {.name = name,
            .api_url = "https://" + name + ":8080",
            .ca_pem = "a certificate",
            .region = "us-east-1",
            .credentials = {"AKIAX", "secret", ""}};
  }

  base::TemporaryDirectory directory_;
  Profiles profiles_{directory_.path() / "servers"};
};

TEST_F(ProfilesTest, TheOneSignedInToLastIsChosenUntilItIsForgotten) {
  EXPECT_EQ(profiles_.chosen(), std::nullopt);
  profiles_.save(plant("north"));
  profiles_.save(plant("south"));
  EXPECT_EQ(profiles_.chosen(), "south");
  EXPECT_THAT(profiles_.names(), ElementsAre("north", "south"));
  const Connection north = profiles_.read("north");
  EXPECT_EQ(north.api_url, "https://north:8080");
  EXPECT_EQ(north.credentials.secret_access_key, "secret");
  EXPECT_EQ(base::read_file(north.ca_file), "a certificate");
  profiles_.remove("south");
  EXPECT_EQ(profiles_.chosen(), std::nullopt);
  EXPECT_THAT(profiles_.names(), ElementsAre("north"));
}

TEST_F(ProfilesTest, KeysAreForTheirOwnerAlone) {
  profiles_.save(plant("north"));
  for (const auto& entry : base::fs::directory_iterator(directory_.path() / "servers")) {
    EXPECT_EQ(entry.status().permissions() & base::fs::perms(0077), base::fs::perms::none)
        << entry.path();
  }
}

TEST_F(ProfilesTest, AnUnknownServerIsRefusedWithThoseThatAreKnown) {
  profiles_.save(plant("north"));
  try {
    (void)profiles_.read("nroth");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::not_found);
    EXPECT_THAT(error.message(), HasSubstr("there are: north"));
  }
}

TEST_F(ProfilesTest, ANameLeadsOutOfTheDirectoryNowhere) {
  for (const char* name : {"", "..", "../x", "a/b", ".hidden", "a\nb"}) {
    EXPECT_THROW(profiles_.save(plant(name)), Error) << name;
    EXPECT_THROW((void)profiles_.read(name), Error) << name;
  }
}

}  // namespace
}  // namespace andon::cli
