// SPDX-License-Identifier: Apache-2.0
#include "job/sandbox/landlock.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/error/error.hpp"

namespace andon::job {
namespace {

// Newer than the headers that this is built with (include/uapi/linux/landlock.h of Linux 6.12).
constexpr std::uint64_t kTruncate = 1U << 14U;            // version 3
constexpr std::uint64_t kBindTcp = 1U << 0U;              // version 4
constexpr std::uint64_t kConnectTcp = 1U << 1U;           // version 4
constexpr std::uint64_t kScopeAbstractSocket = 1U << 0U;  // version 6
constexpr std::uint64_t kScopeSignal = 1U << 1U;          // version 6
constexpr int kRuleNetPort = 2;
struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scoped;
};
struct PortAttributes {
  std::uint64_t access;
  std::uint64_t port;
};

constexpr std::uint64_t kRead =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
// No device files: nothing that it makes is one.
constexpr std::uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM;
constexpr std::uint64_t kDevices = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;

base::Error failed(const std::string& what) {
  return base::system_error("Landlock: cannot " + what, errno);
}

void allow(int ruleset, const char* place, std::uint64_t access) {
  const base::UniqueFd directory(open(place, O_PATH | O_CLOEXEC));
  if (!directory) throw failed("open " + std::string(place));
  const landlock_path_beneath_attr rule{.allowed_access = access, .parent_fd = directory.get()};
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    throw failed("allow " + std::string(place));
  }
}

}  // namespace

int landlock_version() {
  const long version =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

void restrict_with_landlock(const SandboxRules& rules, int version) {
  std::uint64_t write = kWrite;
  if (version >= 2) write |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) write |= kTruncate;
  RulesetAttributes attributes{.files = kRead | write | kDevices, .network = 0, .scoped = 0};
  std::size_t size = sizeof attributes.files;
  if (version >= 4) {
    // Alone in its network it may do what it likes there.
    if (!rules.ports.empty()) attributes.network = kBindTcp | kConnectTcp;
    size = sizeof attributes.files + sizeof attributes.network;
  }
  if (version >= kLandlockWithScopes) {
    attributes.scoped = kScopeAbstractSocket | kScopeSignal;
    size = sizeof attributes;
  }
  const base::UniqueFd ruleset(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  if (!ruleset) throw failed("make a set of rules");
  allow(ruleset.get(), "/", kRead);
  for (const char* place : {kWorkPlace, kTemporaryPlace, "/dev/shm"}) {
    allow(ruleset.get(), place, kRead | write);
  }
  for (const char* place : {"/dev", "/proc"}) {
    allow(ruleset.get(), place, kRead | LANDLOCK_ACCESS_FS_WRITE_FILE);
  }
  for (const std::uint16_t port : rules.ports) {
    const PortAttributes rule{.access = kConnectTcp, .port = port};
    if (syscall(SYS_landlock_add_rule, ruleset.get(), kRuleNetPort, &rule, 0) != 0) {
      throw failed("allow port " + std::to_string(port));
    }
  }
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) throw failed("restrict");
}

}  // namespace andon::job
