// SPDX-License-Identifier: Apache-2.0
// The parts that lambda_operations() is put together from, and what they share. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/constraints/constraints.hpp"
#include "api/lambda/lambda.hpp"
#include "api/table/members.hpp"
#include "api/table/operation.hpp"

namespace andon::api::lambda {

using Parts = std::shared_ptr<const LambdaParts>;
using Work = std::function<json::value(const LambdaParts&, const OperationContext&)>;

// `path` begins with its date: "2015-03-31/functions/{FunctionName}".
[[nodiscard]] Operation row(const Parts& parts, std::string_view name, std::string_view method,
                            std::string_view path, int status, std::vector<MemberRule> rules,
                            Work work);

// FunctionName, with Qualifier or without.
[[nodiscard]] functions::FunctionRef read_ref(const json::object& input);
// The same, where a qualifier has no meaning.
[[nodiscard]] std::string read_name(const json::object& input);

struct ListPage {
  std::string after;
  std::size_t limit = 50;
};
[[nodiscard]] ListPage read_marker(const json::object& input);
void put_marker(json::object& output, const std::optional<std::string>& next);

// A FunctionConfiguration.
[[nodiscard]] json::object describe(const LambdaParts& parts, const functions::Version& version);

// The members of a function's configuration that `input` has, checked; with those that AWS sets by
// itself where `defaults_for` names a new function.
[[nodiscard]] json::object read_configuration(const LambdaParts& parts,
                                              const OperationContext& context,
                                              const std::string& name);
void add_defaults(json::object& config, const std::string& name);
// What a stored configuration must have, whoever changed it.
void check_configuration(const json::object& config);
// A log group or a function of this server: throws invalid_argument for another ARN.
void check_destination(const LambdaParts& parts, std::string_view member, const std::string& arn);

// The package that ZipFile, or S3Bucket and S3Key name.
[[nodiscard]] functions::Code read_package(const LambdaParts& parts, const json::object& input,
                                           bool is_dry);
// The member Layers, checked: [{"Arn", "CodeSize"}].
[[nodiscard]] json::array read_layers(const LambdaParts& parts, const json::object& input);
// Throws invalid_argument where code and layers (ARNs) are more than a function may have together.
void check_unzipped(const LambdaParts& parts, const functions::Code& code,
                    const std::vector<std::string>& layers);

[[nodiscard]] std::vector<Operation> layer_rows(const Parts& parts);
[[nodiscard]] std::vector<Operation> function_rows(const Parts& parts);
[[nodiscard]] std::vector<Operation> invoke_rows(const Parts& parts);
[[nodiscard]] std::vector<Operation> version_rows(const Parts& parts);
[[nodiscard]] std::vector<Operation> setting_rows(const Parts& parts);
[[nodiscard]] std::vector<Operation> permission_rows(const Parts& parts);

}  // namespace andon::api::lambda
