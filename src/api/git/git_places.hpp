// SPDX-License-Identifier: Apache-2.0
// Room: git. Repositories of others: which of them git may be asked for at all (here), and those
// that are watched (repository_rows.hpp).
//
// Which repositories git may be asked for: those of hosts and below directories that the operator
// has listed (andon-server --git-allow), none by default. Immutable; any thread.
#pragma once

#include <string>
#include <vector>

#include "api/endpoints/allowed_hosts.hpp"
#include "base/os/file.hpp"
#include "wire/git/git.hpp"

namespace andon::api {

class GitPlaces {
 public:
  GitPlaces() = default;
  // HOST, HOST:PORT, *.DOMAIN, http://HOST (AllowedHosts), or an absolute directory. Throws
  // invalid_argument that names the entry.
  explicit GitPlaces(const std::vector<std::string>& entries);

  // Throws invalid_argument for what is no URL of a repository, or is not allowed.
  [[nodiscard]] wire::GitUrl check(const std::string& url) const;

 private:
  AllowedHosts hosts_;
  std::vector<base::fs::path> directories_;
};

// Of a secret's text: {"username", "password"}, {"Token"} as CodeBuild has it, or a token alone.
// Throws invalid_argument, without the text.
[[nodiscard]] wire::GitLogin git_login(const std::string& secret);

}  // namespace andon::api
