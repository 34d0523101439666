// SPDX-License-Identifier: Apache-2.0
#include "workflow/jobs/job_place.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error/error.hpp"

namespace andon::workflow {

void JobPolicy::apply(job::SandboxRules& rules) const {
  rules.read_only = read_only;
  rules.hidden = hidden;
  rules.cgroup = cgroup;
}

std::uint16_t JobPolicy::refused_port(const std::vector<std::uint16_t>& asked) const {
  const auto found = std::ranges::find_if(
      asked, [this](std::uint16_t port) { return std::ranges::find(ports, port) == ports.end(); });
  return found == asked.end() ? std::uint16_t{0} : *found;
}

std::map<std::string, std::string> job_environment() {
  return {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", job::kWorkPlace}, {"LANG", "C.UTF-8"},
          {"TMPDIR", job::kTemporaryPlace},         {"USER", "job"},           {"LOGNAME", "job"}};
}

void copy_all(int from, int to, const job::fs::path& path) {
  constexpr std::size_t kPiece = 1U << 20U;
  // The disk may share the bytes; else they are copied without coming here; else here.
  ssize_t copied = 0;
  bool any = false;
  while ((copied = copy_file_range(from, nullptr, to, nullptr, kPiece * 64, 0)) > 0) any = true;
  if (copied == 0) return;
  if (any) throw base::system_error("cannot write '" + path.string() + "'", errno);
  std::string buffer(kPiece, '\0');
  while (true) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw base::system_error("cannot read what becomes '" + path.string() + "'", errno);
    if (got == 0) return;
    base::write_all(to, std::string_view(buffer).substr(0, static_cast<std::size_t>(got)), path);
  }
}

void give_to_job(const job::JobDirectory& directory) {
  struct stat owner {};
  if (stat(directory.work().c_str(), &owner) != 0 || owner.st_uid == geteuid()) return;
  for (const auto& entry : job::fs::recursive_directory_iterator(directory.work())) {
    if (lchown(entry.path().c_str(), owner.st_uid, owner.st_gid) != 0) {
      throw base::system_error("cannot give '" + entry.path().string() + "' to its job", errno);
    }
  }
}

}  // namespace andon::workflow
