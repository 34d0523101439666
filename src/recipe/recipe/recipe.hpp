// SPDX-License-Identifier: Apache-2.0
// A component recipe, format 2020-01-25, as AWS IoT Greengrass v2 defines it: what a component is,
// where it runs, what it needs, its artifacts and its lifecycle. Values; pure; any thread.
// Texts come from recipe_parser.hpp; the form served to devices from canonical_recipe.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "recipe/reader/problem.hpp"
#include "recipe/recipe/platform.hpp"
#include "recipe/version/semver.hpp"

namespace andon::recipe {

namespace json = base::json;

enum class DependencyType { hard, soft };  // hard: restarts with what it depends on

struct Dependency {
  std::string component;
  VersionRange requirement;
  std::string requirement_text;  // as written
  DependencyType type = DependencyType::hard;
};

// TAR and its compressed kinds are andon's own: Greengrass has NONE and ZIP.
enum class Unarchive { none, zip, tar, tar_gz, tar_zst };
[[nodiscard]] std::string_view to_string(Unarchive unarchive);  // as in a recipe: "TAR.GZ"

enum class FileAccess { none, owner, all };

struct Artifact {
  std::string uri;        // s3://bucket/key, greengrass:<name>, docker:<image>, https://...
  std::string file_name;  // last segment of the URI's path: the name on the device
  Unarchive unarchive = Unarchive::none;
  FileAccess read = FileAccess::owner;
  FileAccess execute = FileAccess::none;
  std::string digest;                 // base64 of the hash; "" where the author left it out
  std::string algorithm;              // "SHA-256"; "" without a digest
  std::optional<std::uint64_t> size;  // bytes; andon's own member
};

enum class Step { bootstrap, install, startup, run, shutdown, recover, uninstall };
[[nodiscard]] std::string_view to_string(Step step);  // as in a recipe for devices: "install"

struct LifecycleStep {
  std::string script;
  bool requires_privilege = false;
  std::string skip_if;  // "onpath <program>" or "exists <file>"; "" never
  std::string timeout;  // seconds, may hold variables; "" the step's default
  std::map<std::string, std::string> setenv;
};

// Of one platform, selections already applied. Variables are still in it (interpolate.hpp).
struct Lifecycle {
  std::map<std::string, std::string> setenv;
  std::map<Step, LifecycleStep> steps;

  [[nodiscard]] const LifecycleStep* find(Step step) const;
};

// The step's timeout or, where it has none, the default of Greengrass (install 120 s, shutdown
// 15 s, run none: nothing). Throws invalid_argument where it is not a positive number.
[[nodiscard]] std::optional<std::chrono::milliseconds> step_timeout(const LifecycleStep& step,
                                                                    Step which);

struct Manifest {
  std::string name;
  std::map<std::string, std::string> platform;  // empty: every platform
  json::object lifecycle;                       // step names lower case, members PascalCase
  std::vector<std::string> selections;
  std::vector<Artifact> artifacts;
};

struct Recipe {
  std::string component_name;
  Version component_version;
  std::string component_type;  // "aws.greengrass.generic"
  std::string description;
  std::string publisher;
  std::string source;
  json::object default_configuration;
  std::vector<Dependency> dependencies;  // in the order written
  std::vector<Manifest> manifests;       // the first that fits is taken
  json::object lifecycle;                // global, may hold selection keys; normalised as above
  Problems ignored;  // keys of lifecycles that mean nothing: to be told to who wrote them

  // "com.example.Hello 1.0.0", for messages.
  [[nodiscard]] std::string id() const;
};

// The first manifest that fits; nullptr where none does. (A recipe without manifests is parsed as
// one with an empty manifest, which fits every device.)
[[nodiscard]] const Manifest* select_manifest(const Recipe& recipe,
                                              const PlatformAttributes& device);

// The lifecycle that `manifest` of `recipe` means: its own, or the global one reduced by its
// selections.
[[nodiscard]] Lifecycle select_lifecycle(const Recipe& recipe, const Manifest& manifest);

// "s3://models/a/weights.onnx" -> "weights.onnx"; "docker:..." has none: "".
[[nodiscard]] std::string artifact_file_name(std::string_view uri);

// Where an archive is unpacked, below {artifacts:decompressedPath}: its file name without the
// ending of its kind (ZIP: .zip, TAR: .tar, TAR.GZ: .tar.gz or .tgz, TAR.ZST: .tar.zst or .tzst).
[[nodiscard]] std::string unarchived_name(const Artifact& artifact);

}  // namespace andon::recipe
