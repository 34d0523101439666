// SPDX-License-Identifier: Apache-2.0
// Secrets described and listed.
#include "api/secretsmanager/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api::secrets {
namespace {

constexpr std::int64_t kPage = 100;

json::object described(const control::Secret& secret, std::string_view stages_member) {
  json::object told{{"ARN", secret.arn},
                    {"Name", secret.name},
                    {"CreatedDate", base::to_epoch_seconds(secret.created)},
                    {"LastChangedDate", base::to_epoch_seconds(secret.changed)}};
  put_unless_empty(told, "Description", secret.description);
  if (secret.accessed) told["LastAccessedDate"] = base::to_epoch_seconds(*secret.accessed);
  if (secret.deleted) told["DeletedDate"] = base::to_epoch_seconds(*secret.deleted);
  if (!secret.tags.empty()) told["Tags"] = tag_list(secret.tags);
  if (!secret.stages.empty()) {
    json::object versions;
    for (const auto& [version, stages] : secret.stages) versions[version] = to_array(stages);
    told[stages_member] = std::move(versions);
  }
  return told;
}

json::value describe(const Service& service, const OperationContext& context) {
  return described(service.secrets.describe(id_of(context.input)), "VersionIdsToStages");
}

json::value list(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  const auto page = service.secrets.list(
      {.filters = read_filters(input),
       .with_deleted = flag(input, "IncludePlannedDeletion"),
       .oldest_first = maybe_text(input, "SortOrder").value_or("desc") == "asc"},
      read_page(input, kPage));
  json::array secrets;
  for (const control::Secret& secret : page.items) {
    secrets.push_back(described(secret, "SecretVersionsToStages"));
  }
  json::object output{{"SecretList", std::move(secrets)}};
  put_next(output, page.next);
  return output;
}

}  // namespace

std::vector<Operation> list_rows(const Service& service) {
  return {row(service, "DescribeSecret", {id_rule()}, describe),
          row(service, "ListSecrets",
              with_page({flag_rule("IncludePlannedDeletion"), list_rule("Filters", 0, 10),
                         word("SortOrder", {"asc", "desc"})},
                        kPage),
              list)};
}

}  // namespace andon::api::secrets
