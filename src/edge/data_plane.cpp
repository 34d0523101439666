// SPDX-License-Identifier: Apache-2.0
#include "edge/data_plane.hpp"

#include <sys/utsname.h>

#include <chrono>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "edge/deployment_failure.hpp"
#include "recipe/recipe_parser.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::seconds kCallTimeout{30};
constexpr std::size_t kMaxAnswerBytes = 4U << 20U;
constexpr int kMaxPages = 100;

// "message" of an AWS-style error body, or the start of the body.
std::string message_of(const std::string& body) {
  try {
    const json::value value = base::parse_json(body, "answer");
    for (const char* key : {"message", "Message"}) {
      const json::object* object = value.if_object();
      const json::value* message = object == nullptr ? nullptr : object->if_contains(key);
      if (message != nullptr && message->is_string()) return std::string(message->get_string());
    }
  } catch (const Error&) {
    return body.substr(0, 200);
  }
  return body.substr(0, 200);
}

// What may pass becomes unavailable, so that the caller tries again.
void throw_if_transient(const wire::IncomingResponse& response, const std::string& what) {
  if (response.status == 408 || response.status == 429 || response.status >= 500) {
    throw Error(ErrorCode::unavailable, what + ": the server answered HTTP " +
                                            std::to_string(response.status) + ": " +
                                            message_of(response.body));
  }
}

DeploymentFailure refused(const wire::IncomingResponse& response, const std::string& what,
                          const std::string& denied_code) {
  const std::string message = what + ": the server answered HTTP " +
                              std::to_string(response.status) + ": " + message_of(response.body);
  if (response.status == 401 || response.status == 403) {
    return {ErrorCode::permission_denied,
            message,
            {"CLOUD_API_ERROR", "ACCESS_DENIED", denied_code},
            {"PERMISSION_ERROR"}};
  }
  if (response.status == 404) {
    return {ErrorCode::not_found,
            message,
            {"CLOUD_API_ERROR", "RESOURCE_NOT_FOUND"},
            {"CLOUD_SERVICE_ERROR"}};
  }
  return {ErrorCode::failed_precondition,
          message,
          {"CLOUD_API_ERROR", "BAD_REQUEST"},
          {"CLOUD_SERVICE_ERROR"}};
}

DeploymentFailure bad_candidate(const std::string& component, const std::string& why) {
  return {ErrorCode::data_corrupted,
          "the server's answer for component " + component + " cannot be used: " + why,
          {"CLOUD_API_ERROR", "RESOLVE_COMPONENT_CANDIDATES_BAD_RESPONSE"},
          {"CLOUD_SERVICE_ERROR"}};
}

}  // namespace

recipe::PlatformAttributes own_platform() {
  utsname name{};
  if (uname(&name) != 0) throw base::system_error("cannot ask for the machine's name", errno);
  return recipe::linux_platform(name.machine);
}

wire::HttpClientOptions http_options(const Layout& layout) {
  wire::HttpClientOptions options;
  options.ca_file = ca_file(layout).string();
  options.certificate_file = certificate_file(layout).string();
  options.private_key_file = private_key_file(layout).string();
  return options;
}

DataPlane::DataPlane(const DeviceConfig& config, const Layout& layout)
    : config_(config), platform_(own_platform()), client_(http_options(layout)) {}

wire::IncomingResponse DataPlane::call(const std::string& method, const std::string& target,
                                       const std::string& body) {
  wire::OutgoingRequest request;
  request.method = method;
  request.url = config_.data_plane_url() + target;
  request.headers.add("x-amzn-iot-thingname", config_.thing_name);
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = body;
  request.timeout = kCallTimeout;
  request.max_response_bytes = kMaxAnswerBytes;
  return client_.send(request);
}

std::optional<std::vector<std::string>> DataPlane::thing_groups() {
  std::vector<std::string> names;
  std::string page;
  for (int count = 0; count < kMaxPages; ++count) {
    std::string target =
        "/greengrass/v2/coreDevices/" + base::percent_encode(config_.thing_name) + "/thingGroups";
    if (!page.empty()) target += "?nextToken=" + base::percent_encode(page);
    const wire::IncomingResponse response = call("GET", target, {});
    if (response.status == 403) return std::nullopt;
    throw_if_transient(response, "cannot list this device's groups");
    if (response.status != 200) {
      throw refused(response, "cannot list this device's groups", "ACCESS_DENIED");
    }
    const json::value value = base::parse_json(response.body, "list of groups");
    const base::JsonReader reader(value, "list of groups");
    const json::array* groups = reader.optional_array("thingGroups");
    if (groups == nullptr) return names;
    for (const json::value& group : *groups) {
      const base::JsonReader entry(group, "thingGroups[]");
      names.push_back(entry.string("thingGroupName"));
      const json::array* parents = entry.optional_array("rootToParentThingGroups");
      if (parents == nullptr) continue;
      for (const json::value& parent : *parents) {
        names.push_back(
            base::JsonReader(parent, "rootToParentThingGroups[]").string("thingGroupName"));
      }
    }
    page = reader.optional_string("nextToken").value_or("");
    if (page.empty()) return names;
  }
  throw Error(ErrorCode::resource_exhausted, "the server's list of groups does not end");
}

std::optional<recipe::Candidate> DataPlane::resolve(
    const std::string& component, const recipe::Requirements& requirements,
    const std::optional<std::string>& local_version) {
  json::object wanted;
  for (const auto& [who, range] : requirements) wanted[who] = range;
  json::object candidate{{"componentName", component}, {"versionRequirements", std::move(wanted)}};
  if (local_version) candidate["componentVersion"] = *local_version;
  json::object attributes;
  for (const auto& [name, value] : platform_) attributes[name] = value;
  json::array candidates;
  candidates.push_back(std::move(candidate));
  const json::object body{
      {"componentCandidates", std::move(candidates)},
      {"platform", json::object{{"name", "linux"}, {"attributes", std::move(attributes)}}}};

  const wire::IncomingResponse response =
      call("POST", "/greengrass/v2/resolveComponentCandidates", base::to_text(body));
  const std::string what = "cannot resolve component " + component;
  throw_if_transient(response, what);
  if (response.status == 404) {
    const std::string message = message_of(response.body);
    if (message.find("claim platform") == std::string::npos) return std::nullopt;
    throw DeploymentFailure(ErrorCode::failed_precondition, what + ": " + message,
                            {"NO_AVAILABLE_COMPONENT_VERSION"}, {"REQUEST_ERROR"});
  }
  if (response.status != 200) {
    throw refused(response, what, "RESOLVE_COMPONENT_CANDIDATES_ACCESS_DENIED");
  }
  return parse_candidate(response.body, component);
}

recipe::Candidate parse_candidate(std::string_view body, const std::string& component) {
  try {
    const json::value value = base::parse_json(body, "answer");
    const base::JsonReader reader(value, "answer");
    const json::array* versions = reader.optional_array("resolvedComponentVersions");
    if (versions == nullptr || versions->size() != 1) {
      throw bad_candidate(component, "it does not hold exactly one version");
    }
    const base::JsonReader version(versions->front(), "resolvedComponentVersions[0]");
    const auto recipe_text = base::from_base64(version.string("recipe"));
    if (!recipe_text) throw bad_candidate(component, "its recipe is not base64");
    recipe::Candidate candidate;
    candidate.arn = version.string("arn");
    candidate.recipe_text = *recipe_text;
    candidate.recipe = recipe::parse_recipe(candidate.recipe_text);
    return candidate;
  } catch (const DeploymentFailure&) {
    throw;
  } catch (const Error& error) {
    throw bad_candidate(component, error.message());
  }
}

std::string DataPlane::artifact_url(const std::string& component_version_arn,
                                    const std::string& artifact_name) {
  const std::string what = "cannot get the address of artifact " + artifact_name;
  const wire::IncomingResponse response =
      call("GET",
           "/greengrass/v2/components/" + base::percent_encode(component_version_arn) +
               "/artifacts/" + base::percent_encode(artifact_name),
           {});
  throw_if_transient(response, what);
  if (response.status != 200) {
    throw refused(response, what, "GET_COMPONENT_VERSION_ARTIFACT_ACCESS_DENIED");
  }
  const json::value value = base::parse_json(response.body, "artifact address");
  return base::JsonReader(value, "artifact address").string("preSignedUrl");
}

TemporaryCredentials DataPlane::credentials() {
  const wire::IncomingResponse response =
      call("GET", "/role-aliases/" + base::percent_encode(config_.role_alias) + "/credentials", {});
  throw_if_transient(response, "cannot get temporary credentials");
  if (response.status != 200) {
    throw refused(response, "cannot get temporary credentials", "ACCESS_DENIED");
  }
  const json::value value = base::parse_json(response.body, "credentials");
  const base::JsonReader reader = base::JsonReader(value, "credentials").child("credentials");
  return {reader.string("accessKeyId"), reader.string("secretAccessKey"),
          reader.string("sessionToken"), reader.string("expiration")};
}

}  // namespace andon::edge
