// SPDX-License-Identifier: Apache-2.0
#include "job/sandbox/private_root.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error/error.hpp"

namespace andon::job {
namespace {

constexpr const char* kSystem[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
// No secrets, no configuration of services.
constexpr const char* kSettings[] = {
    "alternatives", "ca-certificates", "fonts",      "group",          "host.conf",
    "hosts",        "ld.so.cache",     "ld.so.conf", "ld.so.conf.d",   "localtime",
    "mime.types",   "nsswitch.conf",   "passwd",     "protocols",      "python3",
    "resolv.conf",  "services",        "ssl/certs",  "ssl/openssl.cnf"};
constexpr const char* kDevices[] = {"null", "zero", "full", "random", "urandom"};

base::Error failed(const std::string& what) {
  return base::system_error("cannot " + what, errno);
}

void mount_at(const char* source, const fs::path& target, const char* type, unsigned long flags,
              const std::string& options = {}) {
  if (mount(source, target.c_str(), type, flags, options.empty() ? nullptr : options.c_str()) !=
      0) {
    throw failed("mount " + std::string(type == nullptr ? source : type) + " at " +
                 target.string());
  }
}

enum class Access { read_only, writable };

class NewRoot {
 public:
  explicit NewRoot(fs::path at) : at_(std::move(at)) {
    mount_at("none", "/", nullptr, MS_REC | MS_PRIVATE);
    mount_at("tmpfs", at_, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=4m");
  }

  [[nodiscard]] fs::path place(const fs::path& path) const { return at_ / path.relative_path(); }

  void directory(const fs::path& path) const { fs::create_directories(place(path)); }
  void link(const char* target, const char* path) const { fs::create_symlink(target, place(path)); }
  // A directory or a file, with all that is mounted below it.
  void bind(const fs::path& source, const fs::path& path, Access access) const {
    const fs::path target = place(path);
    if (fs::is_directory(source)) {
      fs::create_directories(target);
    } else {
      fs::create_directories(target.parent_path());
      if (!fs::exists(target)) {
        const base::UniqueFd made = base::open_file(target, O_CREAT | O_WRONLY, 0644);
      }
    }
    mount_at(source.c_str(), target, nullptr, MS_BIND | MS_REC);
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_NOSUID;
    if (access == Access::read_only) attributes.attr_set |= MOUNT_ATTR_RDONLY;
    if (access == Access::writable) attributes.attr_set |= MOUNT_ATTR_NODEV;
    if (mount_setattr(AT_FDCWD, target.c_str(), AT_RECURSIVE, &attributes, sizeof attributes) !=
        0) {
      throw failed("protect " + path.string());
    }
  }
  void device(const std::string& name) const {
    const fs::path source = fs::path("/dev") / name;
    const fs::path target = place(source);
    const base::UniqueFd made = base::open_file(target, O_CREAT | O_WRONLY, 0644);
    mount_at(source.c_str(), target, nullptr, MS_BIND);
  }
  void hide(const fs::path& path) const {
    if (!fs::is_directory(place(path))) return;
    mount_at("tmpfs", place(path), "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, "mode=0755,size=4k");
  }
  // What was the root is gone afterwards.
  void enter() const {
    if (chdir(at_.c_str()) != 0) throw failed("enter the new root");
    if (syscall(SYS_pivot_root, ".", ".") != 0) throw failed("make the new root the root");
    if (umount2(".", MNT_DETACH) != 0) throw failed("let go of the old root");
    if (chdir("/") != 0) throw failed("enter the new root");
    mount_at("none", "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV);
  }

 private:
  fs::path at_;
};

void add_system(const NewRoot& root) {
  for (const char* path : kSystem) {
    if (fs::is_symlink(path)) {
      root.link(fs::read_symlink(path).c_str(), path);
    } else if (fs::is_directory(path)) {
      root.bind(path, path, Access::read_only);
    }
  }
  for (const char* name : kSettings) {
    std::error_code missing;
    const fs::path path = fs::path("/etc") / name;
    const fs::path source = fs::canonical(path, missing);
    if (!missing) root.bind(source, path, Access::read_only);
  }
}

// Not where something is bound above it: that is read-only, and is what was asked for.
void add_links(const NewRoot& root, const SandboxRules& rules) {
  for (const Linked& link : rules.links) {
    const bool is_taken = std::ranges::any_of(rules.read_only, [&](const fs::path& path) {
      return link.place == path || link.place.string().starts_with(path.string() + "/");
    });
    if (is_taken) continue;
    root.directory(link.place.parent_path());
    root.link(link.target.c_str(), link.place.c_str());
  }
}

void add_devices(const NewRoot& root, const Limits& limits) {
  root.directory("/dev/shm");
  for (const char* name : kDevices) root.device(name);
  root.link("/proc/self/fd", "/dev/fd");
  root.link("/proc/self/fd/0", "/dev/stdin");
  root.link("/proc/self/fd/1", "/dev/stdout");
  root.link("/proc/self/fd/2", "/dev/stderr");
  mount_at("tmpfs", root.place("/dev/shm"), "tmpfs", MS_NOSUID | MS_NODEV,
           "mode=1777,size=" + std::to_string(limits.memory_bytes) + ",nr_inodes=16384");
}

}  // namespace

void enter_private_root(const SandboxRules& rules) {
  const NewRoot root(rules.root);
  add_links(root, rules);
  add_system(root);
  for (const fs::path& path : rules.read_only) {
    // A device is to be used, not only to be looked at.
    if (fs::is_character_file(path)) {
      root.directory(path.parent_path());
      root.device(path.lexically_relative("/dev"));
    } else {
      root.bind(path, path, Access::read_only);
    }
  }
  for (const Placed& one : rules.placed) root.bind(one.source, one.place, Access::read_only);
  for (const fs::path& path : rules.hidden) root.hide(path);
  add_devices(root, rules.limits);
  root.bind(rules.work, kWorkPlace, Access::writable);
  root.bind(rules.temporary, kTemporaryPlace, Access::writable);
  root.directory("/proc");
  mount_at("proc", root.place("/proc"), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  root.enter();
}

}  // namespace andon::job
