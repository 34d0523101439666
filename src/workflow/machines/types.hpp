// SPDX-License-Identifier: Apache-2.0
// State machines as they are kept: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::workflow {

namespace json = base::json;

enum class MachineType : std::uint8_t { standard, express };
[[nodiscard]] constexpr std::string_view to_string(MachineType type) {
  return type == MachineType::express ? "EXPRESS" : "STANDARD";
}

// What a revision holds beside its definition.
struct MachineSettings {
  std::string role;
  json::object logging;
  json::object tracing;
  json::object encryption;
};

struct NewMachine {
  std::string name;
  std::string definition;
  MachineType type = MachineType::standard;
  MachineSettings settings;
  std::map<std::string, std::string> tags;
  bool publish = false;
  std::string version_description;
};

struct MachineUpdate {
  std::optional<std::string> definition;
  std::optional<std::string> role;
  std::optional<json::object> logging;
  std::optional<json::object> tracing;
  std::optional<json::object> encryption;
  bool publish = false;
  std::string version_description;
};

// One revision of a machine, or one of its versions.
struct Machine {
  std::string arn;  // without version or alias
  std::string name;
  MachineType type = MachineType::standard;
  bool is_deleting = false;
  std::string revision;     // our own name of the revision
  std::string revision_id;  // the client's; empty for the first one
  std::string definition;
  MachineSettings settings;
  base::Timestamp created;  // the machine; of a version: the version
  base::Timestamp updated;  // the revision
  std::string version_arn;  // of a version
  std::string description;  // likewise
};

struct MachineVersion {
  std::string arn;
  std::string description;
  base::Timestamp created;
};

struct Route {
  std::string version_arn;
  std::int64_t weight = 0;
  bool operator==(const Route&) const = default;
};

struct MachineAlias {
  std::string arn;
  std::string name;
  std::string description;
  std::vector<Route> routes;
  base::Timestamp created;
  base::Timestamp updated;
};

// Where a page of a list goes on; `next` is set where there is more.
struct PageOf {
  std::size_t limit = 100;
  std::string after;
};
template <typename Item>
struct Listed {
  std::vector<Item> items;
  std::optional<std::string> next;
};

}  // namespace andon::workflow
