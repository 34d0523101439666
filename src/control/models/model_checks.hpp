// SPDX-License-Identifier: Apache-2.0
// Whether the model of a package can be opened at all: looked at before it is approved, kept beside
// the approval. The bytes that are pinned are put into a folder of their own for whoever opens
// them, which is a program of its own (models come from outside). Any thread; one model at a time.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "control/models/model_registry.hpp"
#include "store/objects/object_store.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

enum class ModelVerdict { loads, fails, not_checked };
[[nodiscard]] std::string_view to_string(ModelVerdict verdict);  // "loads"

struct ModelCheck {
  ModelVerdict verdict = ModelVerdict::not_checked;
  std::string reason;  // for people: why it fails or was not checked
  base::Timestamp time;
};

// Opens the ONNX file at `model`, beside which its weights lie. Throws nothing for what is wrong
// with it.
using OpenModel = std::function<ModelCheck(const base::fs::path& model)>;

class ModelChecks {
 public:
  // `database` is the registry's; the schema is brought up to date.
  ModelChecks(store::Database& database, const store::ObjectStore& objects,
              const base::Clock& clock, OpenModel open);

  // Of what InferenceSpecification in `content` names; nothing where it names no data. Throws
  // invalid_argument as CreateModelPackage does for data that is not there.
  [[nodiscard]] std::optional<ModelCheck> look(const base::json::object& content);
  void keep(const ModelPackageId& id, const ModelCheck& check);
  [[nodiscard]] std::optional<ModelCheck> find(const ModelPackageId& id) const;

 private:
  store::Database& database_;
  const store::ObjectStore& objects_;
  const base::Clock& clock_;
  OpenModel open_;
  std::timed_mutex one_at_a_time_;
};

}  // namespace andon::control
