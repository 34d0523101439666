// SPDX-License-Identifier: Apache-2.0
#include "store/objects/blob_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error/error.hpp"
#include "base/os/blocking.hpp"
#include "base/os/sync_name.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "trust/digests/digest.hpp"

namespace andon::store {
namespace {

constexpr std::size_t kPieceBytes = 256U << 10U;
constexpr std::string_view kNameAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

bool is_sha256(std::string_view text) {
  return base::is_hex_of(text, 32);
}

void sync_file(int fd, const base::fs::path& path) {
  base::may_block("fdatasync");
  if (fdatasync(fd) != 0) throw base::system_error("cannot sync '" + path.string() + "'", errno);
}

}  // namespace

BlobDirectory::BlobDirectory(base::fs::path directory)
    : directory_(std::move(directory)),
      blobs_(directory_ / "sha256"),
      unfinished_(directory_ / "unfinished"),
      own_prefix_(base::random_text(8, kNameAlphabet) + "-") {
  base::make_directories(directory_, 0700);
  base::make_directories(blobs_, 0700);
  base::make_directories(unfinished_, 0700);
  // All of them now and not when a blob comes: of two writers the one that finds a folder made
  // would be answered before the other has made its name last.
  constexpr unsigned kFolders = 256;
  for (unsigned folder = 0; folder < kFolders; ++folder) {
    const auto byte = static_cast<unsigned char>(folder);
    const base::fs::path path = blobs_ / base::to_hex({&byte, 1});
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      throw base::system_error("cannot make the directory '" + path.string() + "'", errno);
    }
  }
  base::sync_directory(blobs_);
  base::sync_directory(directory_);
  base::sync_name(directory_);
}

BlobDirectory::Staged::~Staged() {
  if (!path_.empty()) unlink(path_.c_str());
}

BlobDirectory::Staged BlobDirectory::stage(const ByteSource& source) const {
  const base::fs::path path = unfinished_ / (own_prefix_ + base::random_text(16, kNameAlphabet));
  const base::UniqueFd file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0400);
  Staged staged(path, {});
  trust::Sha256Stream sha256;
  trust::Md5Stream md5;
  std::string piece(kPieceBytes, '\0');
  while (const std::size_t count = source(piece.data(), piece.size())) {
    const std::string_view bytes(piece.data(), count);
    sha256.update(bytes);
    md5.update(bytes);
    base::write_all(file.get(), bytes, path);
    staged.digests_.size += count;
  }
  sync_file(file.get(), path);
  staged.digests_.sha256 = base::to_hex(sha256.finish());
  staged.digests_.md5 = base::to_hex(md5.finish());
  return staged;
}

base::fs::path blob_file(const base::fs::path& directory, const std::string& sha256) {
  return directory / "sha256" / sha256.substr(0, 2) / sha256;
}

BlobDirectory::Lease::Lease(BlobDirectory& directory, std::string sha256)
    : directory_(directory), sha256_(std::move(sha256)) {
  const std::lock_guard lock(directory_.mutex_);
  ++directory_.leases_[sha256_];
}

BlobDirectory::Lease::~Lease() {
  const std::lock_guard lock(directory_.mutex_);
  const auto lease = directory_.leases_.find(sha256_);
  if (--lease->second == 0) directory_.leases_.erase(lease);
}

void BlobDirectory::keep(Staged staged) const {
  const base::fs::path path = blob_file(directory_, staged.digests_.sha256);
  const base::fs::path folder = path.parent_path();
  std::error_code error;
  if (base::fs::create_directory(folder, error)) base::sync_directory(blobs_);
  if (error) {
    throw base::system_error("cannot make the directory '" + folder.string() + "'", error.value());
  }
  // Over an equal blob too: if that one has rotted on disk it is whole again.
  if (rename(staged.path_.c_str(), path.c_str()) != 0) {
    throw base::system_error(
        "cannot rename '" + staged.path_.string() + "' to '" + path.string() + "'", errno);
  }
  staged.path_.clear();
  base::sync_directory(folder);
}

std::optional<base::UniqueFd> BlobDirectory::open(const std::string& sha256) const {
  if (!is_sha256(sha256)) return std::nullopt;
  const base::fs::path path = blob_file(directory_, sha256);
  base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file) return file;
  if (errno == ENOENT) return std::nullopt;
  throw base::system_error("cannot open '" + path.string() + "'", errno);
}

void BlobDirectory::collect(const std::string& sha256, const std::function<bool()>& is_named) {
  // Held over the question and the deletion: a Lease taken meanwhile waits, and its keep() then
  // puts the file there anew.
  const std::lock_guard lock(mutex_);
  if (leases_.contains(sha256) || is_named()) return;
  const base::fs::path path = blob_file(directory_, sha256);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw base::system_error("cannot delete '" + path.string() + "'", errno);
  }
}

std::vector<std::string> BlobDirectory::list() const {
  std::vector<std::string> digests;
  for (const auto& folder : base::fs::directory_iterator(blobs_)) {
    for (const auto& file : base::fs::directory_iterator(folder)) {
      if (is_sha256(file.path().filename().string())) {
        digests.push_back(file.path().filename().string());
      }
    }
  }
  return digests;
}

void BlobDirectory::remove_leftovers() const {
  for (const auto& file : base::fs::directory_iterator(unfinished_)) {
    if (file.path().filename().string().starts_with(own_prefix_)) continue;
    unlink(file.path().c_str());
  }
}

}  // namespace andon::store
