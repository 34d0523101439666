// SPDX-License-Identifier: Apache-2.0
// A container image as an artifact's URI names it: docker:[REGISTRY/]NAME[:TAG][@sha256:DIGEST], in
// the grammar that Docker and Podman share. Values; pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace andon::recipe {

struct ImageReference {
  std::string name;    // with its registry, where it has one: "registry.plant:5000/line/look"
  std::string tag;     // "" where there is none
  std::string digest;  // of its manifest: "sha256:" and 64 hex digits; "" where there is none

  [[nodiscard]] std::string by_digest() const { return name + '@' + digest; }
  [[nodiscard]] std::string by_tag() const { return name + ':' + tag; }
};

[[nodiscard]] bool is_image_uri(std::string_view uri);

// Throws invalid_argument saying what is wrong with the URI.
[[nodiscard]] ImageReference parse_image_uri(std::string_view uri);
// The same of one that can be verified. Throws for one without a digest, too, with what to write.
[[nodiscard]] ImageReference parse_pinned_image_uri(std::string_view uri);

// The registry of a name; "docker.io" where it names none, as Docker reads it.
[[nodiscard]] std::string registry_of(std::string_view name);
// The name with its registry: "redis" is "docker.io/library/redis".
[[nodiscard]] std::string full_image_name(std::string_view name);

}  // namespace andon::recipe
