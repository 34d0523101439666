// SPDX-License-Identifier: Apache-2.0
// What a keeper is to run, as it comes to it over a socket, and what it answers: never on a disk,
// for an environment has secrets. The keeper's side has the C library alone. A length of four
// bytes of this machine, then texts that a NUL ends:
//   script, working directory, log file, its bytes, files kept, its bytes a second, state file,
//   user, group, number of further groups, these, number of cgroups, a file of each, sandbox,
//   number of its places, these, variables "NAME=value" to the end
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace andon::keep {

inline constexpr std::size_t kMostOrderBytes = 4U << 20U;
inline constexpr std::size_t kMostGroups = 256;
inline constexpr std::size_t kMostVariables = 4096;
inline constexpr std::size_t kMostCgroups = 4;
inline constexpr std::size_t kMostPlaces = 64;
inline constexpr long kOwn = -1;  // user or group: the keeper's own

// What of the sandbox is on (keeper/sandbox.hpp).
inline constexpr int kGuarded = 1;
inline constexpr int kOwnTmp = 2;
inline constexpr int kOffline = 4;

struct Order {
  std::string script;  // for /bin/sh
  std::string working_directory;
  std::string log_file;
  std::uint64_t log_bytes = 0;
  int log_files_kept = 0;
  std::uint64_t log_bytes_per_second = 0;  // 0: no cap
  std::string state_file;
  long user = kOwn;
  long group = kOwn;
  std::vector<gid_t> groups;
  std::vector<std::string> cgroups;  // files: who writes "0" to one is in its cgroup
  int sandbox = 0;                   // kGuarded and what is beside it
  // What the sandbox leaves, in this order: "r" or "w" (writable) and a directory's path.
  std::vector<std::string> places;
  std::map<std::string, std::string> environment;  // all of it
};
// Throws invalid_argument for what holds a NUL, or is more than a keeper takes.
[[nodiscard]] std::string to_bytes(const Order& order);

// The order as the keeper reads it, without its length: pointers into the bytes, which end with a
// NUL and outlive it.
struct OrderView {
  const char* script = nullptr;
  const char* working_directory = nullptr;
  const char* log_file = nullptr;
  std::uint64_t log_bytes = 0;
  int log_files_kept = 0;
  std::uint64_t log_bytes_per_second = 0;
  const char* state_file = nullptr;
  long user = kOwn;
  long group = kOwn;
  std::size_t group_count = 0;
  gid_t groups[kMostGroups] = {};
  std::size_t cgroup_count = 0;
  const char* cgroups[kMostCgroups] = {};
  int sandbox = 0;
  std::size_t place_count = 0;
  const char* places[kMostPlaces] = {};
  char* environment[kMostVariables + 1] = {};  // ends with a null pointer
};
[[nodiscard]] bool parse_order(char* bytes, std::size_t size, OrderView& order);

// Where a start went wrong.
enum class Stage : std::int32_t {
  none,
  order,
  state_file,
  process,
  user,
  directory,
  program,
  cgroup,  // it runs all the same
  sandbox
};
struct Answer {
  std::int32_t error = 0;  // errno, 0: it runs
  Stage stage = Stage::none;
};

}  // namespace andon::keep
