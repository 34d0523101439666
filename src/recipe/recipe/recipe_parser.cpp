// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/recipe_parser.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/s3_uri.hpp"
#include "recipe/image/image_reference.hpp"
#include "recipe/reader/member_reader.hpp"
#include "recipe/recipe/lifecycle.hpp"
#include "recipe/recipe/platform.hpp"

namespace andon::recipe {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kMaxNameLength = 128;
constexpr std::size_t kSha256Bytes = 32;

constexpr std::array kComponentTypes{
    std::pair{"aws.greengrass.generic"sv, "aws.greengrass.generic"sv},
    std::pair{"aws.greengrass.plugin"sv, "aws.greengrass.plugin"sv},
    std::pair{"aws.greengrass.lambda"sv, "aws.greengrass.lambda"sv},
    std::pair{"aws.greengrass.nucleus"sv, "aws.greengrass.nucleus"sv}};
constexpr std::array kDependencyTypes{std::pair{"HARD"sv, DependencyType::hard},
                                      std::pair{"SOFT"sv, DependencyType::soft}};
constexpr std::array kUnarchive{
    std::pair{"NONE"sv, Unarchive::none}, std::pair{"ZIP"sv, Unarchive::zip},
    std::pair{"TAR"sv, Unarchive::tar}, std::pair{"TAR.GZ"sv, Unarchive::tar_gz},
    std::pair{"TAR.ZST"sv, Unarchive::tar_zst}};
constexpr std::array kFileAccess{std::pair{"NONE"sv, FileAccess::none},
                                 std::pair{"OWNER"sv, FileAccess::owner},
                                 std::pair{"ALL"sv, FileAccess::all}};

bool is_component_name(std::string_view name) {
  // A name is a directory on the device, so "." and ".." are none.
  return !name.empty() && name.size() <= kMaxNameLength &&
         name.find_first_not_of('.') != std::string_view::npos && base::is_name_of(name, "-_.");
}

bool is_file_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return base::is_control(c) || c == '/' || c == '\\'; });
}

// "s3://bucket/key" has both, the others something after their colon.
bool is_artifact_uri(std::string_view uri) {
  if (uri.starts_with(base::kS3Scheme)) {
    const auto object = base::parse_s3_uri(uri);
    return object && !object->key.empty();
  }
  return (uri.starts_with("greengrass:") && uri.size() > 11) ||
         (is_image_uri(uri) && uri.size() > 7);
}

void read_digest(const MemberReader& reader, Artifact& artifact) {
  artifact.digest = reader.optional_string("Digest").value_or("");
  artifact.algorithm = reader.optional_string("Algorithm").value_or("");
  if (artifact.digest.empty()) {
    artifact.algorithm.clear();
    return;
  }
  if (!artifact.algorithm.empty() && !base::equal_ignoring_case(artifact.algorithm, "SHA-256")) {
    reader.problem("Algorithm", "is \"" + artifact.algorithm + "\" but must be SHA-256");
    return;
  }
  artifact.algorithm = "SHA-256";
  const auto bytes = base::from_base64(artifact.digest);
  if (!bytes || bytes->size() != kSha256Bytes) {
    reader.problem("Digest", "must be the base64 text of a SHA-256 (44 characters)");
  }
}

Artifact read_artifact(const json::value& value, const std::string& place, Problems& problems) {
  const MemberReader reader(value, place, problems);
  Artifact artifact;
  artifact.uri = reader.required_text("Uri");
  artifact.file_name = artifact_file_name(artifact.uri);
  if (!artifact.uri.empty()) {
    if (!is_artifact_uri(artifact.uri)) {
      reader.problem("Uri", "is \"" + artifact.uri +
                                "\" but must be s3://bucket/key, greengrass:name or docker:image");
    } else if (!is_image_uri(artifact.uri) && !is_file_name(artifact.file_name)) {
      reader.problem("Uri", "does not end in the name of a file");
    }
  }
  artifact.unarchive = reader.choice("Unarchive", kUnarchive).value_or(Unarchive::none);
  if (const auto* permission = reader.optional_object("Permission")) {
    const json::value members(*permission);
    const MemberReader access(members, reader.place("Permission"), problems);
    artifact.read = access.choice("Read", kFileAccess).value_or(FileAccess::owner);
    artifact.execute = access.choice("Execute", kFileAccess).value_or(FileAccess::none);
  }
  read_digest(reader, artifact);
  if (const auto size = reader.optional_integer("Size")) {
    if (*size < 0) reader.problem("Size", "must not be negative");
    artifact.size = static_cast<std::uint64_t>(std::max<std::int64_t>(*size, 0));
  }
  return artifact;
}

std::string at(const std::string& place, std::size_t index) {
  return place + "/" + std::to_string(index);
}

const Artifact* unpacked_to_the_same(const std::vector<Artifact>& artifacts, const Artifact& one) {
  if (one.unarchive == Unarchive::none) return nullptr;
  const auto other = std::ranges::find_if(artifacts, [&](const Artifact& artifact) {
    return artifact.unarchive != Unarchive::none &&
           unarchived_name(artifact) == unarchived_name(one);
  });
  return other == artifacts.end() ? nullptr : &*other;
}

void read_artifacts(const MemberReader& reader, Manifest& manifest, Problems& problems) {
  const auto* artifacts = reader.optional_array("Artifacts");
  if (artifacts == nullptr) return;
  for (std::size_t i = 0; i < artifacts->size(); ++i) {
    const auto place = at(reader.place("Artifacts"), i);
    auto artifact = read_artifact((*artifacts)[i], place, problems);
    const bool taken =
        !artifact.file_name.empty() &&
        std::any_of(manifest.artifacts.begin(), manifest.artifacts.end(),
                    [&](const Artifact& a) { return a.file_name == artifact.file_name; });
    if (taken) {
      problems.push_back({place + "/Uri", "gives the file name \"" + artifact.file_name +
                                              "\" a second time in this manifest"});
    } else if (const auto* other = unpacked_to_the_same(manifest.artifacts, artifact)) {
      problems.push_back({place + "/Uri", "is unpacked into the directory \"" +
                                              unarchived_name(artifact) + "\" as " +
                                              other->file_name + " of this manifest is"});
    }
    manifest.artifacts.push_back(std::move(artifact));
  }
}

void check_platform(const MemberReader& reader, const Manifest& manifest, Problems& problems) {
  for (const auto& [key, wanted] : manifest.platform) {
    try {
      check_platform_value(wanted);
    } catch (const base::Error& error) {
      problems.push_back({reader.place("Platform") + base::join_pointer({key}), error.message()});
    }
  }
}

Manifest read_manifest(const json::value& value, const std::string& place, Problems& problems,
                       Problems& ignored) {
  const MemberReader reader(value, place, problems);
  Manifest manifest;
  manifest.name = reader.optional_string("Name").value_or("");
  for (auto& [key, wanted] : reader.scalar_map("Platform", "*")) {
    // The well-known keys are compared by name, so they get their one spelling.
    const auto lowered = base::to_lower(key);
    const bool known = lowered == "os" || lowered == "architecture" ||
                       lowered == "architecture.detail" || lowered == "runtime";
    manifest.platform.emplace(known ? lowered : key, wanted);
  }
  check_platform(reader, manifest, problems);
  if (const auto* selections = reader.optional_array("Selections")) {
    for (std::size_t i = 0; i < selections->size(); ++i) {
      if (const auto* text = (*selections)[i].if_string()) {
        manifest.selections.emplace_back(*text);
      } else {
        problems.push_back({at(reader.place("Selections"), i), "must be a text"});
      }
    }
  }
  if (const auto* lifecycle = reader.optional_object("Lifecycle")) {
    manifest.lifecycle =
        normalise_lifecycle(*lifecycle, {}, reader.place("Lifecycle"), {problems, ignored});
  }
  read_artifacts(reader, manifest, problems);
  return manifest;
}

void read_dependencies(const MemberReader& reader, Recipe& recipe, Problems& problems) {
  const auto* dependencies = reader.optional_object("ComponentDependencies");
  if (dependencies == nullptr) return;
  for (const auto& member : *dependencies) {
    const auto place =
        reader.place("ComponentDependencies") + base::join_pointer({std::string(member.key())});
    Dependency dependency;
    dependency.component = member.key();
    if (!is_component_name(dependency.component)) {
      problems.push_back({place, "is not the name of a component"});
    }
    if (dependency.component == recipe.component_name) {
      problems.push_back({place, "is the component itself"});
    }
    const MemberReader properties(member.value(), place, problems);
    dependency.requirement_text = properties.optional_string("VersionRequirement").value_or("*");
    try {
      dependency.requirement = VersionRange::parse(dependency.requirement_text);
    } catch (const base::Error& error) {
      properties.problem("VersionRequirement", error.message());
    }
    dependency.type =
        properties.choice("DependencyType", kDependencyTypes).value_or(DependencyType::hard);
    recipe.dependencies.push_back(std::move(dependency));
  }
}

void read_identity(const MemberReader& reader, Recipe& recipe) {
  const auto format = reader.required_text("RecipeFormatVersion");
  if (!format.empty() && format != "2020-01-25") {
    reader.problem("RecipeFormatVersion", "is \"" + format + "\" but must be 2020-01-25");
  }
  recipe.component_name = reader.required_text("ComponentName");
  if (!recipe.component_name.empty() && !is_component_name(recipe.component_name)) {
    reader.problem("ComponentName",
                   "must be 1 to 128 letters, digits, '-', '_' or '.', and not only dots");
  }
  const auto version = reader.required_text("ComponentVersion");
  if (const auto parsed = Version::parse(version)) {
    recipe.component_version = *parsed;
  } else if (!version.empty()) {
    reader.problem("ComponentVersion", "is \"" + version +
                                           "\" but must be a semantic version such as 1.0.0, of "
                                           "at most 64 characters and numbers up to 999999");
  }
  recipe.component_type =
      reader.choice("ComponentType", kComponentTypes).value_or("aws.greengrass.generic");
  recipe.description = reader.optional_string("ComponentDescription").value_or("");
  recipe.publisher = reader.optional_string("ComponentPublisher").value_or("");
  recipe.source = reader.optional_string("ComponentSource").value_or("");
}

void read_manifests(const MemberReader& reader, Recipe& recipe, Problems& problems) {
  if (const auto* manifests = reader.optional_array("Manifests")) {
    for (std::size_t i = 0; i < manifests->size(); ++i) {
      recipe.manifests.push_back(read_manifest((*manifests)[i], at(reader.place("Manifests"), i),
                                               problems, recipe.ignored));
    }
  }
  // A component that only has a configuration or dependencies fits every device.
  if (recipe.manifests.empty()) recipe.manifests.emplace_back();
  if (const auto* lifecycle = reader.optional_object("Lifecycle")) {
    recipe.lifecycle = normalise_lifecycle(*lifecycle, selection_keywords(recipe.manifests),
                                           reader.place("Lifecycle"), {problems, recipe.ignored});
  }
}

// After selection, as each manifest would run it.
void check_lifecycles(const Recipe& recipe, Problems& problems) {
  Problems found;
  for (std::size_t i = 0; i < recipe.manifests.size(); ++i) {
    const auto& manifest = recipe.manifests[i];
    const auto place =
        manifest.lifecycle.empty() ? "/Lifecycle" : at("/Manifests", i) + "/Lifecycle";
    static_cast<void>(read_lifecycle(effective_lifecycle(recipe, manifest), place, found));
  }
  // Manifests that share the global lifecycle find the same.
  for (auto& problem : found) {
    const bool known = std::any_of(problems.begin(), problems.end(), [&](const Problem& p) {
      return p.place == problem.place && p.message == problem.message;
    });
    if (!known) problems.push_back(std::move(problem));
  }
}

std::atomic<std::uint64_t> parsed{0};

}  // namespace

RecipeCheck check_recipe(std::string_view text) {
  ++parsed;
  RecipeCheck check;
  json::value document;
  try {
    document = parse_json_or_yaml(text, "the recipe", {.max_bytes = kMaxRecipeBytes});
  } catch (const base::Error& error) {
    check.problems.push_back({"", error.message()});
    return check;
  }
  if (!document.is_object()) {
    check.problems.push_back({"", "a recipe must be an object (keys and values)"});
    return check;
  }
  const MemberReader reader(document, "", check.problems);
  Recipe recipe;
  read_identity(reader, recipe);
  if (const auto* configuration = reader.find("ComponentConfiguration")) {
    const MemberReader members(*configuration, reader.place("ComponentConfiguration"),
                               check.problems);
    if (const auto* defaults = members.optional_object("DefaultConfiguration")) {
      recipe.default_configuration = *defaults;
    }
  }
  read_dependencies(reader, recipe, check.problems);
  read_manifests(reader, recipe, check.problems);
  check_lifecycles(recipe, check.problems);
  if (check.problems.empty()) check.recipe = std::move(recipe);
  return check;
}

Recipe parse_recipe(std::string_view text) {
  auto check = check_recipe(text);
  throw_if_any(check.problems, "the recipe");
  return *std::move(check.recipe);
}

std::uint64_t recipes_parsed() {
  return parsed;
}

}  // namespace andon::recipe
