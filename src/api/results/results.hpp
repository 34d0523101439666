// SPDX-License-Identifier: Apache-2.0
// Room: results. What devices found, asked for, confirmed, overruled and exported: andon's own
// operations, rows of the operation table. Over control::Results.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/devices/things.hpp"
#include "control/results/results.hpp"

namespace andon::api {

// Whether an object of bucket andon-uploads is there; called for each result that is shown.
using HasUpload = std::function<bool(const std::string& key)>;

// `results` and `things`, which know the members of groups, outlive the rows, as `authorizer` does.
// Without `has_upload` no result tells of its picture. Who confirms or overrules one is noted by
// the ARN that `authorizer` knows; without it by the principal's id.
[[nodiscard]] std::vector<Operation> result_operations(control::Results& results,
                                                       const control::Things& things,
                                                       HasUpload has_upload = {},
                                                       const Authorizer* authorizer = nullptr);

// Where andon-inspect uploads the picture of a result, if it does.
[[nodiscard]] std::string upload_key(const control::NewResult& result);

// A line of the CSV export, without its newline, and its heading. Fields that a spreadsheet would
// take for a formula begin with an apostrophe.
inline constexpr std::string_view kResultCsvHeading =
    "resultId,thing,timestamp,image,component,model,modelVersion,class,score,verdict,error,review,"
    "reviewClass,reviewVerdict,reviewer,reviewedAt,receivedAt";
[[nodiscard]] std::string to_csv_line(const control::StoredResult& stored);

}  // namespace andon::api
