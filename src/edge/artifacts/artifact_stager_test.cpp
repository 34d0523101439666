// SPDX-License-Identifier: Apache-2.0
// From bytes that arrived to files in their place: digests, archives, crashes in between, garbage.
#include "edge/artifacts/artifact_stager.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/encoding.hpp"
#include "edge/artifacts/blob_store.hpp"
#include "edge/state/deployment_failure.hpp"
#include "store/archive/tar_archive.hpp"
#include "store/testing/zip_writer.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

class StagingTest : public testing::Test {
 protected:
  static Layout made(const fs::path& root) {
    Layout layout(root);
    layout.make();
    return layout;
  }
  WantedArtifact arrived(const std::string& name, const std::string& content) {
    WantedArtifact wanted;
    wanted.component = "com.example.App";
    wanted.version = "1.0.0";
    wanted.name = name;
    wanted.artifact.file_name = name;
    wanted.artifact.size = content.size();
    wanted.sha256 = trust::sha256_hex(content);
    base::write_file_atomically(blobs_.partial_path(wanted.sha256), content);
    return wanted;
  }
  InstalledComponent component() const {
    InstalledComponent made;
    made.name = "com.example.App";
    made.version = "1.0.0";
    made.recipe = recipe::ServedRecipe("{}", {});
    return made;
  }
  static StagedVersion version_of(std::vector<WantedArtifact> artifacts) {
    return {"com.example.App", "1.0.0", std::move(artifacts)};
  }
  Placement stage(std::vector<WantedArtifact> artifacts) {
    return stage_component(layout_, marks_, component(), version_of(std::move(artifacts)));
  }
  Placement check(std::vector<WantedArtifact> artifacts) {
    return check_component(layout_, marks_, component(), version_of(std::move(artifacts)));
  }
  // As somebody does who may write there.
  static void overwrite(const fs::path& file, const std::string& content) {
    const base::UniqueFd opened = base::open_file(file, O_WRONLY | O_TRUNC);
    base::write_all(opened.get(), content, file);
  }
  fs::path place(const std::string& file) const {
    return layout_.artifacts_of("com.example.App", "1.0.0") / file;
  }

  base::TemporaryDirectory directory_;
  Layout layout_ = made(directory_.path());
  BlobStore blobs_{layout_};
  StagedMarks marks_{layout_};
};

TEST_F(StagingTest, VerifiedArtifactsGetTheirPlaceAndTheirMode) {
  WantedArtifact model = arrived("model.onnx", "weights");
  WantedArtifact tool = arrived("tool", "#!/bin/sh\n");
  tool.artifact.execute = recipe::FileAccess::owner;
  blobs_.adopt(model);
  blobs_.adopt(tool);
  stage({model, tool});
  EXPECT_EQ(base::read_file(place("model.onnx")), "weights");
  struct stat status {};
  ASSERT_EQ(::stat(place("model.onnx").c_str(), &status), 0);
  EXPECT_EQ(status.st_nlink, 2U);  // no second copy of the bytes
  ASSERT_EQ(::stat(place("tool").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0550U);
}

TEST_F(StagingTest, WrongBytesAreDeletedAndNamed) {
  WantedArtifact wanted = arrived("model.onnx", "weights");
  base::write_file_atomically(blobs_.partial_path(wanted.sha256), "weighty");
  try {
    blobs_.adopt(wanted);
    FAIL() << "adopted";
  } catch (const DeploymentFailure& failure) {
    EXPECT_EQ(failure.codes().back(), "ARTIFACT_CHECKSUM_MISMATCH");
    EXPECT_NE(failure.message().find("model.onnx of component com.example.App 1.0.0"),
              std::string::npos)
        << failure.message();
  }
  EXPECT_FALSE(fs::exists(blobs_.partial_path(wanted.sha256)));
  EXPECT_FALSE(fs::exists(blobs_.path(wanted.sha256)));
}

TEST_F(StagingTest, ABlobThatTheDiskHasChangedIsNotTakenForIntact) {
  const WantedArtifact wanted = arrived("model.onnx", "weights");
  blobs_.adopt(wanted);
  EXPECT_TRUE(blobs_.has_intact(wanted));
  fs::permissions(blobs_.path(wanted.sha256), fs::perms::owner_write, fs::perm_options::add);
  base::write_file_atomically(blobs_.path(wanted.sha256), "weighty");
  EXPECT_FALSE(blobs_.has_intact(wanted));
  EXPECT_FALSE(fs::exists(blobs_.path(wanted.sha256)));
}

TEST_F(StagingTest, WhatIsStagedAlreadyIsLeftAlone) {
  const WantedArtifact wanted = arrived("model.onnx", "weights");
  blobs_.adopt(wanted);
  stage({wanted});
  const auto before = fs::last_write_time(layout_.artifacts_of("com.example.App", "1.0.0"));
  stage({wanted});
  EXPECT_EQ(fs::last_write_time(layout_.artifacts_of("com.example.App", "1.0.0")), before);
}

TEST_F(StagingTest, WhatWasChangedIsPutBackFromTheStore) {
  WantedArtifact all = arrived("tool", "#!/bin/sh\n");
  WantedArtifact other = arrived("other", "else");
  all.artifact.execute = recipe::FileAccess::all;
  blobs_.adopt(all);
  blobs_.adopt(other);
  stage({all, other});
  EXPECT_TRUE(marks_.fit(version_of({all, other})));
  const fs::path away = directory_.path() / "away";
  fs::rename(place("tool"), away);
  base::write_file_atomically(place("tool"), "evil");
  EXPECT_FALSE(marks_.fit(version_of({all, other})));
  const Placement placement = check({all, other});
  EXPECT_EQ(placement.replaced, std::vector<std::string>{"tool"});
  EXPECT_TRUE(placement.is_complete());
  EXPECT_FALSE(placement.is_new);
  EXPECT_EQ(base::read_file(place("tool")), "#!/bin/sh\n");
  EXPECT_TRUE(marks_.fit(version_of({all, other})));
}

TEST_F(StagingTest, WhatWasChangedWithItsBlobIsMissing) {
  const WantedArtifact model = arrived("model.onnx", "weights");
  blobs_.adopt(model);
  stage({model});
  fs::permissions(place("model.onnx"), fs::perms::owner_write, fs::perm_options::add);
  overwrite(place("model.onnx"), "weighty");  // a link: the blob is the same file
  const Placement placement = check({model});
  EXPECT_EQ(placement.missing, std::vector<std::string>{"model.onnx"});
  EXPECT_FALSE(marks_.fit(version_of({model})));
  EXPECT_FALSE(fs::exists(blobs_.path(model.sha256)));
  base::write_file_atomically(blobs_.partial_path(model.sha256), "weights");
  blobs_.adopt(model);
  EXPECT_TRUE(check({model}).is_complete());
  EXPECT_EQ(base::read_file(place("model.onnx")), "weights");
}

TEST_F(StagingTest, AMarkThatDoesNotFitIsMadeAnewByReading) {
  const WantedArtifact model = arrived("model.onnx", "weights");
  blobs_.adopt(model);
  stage({model});
  fs::create_hard_link(place("model.onnx"), directory_.path() / "link");  // changes its time
  EXPECT_FALSE(marks_.fit(version_of({model})));
  const Placement placement = check({model});
  EXPECT_TRUE(placement.replaced.empty() && placement.is_complete() && !placement.is_new);
  EXPECT_TRUE(marks_.fit(version_of({model})));
}

TEST_F(StagingTest, NobodyElseMakesAMark) {
  const WantedArtifact model = arrived("model.onnx", "weights");
  blobs_.adopt(model);
  stage({model});
  const fs::path mark = layout_.staged() / "com.example.App" / "1.0.0";
  std::string forged = base::read_file(mark);
  EXPECT_TRUE(marks_.fit(version_of({model})));
  forged.at(forged.size() - 2) = forged.at(forged.size() - 2) == '0' ? '1' : '0';
  base::write_file_atomically(mark, forged);
  EXPECT_FALSE(marks_.fit(version_of({model})));
  fs::remove(layout_.config() / "staged.key");
  EXPECT_TRUE(check({model}).is_complete());
  EXPECT_TRUE(marks_.fit(version_of({model})));
  EXPECT_FALSE(StagedMarks(layout_).fit(version_of({model})));  // with a key of its own
}

TEST_F(StagingTest, ADirectoryThatOthersMayWriteIsStagedAnew) {
  const WantedArtifact model = arrived("model.onnx", "weights");
  blobs_.adopt(model);
  stage({model});
  fs::permissions(place("").parent_path(), fs::perms::group_write, fs::perm_options::add);
  EXPECT_FALSE(marks_.fit(version_of({model})));
  EXPECT_TRUE(check({model}).is_new);
  EXPECT_TRUE(marks_.fit(version_of({model})));
}

TEST_F(StagingTest, ItsUserMayReadAnArtifactAndNotChangeIt) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files to a group";
  WantedArtifact model = arrived("model.onnx", "weights");
  WantedArtifact same = arrived("same.onnx", "weights");
  model.run_as = same.run_as = "54321:54322";
  same.artifact.read = recipe::FileAccess::none;
  blobs_.adopt(model);
  stage({model, same});
  struct stat status {};
  ASSERT_EQ(::stat(place("model.onnx").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 0U);
  EXPECT_EQ(status.st_gid, 54322U);
  EXPECT_EQ(status.st_mode & 07777U, 0440U);
  EXPECT_EQ(status.st_nlink, 2U);  // the blob has no other place: no second copy
  ASSERT_EQ(::stat(place("same.onnx").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0400U);
}

TEST_F(StagingTest, AHalfStagedVersionIsStagedAnew) {
  const WantedArtifact wanted = arrived("model.onnx", "weights");
  blobs_.adopt(wanted);
  base::make_directories(place("").parent_path());
  base::write_file_atomically(place("leftover"), "of a crash");
  stage({wanted});
  EXPECT_FALSE(fs::exists(place("leftover")));
  EXPECT_TRUE(fs::exists(place("model.onnx")));
}

TEST_F(StagingTest, AnArchiveIsUnpackedBesideItself) {
  const fs::path zip = directory_.path() / "a.zip";
  store::write_zip(zip, {{"dir/", "", AE_IFDIR}, {"dir/file.txt", "hello"}});
  WantedArtifact wanted = arrived("code.zip", base::read_file(zip));
  wanted.artifact.unarchive = recipe::Unarchive::zip;
  blobs_.adopt(wanted);
  stage({wanted});
  EXPECT_EQ(base::read_file(layout_.unarchived_of("com.example.App", "1.0.0") / "code" / "dir" /
                            "file.txt"),
            "hello");
}

TEST_F(StagingTest, TarArchivesOfEachKindAreUnpackedUnderTheirNameWithoutItsEnding) {
  const fs::path content = directory_.path() / "content";
  base::make_directories(content / "bin");
  base::write_file_atomically(content / "bin" / "run", "#!/bin/sh");
  const base::UniqueFd top = base::open_file(content, O_RDONLY | O_DIRECTORY);
  const fs::path archive = directory_.path() / "a.tar.gz";
  store::pack_tar_gz(top.get(), archive);
  WantedArtifact wanted = arrived("app.tar.gz", base::read_file(archive));
  wanted.artifact.unarchive = recipe::Unarchive::tar_gz;
  wanted.artifact.execute = recipe::FileAccess::all;
  blobs_.adopt(wanted);
  stage({wanted});
  const fs::path run = layout_.unarchived_of("com.example.App", "1.0.0") / "app" / "bin" / "run";
  EXPECT_EQ(base::read_file(run), "#!/bin/sh");
  struct stat status {};
  ASSERT_EQ(::stat(run.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0555U);
  // Another kind is another wish: what is staged is not taken for it.
  wanted.artifact.unarchive = recipe::Unarchive::tar;
  EXPECT_THROW(stage({wanted}), DeploymentFailure);
}

TEST_F(StagingTest, GarbageIsWhatTheKeptSetDoesNotUse) {
  const WantedArtifact wanted = arrived("model.onnx", "weights");
  blobs_.adopt(wanted);
  stage({wanted});
  collect_garbage(layout_, {}, recipe::linux_platform("x86_64"));
  EXPECT_FALSE(fs::exists(place("model.onnx")));
  EXPECT_FALSE(fs::exists(blobs_.path(wanted.sha256)));
  EXPECT_TRUE(fs::is_empty(layout_.recipes()));
}

}  // namespace
}  // namespace andon::edge
