// SPDX-License-Identifier: Apache-2.0
#include "edge/cloud/data_plane.hpp"

#include <sys/utsname.h>

#include <chrono>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "base/time/http_date.hpp"
#include "edge/state/deployment_failure.hpp"
#include "fleet/messages/device_logs.hpp"
#include "fleet/names/reason.hpp"
#include "fleet/provisioning/enrolment.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::seconds kCallTimeout{30};
constexpr std::size_t kMaxAnswerBytes = 4U << 20U;
constexpr int kMaxPages = 100;

// The text that the first of `keys` has in an AWS-style error body.
std::optional<std::string> error_member(const std::string& body,
                                        std::initializer_list<std::string_view> keys) {
  try {
    const json::value value = base::parse_json(body, "answer");
    const json::object* object = value.if_object();
    if (object == nullptr) return std::nullopt;
    for (const std::string_view key : keys) {
      const json::value* member = object->if_contains(key);
      if (member != nullptr && member->is_string()) return std::string(member->get_string());
    }
  } catch (const Error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

// For people; the start of a body that is not AWS-style.
std::string message_of(const std::string& body) {
  return error_member(body, {"message", "Message"}).value_or(body.substr(0, 200));
}

// What may pass becomes unavailable, so that the caller tries again.
void throw_if_transient(const wire::IncomingResponse& response, const std::string& what) {
  constexpr int kThrottled = 429;
  if (response.status == 408 || response.status == kThrottled || response.status >= 500) {
    throw DeploymentFailure(
        ErrorCode::unavailable,
        what + ": the server answered HTTP " + std::to_string(response.status) + ": " +
            message_of(response.body),
        {"CLOUD_API_ERROR", response.status == kThrottled ? "THROTTLING_ERROR" : "SERVER_ERROR"},
        {"CLOUD_SERVICE_ERROR"});
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
  recipe::PlatformAttributes own = recipe::linux_platform(name.machine);
  recipe::add_machine(own, base::read_file_if_exists("/proc/cpuinfo").value_or(""),
                      base::read_file_if_exists("/proc/meminfo").value_or(""));
  return own;
}

wire::HttpClientOptions http_options(const DeviceConfig& device, const Layout& layout) {
  wire::HttpClientOptions options;
  options.ca_file = ca_file(layout).string();
  options.certificate_file = certificate_file(layout).string();
  options.private_key = private_key_of(device, layout);
  return options;
}

DataPlane::DataPlane(const DeviceConfig& config, const Layout& layout)
    : config_(config), platform_(own_platform()), client_(http_options(config, layout)) {}

wire::IncomingResponse DataPlane::call(const std::string& method, const std::string& target,
                                       const std::string& body) {
  wire::OutgoingRequest request;
  request.method = method;
  request.url = config_.data_plane_url() + target;
  request.headers.add(std::string(fleet::kThingNameHeader), config_.thing_name);
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
    std::string target = fleet::thing_groups_path(config_.thing_name);
    if (!page.empty()) target += "?nextToken=" + base::percent_encode(page);
    const wire::IncomingResponse response = call("GET", target, {});
    if (response.status == 403) return std::nullopt;
    throw_if_transient(response, "cannot list this device's groups");
    if (response.status != 200) {
      throw refused(response, "cannot list this device's groups", "ACCESS_DENIED");
    }
    fleet::ThingGroups groups =
        fleet::read_thing_groups(base::parse_json(response.body, "list of groups"));
    for (fleet::ThingGroup& group : groups.groups) {
      names.push_back(std::move(group.group.name));
      for (auto& ancestor : group.ancestors) names.push_back(std::move(ancestor.name));
    }
    page = std::move(groups.next);
    if (page.empty()) return names;
  }
  throw Error(ErrorCode::resource_exhausted, "the server's list of groups does not end");
}

std::optional<recipe::Candidate> DataPlane::resolve(
    const std::string& component, const recipe::Requirements& requirements,
    const std::optional<std::string>& local_version) {
  const fleet::ResolveRequest question{{{component, local_version, requirements}}, platform_};
  const wire::IncomingResponse response =
      call("POST", std::string(fleet::kResolvePath), base::to_text(to_json(question)));
  return read_resolution(response, component);
}

std::optional<recipe::Candidate> read_resolution(const wire::IncomingResponse& response,
                                                 const std::string& component) {
  const std::string what = "cannot resolve component " + component;
  throw_if_transient(response, what);
  if (response.status == 404) {
    const auto reason = error_member(response.body, {fleet::kReasonMember});
    if (reason != fleet::kPlatformNotSupported) return std::nullopt;
    throw DeploymentFailure(ErrorCode::failed_precondition, what + ": " + message_of(response.body),
                            {"NO_AVAILABLE_COMPONENT_VERSION"}, {"REQUEST_ERROR"});
  }
  if (response.status != 200) {
    throw refused(response, what, "RESOLVE_COMPONENT_CANDIDATES_ACCESS_DENIED");
  }
  return parse_candidate(response.body, component);
}

recipe::Candidate parse_candidate(std::string_view body, const std::string& component) {
  try {
    const auto versions = fleet::read_resolve_answer(base::parse_json(body, "answer"));
    if (versions.size() != 1)
      throw bad_candidate(component, "it does not hold exactly one version");
    recipe::Candidate candidate;
    candidate.arn = versions.front().arn;
    candidate.recipe_text = versions.front().recipe;
    candidate.recipe = read_recipe(candidate.recipe_text, "component " + component);
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
      call("GET", fleet::artifact_path(component_version_arn, artifact_name), {});
  throw_if_transient(response, what);
  if (response.status != 200) {
    throw refused(response, what, "GET_COMPONENT_VERSION_ARTIFACT_ACCESS_DENIED");
  }
  return fleet::read_artifact_answer(base::parse_json(response.body, "artifact address"));
}

std::string renew_certificate(const DeviceConfig& config, const Layout& layout,
                              const fleet::RenewalRequest& request) {
  const std::string what = "cannot renew this device's certificate";
  wire::HttpClientOptions options;
  options.ca_file = ca_file(layout).string();
  wire::OutgoingRequest outgoing;
  outgoing.method = "POST";
  outgoing.url = config.data_plane_url() + std::string(fleet::kRenewPath);
  outgoing.headers.add("Content-Type", "application/json");
  outgoing.body = base::to_text(to_json(request));
  outgoing.timeout = kCallTimeout;
  outgoing.max_response_bytes = kMaxAnswerBytes;
  const wire::IncomingResponse response = wire::HttpClient(options).send(outgoing);
  throw_if_transient(response, what);
  if (response.status != 200) throw refused(response, what, "ACCESS_DENIED");
  return fleet::read_renewal_answer(base::parse_json(response.body, "renewal answer"))
      .certificate_pem;
}

ServerWord ask_server(const DeviceConfig& config, const Layout& layout) {
  wire::HttpClientOptions options;
  options.ca_file = ca_file(layout).string();
  wire::OutgoingRequest outgoing;
  // Any answer has the time.
  outgoing.url = config.data_plane_url() + std::string(fleet::kCaPath);
  outgoing.timeout = kCallTimeout;
  outgoing.max_response_bytes = kMaxAnswerBytes;
  const wire::IncomingResponse response = wire::HttpClient(options).send(outgoing);
  const auto date = response.headers.find("Date");
  const auto time = date ? base::parse_http_date(*date) : std::nullopt;
  if (!time) {
    throw Error(ErrorCode::unavailable, "cannot ask for the server's time: its answer (HTTP " +
                                            std::to_string(response.status) + ") has no date");
  }
  try {
    return {*time, DataPlane(config, layout).thing_groups().has_value()};
  } catch (const Error&) {
    return {*time, true};
  }
}

void DataPlane::put_logs(const std::string& logs) {
  const wire::IncomingResponse response = call("POST", std::string(fleet::kDeviceLogsPath), logs);
  throw_if_transient(response, "cannot upload logs");
  if (response.status != 200) throw refused(response, "cannot upload logs", "ACCESS_DENIED");
}

void DataPlane::tell_connectivity(const json::object& connectivity) {
  const wire::IncomingResponse response =
      call("PUT", fleet::connectivity_path(config_.thing_name), base::to_text(connectivity));
  const std::string what = "cannot tell where this device is reached";
  throw_if_transient(response, what);
  if (response.status != 200) throw refused(response, what, "ACCESS_DENIED");
}

std::optional<std::string> DataPlane::client_devices(const std::string& known) {
  std::string target = fleet::client_devices_path(config_.thing_name);
  if (!known.empty()) target.append("?").append(fleet::kKnownListQuery).append("=").append(known);
  wire::IncomingResponse response = call("GET", target, {});
  if (response.status == 304) return std::nullopt;
  const std::string what = "cannot ask for this device's client devices";
  throw_if_transient(response, what);
  if (response.status != 200) throw refused(response, what, "ACCESS_DENIED");
  return std::move(response.body);
}

void DataPlane::tell_authorities(const std::vector<std::string>& certificates) {
  const wire::IncomingResponse response =
      call("PUT", fleet::authorities_path(config_.thing_name),
           base::to_text(fleet::authorities_to_json(certificates)));
  const std::string what = "cannot tell which CA client devices find this device by";
  throw_if_transient(response, what);
  if (response.status != 200) throw refused(response, what, "ACCESS_DENIED");
}

fleet::TemporaryCredentials DataPlane::credentials(const std::string& role_alias) {
  const wire::IncomingResponse response = call("GET", fleet::credentials_path(role_alias), {});
  throw_if_transient(response, "cannot get temporary credentials");
  if (response.status != 200) {
    throw refused(response, "cannot get temporary credentials", "ACCESS_DENIED");
  }
  return fleet::read_credentials(base::parse_json(response.body, "credentials"));
}

}  // namespace andon::edge
