// SPDX-License-Identifier: Apache-2.0
// From bytes that arrived to files in their place: digests, archives, crashes in between, garbage.
#include "edge/artifact_stager.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/encoding.hpp"
#include "edge/blob_store.hpp"
#include "edge/deployment_failure.hpp"
#include "edge/zip_archive.hpp"
#include "trust/digest.hpp"

namespace andon::edge {
namespace {

struct ZipEntry {
  std::string name;
  std::string content;
  unsigned type = AE_IFREG;
};

void write_zip(const fs::path& path, const std::vector<ZipEntry>& entries) {
  archive* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  ASSERT_EQ(archive_write_open_filename(writer, path.c_str()), ARCHIVE_OK);
  for (const ZipEntry& one : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, one.name.c_str());
    archive_entry_set_filetype(entry, one.type);
    archive_entry_set_perm(entry, 0644);
    if (one.type == AE_IFLNK) archive_entry_set_symlink(entry, one.content.c_str());
    archive_entry_set_size(entry,
                           one.type == AE_IFREG ? static_cast<la_int64_t>(one.content.size()) : 0);
    archive_write_header(writer, entry);
    if (one.type == AE_IFREG) archive_write_data(writer, one.content.data(), one.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
}

base::ErrorCode code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    return error.code();
  }
  return base::ErrorCode::cancelled;  // nothing was thrown
}

class StagingTest : public testing::Test {
 protected:
  StagingTest() { layout_.make(); }

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
    made.recipe = "{}";
    return made;
  }
  fs::path place(const std::string& file) const {
    return layout_.artifacts_of("com.example.App", "1.0.0") / file;
  }

  base::TemporaryDirectory directory_;
  Layout layout_{directory_.path()};
  BlobStore blobs_{layout_};
};

TEST_F(StagingTest, VerifiedArtifactsGetTheirPlaceAndTheirMode) {
  WantedArtifact model = arrived("model.onnx", "weights");
  WantedArtifact tool = arrived("tool", "#!/bin/sh\n");
  tool.artifact.execute = recipe::FileAccess::owner;
  blobs_.adopt(model);
  blobs_.adopt(tool);
  stage_component(layout_, component(), {model, tool});
  EXPECT_EQ(base::read_file(place("model.onnx")), "weights");
  struct stat status {};
  ASSERT_EQ(stat(place("model.onnx").c_str(), &status), 0);
  EXPECT_EQ(status.st_nlink, 2U);  // no second copy of the bytes
  ASSERT_EQ(stat(place("tool").c_str(), &status), 0);
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
  stage_component(layout_, component(), {wanted});
  const auto before = fs::last_write_time(layout_.artifacts_of("com.example.App", "1.0.0"));
  stage_component(layout_, component(), {wanted});
  EXPECT_EQ(fs::last_write_time(layout_.artifacts_of("com.example.App", "1.0.0")), before);
}

TEST_F(StagingTest, AHalfStagedVersionIsStagedAnew) {
  const WantedArtifact wanted = arrived("model.onnx", "weights");
  blobs_.adopt(wanted);
  base::make_directories(place("").parent_path());
  base::write_file_atomically(place("leftover"), "of a crash");
  stage_component(layout_, component(), {wanted});
  EXPECT_FALSE(fs::exists(place("leftover")));
  EXPECT_TRUE(fs::exists(place("model.onnx")));
}

TEST_F(StagingTest, AnArchiveIsUnpackedBesideItself) {
  const fs::path zip = directory_.path() / "a.zip";
  write_zip(zip, {{"dir/", "", AE_IFDIR}, {"dir/file.txt", "hello"}});
  WantedArtifact wanted = arrived("code.zip", base::read_file(zip));
  wanted.artifact.unarchive = recipe::Unarchive::zip;
  blobs_.adopt(wanted);
  stage_component(layout_, component(), {wanted});
  EXPECT_EQ(base::read_file(layout_.unarchived_of("com.example.App", "1.0.0") / "code" / "dir" /
                            "file.txt"),
            "hello");
}

TEST_F(StagingTest, GarbageIsWhatTheKeptSetDoesNotUse) {
  const WantedArtifact wanted = arrived("model.onnx", "weights");
  blobs_.adopt(wanted);
  stage_component(layout_, component(), {wanted});
  collect_garbage(layout_, {}, recipe::linux_platform("x86_64"));
  EXPECT_FALSE(fs::exists(place("model.onnx")));
  EXPECT_FALSE(fs::exists(blobs_.path(wanted.sha256)));
  EXPECT_TRUE(fs::is_empty(layout_.recipes()));
}

class ZipTest : public testing::Test {
 protected:
  fs::path out() const { return directory_.path() / "out"; }
  base::TemporaryDirectory directory_;
};

TEST_F(ZipTest, NothingLeavesTheDirectory) {
  for (const ZipEntry& evil : std::vector<ZipEntry>{{"../evil", "x"},
                                                    {"a/../../evil", "x"},
                                                    {"/tmp/evil", "x"},
                                                    {"link", "/etc/passwd", AE_IFLNK}}) {
    const base::TemporaryDirectory directory;
    write_zip(directory.path() / "a.zip", {evil});
    EXPECT_EQ(
        code_of([&] { unpack_zip(directory.path() / "a.zip", directory.path() / "out", 0440); }),
        base::ErrorCode::data_corrupted)
        << evil.name;
    EXPECT_FALSE(fs::exists(directory.path() / "evil"));
  }
}

TEST_F(ZipTest, AFileThatComesTwiceIsRefused) {
  write_zip(directory_.path() / "a.zip", {{"a", "1"}, {"a", "2"}});
  EXPECT_NE(code_of([&] { unpack_zip(directory_.path() / "a.zip", out(), 0440); }),
            base::ErrorCode::cancelled);
}

TEST_F(ZipTest, ABombIsStopped) {
  write_zip(directory_.path() / "a.zip", {{"zeros", std::string(8U << 20U, '\0')}});
  EXPECT_EQ(
      code_of([&] { unpack_zip(directory_.path() / "a.zip", out(), 0440, {.max_ratio = 10}); }),
      base::ErrorCode::resource_exhausted);
  EXPECT_EQ(code_of([&] {
              unpack_zip(directory_.path() / "a.zip", directory_.path() / "out2", 0440,
                         {.max_bytes = 1000});
            }),
            base::ErrorCode::resource_exhausted);
}

TEST_F(ZipTest, ManyEntriesAreTooMany) {
  std::vector<ZipEntry> entries;
  for (int i = 0; i < 20; ++i) entries.push_back({std::to_string(i), "x"});
  write_zip(directory_.path() / "a.zip", entries);
  EXPECT_EQ(
      code_of([&] { unpack_zip(directory_.path() / "a.zip", out(), 0440, {.max_entries = 10}); }),
      base::ErrorCode::resource_exhausted);
}

TEST_F(ZipTest, WhatIsNoArchiveSaysSo) {
  base::write_file_atomically(directory_.path() / "a.zip", "not an archive at all");
  EXPECT_EQ(code_of([&] { unpack_zip(directory_.path() / "a.zip", out(), 0440); }),
            base::ErrorCode::data_corrupted);
}

}  // namespace
}  // namespace andon::edge
