// SPDX-License-Identifier: Apache-2.0
#include "cli/registry/lineage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "base/text/escape.hpp"
#include "cli/terminal/table.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr std::string_view kToken = "TaskToken";
constexpr std::string_view kDigest = "Sha256";
constexpr std::string_view kDigestMark = "sha256:";

const json::object* object_at(const json::value& value, std::string_view key) {
  const auto* object = value.if_object();
  const json::value* member = object == nullptr ? nullptr : object->if_contains(key);
  return member == nullptr ? nullptr : member->if_object();
}

// {"S3Uri", "ContentDigest": "sha256:..."}, at whatever depth ModelMetrics has it.
void add_reports(const json::object& metrics, const std::string& path,
                 std::vector<LineageEntry>& lineage) {
  for (const auto& [name, value] : metrics) {
    const auto* object = value.if_object();
    if (object == nullptr) continue;
    const std::string place = path.empty() ? std::string(name) : path + "." + std::string(name);
    if (!object->contains("S3Uri")) {
      add_reports(*object, place, lineage);
      continue;
    }
    const std::string digest = base::to_lower(text_of(value, "ContentDigest"));
    lineage.push_back(
        {.what = base::escape_line(place),
         .value = text_of(value, "S3Uri"),
         .sha256 = digest.starts_with(kDigestMark) ? digest.substr(kDigestMark.size()) : ""});
  }
}

void add_customer_metadata(const json::value& package, std::vector<LineageEntry>& lineage) {
  const auto* kept = object_at(package, "CustomerMetadataProperties");
  if (kept == nullptr) return;
  std::vector<std::string> names;
  for (const auto& member : *kept) names.emplace_back(member.key());
  std::ranges::sort(names);
  for (const std::string& name : names) {
    if (name.starts_with(kToken)) continue;
    const bool is_digest =
        name.ends_with(kDigest) && kept->contains(name.substr(0, name.size() - kDigest.size()));
    if (is_digest) continue;
    lineage.push_back({.what = base::escape_line(name),
                       .value = text_of(*kept, name),
                       .sha256 = text_of(*kept, name + std::string(kDigest))});
  }
}

}  // namespace

std::vector<LineageEntry> lineage_of(const json::value& package) {
  std::vector<LineageEntry> lineage;
  const auto add = [&](const json::value& object, const char* member) {
    std::string text = text_of(object, member);
    if (!text.empty()) lineage.push_back({.what = member, .value = std::move(text), .sha256 = {}});
  };
  if (const auto* metadata = object_at(package, "MetadataProperties")) {
    for (const char* member : {"CommitId", "Repository", "GeneratedBy", "ProjectId"}) {
      add(*metadata, member);
    }
  }
  add(package, "SourceUri");
  if (const auto* metrics = object_at(package, "ModelMetrics")) add_reports(*metrics, "", lineage);
  add_customer_metadata(package, lineage);
  return lineage;
}

std::string opening_of(const json::value& package) {
  const auto* details = object_at(package, "ModelPackageStatusDetails");
  const auto* checks = details == nullptr ? nullptr : details->if_contains("ValidationStatuses");
  if (checks == nullptr || !checks->is_array()) return {};
  for (const json::value& check : checks->get_array()) {
    if (text_of(check, "Name") != "opens-in-onnx-runtime") continue;
    const std::string reason = text_of(check, "FailureReason");
    const std::string status = text_of(check, "Status");
    if (status == "Completed") return "opens";
    return (status == "Failed" ? "cannot be opened: " : "was not opened: ") + reason;
  }
  return {};
}

std::string report_of(const json::value& package) {
  const auto* metrics = object_at(package, "ModelMetrics");
  if (metrics == nullptr) return {};
  std::vector<LineageEntry> reports;
  add_reports(*metrics, "", reports);
  for (const LineageEntry& report : reports) {
    if (report.what == "ModelQuality.Statistics") return report.value;
  }
  return reports.empty() ? "" : reports.front().value;
}

std::optional<std::string> waiting_execution(const json::value& package) {
  const auto* kept = object_at(package, "CustomerMetadataProperties");
  const bool waits = kept != nullptr && std::ranges::any_of(*kept, [](const auto& one) {
                       return one.key().starts_with(kToken);
                     });
  if (!waits) return std::nullopt;
  const auto* metadata = object_at(package, "MetadataProperties");
  return metadata == nullptr ? std::string() : text_of(*metadata, "GeneratedBy");
}

std::string to_text(const std::vector<LineageEntry>& lineage) {
  std::size_t width = 0;
  for (const LineageEntry& entry : lineage) width = std::max(width, entry.what.size());
  std::string text;
  for (const LineageEntry& entry : lineage) {
    text += fmt::format("  {:<{}}  {}\n", entry.what, width, entry.value);
    if (!entry.sha256.empty())
      text += fmt::format("  {:<{}}  sha256:{}\n", "", width, entry.sha256);
  }
  return text;
}

}  // namespace andon::cli
