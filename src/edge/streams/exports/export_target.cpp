// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/export_target.hpp"

#include "edge/streams/exports/http_export.hpp"
#include "edge/streams/exports/mqtt_export.hpp"
#include "edge/streams/exports/object_export.hpp"
#include "edge/streams/exports/s3_export.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::minutes kRenewBefore{5};

}  // namespace

wire::Credentials ExportCredentials::get(base::Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto expires = base::parse_iso8601(kept_.expiration);
  if (!expires || now + kRenewBefore >= *expires) kept_ = fetch_();
  return {kept_.access_key_id, kept_.secret_access_key, kept_.session_token};
}

void ExportCredentials::drop() {
  const std::lock_guard lock(mutex_);
  kept_ = {};
}

void replace_place(std::string& text, std::string_view place, const std::string& value) {
  for (std::size_t at = text.find(place); at != std::string::npos;
       at = text.find(place, at + value.size())) {
    text.replace(at, place.size(), value);
  }
}

std::string with_places(std::string text, const std::string& stream, const std::string& thing) {
  replace_place(text, "{thing}", thing);
  // Last: a name may look like a place, too.
  replace_place(text, "{stream}", stream);
  return text;
}

std::unique_ptr<ExportTarget> make_export_target(const ExportConfig& config,
                                                 const ExportWorld& world,
                                                 const base::fs::path& state_file) {
  if (const auto* s3 = std::get_if<S3ExportSettings>(&config.settings)) {
    return std::make_unique<S3Export>(*s3, world, state_file);
  }
  const auto& http = std::get<HttpExportSettings>(config.settings);
  if (http.uri.starts_with("mqtt")) return std::make_unique<MqttExport>(http, world);
  if (http.uri.starts_with("s3+")) return std::make_unique<ObjectExport>(http, world);
  return std::make_unique<HttpExport>(http, world);
}

}  // namespace andon::edge
