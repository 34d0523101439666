// SPDX-License-Identifier: Apache-2.0
// What a requirements.txt names, installed by pip: finished packages only, so that nothing of them
// is run here.
#include <fcntl.h>

#include <algorithm>

#include "base/error/error.hpp"
#include "base/os/process.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"
#include "functions/package/packages.hpp"
#include "job/order/job_directory.hpp"

namespace andon::functions {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostList = 65'536;
constexpr std::size_t kMostLines = 1'000;
constexpr std::size_t kMostSaid = 2'000;  // of pip's output, in an error
constexpr std::chrono::milliseconds kGlance{500};

std::uint64_t bytes_below(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code ignored;
  for (fs::recursive_directory_iterator at(directory, ignored), end; at != end;
       at.increment(ignored)) {
    if (ignored) break;
    if (at->is_regular_file(ignored) && !at->is_symlink(ignored)) bytes += at->file_size(ignored);
  }
  return bytes;
}

}  // namespace

std::vector<std::string> read_requirements(const std::string& text) {
  if (text.size() > kMostList) {
    throw Error(ErrorCode::invalid_argument, "requirements.txt has more than 64 KiB");
  }
  std::vector<std::string> lines;
  for (std::string_view line : base::split(text, '\n')) {
    line = line.substr(0, line.find('#'));
    const std::string one(base::trim(line, " \t\r"));
    if (one.empty()) continue;
    // A name, its extras, its versions, and a condition on the machine.
    const std::string_view name = std::string_view(one).substr(0, one.find(';'));
    const bool is_plain = base::is_name_of(name, "-_.[],<>=!~* ") && one.front() != '-' &&
                          one.front() != '.' && base::is_utf8(one) &&
                          one.find('\\') == std::string::npos;
    if (!is_plain || lines.size() >= kMostLines) {
      throw Error(ErrorCode::invalid_argument,
                  "requirements.txt: '" + one.substr(0, 100) +
                      "' is not installed: only names with versions are, at most 1000, no options, "
                      "addresses and paths");
    }
    lines.push_back(one);
  }
  return lines;
}

void Packages::install(const Code& code) {
  const fs::path package = ensure(code);
  const fs::path installed = place(code.sha256 + kInstalledSuffix);
  const fs::path given = package / "requirements.txt";
  if (!options_.installs_requirements || fs::exists(installed) ||
      !fs::is_regular_file(fs::symlink_status(given))) {
    return;
  }
  const auto lines = read_requirements(base::read_file(given, kMostList + 1));
  if (lines.empty()) return;
  const std::lock_guard lock(mutex_);
  const fs::path fresh = options_.directory / (kFreshPrefix + base::random_uuid());
  base::make_directories(fresh / "python", 0755);
  std::string list;
  for (const std::string& line : lines) list += line + "\n";
  base::write_file_atomically(fresh / "requirements.txt", list);
  try {
    run_pip(fresh / "requirements.txt", fresh / "python");
    fs::rename(fresh / "python", installed);
    base::sync_directory(options_.directory);
  } catch (...) {
    job::remove_tree(fresh);
    throw;
  }
  job::remove_tree(fresh);
}

void Packages::run_pip(const fs::path& list, const fs::path& target) const {
  const fs::path said = list.parent_path() / "pip.log";
  const base::UniqueFd log = base::open_file(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  base::ProcessOptions options;
  options.arguments = {options_.python,
                       "-I",
                       "-m",
                       "pip",
                       "install",
                       "--no-input",
                       "--disable-pip-version-check",
                       "--no-cache-dir",
                       "--only-binary",
                       ":all:",
                       "--target",
                       target.string(),
                       "-r",
                       list.string()};
  options.inherited = base::Inherited::nothing;
  options.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                         {"HOME", list.parent_path().string()},
                         {"LANG", "C.UTF-8"}};
  if (!options_.pip_config.empty()) {
    options.environment["PIP_CONFIG_FILE"] = options_.pip_config.string();
  }
  options.working_directory = list.parent_path();
  options.stdout_fd = log.get();
  options.stderr_fd = log.get();
  base::Process process(options);
  const auto deadline = std::chrono::steady_clock::now() + options_.install_limit;
  while (true) {
    const auto status = process.wait(kGlance);
    const bool is_over = bytes_below(target) > options_.install_bytes;
    if (status && status->ok() && !is_over) return;
    std::string why;
    if (is_over) {
      why = "it has more than " + std::to_string(options_.install_bytes >> 20U) + " MiB";
    } else if (status) {
      const std::string text = base::to_valid_utf8(base::read_file(said));
      why = base::to_string(*status) + ": " +
            text.substr(text.size() - std::min(text.size(), kMostSaid));
    } else if (std::chrono::steady_clock::now() >= deadline) {
      why = "it took more than " + std::to_string(options_.install_limit.count()) + " s";
    } else {
      continue;
    }
    throw Error(ErrorCode::invalid_argument, "requirements.txt was not installed: " + why);
  }
}

}  // namespace andon::functions
