// SPDX-License-Identifier: Apache-2.0
#include "wire/http/body_spool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/error/error.hpp"
#include "base/text/id.hpp"

namespace andon::wire {
namespace {

base::UniqueFd open_unnamed(const base::fs::path& directory) {
  base::UniqueFd fd(open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return fd;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
    throw base::system_error("cannot make a spool file in '" + directory.string() + "'", errno);
  }
  // A file system without O_TMPFILE (overlayfs, NFS).
  const base::fs::path path = directory / ("spool-" + base::random_uuid());
  fd = base::open_file(path, O_RDWR | O_CREAT | O_EXCL);
  unlink(path.c_str());
  return fd;
}

}  // namespace

void BodySpool::append(std::string_view bytes) {
  if (!uses_disk_for(bytes.size())) {
    memory_.append(bytes);
    return;
  }
  if (!file_) {
    file_ = open_unnamed(directory_);
    base::write_all(file_.get(), memory_, directory_);
    file_size_ = memory_.size();
    memory_ = std::string();
  }
  base::write_all(file_.get(), bytes, directory_);
  file_size_ += bytes.size();
}

Body BodySpool::finish() {
  if (file_) return {std::move(file_), file_size_};
  return Body(std::move(memory_));
}

}  // namespace andon::wire
