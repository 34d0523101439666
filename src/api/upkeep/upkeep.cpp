// SPDX-License-Identifier: Apache-2.0
#include "api/upkeep/upkeep.hpp"

#include <memory>
#include <utility>

#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

json::object described(const StoreUse& store) {
  json::array kept;
  for (const KeptFor& one : store.kept) {
    json::object told{{"what", one.what}, {"option", one.option}};
    if (one.days > 0) told["days"] = one.days;
    kept.push_back(std::move(told));
  }
  json::object told{{"name", store.name}, {"bytes", store.bytes}, {"kept", std::move(kept)}};
  if (store.limit_bytes) {
    told["limitBytes"] = *store.limit_bytes;
    told["limitOption"] = store.limit_option;
  }
  return told;
}

json::value describe_storage(const UpkeepParts& parts) {
  const StorageUse use = parts.storage();
  json::array stores;
  for (const StoreUse& store : use.stores) stores.push_back(described(store));
  return json::object{
      {"stores", std::move(stores)}, {"freeBytes", use.free_bytes}, {"sizeBytes", use.size_bytes}};
}

json::value list_backups(const UpkeepParts& parts) {
  const BackupsState state = parts.backups();
  json::array backups;
  for (const BackupFacts& one : state.backups) {
    backups.push_back({{"name", one.name},
                       {"made", base::to_iso8601(one.made)},
                       {"bytes", one.bytes},
                       {"objects", one.objects}});
  }
  json::object output{
      {"directory", state.directory}, {"mostKept", state.most}, {"backups", std::move(backups)}};
  if (state.running_since) output["runningSince"] = base::to_iso8601(*state.running_since);
  put_unless_empty(output, "failure", state.failure);
  return output;
}

json::array described(const std::vector<CertificateEnd>& certificates) {
  json::array all;
  for (const CertificateEnd& one : certificates) {
    json::object told{{"certificateId", one.id}, {"notAfter", base::to_iso8601(one.not_after)}};
    put_unless_empty(told, "thing", one.thing);
    put_unless_empty(told, "name", one.name);
    if (!one.names.empty()) told["names"] = to_array(one.names);
    all.push_back(std::move(told));
  }
  return all;
}

json::value list_ending(const UpkeepParts& parts, const json::object& input) {
  constexpr std::int64_t kMostDays = 3650;
  const std::int64_t days = optional_number(input, "days").value_or(30);
  if (days < 0 || days > kMostDays) {
    throw base::Error(base::ErrorCode::invalid_argument, "days: must be 0 to 3650");
  }
  return json::object{{"ending", described(parts.ending_certificates(std::chrono::days(days)))},
                      {"own", described(parts.own_certificates())}};
}

}  // namespace

std::vector<Operation> upkeep_operations(UpkeepParts given) {
  const auto parts = std::make_shared<const UpkeepParts>(std::move(given));
  const auto row = [](std::string_view name, std::string_view method, std::string_view path,
                      int status, auto work) {
    return Operation{"andon", name, Protocol::rest_json, method, path, status, work};
  };
  return {
      row("DescribeStorage", "GET", "/andon/v1/storage", 200,
          [parts](const OperationContext&) { return describe_storage(*parts); }),
      row("ListEndingCertificates", "GET", "/andon/v1/ending-certificates", 200,
          [parts](const OperationContext& context) { return list_ending(*parts, context.input); }),
      row("ListBackups", "GET", "/andon/v1/backups", 200,
          [parts](const OperationContext&) { return list_backups(*parts); }),
      row("CreateBackup", "POST", "/andon/v1/backups", 202,
          [parts](const OperationContext&) -> json::value {
            return json::object{{"name", parts->make_backup()}};
          }),
      row("DeleteBackup", "DELETE", "/andon/v1/backups/{backupName}", 200,
          [parts](const OperationContext& context) -> json::value {
            parts->remove_backup(required_text(context.input, "backupName"));
            return json::object{};
          })};
}

}  // namespace andon::api
