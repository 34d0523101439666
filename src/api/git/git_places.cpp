// SPDX-License-Identifier: Apache-2.0
#include "api/git/git_places.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/split.hpp"

namespace andon::api {
namespace {

namespace fs = base::fs;
using base::Error;
using base::ErrorCode;

// Where forges want a name beside a token, they take this one.
constexpr const char* kTokenUser = "x-access-token";

bool is_below(const fs::path& path, const fs::path& directory) {
  return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first ==
         directory.end();
}

}  // namespace

GitPlaces::GitPlaces(const std::vector<std::string>& entries) {
  std::vector<std::string> hosts;
  for (const std::string& entry : entries) {
    if (!entry.starts_with('/')) {
      hosts.push_back(entry);
      continue;
    }
    std::error_code absent;
    const fs::path directory = fs::canonical(entry, absent);
    if (absent || !fs::is_directory(directory) || directory == "/") {
      throw Error(ErrorCode::invalid_argument, "'" + entry + "' is no directory of repositories");
    }
    directories_.push_back(directory);
  }
  hosts_ = AllowedHosts(hosts);
}

wire::GitUrl GitPlaces::check(const std::string& url) const {
  wire::GitUrl read = wire::read_git_url(url);
  bool is_allowed = false;
  if (read.web) {
    is_allowed = hosts_.allows(*read.web);
  } else {
    std::error_code problem;
    const fs::path real = fs::weakly_canonical(read.directory, problem);
    is_allowed = !problem && std::ranges::any_of(directories_, [&real](const fs::path& directory) {
      return is_below(real, directory);
    });
  }
  if (is_allowed) return read;
  throw Error(ErrorCode::invalid_argument,
              "'" + url.substr(0, 200) +
                  "' may not be asked for: andon-server --git-allow lists the hosts and the "
                  "directories of repositories that may");
}

wire::GitLogin git_login(const std::string& secret) {
  const auto refuse = [] {
    throw Error(ErrorCode::invalid_argument,
                R"(the secret must be {"username": ..., "password": ...}, {"Token": ...} or a )"
                "token alone");
  };
  const auto is_plain = [](const std::string& text) {
    return !text.empty() && text.find_first_of("\r\n") == std::string::npos &&
           text.find('\0') == std::string::npos;
  };
  if (!secret.starts_with('{')) {
    const std::string token(base::trim(secret, " \t\r\n"));
    if (!is_plain(token)) refuse();
    return {kTokenUser, token};
  }
  base::json::value document;
  try {
    document = base::parse_json(secret, "the secret");
  } catch (const Error&) {
    refuse();
  }
  wire::GitLogin login{.user = kTokenUser, .password = {}};
  for (const auto& [name, value] : document.as_object()) {
    if (!value.is_string()) continue;
    if (name == "username") login.user = value.get_string();
    if (name == "password" || name == "token" || name == "Token") {
      login.password = value.get_string();
    }
  }
  if (!is_plain(login.user) || !is_plain(login.password) ||
      login.user.find(':') != std::string::npos) {
    refuse();
  }
  return login;
}

}  // namespace andon::api
