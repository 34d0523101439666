// SPDX-License-Identifier: Apache-2.0
// Packages as directories: several seen as one, and one made of a directory of this machine.
#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "functions/package/packages.hpp"
#include "job/order/job_directory.hpp"
#include "store/archive/zip_writer.hpp"
#include "trust/digests/digest.hpp"

namespace andon::functions {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::hours kTouched{1};
constexpr unsigned kExecutable = 0755;
constexpr std::size_t kPiece = 1U << 20U;

// Packages hold plain files and directories alone (store/archive).
void add_tree(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const fs::path place = to / entry.path().lexically_relative(from);
    const fs::file_status there = fs::symlink_status(place);
    if (entry.is_directory()) {
      if (fs::exists(there) && !fs::is_directory(there)) fs::remove(place);
      base::make_directories(place, kExecutable);
      continue;
    }
    if (fs::exists(there)) job::remove_tree(place);
    fs::create_hard_link(entry.path(), place);
  }
}

}  // namespace

Code Packages::add_directory(const fs::path& directory) {
  const fs::path fresh = options_.directory / (kFreshPrefix + base::random_uuid());
  base::make_directories(fresh, 0700);
  try {
    const fs::path zip = fresh / "image.zip";
    store::pack_zip(directory, zip, kMostUnzipped);
    const std::string bytes = base::read_file(zip, kMostUnzipped + kPiece);
    const Code code{trust::sha256_hex(bytes), bytes.size()};
    keep(code, bytes);
    job::remove_tree(fresh);
    return code;
  } catch (const Error& error) {
    job::remove_tree(fresh);
    if (error.code() != ErrorCode::resource_exhausted) throw;
    throw Error(ErrorCode::invalid_argument, error.message());
  }
}

std::uint64_t Packages::unzipped_bytes(const Code& code) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(ensure(code))) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

fs::path Packages::merge(const std::vector<Code>& layers) {
  if (layers.empty()) return {};
  if (layers.size() == 1) return ensure(layers.front());
  std::string all;
  std::vector<fs::path> sources;
  for (const Code& code : layers) {
    all += code.sha256;
    sources.push_back(ensure(code));
  }
  const fs::path merged = place(trust::sha256_hex(all) + kMergedSuffix);
  const std::lock_guard lock(mutex_);
  if (fs::exists(merged)) {
    const auto now = fs::file_time_type::clock::now();
    if (now - fs::last_write_time(merged) > kTouched) fs::last_write_time(merged, now);
    return merged;
  }
  const fs::path fresh = options_.directory / (kFreshPrefix + base::random_uuid());
  base::make_directories(fresh, kExecutable);
  try {
    for (const fs::path& source : sources) add_tree(source, fresh);
    fs::rename(fresh, merged);
  } catch (...) {
    job::remove_tree(fresh);
    throw;
  }
  base::sync_directory(options_.directory);
  return merged;
}

}  // namespace andon::functions
