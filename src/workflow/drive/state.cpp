// SPDX-License-Identifier: Apache-2.0
#include "workflow/drive/state.hpp"

#include <string>

namespace andon::workflow {
namespace {

class StoredRecords final : public asl::RecordSource {
 public:
  StoredRecords(const store::Database& database, std::int64_t execution)
      : database_(database), execution_(execution) {}

  [[nodiscard]] std::optional<std::string> read(std::string_view key) const override {
    std::optional<std::string> text;
    database_.read([&](store::Transaction& tx) {
      const auto row =
          tx.query_one("SELECT body FROM execution_state WHERE execution = $1 AND record = $2",
                       {execution_, std::string(key)});
      if (row) text = row->text(0);
    });
    return text;
  }

 private:
  const store::Database& database_;
  const std::int64_t execution_;
};

}  // namespace

std::shared_ptr<const asl::RecordSource> records_of(const store::Database& database,
                                                    std::int64_t execution) {
  return std::make_shared<const StoredRecords>(database, execution);
}

}  // namespace andon::workflow
