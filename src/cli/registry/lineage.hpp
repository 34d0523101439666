// SPDX-License-Identifier: Apache-2.0
// Where a model package comes from, as its registry entry says in AWS's own members: the commit and
// the execution of MetadataProperties, the reports of ModelMetrics, SourceUri, and what a pipeline
// has written into CustomerMetadataProperties, NAME with its digest in NAMESha256. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json/fwd.hpp"

namespace andon::cli {

struct LineageEntry {
  std::string what;
  std::string value;
  std::string sha256;  // lower-case hex; empty where none is known
};

// Out of the answer of DescribeModelPackage, made safe for a terminal. The pieces of a task token
// are left out.
[[nodiscard]] std::vector<LineageEntry> lineage_of(const base::json::value& package);

// The ARN of the execution that waits for this package to be approved or rejected ("" where that
// is not told); nothing where none waits.
[[nodiscard]] std::optional<std::string> waiting_execution(const base::json::value& package);

// What the server saw when it opened the model before it was approved: "opens", "cannot be opened:
// WHY", "was not opened: WHY"; empty where it has not tried.
[[nodiscard]] std::string opening_of(const base::json::value& package);
// s3://..., what was measured of it (ModelMetrics.ModelQuality.Statistics, else the first report
// that there is); empty where nothing was.
[[nodiscard]] std::string report_of(const base::json::value& package);

// "NAME  VALUE" a line, the digest below its value; "" where there is nothing.
[[nodiscard]] std::string to_text(const std::vector<LineageEntry>& lineage);

}  // namespace andon::cli
