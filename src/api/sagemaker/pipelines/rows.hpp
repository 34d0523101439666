// SPDX-License-Identifier: Apache-2.0
// What pipelines.cpp and executions.cpp share; part of pipelines.hpp's inside.
#pragma once

#include <string>
#include <vector>

#include "api/sagemaker/members.hpp"
#include "api/sagemaker/pipelines/pipelines.hpp"
#include "api/sagemaker/rows.hpp"

namespace andon::api {

void add_execution_rows(std::vector<Operation>& rows, const SageMakerPipelines& service);

// A name, or "arn:aws:sagemaker:...:pipeline/<name>".
[[nodiscard]] std::string read_pipeline_name(const json::object& input);
// The id in "arn:...:pipeline/<name>/execution/<id>".
[[nodiscard]] std::string read_execution_id(const json::object& input);
[[nodiscard]] workflow::PipelineFilter read_pipeline_filter(const json::object& input);
// A list in reading order, a page of it: the token is how many have gone before.
[[nodiscard]] json::array page_of(const json::array& all, const json::object& input,
                                  json::object& output);
void put_parallelism(json::object& output, const std::optional<std::size_t>& most_at_once);

// What is not there, in the word of these operations' model.
[[noreturn]] void no_resource(const std::string& what);

}  // namespace andon::api
