// SPDX-License-Identifier: Apache-2.0
// People do not label here yet: there is no labelling job, and whoever asks is told so.
#include "api/sagemaker/jobs/rows.hpp"
#include "api/table/members.hpp"

namespace andon::api {

void add_labeling_rows(std::vector<Operation>& rows) {
  rows.push_back(sagemaker_row("DescribeLabelingJob", [](const OperationContext& context) {
    const std::string name = required_text(context.input, "LabelingJobName");
    throw ServiceError(400, "ResourceNotFound",
                       "There is no labeling job '" + name.substr(0, 100) +
                           "' here: labeling jobs cannot be made on this server.");
    return json::value();
  }));
  rows.push_back(sagemaker_row("ListLabelingJobs", [](const OperationContext& context) {
    (void)read_registry_page(context.input);
    return json::value(json::object{{"LabelingJobSummaryList", json::array()}});
  }));
}

}  // namespace andon::api
