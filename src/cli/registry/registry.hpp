// SPDX-License-Identifier: Apache-2.0
// Room: registry. Models on a server: what a model's files are, how they are uploaded and
// registered. A model NAME is a model package group; NAME@3 is the third package in it. Its files
// are the artifacts of component NAME.Model, version 3.0.0, so that nothing is stored twice.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "cli/terminal/aws_client.hpp"
#include "cli/terminal/terminal.hpp"
#include "vision/detect/model_file.hpp"

namespace andon::cli {

inline constexpr const char* kModelBucket = "andon-models";
inline constexpr const char* kComponentBucket = "andon-components";

// The files of a model as its component has them: the model as "model.onnx", what belongs to it
// beside.
using ModelParts = std::vector<vision::ModelFile::Part>;
// Throws invalid_argument for a model whose weights are not beside it.
[[nodiscard]] ModelParts model_parts(const base::fs::path& model);

// "NAME", "NAME@3", "NAME@champion".
struct ModelReference {
  std::string name;
  int version = 0;    // 0: the newest, or where the alias is
  std::string alias;  // empty: none is named

  [[nodiscard]] std::string component() const { return name + ".Model"; }
  [[nodiscard]] std::string component_version() const { return std::to_string(version) + ".0.0"; }
  [[nodiscard]] std::string text() const {
    return name + "@" + (alias.empty() ? std::to_string(version) : alias);
  }
};
// Throws UsageError for what is none.
[[nodiscard]] ModelReference parse_model_reference(const std::string& text);

struct ModelPackage {
  ModelReference model;
  std::string arn;
  std::string approval;  // Approved, Rejected, PendingManualApproval
};
// Where an alias is. Throws not_found.
[[nodiscard]] int version_of_alias(AwsClient& aws, const std::string& name,
                                   const std::string& alias);
// The newest first. Throws not_found for a model that is not there.
[[nodiscard]] std::vector<ModelPackage> model_packages(AwsClient& aws, const std::string& name);
[[nodiscard]] ModelPackage find_model_package(AwsClient& aws, const ModelReference& model);

// With a bar on the terminal. The bucket is made where it is not there.
void upload(AwsClient& aws, Terminal& terminal, const std::string& bucket, const std::string& key,
            const base::fs::path& file);

struct NewModelPackage {
  std::string name;
  std::string folder;  // in kModelBucket, with its "/"
  std::string token;   // a call that is repeated makes no second one
  std::string description;
  std::string report;  // s3://..., what was measured of it; empty: nothing
};
// Makes the group, too; the package waits for approval. Its ARN.
[[nodiscard]] std::string create_model_package(AwsClient& aws, const NewModelPackage& package);
void set_approval(AwsClient& aws, const std::string& arn, const char* approval,
                  const std::string& reason);

// [{Uri, Permission}] of the files in `folder`.
[[nodiscard]] base::json::array model_artifacts(const std::string& folder, const ModelParts& parts);

// Does what makes something; that it exists already is what was wanted.
void create_if_absent(const std::function<void()>& create);

}  // namespace andon::cli
