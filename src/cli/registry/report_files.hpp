// SPDX-License-Identifier: Apache-2.0
// What belongs to a report of a model: its JSON and the pictures that it names, which lie beside it
// on the disk as they do in the store, so that whoever reads the one finds the other.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "cli/terminal/aws_client.hpp"
#include "cli/terminal/terminal.hpp"

namespace andon::cli {

struct ReportFile {
  std::string place;  // below the report's folder: "pictures/1.jpg"
  base::fs::path path;
};

inline constexpr std::size_t kMostReportPictures = 50;
inline constexpr std::size_t kMostReportPictureBytes = 8U << 20U;

// The pictures that "worstImages" of `report` names as "picture". Throws invalid_argument for a
// report that is no JSON object, for a place that is not below its folder, for what is neither JPEG
// nor PNG, and for more or larger ones than the bounds above; not_found for one that is not there.
[[nodiscard]] std::vector<ReportFile> pictures_of_report(const base::fs::path& report);

// Puts its pictures and then the report, which never names what is not there, below `folder` of the
// models' bucket ("reports/tags/7f3/"). Where the report is: s3://...
[[nodiscard]] std::string upload_report(AwsClient& aws, Terminal& terminal,
                                        const std::string& folder, const base::fs::path& report,
                                        const std::vector<ReportFile>& pictures);

}  // namespace andon::cli
