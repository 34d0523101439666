// SPDX-License-Identifier: Apache-2.0
#include "edge/artifact_stager.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/error.hpp"
#include "base/log.hpp"
#include "edge/blob_store.hpp"
#include "edge/deployment_failure.hpp"
#include "edge/run_as.hpp"
#include "edge/zip_archive.hpp"
#include "trust/digest.hpp"

namespace andon::edge {
namespace {

using recipe::FileAccess;

// What a blob has itself (see BlobStore): such an artifact can be a hard link to it.
constexpr unsigned kLinkableMode = 0440;

unsigned mode_of(const recipe::Artifact& artifact) {
  unsigned mode = 0;
  if (artifact.read == FileAccess::owner) mode |= 0440U;
  if (artifact.read == FileAccess::all) mode |= 0444U;
  if (artifact.execute == FileAccess::owner) mode |= 0550U;
  if (artifact.execute == FileAccess::all) mode |= 0555U;
  return mode;
}

void copy_file(const fs::path& from, const fs::path& to, unsigned mode) {
  const base::UniqueFd source = base::open_file(from, O_RDONLY);
  const base::UniqueFd target = base::open_file(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
  for (;;) {
    const ssize_t copied = sendfile(target.get(), source.get(), nullptr, 1U << 30U);
    if (copied == 0) break;
    if (copied < 0) throw base::system_error("cannot write " + to.string(), errno);
  }
  if (fchmod(target.get(), mode) != 0 || fsync(target.get()) != 0) {
    throw base::system_error("cannot finish " + to.string(), errno);
  }
}

void give_to(const fs::path& path, const RunAs& owner) {
  if (!owner.user && !owner.group) return;
  const uid_t user = owner.user.value_or(static_cast<uid_t>(-1));
  const gid_t group = owner.group.value_or(static_cast<gid_t>(-1));
  if (lchown(path.c_str(), user, group) != 0) {
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

void place(const fs::path& blob, const fs::path& target, unsigned mode, const RunAs& owner) {
  const bool own_copy = mode != kLinkableMode || owner.user || owner.group;
  std::error_code cannot_link;
  if (!own_copy) fs::create_hard_link(blob, target, cannot_link);
  if (own_copy || cannot_link) copy_file(blob, target, mode);
  give_to(target, owner);
}

std::string without_zip(const std::string& name) {
  constexpr std::string_view kSuffix = ".zip";
  if (name.size() > kSuffix.size() && name.ends_with(kSuffix)) {
    return name.substr(0, name.size() - kSuffix.size());
  }
  return name;
}

// Replaces `place` by `prepared`, which is complete.
void move_into_place(const fs::path& prepared, const fs::path& place) {
  fs::remove_all(place);
  fs::rename(prepared, place);
  base::sync_directory(place.parent_path());
}

// What the marker holds: another text means that something else is staged there.
std::string marker_text(const std::vector<WantedArtifact>& artifacts) {
  std::string all;
  for (const WantedArtifact& wanted : artifacts) {
    all += wanted.sha256 + ' ' + std::to_string(mode_of(wanted.artifact)) + ' ' + wanted.run_as +
           ' ' + (wanted.artifact.unarchive == recipe::Unarchive::zip ? "zip " : "as-is ") +
           wanted.artifact.file_name + '\n';
  }
  return all;
}

fs::path marker_of(const Layout& layout, const std::string& component, const std::string& version) {
  return layout.staged() / component / version;
}

void stage(const Layout& layout, const InstalledComponent& component,
           const std::vector<WantedArtifact>& artifacts) {
  const BlobStore blobs(layout);
  const fs::path directory = layout.artifacts_of(component.name, component.version);
  const fs::path unpacked = layout.unarchived_of(component.name, component.version);
  base::make_directories(directory.parent_path());
  base::make_directories(unpacked.parent_path());
  // On the same file systems as their places, so that a rename suffices.
  const base::TemporaryDirectory fresh(directory.parent_path());
  const base::TemporaryDirectory fresh_unpacked(unpacked.parent_path());
  base::make_directories(fresh.path() / "content", 0755);
  base::make_directories(fresh_unpacked.path() / "content", 0755);

  for (const WantedArtifact& wanted : artifacts) {
    try {
      const unsigned mode = mode_of(wanted.artifact);
      const RunAs owner = resolve_run_as(wanted.run_as);
      const fs::path blob = blobs.path(wanted.sha256);
      place(blob, fresh.path() / "content" / wanted.artifact.file_name, mode, owner);
      if (wanted.artifact.unarchive == recipe::Unarchive::zip) {
        const fs::path target =
            fresh_unpacked.path() / "content" / without_zip(wanted.artifact.file_name);
        unpack_zip(blob, target, mode);
        give_tree_to(target, owner);
      }
    } catch (const base::Error& error) {
      const bool is_zip = wanted.artifact.unarchive == recipe::Unarchive::zip;
      throw DeploymentFailure(
          error.code(), "cannot put " + wanted.describe() + " in place: " + error.message(),
          {"IO_ERROR", is_zip ? "IO_UNZIP_ERROR" : "IO_WRITE_ERROR"}, {"DEVICE_ERROR"});
    }
  }
  move_into_place(fresh.path() / "content", directory);
  move_into_place(fresh_unpacked.path() / "content", unpacked);
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

void stage_component(const Layout& layout, const InstalledComponent& component,
                     const std::vector<WantedArtifact>& artifacts) {
  const fs::path marker = marker_of(layout, component.name, component.version);
  const std::string text = marker_text(artifacts);
  if (base::read_file_if_exists(marker) == text) return;
  std::error_code missing;
  fs::remove(marker, missing);
  try {
    stage(layout, component, artifacts);
    base::make_directories(marker.parent_path());
    base::write_file_atomically(marker, text);
    base::write_file_atomically(
        layout.recipes() / (component.name + '-' + component.version + ".json"), component.recipe);
  } catch (const fs::filesystem_error& error) {
    throw DeploymentFailure(base::ErrorCode::internal,
                            "cannot stage component " + component.name + ' ' + component.version +
                                ": " + error.code().message(),
                            {"IO_ERROR", "IO_WRITE_ERROR"}, {"DEVICE_ERROR"});
  }
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
