// SPDX-License-Identifier: Apache-2.0
#include "server/services/feature_service.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "api/athena/athena.hpp"
#include "api/featurestore/featurestore.hpp"
#include "api/glue/glue.hpp"

namespace andon::server {
namespace {

features::Features::Parts feature_parts(const FeatureService::Parts& parts) {
  return {
      .database = parts.database,
      .path = parts.file,
      .objects = parts.objects,
      .clock = parts.clock,
      .arns = parts.arns,
      .limits = parts.limits,
      .exports = {.after = parts.export_after},
      .queries = {.limits = {.time = parts.query_time}, .directory = parts.queries},
      .check_write = [&calls = parts.calls](const std::string& role, const std::string& bucket,
                                            const std::string& key) {
        const api::Caller caller = calls.as_role(
            {.role_arn = role, .session = "feature-store", .service = "sagemaker.amazonaws.com"});
        calls.require(caller, "s3:PutObject", "arn:aws:s3:::" + bucket + "/" + key);
      }};
}

}  // namespace

FeatureService::FeatureService(const Parts& parts)
    : parts_(parts), features_(feature_parts(parts_)) {}

std::vector<api::Operation> FeatureService::operations() {
  std::vector<api::Operation> all =
      api::feature_store_operations({.features = features_,
                                     .arns = parts_.arns,
                                     .authorizer = &parts_.authorizer,
                                     .tags = control::Tags(parts_.tags)});
  const auto add = [&all](std::vector<api::Operation> some) {
    std::ranges::move(some, std::back_inserter(all));
  };
  add(api::glue_operations(
      {.features = features_, .arns = parts_.arns, .authorizer = &parts_.authorizer}));
  add(api::athena_operations({.queries = features_.queries,
                              .arns = parts_.arns,
                              .authorizer = &parts_.authorizer,
                              .objects = parts_.objects}));
  return all;
}

}  // namespace andon::server
