// SPDX-License-Identifier: Apache-2.0
#include "cli/component/import_source.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::fs::path;

class ImportSourceTest : public testing::Test {
 protected:
  path write(const std::string& place, const std::string& text = "x") {
    const path file = folder_.path() / place;
    base::fs::create_directories(file.parent_path());
    base::write_file_atomically(file, text);
    return file;
  }
  [[nodiscard]] const path& folder() const { return folder_.path(); }
  [[nodiscard]] std::optional<path> artifact(const ImportSource& source,
                                             const std::string& uri) const {
    return find_import_artifact(source, source.recipes.front(), "com.ex.A", "1.0.0", uri);
  }

 private:
  base::TemporaryDirectory folder_;
};

TEST_F(ImportSourceTest, AFolderHasARecipeAndItsFilesBeside) {
  write("recipe.yaml");
  write("README.json");
  const path program = write("bin/program");
  const ImportSource source = find_import_source(folder());
  ASSERT_EQ(source.recipes.size(), 1U);
  EXPECT_EQ(source.recipes.front().filename(), "recipe.yaml");
  EXPECT_EQ(artifact(source, "bin/program"), program);
  EXPECT_FALSE(artifact(source, "bin/other"));
}

TEST_F(ImportSourceTest, WhatTheGdkHasBuiltIsTakenAndNotItsSources) {
  write("gdk-config.json");
  write("recipe.yaml");
  write("greengrass-build/recipes/recipe.yaml");
  const path archive = write("greengrass-build/artifacts/com.ex.A/1.0.0/a.zip");
  const ImportSource source = find_import_source(folder());
  ASSERT_EQ(source.recipes.size(), 1U);
  EXPECT_EQ(source.recipes.front().parent_path().parent_path().filename(), "greengrass-build");
  EXPECT_EQ(artifact(source, "s3://BUCKET_NAME/COMPONENT_NAME/COMPONENT_VERSION/a.zip"), archive);
  EXPECT_EQ(artifact(source, "greengrass:a.zip"), archive);
}

TEST_F(ImportSourceTest, AFolderOfTheGdkThatIsNotBuiltSaysSo) {
  write("gdk-config.json");
  write("recipe.yaml");
  try {
    (void)find_import_source(folder());
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("gdk component build"), std::string::npos);
  }
}

TEST_F(ImportSourceTest, ABundleMayBeOneFolderInAnArchive) {
  write("my-component-1.0/recipe.json");
  write("my-component-1.0/a.bin");
  const ImportSource source = find_import_source(folder());
  EXPECT_EQ(source.folder.filename(), "my-component-1.0");
}

TEST_F(ImportSourceTest, NothingIsReadOutsideTheFolder) {
  write("bundle/recipe.json");
  const path secret = write("secret");
  const ImportSource source = find_import_source(folder() / "bundle");
  EXPECT_THROW((void)artifact(source, "../secret"), Error);
  EXPECT_THROW((void)artifact(source, secret.string()), Error);
  base::fs::create_symlink(secret, folder() / "bundle/link");
  EXPECT_THROW((void)artifact(source, "link"), Error);
  EXPECT_FALSE(artifact(source, "s3://b/.."));
}

TEST_F(ImportSourceTest, WhereThereIsNoRecipeItSaysWhereItLooked) {
  write("a.txt");
  write("b.txt");
  EXPECT_THROW((void)find_import_source(folder()), Error);
  EXPECT_THROW((void)find_import_source(folder() / "none"), Error);
}

}  // namespace
}  // namespace andon::cli
