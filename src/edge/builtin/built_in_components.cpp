// SPDX-License-Identifier: Apache-2.0
#include "edge/builtin/built_in_components.hpp"

#include <algorithm>
#include <array>

#include "base/json/json.hpp"
#include "base/text/split.hpp"
#include "edge/logs/log_settings.hpp"
#include "edge/streams/server/stream_settings.hpp"
#include "recipe/recipe/recipe_parser.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

constexpr std::string_view kNothing = "{}";
constexpr std::string_view kStreamDefaults =
    R"({"STREAM_MANAGER_SERVER_PORT": "8088", "STREAM_MANAGER_AUTHENTICATE_CLIENT": "true",
        "STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE": "5", "LOG_LEVEL": "INFO"})";
constexpr std::string_view kStreamKeys =
    "STREAM_MANAGER_STORE_ROOT_DIR STREAM_MANAGER_SERVER_PORT STREAM_MANAGER_AUTHENTICATE_CLIENT "
    "STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE "
    "STREAM_MANAGER_EXPORTER_S3_DESTINATION_MULTIPART_UPLOAD_MIN_PART_SIZE_BYTES "
    "JVM_ARGS LOG_LEVEL accessControl";

constexpr std::string_view kNucleusKeys =
    "iotRoleAlias runWithDefault.posixUser andonLinkBudget andonOtherDataEndpoints "
    "greengrassDataPlaneEndpoint greengrassDataPlanePort iotCredEndpoint iotDataEndpoint mqtt.port "
    "mqtt.version mqtt.keepAliveTimeoutMs mqtt.maxInFlightPublishes mqtt.sessionExpirySeconds "
    "mqtt.spooler.maxSizeInBytes mqtt.spooler.andonMaxAgeSeconds networkProxy";

constexpr std::string_view kClientAuth = "aws.greengrass.clientdevices.Auth";
// The agent writes that file before (clients/client_broker.hpp).
constexpr std::string_view kRunBroker =
    "PATH=\"$PATH:/usr/sbin:/usr/local/sbin\"\n"
    "exec mosquitto -c \"{kernel:rootPath}/client-devices/mosquitto.conf\"";

// Versions are those of Greengrass at the time; any other that is wanted is there as well.
constexpr std::array<BuiltInComponent, 15> kTable = {{
    {kNucleus, "2.14.0", "The agent itself", kNothing, kNucleusKeys},
    {"aws.greengrass.NucleusLite", "2.0.0", "The agent itself", kNothing, kNucleusKeys},
    {"aws.greengrass.Cli", "2.14.0", "Commands on the device, built into the agent", kNothing, ""},
    {"aws.greengrass.TokenExchangeService", "2.0.3",
     "Credentials for components, built into the agent", kNothing, ""},
    {kStreamManager, "2.2.0", "Streams of messages, built into the agent", kStreamDefaults,
     kStreamKeys},
    {"aws.greengrass.ShadowManager", "2.3.9", "Shadows on the device", kNothing, ""},
    {"aws.greengrass.SecretManager", "2.1.8", "Secrets on the device", kNothing,
     "cloudSecrets periodicRefreshIntervalMin"},
    {kLogManager, "2.3.8", "Logs of components, to the server; built into the agent", kNothing,
     "logsUploaderConfiguration periodicUploadIntervalSec"},
    {"aws.greengrass.DiskSpooler", "1.0.5", "Messages that wait, on the disk; built into the agent",
     kNothing, ""},
    {"aws.greengrass.clientdevices.IPDetector", "2.1.8", "Where client devices reach this device",
     R"({"defaultPort": "8883", "includeIPv4LoopbackAddrs": false,
         "includeIPv4LinkLocalAddrs": false})",
     "defaultPort includeIPv4LoopbackAddrs includeIPv4LinkLocalAddrs"},
    {kClientAuth, "2.5.4", "Who of the client devices may do what; built into the agent", kNothing,
     "deviceGroups certificates security performance"},
    {"aws.greengrass.clientdevices.mqtt.Moquette", "2.3.9",
     "The broker of client devices: the device's mosquitto",
     R"({"moquette": {"ssl_port": "8883", "host": "0.0.0.0"}})", "moquette", kClientAuth,
     kRunBroker},
    {"aws.greengrass.clientdevices.mqtt.EMQX", "2.0.5",
     "The broker of client devices: the device's mosquitto", kNothing, "emqx emqxConfig",
     kClientAuth, kRunBroker},
    {"aws.greengrass.clientdevices.mqtt.Bridge", "2.3.4",
     "Messages between client devices, components and the server; built into the agent", kNothing,
     "mqttTopicMapping", kClientAuth},
    {"aws.greengrass.telemetry.NucleusEmitter", "1.0.9", "Figures of the agent", kNothing, ""},
}};

// The one that is wanted in most cases, then those at and behind the ends of the range.
std::vector<recipe::Version> versions_to_try(std::string_view nominal,
                                             const recipe::VersionRange& range) {
  std::vector<recipe::Version> versions{*recipe::Version::parse(nominal)};
  if (const auto exact = range.exact()) versions.push_back(*exact);
  const std::string comparators = range.to_comparators();
  for (std::string_view rest = comparators; !rest.empty();) {
    const std::size_t blank = rest.find(' ');
    std::string_view one = rest.substr(0, blank);
    while (!one.empty() && (one.front() < '0' || one.front() > '9')) one.remove_prefix(1);
    if (auto version = recipe::Version::parse(one)) {
      versions.push_back(*version);
      version->prerelease.clear();
      version->build.clear();
      versions.push_back(*version);
      ++version->patch;
      versions.push_back(*version);
    }
    if (blank == std::string_view::npos) break;
    rest.remove_prefix(blank + 1);
  }
  versions.push_back(recipe::Version{});
  versions.push_back(recipe::Version{.patch = 1});
  return versions;
}

std::string recipe_text(const BuiltInComponent& component, const recipe::Version& version) {
  json::object lifecycle;
  if (!component.run.empty()) {
    lifecycle["Run"] = json::object{{"Script", component.run}, {"RequiresPrivilege", true}};
  }
  json::object dependencies;
  if (!component.needs.empty()) {
    dependencies[component.needs] =
        json::object{{"VersionRequirement", ">=0.0.0"}, {"DependencyType", "HARD"}};
  }
  return base::to_text(json::object{
      {"RecipeFormatVersion", "2020-01-25"},
      {"ComponentName", component.name},
      {"ComponentVersion", version.to_string()},
      {"ComponentType", "aws.greengrass.generic"},
      {"ComponentDescription", component.description},
      {"ComponentConfiguration",
       json::object{{"DefaultConfiguration", base::parse_json(component.defaults, "defaults")}}},
      {"ComponentDependencies", std::move(dependencies)},
      {"Manifests", json::array{json::object{{"Lifecycle", std::move(lifecycle)}}}}});
}

// A key is honoured as a whole, or some of what is below it is.
template <typename Words>
void add_keys_without_effect(const Words& honoured, const json::object& configuration,
                             const std::string& place, std::vector<std::string>& others) {
  for (const auto& member : configuration) {
    const std::string path = place + std::string(member.key());
    if (std::ranges::find(honoured, path) != honoured.end()) continue;
    const bool is_partly = std::ranges::any_of(
        honoured, [&](std::string_view one) { return one.starts_with(path + '.'); });
    const auto* const below = member.value().if_object();
    if (is_partly && below != nullptr) {
      add_keys_without_effect(honoured, *below, path + '.', others);
    } else {
      others.push_back(path);
    }
  }
}

}  // namespace

std::span<const BuiltInComponent> built_in_table() {
  return kTable;
}

const BuiltInComponent* find_built_in(std::string_view name) {
  const auto* const found = std::ranges::find(kTable, name, &BuiltInComponent::name);
  return found == kTable.end() ? nullptr : found;
}

std::optional<recipe::Candidate> built_in_candidate(const BuiltInComponent& component,
                                                    const recipe::Requirements& requirements) {
  const recipe::VersionRange range = recipe::merged_range(requirements);
  for (const recipe::Version& version : versions_to_try(component.nominal_version, range)) {
    if (!range.contains(version)) continue;
    recipe::Candidate candidate;
    candidate.recipe_text = recipe_text(component, version);
    candidate.recipe = recipe::parse_recipe(candidate.recipe_text);
    return candidate;
  }
  return std::nullopt;
}

std::vector<std::string> keys_without_effect(const BuiltInComponent& component,
                                             const json::object& configuration) {
  std::vector<std::string> others;
  add_keys_without_effect(base::split_words(component.honoured, " "), configuration, "", others);
  return others;
}

}  // namespace andon::edge
