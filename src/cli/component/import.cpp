// SPDX-License-Identifier: Apache-2.0
#include "cli/component/import.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "cli/component/import_url.hpp"
#include "cli/registry/registry.hpp"
#include "cli/terminal/table.hpp"
#include "recipe/reader/json_or_yaml.hpp"
#include "recipe/version/semver.hpp"
#include "store/archive/unpacker.hpp"
#include "trust/digests/digest.hpp"
#include "wire/http/http_client.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using base::fs::path;

constexpr std::size_t kMostRecipeBytes = 1U << 20U;
constexpr std::uint64_t kMostDownload = 8ULL << 30U;
constexpr std::string_view kOriginTag = "andon:imported-from";
constexpr std::size_t kMostTag = 256;

bool is_url(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

std::string path_of_url(const std::string& url) {
  return url.substr(0, url.find_first_of("?#"));
}

std::optional<store::ArchiveFormat> archive_format(const std::string& name) {
  const std::string lower = base::to_lower(path_of_url(name));
  if (lower.ends_with(".zip")) return store::ArchiveFormat::zip;
  if (lower.ends_with(".tar.gz") || lower.ends_with(".tgz")) return store::ArchiveFormat::tar_gz;
  return std::nullopt;
}

// A member by its name in any case, as recipes are written by people.
json::value* member(json::object& object, std::string_view name) {
  for (auto& one : object) {
    if (base::to_lower(one.key()) == base::to_lower(name)) return &one.value();
  }
  return nullptr;
}

std::string text_member(json::object& object, std::string_view name) {
  const json::value* found = member(object, name);
  return found == nullptr || !found->is_string() ? "" : std::string(found->get_string());
}

void set_member(json::object& object, std::string_view name, const std::string& text) {
  if (json::value* found = member(object, name)) {
    *found = text;
  } else {
    object[name] = text;
  }
}

// `NEXT_PATCH`, as gdk-config.json has it: after the highest that the server has.
std::string next_patch(ServerClient& server, const std::string& name) {
  try {
    const std::string highest = component_versions(server, name).front().version;
    const std::size_t dot = highest.rfind('.');
    const std::size_t end = highest.find_first_of("-+");
    if (const auto version = recipe::Version::parse(highest); version && dot < end) {
      return highest.substr(0, dot + 1) +
             std::to_string(std::stoll(highest.substr(dot + 1, end - dot - 1)) + 1);
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
  }
  return "1.0.0";
}

class Import {
 public:
  // `named` is the URL that the operator gave, or "".
  Import(ServerClient& server, Terminal& terminal, std::string origin, std::string named,
         PrivateAddresses private_addresses)
      : server_(server),
        terminal_(terminal),
        origin_(std::move(origin)),
        named_(std::move(named)),
        private_addresses_(private_addresses) {}

  // What is at a URL, in a folder of this import's own.
  path download(const std::string& url) {
    const path folder = work_.path() / std::to_string(++downloads_);
    base::fs::create_directories(folder);
    const std::string whole = path_of_url(url);
    std::string name = whole.substr(whole.rfind('/') + 1);
    if (name.empty() || name == "." || name == "..") name = "artifact";
    path file = folder / name;
    wire::HttpClient client({});
    client.download({.url = url, .headers = {}, .file = file, .max_bytes = kMostDownload});
    return file;
  }

  path unpack(store::ArchiveFormat format, const path& archive) {
    path folder = work_.path() / "bundle";
    store::unpack(format, archive, folder, store::kArchivesModes, {});
    return folder;
  }

  // `base` is the URL that the recipe came from, where it came from one.
  ImportedComponent component(const ImportSource& source, const path& recipe_file,
                              const std::string& base_url) {
    json::value recipe = recipe::parse_json_or_yaml(base::read_file(recipe_file, kMostRecipeBytes),
                                                    recipe_file.string());
    if (!recipe.is_object()) {
      throw Error(ErrorCode::invalid_argument, recipe_file.string() + " is no recipe");
    }
    json::object& top = recipe.get_object();
    const std::string name = text_member(top, "ComponentName");
    const std::string written = text_member(top, "ComponentVersion");
    if (name.empty() || written.empty()) {
      throw Error(ErrorCode::invalid_argument,
                  recipe_file.string() + ": ComponentName or ComponentVersion is missing");
    }
    if (name.find('{') != std::string::npos || written.find('{') != std::string::npos) {
      throw Error(ErrorCode::failed_precondition,
                  recipe_file.string() +
                      " still has names in braces: build it first with `gdk component build`");
    }
    const std::string version = written == "NEXT_PATCH" ? next_patch(server_, name) : written;
    set_member(top, "ComponentVersion", version);
    ImportedComponent made{{name, version, ""}, {}};
    json::value* manifests = member(top, "Manifests");
    if (manifests != nullptr && manifests->is_array()) {
      for (json::value& manifest : manifests->get_array()) {
        json::value* artifacts =
            manifest.is_object() ? member(manifest.get_object(), "Artifacts") : nullptr;
        if (artifacts == nullptr || !artifacts->is_array()) continue;
        for (json::value& artifact : artifacts->get_array()) {
          if (!artifact.is_object()) continue;
          take(artifact.get_object(), source, recipe_file, base_url, written, made);
        }
      }
    }
    made.component = create(recipe);
    return made;
  }

 private:
  void take(json::object& artifact, const ImportSource& source, const path& recipe_file,
            const std::string& base_url, const std::string& written, ImportedComponent& made) {
    const std::string uri = text_member(artifact, "Uri");
    if (uri.empty() || uri.starts_with("docker:")) return;
    const path file = fetch(source, recipe_file, base_url, made.component, written, uri);
    const std::string sha256 = trust::sha256_hex_of_file(file);
    const std::string digest = base::to_base64(base::from_hex(sha256).value_or(""));
    const std::string claimed = text_member(artifact, "Digest");
    if (!claimed.empty() && claimed != digest && base::to_lower(claimed) != sha256) {
      throw Error(ErrorCode::data_corrupted,
                  fmt::format("{}: artifact {} is not what the recipe says: it has the SHA-256 {}, "
                              "the recipe has {}; nothing was made of it",
                              made.component.text(), uri, digest, claimed));
    }
    const std::string key = fmt::format("{}/{}/{}/{}", made.component.name, made.component.version,
                                        sha256.substr(0, 16), file.filename().string());
    upload(*server_, terminal_, kComponentBucket, key, file);
    const std::string now = fmt::format("s3://{}/{}", kComponentBucket, key);
    set_member(artifact, "Uri", now);
    set_member(artifact, "Digest", digest);
    set_member(artifact, "Algorithm", "SHA-256");
    made.artifacts.push_back({uri, now, sha256, base::fs::file_size(file)});
  }

  path fetch(const ImportSource& source, const path& recipe_file, const std::string& base_url,
             const ComponentVersion& component, const std::string& written,
             const std::string& uri) {
    if (is_url(uri)) {
      if (private_addresses_ == PrivateAddresses::refused) require_public(uri, named_);
      return download(uri);
    }
    if (const auto found =
            find_import_artifact(source, recipe_file, component.name, written, uri)) {
      return *found;
    }
    const bool is_relative = uri.find(':') == std::string::npos && !uri.starts_with('/');
    if (!base_url.empty() && is_relative) {
      return download(base_url.substr(0, base_url.rfind('/') + 1) + uri);
    }
    throw Error(ErrorCode::not_found,
                fmt::format("{}: artifact {} is not there; it was looked for below {}",
                            component.text(), uri, source.folder.string()));
  }

  ComponentVersion create(const json::value& recipe) {
    json::object input{{"inlineRecipe", base::to_base64(base::to_text(recipe))}};
    if (origin_.size() <= kMostTag) input["tags"] = json::object{{kOriginTag, origin_}};
    const json::value answer =
        server_->rest("greengrass", "POST", "/greengrass/v2/createComponentVersion", input);
    return created(answer);
  }

  ServerClient& server_;
  Terminal& terminal_;
  const std::string origin_;
  const std::string named_;
  const PrivateAddresses private_addresses_;
  base::TemporaryDirectory work_;
  int downloads_ = 0;
};

}  // namespace

std::vector<ImportedComponent> import_components(ServerClient& server, Terminal& terminal,
                                                 const std::string& source,
                                                 PrivateAddresses private_addresses) {
  // Without what may be a signature or a password.
  std::string origin = source;
  if (is_url(source)) {
    origin = path_of_url(source);
    const std::size_t host = origin.find("//") + 2;
    const std::size_t at = origin.substr(0, origin.find('/', host)).rfind('@');
    if (at != std::string::npos) origin.erase(host, at + 1 - host);
  } else {
    origin = path(source).filename().string();
  }
  Import import(server, terminal, origin, is_url(source) ? source : "", private_addresses);
  const path place = is_url(source) ? import.download(source) : path(source);
  const auto format = base::fs::is_directory(place) ? std::nullopt : archive_format(source);
  const ImportSource found = find_import_source(format ? import.unpack(*format, place) : place);
  const bool is_recipe_at_url = is_url(source) && !format;
  std::vector<ImportedComponent> made;
  for (const path& recipe : found.recipes) {
    made.push_back(
        import.component(found, recipe, is_recipe_at_url ? path_of_url(source) : std::string()));
  }
  return made;
}

}  // namespace andon::cli
