// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/profile.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

constexpr std::string_view kEnding = ".json";
constexpr std::string_view kChosen = "chosen";
constexpr std::size_t kMostNameLetters = 64;
constexpr std::size_t kMostBytes = 1U << 20U;

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kMostNameLetters && name.front() != '.' &&
         std::ranges::all_of(name, fits);
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

}  // namespace

fs::path Profiles::default_directory() {
  if (const std::string config = variable("XDG_CONFIG_HOME"); !config.empty()) {
    return fs::path(config) / "andon" / "servers";
  }
  const std::string home = variable("HOME");
  if (home.empty()) {
    throw Error(
        ErrorCode::failed_precondition,
        "neither HOME nor XDG_CONFIG_HOME is set, so there is no place for the servers that "
        "you sign in to");
  }
  return fs::path(home) / ".config" / "andon" / "servers";
}

fs::path Profiles::file(const std::string& name) const {
  if (!is_name(name)) {
    throw Error(ErrorCode::invalid_argument,
                "'" + name.substr(0, kMostNameLetters) +
                    "' is no name for a server: 1 to 64 letters, digits, '-', '_' and '.'");
  }
  return directory_ / (name + std::string(kEnding));
}

void Profiles::save(const Profile& profile) const {
  const fs::path path = file(profile.name);
  base::make_directories(directory_, 0700);
  const fs::path ca = directory_ / (profile.name + ".crt");
  if (!profile.ca_pem.empty()) base::write_file_atomically(ca, profile.ca_pem, 0600);
  const base::json::object stored{{"api", profile.api_url},
                                  {"caFile", profile.ca_pem.empty() ? "" : ca.string()},
                                  {"region", profile.region},
                                  {"accessKeyId", profile.credentials.access_key_id},
                                  {"secretAccessKey", profile.credentials.secret_access_key},
                                  {"sessionToken", profile.credentials.session_token}};
  base::write_file_atomically(path, base::to_text(stored) + "\n", 0600);
  choose(profile.name);
}

Connection Profiles::read(const std::string& name) const {
  const auto text = base::read_file_if_exists(file(name), kMostBytes);
  if (!text) {
    std::string known;
    for (const std::string& one : names()) known += (known.empty() ? "" : ", ") + one;
    throw Error(ErrorCode::not_found,
                "no server '" + name + "' is known here; " +
                    (known.empty() ? "sign in to one: andon login URL" : "there are: " + known));
  }
  const base::json::value stored = base::parse_json(*text, file(name).string());
  const base::JsonReader reader(stored, file(name).string());
  return {reader.string("api"),
          reader.string("caFile"),
          reader.string("region"),
          {reader.string("accessKeyId"), reader.string("secretAccessKey"),
           reader.optional_string("sessionToken").value_or("")}};
}

void Profiles::remove(const std::string& name) const {
  const fs::path path = file(name);
  if (!fs::exists(path)) (void)read(name);  // says which there are
  if (chosen() == name) fs::remove(directory_ / kChosen);
  fs::remove(directory_ / (name + ".crt"));
  fs::remove(path);
}

std::vector<std::string> Profiles::names() const {
  std::vector<std::string> names;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, none)) {
    if (entry.path().extension() == kEnding) names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

std::optional<std::string> Profiles::chosen() const {
  auto name = base::read_file_if_exists(directory_ / kChosen, kMostBytes);
  if (!name || !is_name(*name) || !fs::exists(file(*name))) return std::nullopt;
  return name;
}

void Profiles::choose(const std::string& name) const {
  (void)read(name);
  base::write_file_atomically(directory_ / kChosen, name, 0600);
}

}  // namespace andon::cli
