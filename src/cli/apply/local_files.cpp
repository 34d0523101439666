// SPDX-License-Identifier: Apache-2.0
#include "cli/apply/local_files.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "cli/function/package.hpp"
#include "recipe/image/image_reference.hpp"
#include "recipe/reader/json_or_yaml.hpp"
#include "trust/digests/digest.hpp"

namespace andon::cli {
namespace {

namespace fs = base::fs;
namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostDocument = 1U << 20U;

class Packing {
 public:
  Packing(const fs::path& folder, std::vector<Upload>& uploads)
      : folder_(folder), uploads_(uploads) {}

  void take(std::string_view id, json::object& resource) {
    place_ = "Resources." + std::string(id);
    const auto* type = resource.if_contains("Type");
    auto* properties = resource.if_contains("Properties");
    if (type == nullptr || !type->is_string() || properties == nullptr ||
        !properties->is_object()) {
      return;
    }
    const std::string name(type->get_string());
    json::object& members = properties->get_object();
    if (name == "AWS::Lambda::Function") archive(members, "Code");
    if (name == "AWS::Lambda::LayerVersion") archive(members, "Content");
    if (name == "AWS::StepFunctions::StateMachine") definition(members);
    if (name == "AWS::GreengrassV2::ComponentVersion") recipe(members);
    if (name == "Andon::S3::Object") object(members);
  }

 private:
  // The path that a member is; nothing where it is something else.
  std::optional<fs::path> path_in(const json::object& members, std::string_view member) const {
    const auto* value = members.if_contains(member);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    const std::string text(value->get_string());
    if (text.starts_with("s3://") || text.find('\n') != std::string::npos) return std::nullopt;
    const fs::path path = folder_ / text;
    if (!fs::exists(path)) {
      throw Error(ErrorCode::not_found, place_ + ".Properties." + std::string(member) +
                                            ": there is no file or directory " + path.string());
    }
    return path;
  }

  std::string add_bytes(std::string bytes, const std::string& end, const fs::path& from) {
    const std::string key = trust::sha256_hex(bytes) + end;
    add({.bucket = kStackBucket,
         .key = key,
         .what = from.lexically_relative(folder_).string(),
         .file = {},
         .bytes = std::move(bytes)});
    return key;
  }

  std::string add_file(const fs::path& file, const std::string& end) {
    const std::string key = trust::sha256_hex_of_file(file) + end;
    add({.bucket = kStackBucket,
         .key = key,
         .what = file.lexically_relative(folder_).string(),
         .file = file,
         .bytes = {}});
    return key;
  }

  void add(Upload upload) {
    const bool is_known =
        std::ranges::any_of(uploads_, [&](const Upload& one) { return one.key == upload.key; });
    if (!is_known) uploads_.push_back(std::move(upload));
  }

  void archive(json::object& members, std::string_view member) {
    const auto path = path_in(members, member);
    if (!path) return;
    const std::string key = add_bytes(read_package(*path), ".zip", *path);
    members[member] = {{"S3Bucket", kStackBucket}, {"S3Key", key}};
  }

  void definition(json::object& members) {
    for (const char* member : {"DefinitionS3Location", "DefinitionUri"}) {
      const auto path = path_in(members, member);
      if (!path) continue;
      const std::string key = add_file(*path, path->extension().string());
      members.erase(member);
      members["DefinitionS3Location"] = {{"Bucket", kStackBucket}, {"Key", key}};
    }
  }

  void object(json::object& members) {
    const auto path = path_in(members, "Source");
    if (!path) return;
    if (fs::is_directory(*path)) {
      throw Error(ErrorCode::invalid_argument, place_ + ".Properties.Source: " + path->string() +
                                                   " is a directory; an object is one file");
    }
    members["Source"] = {{"S3Bucket", kStackBucket}, {"S3Key", add_file(*path, "")}};
  }

  // InlineRecipe: ./recipe.yaml; artifacts without a scheme lie beside it.
  void recipe(json::object& members) {
    const auto* given = members.if_contains("InlineRecipe");
    if (given == nullptr) return;
    fs::path beside = folder_;
    json::value document = *given;
    if (given->is_string()) {
      const std::string text(given->get_string());
      if (!text.starts_with("./") && !text.starts_with("../")) return;
      const auto path = path_in(members, "InlineRecipe");
      document = recipe::parse_json_or_yaml(base::read_file(*path, kMostDocument), path->string(),
                                            {.max_bytes = kMostDocument});
      beside = path->parent_path();
    }
    take_artifacts(document, beside);
    members["InlineRecipe"] =
        given->is_string() ? json::value(base::to_text(document)) : std::move(document);
  }

  static json::value* member_of(json::value& object, std::string_view name) {
    if (!object.is_object()) return nullptr;
    for (auto& member : object.get_object()) {
      if (base::equal_ignoring_case(std::string_view(member.key()), name)) return &member.value();
    }
    return nullptr;
  }

  void take_artifacts(json::value& document, const fs::path& beside) {
    json::value* manifests = member_of(document, "Manifests");
    if (manifests == nullptr || !manifests->is_array()) return;
    for (json::value& manifest : manifests->get_array()) {
      json::value* artifacts = member_of(manifest, "Artifacts");
      if (artifacts == nullptr || !artifacts->is_array()) continue;
      for (json::value& artifact : artifacts->get_array()) {
        json::value* uri = member_of(artifact, "Uri");
        if (uri == nullptr || !uri->is_string()) continue;
        const std::string text(uri->get_string());
        if (text.find("://") != std::string::npos || recipe::is_image_uri(text)) continue;
        const fs::path file = beside / text;
        if (!fs::is_regular_file(file)) {
          throw Error(ErrorCode::not_found, place_ + ".Properties.InlineRecipe: the artifact " +
                                                file.string() + " is no file");
        }
        // The name stays the last part: it is what the artifact is called on the device.
        const std::string key = trust::sha256_hex_of_file(file) + "/" + file.filename().string();
        add({.bucket = kStackBucket,
             .key = key,
             .what = file.lexically_relative(folder_).string(),
             .file = file,
             .bytes = {}});
        *uri = "s3://" + std::string(kStackBucket) + "/" + key;
      }
    }
  }

  const fs::path folder_;
  std::vector<Upload>& uploads_;
  std::string place_;
};

}  // namespace

std::vector<Upload> take_local_files(json::object& document, const fs::path& folder) {
  std::vector<Upload> uploads;
  auto* resources = document.if_contains("Resources");
  if (resources == nullptr || !resources->is_object()) return uploads;
  Packing packing(folder.empty() ? fs::path(".") : folder, uploads);
  for (auto& resource : resources->get_object()) {
    if (resource.value().is_object()) packing.take(resource.key(), resource.value().get_object());
  }
  return uploads;
}

}  // namespace andon::cli
