// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/error/error.hpp"

namespace andon::cli {
namespace {

namespace fs = base::fs;
using testing::AllOf;
using testing::HasSubstr;

class DemoOutputTest : public testing::Test {
 protected:
  std::string refusal() const {
    try {
      const DemoOutput output(out);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::failed_precondition);
      return error.message();
    }
    return "";
  }

  base::TemporaryDirectory directory;
  fs::path out = directory.path() / "out";
};

TEST_F(DemoOutputTest, ReplacesWhatADemoMade) {
  {
    const DemoOutput first(out);
    base::write_file_atomically(first.state() / "server.log", "old");
    base::make_directories(first.state() / "server");
    base::write_file_atomically(out / "results.jsonl", "old");
  }
  base::write_file_atomically(out / "mine.txt", "a user's");
  const DemoOutput second(out);
  EXPECT_FALSE(fs::exists(second.state() / "server.log"));
  EXPECT_FALSE(fs::exists(second.state() / "server"));
  EXPECT_EQ(base::read_file(out / "mine.txt"), "a user's");
}

TEST_F(DemoOutputTest, TouchesNothingThatSomebodyElseMade) {
  const std::pair<const char*, std::function<void(const fs::path&)>> table[] = {
      {"state", [](const fs::path& path) { base::write_file_atomically(path, "a file"); }},
      {"state",
       [](const fs::path& path) {
         base::make_directories(path);
         base::write_file_atomically(path / "thesis.txt", "a directory");
       }},
      {"state",
       [this](const fs::path& path) {
         base::make_directories(directory.path() / "elsewhere");
         fs::create_directory_symlink(directory.path() / "elsewhere", path);
       }},
      {"state", [](const fs::path& path) { fs::create_symlink("/nonexistent", path); }},
      {"results.jsonl", [](const fs::path& path) { base::write_file_atomically(path, "mine"); }},
      {"annotated", [](const fs::path& path) { base::make_directories(path); }},
      {"aws-credentials", [](const fs::path& path) { base::write_file_atomically(path, "key"); }},
      {".andon-demo", [](const fs::path& path) { fs::create_symlink("/nonexistent", path); }},
      {".andon-demo", [](const fs::path& path) { base::make_directories(path); }},
  };
  for (const auto& [name, make] : table) {
    base::make_directories(out);
    make(out / name);
    EXPECT_THAT(refusal(), AllOf(HasSubstr((out / name).string()), HasSubstr("--out"))) << name;
    EXPECT_EQ(std::distance(fs::directory_iterator(out), {}), 1) << name;
    EXPECT_TRUE(fs::symlink_status(out / name).type() != fs::file_type::not_found);
    fs::remove_all(out);
    fs::remove_all(directory.path() / "elsewhere");
  }
}

TEST_F(DemoOutputTest, AForeignStateInADemosDirectoryIsLeftToo) {
  { const DemoOutput first(out); }
  fs::remove_all(out / "state");
  base::make_directories(out / "state");
  base::write_file_atomically(out / "state" / "thesis.txt", "a user's");
  EXPECT_THAT(refusal(), HasSubstr("was not made by a demo"));
  EXPECT_EQ(base::read_file(out / "state" / "thesis.txt"), "a user's");
}

TEST_F(DemoOutputTest, IsHeldByOneDemoAtATime) {
  const DemoOutput first(out);
  base::write_file_atomically(first.state() / "server.log", "running");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("another demo is running"), HasSubstr(out.string())));
  EXPECT_EQ(base::read_file(first.state() / "server.log"), "running");
}

TEST_F(DemoOutputTest, TakesOverWhatACrashWhileEmptyingLeft) {
  {
    const DemoOutput first(out);
    base::write_file_atomically(first.state() / "server.log", "old");
  }
  // Emptied as far as the mark, or the mark not yet written.
  fs::remove(out / "state" / "server.log");
  { const DemoOutput second(out); }
  fs::remove(out / "state" / ".andon-demo");
  EXPECT_EQ(refusal(), "");
}

TEST_F(DemoOutputTest, AFileAsItsNameIsRefused) {
  base::write_file_atomically(out, "a file");
  EXPECT_THROW(DemoOutput{out}, base::Error);
  EXPECT_EQ(base::read_file(out), "a file");
}

}  // namespace
}  // namespace andon::cli
