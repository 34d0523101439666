// SPDX-License-Identifier: Apache-2.0
// What the files of this room share: rows with checked members, values, filters, pages.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/constraints/constraints.hpp"
#include "api/secretsmanager/secretsmanager.hpp"
#include "api/table/members.hpp"

namespace andon::api::secrets {

using rules::flag_rule;
using rules::list_rule;
using rules::needed;
using rules::number;
using rules::secret;
using rules::text;
using rules::word;

struct Service {
  control::Secrets& secrets;
  const Authorizer& authorizer;
};

using Work = std::function<json::value(const Service&, const OperationContext&)>;
// One row: the members are checked, then `work` is called; a NamedRefusal is told by its name.
[[nodiscard]] Operation row(const Service& service, std::string_view name,
                            std::vector<MemberRule> rules, Work work);

[[nodiscard]] MemberRule id_rule();  // SecretId
[[nodiscard]] std::string id_of(const json::object& input);
// SecretString, SecretBinary, ClientRequestToken, KmsKeyId.
[[nodiscard]] std::vector<MemberRule> with_value(std::vector<MemberRule> rules);
// At most one of SecretString and SecretBinary.
[[nodiscard]] std::optional<control::SecretValue> read_value(const json::object& input);
// ClientRequestToken, or one that is made.
[[nodiscard]] std::string read_token(const json::object& input);
void refuse_other_key(const json::object& input);

// MaxResults and NextToken.
[[nodiscard]] std::vector<MemberRule> with_page(std::vector<MemberRule> rules, std::int64_t most);
[[nodiscard]] control::PageRequest read_page(const json::object& input, std::int64_t standard);
void put_next(json::object& output, const std::optional<std::string>& next);
[[nodiscard]] std::vector<control::SecretFilter> read_filters(const json::object& input);

[[nodiscard]] json::object told(const control::SecretChange& change);
[[nodiscard]] json::object told(const control::SecretContent& content);

// The rows of each file.
[[nodiscard]] std::vector<Operation> secret_rows(const Service& service);
[[nodiscard]] std::vector<Operation> value_rows(const Service& service);
[[nodiscard]] std::vector<Operation> list_rows(const Service& service);
[[nodiscard]] Operation password_row(const Service& service);

}  // namespace andon::api::secrets
