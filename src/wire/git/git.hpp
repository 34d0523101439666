// SPDX-License-Identifier: Apache-2.0
// Room: git. Repositories of others, asked and fetched by this machine's git, which is given no
// more than it needs: https, http or a directory of this machine; no redirection, no helper, no
// hook, no submodule, no settings of anybody. What may be asked at all is the caller's to decide.
// Blocking, each call with a deadline and a bound; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/os/file.hpp"
#include "wire/http/url.hpp"

namespace andon::wire {

struct GitUrl {
  std::string text;
  std::optional<Url> web;    // https, http
  base::fs::path directory;  // of file:///...; absolute and normal
};
// Throws invalid_argument for what is neither: other protocols (ext::, ssh), options, a user or a
// password in it.
[[nodiscard]] GitUrl read_git_url(const std::string& text);

// "HEAD", "refs/heads/main", "v1.2": what git may be given as a name.
[[nodiscard]] bool is_git_name(std::string_view name);
[[nodiscard]] bool is_git_commit(std::string_view text);

struct GitLogin {
  std::string user;
  std::string password;
};

struct GitOptions {
  base::fs::path home;  // for its settings; made if absent
  std::chrono::seconds limit{60};
  std::uint64_t most_bytes = 2ULL << 30U;  // of what is fetched
  base::fs::path ca_file;                  // whom to believe; empty: the system's store
  std::string program = "git";
};

// The commit that `ref` (whole: HEAD, refs/...) names there; nothing where there is no such ref.
// Throws unavailable with git's own words.
[[nodiscard]] std::optional<std::string> git_ls_remote(const GitUrl& url, const std::string& ref,
                                                       const std::optional<GitLogin>& login,
                                                       const GitOptions& options);

// Fetches `version` (a branch, a tag, a ref or a commit; empty: HEAD) into `directory`, which must
// not exist; `depth` 0: with its whole history. Gives the commit. Throws unavailable,
// resource_exhausted.
[[nodiscard]] std::string git_checkout(const GitUrl& url, const std::string& version, int depth,
                                       const base::fs::path& directory,
                                       const std::optional<GitLogin>& login,
                                       const GitOptions& options);

}  // namespace andon::wire
