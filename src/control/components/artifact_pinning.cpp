// SPDX-License-Identifier: Apache-2.0
#include "control/components/artifact_pinning.hpp"

#include <algorithm>
#include <string_view>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "base/text/s3_uri.hpp"
#include "control/components/components.hpp"
#include "recipe/image/image_reference.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

Error refused(std::string_view place, std::string_view problem) {
  return {ErrorCode::invalid_argument,
          "inlineRecipe: " + std::string(place) + ": " + std::string(problem)};
}

std::string base64_digest(const std::string& sha256_hex) {
  return base::to_base64(base::from_hex(sha256_hex).value_or(""));
}

store::ObjectInfo copy_source(store::ObjectStore& objects, const recipe::Artifact& artifact,
                              const std::string& key, const std::string& place) {
  const auto from = base::parse_s3_uri(artifact.uri);
  if (!from || from->key.empty()) {
    throw refused(place, "URI \"" + artifact.uri + "\" must be s3://bucket/key");
  }
  try {
    return objects.copy(from->bucket, from->key, std::string(kArtifactBucket), key);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    throw refused(place, "there is no object " + artifact.uri + "; upload it first");
  }
}

void check_digest(const recipe::Artifact& artifact, const store::ObjectInfo& info,
                  const std::string& place) {
  if (artifact.digest.empty()) return;
  if (artifact.algorithm != "SHA-256") {
    throw refused(place, "Algorithm must be SHA-256");
  }
  const std::string digest = base64_digest(info.sha256);
  if (artifact.digest != digest) {
    throw refused(place, "Digest \"" + artifact.digest + "\" is not that of " + artifact.uri +
                             ", which is \"" + digest + "\"; leave it out or correct it");
  }
}

// An image is pinned by its author: the registry that has it may be one of the devices' network.
void check_image(const recipe::Artifact& artifact, const std::string& place) {
  try {
    static_cast<void>(recipe::parse_pinned_image_uri(artifact.uri));
  } catch (const Error& error) {
    throw refused(place, error.message());
  }
  if (artifact.unarchive != recipe::Unarchive::none) {
    throw refused(place, "Unarchive is for files; an image is not unpacked");
  }
  if (!artifact.digest.empty()) {
    throw refused(place, "Digest is for files; an image's stands in its URI, behind @sha256:");
  }
}

}  // namespace

std::vector<PinnedArtifact> pin_artifacts(store::ObjectStore& objects, recipe::Recipe& recipe) {
  std::vector<PinnedArtifact> pinned;
  const std::string prefix = recipe.component_name + "/" + recipe.component_version.to_string() +
                             "/" + base::random_uuid() + "/";
  try {
    for (std::size_t m = 0; m < recipe.manifests.size(); ++m) {
      for (std::size_t a = 0; a < recipe.manifests[m].artifacts.size(); ++a) {
        recipe::Artifact& artifact = recipe.manifests[m].artifacts[a];
        const std::string place =
            "/Manifests/" + std::to_string(m) + "/Artifacts/" + std::to_string(a);
        if (recipe::is_image_uri(artifact.uri)) {
          check_image(artifact, place);
          continue;
        }
        if (!artifact.uri.starts_with(base::kS3Scheme)) {
          throw refused(place, "URI \"" + artifact.uri +
                                   "\" must start with s3:// or docker:; upload the file to the "
                                   "object store");
        }
        const std::string key = prefix + std::to_string(m) + "." + std::to_string(a);
        const store::ObjectInfo info = copy_source(objects, artifact, key, place);
        pinned.push_back({artifact.file_name, info.sha256, info.size, key});
        check_digest(artifact, info, place);
        const auto same_name = std::find_if(
            pinned.begin(), pinned.end() - 1,
            [&](const PinnedArtifact& other) { return other.name == artifact.file_name; });
        if (same_name != pinned.end() - 1 && same_name->sha256 != info.sha256) {
          pinned.back().name = info.sha256 + "/" + artifact.file_name;
        }
        artifact.uri = "greengrass:" + pinned.back().name;
        artifact.digest = base64_digest(info.sha256);
        artifact.algorithm = "SHA-256";
        artifact.size = info.size;
        // The same bytes under the same name need one reference only.
        const auto duplicate = std::find_if(
            pinned.begin(), pinned.end() - 1,
            [&](const PinnedArtifact& other) { return other.name == pinned.back().name; });
        if (duplicate != pinned.end() - 1) {
          objects.remove(std::string(kArtifactBucket), key);
          pinned.pop_back();
        }
      }
    }
  } catch (...) {  // whatever it was, the copies must not stay
    release_artifacts(objects, pinned);
    throw;
  }
  return pinned;
}

void release_artifacts(store::ObjectStore& objects, const std::vector<PinnedArtifact>& artifacts) {
  for (const PinnedArtifact& artifact : artifacts) {
    objects.remove(std::string(kArtifactBucket), artifact.key);
  }
}

}  // namespace andon::control
