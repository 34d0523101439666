// SPDX-License-Identifier: Apache-2.0
#include "edge/images/engine_failure.hpp"

#include <algorithm>
#include <array>

#include "base/text/ascii.hpp"
#include "base/text/escape.hpp"
#include "base/text/split.hpp"
#include "recipe/image/image_reference.hpp"

namespace andon::edge {
namespace {

using base::ErrorCode;

struct Words {
  std::string_view all;  // or these, between bars
  EngineTrouble trouble;
};

// In the order in which they count: one text may hold several.
constexpr std::array kWords = {
    Words{"does not match provided manifest digest|digest did not match|digest mismatch|"
          "filesystem layer verification failed|unexpected commit digest|failed size validation|"
          "unexpected manifest digest|failed digest validation|does not match expected digest",
          EngineTrouble::not_valid},
    Words{"permission denied while trying to connect|docker.sock: connect: permission denied|"
          "podman.sock: connect: permission denied",
          EngineTrouble::not_authorized},
    Words{"cannot connect to the docker daemon|is the docker daemon running|"
          "cannot connect to podman|unable to connect to podman",
          EngineTrouble::no_service},
    Words{"no space left on device|disk quota exceeded", EngineTrouble::disk_full},
    Words{"no such image|image not known|no such object", EngineTrouble::no_such_image},
    Words{"toomanyrequests|too many requests|connection refused|no such host|timeout|timed out|"
          "deadline exceeded|failure in name resolution|network is unreachable|no route to host|"
          "connection reset|unexpected eof|bad gateway|service unavailable|gateway time|"
          "server misbehaving",
          EngineTrouble::unreachable},
    Words{"unauthorized|authentication required|no basic auth credentials|access denied|denied:|"
          "is denied|forbidden|may require 'docker login'|invalid username/password",
          EngineTrouble::login},
    Words{"manifest unknown|name unknown|not found|does not exist", EngineTrouble::not_found},
};

bool is_of_ecr(std::string_view registry) {
  return registry.find(".dkr.ecr") != std::string_view::npos;
}

}  // namespace

EngineTrouble trouble_of(std::string_view output, std::string_view name) {
  std::string text = base::to_lower(output);
  for (std::size_t at = 0; !name.empty() && (at = text.find(name, at)) != std::string::npos;) {
    text.erase(at, name.size());
  }
  for (const Words& words : kWords) {
    const auto alternatives = base::split(words.all, '|');
    const bool said = std::ranges::any_of(
        alternatives, [&](std::string_view one) { return text.find(one) != std::string::npos; });
    if (said) return words.trouble;
  }
  return EngineTrouble::unknown;
}

std::string last_words(std::string_view output) {
  constexpr std::size_t kMost = 400;
  std::string_view line;
  for (std::string_view rest = output; !rest.empty();) {
    const std::string_view one = base::trim(base::take_part(rest, '\n'), " \t\r");
    if (!one.empty()) line = one;
  }
  return base::escape_line(line.substr(0, kMost));
}

DeploymentFailure engine_failure(EngineTask task, const std::string& what, std::string_view name,
                                 std::string_view output) {
  const std::string registry = recipe::registry_of(name);
  const std::string words = last_words(output);
  const std::string text = "cannot " + what + (words.empty() ? "" : ": " + words);
  const auto failure = [&](ErrorCode code, const std::string& help, const char* reason,
                           const char* type) {
    return DeploymentFailure(code, text + help, {"ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ERROR", reason},
                             {type});
  };
  switch (trouble_of(output, name)) {
    case EngineTrouble::not_authorized:
      return failure(ErrorCode::permission_denied, "", "USER_NOT_AUTHORIZED_FOR_DOCKER",
                     "PERMISSION_ERROR");
    case EngineTrouble::no_service:
      return failure(ErrorCode::unavailable,
                     "; is its service running? --container-engine would name another one",
                     "DOCKER_SERVICE_UNAVAILABLE", "DEPENDENCY_ERROR");
    case EngineTrouble::not_valid:
      return failure(ErrorCode::data_corrupted, "", "DOCKER_IMAGE_NOT_VALID", "COMPONENT_ERROR");
    case EngineTrouble::disk_full:
      return {ErrorCode::resource_exhausted,
              "DISK_SPACE_CRITICAL: " + text,
              {"IO_ERROR", "DISK_SPACE_CRITICAL"},
              {"DEVICE_ERROR"}};
    case EngineTrouble::login:
      if (is_of_ecr(registry)) {
        return failure(ErrorCode::permission_denied,
                       "; this agent gets no credentials of Amazon ECR: log its user in at " +
                           registry + ", or name a registry that you keep yourself",
                       "GET_ECR_CREDENTIAL_ERROR", "DEPENDENCY_ERROR");
      }
      return failure(
          ErrorCode::permission_denied,
          "; where " + registry + " wants a login, give it once to the user that the agent runs as",
          "DOCKER_LOGIN_ERROR", "DEPENDENCY_ERROR");
    case EngineTrouble::unreachable:
      return {ErrorCode::unavailable,
              text,
              {"ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ERROR", "DOCKER_PULL_ERROR", "NETWORK_ERROR"},
              {"NETWORK_ERROR"}};
    default:
      if (task == EngineTask::query) {
        return failure(ErrorCode::internal, "", "DOCKER_IMAGE_QUERY_ERROR", "DEPENDENCY_ERROR");
      }
      return failure(ErrorCode::not_found, "", "DOCKER_PULL_ERROR", "DEPENDENCY_ERROR");
  }
}

}  // namespace andon::edge
