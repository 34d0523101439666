// SPDX-License-Identifier: Apache-2.0
#include "edge/artifacts/blob_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/log/log.hpp"
#include "base/os/blocking.hpp"
#include "edge/state/deployment_failure.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

constexpr mode_t kBlobMode = 0440;

std::optional<std::uint64_t> size_of(const fs::path& path) {
  std::error_code missing;
  const std::uint64_t size = fs::file_size(path, missing);
  if (missing) return std::nullopt;
  return size;
}

bool is_what_is_wanted(const fs::path& path, const WantedArtifact& wanted) {
  const auto size = size_of(path);
  if (!size || (wanted.artifact.size && *wanted.artifact.size != *size)) return false;
  return trust::sha256_hex_of_file(path) == wanted.sha256;
}

}  // namespace

fs::path BlobStore::path(const std::string& sha256) const {
  return layout_.blobs() / sha256;
}

fs::path BlobStore::partial_path(const std::string& sha256) const {
  return layout_.partial_blobs() / sha256;
}

bool BlobStore::has_intact(const WantedArtifact& wanted) {
  const fs::path blob = path(wanted.sha256);
  if (!size_of(blob)) return false;
  if (is_what_is_wanted(blob, wanted)) return true;
  base::log_warning("a stored artifact has changed on the disk; it is fetched again",
                    {{"artifact", wanted.describe()}});
  std::error_code gone;
  fs::remove(blob, gone);
  return false;
}

std::uint64_t BlobStore::partial_size(const std::string& sha256) const {
  return size_of(partial_path(sha256)).value_or(0);
}

void BlobStore::adopt(const WantedArtifact& wanted) {
  const fs::path partial = partial_path(wanted.sha256);
  const auto size = size_of(partial);
  if (!size && has_intact(wanted)) return;
  if (!size || !is_what_is_wanted(partial, wanted)) {
    std::error_code gone;
    fs::remove(partial, gone);
    std::string got = "its SHA-256 is not the one of the recipe";
    if (!size) got = "it is missing";
    if (size && wanted.artifact.size && *wanted.artifact.size != *size) {
      got =
          std::to_string(*size) + " bytes came instead of " + std::to_string(*wanted.artifact.size);
    }
    throw DeploymentFailure(
        base::ErrorCode::data_corrupted,
        "ARTIFACT_CHECKSUM_MISMATCH: " + wanted.describe() + " is not what its recipe names (" +
            got + "); it was deleted and nothing of it was unpacked or run",
        {"ARTIFACT_DOWNLOAD_ERROR", "ARTIFACT_CHECKSUM_MISMATCH"}, {"COMPONENT_ERROR"});
  }
  const base::UniqueFd file = base::open_file(partial, O_RDONLY);
  base::may_block("fsync");
  if (fchmod(file.get(), kBlobMode) != 0 || fsync(file.get()) != 0) {
    throw base::system_error("cannot secure " + partial.string(), errno);
  }
  std::error_code failed;
  fs::rename(partial, path(wanted.sha256), failed);
  if (failed) {
    throw base::system_error("cannot put " + partial.string() + " in its place", failed.value());
  }
  base::sync_directory(layout_.blobs());
}

void BlobStore::keep_only(const std::set<std::string>& sha256s) {
  for (const fs::path& directory : {layout_.blobs(), layout_.partial_blobs()}) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
      if (!sha256s.contains(entry.path().filename().string())) fs::remove(entry.path(), ignored);
    }
  }
}

}  // namespace andon::edge
