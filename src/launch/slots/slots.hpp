// SPDX-License-Identifier: Apache-2.0
// Which agent runs on this device: the package's (base), or one of two places that deployments
// bring agents to (a, b). <root>/agent/slots says it, and lasts over crashes and power cuts: it is
// replaced as a whole, and synced. Written by the launcher, by the agent that is on trial and by
// `andon-edge adopt`, one after the other; with the C library alone. Lines that a version does not
// know it leaves out.
//
//   active base|a|b SHA256|-
//   base SIZE MTIME_NS                of the package's agent, when that was last looked at
//   trial a|b SHA256 ATTEMPTS SECONDS UNTIL BOOT
//   failed SHA256 WHY
#pragma once

#include <cstddef>
#include <cstdint>

namespace andon::launch {

inline constexpr std::size_t kDigest = 64;  // SHA-256, lower-case hex
inline constexpr std::size_t kBootId = 36;  // of /proc/sys/kernel/random/boot_id
inline constexpr std::size_t kReason = 500;
inline constexpr std::size_t kMostSlotsBytes = 4096;

enum class Slot { base, a, b };
[[nodiscard]] const char* name_of(Slot slot);

// A file as it was; another one of the same name has another mark.
struct FileMark {
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const FileMark&) const = default;
};

// Of an agent that has still to show that it reaches its server.
struct Trial {
  Slot slot = Slot::base;  // base: there is none
  char digest[kDigest + 1] = {};
  std::int64_t attempts = 0;  // starts so far that it did not ask for itself
  std::int64_t seconds = 0;   // that it has, anew after each boot
  std::int64_t until = 0;     // CLOCK_BOOTTIME, in seconds; 0: not begun
  char boot[kBootId + 1] = {};
  bool operator==(const Trial&) const = default;
};

struct Slots {
  Slot active = Slot::base;
  char active_digest[kDigest + 1] = {};  // empty: base
  FileMark base;
  Trial trial;
  char failed[kDigest + 1] = {};  // the agent that was returned from last; empty: none
  char why[kReason + 1] = {};
  bool operator==(const Slots&) const = default;
};

// Ends the trial: the agent was returned from.
void give_up(Slots& slots, const char* why);

// False for what is no such file; `slots` is then as new.
[[nodiscard]] bool parse_slots(const char* bytes, std::size_t size, Slots& slots);
// Each says whether it could; errno has the reason (ENOENT: no launcher has run here). `directory`:
// <root>/agent.
[[nodiscard]] bool read_slots(const char* directory, Slots& slots);
[[nodiscard]] bool write_slots(const char* directory, const Slots& slots);

}  // namespace andon::launch
