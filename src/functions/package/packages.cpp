// SPDX-License-Identifier: Apache-2.0
#include "functions/package/packages.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "job/order/job_directory.hpp"
#include "store/archive/zip_archive.hpp"
#include "trust/digests/digest.hpp"

namespace andon::functions {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::hours kKept{1};
// Longer than any sandbox is kept warm without a call.
constexpr std::chrono::hours kKeptMerged{48};

Error wrong(const std::string& message) {
  return Error(ErrorCode::invalid_argument, message);
}

store::ByteSource source_of(const std::string& bytes) {
  return [&bytes, at = std::size_t{0}](char* buffer, std::size_t size) mutable {
    const std::size_t count = std::min(size, bytes.size() - at);
    std::copy_n(bytes.data() + at, count, buffer);
    at += count;
    return count;
  };
}

bool is_digest(const std::string& text) {
  constexpr std::size_t kBytes = 32;
  return base::is_hex_of(text, kBytes);
}

}  // namespace

Packages::Packages(PackageOptions options, store::ObjectStore& objects)
    : options_(std::move(options)), objects_(objects) {
  base::make_directories(options_.directory, 0700);
  for (const auto& entry : fs::directory_iterator(options_.directory)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kFreshPrefix)) job::remove_tree(entry.path());
  }
}

fs::path Packages::place(const std::string& sha256) const {
  return options_.directory / sha256;
}

Code Packages::look_at(const std::string& zip) {
  if (zip.size() > kMostZipped) {
    throw Error(ErrorCode::resource_exhausted,
                "Zipped size must be smaller than " + std::to_string(kMostZipped) + " bytes");
  }
  return {trust::sha256_hex(zip), zip.size()};
}

void Packages::keep(const Code& code, const std::string& zip) {
  if (!objects_.has_bucket(kBucket)) objects_.create_bucket(kBucket);
  objects_.put(kBucket, code.sha256, source_of(zip), {.content_type = "application/zip"});
  (void)ensure(code);
}

Code Packages::add(const std::string& zip) {
  const Code code = look_at(zip);
  keep(code, zip);
  return code;
}

Code Packages::add_object(const std::string& bucket, const std::string& key) {
  const auto refuse = [](const std::string& error, const std::string& message) {
    throw wrong("Error occurred while GetObject. S3 Error Code: " + error +
                ". S3 Error Message: " + message);
  };
  if (!objects_.has_bucket(bucket)) {
    refuse("NoSuchBucket", "The specified bucket does not exist");
  }
  const auto found = objects_.head(bucket, key);
  if (!found) refuse("NoSuchKey", "The specified key does not exist.");
  const Code code{found->sha256, found->size};
  if (code.bytes > kMostUnzipped) {
    throw wrong("Unzipped size must be smaller than " + std::to_string(kMostUnzipped) + " bytes");
  }
  if (!objects_.has_bucket(kBucket)) objects_.create_bucket(kBucket);
  objects_.copy(bucket, key, kBucket, code.sha256);
  (void)ensure(code);
  return code;
}

fs::path Packages::ensure(const Code& code) {
  const std::lock_guard lock(mutex_);
  fs::path unpacked = place(code.sha256);
  if (fs::exists(unpacked)) return unpacked;
  const auto object = objects_.open(kBucket, code.sha256);
  if (!object || object->info.sha256 != code.sha256) {
    throw Error(ErrorCode::data_corrupted, "the code " + code.sha256 +
                                               " of a function is not in bucket " + kBucket +
                                               " any more; update the function's code");
  }
  const fs::path fresh = options_.directory / (kFreshPrefix + base::random_uuid());
  try {
    store::unpack_zip("/proc/self/fd/" + std::to_string(object->file.get()), fresh,
                      store::kArchivesModes, {.max_bytes = kMostUnzipped, .max_entries = 50'000});
    fs::rename(fresh, unpacked);
  } catch (const Error& error) {
    job::remove_tree(fresh);
    if (error.code() == ErrorCode::data_corrupted) {
      throw wrong(
          "Could not unzip uploaded file. Please check your file, then try to upload again. "
          "(" +
          error.message() + ")");
    }
    if (error.code() == ErrorCode::resource_exhausted) {
      throw wrong("Unzipped size must be smaller than " + std::to_string(kMostUnzipped) +
                  " bytes (" + error.message() + ")");
    }
    throw;
  }
  base::sync_directory(options_.directory);
  return unpacked;
}

fs::path Packages::requirements(const Code& code) const {
  fs::path installed = place(code.sha256 + kInstalledSuffix);
  return fs::exists(installed) ? installed : fs::path();
}

void Packages::sweep(const std::function<bool(const std::string&)>& is_used) {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : fs::directory_iterator(options_.directory)) {
    const std::string sha256 = entry.path().stem();
    // What is merged is touched whenever it is asked for, which is at each call.
    const bool is_merged = entry.path().extension() == kMergedSuffix;
    std::error_code gone;
    const auto age = fs::file_time_type::clock::now() - fs::last_write_time(entry.path(), gone);
    if (gone || age < (is_merged ? kKeptMerged : kKept) || !is_digest(sha256)) continue;
    if (!is_merged && is_used(sha256)) continue;
    try {
      job::remove_tree(entry.path());
      if (!is_merged) objects_.remove(kBucket, sha256);
    } catch (const Error& error) {
      base::log_warning("a function's old code cannot be removed",
                        {{"code", sha256}, {"error", error.message()}});
    }
  }
}

}  // namespace andon::functions
