// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <string_view>

#include "base/error/error.hpp"
#include "base/text/escape.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

constexpr const char* kMark = ".andon-demo";
constexpr std::string_view kMarkText =
    "Made by `andon demo`, which may replace what it made here.\n";
// What a demo writes into its directory, besides state/.
constexpr std::array<const char*, 3> kReplaced = {"results.jsonl", "annotated", "aws-credentials"};

std::string quoted(const fs::path& path) {
  return "'" + base::escape_controls(path.string()) + "'";
}

// Links are not followed: what they point to was not made here.
bool is_there(const fs::path& path) {
  return fs::symlink_status(path).type() != fs::file_type::not_found;
}

bool is_marked(const fs::path& directory) {
  return fs::symlink_status(directory / kMark).type() == fs::file_type::regular;
}

[[noreturn]] void refuse(const fs::path& path) {
  throw Error(ErrorCode::failed_precondition,
              fmt::format("{} was not made by a demo, so it is left as it is: give another --out, "
                          "or move it away",
                          quoted(path)));
}

// A directory of an earlier demo is emptied, the mark last, so that a crash in between leaves one
// that the next demo knows as its own.
void empty_marked(const fs::path& directory) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().filename() != kMark) fs::remove_all(entry.path());
  }
}

void check_state(const fs::path& state) {
  if (!is_there(state)) return;
  const bool is_directory = fs::symlink_status(state).type() == fs::file_type::directory;
  if (!is_directory || (!fs::is_empty(state) && !is_marked(state))) refuse(state);
}

base::FileLock lock(const fs::path& out) {
  try {
    return base::FileLock(out / kMark);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::failed_precondition) throw;
    throw Error(ErrorCode::failed_precondition,
                fmt::format("another demo is running with --out {}: end it first, or give this "
                            "one another --out",
                            quoted(out)));
  }
}

base::FileLock take(const fs::path& out) {
  if (!fs::is_directory(out)) base::make_directories(out);
  check_state(out / "state");
  if (!is_marked(out)) {
    if (is_there(out / kMark)) refuse(out / kMark);
    for (const char* name : kReplaced) {
      if (is_there(out / name)) refuse(out / name);
    }
  }
  return lock(out);
}

}  // namespace

DemoOutput::DemoOutput(const fs::path& out) try
    : state_(fs::absolute(out) / "state"), lock_(take(fs::absolute(out))) {
  if (is_there(state_)) empty_marked(state_);
  base::make_directories(state_, 0700);
  for (const fs::path& directory : {fs::absolute(out), state_}) {
    // Not atomically: the lock is on this file, and its content is for people.
    const base::UniqueFd fd = base::open_file(directory / kMark, O_WRONLY | O_CREAT, 0644);
    base::write_all(fd.get(), kMarkText, directory / kMark);
  }
} catch (const fs::filesystem_error& error) {
  throw base::system_error(fmt::format("cannot use --out {}", quoted(out)), error.code().value());
}

}  // namespace andon::cli
