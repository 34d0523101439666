// SPDX-License-Identifier: Apache-2.0
#include "cli/registry/report_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/escape.hpp"
#include "cli/registry/registry.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostReportBytes = 64U << 20U;

// Of names that mean the same everywhere: no "..", no folder above, nothing hidden.
bool is_below(const base::fs::path& place) {
  return !place.empty() && place.is_relative() &&
         std::ranges::all_of(place, [](const base::fs::path& name) {
           return !name.empty() && !name.string().starts_with('.');
         });
}

bool is_jpeg_or_png(std::string_view bytes) {
  return bytes.starts_with("\xFF\xD8\xFF") || bytes.starts_with("\x89PNG\r\n\x1A\n");
}

// Throws unless it may go beside the report.
void check_picture(const std::string& named, const base::fs::path& path) {
  std::string bytes;
  try {
    bytes = base::read_file(path, kMostReportPictureBytes);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::resource_exhausted) {
      throw Error(ErrorCode::invalid_argument, fmt::format("{}, but it is larger than {}", named,
                                                           format_bytes(kMostReportPictureBytes)));
    }
    throw Error(error.code(),
                fmt::format("{}, which cannot be read: {}; keep what andon model eval --report has "
                            "written in one folder, or measure again",
                            named, error.message()));
  }
  if (!is_jpeg_or_png(bytes)) {
    throw Error(ErrorCode::invalid_argument, named + ", which is neither a JPEG nor a PNG");
  }
}

}  // namespace

std::vector<ReportFile> pictures_of_report(const base::fs::path& report) {
  const json::value read = base::parse_json(base::read_file(report, kMostReportBytes),
                                            report.string(), {kMostReportBytes, 64});
  const base::JsonReader reader(read, report.string());
  std::vector<ReportFile> pictures;
  const json::array* const worst = reader.optional_array("worstImages");
  if (worst == nullptr) return pictures;
  for (const json::value& one : *worst) {
    const json::value* const place =
        one.is_object() ? one.get_object().if_contains("picture") : nullptr;
    if (place == nullptr || !place->is_string()) continue;  // named, but not kept
    ReportFile file{std::string(place->get_string()), {}};
    const std::string named =
        fmt::format("{} names the picture '{}'", report.string(), base::escape_line(file.place));
    if (!is_below(file.place)) {
      throw Error(ErrorCode::invalid_argument, named + ", which is not below its own folder");
    }
    if (pictures.size() == kMostReportPictures) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{}, one more than the {} that a report may have", named,
                              kMostReportPictures));
    }
    file.path = report.parent_path() / file.place;
    check_picture(named, file.path);
    pictures.push_back(std::move(file));
  }
  return pictures;
}

std::string upload_report(AwsClient& aws, Terminal& terminal, const std::string& folder,
                          const base::fs::path& report, const std::vector<ReportFile>& pictures) {
  for (const ReportFile& picture : pictures) {
    upload(aws, terminal, kModelBucket, folder + picture.place, picture.path);
  }
  const std::string key = folder + "report.json";
  upload(aws, terminal, kModelBucket, key, report);
  return fmt::format("s3://{}/{}", kModelBucket, key);
}

}  // namespace andon::cli
