// SPDX-License-Identifier: Apache-2.0
// Apart from the keeper's side, which has no C++ library.
#include <cstring>

#include "base/error/error.hpp"
#include "keep/record/order.hpp"

namespace andon::keep {

std::string to_bytes(const Order& order) {
  std::string bytes(sizeof(std::uint32_t), '\0');
  const auto add = [&bytes](const std::string& text, const std::string& what) {
    if (text.find('\0') != std::string::npos) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "cannot start a process: " + what + " holds a NUL character");
    }
    bytes.append(text).push_back('\0');
  };
  add(order.script, "its command");
  add(order.working_directory, "its directory");
  add(order.log_file, "its log's path");
  add(std::to_string(order.log_bytes), "");
  add(std::to_string(order.log_files_kept), "");
  add(std::to_string(order.log_bytes_per_second), "");
  add(order.state_file, "its state's path");
  add(std::to_string(order.user), "");
  add(std::to_string(order.group), "");
  add(std::to_string(order.groups.size()), "");
  for (const gid_t group : order.groups) add(std::to_string(group), "");
  add(std::to_string(order.cgroups.size()), "");
  for (const std::string& cgroup : order.cgroups) add(cgroup, "its cgroup's path");
  add(std::to_string(order.sandbox), "");
  add(std::to_string(order.places.size()), "");
  for (const std::string& place : order.places) add(place, "a path of its sandbox");
  for (const auto& [name, value] : order.environment) {
    add(name + '=' + value, "the variable " + name);
  }
  const std::size_t size = bytes.size() - sizeof(std::uint32_t);
  if (size > kMostOrderBytes || order.groups.size() > kMostGroups ||
      order.environment.size() > kMostVariables || order.cgroups.size() > kMostCgroups ||
      order.places.size() > kMostPlaces) {
    throw base::Error(
        base::ErrorCode::invalid_argument,
        "cannot start a process: its command and its variables are more than " +
            std::to_string(kMostOrderBytes) + " bytes or " + std::to_string(kMostVariables) +
            " variables, or its sandbox has more than " + std::to_string(kMostPlaces) + " places");
  }
  const auto length = static_cast<std::uint32_t>(size);
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes;
}

}  // namespace andon::keep
