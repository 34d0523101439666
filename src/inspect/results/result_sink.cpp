// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/result_sink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/error/error.hpp"
#include "base/os/sync_name.hpp"
#include "inspect/results/file_tail.hpp"

namespace andon::inspect {

JsonlSink::JsonlSink(const base::fs::path& directory) : path_(directory / "results.jsonl") {
  base::make_directories(directory);
  const FileTail tail = read_tail(path_);
  const std::string& content = tail.content;
  const std::size_t end = content.rfind('\n');
  const std::size_t whole = end == std::string::npos ? 0 : end + 1;
  file_ = base::open_file(path_, O_WRONLY | O_CREAT | O_APPEND, 0644);
  // Before the journal says what is in it.
  base::sync_name(path_);
  base::sync_name(directory);
  if (whole != content.size() &&
      ftruncate(file_.get(), static_cast<off_t>(tail.start + whole)) != 0) {
    throw base::system_error(fmt::format("cannot repair the last line of {}", path_.string()),
                             errno);
  }
  if (whole == 0) return;
  const std::size_t before = whole < 2 ? std::string::npos : content.rfind('\n', whole - 2);
  const std::size_t start = before == std::string::npos ? 0 : before + 1;
  last_ = content.substr(start, whole - 1 - start);
}

void JsonlSink::publish(const std::string& message) {
  if (message == last_) return;
  base::write_all(file_.get(), message + '\n', path_);
  if (fdatasync(file_.get()) != 0) {
    throw base::system_error(fmt::format("cannot write {} to the disk", path_.string()), errno);
  }
  last_ = message;
}

}  // namespace andon::inspect
