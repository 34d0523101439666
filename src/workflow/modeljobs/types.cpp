// SPDX-License-Identifier: Apache-2.0
#include "workflow/modeljobs/types.hpp"

#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_members.hpp"
#include "base/text/s3_uri.hpp"

namespace andon::workflow {
namespace {

constexpr std::array<std::pair<std::string_view, ModelJobStatus>, 5> kStatuses = {{
    {"InProgress", ModelJobStatus::in_progress},
    {"Completed", ModelJobStatus::completed},
    {"Failed", ModelJobStatus::failed},
    {"Stopping", ModelJobStatus::stopping},
    {"Stopped", ModelJobStatus::stopped},
}};

}  // namespace

std::string_view to_string(ModelJobStatus status) {
  for (const auto& [text, one] : kStatuses) {
    if (one == status) return text;
  }
  return {};
}

std::optional<ModelJobStatus> parse_model_job_status(std::string_view text) {
  for (const auto& [name, one] : kStatuses) {
    if (name == text) return one;
  }
  return std::nullopt;
}

std::string ModelJob::role() const {
  return base::text_at(request, "RoleArn");
}

S3Place parse_s3_uri(std::string_view uri, const std::string& what) {
  constexpr std::size_t kMostBytes = 1024;
  auto place = uri.size() > kMostBytes ? std::nullopt : base::parse_s3_uri(uri);
  if (!place) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      what + ": '" + std::string(uri.substr(0, 200)) +
                          "' is no place of objects, such as s3://bucket/prefix");
  }
  return {.bucket = std::move(place->bucket), .key = std::move(place->key)};
}

std::string model_artifacts(const ModelJob& job) {
  const json::value* output = job.request.if_contains("OutputDataConfig");
  if (output == nullptr || !output->is_object()) return {};
  std::string place = base::text_at(output->get_object(), "S3OutputPath");
  if (!place.ends_with('/')) place += '/';
  const bool is_plain = base::text_at(output->get_object(), "CompressionType") == "NONE";
  return place + job.name + "/output/" + (is_plain ? "model/" : "model.tar.gz");
}

}  // namespace andon::workflow
