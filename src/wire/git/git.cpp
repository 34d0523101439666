// SPDX-License-Identifier: Apache-2.0
#include "wire/git/git.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/os/process.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

constexpr std::size_t kMostUrl = 2'048;
constexpr std::size_t kMostName = 255;
constexpr std::size_t kMostSaid = 1U << 20U;
constexpr std::size_t kMostShown = 500;
constexpr std::size_t kCommit = 40;
constexpr std::chrono::milliseconds kGlance{200};

// What git is to do whatever the machine's settings say.
constexpr std::string_view kSettings =
    "[http]\n\tfollowRedirects = false\n\tlowSpeedLimit = 1000\n\tlowSpeedTime = 30\n"
    "[credential]\n\thelper =\n"
    "[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n\tautocrlf = false\n"
    "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
    "[submodule]\n\trecurse = false\n[advice]\n\tdetachedHead = false\n"
    // Of directories of this machine: which may be read is decided before.
    "[safe]\n\tdirectory = *\n";

struct Said {
  base::ExitStatus status;
  std::string output;
};

std::uint64_t bytes_below(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code ignored;
  for (fs::recursive_directory_iterator at(directory, ignored), end; !ignored && at != end;
       at.increment(ignored)) {
    if (fs::is_regular_file(at->symlink_status(ignored))) bytes += at->file_size(ignored);
  }
  return bytes;
}

class Git {
 public:
  Git(const GitUrl& url, const std::optional<GitLogin>& login, const GitOptions& options)
      : options_(options), deadline_(std::chrono::steady_clock::now() + options.limit) {
    base::make_directories(options.home, 0700);
    const fs::path settings = options.home / "gitconfig";
    std::string text(kSettings);
    if (!options.ca_file.empty())
      text += "[http]\n\tsslCAInfo = " + options.ca_file.string() + "\n";
    if (base::read_file_if_exists(settings) != text) {
      base::write_file_atomically(settings, text, 0600);
    }
    environment_ = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                    {"HOME", options.home.string()},
                    {"LANG", "C.UTF-8"},
                    {"GIT_CONFIG_NOSYSTEM", "1"},
                    {"GIT_CONFIG_GLOBAL", settings.string()},
                    {"GIT_TERMINAL_PROMPT", "0"},
                    {"GIT_ASKPASS", "/bin/false"},
                    {"GIT_PROTOCOL_FROM_USER", "0"},
                    {"GIT_ALLOW_PROTOCOL", url.web ? url.web->scheme : "file"},
                    {"GIT_LFS_SKIP_SMUDGE", "1"}};
    if (login && (!url.web || url.web->scheme != "https")) {
      throw Error(ErrorCode::invalid_argument,
                  "'" + url.text + "': a password is sent by https alone");
    }
    if (login) {
      environment_["GIT_CONFIG_COUNT"] = "1";
      environment_["GIT_CONFIG_KEY_0"] = "http.extraHeader";
      environment_["GIT_CONFIG_VALUE_0"] =
          "Authorization: Basic " + base::to_base64(login->user + ":" + login->password);
    }
  }

  // Its output and its complaints together; `grows` is a directory that it fills.
  Said run(std::vector<std::string> arguments, const fs::path& grows = {}) {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) throw base::system_error("cannot make a pipe", errno);
    const base::UniqueFd from(ends[0]);
    base::UniqueFd to(ends[1]);
    const base::UniqueFd nothing = base::open_file("/dev/null", O_RDONLY);
    base::ProcessOptions options;
    options.arguments = std::move(arguments);
    options.arguments.insert(options.arguments.begin(), options_.program);
    options.environment = environment_;
    options.inherited = base::Inherited::nothing;
    options.working_directory = options_.home;
    options.stdin_fd = nothing.get();
    options.stdout_fd = to.get();
    options.stderr_fd = to.get();
    base::Process process(options);
    to.reset();
    Said said;
    while (true) {
      pollfd waiting{from.get(), POLLIN, 0};
      ::poll(&waiting, 1, static_cast<int>(kGlance.count()));
      if (waiting.revents != 0) {
        char piece[16'384];
        const ssize_t got = read(from.get(), piece, sizeof piece);
        if (got <= 0) break;
        said.output.append(piece, static_cast<std::size_t>(got));
        if (said.output.size() > kMostSaid) {
          throw Error(ErrorCode::resource_exhausted, "git says more than 1 MiB");
        }
      }
      check_deadline();
      if (!grows.empty() && bytes_below(grows) > options_.most_bytes) {
        throw Error(
            ErrorCode::resource_exhausted,
            "the repository has more than " + std::to_string(options_.most_bytes >> 20U) + " MiB");
      }
    }
    while (true) {
      if (const auto status = process.wait(kGlance)) {
        said.status = *status;
        return said;
      }
      check_deadline();
    }
  }

 private:
  void check_deadline() const {
    if (std::chrono::steady_clock::now() < deadline_) return;
    throw Error(ErrorCode::unavailable,
                "git was not done within " + std::to_string(options_.limit.count()) + " s");
  }

  const GitOptions& options_;
  const std::chrono::steady_clock::time_point deadline_;
  std::map<std::string, std::string> environment_;
};

Error refused_by_git(const GitUrl& url, const Said& said) {
  const std::string text = base::to_valid_utf8(said.output);
  return Error(ErrorCode::unavailable,
               "git cannot read '" + url.text + "' (" + base::to_string(said.status) + "): " +
                   std::string(base::trim(std::string_view(text).substr(
                                              text.size() - std::min(text.size(), kMostShown)),
                                          " \t\r\n")));
}

}  // namespace

GitUrl read_git_url(const std::string& text) {
  GitUrl url{.text = text, .web = std::nullopt, .directory = {}};
  constexpr std::string_view kFile = "file:///";
  const bool is_plain =
      text.size() <= kMostUrl && base::is_utf8(text) &&
      std::ranges::none_of(text, [](char c) { return base::is_control(c) || c == ' '; });
  if (is_plain && text.starts_with(kFile)) {
    const fs::path directory(text.substr(kFile.size() - 1));
    if (directory == directory.lexically_normal() && directory != "/" &&
        text.find_first_of("?#%") == std::string::npos) {
      url.directory = directory;
      return url;
    }
  } else if (is_plain) {
    url.web = read_url(text);
    if (url.web && url.web->query.empty() && url.web->path != "/") return url;
  }
  throw Error(ErrorCode::invalid_argument,
              "'" + text.substr(0, 200) +
                  "' is no URL of a repository: it is https://HOST/PATH, http://HOST/PATH or "
                  "file:///DIRECTORY, without a user, a query and '..'; a password is a secret of "
                  "Secrets Manager");
}

bool is_git_name(std::string_view name) {
  if (name.empty() || name.size() > kMostName || !base::is_name_of(name, "/._-+@#=")) return false;
  if (name.front() == '-' || name.front() == '/' || name.front() == '.' || name.front() == '+') {
    return false;
  }
  return name.find("..") == std::string_view::npos && name.find("//") == std::string_view::npos &&
         name.find("@{") == std::string_view::npos && !name.ends_with('/') &&
         !name.ends_with(".lock") && !name.ends_with('.');
}

bool is_git_commit(std::string_view text) {
  return text.size() == kCommit &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<std::string> git_ls_remote(const GitUrl& url, const std::string& ref,
                                         const std::optional<GitLogin>& login,
                                         const GitOptions& options) {
  if (!is_git_name(ref)) {
    throw Error(ErrorCode::invalid_argument, "'" + ref.substr(0, 100) + "' is no name of a ref");
  }
  Git git(url, login, options);
  const Said said = git.run({"ls-remote", "--quiet", "--", url.text, ref});
  if (!said.status.ok()) throw refused_by_git(url, said);
  // A name stands for each that ends in it: the one itself is wanted.
  for (const std::string_view line : base::split(said.output, '\n')) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos || line.substr(tab + 1) != ref) continue;
    if (is_git_commit(line.substr(0, tab))) return std::string(line.substr(0, tab));
  }
  return std::nullopt;
}

std::string git_checkout(const GitUrl& url, const std::string& version, int depth,
                         const fs::path& directory, const std::optional<GitLogin>& login,
                         const GitOptions& options) {
  const std::string wanted = version.empty() ? "HEAD" : version;
  if (!is_git_name(wanted)) {
    throw Error(ErrorCode::invalid_argument,
                "'" + wanted.substr(0, 100) + "' is no name of a branch, a tag or a commit");
  }
  Git git(url, login, options);
  const std::string place = directory.string();
  const auto run = [&](std::vector<std::string> arguments) {
    const Said said = git.run(std::move(arguments), directory);
    if (!said.status.ok()) throw refused_by_git(url, said);
    return said.output;
  };
  run({"init", "--quiet", "--template=", "--initial-branch=andon", "--", place});
  std::vector<std::string> fetch = {
      "-C", place, "fetch", "--quiet", "--no-recurse-submodules", "--no-write-commit-graph"};
  if (is_git_commit(wanted)) {
    // Not every server gives a commit by its name: all branches have it.
    fetch.insert(fetch.end(), {"--", url.text, "+refs/heads/*:refs/remotes/origin/*",
                               "+refs/tags/*:refs/tags/*"});
    run(fetch);
    run({"-C", place, "checkout", "--quiet", "--detach", wanted, "--"});
  } else {
    if (depth > 0) fetch.push_back("--depth=" + std::to_string(depth));
    fetch.insert(fetch.end(), {"--", url.text, wanted});
    run(fetch);
    run({"-C", place, "checkout", "--quiet", "--detach", "FETCH_HEAD", "--"});
  }
  const std::string commit(base::trim(run({"-C", place, "rev-parse", "HEAD"}), " \r\n\t"));
  if (!is_git_commit(commit)) {
    throw Error(ErrorCode::unavailable, "git gives no commit for '" + wanted + "'");
  }
  return commit;
}

}  // namespace andon::wire
