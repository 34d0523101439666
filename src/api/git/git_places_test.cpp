// SPDX-License-Identifier: Apache-2.0
#include "api/git/git_places.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

namespace fs = base::fs;
using testing::HasSubstr;

TEST(GitPlacesTest, OnlyWhatIsListedMayBeAskedFor) {
  base::TemporaryDirectory directory;
  const fs::path allowed = directory.path() / "allowed";
  const fs::path other = directory.path() / "other";
  for (const fs::path& one : {allowed / "a.git", other / "b.git"}) {
    base::make_directories(one, 0755);
  }
  fs::create_symlink(other / "b.git", allowed / "link.git");
  const GitPlaces places({"forge.example", "http://10.0.0.5:3000", "*.plant", allowed.string()});
  for (const std::string& url :
       {std::string("https://forge.example/a.git"), std::string("http://10.0.0.5:3000/a"),
        std::string("https://git.plant/a"), "file://" + (allowed / "a.git").string(),
        "file://" + (allowed / "not/yet.git").string()}) {
    EXPECT_EQ(places.check(url).text, url);
  }
  for (const std::string& url :
       {std::string("http://forge.example/a.git"), std::string("https://forge.example:8443/a"),
        std::string("https://other.example/a"), std::string("https://plant/a"),
        "file://" + (other / "b.git").string(), "file://" + (allowed / "link.git").string(),
        "file://" + (directory.path() / "allowed-not/a.git").string()}) {
    EXPECT_THROW((void)places.check(url), base::Error) << url;
  }
  EXPECT_THROW((void)GitPlaces().check("https://forge.example/a.git"), base::Error);
  EXPECT_THROW(GitPlaces({"/nonexistent"}), base::Error);
  EXPECT_THROW(GitPlaces({"/"}), base::Error);
}

TEST(GitLoginTest, IsReadOfASecretAndNeverShown) {
  EXPECT_EQ(git_login("token\n").password, "token");
  EXPECT_EQ(git_login(R"({"Token": "t", "AuthType": "PERSONAL_ACCESS_TOKEN"})").password, "t");
  const auto login = git_login(R"({"username": "eva", "password": "p:q"})");
  EXPECT_EQ(login.user + "/" + login.password, "eva/p:q");
  for (const char* secret : {"", "{}", "{\"username\": \"hidden\"}", "{hidden", "a\nhidden",
                             R"({"username": "a:b", "password": "hidden"})"}) {
    try {
      (void)git_login(secret);
      ADD_FAILURE() << secret;
    } catch (const base::Error& error) {
      EXPECT_THAT(error.message(), testing::Not(HasSubstr("hidden")));
    }
  }
}

}  // namespace
}  // namespace andon::api
