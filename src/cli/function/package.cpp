// SPDX-License-Identifier: Apache-2.0
#include "cli/function/package.hpp"

#include <algorithm>
#include <vector>

#include "base/error/error.hpp"
#include "store/archive/archive_handle.hpp"

namespace andon::cli {
namespace {

namespace fs = base::fs;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostBytes = 52'428'800;
constexpr unsigned kReadable = 0644;
constexpr unsigned kExecutable = 0755;

la_ssize_t collect(archive* /*writer*/, void* bytes, const void* data, std::size_t size) {
  static_cast<std::string*>(bytes)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

std::vector<fs::path> files_below(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const fs::file_status status = entry.symlink_status();
    if (fs::is_directory(status)) continue;
    if (!fs::is_regular_file(status)) {
      throw Error(ErrorCode::invalid_argument,
                  entry.path().string() + " is no plain file; leave it out of the package");
    }
    if (entry.path().string().find("/__pycache__/") == std::string::npos) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::string zip(const fs::path& root, const std::vector<fs::path>& files) {
  std::string bytes;
  const store::ArchiveHandle writer(archive_write_new());
  archive_write_set_format_zip(writer.get());
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  const auto check = [&](int result) {
    if (result == ARCHIVE_OK) return;
    throw Error(ErrorCode::internal,
                "the package cannot be made: " + std::string(archive_error_string(writer.get())));
  };
  check(archive_write_open(writer.get(), &bytes, nullptr, collect, nullptr));
  for (const fs::path& file : files) {
    const std::string content = base::read_file(file, kMostBytes * 4);
    const bool can_run =
        (fs::status(file).permissions() & fs::perms::owner_exec) != fs::perms::none;
    const store::ArchiveEntryHandle entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), file.lexically_relative(root).c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), can_run ? kExecutable : kReadable);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    check(archive_write_header(writer.get(), entry.get()));
    if (archive_write_data(writer.get(), content.data(), content.size()) < 0) {
      check(ARCHIVE_FATAL);
    }
  }
  check(archive_write_close(writer.get()));
  return bytes;
}

}  // namespace

std::string read_package(const fs::path& path) {
  std::string bytes;
  if (fs::is_directory(path)) {
    bytes = zip(path, files_below(path));
  } else if (path.extension() == ".zip") {
    bytes = base::read_file(path, kMostBytes);
  } else if (fs::is_regular_file(path)) {
    bytes = zip(path.parent_path(), {path});
  } else {
    throw Error(ErrorCode::not_found, "there is no file or directory '" + path.string() + "'");
  }
  if (bytes.size() > kMostBytes) {
    throw Error(ErrorCode::invalid_argument,
                "the package has more than 50 MB: put it into a bucket, and create the function "
                "with the AWS CLI (--code S3Bucket=...,S3Key=...)");
  }
  return bytes;
}

}  // namespace andon::cli
