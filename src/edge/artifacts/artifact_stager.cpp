// SPDX-License-Identifier: Apache-2.0
#include "edge/artifacts/artifact_stager.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/os/blocking.hpp"
#include "edge/artifacts/blob_store.hpp"
#include "edge/artifacts/plain_file.hpp"
#include "edge/process/run_as.hpp"
#include "edge/state/deployment_failure.hpp"
#include "store/archive/unpacker.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

void copy_bytes(const fs::path& from, const fs::path& to) {
  const base::UniqueFd source = base::open_file(from, O_RDONLY);
  const base::UniqueFd target = base::open_file(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
  for (;;) {
    const ssize_t copied = sendfile(target.get(), source.get(), nullptr, 1U << 30U);
    if (copied == 0) break;
    if (copied < 0) throw base::system_error("cannot write " + to.string(), errno);
  }
}

bool has_access(const struct stat& status, const ArtifactAccess& access) {
  return status.st_uid == geteuid() && status.st_gid == access.group &&
         (status.st_mode & 07777U) == access.mode;
}

// On the disk when it returns.
void set_access(const fs::path& path, const ArtifactAccess& access) {
  const base::UniqueFd file = base::open_file(path, O_RDONLY | O_NOFOLLOW);
  base::may_block("fsync");
  if (fchown(file.get(), static_cast<uid_t>(-1), access.group) != 0 ||
      fchmod(file.get(), access.mode) != 0 || fsync(file.get()) != 0) {
    throw base::system_error("cannot finish " + path.string(), errno);
  }
}

// A file has one mode and one group: the first place of a blob gives it both, and a place that
// wants the same is a link to it, another one a copy.
void place(const fs::path& blob, const fs::path& target, const ArtifactAccess& access) {
  struct stat status {};
  if (lstat(blob.c_str(), &status) != 0) {
    throw base::system_error("cannot find " + blob.string(), errno);
  }
  const bool fits = has_access(status, access);
  std::error_code cannot_link = std::make_error_code(std::errc::not_supported);
  if (fits || status.st_nlink == 1) {
    if (!fits) set_access(blob, access);
    fs::create_hard_link(blob, target, cannot_link);
  }
  if (!cannot_link) return;
  copy_bytes(blob, target);
  set_access(target, access);
}

void give_to(const fs::path& path, const RunAs& owner) {
  if (lchown(path.c_str(), owner.user.value_or(static_cast<uid_t>(-1)),
             owner.group.value_or(static_cast<gid_t>(-1))) != 0) {
    throw base::system_error("cannot give " + path.string() + " to its user", errno);
  }
}

void give_tree_to(const fs::path& root, const RunAs& owner) {
  if (!owner.user && !owner.group) return;
  give_to(root, owner);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    give_to(entry.path(), owner);
  }
}

// Nothing where it stays as it is.
std::optional<store::ArchiveFormat> format_of(recipe::Unarchive unarchive) {
  switch (unarchive) {
    case recipe::Unarchive::none:
      return std::nullopt;
    case recipe::Unarchive::zip:
      return store::ArchiveFormat::zip;
    case recipe::Unarchive::tar:
      return store::ArchiveFormat::tar;
    case recipe::Unarchive::tar_gz:
      return store::ArchiveFormat::tar_gz;
    case recipe::Unarchive::tar_zst:
      return store::ArchiveFormat::tar_zst;
  }
  return std::nullopt;
}

// All below `root`, itself included, as it is. What was unpacked is not read again at a start: it
// must be whole before a mark says that it is there.
void sync_tree(const fs::path& root) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    const fs::file_status status = entry.symlink_status();
    if (fs::is_directory(status)) base::sync_directory(entry.path());
    if (!fs::is_regular_file(status)) continue;
    const base::UniqueFd file = base::open_file(entry.path(), O_RDONLY | O_NOFOLLOW);
    base::may_block("fsync");
    if (fsync(file.get()) != 0) {
      throw base::system_error("cannot sync " + entry.path().string(), errno);
    }
  }
  base::sync_directory(root);
}

// Replaces `place` by `prepared`, which is complete. An empty directory that a power cut takes away
// is missed, and made again, before its component starts.
void move_into_place(const fs::path& prepared, const fs::path& place) {
  const bool has_content = !fs::is_empty(prepared);
  if (has_content) sync_tree(prepared);
  fs::remove_all(place);
  fs::rename(prepared, place);
  if (has_content) base::sync_directory(place.parent_path());
}

DeploymentFailure not_in_place(const WantedArtifact& wanted, const base::Error& error) {
  const bool is_archive = wanted.artifact.unarchive != recipe::Unarchive::none;
  return {error.code(),
          "cannot put " + wanted.describe() + " in place: " + error.message(),
          {"IO_ERROR", is_archive ? "IO_UNZIP_ERROR" : "IO_WRITE_ERROR"},
          {"DEVICE_ERROR"}};
}

void stage(const Layout& layout, const StagedVersion& staged) {
  const BlobStore blobs(layout);
  const fs::path directory = staged.directory(layout);
  const fs::path unpacked = layout.unarchived_of(staged.component, staged.version);
  base::make_directories(directory.parent_path());
  base::make_directories(unpacked.parent_path());
  if (!staged.artifacts.empty()) {
    base::sync_directory(layout.artifacts());
    base::sync_directory(layout.unarchived());
  }
  // On the same file systems as their places, so that a rename suffices.
  const base::TemporaryDirectory fresh(directory.parent_path());
  const base::TemporaryDirectory fresh_unpacked(unpacked.parent_path());
  base::make_directories(fresh.path() / "content", 0755);
  base::make_directories(fresh_unpacked.path() / "content", 0755);

  for (const WantedArtifact& wanted : staged.artifacts) {
    try {
      const fs::path blob = blobs.path(wanted.sha256);
      place(blob, fresh.path() / "content" / wanted.artifact.file_name, access_of(wanted));
      if (const auto format = format_of(wanted.artifact.unarchive)) {
        const fs::path target =
            fresh_unpacked.path() / "content" / recipe::unarchived_name(wanted.artifact);
        store::unpack(*format, blob, target, recipe_mode(wanted.artifact), {});
        give_tree_to(target, resolve_run_as(wanted.run_as));
      }
    } catch (const base::Error& error) {
      throw not_in_place(wanted, error);
    }
  }
  move_into_place(fresh.path() / "content", directory);
  move_into_place(fresh_unpacked.path() / "content", unpacked);
}

// Is the file in its place what was verified, and its user's to read only?
bool is_as_verified(const fs::path& file, const WantedArtifact& wanted) {
  struct stat status {};
  if (lstat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  return has_access(status, access_of(wanted)) && trust::sha256_hex_of_file(file) == wanted.sha256;
}

// Replaces one file of a version that is staged.
void put_back(const Layout& layout, const fs::path& file, const WantedArtifact& wanted) {
  const fs::path directory = file.parent_path();
  const base::TemporaryDirectory fresh(directory.parent_path());
  place(BlobStore(layout).path(wanted.sha256), fresh.path() / "file", access_of(wanted));
  std::error_code ignored;
  if (fs::is_directory(fs::symlink_status(file, ignored))) fs::remove_all(file);
  fs::rename(fresh.path() / "file", file);
  base::sync_directory(directory);
}

// Of a version that is staged: each file by itself, so that what was unpacked stays as its install
// step has left it.
Placement repair(const Layout& layout, const StagedVersion& staged) {
  BlobStore blobs(layout);
  Placement placement;
  for (const WantedArtifact& wanted : staged.artifacts) {
    const fs::path file = staged.directory(layout) / wanted.artifact.file_name;
    if (is_as_verified(file, wanted)) continue;
    if (!blobs.has_intact(wanted)) {
      placement.missing.push_back(wanted.artifact.file_name);
      continue;
    }
    try {
      put_back(layout, file, wanted);
    } catch (const base::Error& error) {
      throw not_in_place(wanted, error);
    }
    placement.replaced.push_back(wanted.artifact.file_name);
  }
  return placement;
}

// Only the agent may change what is in its directory.
bool has_its_directories(const Layout& layout, const StagedVersion& staged) {
  struct stat status {};
  return lstat(staged.directory(layout).c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == geteuid() && (status.st_mode & 022U) == 0 &&
         fs::is_directory(layout.unarchived_of(staged.component, staged.version));
}

void stage_anew(const Layout& layout, const StagedMarks& marks, const InstalledComponent& component,
                const StagedVersion& staged) {
  marks.remove(staged);
  try {
    stage(layout, staged);
    marks.write(staged);
    // For people: what the agent goes by is in config.db.
    replace_file(layout.recipes() / (component.name + '-' + component.version + ".json"),
                 component.recipe.text(), 0644);
  } catch (const fs::filesystem_error& error) {
    throw DeploymentFailure(base::ErrorCode::internal,
                            "cannot stage component " + component.name + ' ' + component.version +
                                ": " + error.code().message(),
                            {"IO_ERROR", "IO_WRITE_ERROR"}, {"DEVICE_ERROR"});
  }
}

// Removes the entries of <parent>/<component>/<version> that are not kept.
void remove_versions(const fs::path& parent, const InstalledSet& keep) {
  std::error_code ignored;
  for (const fs::directory_entry& component : fs::directory_iterator(parent, ignored)) {
    const InstalledComponent* kept = keep.find(component.path().filename().string());
    for (const fs::directory_entry& version : fs::directory_iterator(component.path(), ignored)) {
      if (kept == nullptr || version.path().filename() != kept->version) {
        fs::remove_all(version.path(), ignored);
      }
    }
    if (kept == nullptr) fs::remove(component.path(), ignored);
  }
}

}  // namespace

Placement check_component(const Layout& layout, const StagedMarks& marks,
                          const InstalledComponent& component, const StagedVersion& staged) {
  if (marks.fit(staged)) return {};
  if (marks.is_staged(staged) && has_its_directories(layout, staged)) {
    Placement placement = repair(layout, staged);
    if (placement.is_complete()) marks.write(staged);
    return placement;
  }
  Placement placement{.replaced = {}, .missing = {}, .is_new = true};
  BlobStore blobs(layout);
  for (const WantedArtifact& wanted : staged.artifacts) {
    if (!blobs.has_intact(wanted)) placement.missing.push_back(wanted.artifact.file_name);
  }
  if (placement.is_complete()) stage_anew(layout, marks, component, staged);
  return placement;
}

Placement stage_component(const Layout& layout, const StagedMarks& marks,
                          const InstalledComponent& component, const StagedVersion& staged) {
  if (marks.is_staged(staged) && has_its_directories(layout, staged)) {
    return check_component(layout, marks, component, staged);
  }
  stage_anew(layout, marks, component, staged);
  return {.replaced = {}, .missing = {}, .is_new = true};
}

void collect_garbage(const Layout& layout, const InstalledSet& keep,
                     const recipe::PlatformAttributes& own) {
  // Markers first: what loses its artifacts must not be taken for staged.
  for (const fs::path& parent : {layout.staged(), layout.artifacts(), layout.unarchived()}) {
    remove_versions(parent, keep);
  }
  std::set<std::string> recipes;
  std::set<std::string> blobs;
  for (const InstalledComponent& component : keep.components) {
    recipes.insert(component.name + '-' + component.version + ".json");
    for (const WantedArtifact& wanted : wanted_artifacts(component, own)) {
      blobs.insert(wanted.sha256);
    }
  }
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(layout.recipes(), ignored)) {
    if (!recipes.contains(entry.path().filename().string())) fs::remove(entry.path(), ignored);
  }
  BlobStore(layout).keep_only(blobs);
}

}  // namespace andon::edge
