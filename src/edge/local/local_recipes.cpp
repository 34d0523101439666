// SPDX-License-Identifier: Apache-2.0
#include "edge/local/local_recipes.hpp"

#include <system_error>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "edge/artifacts/blob_store.hpp"
#include "edge/state/deployment_failure.hpp"
#include "recipe/recipe/canonical_recipe.hpp"
#include "recipe/recipe/recipe_parser.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostFiles = 1'000;

bool is_recipe_file(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".json" || extension == ".yaml" || extension == ".yml";
}

// Its bytes into the blob store; gives their digest and size.
std::pair<std::string, std::uint64_t> store(const Layout& layout, const fs::path& file,
                                            WantedArtifact wanted) {
  BlobStore blobs(layout);
  wanted.sha256 = trust::sha256_hex_of_file(file);
  std::error_code failed;
  const std::uint64_t size = fs::file_size(file, failed);
  if (!failed && !blobs.has_intact(wanted)) {
    fs::copy_file(file, blobs.partial_path(wanted.sha256), fs::copy_options::overwrite_existing,
                  failed);
    if (!failed) blobs.adopt(wanted);
  }
  if (failed) {
    throw base::system_error("cannot store " + wanted.describe() + " from " + file.string(),
                             failed.value());
  }
  return {wanted.sha256, size};
}

}  // namespace

LocalRecipes::LocalRecipes(const Layout& layout, const LocalRequest& request,
                           recipe::PlatformAttributes platform)
    : layout_(layout), artifacts_(request.artifacts), platform_(std::move(platform)) {
  if (request.recipes.empty()) return;
  std::error_code failed;
  std::size_t files = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(request.recipes, failed)) {
    if (!is_recipe_file(entry.path())) continue;
    if (++files > kMostFiles) {
      throw Error(ErrorCode::invalid_argument, request.recipes.string() + " holds more than " +
                                                   std::to_string(kMostFiles) + " recipes");
    }
    recipe::Recipe recipe =
        read_recipe(base::read_file(entry.path(), recipe::kMaxRecipeBytes), entry.path().string());
    recipes_[recipe.component_name].push_back(std::move(recipe));
  }
  if (failed) {
    throw Error(ErrorCode::invalid_argument, "the recipes in " + request.recipes.string() +
                                                 " cannot be read: " + failed.message());
  }
}

std::optional<recipe::Candidate> LocalRecipes::find(
    const std::string& component, const recipe::Requirements& requirements) const {
  const auto versions = recipes_.find(component);
  if (versions == recipes_.end()) return std::nullopt;
  const recipe::VersionRange range = recipe::merged_range(requirements);
  const recipe::Recipe* best = nullptr;
  for (const recipe::Recipe& one : versions->second) {
    if (!range.contains(one.component_version)) continue;
    if (best == nullptr || (best->component_version <=> one.component_version) < 0) best = &one;
  }
  if (best == nullptr) return std::nullopt;
  return with_artifacts(*best);
}

recipe::Candidate LocalRecipes::with_artifacts(recipe::Recipe recipe) const {
  const std::string version = recipe.component_version.to_string();
  const recipe::Manifest* const chosen = recipe::select_manifest(recipe, platform_);
  for (recipe::Manifest& manifest : recipe.manifests) {
    if (&manifest != chosen || artifacts_.empty()) continue;
    for (recipe::Artifact& artifact : manifest.artifacts) {
      const fs::path file = artifacts_ / recipe.component_name / version / artifact.file_name;
      std::error_code missing;
      if (artifact.file_name.empty() || !fs::is_regular_file(file, missing)) continue;
      WantedArtifact wanted;
      wanted.component = recipe.component_name;
      wanted.version = version;
      wanted.name = artifact.file_name;
      const auto [sha256, size] = store(layout_, file, std::move(wanted));
      artifact.uri = recipe::greengrass_uri(artifact);
      artifact.digest = base::to_base64(base::from_hex(sha256).value());
      artifact.algorithm = "SHA-256";
      artifact.size = size;
    }
  }
  recipe::Candidate candidate;
  candidate.recipe_text = base::to_text(recipe::to_canonical_json(recipe));
  // As it will be read again, and what its author has to hear.
  candidate.recipe = recipe::parse_recipe(candidate.recipe_text);
  candidate.recipe.ignored = std::move(recipe.ignored);
  return candidate;
}

}  // namespace andon::edge
