// SPDX-License-Identifier: Apache-2.0
#include "store/archive/zip_archive.hpp"

#include <gmock/gmock.h>

#include <clocale>

#include "base/error/error.hpp"
#include "store/testing/zip_writer.hpp"
#include "trust/digests/crc.hpp"

namespace andon::store {
namespace {

namespace fs = base::fs;
using testing::HasSubstr;

base::ErrorCode code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    return error.code();
  }
  return base::ErrorCode::cancelled;  // nothing was thrown
}

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    return error.message();
  }
  return "nothing was thrown";
}

// An archive byte by byte: names in any bytes, any flags, extra fields.
struct RawEntry {
  std::string name;
  unsigned flags = 0;
  std::string extra;
  std::string content = "hello";
  unsigned mode = 0100644;
};
constexpr unsigned kUtf8 = 0x800;
constexpr unsigned kEncrypted = 0x1;

std::string little(std::uint64_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xffU);
  return text;
}

std::string raw_zip(const std::vector<RawEntry>& entries) {
  std::string all;
  std::string directory;
  for (const RawEntry& entry : entries) {
    trust::Crc crc = trust::Crc::crc32();
    crc.update(entry.content);
    const std::string common = little(20, 2) + little(entry.flags, 2) + little(0, 2) +
                               little(0, 2) + little(0x5b7c, 2) + little(crc.value(), 4) +
                               little(entry.content.size(), 4) + little(entry.content.size(), 4) +
                               little(entry.name.size(), 2) + little(entry.extra.size(), 2);
    directory += "PK\x01\x02" + little(0x0314, 2) + common + little(0, 2) + little(0, 2) +
                 little(0, 2) + little(entry.mode << 16U, 4) + little(all.size(), 4) + entry.name +
                 entry.extra;
    all += "PK\x03\x04" + common + entry.name + entry.extra + entry.content;
  }
  return all + directory + "PK\x05\x06" + little(0, 4) + little(entries.size(), 2) +
         little(entries.size(), 2) + little(directory.size(), 4) + little(all.size(), 4) +
         little(0, 2);
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

// Made as pipes or devices they would hold up who opens them; a hard link would be another's file.
TEST_F(ZipTest, PipesDevicesSocketsAndLinksAreRefusedByName) {
  for (const unsigned mode : {0020644U, 0060644U, 0140644U, 0120777U}) {
    const base::TemporaryDirectory directory;
    base::write_file_atomically(directory.path() / "a.zip",
                                raw_zip({{.name = "plain"}, {.name = "odd", .mode = mode}}));
    const std::string why =
        message_of([&] { unpack_zip(directory.path() / "a.zip", directory.path() / "out", 0440); });
    EXPECT_THAT(why, HasSubstr("entry 2 (\"odd\") is neither a file nor a directory")) << mode;
    EXPECT_FALSE(fs::exists(fs::symlink_status(directory.path() / "out" / "odd")));
  }
  // libarchive does not tell of pipes in a ZIP: such an entry becomes a file like any other.
  base::write_file_atomically(directory_.path() / "a.zip",
                              raw_zip({{.name = "pipe", .mode = 0010644U}}));
  unpack_zip(directory_.path() / "a.zip", out(), 0440);
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(out() / "pipe")));
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

TEST_F(ZipTest, NamesAreReadByTheirFlagInAnyLocale) {
  // "Straße/é.txt" in UTF-8 with the flag, and in code page 437 without it.
  const std::string archive = raw_zip({{"Stra\xC3\x9F"
                                        "e/\xE6\xA4\x9C\xE6\x9F\xBB.txt",
                                        kUtf8},
                                       {"Pr\x81"
                                        "fung/\x82.txt"},
                                       {"\xC3\xA9.txt"}});
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* locale : {"C", "C.UTF-8"}) {
    ASSERT_NE(std::setlocale(LC_ALL, locale), nullptr);
    const base::TemporaryDirectory directory;
    base::write_file_atomically(directory.path() / "a.zip", archive);
    unpack_zip(directory.path() / "a.zip", directory.path() / "out", 0440);
    for (const char* file : {"Straße/検査.txt", "Prüfung/é.txt", "├⌐.txt"}) {
      EXPECT_TRUE(fs::exists(directory.path() / "out" / file)) << file << " in " << locale;
    }
  }
  std::setlocale(LC_ALL, before.c_str());
}

TEST_F(ZipTest, AnEntryWhoseTwoHeadersDisagreeIsDamageThatIsNamed) {
  // libarchive only warns of it at the header; what is then read does not fit.
  constexpr std::size_t kChecksum = 14;
  constexpr std::size_t kCompressedSize = 18;
  constexpr std::size_t kSize = 22;
  for (const std::size_t offset : {kChecksum, kCompressedSize, kCompressedSize + 1, kSize}) {
    const base::TemporaryDirectory directory;
    std::string archive = raw_zip({{"a.txt"}});
    archive[offset] = static_cast<char>(archive[offset] ^ 1);
    base::write_file_atomically(directory.path() / "a.zip", archive);
    EXPECT_THAT(
        message_of([&] { unpack_zip(directory.path() / "a.zip", directory.path() / "out", 0440); }),
        testing::AllOf(HasSubstr("(\"a.txt\")"), HasSubstr("is damaged")))
        << offset;
  }
}

TEST_F(ZipTest, ARefusalNamesTheEntryAndTheReason) {
  const struct {
    RawEntry entry;
    const char* entry_shown;
    const char* reason;
  } rows[] = {
      {{"../evil"}, "entry 2 (\"../evil\")", "outside of its directory"},
      {{"a/b\\c"}, "(\"a/b\\c\")", "a backslash"},
      {{"bad\xff.txt", kUtf8}, "entry 2", "marked as UTF-8 and is not"},
      {{""}, "entry 2", "has no name"},
      {{"ok.txt"}, "(\"ok.txt\")", "there twice"},
      {{"secret.bin", kEncrypted}, "(\"secret.bin\")", "encrypted"},
      {{std::string(300, 'n')}, "nnn...", "more than 255 bytes"},
      {{"esc\x1b[2J", kUtf8}, "esc", "there twice"},
  };
  for (const auto& row : rows) {
    const base::TemporaryDirectory directory;
    std::vector<RawEntry> entries{{"ok.txt"}, row.entry};
    if (row.entry.name.starts_with("esc")) entries.push_back(row.entry);
    base::write_file_atomically(directory.path() / "a.zip", raw_zip(entries));
    const std::string message =
        message_of([&] { unpack_zip(directory.path() / "a.zip", directory.path() / "out", 0440); });
    EXPECT_THAT(message, HasSubstr(row.entry_shown));
    EXPECT_THAT(message, HasSubstr(row.reason));
    EXPECT_EQ(message.find('\x1b'), std::string::npos) << message;
  }
}

TEST_F(ZipTest, ContentThatIsNotWhatItsChecksumSaysIsDamage) {
  std::string archive = raw_zip({{"a.txt"}});
  archive[archive.find("hello")] = 'j';
  base::write_file_atomically(directory_.path() / "a.zip", archive);
  EXPECT_THAT(message_of([&] { unpack_zip(directory_.path() / "a.zip", out(), 0440); }),
              testing::AllOf(HasSubstr("(\"a.txt\")"), HasSubstr("is damaged")));
}

}  // namespace
}  // namespace andon::store
