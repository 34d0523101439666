// SPDX-License-Identifier: Apache-2.0
// Functions: create, read, change, list, delete.
#include <utility>

#include "api/lambda/rows.hpp"
#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::api::lambda {
namespace {

using base::Error;
using base::ErrorCode;
using functions::Code;
using functions::Packages;
using functions::Version;

// A package in base64, with the rest of the request (as AWS has it).
constexpr std::uint64_t kMostRequest = 70'167'211;

ServiceError too_large(const std::string& message) {
  return {413, "RequestEntityTooLargeException", message};
}

std::string read_zip(const json::object& input) {
  const auto bytes = base::from_base64(required_text(input, "ZipFile"));
  if (!bytes) {
    throw Error(ErrorCode::invalid_argument, "ZipFile: is not the base64 of a ZIP archive");
  }
  return *bytes;
}

// What stands here for the image.
const FunctionImage& find_image(const LambdaParts& parts, const json::object& input) {
  const std::string uri = required_text(input, "ImageUri");
  if (input.contains("ZipFile") || input.contains("S3Bucket") || input.contains("S3Key")) {
    throw Error(ErrorCode::invalid_argument,
                "Please do not provide ZipFile, S3Bucket or S3Key beside ImageUri");
  }
  const FunctionImage* image = parts.images.find(uri);
  if (image != nullptr) return *image;
  throw Error(ErrorCode::invalid_argument,
              "ImageUri: this server runs no container images, and nothing stands for '" +
                  uri.substr(0, 200) +
                  "' here: name a directory and a handler for it in the file of andon-server "
                  "--function-images, or give the code as a ZIP archive (ZipFile, or S3Bucket and "
                  "S3Key)");
}

// What a configuration keeps of it.
json::object kept(const FunctionImage& image, const std::string& uri) {
  return {{"uri", uri}, {"runtime", image.runtime}, {"handler", image.handler}};
}

Code read_code(const LambdaParts& parts, const json::object& input, bool is_dry) {
  if (input.contains("ImageUri")) {
    return parts.functions.packages.add_directory(find_image(parts, input).directory);
  }
  return read_package(parts, input, is_dry);
}

// Is it a function of an image? The one cannot become the other.
void check_package_type(const Version& version, const json::object& input) {
  const bool is_image = version.config.contains(functions::kImageMember);
  if (is_image == input.contains("ImageUri")) return;
  throw Error(ErrorCode::invalid_argument,
              is_image ? "Please provide ImageUri when updating a function with packageType Image."
                       : "Please don't provide ImageUri when updating a function with packageType "
                         "Zip.");
}

std::map<std::string, std::string> read_tags(const json::object& input) {
  return text_map(input, "Tags");
}

}  // namespace

// Code, or the members of UpdateFunctionCode.
Code read_package(const LambdaParts& parts, const json::object& input, bool is_dry) {
  const bool has_zip = input.contains("ZipFile");
  const bool has_object = input.contains("S3Bucket") || input.contains("S3Key");
  if (has_zip == has_object) {
    throw Error(ErrorCode::invalid_argument,
                "Please provide a source for function code: ZipFile, or S3Bucket and S3Key");
  }
  Packages& packages = parts.functions.packages;
  try {
    if (has_zip) return is_dry ? Packages::look_at(read_zip(input)) : packages.add(read_zip(input));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::resource_exhausted) throw too_large(error.message());
    throw;
  }
  return packages.add_object(required_text(input, "S3Bucket"), required_text(input, "S3Key"));
}

namespace {

json::value create(const LambdaParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const std::string name = read_name(input);
  functions::check_function_name(name);
  const std::string type = word_or_empty(input, "PackageType", {"Zip", "Image"});
  const auto& code = input.at("Code").as_object();
  const bool is_image = code.contains("ImageUri");
  if (is_image != (type == "Image")) {
    throw Error(ErrorCode::invalid_argument,
                "PackageType: Image has an ImageUri, and Zip (the default) has none");
  }
  json::object config = read_configuration(parts, context, name);
  if (is_image) {
    config["PackageType"] = type;
    config[functions::kImageMember] =
        kept(find_image(parts, code), required_text(code, "ImageUri"));
  }
  add_defaults(config, name);
  check_configuration(config);
  if (parts.functions.registry.has(name)) {
    throw Error(ErrorCode::already_exists, "Function already exist: " + name);
  }
  const Code package = read_code(parts, code, /*is_dry=*/false);
  check_unzipped(parts, package, Version{.config = config}.layers());
  Version version = parts.functions.registry.create(name, config, package);
  control::Tags(parts.tags).set(parts.functions.registry.arn(version), read_tags(input));
  if (flag(input, "Publish")) {
    // AWS answers with the version; there must be code to publish.
    parts.functions.prepare_now(version);
    version = parts.functions.registry.publish(
        {.name = name, .description = std::nullopt, .code_sha256 = {}, .revision = {}});
  }
  parts.functions.wake();
  return describe(parts, version);
}

json::value get(const LambdaParts& parts, const OperationContext& context) {
  const Version version = parts.functions.registry.find(read_ref(context.input));
  json::object code{{"RepositoryType", "S3"},
                    {"Location", parts.presign(Packages::kBucket, version.code.sha256)}};
  if (const auto* image = version.config.if_contains(functions::kImageMember)) {
    const std::string uri = required_text(image->as_object(), "uri");
    code = {{"RepositoryType", "ECR"},
            {"ImageUri", uri},
            {"ResolvedImageUri", uri.substr(0, uri.find('@')) + "@sha256:" + version.code.sha256}};
  }
  json::object output{{"Configuration", describe(parts, version)}, {"Code", std::move(code)}};
  const auto& registry = parts.functions.registry;
  const auto tags = parts.tags.of(functions::function_arn(registry.arns(), version.function));
  if (!tags.empty()) output["Tags"] = to_object(tags);
  if (const auto reserved = registry.reserved(version.function)) {
    output["Concurrency"] = json::object{{"ReservedConcurrentExecutions", *reserved}};
  }
  return output;
}

json::value get_configuration(const LambdaParts& parts, const OperationContext& context) {
  return describe(parts, parts.functions.registry.find(read_ref(context.input)));
}

json::value list(const LambdaParts& parts, const OperationContext& context) {
  const ListPage page = read_marker(context.input);
  const bool all = word_or_empty(context.input, "FunctionVersion", {"ALL"}) == "ALL";
  const auto found = parts.functions.registry.list(page.after, page.limit, all);
  json::array functions;
  for (const Version& version : found.versions) functions.push_back(describe(parts, version));
  json::object output{{"Functions", std::move(functions)}};
  put_marker(output, found.next);
  return output;
}

json::value update_code(const LambdaParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  const std::string name = read_name(input);
  const std::string revision = text_or_empty(input, "RevisionId");
  auto& registry = parts.functions.registry;
  registry.check_changeable(name, revision);
  (void)read_configuration(parts, {.caller = context.caller, .input = input}, name);
  const bool is_dry = flag(input, "DryRun");
  const Version current = registry.find({.name = name, .qualifier = {}});
  check_package_type(current, input);
  const Code code = read_code(parts, input, is_dry);
  if (is_dry) {
    Version version = registry.find({.name = name, .qualifier = {}});
    version.code = code;
    return describe(parts, version);
  }
  check_unzipped(parts, code, current.layers());
  json::object changes;
  if (input.contains("ImageUri")) {
    changes[functions::kImageMember] =
        kept(find_image(parts, input), required_text(input, "ImageUri"));
  }
  Version version = registry.change_code(name, code, revision, changes);
  if (flag(input, "Publish")) {
    parts.functions.prepare_now(version);
    version = registry.publish(
        {.name = name, .description = std::nullopt, .code_sha256 = {}, .revision = {}});
    return describe(parts, version);
  }
  parts.functions.wake();
  json::object output = describe(parts, version);
  // What was sent is answered; what serves until it is ready is the old code.
  const auto sha256 = base::from_hex(code.sha256);
  output["CodeSha256"] = base::to_base64(sha256.value_or(std::string()));
  output["CodeSize"] = code.bytes;
  return output;
}

json::value update_configuration(const LambdaParts& parts, const OperationContext& context) {
  const std::string name = read_name(context.input);
  auto& registry = parts.functions.registry;
  const std::string revision = text_or_empty(context.input, "RevisionId");
  registry.check_changeable(name, revision);
  const json::object changes = read_configuration(parts, context, name);
  const Version current = registry.find({.name = name, .qualifier = {}});
  json::object config = current.config;
  for (const auto& [member, value] : changes) config[member] = value;
  check_configuration(config);
  if (changes.contains("Layers")) {
    check_unzipped(parts, current.code, Version{.config = config}.layers());
  }
  const Version version = registry.change_config(name, changes, revision);
  parts.functions.sandboxes.retire(name);
  return describe(parts, version);
}

json::value remove(const LambdaParts& parts, const OperationContext& context) {
  const auto ref = read_ref(context.input);
  auto& registry = parts.functions.registry;
  if (ref.qualifier.empty()) {
    registry.remove(ref.name);
    control::Tags tags = parts.tags;
    const std::string arn = functions::function_arn(registry.arns(), ref.name);
    std::vector<std::string> keys;
    for (const auto& [key, value] : tags.of(arn)) keys.push_back(key);
    tags.remove(arn, keys);
    parts.functions.sandboxes.retire(ref.name);
    return nullptr;
  }
  const auto number = functions::parse_version_number(ref.qualifier);
  if (!number) {
    throw Error(ErrorCode::invalid_argument,
                ref.qualifier == functions::kLatest
                    ? "$LATEST version cannot be deleted without deleting the function."
                    : "Deletion of aliases is not currently supported.");
  }
  registry.remove_version(ref.name, *number);
  return nullptr;
}

json::value account(const LambdaParts& parts, const OperationContext& /*context*/) {
  constexpr std::int64_t kTotal = 80'530'636'800;
  std::int64_t count = 0;
  std::uint64_t bytes = 0;
  std::string after;
  while (true) {
    constexpr std::size_t kPage = 1'000;
    const auto page = parts.functions.registry.list(after, kPage, /*all_versions=*/false);
    count += static_cast<std::int64_t>(page.versions.size());
    for (const Version& version : page.versions) bytes += version.code.bytes;
    if (!page.next) break;
    after = *page.next;
  }
  return json::object{
      {"AccountLimit", json::object{{"TotalCodeSize", kTotal},
                                    {"CodeSizeUnzipped", Packages::kMostUnzipped},
                                    {"CodeSizeZipped", Packages::kMostZipped},
                                    {"ConcurrentExecutions", parts.most_at_once},
                                    {"UnreservedConcurrentExecutions", parts.most_at_once}}},
      {"AccountUsage", json::object{{"TotalCodeSize", bytes}, {"FunctionCount", count}}}};
}

}  // namespace

std::vector<Operation> function_rows(const Parts& parts) {
  const auto object = rules::object_rule;
  constexpr const char* kAll = "/2015-03-31/functions";
  constexpr const char* kOne = "/2015-03-31/functions/{FunctionName}";
  constexpr const char* kConfiguration = "/2015-03-31/functions/{FunctionName}/configuration";
  std::vector<Operation> all = {
      row(parts, "CreateFunction", "POST", kAll, 201,
          {rules::needed(rules::text("FunctionName", 1, 140)), rules::needed(object("Code")),
           rules::needed(rules::text("Role", 1, 10'000)), object("Tags")},
          create),
      row(parts, "ListFunctions", "GET", kAll, 200, {}, list),
      row(parts, "GetFunction", "GET", kOne, 200, {}, get),
      row(parts, "DeleteFunction", "DELETE", kOne, 204, {}, remove),
      row(parts, "GetFunctionConfiguration", "GET", kConfiguration, 200, {}, get_configuration),
      row(parts, "UpdateFunctionConfiguration", "PUT", kConfiguration, 200, {},
          update_configuration),
      row(parts, "UpdateFunctionCode", "PUT", "/2015-03-31/functions/{FunctionName}/code", 200, {},
          update_code),
      row(parts, "GetAccountSettings", "GET", "/2016-08-19/account-settings", 200, {}, account)};
  for (Operation& one : all) {
    if (one.name == "CreateFunction" || one.name == "UpdateFunctionCode") {
      one.max_body_bytes = kMostRequest;
    }
  }
  return all;
}

}  // namespace andon::api::lambda
