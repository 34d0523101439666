// SPDX-License-Identifier: Apache-2.0
// Room: telemetry. How the device does, for its server: what the kernel counts, read from /proc and
// /sys (system_figures.hpp), what of it is told and when (telemetry_reporter.hpp). What a kernel or
// a container does not show is left out. One thread at a time; reads files, so not on the loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/os/file.hpp"
#include "fleet/telemetry/telemetry_message.hpp"

namespace andon::edge {

namespace fs = base::fs;

struct SystemPlaces {
  fs::path disk;  // of whose file system the room is told
  fs::path proc = "/proc";
  fs::path sys = "/sys";
};

// The value of a line of /proc/meminfo, in KiB ("MemAvailable").
[[nodiscard]] std::optional<std::uint64_t> meminfo_kib(std::string_view text,
                                                       std::string_view name);

class SystemFigures {
 public:
  explicit SystemFigures(SystemPlaces places) : places_(std::move(places)) {}

  // What it counts over time it counts since the call before; the first one has none of these.
  [[nodiscard]] fleet::Figures read(std::chrono::steady_clock::time_point now);

 private:
  struct Counted {
    std::optional<std::uint64_t> busy;  // ticks of all processors
    std::optional<std::uint64_t> all;
    std::optional<std::uint64_t> own;  // ticks of this process
    std::optional<std::uint64_t> sent;
    std::optional<std::uint64_t> received;
    std::chrono::steady_clock::time_point at;
  };
  [[nodiscard]] std::string text_of(const fs::path& path) const;
  void count_processors(Counted& counted) const;
  void count_networks(Counted& counted) const;
  void put_memory(fleet::Figures& figures) const;
  void put_disk(fleet::Figures& figures) const;
  void put_temperature(fleet::Figures& figures) const;

  const SystemPlaces places_;
  std::optional<Counted> before_;
};

}  // namespace andon::edge
