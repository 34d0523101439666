// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/library_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace andon::vision {
namespace {

namespace fs = base::fs;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class LibrarySearch : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / (std::string("library-search-") + test->name());
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void put(const fs::path& path) {
    fs::create_directories((root_ / path).parent_path());
    base::write_file_atomically(root_ / path, "");
  }
  std::vector<std::string> found() {
    std::vector<std::string> names;
    for (const fs::path& it : libraries_below(root_, looked_in_)) {
      names.push_back(it.lexically_relative(root_).string());
    }
    return names;
  }

  std::vector<std::string> around(const fs::path& program) {
    std::vector<std::string> names;
    for (const fs::path& it : libraries_around(root_ / program, looked_in_)) {
      names.push_back(it.lexically_relative(root_).string());
    }
    return names;
  }

  fs::path root_;
  std::vector<fs::path> looked_in_;
};

TEST_F(LibrarySearch, TakesTheSonameFirstAndThenTheNewestVersion) {
  for (const char* name : {"libonnxruntime.so.1.9.1", "libonnxruntime.so.1.32.0",
                           "libonnxruntime.so", "libonnxruntime.so.1"}) {
    put(name);
  }
  EXPECT_THAT(found(), ElementsAre("libonnxruntime.so.1", "libonnxruntime.so",
                                   "libonnxruntime.so.1.32.0", "libonnxruntime.so.1.9.1"));
}

TEST_F(LibrarySearch, FindsTheLibraryOfReleasesAndOfPythonPackages) {
  put("lib/libonnxruntime.so.1.28.0");
  put("lib64/libonnxruntime.so");
  put("capi/libonnxruntime.so.1.31.1");
  put("onnxruntime/capi/libonnxruntime.so.1.24.1");
  put("lib/python3.11/site-packages/onnxruntime/capi/libonnxruntime.so.1.30.0");
  EXPECT_THAT(found(), ElementsAre("lib/libonnxruntime.so.1.28.0", "lib64/libonnxruntime.so",
                                   "capi/libonnxruntime.so.1.31.1",
                                   "onnxruntime/capi/libonnxruntime.so.1.24.1",
                                   "lib/python3.11/site-packages/onnxruntime/capi/"
                                   "libonnxruntime.so.1.30.0"));
}

TEST_F(LibrarySearch, LooksBesideAnInstalledProgramAndInItsLib) {
  put("onnxruntime/lib/libonnxruntime.so.1.28.0");
  EXPECT_THAT(around("usr/bin/andon-inspect"),
              ElementsAre("usr/bin/libonnxruntime.so.1", "usr/bin/libonnxruntime.so",
                          "usr/lib/libonnxruntime.so.1", "usr/lib/libonnxruntime.so"));
  EXPECT_THAT(looked_in_, IsEmpty());
}

TEST_F(LibrarySearch, FindsWhatWasFetchedIntoTheBuildTreeOfTheProgram) {
  put("build/release/CMakeCache.txt");
  put("build/onnxruntime/lib/libonnxruntime.so.1.28.0");
  EXPECT_THAT(around("build/release/bin/andon-inspect"),
              Contains("build/onnxruntime/lib/libonnxruntime.so.1.28.0"));
}

TEST_F(LibrarySearch, LeavesOtherFilesAndTellsWhereItLooked) {
  for (const char* name : {"libonnxruntime_providers_cuda.so", "libonnxruntime.so.1.x",
                           "libonnxruntime.so.old", "libonnxruntime.a"}) {
    put(name);
  }
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_THAT(looked_in_, Contains(root_ / "capi"));
}

}  // namespace
}  // namespace andon::vision
