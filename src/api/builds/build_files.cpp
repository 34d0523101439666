// SPDX-License-Identifier: Apache-2.0
// What a build begins with (source, buildspec, variables), and the artifacts that it leaves.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "api/builds/build_runner.hpp"
#include "api/builds/codebuild.hpp"
#include "api/table/members.hpp"
#include "api/tasks/job_files.hpp"
#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "base/text/split.hpp"
#include "store/archive/zip_archive.hpp"
#include "store/archive/zip_writer.hpp"
#include "trust/digests/digest.hpp"

namespace andon::api {
namespace {

namespace fs = base::fs;
namespace json = base::json;
using base::Error;
using base::ErrorCode;
using builds::Build;

constexpr std::uint64_t kMostBytes = 2ULL << 30U;  // of a source, and of artifacts
constexpr std::size_t kMostFiles = 10'000;
constexpr std::size_t kMostSpec = 256U << 10U;
constexpr std::size_t kPiece = 1U << 20U;

const json::object& object_in(const json::object& record, std::string_view member) {
  static const json::object none;
  const auto* value = record.if_contains(member);
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

store::ByteSource source_of(const base::UniqueFd& file, const fs::path& name) {
  return [&file, name](char* buffer, std::size_t size) {
    ssize_t got = 0;
    do {
      got = ::read(file.get(), buffer, size);
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw base::system_error("cannot read '" + name.string() + "'", errno);
    return static_cast<std::size_t>(got);
  };
}

void copy_object(const store::OpenObject& object, const fs::path& file) {
  base::make_directories(file.parent_path(), 0755);
  const base::UniqueFd to = base::open_file(file, O_WRONLY | O_CREAT | O_EXCL, 0644);
  std::string piece(kPiece, '\0');
  const auto from = source_of(object.file, file);
  while (const std::size_t got = from(piece.data(), piece.size())) {
    base::write_all(to.get(), std::string_view(piece).substr(0, got), file);
  }
}

struct Place {
  std::string bucket;
  std::string key;
};

Place read_place(const std::string& location) {
  constexpr std::string_view kArn = "arn:aws:s3:::";
  const std::string text = location.starts_with(kArn) ? location.substr(kArn.size()) : location;
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) {
    throw Error(ErrorCode::invalid_argument,
                "source.location: '" + location.substr(0, 200) + "' is not BUCKET/KEY");
  }
  return {text.substr(0, slash), text.substr(slash + 1)};
}

std::string object_arn(const std::string& bucket, const std::string& key) {
  return "arn:aws:s3:::" + bucket + "/" + key;
}

}  // namespace

void BuildRunner::take_source(const Build& build, const Caller& caller, const fs::path& place,
                              std::string& resolved) {
  const json::object& source = object_in(build.record, "source");
  const std::string type = text_or_empty(source, "type");
  const std::string location = text_or_empty(source, "location");
  const std::string version = record_text(build.record, "sourceVersion");
  if (type == "NO_SOURCE") {
    base::make_directories(place, 0755);
    return;
  }
  if (type != "S3") {
    const wire::GitUrl url = parts_.git.check(location);
    std::optional<wire::GitLogin> login;
    if (const std::string id = record_text(source, "auth", "resource"); !id.empty()) {
      login = git_login(secret(caller, id));
    }
    const auto depth = optional_number(source, "gitCloneDepth").value_or(1);
    wire::GitOptions options = parts_.git_options;
    options.limit = std::chrono::minutes(10);
    resolved = wire::git_checkout(url, version, static_cast<int>(depth), place, login, options);
    return;
  }
  const auto [bucket, key] = read_place(location);
  if (key.ends_with('/')) {
    // All that lies below it.
    base::make_directories(place, 0755);
    store::ListRequest request{.bucket = bucket, .prefix = key};
    std::uint64_t bytes = 0;
    std::size_t files = 0;
    while (true) {
      const store::ListPage page = parts_.objects.list(request);
      for (const store::ObjectInfo& info : page.objects) {
        const fs::path name = fs::path(info.key.substr(key.size())).lexically_normal();
        if (info.key.ends_with('/')) continue;
        if (name.is_absolute() || name.empty() || *name.begin() == ".." ||
            (bytes += info.size) > kMostBytes || ++files > kMostFiles) {
          throw Error(ErrorCode::invalid_argument,
                      "the source '" + location + "' has '" + info.key.substr(0, 200) +
                          "', which leaves its directory or is more than 2 GiB or 10,000 files");
        }
        parts_.calls.require(caller, "s3:GetObject", object_arn(bucket, info.key));
        if (const auto object = parts_.objects.open(bucket, info.key)) {
          copy_object(*object, place / name);
        }
      }
      if (!page.next_start_after) break;
      request.start_after = *page.next_start_after;
    }
    return;
  }
  parts_.calls.require(caller, version.empty() ? "s3:GetObject" : "s3:GetObjectVersion",
                       object_arn(bucket, key));
  const auto object = parts_.objects.open(bucket, key, version);
  if (!object) {
    throw Error(ErrorCode::not_found,
                "there is no object '" + key + "' in the bucket '" + bucket + "' for the source");
  }
  resolved = object->info.version_id;
  if (!key.ends_with(".zip")) {
    base::make_directories(place, 0755);
    copy_object(*object, place / fs::path(key).filename());
    return;
  }
  store::unpack_zip("/proc/self/fd/" + std::to_string(object->file.get()), place,
                    store::kArchivesModes, {.max_bytes = kMostBytes});
}

builds::BuildSpec BuildRunner::spec_of(const Build& build,
                                       const job::JobDirectory& directory) const {
  const std::string given = record_text(build.record, "source", "buildspec");
  if (codebuild::is_inline(given)) return builds::parse_buildspec(given);
  const std::string name = given.empty() ? "buildspec.yml" : given;
  const base::UniqueFd file =
      directory.open_plain(std::string(builds::kSourceDirectory) + "/" + name);
  if (!file) {
    throw Error(ErrorCode::invalid_argument, "YAML_FILE_ERROR: there is no plain file '" +
                                                 name.substr(0, 200) + "' in the source");
  }
  std::string text;
  std::string piece(kPiece, '\0');
  const auto from = source_of(file, name);
  while (const std::size_t got = from(piece.data(), piece.size())) {
    text.append(piece, 0, got);
    if (text.size() > kMostSpec) {
      throw Error(ErrorCode::invalid_argument,
                  "YAML_FILE_ERROR: '" + name + "' has more than 256 KiB");
    }
  }
  return builds::parse_buildspec(text);
}

std::string BuildRunner::parameter(const Caller& caller, const std::string& name) const {
  const json::value answer =
      parts_.calls.call(caller, "ssm", "GetParameter", {{"Name", name}, {"WithDecryption", true}});
  return std::string(answer.at("Parameter").at("Value").as_string());
}

// SECRET:JSON-KEY:STAGE:VERSION, where the secret may be an ARN.
std::string BuildRunner::secret(const Caller& caller, const std::string& reference) const {
  constexpr std::size_t kArnParts = 7;  // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME
  auto parts = base::split(reference, ':');
  std::string id(parts[0]);
  std::size_t at = 1;
  if (parts.size() >= kArnParts && parts[0] == "arn") {
    for (; at < kArnParts; ++at) id += ":" + std::string(parts[at]);
  }
  const auto part = [&](std::size_t i) {
    return at + i < parts.size() ? std::string(parts[at + i]) : std::string();
  };
  json::object input{{"SecretId", id}};
  if (!part(1).empty()) input["VersionStage"] = part(1);
  if (!part(2).empty()) input["VersionId"] = part(2);
  const json::value answer = parts_.calls.call(caller, "secretsmanager", "GetSecretValue", input);
  const auto* text = answer.as_object().if_contains("SecretString");
  if (text == nullptr || !text->is_string()) {
    throw Error(ErrorCode::invalid_argument, "the secret '" + id + "' has no text");
  }
  const std::string value(text->get_string());
  if (part(0).empty()) return value;
  try {
    const json::value document = base::parse_json(value, "the secret");
    const auto* inner = document.is_object() ? document.get_object().if_contains(part(0)) : nullptr;
    if (inner != nullptr && inner->is_string()) return std::string(inner->get_string());
  } catch (const Error&) {
    // Said below, without a word of what it holds.
  }
  throw Error(ErrorCode::invalid_argument,
              "the secret '" + id + "' has no text '" + part(0) + "' in a JSON object");
}

std::map<std::string, std::string> BuildRunner::variables_of(const Build& build,
                                                             const builds::BuildSpec& spec,
                                                             const Caller& caller) const {
  std::map<std::string, std::string> variables;
  for (const auto& [name, id] : spec.parameters) variables[name] = parameter(caller, id);
  for (const auto& [name, id] : spec.secrets) variables[name] = secret(caller, id);
  const auto* listed = object_in(build.record, "environment").if_contains("environmentVariables");
  if (listed == nullptr || !listed->is_array()) return variables;
  for (const json::value& one : listed->get_array()) {
    const json::object& variable = one.as_object();
    const std::string value = text_or_empty(variable, "value");
    const std::string type = text_or_empty(variable, "type");
    variables[text_or_empty(variable, "name")] = type == "PARAMETER_STORE"
                                                     ? parameter(caller, value)
                                                 : type == "SECRETS_MANAGER" ? secret(caller, value)
                                                                             : value;
  }
  return variables;
}

void BuildRunner::store_artifacts(Build& build, const job::JobDirectory& directory) {
  const json::object& wanted = object_in(build.record, "artifactsWanted");
  if (text_or_empty(wanted, "type") != "S3") return;
  const fs::path state = directory.work() / builds::kStateDirectory;
  const fs::path place = directory.work() / builds::kArtifacts;
  if (!fs::is_directory(fs::symlink_status(state)) ||
      !fs::is_directory(fs::symlink_status(place))) {
    throw Error(ErrorCode::not_found,
                "the build has made no artifacts: its buildspec has no artifacts.files");
  }
  const Caller caller = caller_of(build);
  const std::string bucket = text_or_empty(wanted, "location");
  std::string key;
  const auto add = [&key](std::string part) {
    while (part.starts_with('/')) part.erase(0, 1);
    while (part.ends_with('/')) part.pop_back();
    if (part.empty()) return;
    key += (key.empty() ? "" : "/") + part;
  };
  add(text_or_empty(wanted, "path"));
  if (text_or_empty(wanted, "namespaceType") == "BUILD_ID") add(build.id);
  add(text_or_empty(wanted, "name"));
  const auto put = [&](const fs::path& file, const std::string& name) {
    parts_.calls.require(caller, "s3:PutObject", object_arn(bucket, name));
    const base::UniqueFd from = base::open_file(file, O_RDONLY | O_NOFOLLOW);
    return parts_.objects.put(bucket, name, source_of(from, file), {});
  };
  json::object told{{"location", "arn:aws:s3:::" + bucket + (key.empty() ? "" : "/" + key)}};
  if (text_or_empty(wanted, "packaging") == "ZIP") {
    const fs::path zip = directory.path() / "artifacts.zip";
    store::pack_zip(place, zip, kMostBytes);
    const store::ObjectInfo info = put(zip, key);
    told["sha256sum"] = info.sha256;
    fs::remove(zip);
  } else {
    std::uint64_t bytes = 0;
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(place)) {
      if (!fs::is_regular_file(entry.symlink_status())) continue;
      if ((bytes += entry.file_size()) > kMostBytes || ++files > kMostFiles) {
        throw Error(ErrorCode::resource_exhausted,
                    "the artifacts are more than 2 GiB or 10,000 files");
      }
      const std::string name = entry.path().lexically_relative(place).string();
      (void)put(entry.path(), key.empty() ? name : key + "/" + name);
    }
  }
  build.record["artifacts"] = std::move(told);
}

}  // namespace andon::api
