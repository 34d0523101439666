// SPDX-License-Identifier: Apache-2.0
// Room: builds. The operations of CodeBuild (service "codebuild", model 2016-10-06): projects,
// builds, and running these as jobs of this machine. Rows for the operation table; all that they
// are given must outlive them.
#pragma once

#include <string>
#include <vector>

#include "api/builds/build_runner.hpp"
#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "builds/registry/builds.hpp"

namespace andon::api {

struct BuildOperationParts {
  builds::Builds& builds;
  BuildRunner& runner;
  const fleet::Arns& arns;
  const Authorizer* authorizer = nullptr;  // null: nobody is asked whether a role may be passed
};
[[nodiscard]] std::vector<Operation> build_operations(const BuildOperationParts& parts);

}  // namespace andon::api

namespace andon::api::codebuild {

// The members of a project that `input` has, checked and as they are kept. Throws invalid_argument
// naming what is not honoured.
[[nodiscard]] base::json::object read_project(const BuildRunner& runner,
                                              const base::json::object& input);
// What a project must have, whoever changed it.
void check_project(const BuildRunner& runner, const base::json::object& config);

// [{"name", "value", "type"}].
[[nodiscard]] base::json::array read_variables(const base::json::array& given,
                                               const std::string& place);

// Does the text say a buildspec itself, or where it is in the source?
[[nodiscard]] bool is_inline(std::string_view buildspec);

[[nodiscard]] std::vector<Operation> project_rows(const BuildOperationParts& parts);
[[nodiscard]] std::vector<Operation> run_rows(const BuildOperationParts& parts);

}  // namespace andon::api::codebuild
