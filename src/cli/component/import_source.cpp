// SPDX-License-Identifier: Apache-2.0
#include "cli/component/import_source.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::fs::path;

constexpr std::size_t kMostRecipes = 100;
constexpr std::string_view kBuild = "greengrass-build";

bool is_recipe(const path& file) {
  const std::string ending = base::to_lower(file.extension().string());
  return ending == ".yaml" || ending == ".yml" || ending == ".json";
}

std::vector<path> recipes_in(const path& folder, std::string_view prefix) {
  std::vector<path> found;
  for (const auto& entry : base::fs::directory_iterator(folder)) {
    const std::string name = base::to_lower(entry.path().filename().string());
    if (!entry.is_regular_file() || !is_recipe(entry.path()) || !name.starts_with(prefix)) continue;
    if (found.size() == kMostRecipes) {
      throw Error(ErrorCode::invalid_argument, folder.string() + " has more than 100 recipes");
    }
    found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

// A bundle is often one folder in an archive.
path enter_single_folder(path folder) {
  constexpr int kDeepest = 3;
  for (int depth = 0; depth < kDeepest; ++depth) {
    std::vector<path> inside;
    for (const auto& entry : base::fs::directory_iterator(folder)) inside.push_back(entry.path());
    const bool is_layout = inside.size() == 1 && (inside.front().filename() == kBuild ||
                                                  inside.front().filename() == "recipes");
    if (inside.size() != 1 || !base::fs::is_directory(inside.front()) || is_layout) break;
    folder = inside.front();
  }
  return folder;
}

// Both without what points elsewhere: links are followed before they are compared.
void require_inside(const path& folder, const path& file, const std::string& uri) {
  const path inside = base::fs::weakly_canonical(folder);
  const path found = base::fs::weakly_canonical(file);
  const auto [end, rest] = std::mismatch(inside.begin(), inside.end(), found.begin(), found.end());
  if (end == inside.end()) return;
  throw Error(ErrorCode::invalid_argument,
              "artifact \"" + uri + "\" leads out of " + folder.string());
}

std::string scheme_of(const std::string& uri) {
  const std::size_t colon = uri.find(':');
  return colon == std::string::npos ? "" : base::to_lower(uri.substr(0, colon));
}

std::string last_segment(const std::string& uri) {
  return uri.substr(uri.find_last_of("/:") + 1);
}

}  // namespace

ImportSource find_import_source(const path& place) {
  if (!base::fs::exists(place)) {
    throw Error(ErrorCode::not_found, "there is no " + place.string());
  }
  if (!base::fs::is_directory(place)) {
    const path folder = place.parent_path().empty() ? path(".") : place.parent_path();
    const path artifacts = folder / "artifacts";
    return {folder, {place}, base::fs::is_directory(artifacts) ? artifacts : path()};
  }
  const path folder = enter_single_folder(place);
  for (const path& root : {folder / kBuild, folder}) {
    if (!base::fs::is_directory(root / "recipes")) continue;
    std::vector<path> recipes = recipes_in(root / "recipes", "");
    if (recipes.empty()) continue;
    const path artifacts = root / "artifacts";
    return {root, std::move(recipes), base::fs::is_directory(artifacts) ? artifacts : path()};
  }
  if (base::fs::exists(folder / "gdk-config.json")) {
    throw Error(ErrorCode::failed_precondition,
                folder.string() + " has a gdk-config.json and no " + std::string(kBuild) +
                    "/recipes: build it first with `gdk component build`");
  }
  std::vector<path> recipes = recipes_in(folder, "recipe");
  if (recipes.empty()) {
    throw Error(ErrorCode::not_found, "no recipe in " + folder.string() +
                                          ": looked for recipe.yaml, recipe.json, recipes/ and " +
                                          std::string(kBuild) + "/recipes/");
  }
  const path artifacts = folder / "artifacts";
  return {folder, std::move(recipes), base::fs::is_directory(artifacts) ? artifacts : path()};
}

std::optional<path> find_import_artifact(const ImportSource& source, const path& recipe,
                                         const std::string& name, const std::string& version,
                                         const std::string& uri) {
  const bool is_path = scheme_of(uri).empty();
  const std::string file = is_path ? uri : last_segment(uri);
  if (file.empty() || file == "." || file == "..") return std::nullopt;
  std::vector<path> places;
  if (!is_path && !source.artifacts.empty()) {
    places.push_back(source.artifacts / name / version / file);
    places.push_back(source.artifacts / file);
  }
  places.push_back(recipe.parent_path() / file);
  places.push_back(source.folder / file);
  for (const path& place : places) {
    require_inside(source.folder, place, uri);
    if (base::fs::is_regular_file(place)) return place;
  }
  return std::nullopt;
}

}  // namespace andon::cli
