// SPDX-License-Identifier: Apache-2.0
// Layers: versions of them, and which a function has.
#include <algorithm>
#include <set>

#include "api/lambda/rows.hpp"
#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::api::lambda {
namespace {

using base::Error;
using base::ErrorCode;
using functions::LayerRef;
using functions::Layers;
using functions::LayerVersion;
using functions::Packages;

constexpr std::size_t kMostNames = 15;  // of runtimes
constexpr std::uint64_t kMostRequest = 70'167'211;

std::vector<std::string> read_words(const json::object& input, std::string_view member) {
  std::vector<std::string> words = text_list(input, member);
  for (const std::string& word : words) {
    constexpr std::size_t kMostWord = 64;
    if (word.empty() || word.size() > kMostWord || word.find(',') != std::string::npos) {
      throw Error(ErrorCode::invalid_argument,
                  std::string(member) + ": '" + word.substr(0, kMostWord) + "' is none");
    }
  }
  return words;
}

// LayerName, which may be an ARN.
LayerRef read_layer(const json::object& input) {
  LayerRef ref = functions::parse_layer_ref(required_text(input, "LayerName"));
  if (ref.number != 0) {
    throw Error(ErrorCode::invalid_argument, "LayerName: is the ARN of a version; leave it out");
  }
  return ref;
}

LayerRef read_version(const json::object& input) {
  LayerRef ref = read_layer(input);
  const std::string text = required_text(input, "VersionNumber");
  const auto number = functions::parse_version_number(text);
  if (!number) {
    throw Error(ErrorCode::invalid_argument,
                "VersionNumber: '" + text.substr(0, 20) + "' is no number of a version");
  }
  ref.number = *number;
  return ref;
}

Layers::Filter read_filter(const json::object& input) {
  return {.runtime = text_or_empty(input, "CompatibleRuntime"),
          .architecture = text_or_empty(input, "CompatibleArchitecture")};
}

// A LayerVersionsListItem.
json::object item(const Layers& layers, const LayerVersion& version) {
  json::object output{{"LayerVersionArn", functions::layer_version_arn(layers.arns(), version)},
                      {"Version", version.number},
                      {"Description", version.description},
                      {"CreatedDate", base::to_iso8601(version.created).substr(0, 23) + "+0000"}};
  if (!version.runtimes.empty()) output["CompatibleRuntimes"] = to_array(version.runtimes);
  if (!version.architectures.empty()) {
    output["CompatibleArchitectures"] = to_array(version.architectures);
  }
  put_unless_empty(output, "LicenseInfo", version.license);
  return output;
}

json::object describe_layer(const LambdaParts& parts, const LayerVersion& version) {
  const Layers& layers = parts.functions.layers;
  json::object output = item(layers, version);
  output["LayerArn"] = functions::layer_arn(layers.arns(), version.name);
  const auto sha256 = base::from_hex(version.code.sha256);
  output["Content"] =
      json::object{{"Location", parts.presign(Packages::kBucket, version.code.sha256)},
                   {"CodeSha256", base::to_base64(sha256.value_or(std::string()))},
                   {"CodeSize", version.code.bytes}};
  return output;
}

json::value publish(const LambdaParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const LayerRef ref = read_layer(input);
  LayerVersion version{.name = ref.name,
                       .description = text_or_empty(input, "Description"),
                       .license = text_or_empty(input, "LicenseInfo"),
                       .runtimes = read_words(input, "CompatibleRuntimes"),
                       .architectures = read_words(input, "CompatibleArchitectures")};
  const auto& content = input.at("Content").as_object();
  version.code = read_package(parts, content, /*is_dry=*/false);
  return describe_layer(parts, parts.functions.layers.publish(std::move(version)));
}

json::value get(const LambdaParts& parts, const OperationContext& context) {
  return describe_layer(parts, parts.functions.layers.find(read_version(context.input)));
}

json::value get_by_arn(const LambdaParts& parts, const OperationContext& context) {
  const LayerRef ref = functions::parse_layer_ref(required_text(context.input, "Arn"));
  return describe_layer(parts, parts.functions.layers.find(ref));
}

json::value list(const LambdaParts& parts, const OperationContext& context) {
  const ListPage page = read_marker(context.input);
  const Layers& layers = parts.functions.layers;
  const auto found = layers.list(page.after, page.limit, read_filter(context.input));
  json::array all;
  for (const LayerVersion& version : found.versions) {
    all.push_back(json::object{{"LayerName", version.name},
                               {"LayerArn", functions::layer_arn(layers.arns(), version.name)},
                               {"LatestMatchingVersion", item(layers, version)}});
  }
  json::object output{{"Layers", std::move(all)}};
  put_marker(output, found.next);
  return output;
}

json::value list_versions(const LambdaParts& parts, const OperationContext& context) {
  const ListPage page = read_marker(context.input);
  const Layers& layers = parts.functions.layers;
  const auto found = layers.versions_of(read_layer(context.input).name, page.after, page.limit,
                                        read_filter(context.input));
  json::array all;
  for (const LayerVersion& version : found.versions) all.push_back(item(layers, version));
  json::object output{{"LayerVersions", std::move(all)}};
  put_marker(output, found.next);
  return output;
}

json::value remove(const LambdaParts& parts, const OperationContext& context) {
  parts.functions.layers.remove(read_version(context.input));
  return nullptr;
}

}  // namespace

json::array read_layers(const LambdaParts& parts, const json::object& input) {
  const Layers& layers = parts.functions.layers;
  json::array all;
  std::set<std::string> names;
  const auto arns = text_list(input, "Layers");
  if (arns.size() > functions::kMostLayers) {
    throw Error(ErrorCode::invalid_argument, "Cannot reference more than 5 layers.");
  }
  for (const std::string& arn : arns) {
    const LayerRef ref = functions::parse_layer_ref(arn);
    if (!arn.starts_with("arn:") || ref.number == 0) {
      throw Error(ErrorCode::invalid_argument,
                  "Layers: '" + arn.substr(0, 200) + "' is not the ARN of a layer's version");
    }
    if (!names.insert(ref.name).second) {
      throw Error(ErrorCode::invalid_argument,
                  "Two different versions of the same layer are not allowed to be referenced in "
                  "the same function.");
    }
    try {
      const LayerVersion version = layers.find(ref);
      all.push_back(json::object{{"Arn", functions::layer_version_arn(layers.arns(), version)},
                                 {"CodeSize", version.code.bytes}});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found) throw;
      throw Error(ErrorCode::invalid_argument, "Layer version " + arn + " does not exist.");
    }
  }
  return all;
}

void check_unzipped(const LambdaParts& parts, const functions::Code& code,
                    const std::vector<std::string>& layers) {
  if (layers.empty()) return;
  std::uint64_t bytes = parts.functions.packages.unzipped_bytes(code);
  for (const std::string& arn : layers) {
    if (const auto layer = parts.functions.layers.of_function(arn)) {
      bytes += parts.functions.packages.unzipped_bytes(layer->code);
    }
  }
  if (bytes <= Packages::kMostUnzipped) return;
  throw Error(ErrorCode::invalid_argument,
              "Function code combined with layers exceeds the maximum allowed size of " +
                  std::to_string(Packages::kMostUnzipped) + " bytes. The actual size is " +
                  std::to_string(bytes) + " bytes.");
}

std::vector<Operation> layer_rows(const Parts& parts) {
  constexpr const char* kVersions = "/2018-10-31/layers/{LayerName}/versions";
  constexpr const char* kVersion = "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}";
  std::vector<Operation> all = {
      row(parts, "PublishLayerVersion", "POST", kVersions, 201,
          {rules::needed(rules::object_rule("Content")), rules::text("Description", 0, 256),
           rules::text("LicenseInfo", 0, 512),
           rules::list_rule("CompatibleRuntimes", 0, kMostNames),
           rules::list_rule("CompatibleArchitectures", 0, 2)},
          publish),
      row(parts, "GetLayerVersion", "GET", kVersion, 200, {}, get),
      row(parts, "GetLayerVersionByArn", "GET", "/2018-10-31/layers?find=LayerVersion", 200,
          {rules::needed(rules::text("Arn", 1, 140))}, get_by_arn),
      row(parts, "ListLayers", "GET", "/2018-10-31/layers", 200, {}, list),
      row(parts, "ListLayerVersions", "GET", kVersions, 200, {}, list_versions),
      row(parts, "DeleteLayerVersion", "DELETE", kVersion, 204, {}, remove)};
  all.front().max_body_bytes = kMostRequest;
  return all;
}

}  // namespace andon::api::lambda
