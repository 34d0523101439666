// SPDX-License-Identifier: Apache-2.0
#include "cli/registry/registry.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "options/usage_error.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using base::JsonReader;

ModelPackage read_package(const JsonReader& summary) {
  return {.model = {.name = summary.string("ModelPackageGroupName"),
                    .version = static_cast<int>(summary.integer("ModelPackageVersion"))},
          .arn = summary.string("ModelPackageArn"),
          .approval = summary.optional_string("ModelApprovalStatus").value_or("")};
}

Error no_model(const std::string& name) {
  return {ErrorCode::not_found,
          "no model '" + name + "' is registered; andon model register FILE --name " + name};
}

// SageMaker has no code of its own for a group that is not there.
json::value packages_page(AwsClient& aws, const json::object& input, const std::string& name) {
  try {
    return aws.sagemaker("ListModelPackages", input);
  } catch (const Error& error) {
    if (error.message().find("does not exist") == std::string::npos) throw;
    throw no_model(name);
  }
}

}  // namespace

ModelParts model_parts(const base::fs::path& model) {
  ModelParts parts = vision::open_model(model).parts();
  parts.front().place = "model.onnx";  // as the recipe of andon-inspect has it
  for (vision::ModelFile::Part& part : parts) {
    if (base::fs::path(part.place).has_parent_path()) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("{} keeps weights in '{}': a component's artifacts lie in one folder; "
                      "save the model with its weights beside it",
                      model.string(), part.place));
    }
    const std::string ending = base::fs::path(part.place).extension();
    if (ending == ".yaml" || ending == ".yml") part.place = "model" + ending;
  }
  return parts;
}

ModelReference parse_model_reference(const std::string& text) {
  const std::size_t at = text.find('@');
  ModelReference model{.name = text.substr(0, at), .version = 0, .alias = {}};
  if (model.name.empty()) throw options::UsageError("a model's name is empty: NAME or NAME@3");
  if (at == std::string::npos) return model;
  const std::string rest = text.substr(at + 1);
  if (!rest.empty() && base::is_letter(rest.front()) && base::is_name_of(rest, "-_")) {
    model.alias = rest;
    return model;
  }
  const auto version = base::parse_integer<int>(rest, 1);
  if (!version) {
    throw options::UsageError(
        "'" + text + "' names no model: NAME, NAME@3 for its third version, or NAME@ALIAS");
  }
  model.version = *version;
  return model;
}

int version_of_alias(AwsClient& aws, const std::string& name, const std::string& alias) {
  const json::value answer = aws.rest(
      "andon", "GET",
      "/andon/v1/models/" + base::percent_encode(name) + "/aliases/" + base::percent_encode(alias));
  return static_cast<int>(JsonReader(answer, "GetModelAlias").integer("version"));
}

std::vector<ModelPackage> model_packages(AwsClient& aws, const std::string& name) {
  std::vector<ModelPackage> packages;
  json::object input{{"ModelPackageGroupName", name},
                     {"SortBy", "CreationTime"},
                     {"SortOrder", "Descending"},
                     {"MaxResults", 100}};
  while (true) {
    const json::value page = packages_page(aws, input, name);
    const JsonReader reader(page, "ListModelPackages");
    for (const JsonReader& summary : reader.children("ModelPackageSummaryList")) {
      packages.push_back(read_package(summary));
    }
    const auto next = reader.optional_string("NextToken");
    if (!next) break;
    input["NextToken"] = *next;
  }
  if (packages.empty()) throw no_model(name);
  return packages;
}

ModelPackage find_model_package(AwsClient& aws, const ModelReference& asked) {
  ModelReference model = asked;
  if (!model.alias.empty()) {
    model.version = version_of_alias(aws, model.name, model.alias);
    model.alias.clear();
  }
  for (ModelPackage& package : model_packages(aws, model.name)) {
    if (model.version == 0 || package.model.version == model.version) return std::move(package);
  }
  throw Error(ErrorCode::not_found, model.text() + " is not registered; andon model show " +
                                        model.name + " lists what is");
}

void upload(AwsClient& aws, Terminal& terminal, const std::string& bucket, const std::string& key,
            const base::fs::path& file) {
  aws.create_bucket(bucket);
  aws.put_object(bucket, key, file, [&](std::uint64_t sent, std::uint64_t total) {
    terminal.progress("upload " + file.filename().string(), sent, total);
  });
}

std::string create_model_package(AwsClient& aws, const NewModelPackage& package) {
  create_if_absent([&] {
    (void)aws.sagemaker("CreateModelPackageGroup", {{"ModelPackageGroupName", package.name}});
  });
  const json::object all_below{{"S3DataSource",
                                {{"S3Uri", fmt::format("s3://{}/{}", kModelBucket, package.folder)},
                                 {"S3DataType", "S3Prefix"},
                                 {"CompressionType", "None"}}}};
  json::object input{
      {"ModelPackageGroupName", package.name},
      {"ClientToken", package.token},
      {"ModelApprovalStatus", "PendingManualApproval"},
      {"InferenceSpecification",
       {{"Containers", json::array{{{"Image", "andon-inspect"}, {"ModelDataSource", all_below}}}},
        {"SupportedContentTypes", json::array{"image/jpeg", "image/png"}},
        {"SupportedResponseMIMETypes", json::array{"application/json"}}}}};
  if (!package.description.empty()) input["ModelPackageDescription"] = package.description;
  if (!package.report.empty()) {
    input["ModelMetrics"] = {
        {"ModelQuality",
         {{"Statistics", {{"ContentType", "application/json"}, {"S3Uri", package.report}}}}}};
  }
  const json::value created = aws.sagemaker("CreateModelPackage", input);
  return JsonReader(created, "CreateModelPackage").string("ModelPackageArn");
}

void set_approval(AwsClient& aws, const std::string& arn, const char* approval,
                  const std::string& reason) {
  json::object input{{"ModelPackageArn", arn}, {"ModelApprovalStatus", approval}};
  if (!reason.empty()) input["ApprovalDescription"] = reason;
  (void)aws.sagemaker("UpdateModelPackage", input);
}

json::array model_artifacts(const std::string& folder, const ModelParts& parts) {
  json::array artifacts;
  for (const vision::ModelFile::Part& part : parts) {
    artifacts.push_back({{"Uri", fmt::format("s3://{}/{}{}", kModelBucket, folder, part.place)},
                         {"Permission", {{"Read", "ALL"}}}});
  }
  return artifacts;
}

void create_if_absent(const std::function<void()>& create) {
  try {
    create();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::conflict && error.code() != ErrorCode::already_exists) throw;
  }
}

}  // namespace andon::cli
