// SPDX-License-Identifier: Apache-2.0
#include "wire/git/git.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/os/process.hpp"

namespace andon::wire {
namespace {

TEST(GitUrlTest, IsAddressOfTheWebOrADirectory) {
  EXPECT_EQ(read_git_url("https://forge.example/a/b.git").web->host, "forge.example");
  EXPECT_EQ(read_git_url("file:///srv/git/a.git").directory, "/srv/git/a.git");
}

TEST(GitUrlTest, WhatWouldRunOrReadSomethingElseIsRefused) {
  for (const char* text : {"ext::sh -c touch% /tmp/x",
                           "ext::x",
                           "-u./x",
                           "--upload-pack=x",
                           "ssh://host/a",
                           "git@host:a/b.git",
                           "git://host/a",
                           "file://host/a",
                           "file:///a/../etc",
                           "file:///",
                           "file:///a/%2e%2e/b",
                           "https://user:password@host/a",
                           "https://host",
                           "https://host/a?b",
                           "fd::3",
                           "/srv/git/a.git",
                           "../a",
                           "http://host/a b",
                           "https://host/a\nb",
                           ""}) {
    EXPECT_THROW((void)read_git_url(text), base::Error) << text;
  }
}

TEST(GitNameTest, IsNoOptionAndNoExpression) {
  for (const char* name : {"HEAD", "main", "refs/heads/a-b_c.d", "v1.2.3", "feature/x#7"}) {
    EXPECT_TRUE(is_git_name(name)) << name;
  }
  for (const char* name : {"", "-x", "--upload-pack=x", "a..b", "a b", "a@{1}", "/a", "a/", ".a",
                           "a.lock", "a:b", "a^", "a~1", "a*", "+a", "a\\b"}) {
    EXPECT_FALSE(is_git_name(name)) << name;
  }
}

class GitTest : public testing::Test {
 protected:
  void run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"git", "-C", work_.string(), "-c", "user.name=n", "-c",
                                         "user.email=e@example.com"});
    base::Process process(
        {.arguments = arguments,
         .environment = {{"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_CONFIG_NOSYSTEM", "1"}}});
    ASSERT_TRUE(process.wait(std::chrono::seconds(60)).value_or(base::ExitStatus{1, 0}).ok());
  }
  void commit(const std::string& text) {
    base::write_file_atomically(work_ / "file", text);
    run({"add", "file"});
    run({"commit", "--quiet", "-m", text});
  }
  void SetUp() override {
    base::make_directories(work_, 0755);
    run({"init", "--quiet", "--initial-branch=main"});
    commit("one");
  }

  base::TemporaryDirectory directory_;
  base::fs::path work_ = directory_.path() / "work";
  GitOptions options_{.home = directory_.path() / "home"};
  GitUrl url_ = read_git_url("file://" + work_.string());
};

TEST_F(GitTest, ARefNamesItsCommit) {
  const auto first = git_ls_remote(url_, "refs/heads/main", std::nullopt, options_);
  ASSERT_TRUE(first && is_git_commit(*first));
  commit("two");
  const auto second = git_ls_remote(url_, "refs/heads/main", std::nullopt, options_);
  EXPECT_NE(first, second);
  EXPECT_EQ(git_ls_remote(url_, "HEAD", std::nullopt, options_), second);
  // Another that only ends like it is not meant.
  run({"update-ref", "refs/x/refs/heads/gone", *second});
  EXPECT_EQ(git_ls_remote(url_, "refs/heads/gone", std::nullopt, options_), std::nullopt);
}

TEST_F(GitTest, ACheckoutIsOfABranchATagOrACommit) {
  const std::string first = *git_ls_remote(url_, "HEAD", std::nullopt, options_);
  run({"tag", "v1"});
  commit("two");
  const auto out = [&](const char* name) { return directory_.path() / name; };
  EXPECT_NE(git_checkout(url_, "main", 1, out("a"), std::nullopt, options_), first);
  EXPECT_EQ(base::read_file(out("a") / "file"), "two");
  EXPECT_EQ(git_checkout(url_, "v1", 1, out("b"), std::nullopt, options_), first);
  EXPECT_EQ(base::read_file(out("b") / "file"), "one");
  EXPECT_EQ(git_checkout(url_, first, 0, out("c"), std::nullopt, options_), first);
  EXPECT_EQ(base::read_file(out("c") / "file"), "one");
}

TEST_F(GitTest, WhatIsNoRepositoryIsSaidInGitsWords) {
  const GitUrl nothing = read_git_url("file://" + (directory_.path() / "nothing").string());
  try {
    (void)git_ls_remote(nothing, "HEAD", std::nullopt, options_);
    ADD_FAILURE();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::unavailable);
    EXPECT_NE(error.message().find("nothing"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace andon::wire
