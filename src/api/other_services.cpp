// SPDX-License-Identifier: Apache-2.0
#include "api/other_services.hpp"

#include <algorithm>
#include <array>

#include "base/text/ascii.hpp"

namespace andon::api {
namespace {

// Paths that begin so are not of the service whose name is signed.
struct Other {
  std::string_view signed_as;
  std::string_view path;
  std::string_view service;
};
constexpr auto kOthers = std::to_array<Other>({
    {"sagemaker", "/endpoints/", "sagemaker-runtime"},
    {"sagemaker", "/FeatureGroup/", "sagemaker-featurestore-runtime"},
    {"sagemaker", "/BatchGetRecord", "sagemaker-featurestore-runtime"},
    {"sagemaker", "/BatchPutMetrics", "sagemaker-metrics"},
    {"sagemaker", "/BatchGetMetrics", "sagemaker-metrics"},
    {"sagemaker", "/human-loops", "sagemaker-a2i-runtime"},
    {"sagemaker", "/inference-routers/", "sagemaker-inference-router-runtime"},
    {"sagemaker", "/SendHeartbeat", "sagemaker-edge"},
    {"sagemaker", "/GetDeviceRegistration", "sagemaker-edge"},
    {"sagemaker", "/GetDeployments", "sagemaker-edge"},
    {"greengrass", "/greengrass/bulk/", "greengrass (version 1)"},
    {"greengrass", "/greengrass/definition/", "greengrass (version 1)"},
    {"greengrass", "/greengrass/groups", "greengrass (version 1)"},
    {"greengrass", "/greengrass/servicerole", "greengrass (version 1)"},
    {"greengrass", "/greengrass/things/", "greengrass (version 1)"},
    {"greengrass", "/greengrass/updates", "greengrass (version 1)"},
});

// Versions of rest-xml APIs stand first in their paths: /2013-04-01/hostedzone.
bool begins_with_a_date(std::string_view path) {
  constexpr std::string_view kForm = "/0000-00-00/";
  return path.size() >= kForm.size() &&
         std::equal(kForm.begin(), kForm.end(), path.begin(),
                    [](char form, char c) { return form == '0' ? base::is_digit(c) : form == c; });
}

}  // namespace

std::optional<std::string> service_of_same_name(std::string_view service,
                                                const wire::HttpRequest& request) {
  if (request.headers.find("X-Amz-Target")) return std::nullopt;
  const auto* const found = std::ranges::find_if(kOthers, [&](const Other& other) {
    return other.signed_as == service && request.path.starts_with(other.path);
  });
  if (found == kOthers.end()) return std::nullopt;
  return std::string(found->service);
}

bool is_rest_xml(const wire::HttpRequest& request) {
  const auto type = request.headers.find("Content-Type").value_or("");
  const bool is_json = type.find("json") != std::string_view::npos;
  return begins_with_a_date(request.path) && !is_json;
}

}  // namespace andon::api
