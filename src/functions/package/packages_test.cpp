// SPDX-License-Identifier: Apache-2.0
#include "functions/package/packages.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "store/testing/zip_writer.hpp"

namespace andon::functions {
namespace {

class PackagesTest : public testing::Test {
 protected:
  std::string zip(const std::vector<store::ZipEntry>& entries) {
    const fs::path file = directory_.path() / "made.zip";
    store::write_zip(file, entries);
    return base::read_file(file);
  }

  base::TemporaryDirectory directory_;
  base::SystemClock clock_;
  std::unique_ptr<store::Database> database_ = store::open_sqlite(directory_.path() / "db");
  store::ObjectStore objects_{*database_, directory_.path() / "objects", clock_};
  Packages packages_{{.directory = directory_.path() / "packages"}, objects_};
};

TEST_F(PackagesTest, OneIsUnpackedOnceAndAgainWhereItIsGone) {
  const Code code = packages_.add(zip({{"app.py", "x = 1\n"}}));
  const fs::path place = packages_.ensure(code);
  EXPECT_EQ(base::read_file(place / "app.py"), "x = 1\n");
  struct stat status {};
  stat((place / "app.py").c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
  fs::remove_all(place);
  EXPECT_EQ(base::read_file(packages_.ensure(code) / "app.py"), "x = 1\n");
}

TEST_F(PackagesTest, WhatIsNoArchiveOrLeavesItsDirectoryIsRefusedAndLeavesNothing) {
  for (const std::string& bytes : {std::string("no zip"), zip({{"../out", "x"}})}) {
    try {
      (void)packages_.add(bytes);
      ADD_FAILURE();
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_TRUE(error.message().starts_with("Could not unzip uploaded file.")) << error.message();
    }
  }
  EXPECT_TRUE(fs::is_empty(directory_.path() / "packages"));
}

TEST_F(PackagesTest, RequirementsAreNamesWithVersionsAndNoMore) {
  EXPECT_EQ(read_requirements("# tools\nboto3>=1.34,<2 # the SDK\n\nrequests[socks]==2.31; "
                              "python_version >= '3.9'\r\n"),
            (std::vector<std::string>{"boto3>=1.34,<2",
                                      "requests[socks]==2.31; python_version >= '3.9'"}));
  for (const char* line : {"-e .", "--index-url http://x", "./local", "x @ file:///etc", "/etc/x",
                           "git+https://x/y", "a\\", "$(id)", "-r other.txt"}) {
    EXPECT_THROW((void)read_requirements(line), base::Error) << line;
  }
}

}  // namespace
}  // namespace andon::functions
