// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/sdk/sdk_names.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/time/time.hpp"

namespace andon::api {
namespace {

namespace json = base::json;

constexpr std::array kServices = {
    SdkService{"greengrassv2", "greengrass", "GreengrassV2", true},
    SdkService{"iot", "iot", "Iot", true},
    SdkService{"iotdataplane", "iotdata", "IotDataPlane", true},
    SdkService{"sagemaker", "sagemaker", "SageMaker", false},
    SdkService{"sfn", "states", "Sfn", true},
    SdkService{"cloudwatchlogs", "logs", "CloudWatchLogs", true},
    SdkService{"eventbridge", "events", "EventBridge", false},
    SdkService{"ssm", "ssm", "Ssm", false},
    SdkService{"secretsmanager", "secretsmanager", "SecretsManager", false},
    SdkService{"lambda", "lambda", "Lambda", false},
    SdkService{"athena", "athena", "Athena", false},
    SdkService{"glue", "glue", "Glue", false},
    SdkService{"sagemakerfeaturestoreruntime", "sagemaker-featurestore-runtime",
               "SageMakerFeatureStoreRuntime", false},
    SdkService{"codebuild", "codebuild", "CodeBuild", true},
};

struct Member {
  std::string_view scope;
  std::string_view name;  // as the service spells it
};

template <std::size_t Count>
bool holds(const std::array<Member, Count>& members, std::string_view scope,
           std::string_view name) {
  return std::ranges::any_of(
      members, [&](const Member& member) { return member.scope == scope && member.name == name; });
}

constexpr std::array kMaps = {
    Member{"greengrass", "attributes"},
    Member{"greengrass", "componentDependencies"},
    Member{"greengrass", "components"},
    Member{"greengrass", "environmentVariables"},
    Member{"greengrass", "errors"},
    Member{"greengrass", "tags"},
    Member{"greengrass", "versionRequirements"},
    Member{"iot", "attributes"},
    Member{"iot", "detailsMap"},
    Member{"sagemaker", "CustomerMetadataProperties"},
    Member{"sagemaker", "Environment"},
    Member{"states", "assignedVariables"},
    Member{"states", "variableReferences"},
    Member{"logs", "tags"},
    Member{"secretsmanager", "VersionIdsToStages"},
    Member{"secretsmanager", "SecretVersionsToStages"},
    Member{"lambda", "Variables"},
    Member{"lambda", "Tags"},
    Member{"lambda", "AdditionalVersionWeights"},
    Member{"glue", "Parameters"},
};
// Of the wire: base64.
constexpr std::array kBytes = {
    Member{"greengrass", "inlineRecipe"},
    Member{"greengrass", "recipe"},
};
// Text that often is JSON: objects may be given as they are.
constexpr std::array kTexts = {
    Member{"states", "input"},   Member{"states", "output"},     Member{"states", "definition"},
    Member{"states", "cause"},   Member{"sagemaker", "Content"}, Member{"logs", "message"},
    Member{"lambda", "Payload"}, Member{"iotdata", "payload"},
};
// Folded by the SDK, and not to be found again by its spelling alone.
struct Folded {
  std::string_view sdk;
  std::string_view own;
};
constexpr std::array kFolded = {
    Folded{"MemorySizeInKb", "memorySizeInKB"},
    Folded{"MountRoSysfs", "mountROSysfs"},
    Folded{"MaxPayloadInMb", "MaxPayloadInMB"},
    Folded{"ModelDataETag", "ModelDataETag"},
    Folded{"ETag", "ETag"},
    Folded{"SupportedResponseMimeTypes", "SupportedResponseMIMETypes"},
    Folded{"BilledMemoryUsedInMb", "billedMemoryUsedInMB"},
};

bool is_time(std::string_view name) {
  for (const std::string_view end : {"Timestamp", "Date", "Time", "timestamp"}) {
    if (name.ends_with(end)) return true;
  }
  return name == "lastUpdatedAt" || name == "queuedAt" || name == "startedAt" ||
         name == "notAfter" || name == "notBefore";
}

std::string from_sdk_name(const SdkService& service, std::string_view name) {
  const auto folded = std::ranges::find(kFolded, name, &Folded::sdk);
  if (folded != kFolded.end()) return std::string(folded->own);
  // As it stands in the query.
  if (service.scope == "iotdata" && name == "ShadowName") return "name";
  std::string own(name);
  if (service.members_are_lower && !own.empty()) own.front() = base::to_lower(own.front());
  return own;
}

json::value value_from_sdk(const SdkService& service, std::string_view name,
                           const json::value& value) {
  if (holds(kBytes, service.scope, name))
    return json::string(base::to_base64(base::to_text(value)));
  if (holds(kTexts, service.scope, name) && !value.is_string() && !value.is_null()) {
    return json::string(base::to_text(value));
  }
  if (const auto* list = value.if_array()) {
    json::array made;
    for (const json::value& one : *list) made.push_back(value_from_sdk(service, "", one));
    return made;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  if (!holds(kMaps, service.scope, name)) return from_sdk(service, *object);
  json::object made;
  for (const auto& member : *object) {
    made[member.key()] = value_from_sdk(service, "", member.value());
  }
  return made;
}

json::value value_to_sdk(const SdkService& service, std::string_view name,
                         const json::value& value) {
  if (value.is_number() && is_time(name)) {
    const double millis = value.to_number<double>() * 1000;
    return json::string(
        base::to_iso8601(base::from_epoch_millis(static_cast<std::int64_t>(std::llround(millis)))));
  }
  if (value.is_string() && holds(kBytes, service.scope, name)) {
    const auto bytes = base::from_base64(value.get_string());
    return bytes ? json::value(json::string(*bytes)) : value;
  }
  if (const auto* list = value.if_array()) {
    json::array made;
    for (const json::value& one : *list) made.push_back(value_to_sdk(service, "", one));
    return made;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  const bool is_map = holds(kMaps, service.scope, name);
  json::object made;
  for (const auto& member : *object) {
    const std::string_view key = member.key();
    made[is_map ? std::string(key) : to_sdk_name(key)] =
        value_to_sdk(service, is_map ? "" : key, member.value());
  }
  return made;
}

}  // namespace

const SdkService* find_sdk_service(std::string_view name) {
  const auto found = std::ranges::find(kServices, name, &SdkService::name);
  return found == kServices.end() ? nullptr : &*found;
}

std::string operation_of_action(std::string_view action) {
  std::string name(action);
  if (!name.empty()) name.front() = base::to_upper(name.front());
  return name;
}

json::object from_sdk(const SdkService& service, const json::object& parameters) {
  json::object input;
  for (const auto& member : parameters) {
    const std::string own = from_sdk_name(service, member.key());
    input[own] = value_from_sdk(service, own, member.value());
  }
  return input;
}

json::value to_sdk(const SdkService& service, const json::value& output) {
  if (output.is_null()) return json::object();
  return value_to_sdk(service, "", output);
}

std::string to_sdk_name(std::string_view member) {
  const auto known = std::ranges::find(kFolded, member, &Folded::own);
  if (known != kFolded.end()) return std::string(known->sdk);
  const std::string capital = operation_of_action(member);
  std::string name = capital;
  // The first of a run of capitals stays, and the last where a word begins with it.
  for (std::size_t i = 1; i < name.size(); ++i) {
    const bool in_run = base::is_upper(capital[i]) && base::is_upper(capital[i - 1]);
    const bool begins_word =
        i + 1 < capital.size() && capital[i + 1] >= 'a' && capital[i + 1] <= 'z';
    if (in_run && !begins_word) name[i] = base::to_lower(name[i]);
  }
  return name;
}

std::string sdk_error_name(std::string_view prefix, std::string_view code) {
  std::string name = std::string(prefix) + "." + std::string(code);
  if (!name.ends_with("Exception")) name += "Exception";
  return name;
}

std::string sdk_cause(std::string_view message, std::string_view prefix, int status,
                      std::string_view request_id) {
  return std::string(message) + " (Service: " + std::string(prefix) +
         ", Status Code: " + std::to_string(status) + ", Request ID: " + std::string(request_id) +
         ") (SDK Attempt Count: 1)";
}

}  // namespace andon::api
