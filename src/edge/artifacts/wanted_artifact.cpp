// SPDX-License-Identifier: Apache-2.0
#include "edge/artifacts/wanted_artifact.hpp"

#include "base/text/encoding.hpp"
#include "base/text/s3_uri.hpp"
#include "edge/state/deployment_failure.hpp"
#include "recipe/image/image_reference.hpp"

namespace andon::edge {
namespace {

using base::ErrorCode;

constexpr std::string_view kGreengrass = "greengrass:";

DeploymentFailure bad(const WantedArtifact& wanted, const std::string& why, std::string code) {
  return {ErrorCode::failed_precondition,
          wanted.describe() + ' ' + why,
          {"ARTIFACT_DOWNLOAD_ERROR", std::move(code)},
          {"COMPONENT_RECIPE_ERROR"}};
}

WantedArtifact make_wanted(const InstalledComponent& component, const recipe::Artifact& artifact) {
  WantedArtifact wanted;
  wanted.component = component.name;
  wanted.version = component.version;
  wanted.arn = component.arn;
  wanted.run_as = component.run_as;
  wanted.artifact = artifact;
  wanted.name = artifact.file_name;
  if (artifact.uri.starts_with(kGreengrass)) {
    wanted.name = artifact.uri.substr(kGreengrass.size());
  } else if (!artifact.uri.starts_with(base::kS3Scheme)) {
    throw bad(wanted,
              "has the URI '" + artifact.uri +
                  "', which this agent cannot fetch "
                  "(greengrass:, s3: and docker: are possible)",
              "UNSUPPORTED_ARTIFACT_SCHEME");
  }
  // It becomes a path below the component's directory.
  const std::string& file = artifact.file_name;
  if (file.empty() || file == "." || file == ".." || file.find('/') != std::string::npos ||
      file.find('\0') != std::string::npos) {
    throw bad(wanted, "has no usable file name", "ARTIFACT_URI_NOT_VALID");
  }
  const auto digest = base::from_base64(artifact.digest);
  if (artifact.algorithm != "SHA-256" || !digest || digest->size() != 32) {
    throw bad(wanted, "has no SHA-256 digest in its recipe, so it cannot be verified",
              "RECIPE_MISSING_ARTIFACT_HASH_ALGORITHM");
  }
  wanted.sha256 = base::to_hex(base::as_bytes(*digest));
  return wanted;
}

}  // namespace

std::string WantedArtifact::describe() const {
  return "artifact " + (name.empty() ? artifact.uri : name) + " of component " + component + ' ' +
         version;
}

std::vector<WantedArtifact> wanted_artifacts(const InstalledComponent& component,
                                             const recipe::PlatformAttributes& own) {
  const recipe::Recipe& recipe = *component.recipe;
  const recipe::Manifest* manifest = recipe::select_manifest(recipe, own);
  if (manifest == nullptr) {
    throw DeploymentFailure(ErrorCode::failed_precondition,
                            "component " + recipe.id() + " has no manifest for this platform",
                            {"NO_AVAILABLE_COMPONENT_VERSION", "RECIPE_MISSING_MANIFEST"},
                            {"COMPONENT_RECIPE_ERROR"});
  }
  std::vector<WantedArtifact> wanted;
  for (const recipe::Artifact& artifact : manifest->artifacts) {
    if (recipe::is_image_uri(artifact.uri)) continue;
    wanted.push_back(make_wanted(component, artifact));
  }
  return wanted;
}

std::vector<WantedArtifact> wanted_artifacts(const InstalledSet& set,
                                             const recipe::PlatformAttributes& own) {
  std::vector<WantedArtifact> all;
  for (const InstalledComponent& component : set.components) {
    for (WantedArtifact& wanted : wanted_artifacts(component, own)) {
      all.push_back(std::move(wanted));
    }
  }
  return all;
}

}  // namespace andon::edge
