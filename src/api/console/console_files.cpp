// SPDX-License-Identifier: Apache-2.0
#include "api/console/console_files.hpp"

#include <algorithm>

#include "api/tasks/gzip.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using wire::HttpRequest;
using wire::HttpResponse;

constexpr std::string_view kMagic = "andon console 1\n";
constexpr std::string_view kPath = "/console/";
constexpr std::string_view kIndex = "index.html";
constexpr std::size_t kMostIndex = 256U << 10U;
constexpr std::int64_t kMostFile = 16LL << 20U;

// "gzip", with whatever quality but 0, is among what the client takes.
bool takes_gzip(const HttpRequest& request) {
  const std::string field = base::to_lower(request.headers.find("Accept-Encoding").value_or(""));
  return std::ranges::any_of(base::split(field, ','), [](std::string_view one) {
    const std::string_view name = base::trim(one.substr(0, one.find(';')));
    const std::size_t q = one.find("q=");
    const bool is_refused = q != std::string_view::npos &&
                            one.find_first_not_of("0. ", q + 2) == std::string_view::npos;
    return name == "gzip" && !is_refused;
  });
}

std::size_t size_of(const base::JsonReader& file, std::string_view key) {
  return static_cast<std::size_t>(file.optional_integer(key, 1, kMostFile).value_or(0));
}

}  // namespace

ConsoleFiles::ConsoleFiles(std::string_view archive) {
  if (archive.empty()) return;
  const auto damaged = [](const std::string& why) {
    return Error(ErrorCode::data_corrupted,
                 "the console's archive: " + why + "; make it anew: ./dev console");
  };
  if (!archive.starts_with(kMagic)) throw damaged("begins with another line");
  archive.remove_prefix(kMagic.size());
  const std::size_t end = archive.find('\n');
  if (end > kMostIndex) throw damaged("has no list of files");
  const base::json::value list = base::parse_json(archive.substr(0, end), "the console's archive");
  archive.remove_prefix(end + 1);
  const base::JsonReader reader(list, "the console's archive");
  sources_ = reader.string("sources");
  for (const base::JsonReader& one : reader.children("files")) {
    const auto size = size_of(one, "gzipped");
    if (size > archive.size()) throw damaged("is cut off in " + one.string("name"));
    files_.emplace(one.string("name"),
                   File{.type = one.string("type"),
                        .digest = one.string("sha256"),
                        .gzipped = archive.substr(0, size),
                        .bytes = size_of(one, "bytes"),
                        .is_immutable = one.optional_bool("immutable").value_or(false)});
    archive.remove_prefix(size);
  }
  if (!archive.empty()) throw damaged("has more bytes than its files");
}

std::optional<HttpResponse> ConsoleFiles::find(const HttpRequest& request) const {
  if (!request.path.starts_with(kPath)) return std::nullopt;
  const std::string_view name = std::string_view(request.path).substr(kPath.size());
  const auto found = files_.find(name.empty() ? kIndex : name);
  if (found == files_.end()) return std::nullopt;
  const File& file = found->second;
  const std::string tag = '"' + file.digest + '"';
  HttpResponse response;
  response.headers.set("ETag", tag);
  response.headers.set("Vary", "Accept-Encoding");
  response.headers.set("Cache-Control",
                       file.is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (request.headers.find("If-None-Match") == tag) {
    response.status = 304;
    return response;
  }
  response.headers.set("Content-Type", file.type);
  if (takes_gzip(request)) {
    response.headers.set("Content-Encoding", "gzip");
    response.body = std::string(file.gzipped);
  } else {
    response.body = gunzip(file.gzipped, file.bytes);
  }
  return response;
}

}  // namespace andon::api
