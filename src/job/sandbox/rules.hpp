// SPDX-License-Identifier: Apache-2.0
// What a command of somebody else's may do on this machine: which files it sees, whom it may talk
// to, how much it may use. The room makes a process that is held to it by the kernel, in several
// layers: namespaces of its own (files, processes, network, IPC), a user of its own where the
// program is root and a user namespace where it is not, Landlock, a filter of system calls, limits.
// What the kernel here cannot do is refused by name (unsupported); nothing is left out in silence.
// Plain values.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/os/file.hpp"

namespace andon::job {

namespace fs = base::fs;

inline constexpr const char* kWorkPlace = "/job";
inline constexpr const char* kTemporaryPlace = "/tmp";

struct Limits {
  std::uint64_t memory_bytes = 4096ULL << 20U;
  // That one process may reserve beyond it without using it: stacks of threads, arenas.
  std::uint64_t reserved_bytes = 0;
  std::uint64_t disk_bytes = 10'240ULL << 20U;  // of its directories together
  std::uint64_t processes = 256;                // and threads
  double cpus = 0;                              // 0: all
};

// A directory that is seen read-only at another place than its own.
struct Placed {
  fs::path source;
  fs::path place;
};

// A symbolic link of its root: programs that know a fixed place find one of its directories there.
struct Linked {
  fs::path place;
  fs::path target;
};

struct SandboxRules {
  fs::path work;                    // its directory, seen as /job
  fs::path temporary;               // seen as /tmp
  fs::path root;                    // an empty directory that its root is made upon
  std::vector<fs::path> read_only;  // seen at the same place, beside the system's own
  std::vector<Placed> placed;
  std::vector<Linked> links;     // made first: what is seen at the same place wins
  std::vector<fs::path> hidden;  // empty wherever they would be seen
  std::optional<uid_t> user;     // its own; needs root
  // TCP ports that it may connect to, on any host. None: it has a network of its own without
  // anybody in it.
  std::vector<std::uint16_t> ports;
  // TCP ports of its own loopback at which somebody outside listens (Sandbox::take_listeners()).
  // Only where it has a network of its own.
  std::vector<std::uint16_t> served;
  fs::path cgroup;  // a delegated one of version 2 to be put below; empty: limits of processes
  Limits limits;
};

struct Command {
  std::vector<std::string> arguments;              // [0] is looked up in PATH
  std::map<std::string, std::string> environment;  // all of it
  std::string directory = kWorkPlace;              // that it begins in
};

}  // namespace andon::job
