// SPDX-License-Identifier: Apache-2.0
#include "control/models/model_data.hpp"

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/s3_uri.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

constexpr std::size_t kMaxContainers = 15;
constexpr std::size_t kMaxUrlBytes = 1024;
constexpr std::size_t kMaxFilesOfAModel = 100;

[[noreturn]] void refuse(const std::string& where, const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, where + ": " + problem);
}

base::S3Uri parse_place(const std::string& where, const std::string& url) {
  auto place = base::parse_s3_uri(url);
  if (!place || place->key.empty() || url.size() > kMaxUrlBytes) {
    refuse(where, "must be s3://<bucket>/<key> of an object in this server's store");
  }
  return *std::move(place);
}

ModelData find_model(const std::string& where, const std::string& url,
                     const store::ObjectStore& objects) {
  const base::S3Uri place = parse_place(where, url);
  const auto object =
      objects.has_bucket(place.bucket) ? objects.head(place.bucket, place.key) : std::nullopt;
  if (!object) refuse(where, "there is no object " + url + ": upload the model first");
  return {.url = url, .sha256 = object->sha256, .size = object->size, .etag = object->etag};
}

// A model of several files: its weights and its description lie beside it.
void pin_all_below(const std::string& where, const std::string& url,
                   const store::ObjectStore& objects, std::vector<ModelData>& found) {
  const base::S3Uri place = parse_place(where, url);
  if (!url.ends_with('/')) refuse(where, "must end in '/' where S3DataType is S3Prefix");
  store::ListRequest request;
  request.bucket = place.bucket;
  request.prefix = place.key;
  request.max_keys = kMaxFilesOfAModel;
  const auto page = objects.has_bucket(place.bucket) ? objects.list(request) : store::ListPage{};
  if (page.objects.empty()) {
    refuse(where, "there is no object below " + url + ": upload the model first");
  }
  if (page.next_start_after) {
    refuse(where, "there are more than " + std::to_string(kMaxFilesOfAModel) + " objects below " +
                      url + ": name the folder of the model alone");
  }
  for (const store::ObjectInfo& object : page.objects) {
    found.push_back({.url = "s3://" + object.bucket + "/" + object.key,
                     .sha256 = object.sha256,
                     .size = object.size,
                     .etag = object.etag});
  }
}

// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3ModelDataSource.html
void pin_source(const json::value& source, const std::string& where,
                const store::ObjectStore& objects, std::vector<ModelData>& found) {
  const json::value* s3 =
      source.is_object() ? source.get_object().if_contains("S3DataSource") : nullptr;
  if (s3 == nullptr || !s3->is_object()) refuse(where, "must have an object S3DataSource");
  const std::string place = where + ".S3DataSource";
  const auto text = [&](const char* member) {
    const json::value* value = s3->get_object().if_contains(member);
    if (value == nullptr || !value->is_string()) refuse(place + "." + member, "must be text");
    return std::string(value->get_string());
  };
  for (const auto& [member, value] : s3->get_object()) {
    if (member != "S3Uri" && member != "S3DataType" && member != "CompressionType") {
      refuse(place + "." + std::string(member), "is not supported");
    }
  }
  const std::string compression = text("CompressionType");
  if (compression != "None" && compression != "Gzip") {
    refuse(place + ".CompressionType", "must be None or Gzip");
  }
  const std::string type = text("S3DataType");
  if (type == "S3Object") {
    found.push_back(find_model(place + ".S3Uri", text("S3Uri"), objects));
  } else if (type == "S3Prefix") {
    pin_all_below(place + ".S3Uri", text("S3Uri"), objects, found);
  } else {
    refuse(place + ".S3DataType", "must be S3Object or S3Prefix");
  }
}

void pin_containers(json::value& specification, const std::string& where,
                    const store::ObjectStore& objects, std::vector<ModelData>& found) {
  if (!specification.is_object()) refuse(where, "must be an object");
  json::value* containers = specification.get_object().if_contains("Containers");
  if (containers == nullptr || !containers->is_array() || containers->get_array().empty() ||
      containers->get_array().size() > kMaxContainers) {
    refuse(where + ".Containers", "must be a list of 1 to 15 containers");
  }
  for (std::size_t i = 0; i < containers->get_array().size(); ++i) {
    const std::string place = where + ".Containers[" + std::to_string(i) + "]";
    json::value& container = containers->get_array()[i];
    if (!container.is_object()) refuse(place, "must be an object");
    json::object& members = container.get_object();
    const json::value* url = members.if_contains("ModelDataUrl");
    const json::value* source = members.if_contains("ModelDataSource");
    if (source != nullptr && !source->is_null()) {
      if (url != nullptr && !url->is_null()) {
        refuse(place, "has both ModelDataUrl and ModelDataSource; give one");
      }
      pin_source(*source, place + ".ModelDataSource", objects, found);
      continue;
    }
    if (url == nullptr || url->is_null()) continue;
    if (!url->is_string()) refuse(place + ".ModelDataUrl", "must be text");
    found.push_back(find_model(place + ".ModelDataUrl", std::string(url->get_string()), objects));
    members["ModelDataETag"] = found.back().etag;
  }
}

}  // namespace

std::vector<ModelData> pin_model_data(json::object& content, const store::ObjectStore& objects) {
  std::vector<ModelData> found;
  if (json::value* specification = content.if_contains("InferenceSpecification")) {
    pin_containers(*specification, "InferenceSpecification", objects, found);
  }
  constexpr const char* kAdditional = "AdditionalInferenceSpecifications";
  if (json::value* additional = content.if_contains(kAdditional)) {
    if (!additional->is_array() || additional->get_array().size() > kMaxContainers) {
      refuse(kAdditional, "must be a list of at most 15 specifications");
    }
    for (std::size_t i = 0; i < additional->get_array().size(); ++i) {
      pin_containers(additional->get_array()[i],
                     std::string(kAdditional) + "[" + std::to_string(i) + "]", objects, found);
    }
  }
  return found;
}

}  // namespace andon::control
