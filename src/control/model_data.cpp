// SPDX-License-Identifier: Apache-2.0
#include "control/model_data.hpp"

#include "base/error.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

constexpr std::size_t kMaxContainers = 15;
constexpr std::size_t kMaxUrlBytes = 1024;

[[noreturn]] void refuse(const std::string& where, const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, where + ": " + problem);
}

ModelData find_model(const std::string& where, const std::string& url,
                     const store::ObjectStore& objects) {
  constexpr std::string_view kScheme = "s3://";
  const std::size_t slash = url.starts_with(kScheme) ? url.find('/', kScheme.size()) : 0;
  if (slash == 0 || slash == std::string::npos || slash + 1 == url.size() ||
      url.size() > kMaxUrlBytes) {
    refuse(where, "must be s3://<bucket>/<key> of an object in this server's store");
  }
  const std::string bucket = url.substr(kScheme.size(), slash - kScheme.size());
  const std::string key = url.substr(slash + 1);
  const auto object = objects.has_bucket(bucket) ? objects.head(bucket, key) : std::nullopt;
  if (!object) refuse(where, "there is no object " + url + ": upload the model first");
  return {.url = url, .sha256 = object->sha256, .size = object->size, .etag = object->etag};
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
