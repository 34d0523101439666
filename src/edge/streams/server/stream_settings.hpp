// SPDX-License-Identifier: Apache-2.0
// The component aws.greengrass.StreamManager, which the agent has built in: its recipe for any
// version that is wanted, and what its configuration says. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/os/file.hpp"

namespace andon::edge {

inline constexpr std::string_view kStreamManager = "aws.greengrass.StreamManager";
inline constexpr std::uint16_t kStreamManagerPort = 8088;

struct StreamSettings {
  base::fs::path root;
  std::uint16_t port = kStreamManagerPort;  // 0: any
  bool authenticates = true;
  std::uint64_t bytes_per_second = 0;  // 0: no limit
  std::size_t export_threads = 5;
  std::int64_t part_bytes = 5'242'880;
  bool operator==(const StreamSettings&) const = default;
};

struct ReadStreamSettings {
  StreamSettings settings;
  std::vector<std::string> problems;  // what is left at its default, and why
};
[[nodiscard]] ReadStreamSettings read_stream_settings(const base::json::object& configuration,
                                                      const base::fs::path& default_root);

}  // namespace andon::edge
