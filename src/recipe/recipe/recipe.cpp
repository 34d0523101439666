// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/recipe.hpp"

#include <algorithm>
#include <array>

#include "recipe/recipe/lifecycle.hpp"

namespace andon::recipe {
namespace {

struct UnarchiveRow {
  Unarchive unarchive;
  std::string_view name;
  std::array<std::string_view, 2> endings;
};
constexpr UnarchiveRow kUnarchive[] = {
    {Unarchive::none, "NONE", {}},
    {Unarchive::zip, "ZIP", {".zip"}},
    {Unarchive::tar, "TAR", {".tar"}},
    {Unarchive::tar_gz, "TAR.GZ", {".tar.gz", ".tgz"}},
    {Unarchive::tar_zst, "TAR.ZST", {".tar.zst", ".tzst"}},
};

const UnarchiveRow& row_of(Unarchive unarchive) {
  return *std::ranges::find(kUnarchive, unarchive, &UnarchiveRow::unarchive);
}

}  // namespace

std::string_view to_string(Unarchive unarchive) {
  return row_of(unarchive).name;
}

std::string Recipe::id() const {
  return component_name + " " + component_version.to_string();
}

const Manifest* select_manifest(const Recipe& recipe, const PlatformAttributes& device) {
  const auto manifest =
      std::find_if(recipe.manifests.begin(), recipe.manifests.end(),
                   [&](const Manifest& m) { return platform_matches(m.platform, device); });
  return manifest == recipe.manifests.end() ? nullptr : &*manifest;
}

Lifecycle select_lifecycle(const Recipe& recipe, const Manifest& manifest) {
  Problems problems;
  auto lifecycle = read_lifecycle(effective_lifecycle(recipe, manifest), "/Lifecycle", problems);
  throw_if_any(problems, "the lifecycle of " + recipe.id());
  return lifecycle;
}

std::string artifact_file_name(std::string_view uri) {
  if (uri.starts_with("docker:")) return {};
  const auto slash = uri.find_last_of("/:");
  return std::string(slash == std::string_view::npos ? uri : uri.substr(slash + 1));
}

std::string unarchived_name(const Artifact& artifact) {
  const std::string& name = artifact.file_name;
  for (const std::string_view ending : row_of(artifact.unarchive).endings) {
    if (!ending.empty() && name.size() > ending.size() && name.ends_with(ending)) {
      return name.substr(0, name.size() - ending.size());
    }
  }
  return name;
}

}  // namespace andon::recipe
