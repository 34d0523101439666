// SPDX-License-Identifier: Apache-2.0
#include "edge/artifacts/staged_marks.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <system_error>

#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "edge/artifacts/plain_file.hpp"
#include "edge/state/device_config.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

constexpr std::size_t kMostBytes = 4U << 20U;
constexpr mode_t kWritableByOthers = 022;

// The words of the marks that devices have.
std::string unpacked_as(recipe::Unarchive unarchive) {
  return unarchive == recipe::Unarchive::none ? "as-is"
                                              : base::to_lower(recipe::to_string(unarchive));
}

// What shall be there, a line an artifact.
std::string wanted_text(const StagedVersion& staged) {
  std::string all;
  for (const WantedArtifact& wanted : staged.artifacts) {
    const ArtifactAccess access = access_of(wanted);
    all += wanted.sha256 + ' ' + std::to_string(access.mode) + ' ' + std::to_string(access.group) +
           ' ' + wanted.run_as + ' ' + unpacked_as(wanted.artifact.unarchive) + ' ' +
           wanted.artifact.file_name + '\n';
  }
  return all;
}

// What is there, a line a file; nothing where something is not as the agent puts it there.
std::optional<std::string> found_text(const Layout& layout, const StagedVersion& staged) {
  struct stat status {};
  const fs::path directory = staged.directory(layout);
  if (lstat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      status.st_uid != geteuid() || (status.st_mode & kWritableByOthers) != 0) {
    return std::nullopt;
  }
  std::string all;
  for (const WantedArtifact& wanted : staged.artifacts) {
    const fs::path file = directory / wanted.artifact.file_name;
    if (lstat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_uid != geteuid()) {
      return std::nullopt;
    }
    all += std::to_string(status.st_ino) + ' ' + std::to_string(status.st_size) + ' ' +
           std::to_string(status.st_ctim.tv_sec) + '.' + std::to_string(status.st_ctim.tv_nsec) +
           '\n';
  }
  return all;
}

}  // namespace

unsigned recipe_mode(const recipe::Artifact& artifact) {
  using recipe::FileAccess;
  unsigned mode = 0;
  if (artifact.read == FileAccess::owner) mode |= 0440U;
  if (artifact.read == FileAccess::all) mode |= 0444U;
  if (artifact.execute == FileAccess::owner) mode |= 0550U;
  if (artifact.execute == FileAccess::all) mode |= 0555U;
  return mode;
}

ArtifactAccess access_of(const WantedArtifact& wanted) {
  // The file's owner is the agent: the recipe's "owner", the component's user, is in its group.
  const RunAs user = resolve_run_as(wanted.run_as);
  return {0400U | recipe_mode(wanted.artifact), user.group.value_or(getegid())};
}

// With another key no mark fits any more, and everything is read once.
StagedMarks::StagedMarks(const Layout& layout)
    : layout_(layout), key_(load_or_make_secret(layout.config() / "staged.key")) {}

fs::path StagedMarks::file_of(const StagedVersion& staged) const {
  return layout_.staged() / staged.component / staged.version;
}

std::string StagedMarks::keyed_mark(const StagedVersion& staged, std::string_view text) const {
  const trust::Sha256 mark =
      trust::hmac_sha256(key_, staged.component + '\n' + staged.version + '\n' + std::string(text));
  return base::to_hex(mark) + '\n';
}

bool StagedMarks::is_staged(const StagedVersion& staged) const {
  const auto kept = base::read_file_if_exists(file_of(staged), kMostBytes);
  return kept && kept->starts_with(wanted_text(staged));
}

bool StagedMarks::fit(const StagedVersion& staged) const {
  const auto kept = base::read_file_if_exists(file_of(staged), kMostBytes);
  const auto found = found_text(layout_, staged);
  if (!kept || !found) return false;
  const std::string text = wanted_text(staged) + *found;
  return trust::equal_in_constant_time(*kept, text + keyed_mark(staged, text));
}

void StagedMarks::write(const StagedVersion& staged) const {
  const auto found = found_text(layout_, staged);
  if (!found) return;  // touched again already: it has no mark
  const std::string text = wanted_text(staged) + *found;
  const fs::path file = file_of(staged);
  base::make_directories(file.parent_path());
  // Without artifacts there is nothing that a power cut could leave half there.
  if (staged.artifacts.empty()) return replace_file(file, text + keyed_mark(staged, text), 0600);
  base::sync_directory(layout_.staged());
  base::write_file_atomically(file, text + keyed_mark(staged, text), 0600);
}

void StagedMarks::remove(const StagedVersion& staged) const {
  std::error_code missing;
  if (fs::remove(file_of(staged), missing)) base::sync_directory(file_of(staged).parent_path());
}

}  // namespace andon::edge
