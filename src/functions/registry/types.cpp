// SPDX-License-Identifier: Apache-2.0
#include "functions/registry/types.hpp"

namespace andon::functions {

std::string Version::text(std::string_view member) const {
  const auto* value = config.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t Version::whole_number(std::string_view member) const {
  const auto* value = config.if_contains(member);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

namespace {

std::string image_text(const json::object& config, std::string_view member) {
  const auto* image = config.if_contains(kImageMember);
  const auto* object = image == nullptr ? nullptr : image->if_object();
  const auto* value = object == nullptr ? nullptr : object->if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

std::string Version::runtime() const {
  return config.contains(kImageMember) ? image_text(config, "runtime") : text("Runtime");
}

std::string Version::handler() const {
  if (!config.contains(kImageMember)) return text("Handler");
  // ImageConfigResponse.ImageConfig.Command, the first word of it.
  const auto* response = config.if_contains("ImageConfigResponse");
  const auto* image = response == nullptr || !response->is_object()
                          ? nullptr
                          : response->get_object().if_contains("ImageConfig");
  const auto* command = image == nullptr || !image->is_object()
                            ? nullptr
                            : image->get_object().if_contains("Command");
  if (command != nullptr && command->is_array() && !command->get_array().empty() &&
      command->get_array()[0].is_string()) {
    return std::string(command->get_array()[0].get_string());
  }
  return image_text(config, "handler");
}

std::map<std::string, std::string> Version::environment() const {
  std::map<std::string, std::string> variables;
  const auto* environment = config.if_contains("Environment");
  const auto* object = environment == nullptr ? nullptr : environment->if_object();
  const auto* listed = object == nullptr ? nullptr : object->if_contains("Variables");
  if (listed == nullptr || !listed->is_object()) return variables;
  for (const auto& [name, value] : listed->get_object()) {
    if (value.is_string()) variables[std::string(name)] = value.get_string();
  }
  return variables;
}

std::int64_t Version::ephemeral_mib() const {
  constexpr std::int64_t kStandard = 512;
  const auto* storage = config.if_contains("EphemeralStorage");
  const auto* object = storage == nullptr ? nullptr : storage->if_object();
  const auto* size = object == nullptr ? nullptr : object->if_contains("Size");
  return size != nullptr && size->is_int64() ? size->get_int64() : kStandard;
}

std::string Version::log_group() const {
  const auto* logging = config.if_contains("LoggingConfig");
  const auto* object = logging == nullptr ? nullptr : logging->if_object();
  const auto* group = object == nullptr ? nullptr : object->if_contains("LogGroup");
  if (group != nullptr && group->is_string()) return std::string(group->get_string());
  return "/aws/lambda/" + function;
}

std::vector<std::string> Version::layers() const {
  std::vector<std::string> arns;
  const auto* listed = config.if_contains("Layers");
  if (listed == nullptr || !listed->is_array()) return arns;
  for (const auto& one : listed->get_array()) {
    const auto* arn = one.is_object() ? one.get_object().if_contains("Arn") : nullptr;
    if (arn != nullptr && arn->is_string()) arns.emplace_back(arn->get_string());
  }
  return arns;
}

}  // namespace andon::functions
