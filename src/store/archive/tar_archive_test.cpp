// SPDX-License-Identifier: Apache-2.0
#include "store/archive/tar_archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::store {
namespace {

namespace fs = base::fs;
using testing::HasSubstr;

struct Entry {
  std::string name;
  std::string content;
  unsigned type = AE_IFREG;
  std::string hardlink = {};
};

void write_tar(const fs::path& path, const std::vector<Entry>& entries,
               ArchiveFormat format = ArchiveFormat::tar_gz) {
  archive* writer = archive_write_new();
  if (format == ArchiveFormat::tar_gz) archive_write_add_filter_gzip(writer);
  if (format == ArchiveFormat::tar_zst) archive_write_add_filter_zstd(writer);
  archive_write_set_format_ustar(writer);
  ASSERT_EQ(archive_write_open_filename(writer, path.c_str()), ARCHIVE_OK);
  for (const Entry& one : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, one.name.c_str());
    archive_entry_set_perm(entry, 0644);
    if (!one.hardlink.empty()) {
      archive_entry_set_hardlink(entry, one.hardlink.c_str());
    } else {
      archive_entry_set_filetype(entry, one.type);
    }
    if (one.type == AE_IFLNK) archive_entry_set_symlink(entry, one.content.c_str());
    const bool is_file = one.type == AE_IFREG && one.hardlink.empty();
    archive_entry_set_size(entry, is_file ? static_cast<la_int64_t>(one.content.size()) : 0);
    archive_write_header(writer, entry);
    if (is_file) archive_write_data(writer, one.content.data(), one.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
}

class TarTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path archive() const { return directory_.path() / "a.tar.gz"; }
  [[nodiscard]] fs::path out() const { return directory_.path() / "out"; }
  std::string refusal(const std::vector<Entry>& entries, const UnpackLimits& limits = {},
                      ArchiveFormat format = ArchiveFormat::tar_gz) {
    write_tar(archive(), entries, format);
    fs::remove_all(out());
    try {
      unpack(format, archive(), out(), kArchivesModes, limits);
    } catch (const base::Error& error) {
      return error.message();
    }
    return "it was taken";
  }
  base::TemporaryDirectory directory_;
};

TEST_F(TarTest, UnpacksFilesAndDirectories) {
  EXPECT_EQ(refusal({{"./", "", AE_IFDIR}, {"./train.py", "print(1)"}, {"lib/a.py", ""}}),
            "it was taken");
  EXPECT_EQ(base::read_file(out() / "train.py"), "print(1)");
  EXPECT_TRUE(fs::is_regular_file(out() / "lib" / "a.py"));
}

TEST_F(TarTest, WhatWouldLeaveTheDirectoryIsRefusedByName) {
  EXPECT_THAT(refusal({{"../evil", "x"}}), HasSubstr("entry 1 (\"../evil\")"));
  EXPECT_THAT(refusal({{"/etc/evil", "x"}}), HasSubstr("outside"));
  EXPECT_THAT(refusal({{"a/../../evil", "x"}}), HasSubstr("outside"));
  EXPECT_FALSE(fs::exists(directory_.path() / "evil"));
}

TEST_F(TarTest, LinksPipesAndDevicesAreRefused) {
  EXPECT_THAT(refusal({{"link", "/etc", AE_IFLNK}, {"link/passwd", "x"}}),
              HasSubstr("neither a file nor a directory"));
  EXPECT_THAT(refusal({{"a", "x"}, {.name = "b", .content = "", .hardlink = "/etc/passwd"}}),
              HasSubstr("neither a file nor a directory"));
  EXPECT_THAT(refusal({{"pipe", "", AE_IFIFO}}), HasSubstr("neither"));
  EXPECT_THAT(refusal({{"disk", "", AE_IFBLK}}), HasSubstr("neither"));
}

TEST_F(TarTest, BombsAndCrowdsAreStopped) {
  EXPECT_THAT(refusal({{"zeros", std::string(8U << 20U, '\0')}}, {.max_ratio = 10}),
              HasSubstr("more than"));
  EXPECT_THAT(refusal({{"a", ""}, {"b", ""}, {"c", ""}}, {.max_entries = 2}),
              HasSubstr("2 entries"));
}

TEST_F(TarTest, WhatIsNoArchiveIsRefused) {
  base::write_file_atomically(archive(), "this is no archive, whatever it is called");
  EXPECT_THROW(unpack_tar_gz(archive(), out(), 0440), base::Error);
}

TEST_F(TarTest, PlainAndZstdArchivesAreReadByTheSameRules) {
  for (const ArchiveFormat format : {ArchiveFormat::tar, ArchiveFormat::tar_zst}) {
    EXPECT_EQ(refusal({{"./", "", AE_IFDIR}, {"./bin/run", "#!/bin/sh"}}, {}, format),
              "it was taken");
    EXPECT_EQ(base::read_file(out() / "bin" / "run"), "#!/bin/sh");
    EXPECT_THAT(refusal({{"../evil", "x"}}, {}, format), HasSubstr("outside"));
    EXPECT_THAT(refusal({{"link", "/etc", AE_IFLNK}}, {}, format), HasSubstr("neither"));
    EXPECT_THAT(refusal({{"a", "1"}, {"a", "2"}}, {}, format), HasSubstr("there twice"));
    EXPECT_THAT(refusal({{"zeros", std::string(8U << 20U, '\0')}}, {.max_bytes = 1000}, format),
                HasSubstr("more than"));
  }
  EXPECT_THAT(
      refusal({{"zeros", std::string(8U << 20U, '\0')}}, {.max_ratio = 10}, ArchiveFormat::tar_zst),
      HasSubstr("more than"));
}

TEST_F(TarTest, AnArchiveOfAnotherKindThanItsRecipeSaysIsRefused) {
  write_tar(archive(), {{"a", "x"}}, ArchiveFormat::tar_gz);
  for (const ArchiveFormat other :
       {ArchiveFormat::tar, ArchiveFormat::tar_zst, ArchiveFormat::zip}) {
    fs::remove_all(out());
    try {
      unpack(other, archive(), out(), 0440, {});
      ADD_FAILURE() << "it was taken";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::data_corrupted);
      EXPECT_THAT(error.message(), HasSubstr("it is not a "));
    }
  }
}

TEST_F(TarTest, AnArchiveThatIsCutShortIsDamageThatIsNamed) {
  write_tar(archive(), {{"a", std::string(100'000, 'x')}}, ArchiveFormat::tar);
  fs::resize_file(archive(), 50'000);
  EXPECT_THROW(unpack(ArchiveFormat::tar, archive(), out(), 0440, {}), base::Error);
}

TEST_F(TarTest, PacksADirectoryAndTheSameOneToTheSameBytes) {
  const fs::path model = directory_.path() / "model";
  base::make_directories(model / "code");
  base::write_file_atomically(model / "model.onnx", "weights");
  base::write_file_atomically(model / "code" / "inference.py", "pass");
  fs::create_symlink("model.onnx", model / "latest");
  const base::UniqueFd top = base::open_file(model, O_RDONLY | O_DIRECTORY);
  pack_tar_gz(top.get(), archive());
  const std::string first = base::read_file(archive());
  pack_tar_gz(top.get(), archive());
  EXPECT_EQ(base::read_file(archive()), first);
  // The link is in it, and is what is not unpacked here.
  EXPECT_THROW(unpack_tar_gz(archive(), out(), 0440), base::Error);
  fs::remove(model / "latest");
  fs::remove_all(out());
  pack_tar_gz(top.get(), archive());
  unpack_tar_gz(archive(), out(), 0440);
  EXPECT_EQ(base::read_file(out() / "model.onnx"), "weights");
  EXPECT_EQ(base::read_file(out() / "code" / "inference.py"), "pass");
}

}  // namespace
}  // namespace andon::store
