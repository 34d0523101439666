// SPDX-License-Identifier: Apache-2.0
#include "control/models/model_checks.hpp"

#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "control/models/model_data.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint64_t kMostBytes = 4ULL << 30U;
constexpr std::chrono::seconds kPatience{60};
constexpr std::size_t kMostReason = 1000;

constexpr std::string_view kTable = R"sql(
CREATE TABLE model_package_checks (
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  verdict TEXT NOT NULL,         -- loads, fails, not_checked
  reason TEXT NOT NULL,
  checked_ms INTEGER NOT NULL,
  PRIMARY KEY (name, version),
  FOREIGN KEY (name, version) REFERENCES model_package (name, version) ON DELETE CASCADE);
)sql";

std::string file_of(const std::string& url) {
  return url.substr(url.rfind('/') + 1);
}

bool is_onnx(const std::string& url) {
  return base::to_lower(url).ends_with(".onnx");
}

}  // namespace

std::string_view to_string(ModelVerdict verdict) {
  switch (verdict) {
    case ModelVerdict::loads:
      return "loads";
    case ModelVerdict::fails:
      return "fails";
    case ModelVerdict::not_checked:
      break;
  }
  return "not_checked";
}

ModelChecks::ModelChecks(store::Database& database, const store::ObjectStore& objects,
                         const base::Clock& clock, OpenModel open)
    : database_(database), objects_(objects), clock_(clock), open_(std::move(open)) {
  database_.migrate("model_checks", {{"0001-checks", kTable}});
}

std::optional<ModelCheck> ModelChecks::look(const base::json::object& content) {
  base::json::object pinned = content;
  const std::vector<ModelData> data = pin_model_data(pinned, objects_);
  if (data.empty()) return std::nullopt;
  const auto not_checked = [&](std::string why) {
    return ModelCheck{ModelVerdict::not_checked, std::move(why), clock_.now()};
  };
  std::uint64_t bytes = 0;
  const ModelData* model = nullptr;
  for (const ModelData& one : data) {
    bytes += one.size;
    if (!is_onnx(one.url)) continue;
    if (model != nullptr) return not_checked("its data holds more than one ONNX file");
    model = &one;
  }
  if (model == nullptr) return not_checked("its data holds no ONNX file");
  if (bytes > kMostBytes) return not_checked("it has more than 4 GiB");
  const std::unique_lock lock(one_at_a_time_, kPatience);
  if (!lock.owns_lock()) return not_checked("the server was busy with other models");

  // Beside one another as below their prefix.
  const base::TemporaryDirectory folder;
  const std::string prefix = model->url.substr(0, model->url.rfind('/') + 1);
  for (const ModelData& one : data) {
    const std::optional<base::UniqueFd> blob = objects_.open_blob(one.sha256);
    if (!blob) {
      return ModelCheck{ModelVerdict::fails, "the bytes of " + one.url + " are gone", clock_.now()};
    }
    const base::fs::path place =
        folder.path() /
        (one.url.starts_with(prefix) ? one.url.substr(prefix.size()) : file_of(one.url));
    const base::fs::path inside = place.lexically_normal().lexically_relative(folder.path());
    if (inside.empty() || *inside.begin() == "..") continue;
    base::fs::create_directories(place.parent_path());
    base::fs::copy_file("/proc/self/fd/" + std::to_string(blob->get()), place,
                        base::fs::copy_options::overwrite_existing);
  }
  ModelCheck check = open_(folder.path() / file_of(model->url));
  check.time = clock_.now();
  if (check.reason.size() > kMostReason) check.reason.resize(kMostReason);
  return check;
}

void ModelChecks::keep(const ModelPackageId& id, const ModelCheck& check) {
  database_.write([&](store::Transaction& tx) {
    tx.execute(
        "INSERT INTO model_package_checks (name, version, verdict, reason, checked_ms) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name, version) DO UPDATE SET "
        "verdict = excluded.verdict, reason = excluded.reason, checked_ms = excluded.checked_ms",
        {id.name, id.version, std::string(to_string(check.verdict)), check.reason,
         to_stored(check.time)});
  });
}

std::optional<ModelCheck> ModelChecks::find(const ModelPackageId& id) const {
  std::optional<ModelCheck> found;
  database_.read([&](store::Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT verdict, reason, checked_ms FROM model_package_checks "
        "WHERE name = $1 AND version = $2",
        {id.name, id.version});
    if (!row) return;
    found = ModelCheck{ModelVerdict::not_checked, row->text(1), stored_time(row->integer(2))};
    for (const ModelVerdict verdict : {ModelVerdict::loads, ModelVerdict::fails}) {
      if (row->text(0) == to_string(verdict)) found->verdict = verdict;
    }
  });
  return found;
}

}  // namespace andon::control
